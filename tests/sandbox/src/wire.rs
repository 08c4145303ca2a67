//! An HTTP request becomes a [`Call`].
//!
//! Seven products share one address, so `x-acs-version` or `Version` names the
//! product. RPC parameters come from query and form alike and are merged; a ROA
//! request is named by its method and path.

use crate::{Call, Product, Refusal, actions};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use serde_json::Value;
use std::collections::BTreeMap;

/// All bytes but the unreserved ones of RFC 3986.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// RPC parameters that are not the action's own.
const COMMON: &[&str] = &[
    "Action",
    "Version",
    "Format",
    "AccessKeyId",
    "SecurityToken",
    "Signature",
    "SignatureMethod",
    "SignatureNonce",
    "SignatureType",
    "SignatureVersion",
    "Timestamp",
];

/// One HTTP request as it came in.
#[derive(Clone, Debug, Default)]
pub struct Http {
    /// `GET`, `POST`, …
    pub method: String,
    /// The path, still percent-encoded.
    pub path: String,
    /// The query, decoded.
    pub query: Vec<(String, String)>,
    /// Headers, names in lower case.
    pub headers: BTreeMap<String, String>,
    /// Body as sent.
    pub body: Vec<u8>,
}

impl Http {
    /// A request from its target (`/path?query`).
    pub fn new(
        method: &str,
        target: &str,
        headers: BTreeMap<String, String>,
        body: Vec<u8>,
    ) -> Self {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        Self {
            method: method.to_owned(),
            path: if path.is_empty() { "/".to_owned() } else { path.to_owned() },
            query: pairs(query),
            headers,
            body,
        }
    }

    /// A header, absent when missing or empty.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str).filter(|v| !v.is_empty())
    }

    /// Decoded path segments, without empty ones.
    pub fn segments(&self) -> Vec<String> {
        self.path
            .split('/')
            .filter(|s| !s.is_empty())
            .map(|s| percent_decode_str(s).decode_utf8_lossy().into_owned())
            .collect()
    }

    /// Query and form merged; the form wins, but in practice both say the same.
    pub fn parameters(&self) -> BTreeMap<String, String> {
        let mut all: BTreeMap<String, String> = self.query.iter().cloned().collect();
        let form = self
            .header("content-type")
            .is_some_and(|t| t.starts_with("application/x-www-form-urlencoded"));
        if form && let Ok(text) = std::str::from_utf8(&self.body) {
            all.extend(pairs(text));
        }
        all
    }

    /// The region that the caller names, if it does.
    pub fn region(&self) -> String {
        let named = self.parameters().remove("RegionId").filter(|r| !r.is_empty());
        named.or_else(|| self.header("x-acs-region-id").map(str::to_owned)).unwrap_or_default()
    }
}

/// Decodes one key or value of a query or form: `+` is a space there.
pub fn decode(text: &str) -> String {
    let spaced = text.replace('+', " ");
    percent_decode_str(&spaced).decode_utf8_lossy().into_owned()
}

/// Encodes as all signatures want it: everything but `A-Za-z0-9-_.~`.
pub fn encode(text: &str) -> String {
    utf8_percent_encode(text, RESERVED).to_string()
}

/// The pairs of a query or form, decoded.
pub fn pairs(text: &str) -> Vec<(String, String)> {
    text.split('&')
        .filter(|p| !p.is_empty())
        .map(|p| {
            let (key, value) = p.split_once('=').unwrap_or((p, ""));
            (decode(key), decode(value))
        })
        .collect()
}

/// Reads the call out of a request.
///
/// # Errors
/// `InvalidVersion`, `MissingParameter.Action`, `InvalidAction.NotFound`,
/// `UnsupportedHTTPMethod` as the gateway says them.
pub fn call(http: &Http) -> Result<Call, Refusal> {
    let all = http.parameters();
    let version = http
        .header("x-acs-version")
        .or_else(|| all.get("Version").map(String::as_str))
        .ok_or_else(|| missing("Version"))?;
    let product = Product::of_version(version).ok_or_else(|| {
        Refusal::missing("InvalidVersion", "Specified parameter Version is not valid.")
    })?;
    if product == Product::Elasticsearch { roa(http) } else { rpc(http, product, all) }
}

fn missing(name: &str) -> Refusal {
    Refusal::bad(
        format!("MissingParameter.{name}"),
        format!("{name} is mandatory for this action."),
    )
}

fn unknown_action() -> Refusal {
    Refusal::missing(
        "InvalidAction.NotFound",
        "Specified api is not found, please check your url and method.",
    )
}

fn rpc(http: &Http, product: Product, mut all: BTreeMap<String, String>) -> Result<Call, Refusal> {
    if !matches!(http.method.as_str(), "GET" | "POST") {
        let text = format!("The http method {} is not supported.", http.method);
        return Err(Refusal::new(405, "UnsupportedHTTPMethod", text));
    }
    if http.path != "/" {
        return Err(unknown_action());
    }
    let action = all
        .get("Action")
        .cloned()
        .or_else(|| http.header("x-acs-action").map(str::to_owned))
        .ok_or_else(|| missing("Action"))?;
    all.retain(|key, _| !COMMON.contains(&key.as_str()));
    Ok(Call { product, action, params: all, path: BTreeMap::new(), body: Value::Null })
}

fn roa(http: &Http) -> Result<Call, Refusal> {
    let segments = http.segments();
    let rest = match segments.split_first() {
        Some((first, rest)) if first == "openapi" => rest,
        Some(_) | None => return Err(unknown_action()),
    };
    let (action, path) = actions::of_path(&http.method, rest).ok_or_else(unknown_action)?;
    let body = if http.body.is_empty() {
        Value::Null
    } else {
        serde_json::from_slice(&http.body).map_err(|_| {
            Refusal::bad("InvalidParameter.Body", "The request body is not valid JSON.")
        })?
    };
    Ok(Call {
        product: Product::Elasticsearch,
        action: action.to_owned(),
        params: http.query.iter().cloned().collect(),
        path,
        body,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()
    }

    #[test]
    fn query_and_form_are_merged_and_plus_is_a_space() {
        let form = "content-type";
        let http = Http::new(
            "POST",
            "/?Action=CreateCen&Version=2017-09-12&Name=a+b%2Bc&Timestamp=x&DryRun=True",
            headers(&[(form, "application/x-www-form-urlencoded")]),
            b"Tag.1.Key=k&Tag.1.Value=%E7%94%9F".to_vec(),
        );
        let call = call(&http).unwrap();
        assert_eq!(call.product, Product::Cbn);
        assert_eq!(call.action, "CreateCen");
        assert_eq!(call.params["Name"], "a b+c");
        assert_eq!(call.tags()["k"], "生");
        assert!(call.flag("DryRun", false));
        assert!(!call.params.contains_key("Timestamp"));
    }

    #[test]
    fn headers_can_name_version_and_action() {
        let named = headers(&[("x-acs-version", "2016-04-28"), ("x-acs-action", "DescribeVpcs")]);
        let call = call(&Http::new("GET", "/?RegionId=r", named, Vec::new())).unwrap();
        assert_eq!((call.product, call.action.as_str()), (Product::Vpc, "DescribeVpcs"));
    }

    #[test]
    fn roa_is_named_by_method_and_path() {
        let http = Http::new(
            "POST",
            "/openapi/instances/es%20cn/vpc-endpoints?ClientToken=t",
            headers(&[("x-acs-version", "2017-06-13")]),
            br#"{"serviceId":"s"}"#.to_vec(),
        );
        let call = call(&http).unwrap();
        assert_eq!(call.action, "CreateVpcEndpoint");
        assert_eq!(call.path["InstanceId"], "es cn");
        assert_eq!(call.body["serviceId"], "s");
        assert_eq!(call.params["ClientToken"], "t");
    }

    #[test]
    fn what_is_unknown_is_refused_by_name() {
        let code = |method: &str, target: &str| {
            call(&Http::new(method, target, BTreeMap::new(), Vec::new())).unwrap_err().code
        };
        assert_eq!(code("GET", "/?Action=X&Version=1999-01-01"), "InvalidVersion");
        assert_eq!(code("GET", "/?Action=X"), "MissingParameter.Version");
        assert_eq!(code("PUT", "/?Action=X&Version=2014-05-26"), "UnsupportedHTTPMethod");
        assert_eq!(code("GET", "/openapi/x?Version=2017-06-13"), "InvalidAction.NotFound");
        assert_eq!(code("GET", "/?Version=2014-05-26"), "MissingParameter.Action");
    }
}
