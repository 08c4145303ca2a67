//! One request to a Kibana: answered by it, or handed on to its cluster.

use super::exchange::{Caller, Entry, Outcome, Way, overloaded};
use super::{Desk, Reply};
use crate::kibana::{self, Received};
use crate::ledger::{es_action, es_mutating};
use crate::route::at_cluster;
use crate::wire::Http;
use crate::{Refusal, World, elastic};

/// The product of requests to a Kibana, in the log and in faults.
const KIBANA: &str = "Kibana";

impl From<kibana::Reply> for Reply {
    fn from(reply: kibana::Reply) -> Self {
        Self { status: reply.status, headers: reply.headers, body: reply.body }
    }
}

impl Desk {
    /// Answers a request to the Kibana of `instance`.
    pub(crate) fn kibana(&mut self, instance: &str, http: &Http, caller: &dyn Caller) -> Outcome {
        self.catch_up();
        if !kibana::is_open(&self.world, instance) {
            return Outcome::closed();
        }
        let home = self.world.file.instances.get(instance);
        let region = home.map(|i| i.region.clone()).unwrap_or_default();
        let request = match kibana::receive(&mut self.world, instance, http) {
            Received::Console(request) => request,
            Received::Own(reply) => {
                let entry = Entry::new(KIBANA, "Own", region);
                let word = if reply.status < 400 { "ok".into() } else { reply.status.to_string() };
                self.note(&entry, &word, None);
                return Reply::from(reply).into();
            }
        };
        let path = format!("/{}", request.path.join("/"));
        let action = es_action(&request.method, &path);
        let entry = Entry {
            mutating: es_mutating(&request.method, &path),
            carries: Some(action.clone()),
            // Kibana has asked who is there before it hands anything on.
            signed: true,
            ..Entry::new(KIBANA, &action, region)
        };
        let pass_on = |reply: &elastic::Reply| kibana::answered(&request.method, reply).into();
        let way = Way {
            apply: &|world| {
                let reply = at_cluster(world, instance, &request);
                let word = reply.word();
                (pass_on(&reply), word)
            },
            refuse: &|refusal| pass_on(&elastic::Reply::refusal(refusal)),
            throttled: overloaded(),
            unheard: &|| {
                let (instance, request) = (instance.to_owned(), request.clone());
                Box::new(move |world: &mut World| at_cluster(world, &instance, &request).word())
            },
        };
        let outcome = self.pass(&entry, &way, caller);
        if outcome.delay_ms <= kibana::REQUEST_TIMEOUT_MS {
            return outcome;
        }
        // Kibana gives up; what it has handed on goes its way.
        let reply = Some(kibana::timed_out().into());
        Outcome { reply, delay_ms: kibana::REQUEST_TIMEOUT_MS }
    }
}

impl elastic::Reply {
    /// A refusal that was ordered, in the form of a cluster's errors.
    fn refusal(refusal: &Refusal) -> Self {
        let body = super::reply::elastic_error(refusal);
        Self { status: refusal.status, body, headers: std::collections::BTreeMap::new() }
    }
}
