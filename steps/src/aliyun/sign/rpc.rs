//! RPC V1: HMAC-SHA1 over the sorted parameters, the signature being one of them.

use super::encode::{Moment, hmac_sha1, percent_encode};
use crate::aliyun::Credentials;
use std::collections::BTreeMap;

/// Adds the common parameters and the signature to an action's flat parameters.
///
/// `params` already holds `Action` and `Version`. What comes back is the whole form.
pub(in crate::aliyun) fn sign(
    method: &str,
    mut params: BTreeMap<String, String>,
    credentials: &Credentials,
    moment: &Moment,
) -> BTreeMap<String, String> {
    let common = [
        ("Format", "json".to_owned()),
        ("AccessKeyId", credentials.access_key_id.clone()),
        ("SignatureMethod", "HMAC-SHA1".to_owned()),
        ("SignatureVersion", "1.0".to_owned()),
        ("SignatureNonce", moment.nonce.clone()),
        ("Timestamp", moment.iso()),
    ];
    params.extend(common.map(|(key, value)| (key.to_owned(), value)));
    if let Some(token) = &credentials.security_token {
        params.insert("SecurityToken".to_owned(), token.reveal().to_owned());
    }
    let text = string_to_sign(method, &params);
    let key = format!("{}&", credentials.access_key_secret.reveal());
    params.insert("Signature".to_owned(), hmac_sha1(&key, &text));
    params
}

/// Joins parameters as `key=value&…`, encoded, in byte order of the raw keys.
pub(in crate::aliyun) fn form(params: &BTreeMap<String, String>) -> String {
    let pairs = params.iter();
    let encoded: Vec<String> = pairs
        .map(|(key, value)| format!("{}={}", percent_encode(key), percent_encode(value)))
        .collect();
    encoded.join("&")
}

fn string_to_sign(method: &str, params: &BTreeMap<String, String>) -> String {
    format!("{method}&%2F&{}", percent_encode(&form(params)))
}

#[cfg(test)]
mod tests {
    use super::super::encode::vectors;
    use super::{form, hmac_sha1, sign, string_to_sign};
    use crate::aliyun::{Credentials, flatten};
    use crate::secret::Secret;

    #[test]
    fn signs_like_the_vectors() {
        let group = vectors::group("rpc_v1");
        assert!(group.len() >= 12);
        for case in group {
            let name = &case["name"];
            let params = vectors::strings(&case["inputs"]["params"]);
            let method = case["inputs"]["method"].as_str().unwrap();
            let key = case["inputs"]["hmac_key"].as_str().unwrap();
            let text = string_to_sign(method, &params);
            assert_eq!(form(&params), case["canonicalized_query_string"], "{name}");
            assert_eq!(text, case["string_to_sign"], "{name}");
            assert_eq!(hmac_sha1(key, &text), case["signature"], "{name}");
        }
    }

    #[test]
    fn builds_the_requests_that_the_vendors_clients_build() {
        let cases = vectors::group("sdk_e2e")
            .into_iter()
            .filter(|case| case["style"] == "SDK-E2E-V1" && case["http_request"]["path"] == "/");
        let mut seen = 0;
        for case in cases {
            let inputs = &case["inputs"];
            let text = |key: &str| inputs[key].as_str().unwrap().to_owned();
            let credentials = Credentials {
                access_key_id: text("access_key_id"),
                access_key_secret: Secret::new(text("access_key_secret")),
                security_token: inputs["security_token"].as_str().map(Secret::new),
            };
            let mut params = flatten::flatten(&inputs["params"]);
            params.insert("Action".to_owned(), text("action"));
            params.insert("Version".to_owned(), text("version"));
            let signed = sign("POST", params, &credentials, &vectors::moment(inputs));
            assert_eq!(signed, vectors::strings(&case["http_request"]["query"]));
            seen += 1;
        }
        assert!(seen >= 3);
    }
}
