use super::scheme::{roa_string, rpc_string, v3_canonical};
use super::*;
use crate::wire::{self, encode};
use serde_json::Value;

const RPC: &str = include_str!("../../vectors/rpc_v1.json");
const ROA: &str = include_str!("../../vectors/roa_v1.json");
const V3: &str = include_str!("../../vectors/v3.json");
const WHOLE: &str = include_str!("../../vectors/sdk_e2e.json");

fn vectors(text: &str) -> Vec<Value> {
    serde_json::from_str(text).unwrap()
}

fn map(value: &Value) -> BTreeMap<String, String> {
    value
        .as_object()
        .into_iter()
        .flatten()
        .map(|(k, v)| (k.clone(), v.as_str().unwrap().to_owned()))
        .collect()
}

fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

/// A request with the parts of a vector; header names become lower case.
fn http(method: &str, path: &str, query: &Value, headers: &Value, body: &Value) -> Http {
    Http {
        method: method.to_owned(),
        path: path.to_owned(),
        query: map(query).into_iter().collect(),
        headers: map(headers).into_iter().map(|(k, v)| (k.to_ascii_lowercase(), v)).collect(),
        body: body.as_str().unwrap_or_default().as_bytes().to_vec(),
    }
}

/// The vectors' key, once as the account's and once as a temporary one.
fn keys(id: &str, secret: &str, token: Option<&str>) -> (AccountFile, sts::State) {
    let mut account = AccountFile::default();
    let mut sessions = sts::State::default();
    match token {
        None => {
            account.access_key_id = id.into();
            account.access_key_secret = secret.into();
        }
        Some(token) => {
            let session = sts::Session {
                access_key_secret: secret.into(),
                security_token: token.into(),
                expires_ms: u64::MAX,
                role_arn: String::new(),
                name: String::new(),
            };
            sessions.sessions.insert(id.into(), session);
        }
    }
    (account, sessions)
}

fn millis(time: &str) -> u64 {
    let at = time
        .parse::<Timestamp>()
        .unwrap_or_else(|_| jiff::fmt::rfc2822::parse(time).unwrap().timestamp());
    u64::try_from(at.as_millisecond()).unwrap()
}

fn verify(http: &Http, secret: &str, wall_ms: Option<u64>) -> Result<String, Refusal> {
    let signed = scheme::read(http)?;
    let token = signed.security_token.clone();
    let (account, sessions) = keys(&signed.access_key_id, secret, token.as_deref());
    let keys = Keys { account: &account, sessions: &sessions, now_ms: 0 };
    let wall_ms = wall_ms.unwrap_or_else(|| millis(&signed.time));
    check(http, keys, &mut Nonces::default(), wall_ms)
}

fn rpc_http(vector: &Value) -> Http {
    let inputs = &vector["inputs"];
    let none = Value::Null;
    let mut http = http(text(inputs, "/method"), "/", &inputs["params"], &none, &none);
    http.query.push(("Signature".into(), text(vector, "/signature").into()));
    http
}

#[test]
fn rpc_vectors() {
    for vector in vectors(RPC) {
        let http = rpc_http(&vector);
        let string = rpc_string(&http.method, &http.parameters());
        assert_eq!(string, text(&vector, "/string_to_sign"), "{}", vector["name"]);
        let id = verify(&http, text(&vector, "/inputs/access_key_secret"), None).unwrap();
        assert_eq!(id, text(&vector, "/inputs/access_key_id"));
    }
}

#[test]
fn roa_vectors() {
    for vector in vectors(ROA) {
        let inputs = &vector["inputs"];
        let mut http = http(
            text(inputs, "/method"),
            text(inputs, "/path"),
            &inputs["query"],
            &inputs["headers"],
            &inputs["body"],
        );
        let header = text(&vector, "/authorization_header");
        http.headers.insert("authorization".into(), header.into());
        assert_eq!(
            roa_string(&http, false),
            text(&vector, "/string_to_sign"),
            "{}",
            vector["name"]
        );
        verify(&http, text(inputs, "/access_key_secret"), None).unwrap();
    }
}

#[test]
fn v3_vectors() {
    for vector in vectors(V3) {
        let inputs = &vector["inputs"];
        let mut http = http(
            text(inputs, "/method"),
            text(inputs, "/canonical_uri"),
            &inputs["query"],
            &inputs["signed_headers_input"],
            &inputs["body"],
        );
        let canonical = v3_canonical(&http, text(&vector, "/signed_headers"));
        assert_eq!(canonical, text(&vector, "/canonical_request"), "{}", vector["name"]);
        let header = text(&vector, "/authorization_header");
        http.headers.insert("authorization".into(), header.into());
        verify(&http, text(inputs, "/access_key_secret"), None).unwrap();
    }
}

#[test]
fn whole_requests_of_the_official_clients_are_understood_and_verified() {
    for vector in vectors(WHOLE) {
        let sent = &vector["http_request"];
        // Through the target as it goes over the wire, so that decoding is covered.
        let query: Vec<String> = map(&sent["query"])
            .iter()
            .map(|(k, v)| format!("{}={}", encode(k), encode(v).replace("%20", "+")))
            .collect();
        let target = format!("{}?{}", text(sent, "/path"), query.join("&"));
        let headers = map(&sent["headers"]);
        let headers = headers.into_iter().map(|(k, v)| (k.to_ascii_lowercase(), v)).collect();
        let body = sent["body"].as_str().unwrap_or_default().as_bytes().to_vec();
        let http = Http::new(text(sent, "/method"), &target, headers, body);
        let call = wire::call(&http).unwrap();
        let product = Product::of_name(text(&vector, "/inputs/product"));
        assert_eq!(Some(call.product), product, "{}", vector["name"]);
        assert_eq!(call.action, text(&vector, "/inputs/action"));
        verify(&http, text(&vector, "/inputs/access_key_secret"), None).unwrap();
    }
}

/// The vendor's sample, signed, with its headers changed by `change`.
fn v3_changed(change: fn(&mut Http)) -> Result<String, Refusal> {
    let vector = vectors(V3).into_iter().next().unwrap();
    let inputs = &vector["inputs"];
    let mut http = http(
        text(inputs, "/method"),
        text(inputs, "/canonical_uri"),
        &inputs["query"],
        &inputs["signed_headers_input"],
        &inputs["body"],
    );
    let header = text(&vector, "/authorization_header");
    http.headers.insert("authorization".into(), header.into());
    change(&mut http);
    verify(&http, text(inputs, "/access_key_secret"), None)
}

#[test]
fn v3_covers_everything_that_matters() {
    let code = |change: fn(&mut Http)| v3_changed(change).unwrap_err().code;
    assert!(v3_changed(|_| ()).is_ok());
    // What is not listed may change on the way; what is listed, or matters, may not.
    assert!(v3_changed(|http| drop(http.headers.insert("accept".into(), "x".into()))).is_ok());
    let unsigned = |http: &mut Http| drop(http.headers.insert("x-acs-new".into(), "x".into()));
    assert_eq!(code(unsigned), "IncompleteSignature");
    let typed = |http: &mut Http| drop(http.headers.insert("content-type".into(), "x".into()));
    assert_eq!(code(typed), "IncompleteSignature");
    assert_eq!(code(|http| http.body = b"x".to_vec()), "IncompleteSignature");
    assert_eq!(code(|http| http.method = "GET".into()), "SignatureDoesNotMatch");
    assert_eq!(code(|http| http.path = "/x".into()), "SignatureDoesNotMatch");
    assert_eq!(code(|http| http.query[0].1.push('x')), "SignatureDoesNotMatch");
    let elsewhere = |http: &mut Http| drop(http.headers.insert("host".into(), "x".into()));
    assert_eq!(code(elsewhere), "SignatureDoesNotMatch");
    let keyless = |http: &mut Http| {
        http.headers.insert("x-acs-accesskey-id".into(), "x".into());
    };
    assert_eq!(code(keyless), "IncompleteSignature");
    let dateless = |http: &mut Http| drop(http.headers.remove("x-acs-date"));
    assert!(code(dateless).starts_with("MissingParameter"));
}

#[test]
fn a_wrong_secret_is_told_the_string_to_sign() {
    let vector = &vectors(RPC)[0];
    let refusal = verify(&rpc_http(vector), "another", None).unwrap_err();
    assert_eq!((refusal.status, refusal.code.as_str()), (400, "SignatureDoesNotMatch"));
    let (_, told) = refusal.message.split_once(':').unwrap();
    assert_eq!(told, text(vector, "/string_to_sign"));
}

#[test]
fn time_must_be_near_and_well_formed() {
    let vector = &vectors(RPC)[0];
    let http = rpc_http(vector);
    let at = millis(text(vector, "/inputs/params/Timestamp"));
    let secret = text(vector, "/inputs/access_key_secret");
    assert!(verify(&http, secret, Some(at + 15 * 60 * 1000)).is_ok());
    let late = verify(&http, secret, Some(at + 15 * 60 * 1000 + 1)).unwrap_err();
    assert_eq!(late.code, "InvalidTimeStamp.Expired");
    let mut odd = http;
    odd.query.retain(|(k, _)| k != "Timestamp");
    assert_eq!(verify(&odd, secret, Some(at)).unwrap_err().code, "MissingParameter.Timestamp");
    odd.query.push(("Timestamp".into(), "yesterday".into()));
    assert_eq!(verify(&odd, secret, Some(at)).unwrap_err().code, "InvalidTimeStamp.Format");
}

#[test]
fn a_nonce_is_good_for_once() {
    let vector = &vectors(RPC)[0];
    let http = rpc_http(vector);
    let at = millis(text(vector, "/inputs/params/Timestamp"));
    let (account, sessions) = keys(
        text(vector, "/inputs/access_key_id"),
        text(vector, "/inputs/access_key_secret"),
        None,
    );
    let keys = Keys { account: &account, sessions: &sessions, now_ms: 0 };
    let mut nonces = Nonces::default();
    assert!(check(&http, keys, &mut nonces, at).is_ok());
    let again = check(&http, keys, &mut nonces, at).unwrap_err();
    assert_eq!(again.code, "SignatureNonceUsed");
}

#[test]
fn a_roa_request_needs_no_nonce() {
    let vector = vectors(ROA).into_iter().next().unwrap();
    let inputs = &vector["inputs"];
    let none = Value::Null;
    let mut http = http("GET", text(inputs, "/path"), &none, &inputs["headers"], &none);
    http.headers.remove("x-acs-signature-nonce");
    http.headers.insert("authorization".into(), "acs testid:wrong".into());
    // It gets as far as the signature, which then is the only thing wrong.
    assert_eq!(verify(&http, "testsecret", None).unwrap_err().code, "SignatureDoesNotMatch");
}

#[test]
fn unknown_keys_and_bad_tokens_are_refused_by_name() {
    let vector = &vectors(RPC)[0];
    let mut http = rpc_http(vector);
    let at = millis(text(vector, "/inputs/params/Timestamp"));
    let code = |http: &Http, account: &AccountFile, sessions: &sts::State| {
        let keys = Keys { account, sessions, now_ms: at };
        check(http, keys, &mut Nonces::default(), at).unwrap_err().code
    };
    let (account, none) = keys("testid", "testsecret", None);
    let other = AccountFile::default();
    assert_eq!(code(&http, &other, &none), "InvalidAccessKeyId.NotFound");
    let (_, mut sessions) = keys("testid", "testsecret", Some("token"));
    assert_eq!(code(&http, &other, &sessions), "MissingSecurityToken");
    http.query.push(("SecurityToken".into(), "another".into()));
    assert_eq!(code(&http, &other, &sessions), "InvalidSecurityToken.Malformed");
    assert_eq!(code(&http, &account, &none), "InvalidSecurityToken.MismatchWithAccessKey");
    http.query.retain(|(k, _)| k != "SecurityToken");
    http.query.push(("SecurityToken".into(), "token".into()));
    sessions.sessions.values_mut().for_each(|s| s.expires_ms = at);
    assert_eq!(code(&http, &other, &sessions), "InvalidSecurityToken.Expired");
    http.query.retain(|(k, _)| k != "Signature");
    assert_eq!(code(&http, &account, &none), "IncompleteSignature");
}
