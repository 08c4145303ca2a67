//! Signatures, checked with code of the sandbox's own.
//!
//! Three schemes: RPC V1 (`Signature` parameter), ROA V1 (`Authorization: acs …`)
//! and V3 (`Authorization: ACS3-HMAC-SHA256 …`). The time of a request is real time: the skew
//! that the cloud accepts has nothing to do with how fast this world runs. Temporary keys
//! end in the world's time, as everything does that takes a while.

mod scheme;

use crate::wire::Http;
use crate::world_file::AccountFile;
use crate::{Call, Product, Refusal, sts};
use jiff::Timestamp;
use scheme::Signed;
#[cfg(test)]
pub(crate) use scheme::sign_rpc;
pub(crate) use scheme::{hex, hmac_sha256_bytes as hmac, name as scheme_of};
use std::collections::BTreeMap;

/// Accepted difference between the caller's clock and ours: 15 minutes.
const SKEW_MS: u64 = 15 * 60 * 1000;

/// Nonces seen of late, so that a replay is refused.
#[derive(Clone, Debug, Default)]
pub struct Nonces {
    seen: BTreeMap<(String, String), u64>,
    /// When old ones were last thrown away.
    swept_ms: u64,
}

impl Nonces {
    /// Takes note of a nonce; false if that key used it before.
    fn first_use(&mut self, key: &str, nonce: &str, wall_ms: u64) -> bool {
        // A request older than the skew is refused by its time; twice that is plenty.
        if wall_ms.saturating_sub(self.swept_ms) > SKEW_MS {
            self.seen.retain(|_, seen| wall_ms.saturating_sub(*seen) < 2 * SKEW_MS);
            self.swept_ms = wall_ms;
        }
        self.seen.insert((key.to_owned(), nonce.to_owned()), wall_ms).is_none()
    }
}

/// Who may sign.
#[derive(Clone, Copy, Debug)]
pub struct Keys<'a> {
    /// The account's own key.
    pub account: &'a AccountFile,
    /// Temporary keys.
    pub sessions: &'a sts::State,
    /// The world's time, which temporary keys end by.
    pub now_ms: u64,
}

/// Is it a call that nobody signs?
pub fn is_anonymous(call: &Call) -> bool {
    call.product == Product::Sts && call.action == "AssumeRoleWithOIDC"
}

/// Checks one request and gives the access key id that signed it.
///
/// # Errors
/// The gateway's refusals: `MissingParameter.*`, `IncompleteSignature`,
/// `InvalidAccessKeyId.NotFound`, `InvalidSecurityToken.*`, `InvalidTimeStamp.*`,
/// `SignatureDoesNotMatch`, `SignatureNonceUsed`.
pub fn check(
    http: &Http,
    keys: Keys<'_>,
    nonces: &mut Nonces,
    wall_ms: u64,
) -> Result<String, Refusal> {
    let signed = scheme::read(http)?;
    let secret = secret(keys, &signed)?;
    in_time(&signed.time, wall_ms)?;
    if !signed.matches(&secret) {
        let text = format!(
            "Specified signature is not matched with our calculation. server string to sign is:{}",
            signed.string_to_sign()
        );
        return Err(Refusal::bad("SignatureDoesNotMatch", text));
    }
    if let Some(nonce) = &signed.nonce
        && !nonces.first_use(&signed.access_key_id, nonce, wall_ms)
    {
        return Err(Refusal::bad(
            "SignatureNonceUsed",
            "Specified signature nonce was used already.",
        ));
    }
    Ok(signed.access_key_id)
}

fn secret(keys: Keys<'_>, signed: &Signed) -> Result<String, Refusal> {
    let token = signed.security_token.as_deref();
    if signed.access_key_id == keys.account.access_key_id {
        return match token {
            None => Ok(keys.account.access_key_secret.clone()),
            Some(_) => Err(security_token("MismatchWithAccessKey")),
        };
    }
    let session = keys.sessions.sessions.get(&signed.access_key_id).ok_or_else(|| {
        Refusal::missing("InvalidAccessKeyId.NotFound", "Specified access key is not found.")
    })?;
    match token {
        None => {
            Err(Refusal::bad("MissingSecurityToken", "SecurityToken is mandatory for this key."))
        }
        Some(token) if token != session.security_token => {
            let known = keys.sessions.sessions.values().any(|s| s.security_token == token);
            Err(security_token(if known { "MismatchWithAccessKey" } else { "Malformed" }))
        }
        Some(_) if keys.now_ms >= session.expires_ms => Err(security_token("Expired")),
        Some(_) => Ok(session.access_key_secret.clone()),
    }
}

fn security_token(how: &str) -> Refusal {
    Refusal::bad(
        format!("InvalidSecurityToken.{how}"),
        format!("Specified SecurityToken is not valid: {how}."),
    )
}

/// Time in a signature: `2026-11-22T10:00:00Z`, or RFC 7231 for ROA V1.
fn in_time(text: &str, wall_ms: u64) -> Result<(), Refusal> {
    let parsed = text
        .parse::<Timestamp>()
        .ok()
        .or_else(|| jiff::fmt::rfc2822::parse(text).ok().map(|z| z.timestamp()));
    let at = parsed.and_then(|t| u64::try_from(t.as_millisecond()).ok()).ok_or_else(|| {
        Refusal::bad(
            "InvalidTimeStamp.Format",
            "Specified time stamp or date value is not well formatted.",
        )
    })?;
    if at.abs_diff(wall_ms) > SKEW_MS {
        return Err(Refusal::bad(
            "InvalidTimeStamp.Expired",
            "Specified time stamp or date value is expired.",
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
