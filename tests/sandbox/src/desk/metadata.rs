//! One request to the instance metadata or to the credentials URI.

use super::exchange::{Entry, Way};
use super::{Caller, Desk, Outcome, Reply};
use crate::Refusal;
use crate::metadata::{self, Told};
use crate::wire::Http;

impl Desk {
    /// Answers a request to the metadata's port.
    pub(crate) fn metadata(&mut self, http: &Http, caller: &dyn Caller) -> Outcome {
        self.catch_up();
        let (product, action) = metadata::action(http);
        let entry =
            Entry { product: product.to_owned(), action: action.to_owned(), ..Entry::default() };
        let way = Way {
            apply: &|world| {
                let told = metadata::handle(world, http);
                let word =
                    if told.status == 200 { "ok".to_owned() } else { told.status.to_string() };
                (reply(told), word)
            },
            refuse: &|refusal| reply(Told::refused(refusal.status, &refusal.code)),
            throttled: Refusal::new(429, "TooManyRequests", "too many requests"),
            unheard: &|| {
                let http = http.clone();
                Box::new(move |world| metadata::handle(world, &http).status.to_string())
            },
        };
        self.pass(&entry, &way, caller)
    }
}

fn reply(told: Told) -> Reply {
    let headers = vec![("content-type".to_owned(), told.kind.to_owned())];
    Reply { status: told.status, headers, body: told.body.into_bytes() }
}
