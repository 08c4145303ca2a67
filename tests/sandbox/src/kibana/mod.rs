//! Pretend Kibanas: one before each cluster, with its console proxy and its way to sign in.
//!
//! - `console`: which request to the cluster stands in a request to the console, and how the
//!   cluster's answer is handed on;
//! - `refusal`: what Kibana says by itself, release by release;
//! - `session`: who asks, by `Authorization` or by a cookie.

mod console;
mod refusal;
mod session;
#[cfg(test)]
mod tests;

pub(crate) use console::{answered, timed_out};
pub use session::State;

use crate::elastic::Request;
use crate::wire::Http;
use crate::{World, instances};
use refusal::Refused;

/// Milliseconds that Kibana waits for its cluster: `elasticsearch.requestTimeout`.
pub(crate) const REQUEST_TIMEOUT_MS: u64 = 30_000;

/// The answer of a Kibana.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

/// What a request to a Kibana comes to.
#[derive(Debug)]
pub(crate) enum Received {
    /// It goes on to the cluster.
    Console(Request),
    /// Kibana answers by itself.
    Own(Reply),
}

/// Does anybody answer at the address of an instance's Kibana?
///
/// It does when the public network access is on and the allow list of Kibana, which is another
/// one than the cluster's, admits the caller.
pub(crate) fn is_open(world: &World, instance: &str) -> bool {
    instances::has_public_kibana(world, instance)
        && instances::admits_caller(world, instance, &["PUBLIC_KIBANA"])
}

/// Takes one request.
pub(crate) fn receive(world: &mut World, instance: &str, http: &Http) -> Received {
    let segments = http.segments();
    let mut path: Vec<&str> = segments.iter().map(String::as_str).collect();
    if let ["s", _, ..] = path.as_slice() {
        path.drain(..2);
    }
    let taken = match (http.method.as_str(), path.as_slice()) {
        ("POST", ["api", "console", "proxy"]) => {
            return console::receive(world, instance, http)
                .map_or_else(|refused| Received::Own(refused.reply()), Received::Console);
        }
        ("POST", ["internal", "security", "login"]) => session::sign_in(world, instance, http),
        ("GET", ["api", "status"]) => Ok(console::status(world, instance)),
        ("GET", []) => Ok(Reply {
            status: 302,
            headers: vec![("location".into(), "/login?next=%2F".into())],
            body: Vec::new(),
        }),
        _ => Err(Refused::new(404, "Not Found")),
    };
    Received::Own(taken.unwrap_or_else(|refused| refused.reply()))
}
