//! Credentials with their end, as the services that hand them out write them.

use crate::aliyun::Credentials;
use crate::secret::Secret;
use jiff::Timestamp;
use serde_json::Value;

/// Credentials, and until when they are good.
#[derive(Clone, Debug)]
pub struct Held {
    /// Who is calling.
    pub credentials: Credentials,
    /// When they run out, in milliseconds since the Unix epoch; absent when nobody said.
    pub expires_ms: Option<u64>,
}

impl Held {
    /// Credentials whose end is not known, or that have none.
    pub fn endless(credentials: Credentials) -> Self {
        Self { credentials, expires_ms: None }
    }

    /// Are they good at a moment, as far as is known?
    pub fn is_good(&self, now_ms: u64) -> bool {
        self.expires_ms.is_none_or(|end| now_ms < end)
    }

    /// Reads `AccessKeyId`, `AccessKeySecret`, `SecurityToken` and `Expiration`.
    ///
    /// The error names a member and never a value.
    pub(in crate::aliyun) fn from_answer(value: &Value) -> Result<Self, String> {
        let need = |name: &str| {
            let text = value.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
            text.map(str::to_owned).ok_or_else(|| format!("the answer has no {name}"))
        };
        let expires = need("Expiration")?;
        Ok(Self {
            credentials: Credentials {
                access_key_id: need("AccessKeyId")?,
                access_key_secret: Secret::new(need("AccessKeySecret")?),
                security_token: Some(Secret::new(need("SecurityToken")?)),
            },
            expires_ms: Some(moment(&expires).ok_or("the answer's Expiration is no time in UTC")?),
        })
    }
}

/// `2026-11-22T10:00:00Z` in milliseconds since the Unix epoch.
pub(super) fn moment(text: &str) -> Option<u64> {
    let at: Timestamp = text.trim().parse().ok()?;
    u64::try_from(at.as_millisecond()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_answer_is_read_whole_or_its_lack_named_without_values() {
        let whole = json!({
            "AccessKeyId": "STS.a", "AccessKeySecret": "canary-s", "SecurityToken": "canary-t",
            "Expiration": "1970-01-01T00:00:10Z",
        });
        let held = Held::from_answer(&whole).unwrap();
        assert_eq!(held.expires_ms, Some(10_000));
        assert!(held.is_good(9_999) && !held.is_good(10_000));
        assert!(!format!("{held:?}").contains("canary"));
        for name in ["AccessKeyId", "AccessKeySecret", "SecurityToken", "Expiration"] {
            let mut part = whole.clone();
            part[name] = json!("");
            let error = Held::from_answer(&part).unwrap_err();
            assert!(error.contains(name) && !error.contains("canary"), "{error}");
        }
        let mut odd = whole;
        odd["Expiration"] = json!("canary");
        assert!(!Held::from_answer(&odd).unwrap_err().contains("canary"));
    }
}
