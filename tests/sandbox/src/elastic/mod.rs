//! Pretend Elasticsearch clusters: their REST API and cross-cluster replication.

use crate::world_file::InstanceFile;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// All clusters, by instance id.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct State {}

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
pub fn seed(_state: &mut State, _id: &str, _file: &InstanceFile, _now_ms: u64) {}

/// Lets time pass: connections, copying, auto-follow, leases.
pub fn tick(_state: &mut State, _wire: &dyn Wire, _now_ms: u64) {}

/// Answers one request to the cluster of `instance`.
pub fn handle(
    _state: &mut State,
    _wire: &dyn Wire,
    _now_ms: u64,
    _instance: &str,
    request: &Request,
) -> Reply {
    Reply {
        status: 400,
        body: serde_json::json!({"error": format!("no handler found for uri [/{}] and method [{}]", request.path.join("/"), request.method), "status": 400}),
        headers: BTreeMap::new(),
    }
}

/// Everything in the clusters that clutters.
pub fn inventory(_state: &State) -> Vec<crate::ledger::Thing> {
    Vec::new()
}
