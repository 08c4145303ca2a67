//! The three ways to sign a request.

use crate::Refusal;
use crate::wire::{Http, encode};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha1::Sha1;
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// What a request says of itself, and what it ought to have signed.
#[derive(Debug)]
pub(super) struct Signed {
    pub(super) access_key_id: String,
    pub(super) security_token: Option<String>,
    pub(super) time: String,
    pub(super) nonce: Option<String>,
    signature: String,
    scheme: Scheme,
    /// Strings that a right client may have signed; the first one is ours.
    strings: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scheme {
    RpcV1,
    RoaV1,
    V3,
}

/// The name of the newest scheme, in its header and in its string to sign.
const V3: &str = "ACS3-HMAC-SHA256";

impl Signed {
    /// Was one of the strings signed with `secret`?
    pub(super) fn matches(&self, secret: &str) -> bool {
        self.strings.iter().any(|text| self.sign(secret, text) == self.signature)
    }

    /// The string that we would sign.
    pub(super) fn string_to_sign(&self) -> &str {
        self.strings.first().map_or("", String::as_str)
    }

    fn sign(&self, secret: &str, text: &str) -> String {
        match self.scheme {
            Scheme::RpcV1 => hmac_sha1(&format!("{secret}&"), text),
            Scheme::RoaV1 => hmac_sha1(secret, text),
            Scheme::V3 => hmac_sha256(secret, text),
        }
    }
}

/// The name of the scheme that a request is signed by, as far as it says.
pub(crate) fn name(http: &Http) -> &'static str {
    match http.header("authorization") {
        Some(text) if text.starts_with(V3) => "v3",
        Some(text) if text.starts_with("acs ") => "roa-v1",
        Some(_) | None => "rpc-v1",
    }
}

/// Finds out the scheme and reads the request by it.
pub(super) fn read(http: &Http) -> Result<Signed, Refusal> {
    match http.header("authorization") {
        Some(text) if text.starts_with(V3) => v3(http, text),
        Some(text) if text.starts_with("acs ") => roa(http, text),
        Some(_) => Err(incomplete("the Authorization header has an unknown scheme")),
        None => rpc(http),
    }
}

fn incomplete(why: &str) -> Refusal {
    Refusal::bad(
        "IncompleteSignature",
        format!("The request signature does not conform to Aliyun standards: {why}."),
    )
}

fn missing(name: &str) -> Refusal {
    Refusal::bad(
        format!("MissingParameter.{name}"),
        format!("{name} is mandatory for this action."),
    )
}

fn rpc(http: &Http) -> Result<Signed, Refusal> {
    let params = http.parameters();
    let get = |name: &str| params.get(name).filter(|v| !v.is_empty()).cloned();
    let need = |name: &str| get(name).ok_or_else(|| missing(name));
    let access_key_id = need("AccessKeyId")?;
    let signature = get("Signature").ok_or_else(|| incomplete("Signature is missing"))?;
    if need("SignatureMethod")? != "HMAC-SHA1" || need("SignatureVersion")? != "1.0" {
        return Err(incomplete("only HMAC-SHA1, version 1.0, is known"));
    }
    Ok(Signed {
        access_key_id,
        security_token: get("SecurityToken"),
        time: need("Timestamp")?,
        nonce: Some(need("SignatureNonce")?),
        signature,
        scheme: Scheme::RpcV1,
        strings: vec![rpc_string(&http.method, &params)],
    })
}

/// `POST&%2F&` and the encoded, sorted parameters.
pub(super) fn rpc_string(method: &str, params: &BTreeMap<String, String>) -> String {
    let query: Vec<String> = params
        .iter()
        .filter(|(key, _)| *key != "Signature")
        .map(|(key, value)| format!("{}={}", encode(key), encode(value)))
        .collect();
    format!("{method}&%2F&{}", encode(&query.join("&")))
}

/// Signs parameters by RPC V1, for tests that need a caller.
#[cfg(test)]
pub(crate) fn sign_rpc(method: &str, params: &BTreeMap<String, String>, secret: &str) -> String {
    hmac_sha1(&format!("{secret}&"), &rpc_string(method, params))
}

fn roa(http: &Http, authorization: &str) -> Result<Signed, Refusal> {
    let (access_key_id, signature) = authorization
        .trim_start_matches("acs ")
        .trim()
        .split_once(':')
        .ok_or_else(|| incomplete("the Authorization header is not `acs key:signature`"))?;
    let time = http.header("date").or_else(|| http.header("x-acs-date"));
    Ok(Signed {
        access_key_id: access_key_id.to_owned(),
        security_token: http.header("x-acs-security-token").map(str::to_owned),
        time: time.ok_or_else(|| missing("Date"))?.to_owned(),
        nonce: http.header("x-acs-signature-nonce").map(str::to_owned),
        signature: signature.to_owned(),
        scheme: Scheme::RoaV1,
        // Clients differ: some write `key=` for an empty value, others `key`.
        strings: vec![roa_string(http, false), roa_string(http, true)],
    })
}

/// Method, four headers, the `x-acs-` headers and the resource with its raw query.
pub(super) fn roa_string(http: &Http, keep_equals: bool) -> String {
    let header = |name: &str| http.header(name).unwrap_or_default();
    let mut text = format!(
        "{}\n{}\n{}\n{}\n{}\n",
        http.method,
        header("accept"),
        header("content-md5"),
        header("content-type"),
        header("date")
    );
    for (name, value) in http.headers.iter().filter(|(name, _)| name.starts_with("x-acs-")) {
        let _ = writeln!(text, "{name}:{value}");
    }
    text.push_str(&http.path);
    let mut query: Vec<&(String, String)> = http.query.iter().collect();
    query.sort();
    for (index, (key, value)) in query.into_iter().enumerate() {
        text.push(if index == 0 { '?' } else { '&' });
        text.push_str(key);
        if !value.is_empty() || keep_equals {
            let _ = write!(text, "={value}");
        }
    }
    text
}

fn v3(http: &Http, authorization: &str) -> Result<Signed, Refusal> {
    let part = |name: &str| {
        authorization
            .split_once(' ')
            .map_or("", |(_, rest)| rest)
            .split(',')
            .find_map(|p| p.trim().strip_prefix(name)?.strip_prefix('='))
            .ok_or_else(|| incomplete(&format!("{name} is missing")))
    };
    let signed_headers = part("SignedHeaders")?;
    let named: Vec<&str> = signed_headers.split(';').collect();
    let must = |name: &&String| {
        name.starts_with("x-acs-") || ["host", "content-type"].contains(&name.as_str())
    };
    for name in http.headers.keys().filter(must) {
        if !named.contains(&name.as_str()) {
            return Err(incomplete(&format!("header {name} is not signed")));
        }
    }
    let need = |name: &str| http.header(name).map(str::to_owned).ok_or_else(|| missing(name));
    if need("x-acs-content-sha256")? != hex(&Sha256::digest(&http.body)) {
        return Err(incomplete("x-acs-content-sha256 is not the hash of the body"));
    }
    let access_key_id = part("Credential")?.to_owned();
    if http.header("x-acs-accesskey-id").is_some_and(|id| id != access_key_id) {
        return Err(incomplete("x-acs-accesskey-id and Credential differ"));
    }
    let canonical = v3_canonical(http, signed_headers);
    Ok(Signed {
        access_key_id,
        security_token: http.header("x-acs-security-token").map(str::to_owned),
        time: need("x-acs-date")?,
        nonce: Some(need("x-acs-signature-nonce")?),
        signature: part("Signature")?.to_owned(),
        scheme: Scheme::V3,
        strings: vec![format!("ACS3-HMAC-SHA256\n{}", hex(&Sha256::digest(canonical.as_bytes())))],
    })
}

/// The canonical request of V3, over the headers that the caller says it signed.
pub(super) fn v3_canonical(http: &Http, signed_headers: &str) -> String {
    let mut query: Vec<&(String, String)> = http.query.iter().collect();
    query.sort();
    let query: Vec<String> =
        query.iter().map(|(key, value)| format!("{}={}", encode(key), encode(value))).collect();
    let mut headers = String::new();
    for name in signed_headers.split(';') {
        let value = http.headers.get(name).map_or("", |v| v.trim());
        let _ = writeln!(headers, "{name}:{value}");
    }
    format!(
        "{}\n{}\n{}\n{headers}\n{signed_headers}\n{}",
        http.method,
        http.path,
        query.join("&"),
        hex(&Sha256::digest(&http.body))
    )
}

fn hmac_sha1(key: &str, text: &str) -> String {
    let Ok(mut mac) = Hmac::<Sha1>::new_from_slice(key.as_bytes()) else {
        return String::new();
    };
    mac.update(text.as_bytes());
    BASE64.encode(mac.finalize().into_bytes())
}

fn hmac_sha256(key: &str, text: &str) -> String {
    hex(&hmac_sha256_bytes(key, text))
}

/// HMAC-SHA256; a key of any length will do.
pub(crate) fn hmac_sha256_bytes(key: &str, text: &str) -> Vec<u8> {
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key.as_bytes()) else {
        return Vec::new();
    };
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
