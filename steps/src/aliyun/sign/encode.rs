//! What the signature schemes have in common: encoding, digest, one attempt's time and nonce.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::Timestamp;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use sha1::Sha1;
use sha2::{Digest as _, Sha256};
use std::fmt::Write as _;

/// Everything but the unreserved characters of RFC 3986.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// When an attempt is signed, and the value that makes it unique.
#[derive(Clone, Debug)]
pub(in crate::aliyun) struct Moment {
    /// The signing time, corrected by what the server's clock taught us.
    pub(in crate::aliyun) time: Timestamp,
    /// Never used twice, not even for the retry of one call.
    pub(in crate::aliyun) nonce: String,
}

impl Moment {
    /// The time as RPC wants it: `2024-05-06T07:08:09Z`.
    pub(super) fn iso(&self) -> String {
        self.time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
    }

    /// The time as a `Date` header: `Mon, 06 May 2024 07:08:09 GMT`.
    pub(in crate::aliyun) fn http_date(&self) -> String {
        self.time.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
    }
}

/// Encodes by RFC 3986: a space becomes `%20`, `*` becomes `%2A`, `~` stays.
pub(in crate::aliyun) fn percent_encode(text: &str) -> String {
    utf8_percent_encode(text, RESERVED).to_string()
}

/// Base64 of HMAC-SHA1.
#[expect(clippy::expect_used, reason = "HMAC takes a key of any length")]
pub(super) fn hmac_sha1(key: &str, text: &str) -> String {
    let mut mac = Hmac::<Sha1>::new_from_slice(key.as_bytes()).expect("a key of any length");
    mac.update(text.as_bytes());
    STANDARD.encode(mac.finalize().into_bytes())
}

/// HMAC-SHA256 as lower-case hexadecimal digits.
#[expect(clippy::expect_used, reason = "HMAC takes a key of any length")]
pub(super) fn hmac_sha256(key: &str, text: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).expect("a key of any length");
    mac.update(text.as_bytes());
    hex(&mac.finalize().into_bytes())
}

/// SHA-256 as lower-case hexadecimal digits.
pub(super) fn sha256(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing into a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
pub(in crate::aliyun) mod vectors {
    use super::Moment;
    use serde_json::Value;
    use std::collections::BTreeMap;

    /// The vendor's vectors, shared with the sandbox's own verifier.
    pub(in crate::aliyun) fn group(name: &str) -> Vec<Value> {
        file()[name].as_array().unwrap().clone()
    }

    /// The whole file, to see that no group of it goes untested.
    pub(in crate::aliyun) fn file() -> Value {
        serde_json::from_str(include_str!("../../../../tests/vectors/vectors_public.json")).unwrap()
    }

    /// A JSON object of strings as a map.
    pub(in crate::aliyun) fn strings(value: &Value) -> BTreeMap<String, String> {
        let pairs = value.as_object().unwrap().iter();
        pairs.map(|(key, value)| (key.clone(), value.as_str().unwrap().to_owned())).collect()
    }

    /// The attempt that a vector was signed in.
    pub(in crate::aliyun) fn moment(inputs: &Value) -> Moment {
        Moment {
            time: inputs["timestamp"].as_str().unwrap().parse().unwrap(),
            nonce: inputs["nonce"].as_str().unwrap().to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Moment, percent_encode, vectors};

    #[test]
    fn encodes_like_the_vectors() {
        let group = vectors::group("percent_encode");
        assert!(group.len() >= 9);
        for case in group {
            let input = case["input"].as_str().unwrap();
            assert_eq!(percent_encode(input), case["encoded"].as_str().unwrap(), "{input:?}");
        }
    }

    /// Every group, and in `sdk_e2e` every style: each has a test in this folder or `flatten`.
    #[test]
    fn no_group_of_the_vectors_goes_untested() {
        let tested = ["flatten", "percent_encode", "roa_v1", "rpc_v1", "sdk_e2e", "v3"];
        let file = vectors::file();
        let groups = file.as_object().unwrap().keys().filter(|name| *name != "meta");
        assert_eq!(groups.collect::<Vec<_>>(), tested);
        let sources = [
            include_str!("encode.rs"),
            include_str!("roa.rs"),
            include_str!("rpc.rs"),
            include_str!("v3.rs"),
            include_str!("../flatten.rs"),
        ];
        for group in tested {
            let call = format!("group(\"{group}\")");
            assert!(sources.iter().any(|text| text.contains(&call)), "no test reads {group}");
        }
        for case in vectors::group("sdk_e2e") {
            let style = case["style"].as_str().unwrap();
            let read = format!("\"{style}\"");
            assert!(sources.iter().any(|text| text.contains(&read)), "no test reads {style}");
        }
    }

    #[test]
    fn writes_both_time_formats_with_leading_zeros() {
        let time = "2024-05-06T07:08:09.987Z".parse().unwrap();
        let moment = Moment { time, nonce: String::new() };
        assert_eq!(moment.iso(), "2024-05-06T07:08:09Z");
        assert_eq!(moment.http_date(), "Mon, 06 May 2024 07:08:09 GMT");
    }
}
