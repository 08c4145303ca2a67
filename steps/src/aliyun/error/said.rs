//! Reading an error body: three JSON spellings, and XML from the gateway.

use crate::aliyun::answer::{as_text, find};
use serde_json::Value;

/// What an error body says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Said {
    pub(super) code: Option<String>,
    pub(super) message: String,
    pub(super) request_id: Option<String>,
    /// The permission that is missing, for example `cbn:CreateCen`.
    pub(super) auth_action: Option<String>,
}

/// Reads a body; one that is neither JSON nor XML gives nothing.
pub(super) fn read(body: &[u8]) -> Said {
    match serde_json::from_slice::<Value>(body) {
        Ok(value) if value.is_object() => from_json(&value),
        Ok(_) | Err(_) => from_xml(&String::from_utf8_lossy(body)),
    }
}

/// Reads the error members of any answer.
pub(super) fn from_json(value: &Value) -> Said {
    let code = first(value, &["Code", "code"]);
    let message = first(value, &["Message", "message"]).unwrap_or_default();
    Said {
        message: discreet(code.as_deref(), &message),
        code,
        request_id: request_id(value),
        auth_action: find(value, "AccessDeniedDetail.AuthAction").and_then(as_text),
    }
}

/// The request id of any answer, in the spellings that occur.
pub(super) fn request_id(value: &Value) -> Option<String> {
    first(value, &["RequestId", "requestId", "requestid"])
}

fn first(value: &Value, names: &[&str]) -> Option<String> {
    let texts = names.iter().filter_map(|name| find(value, name).and_then(as_text));
    texts.into_iter().find(|text| !text.is_empty())
}

fn from_xml(text: &str) -> Said {
    let code = element(text, "Code");
    let message = element(text, "Message").unwrap_or_default();
    Said {
        message: discreet(code.as_deref(), &message),
        code,
        request_id: element(text, "RequestId"),
        auth_action: None,
    }
}

fn element(text: &str, name: &str) -> Option<String> {
    let (_, after) = text.split_once(&format!("<{name}>"))?;
    let (inner, _) = after.split_once(&format!("</{name}>"))?;
    Some(inner.trim().to_owned()).filter(|inner| !inner.is_empty())
}

/// Cuts what must not be repeated: after a wrong signature the vendor echoes the string that
/// was signed, and a session token is part of it.
fn discreet(code: Option<&str>, message: &str) -> String {
    let signature = code.is_some_and(|code| code.contains("Signature"));
    let cut = if signature { message.split(':').next().unwrap_or_default() } else { message };
    cut.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::{Said, read};

    #[test]
    fn reads_every_spelling() {
        let bodies = [
            r#"{"Code":"A.B","Message":"no","RequestId":"r","HostId":"h","Recommend":null}"#,
            r#"{"code":"A.B","message":"no","requestId":"r"}"#,
            r#"{"code":"A.B","message":"no","requestid":"r","Code":""}"#,
            "<?xml version='1.0'?><Error><Code>A.B</Code><Message>no</Message>\
             <RequestId> r </RequestId></Error>",
        ];
        for body in bodies {
            let said = read(body.as_bytes());
            assert_eq!(said.code.as_deref(), Some("A.B"), "{body}");
            assert_eq!((said.message.as_str(), said.request_id.as_deref()), ("no", Some("r")));
        }
    }

    #[test]
    fn nothing_comes_of_nonsense() {
        for body in ["", "[]", "7", "<html><h1>502 Bad Gateway</h1></html>", "{\"Code\":", "\u{0}"]
        {
            assert_eq!(read(body.as_bytes()), Said::default(), "{body:?}");
        }
    }

    #[test]
    fn names_the_missing_permission() {
        let said = read(
            br#"{"Code":"Forbidden.RAM","Message":"x","RequestId":"r",
                "AccessDeniedDetail":{"AuthAction":"cbn:CreateCen","PolicyType":"Account"}}"#,
        );
        assert_eq!(said.auth_action.as_deref(), Some("cbn:CreateCen"));
    }

    #[test]
    fn does_not_repeat_the_signed_string() {
        let said = read(
            br#"{"Code":"SignatureDoesNotMatch","Message":"Specified signature is not matched with our calculation. server string to sign is:POST&%2F&SecurityToken%3Dsts"}"#,
        );
        assert!(!said.message.contains("Token"), "{}", said.message);
        assert!(said.message.contains("not matched"));
    }
}
