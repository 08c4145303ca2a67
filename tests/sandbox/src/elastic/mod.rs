//! Pretend Elasticsearch clusters: their REST API and cross-cluster replication.
//!
//! A request goes through `route` to the function of its call. Documents live in `shard`
//! as numbered operations, which is what `ccr` copies from cluster to cluster through
//! the connections of `remote`. Nothing happens between requests but what [`tick`] does.

mod auth;
mod bulk;
mod ccr;
mod cluster_settings;
mod context;
mod cross_search;
mod documents;
mod failure;
mod flat;
mod grants;
mod index;
mod index_admin;
mod index_settings;
mod mapping;
mod model;
mod names;
mod overview;
mod query;
mod remote;
mod remote_rules;
mod route;
mod search;
mod seed;
mod shard;
mod stats;
mod streams;
#[cfg(test)]
mod tests;

pub use grants::Grants;
pub use model::State;
pub(crate) use model::Version;

use crate::ledger::Thing;
use crate::world_file::InstanceFile;
use serde_json::Value;
use std::collections::BTreeMap;

/// One REST request to a cluster.
#[derive(Clone, Debug)]
pub struct Request {
    /// `GET`, `PUT`, …
    pub method: String,
    /// Decoded path segments: `["logs-1", "_doc", "a"]`.
    pub path: Vec<String>,
    /// Decoded query.
    pub query: BTreeMap<String, String>,
    /// Headers, names in lower case.
    pub headers: BTreeMap<String, String>,
    /// Body as sent.
    pub body: Vec<u8>,
}

/// The answer of a cluster.
#[derive(Clone, Debug)]
pub struct Reply {
    /// HTTP status.
    pub status: u16,
    /// JSON body; `Null` for none.
    pub body: Value,
    /// Extra headers.
    pub headers: BTreeMap<String, String>,
}

impl Reply {
    /// What the log says of it: `ok`, or the type of the error, or the status without one.
    pub(crate) fn word(&self) -> String {
        word(self.status, &self.body)
    }
}

/// What the log says of an answer.
pub(crate) fn word(status: u16, body: &Value) -> String {
    if status < 400 {
        return "ok".to_owned();
    }
    let kind = body.pointer("/error/type").and_then(Value::as_str);
    kind.map_or_else(|| status.to_string(), str::to_owned)
}

/// Why a cluster cannot reach an address; the words are Elasticsearch's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreachable {
    /// Exception type, for example `connect_transport_exception`.
    pub kind: String,
    /// Reason, for example `[][10.2.1.7:9300] connect_timeout[30s]`.
    pub reason: String,
}

/// The network between clusters, computed from what was built in the cloud.
pub trait Wire {
    /// Which instance answers when `from` (an instance id) connects to `host:port`.
    fn connect(&self, from: &str, address: &str) -> Result<String, Unreachable>;
    /// Milliseconds that the operation named takes (`Es.Restore`, …).
    fn duration_ms(&self, name: &str) -> u64;
}

/// Puts the cluster of one instance into the state.
pub fn seed(state: &mut State, id: &str, file: &InstanceFile, now_ms: u64) {
    seed::seed(state, id, file, now_ms);
}

/// Lets time pass: connections, copying, auto-follow, leases.
///
/// The network as it is now is taken to have been so since the last tick.
pub fn tick(state: &mut State, wire: &dyn Wire, now_ms: u64) {
    let last_ms = state.last_tick_ms.min(now_ms);
    remote::tick(state, wire, last_ms, now_ms);
    // A follower may be a leader in turn: one round for each link of the longest chain.
    for _ in 0..remote::longest_chain(state, wire).max(1) {
        ccr::auto::tick(state, wire, last_ms, now_ms);
        ccr::replicate::tick(state, wire, last_ms, now_ms);
    }
    ccr::replicate::expire(state, now_ms);
    state.last_tick_ms = now_ms;
}

/// Answers one request to the cluster of `instance`; the moment is that of the last [`tick`].
pub fn handle(
    state: &mut State,
    wire: &dyn Wire,
    now_ms: u64,
    instance: &str,
    request: &Request,
) -> Reply {
    route::handle(state, wire, now_ms, instance, request)
}

/// Changes what one cluster holds of a document, past every engine and every operation: what
/// replication cannot see. Without a source the document is gone. Says whether it was there.
pub fn alter(
    state: &mut State,
    instance: &str,
    (index, id): (&str, &str),
    source: Option<&Value>,
) -> bool {
    let found = state.clusters.get_mut(instance).and_then(|c| c.indices.get_mut(index));
    found.is_some_and(|index| {
        // Routing is not known here, so every shard is asked.
        index.shards.iter_mut().any(|shard| shard.alter(id, source.cloned()))
    })
}

/// Does a request come from somebody whom the cluster knows?
pub(crate) fn knows(state: &State, instance: &str, request: &Request) -> bool {
    let cluster = state.clusters.get(instance);
    cluster.is_some_and(|cluster| auth::authenticate(cluster, request).is_ok())
}

/// Lists what was set up in the clusters: `remote_cluster`, `auto_follow_pattern`, `follower_index`.
pub fn inventory(state: &State) -> Vec<Thing> {
    seed::inventory(state)
}
