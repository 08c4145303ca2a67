//! V3, ACS3-HMAC-SHA256: one scheme for RPC and ROA, the signature in a header.
//!
//! It signs the method, the path, the query, a few headers and the hash of the body. The
//! vendor's clients sign every header that they set; only `host`, `content-type` and the
//! `x-acs-` headers are signed here, so that a proxy may change the others.

use super::encode::{Moment, hmac_sha256, sha256};
use super::rpc::form;
use crate::aliyun::Credentials;
use std::collections::BTreeMap;

/// The name of the scheme, in the header and in the string to sign.
const ALGORITHM: &str = "ACS3-HMAC-SHA256";

/// What is signed: one request of either style.
#[derive(Clone, Copy, Debug)]
pub(in crate::aliyun) struct Request<'a> {
    pub(in crate::aliyun) method: &'a str,
    /// The host as the `Host` header will have it, with a port that is not the scheme's own.
    pub(in crate::aliyun) host: &'a str,
    /// Already percent-encoded, segment by segment; `/` for RPC.
    pub(in crate::aliyun) path: &'a str,
    /// Raw values; action and version are headers in this scheme.
    pub(in crate::aliyun) query: &'a BTreeMap<String, String>,
    pub(in crate::aliyun) action: &'a str,
    pub(in crate::aliyun) version: &'a str,
    /// Absent where there is no body.
    pub(in crate::aliyun) content_type: Option<&'static str>,
    /// The exact bytes that are sent.
    pub(in crate::aliyun) body: &'a [u8],
}

/// Gives every header that the request needs but `host`, `authorization` among them.
pub(in crate::aliyun) fn sign(
    request: Request<'_>,
    credentials: &Credentials,
    moment: &Moment,
) -> BTreeMap<&'static str, String> {
    let mut headers = BTreeMap::from([
        ("host", request.host.to_owned()),
        ("x-acs-action", request.action.to_owned()),
        ("x-acs-content-sha256", sha256(request.body)),
        ("x-acs-date", moment.iso()),
        ("x-acs-signature-nonce", moment.nonce.clone()),
        ("x-acs-version", request.version.to_owned()),
    ]);
    if let Some(content_type) = request.content_type {
        headers.insert("content-type", content_type.to_owned());
    }
    if let Some(token) = &credentials.security_token {
        headers.insert("x-acs-accesskey-id", credentials.access_key_id.clone());
        headers.insert("x-acs-security-token", token.reveal().to_owned());
    }
    let canonical = canonical_request(request, &headers);
    let signature =
        hmac_sha256(credentials.access_key_secret.reveal(), &string_to_sign(&canonical));
    let authorization = format!(
        "{ALGORITHM} Credential={},SignedHeaders={},Signature={signature}",
        credentials.access_key_id,
        names(&headers)
    );
    // The HTTP client writes the host itself, and nobody checks what kind of answer is liked.
    headers.remove("host");
    headers.insert("accept", "application/json".to_owned());
    headers.insert("authorization", authorization);
    headers
}

/// Writes what is hashed: `headers` are those that are signed, names in lower case.
fn canonical_request(request: Request<'_>, headers: &BTreeMap<&'static str, String>) -> String {
    let mut lines = String::new();
    for (name, value) in headers {
        lines.extend([name, ":", value.trim(), "\n"]);
    }
    [
        request.method,
        if request.path.is_empty() { "/" } else { request.path },
        &form(request.query),
        &lines,
        &names(headers),
        &sha256(request.body),
    ]
    .join("\n")
}

fn string_to_sign(canonical_request: &str) -> String {
    format!("{ALGORITHM}\n{}", sha256(canonical_request.as_bytes()))
}

fn names(headers: &BTreeMap<&'static str, String>) -> String {
    let names: Vec<&str> = headers.keys().copied().collect();
    names.join(";")
}

#[cfg(test)]
mod tests {
    use super::super::encode::{hmac_sha256, sha256, vectors};
    use super::{Request, canonical_request, form, names, sign, string_to_sign};
    use crate::aliyun::{Credentials, flatten};
    use crate::secret::Secret;
    use serde_json::Value;
    use std::collections::BTreeMap;

    /// The headers of a vector, as a client that knows their names would have them.
    fn headers(value: &Value) -> BTreeMap<&'static str, String> {
        let pairs = vectors::strings(value).into_iter();
        pairs.map(|(name, value)| (&*name.to_lowercase().leak(), value)).collect()
    }

    fn text<'a>(value: &'a Value, key: &str) -> &'a str {
        value[key].as_str().unwrap_or_default()
    }

    #[test]
    fn signs_like_the_vectors() {
        let group = vectors::group("v3");
        assert!(group.len() >= 12);
        for case in group {
            let (name, inputs) = (&case["name"], &case["inputs"]);
            let query = vectors::strings(&inputs["query"]);
            let signed = headers(&inputs["signed_headers_input"]);
            let request = Request {
                method: text(inputs, "method"),
                host: "",
                path: text(inputs, "canonical_uri"),
                query: &query,
                action: "",
                version: "",
                content_type: None,
                body: text(inputs, "body").as_bytes(),
            };
            assert_eq!(sha256(request.body), case["hashed_request_payload"], "{name}");
            assert_eq!(form(&query), case["canonical_query_string"], "{name}");
            assert_eq!(names(&signed), case["signed_headers"], "{name}");
            let canonical = canonical_request(request, &signed);
            assert_eq!(canonical, case["canonical_request"], "{name}");
            let to_sign = string_to_sign(&canonical);
            assert_eq!(to_sign, case["string_to_sign"], "{name}");
            let signature = hmac_sha256(text(inputs, "access_key_secret"), &to_sign);
            assert_eq!(signature, case["signature"], "{name}");
        }
    }

    /// Signs a vector's inputs as the product does.
    fn ours(case: &Value) -> BTreeMap<&'static str, String> {
        let (inputs, http) = (&case["inputs"], &case["http_request"]);
        let credentials = Credentials {
            access_key_id: text(inputs, "access_key_id").to_owned(),
            access_key_secret: Secret::new(text(inputs, "access_key_secret")),
            security_token: inputs["security_token"].as_str().map(Secret::new),
        };
        let (query, theirs) = (vectors::strings(&http["query"]), headers(&http["headers"]));
        let content_type = theirs.get("content-type").map(|text| &*text.clone().leak());
        let request = Request {
            method: text(http, "method"),
            host: &theirs["host"],
            path: text(http, "path"),
            query: &query,
            action: text(inputs, "action"),
            version: text(inputs, "version"),
            content_type,
            body: text(http, "body").as_bytes(),
        };
        sign(request, &credentials, &vectors::moment(inputs))
    }

    #[test]
    fn builds_the_requests_that_the_vendors_clients_build() {
        let cases = vectors::group("sdk_e2e");
        let cases = cases.iter().filter(|case| case["style"] == "SDK-E2E-V3");
        let mut seen = 0;
        for case in cases {
            let (inputs, http) = (&case["inputs"], &case["http_request"]);
            let theirs = headers(&http["headers"]);
            let mut ours = ours(case);
            ours.remove("authorization");
            for (name, value) in &ours {
                assert_eq!(Some(value), theirs.get(*name), "{}: {name}", case["name"]);
            }
            // What only their clients sign is put beside ours: then all must be the same.
            for name in ["host", "user-agent", "x-acs-credentials-provider"] {
                ours.insert(name, theirs[name].clone());
            }
            let query = vectors::strings(&http["query"]);
            let request = Request {
                method: text(http, "method"),
                host: "",
                path: text(http, "path"),
                query: &query,
                action: "",
                version: "",
                content_type: None,
                body: text(http, "body").as_bytes(),
            };
            let canonical = canonical_request(request, &ours);
            assert_eq!(canonical, case["canonical_request"], "{}", case["name"]);
            let signature =
                hmac_sha256(text(inputs, "access_key_secret"), &string_to_sign(&canonical));
            assert_eq!(signature, case["signature"], "{}", case["name"]);
            seen += 1;
        }
        assert!(seen >= 5);
    }

    #[test]
    fn parameters_stand_where_the_vendors_clients_put_them() {
        for case in vectors::group("sdk_e2e") {
            let (inputs, http) = (&case["inputs"], &case["http_request"]);
            if case["style"] != "SDK-E2E-V3" || http["path"] != "/" {
                continue;
            }
            let mut params = inputs["params"].clone();
            // This one parameter is a JSON text on the wire; the typed call never sends it.
            if let Some(options) = params.get_mut("TransitRouterVPCAttachmentOptions") {
                *options = Value::String(options.to_string());
            }
            let ours = form(&flatten::flatten(&params));
            let theirs = match http["body"].as_str() {
                Some(body) => body.to_owned(),
                None => form(&vectors::strings(&http["query"])),
            };
            assert_eq!(ours, theirs, "{}", case["name"]);
            assert_eq!(http["body"].is_string(), inputs["product"] == "Nlb", "{}", case["name"]);
        }
    }

    #[test]
    fn a_session_token_is_signed_and_the_host_is_left_to_the_client() {
        let credentials = Credentials {
            access_key_id: "testid".to_owned(),
            access_key_secret: Secret::new("testsecret"),
            security_token: Some(Secret::new("tok")),
        };
        let request = Request {
            method: "POST",
            host: "h:1",
            path: "/",
            query: &BTreeMap::new(),
            action: "A",
            version: "V",
            content_type: None,
            body: b"",
        };
        let time = "2024-05-06T07:08:09Z".parse().unwrap();
        let moment = super::Moment { time, nonce: "n".to_owned() };
        let signed = sign(request, &credentials, &moment);
        let names = "host;x-acs-accesskey-id;x-acs-action;x-acs-content-sha256;x-acs-date;\
                     x-acs-security-token;x-acs-signature-nonce;x-acs-version";
        assert!(signed["authorization"].contains(&format!("SignedHeaders={names},")));
        assert_eq!(signed["x-acs-security-token"], "tok");
        assert!(!signed.contains_key("host"));
    }
}
