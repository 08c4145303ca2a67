//! ROA V1: HMAC-SHA1 over method, four headers, the `x-acs-` headers and the resource.

use super::encode::{Moment, hmac_sha1};
use crate::aliyun::Credentials;
use std::collections::BTreeMap;

/// What is signed: one REST request, its query still raw.
#[derive(Clone, Copy, Debug)]
pub(in crate::aliyun) struct Request<'a> {
    pub(in crate::aliyun) method: &'a str,
    /// Already percent-encoded, segment by segment.
    pub(in crate::aliyun) path: &'a str,
    /// Raw values: this scheme signs them unencoded.
    pub(in crate::aliyun) query: &'a BTreeMap<String, String>,
    pub(in crate::aliyun) action: &'a str,
    pub(in crate::aliyun) version: &'a str,
    /// Whether a JSON body goes along.
    pub(in crate::aliyun) has_body: bool,
}

/// Gives every header that the request needs, `authorization` among them.
pub(in crate::aliyun) fn sign(
    request: Request<'_>,
    credentials: &Credentials,
    moment: &Moment,
) -> BTreeMap<&'static str, String> {
    let mut headers = BTreeMap::from([
        ("accept", "application/json".to_owned()),
        ("date", moment.http_date()),
        ("x-acs-action", request.action.to_owned()),
        ("x-acs-signature-method", "HMAC-SHA1".to_owned()),
        ("x-acs-signature-nonce", moment.nonce.clone()),
        ("x-acs-signature-version", "1.0".to_owned()),
        ("x-acs-version", request.version.to_owned()),
    ]);
    if request.has_body {
        headers.insert("content-type", "application/json; charset=utf-8".to_owned());
    }
    if let Some(token) = &credentials.security_token {
        headers.insert("x-acs-accesskey-id", credentials.access_key_id.clone());
        headers.insert("x-acs-security-token", token.reveal().to_owned());
    }
    let text = string_to_sign(request.method, &headers, request.path, request.query);
    let signature = hmac_sha1(credentials.access_key_secret.reveal(), &text);
    headers.insert("authorization", format!("acs {}:{signature}", credentials.access_key_id));
    headers
}

fn string_to_sign(
    method: &str,
    headers: &BTreeMap<&'static str, String>,
    path: &str,
    query: &BTreeMap<String, String>,
) -> String {
    let header = |name: &str| headers.get(name).map_or("", String::as_str);
    let mut text = format!(
        "{method}\n{}\n{}\n{}\n{}\n",
        header("accept"),
        header("content-md5"),
        header("content-type"),
        header("date"),
    );
    for (name, value) in headers.iter().filter(|(name, _)| name.starts_with("x-acs-")) {
        text.push_str(&format!("{name}:{value}\n"));
    }
    text.push_str(&resource(path, query));
    text
}

/// Writes the path and the sorted raw query; an empty value loses its equals sign.
fn resource(path: &str, query: &BTreeMap<String, String>) -> String {
    if query.is_empty() {
        return path.to_owned();
    }
    let pairs: Vec<String> = query
        .iter()
        .map(|(key, value)| match value.as_str() {
            "" => key.clone(),
            value => format!("{key}={value}"),
        })
        .collect();
    format!("{path}?{}", pairs.join("&"))
}

#[cfg(test)]
mod tests {
    use super::super::encode::{hmac_sha1, vectors};
    use super::{Request, sign, string_to_sign};
    use crate::aliyun::Credentials;
    use crate::secret::Secret;
    use std::collections::BTreeMap;

    #[test]
    fn signs_like_the_vectors() {
        let group = vectors::group("roa_v1");
        assert!(group.len() >= 10);
        for case in group {
            let inputs = &case["inputs"];
            let headers: BTreeMap<&'static str, String> = vectors::strings(&inputs["headers"])
                .into_iter()
                .map(|(name, value)| (&*name.leak(), value))
                .collect();
            let query = vectors::strings(&inputs["query"]);
            let path = inputs["path"].as_str().unwrap();
            let text = string_to_sign(inputs["method"].as_str().unwrap(), &headers, path, &query);
            assert_eq!(text, case["string_to_sign"], "{}", case["name"]);
            let secret = inputs["access_key_secret"].as_str().unwrap();
            assert_eq!(hmac_sha1(secret, &text), case["signature"], "{}", case["name"]);
        }
    }

    #[test]
    fn builds_the_requests_that_the_vendors_clients_build() {
        let cases = vectors::group("sdk_e2e")
            .into_iter()
            .filter(|case| case["style"] == "SDK-E2E-V1" && case["http_request"]["path"] != "/");
        let mut seen = 0;
        for case in cases {
            let (inputs, http) = (&case["inputs"], &case["http_request"]);
            let credentials = Credentials {
                access_key_id: inputs["access_key_id"].as_str().unwrap().to_owned(),
                access_key_secret: Secret::new(inputs["access_key_secret"].as_str().unwrap()),
                security_token: inputs["security_token"].as_str().map(Secret::new),
            };
            let query = vectors::strings(&http["query"]);
            let request = Request {
                method: http["method"].as_str().unwrap(),
                path: http["path"].as_str().unwrap(),
                query: &query,
                action: inputs["action"].as_str().unwrap(),
                version: inputs["version"].as_str().unwrap(),
                has_body: !http["body"].is_null(),
            };
            // The vendor's client signs two headers more than the scheme asks for; every
            // other header must be the same, and so must the signature over all of them.
            let theirs = vectors::strings(&http["headers"]);
            let mut ours = sign(request, &credentials, &vectors::moment(inputs));
            ours.remove("authorization");
            for (name, value) in &ours {
                assert_eq!(Some(value), theirs.get(*name), "{name}");
            }
            ours.insert("x-acs-credentials-provider", theirs["x-acs-credentials-provider"].clone());
            let text = string_to_sign(request.method, &ours, request.path, &query);
            assert_eq!(text, case["string_to_sign"].as_str().unwrap());
            seen += 1;
        }
        assert!(seen >= 2);
    }
}
