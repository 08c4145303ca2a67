//! A call of somebody else's that carries a request into the cluster.
//!
//! Only the body of the cluster's answer comes back, so its status is read off the body, and
//! what a bodiless answer would say is asked for in another way.

use super::{Ask, Broken};
use escrr_engine::Fault;
use escrr_engine::erased::BoxFuture;
use reqwest::Method;
use serde_json::Value;
use std::fmt;
use std::sync::Arc;

/// A call that carries a request into the cluster, for example `InvokeEsRequest`.
///
/// It sends once and says what came back: the cluster's body, whatever the cluster's status.
pub trait Relay: fmt::Debug + Send + Sync {
    /// Where it leads, for messages.
    fn place(&self) -> String;
    /// Carries one request.
    fn carry<'a>(&'a self, request: Carried<'a>) -> BoxFuture<'a, Result<Value, Fault>>;
}

/// One request to be carried.
#[derive(Clone, Debug)]
pub struct Carried<'a> {
    /// `GET`, `PUT`, `POST` or `DELETE`.
    pub method: &'a str,
    /// Path and query, encoded.
    pub target: String,
    /// The JSON body, if there is one.
    pub body: Option<Value>,
    /// Whether it can change anything: it decides what a lost answer means.
    pub writes: bool,
}

/// The way by a relay.
#[derive(Clone, Debug)]
pub(in crate::elastic) struct Relayed {
    relay: Arc<dyn Relay>,
    place: String,
}

impl Relayed {
    /// Takes a relay for a way.
    pub(in crate::elastic) fn new(relay: Arc<dyn Relay>) -> Self {
        let place = relay.place();
        Self { relay, place }
    }

    pub(super) fn place(&self) -> &str {
        &self.place
    }

    pub(super) async fn exchange(&self, ask: Ask<'_>) -> Result<(u16, Vec<u8>), Broken> {
        let body = match ask.body.map(serde_json::from_str) {
            None => None,
            Some(Ok(body)) => Some(body),
            Some(Err(error)) => return Err(Broken::Misbuilt(error.to_string())),
        };
        // An answer to `HEAD` has its status alone, and no status comes back.
        let head = *ask.method == Method::HEAD;
        let method = if head { "GET" } else { ask.method.as_str() };
        let request = Carried { method, target: ask.target(), body, writes: ask.writes };
        let (status, body) = match self.relay.carry(request).await {
            Ok(value) => read(value),
            Err(fault) => echoed(&fault).ok_or(Broken::Carrier(fault))?,
        };
        Ok((status, if head { Vec::new() } else { body }))
    }
}

/// The status that a body belongs to.
fn read(value: Value) -> (u16, Vec<u8>) {
    let value = match value {
        // The raw text of the answer instead of the value that it stands for.
        Value::String(text) => match serde_json::from_str::<Value>(&text) {
            Ok(value) if value.is_object() || value.is_array() => value,
            Ok(_) | Err(_) => return (200, text.into_bytes()),
        },
        Value::Null => return (200, Vec::new()),
        other @ (Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_)) => other,
    };
    (status_of(&value), value.to_string().into_bytes())
}

fn status_of(value: &Value) -> u16 {
    if let Some(status) = refused_with(value) {
        return status;
    }
    // A document that is not there is no error, but its answer is a 404 all the same.
    let absent = value.get("found").and_then(Value::as_bool) == Some(false)
        || value.get("result").and_then(Value::as_str) == Some("not_found");
    if absent { 404 } else { 200 }
}

/// The status of a cluster's error.
fn refused_with(value: &Value) -> Option<u16> {
    value.get("error")?;
    value.get("status")?.as_u64().and_then(|status| u16::try_from(status).ok())
}

/// The cluster's own error, where the call that carried the request hands it on as its own.
fn echoed(fault: &Fault) -> Option<(u16, Vec<u8>)> {
    let said = &fault.report().said;
    let json = said.get(said.find('{')?..=said.rfind('}')?)?;
    let value: Value = serde_json::from_str(json).ok()?;
    refused_with(&value).map(|status| (status, value.to_string().into_bytes()))
}

#[cfg(test)]
mod tests {
    use super::{echoed, read};
    use escrr_engine::{Fault, Report};
    use serde_json::{Value, json};

    #[test]
    fn the_status_is_read_off_the_body() {
        let cases = [
            (json!({"acknowledged": true}), 200),
            (json!({"error": {"type": "index_not_found_exception"}, "status": 404}), 404),
            (
                json!({"error": "no handler found for uri [/x] and method [GET]", "status": 400}),
                400,
            ),
            (json!({"_index": "a", "_id": "1", "found": false}), 404),
            (json!({"_index": "a", "_id": "1", "result": "not_found"}), 404),
            (json!({"_index": "a", "found": true}), 200),
            // A health's status is a colour, and no error.
            (json!({"status": "green"}), 200),
            (Value::Null, 200),
        ];
        for (body, status) in cases {
            let text = Value::String(body.to_string());
            assert_eq!(read(body.clone()).0, status, "{body}");
            if !body.is_null() {
                assert_eq!(read(text), read(body));
            }
        }
        assert_eq!(read(json!("green open logs")), (200, b"green open logs".to_vec()));
    }

    #[test]
    fn an_error_that_was_handed_on_is_the_clusters() {
        let fault = |said: &str| Fault::refused(Report::new("InvokeEsRequest", said));
        let inner = r#"es said: {"error":{"type":"x","reason":"y"},"status":404}"#;
        assert_eq!(echoed(&fault(inner)).unwrap().0, 404);
        assert!(echoed(&fault("The instance is not found.")).is_none());
        assert!(echoed(&fault("} {")).is_none());
    }
}
