//! What Kibana says by itself: `statusCode`, `error` and `message`, unlike its cluster.

use super::Reply;
use hyper::StatusCode;
use serde_json::json;

/// A refusal of Kibana's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refused {
    status: u16,
    message: String,
}

impl Refused {
    pub(super) fn new(status: u16, message: impl Into<String>) -> Self {
        Self { status, message: message.into() }
    }

    pub(super) fn reply(&self) -> Reply {
        let body = json!({
            "statusCode": self.status,
            "error": phrase(self.status),
            "message": self.message,
        });
        Reply { status: self.status, headers: vec![json_type()], body: body.to_string().into() }
    }
}

/// The words that belong to a status: `404` is `Not Found`.
pub(super) fn phrase(status: u16) -> &'static str {
    StatusCode::from_u16(status).ok().and_then(|s| s.canonical_reason()).unwrap_or("Unknown")
}

pub(super) fn json_type() -> (String, String) {
    ("content-type".into(), "application/json; charset=utf-8".into())
}
