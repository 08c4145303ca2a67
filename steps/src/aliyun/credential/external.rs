//! A command of the operator's that prints credentials (mode `External`).

use super::held::{Held, moment};
use crate::aliyun::Credentials;
use crate::command::{Limits, printed};
use crate::secret::Secret;
use serde_json::Value;
use std::time::Duration;

/// The limit of the vendor's library.
const LIMIT: Duration = Duration::from_secs(60);
/// No credentials are longer.
const MOST_BYTES: usize = 64 * 1024;

/// Runs the command and reads what it prints. The error shows nothing of that.
pub(super) async fn ask(command: &str) -> Result<Held, String> {
    ask_within(command, LIMIT).await
}

async fn ask_within(command: &str, limit: Duration) -> Result<Held, String> {
    let printed = printed(command, Limits { time: limit, bytes: MOST_BYTES }).await?;
    let value: Value = serde_json::from_slice(&printed)
        .map_err(|_| "what the command printed is no JSON".to_owned())?;
    read(&value)
}

fn read(value: &Value) -> Result<Held, String> {
    let text = |name: &str| {
        value.get(name).and_then(Value::as_str).filter(|text| !text.is_empty()).map(str::to_owned)
    };
    let need = |name: &str| text(name).ok_or_else(|| format!("the command printed no {name}"));
    let mode = text("mode").unwrap_or_default();
    let token = match mode.to_ascii_lowercase().as_str() {
        "ak" => None,
        "ststoken" => Some(need("sts_token")?),
        "" => text("sts_token"),
        _ => return Err("the command printed a mode other than AK and StsToken".to_owned()),
    };
    let expires_ms = match text("expiration") {
        Some(end) => Some(moment(&end).ok_or("the printed expiration is no time in UTC")?),
        None => None,
    };
    Ok(Held {
        credentials: Credentials {
            access_key_id: need("access_key_id")?,
            access_key_secret: Secret::new(need("access_key_secret")?),
            security_token: token.map(Secret::new),
        },
        expires_ms,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_two_modes_are_read() {
        let held =
            ask(r#"echo '{"mode":"StsToken","access_key_id":"STS.x","access_key_secret":"s",
               "sts_token":"t","expiration":"1970-01-01T00:01:00Z"}'"#)
            .await
            .unwrap();
        assert_eq!(held.credentials.access_key_id, "STS.x");
        assert_eq!(held.credentials.security_token.unwrap().reveal(), "t");
        assert_eq!(held.expires_ms, Some(60_000));
        let held = ask(r#"echo '{"mode":"AK","access_key_id":"i","access_key_secret":"s"}'"#);
        let held = held.await.unwrap();
        assert!(held.credentials.security_token.is_none() && held.expires_ms.is_none());
    }

    #[tokio::test]
    async fn an_error_shows_nothing_of_what_was_printed() {
        for command in [
            "echo hunter2; echo hunter2 >&2",
            "echo hunter2; exit 3",
            r#"echo '{"mode":"StsToken","access_key_id":"hunter2","access_key_secret":"hunter2"}'"#,
            r#"echo '{"mode":"hunter2","access_key_id":"a"}'"#,
            r#"echo '{"access_key_id":"hunter2"}'"#,
            r#"echo '{"access_key_id":"a","access_key_secret":"b","expiration":"hunter2"}'"#,
        ] {
            let error = ask(command).await.unwrap_err();
            assert!(!error.contains("hunter2"), "{error}");
        }
    }

    #[tokio::test]
    async fn a_command_that_never_answers_is_given_up() {
        let error = ask_within("exec sleep 600", Duration::from_millis(1)).await.unwrap_err();
        assert!(error.contains("no answer"), "{error}");
    }
}
