//! Refusals of a cluster, in Elasticsearch's envelope.

use super::Reply;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// What a handler gives back.
pub(crate) type Outcome<T = Reply> = Result<T, Failure>;

/// One exception, with the exception that caused it.
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    pub(crate) status: u16,
    pub(crate) kind: String,
    pub(crate) reason: String,
    /// Metadata of the exception: keys beside `type` and `reason`.
    pub(crate) extra: BTreeMap<String, Value>,
    pub(crate) cause: Option<Box<Failure>>,
}

impl Failure {
    /// Any exception.
    pub(crate) fn new(status: u16, kind: &str, reason: impl Into<String>) -> Self {
        Self {
            status,
            kind: kind.to_owned(),
            reason: reason.into(),
            extra: BTreeMap::new(),
            cause: None,
        }
    }

    /// HTTP 400, `illegal_argument_exception`.
    pub(crate) fn illegal(reason: impl Into<String>) -> Self {
        Self::new(400, "illegal_argument_exception", reason)
    }

    /// HTTP 400, several complaints about one request.
    pub(crate) fn invalid(complaints: &[String]) -> Self {
        let list: Vec<String> =
            complaints.iter().enumerate().map(|(n, c)| format!("{}: {c};", n + 1)).collect();
        let reason = format!("Validation Failed: {}", list.join(""));
        Self::new(400, "action_request_validation_exception", reason)
    }

    /// HTTP 404, `index_not_found_exception`.
    pub(crate) fn no_index(name: &str) -> Self {
        Self::new(404, "index_not_found_exception", format!("no such index [{name}]"))
            .with("resource.type", "index_or_alias")
            .with("resource.id", name)
            .with("index_uuid", "_na_")
            .with("index", name)
    }

    /// HTTP 404, `resource_not_found_exception`.
    pub(crate) fn missing(reason: impl Into<String>) -> Self {
        Self::new(404, "resource_not_found_exception", reason)
    }

    /// HTTP 404, `no_such_remote_cluster_exception`.
    pub(crate) fn no_remote(alias: &str) -> Self {
        Self::new(
            404,
            "no_such_remote_cluster_exception",
            format!("no such remote cluster: [{alias}]"),
        )
    }

    /// The node has no cluster behind it: an id that the world does not know.
    pub(crate) fn no_cluster() -> Self {
        Self::new(503, "master_not_discovered_exception", "no master")
    }

    /// Adds one key of metadata.
    pub(crate) fn with(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.extra.insert(key.to_owned(), value.into());
        self
    }

    /// Adds the cause.
    pub(crate) fn because(mut self, cause: Self) -> Self {
        self.cause = Some(Box::new(cause));
        self
    }

    fn head(&self) -> Map<String, Value> {
        let mut map = Map::new();
        map.insert("type".into(), json!(self.kind));
        map.insert("reason".into(), json!(self.reason));
        map.extend(self.extra.iter().map(|(k, v)| (k.clone(), v.clone())));
        map
    }

    /// The exception as it stands inside other answers.
    pub(crate) fn body(&self) -> Value {
        let mut map = self.head();
        if let Some(cause) = &self.cause {
            map.insert("caused_by".into(), cause.body());
        }
        Value::Object(map)
    }

    /// The whole answer.
    pub(crate) fn reply(&self) -> Reply {
        let mut error = Map::new();
        error.insert("root_cause".into(), json!([self.head()]));
        if let Value::Object(own) = self.body() {
            error.extend(own);
        }
        let mut reply = Reply::json(self.status, json!({"error": error, "status": self.status}));
        if self.status == 401 {
            reply.headers.insert(
                "WWW-Authenticate".into(),
                "Basic realm=\"security\" charset=\"UTF-8\"".into(),
            );
        }
        reply
    }
}

impl Reply {
    /// An answer with a JSON body.
    pub(crate) fn json(status: u16, body: Value) -> Self {
        Self { status, body, headers: BTreeMap::new() }
    }

    /// HTTP 200 with a JSON body.
    pub(crate) fn ok(body: Value) -> Self {
        Self::json(200, body)
    }

    /// `{"acknowledged":true}`.
    pub(crate) fn acknowledged() -> Self {
        Self::ok(json!({"acknowledged": true}))
    }

    /// A refusal whose `error` is a plain string: the router's own.
    pub(crate) fn plain(status: u16, error: &str) -> Self {
        Self::json(status, json!({"error": error, "status": status}))
    }
}
