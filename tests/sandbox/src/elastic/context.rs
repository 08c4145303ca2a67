//! What a handler has in hand: the clusters, the network, the moment and the request.

use super::failure::{Failure, Outcome};
use super::model::{Cluster, State};
use super::{Request, Wire};
use serde_json::Value;

/// One request on its way through a cluster.
pub(crate) struct Ctx<'a> {
    pub(crate) state: &'a mut State,
    pub(crate) wire: &'a dyn Wire,
    pub(crate) now_ms: u64,
    /// The instance that was asked.
    pub(crate) me: &'a str,
    pub(crate) request: &'a Request,
    /// Who asks.
    pub(crate) user: String,
    /// What the place holders of the route stand for.
    pub(crate) args: Vec<String>,
}

impl Ctx<'_> {
    /// The cluster that was asked.
    pub(crate) fn cluster(&self) -> Outcome<&Cluster> {
        self.state.cluster(self.me)
    }

    /// The cluster that was asked, to change it.
    pub(crate) fn cluster_mut(&mut self) -> Outcome<&mut Cluster> {
        self.state.cluster_mut(self.me)
    }

    /// The nth place holder of the route.
    pub(crate) fn arg(&self, n: usize) -> &str {
        self.args.get(n).map_or("", String::as_str)
    }

    /// A parameter of the query.
    pub(crate) fn query(&self, name: &str) -> Option<&str> {
        self.request.query.get(name).map(String::as_str)
    }

    /// A switch of the query: `?name` and `?name=true`.
    pub(crate) fn flag(&self, name: &str) -> bool {
        self.query(name).is_some_and(|v| v.is_empty() || v == "true")
    }

    /// Is there a body?
    pub(crate) fn has_body(&self) -> bool {
        !self.request.body.trim_ascii().is_empty()
    }

    /// The JSON body; `Null` when there is none.
    pub(crate) fn json(&self) -> Outcome<Value> {
        if !self.has_body() {
            return Ok(Value::Null);
        }
        serde_json::from_slice(&self.request.body).map_err(|e| {
            Failure::new(400, "parse_exception", format!("Failed to parse content: {e}"))
        })
    }

    /// Path and query as they stood in the request line.
    pub(crate) fn uri(request: &Request) -> String {
        let mut uri = format!("/{}", request.path.join("/"));
        for (n, (name, value)) in request.query.iter().enumerate() {
            uri.push(if n == 0 { '?' } else { '&' });
            uri.push_str(name);
            if !value.is_empty() {
                uri.push('=');
                uri.push_str(value);
            }
        }
        uri
    }
}
