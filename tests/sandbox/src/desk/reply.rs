//! Answers as the gateway and the clusters write them.

use crate::elastic;
use crate::verify::hex;
use crate::wire::Http;
use crate::{Answer, Refusal};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

/// An HTTP answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reply {
    /// HTTP status.
    pub(crate) status: u16,
    /// Headers beside those that HTTP itself asks for.
    pub(crate) headers: Vec<(String, String)>,
    /// The body, empty for none.
    pub(crate) body: Vec<u8>,
}

impl Reply {
    /// JSON with a status.
    pub(crate) fn json(status: u16, value: &Value) -> Self {
        Self { status, ..Self::text(value.to_string().into_bytes()) }
    }

    /// JSON that is written already.
    pub(crate) fn text(body: Vec<u8>) -> Self {
        let headers = vec![("content-type".into(), "application/json".into())];
        Self { status: 200, headers, body }
    }

    /// What is said of a body that is longer than the port takes.
    pub(crate) fn too_large(http: &Http, openapi: bool) -> Self {
        if openapi {
            let text = "The request body is too large.";
            let refusal = Refusal::new(413, "RequestBodyTooLarge", text);
            return Self::openapi(http, &request_id(0, 0), &Err(refusal));
        }
        // A node gives up on it before it knows what is asked: there is no envelope.
        Self { status: 413, headers: Vec::new(), body: Vec::new() }
    }

    /// What the OpenAPI answers.
    pub(crate) fn openapi(http: &Http, request_id: &str, answer: &Answer) -> Self {
        match answer {
            Ok(value) => {
                let mut value = value.clone();
                if let Value::Object(fields) = &mut value {
                    fields.insert("RequestId".into(), request_id.into());
                }
                Self::openapi_json(200, request_id, &value)
            }
            Err(refusal) => Self::openapi_refusal(http, request_id, refusal),
        }
    }

    fn openapi_refusal(http: &Http, request_id: &str, refusal: &Refusal) -> Self {
        let help = format!("https://api.aliyun.com/troubleshoot?q={}", refusal.code);
        let value = json!({
            "RequestId": request_id,
            "HostId": http.header("host").unwrap_or("127.0.0.1"),
            "Code": refusal.code,
            "Message": refusal.message,
            "Recommend": help,
        });
        Self::openapi_json(refusal.status, request_id, &value)
    }

    fn openapi_json(status: u16, request_id: &str, value: &Value) -> Self {
        let mut reply = Self::json(status, value);
        reply.headers.push(("x-acs-request-id".into(), request_id.into()));
        reply
    }

    /// What a cluster answers; none of it has a body on `HEAD`.
    pub(crate) fn elastic(http: &Http, reply: elastic::Reply) -> Self {
        let mut headers: Vec<(String, String)> = reply.headers.into_iter().collect();
        let empty = reply.body.is_null() || http.method == "HEAD";
        if !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-type")) {
            headers.push(("content-type".into(), "application/json".into()));
        }
        let body = if empty { Vec::new() } else { reply.body.to_string().into_bytes() };
        Self { status: reply.status, headers, body }
    }

    /// A refusal in the form of a cluster's errors.
    pub(crate) fn elastic_refusal(http: &Http, refusal: &Refusal) -> Self {
        let body = elastic_error(refusal);
        let headers = std::collections::BTreeMap::new();
        Self::elastic(http, elastic::Reply { status: refusal.status, body, headers })
    }
}

/// A refusal as a cluster writes its errors.
pub(super) fn elastic_error(refusal: &Refusal) -> Value {
    let cause = json!({"type": refusal.code, "reason": refusal.message});
    json!({
        "error": {
            "root_cause": [cause],
            "type": refusal.code,
            "reason": refusal.message,
        },
        "status": refusal.status,
    })
}

/// A request id as the cloud writes it, the same from run to run: `A1B2C3D4-…`.
pub(crate) fn request_id(seq: u64, now_ms: u64) -> String {
    let text = hex(&Sha256::digest(format!("{seq}/{now_ms}").as_bytes())).to_ascii_uppercase();
    let cut = |from: usize, to: usize| text.get(from..to).unwrap_or_default();
    [cut(0, 8), cut(8, 12), cut(12, 16), cut(16, 20), cut(20, 32)].join("-")
}
