//! Nothing that is secret comes out: not in Debug, not in messages, not in traces.
//!
//! It is a process of its own: an event that another test meets first, with nobody listening,
//! would stay off for good.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test may stop where it likes; Clippy's own exception ends at helper functions"
)]

#[path = "clients/server.rs"]
#[expect(dead_code, reason = "the tests of the clients use the rest of it")]
mod server;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use escrr_engine::Fault;
use escrr_steps::aliyun::cbn::CreateCen;
use escrr_steps::aliyun::{Cloud, Config, Credentials, Endpoints, Tags};
use escrr_steps::elastic::{Access, Cluster, Entrance, Gate, Login};
use escrr_steps::secret::Secret;
use serde_json::json;
use server::{Reply, Server};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

/// Collects every field of every event.
#[derive(Clone, Default)]
struct Trace(Arc<Mutex<String>>);

impl Subscriber for Trace {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }
    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }
    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn event(&self, event: &Event<'_>) {
        struct Text<'a>(&'a mut String);
        impl Visit for Text<'_> {
            fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
                writeln!(self.0, "{field}={value:?}").unwrap();
            }
        }
        event.record(&mut Text(&mut self.0.lock().unwrap()));
    }
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

const SECRETS: [&str; 8] = [
    "test-secret-key",
    "test-session-token",
    "test%2Dsession",
    "test-password",
    // Base64 of `elastic:test-password`.
    "ZWxhc3RpYzp0ZXN0LXBhc3N3b3Jk",
    "test-api-key",
    // Base64 of `test-key-id:test-api-key`.
    "dGVzdC1rZXktaWQ6dGVzdC1hcGkta2V5",
    "sid=test",
];

fn cloud(server: &Server) -> Cloud {
    let endpoints = Endpoints { all: Some(server.url.clone()), product: BTreeMap::new() };
    let credentials = Credentials {
        access_key_id: "testid".to_owned(),
        access_key_secret: Secret::new("test-secret-key"),
        security_token: Some(Secret::new("test-session-token")),
    };
    Cloud::new(Config { credentials, endpoints }).unwrap()
}

fn cluster(server: &Server) -> Cluster {
    let login =
        Login::Basic { username: "elastic".to_owned(), password: Secret::new("test-password") };
    let entrance = Entrance { url: server.url.clone(), login, ca_file: None };
    let access = Access { name: "follower".to_owned(), gates: vec![Gate::Direct(entrance)] };
    Cluster::new(access).unwrap()
}

fn by_kibana(server: &Server) -> Gate {
    let login =
        Login::Basic { username: "elastic".to_owned(), password: Secret::new("test-password") };
    Gate::Kibana(Entrance { url: server.url.clone(), login, ca_file: None })
}

fn by_key(server: &Server) -> Gate {
    let login = Login::ApiKey(Secret::new("test-key-id:test-api-key"));
    Gate::Direct(Entrance { url: server.url.clone(), login, ca_file: None })
}

fn assert_discreet(text: &str) {
    for secret in SECRETS {
        assert!(!text.contains(secret), "{secret} is in {text}");
    }
}

#[tokio::test]
async fn secrets_stay_inside() {
    let trace = Trace::default();
    let guard = tracing::subscriber::set_default(trace.clone());
    let echo = json!({
        "Code": "SignatureDoesNotMatch",
        "Message": "not matched. server string to sign is:POST&%2F&SecurityToken%3Dtest-session-token",
        "RequestId": "r-1",
    });
    let replies = vec![
        Reply::Json(400, echo),
        Reply::Lost,
        Reply::Json(200, json!({"RequestId": "r-2", "AccountId": "1"})),
        Reply::Json(401, json!({"error": {"type": "security_exception", "reason": "no"}})),
        // Kibana wants a session, gives one, and takes it back.
        Reply::Json(401, json!({"statusCode": 401, "error": "Unauthorized", "message": "no"})),
        Reply::Header(200, "Set-Cookie", "sid=test-session; Path=/".to_owned(), json!({})),
        Reply::Json(401, json!({"statusCode": 401, "error": "Unauthorized", "message": "no"})),
        Reply::Json(401, json!({"error": {"type": "security_exception", "reason": "no"}})),
    ];
    let server = Server::start(replies).await;
    let cloud = cloud(&server);
    for _ in 0..3 {
        if let Err(fault) = cloud.sts("cn-shanghai").get_caller_identity().await {
            assert_discreet(&format!("{fault} {fault:?}"));
        }
    }
    let cluster = cluster(&server);
    let fault = cluster.info().await.unwrap_err();
    assert!(matches!(fault, Fault::Blocked { .. }));
    assert_discreet(&format!("{fault} {fault:?}"));
    for gate in [by_kibana(&server), by_key(&server)] {
        let access = Access { name: "leader".to_owned(), gates: vec![gate] };
        assert_discreet(&format!("{access:?}"));
        let cluster = Cluster::new(access).unwrap();
        let fault = cluster.info().await.unwrap_err();
        assert_discreet(&format!("{fault} {fault:?} {cluster:?}"));
    }
    assert_discreet(&format!("{cloud:?} {cloud:#?} {cluster:?} {cluster:#?}"));
    drop(guard);
    let traced = trace.0.lock().unwrap().clone();
    assert!(traced.contains("GetCallerIdentity") && traced.contains("r-2"), "{traced}");
    assert_discreet(&traced);
    // The secrets were really in play.
    let sent = format!("{:?}", server.seen());
    assert!(sent.contains("test-session-token") && sent.contains("ZWxhc3RpYzp0ZXN0"));
    assert!(sent.contains("sid=test-session") && sent.contains("dGVzdC1rZXktaWQ"), "{sent}");
}

/// What may be made of a secret before it comes back.
fn forms(secret: &str) -> Vec<String> {
    let percent = secret.bytes().map(|byte| format!("%{byte:02X}")).collect::<Vec<_>>().concat();
    let mut all = vec![
        secret.to_owned(),
        percent.to_lowercase(),
        percent.replace('%', "%25"),
        percent,
        secret.encode_utf16().map(|unit| format!("\\u{unit:04x}")).collect::<Vec<_>>().concat(),
        json!(secret).to_string().trim_matches('"').replace('/', "\\/"),
    ];
    for user in ["", "elastic:", "test-key-id:"] {
        let text = format!("{user}{secret}");
        all.push(STANDARD.encode(&text));
        all.push(URL_SAFE_NO_PAD.encode(&text));
        all.push(STANDARD.encode(&text).replace('=', "%3D").replace('/', "%2F"));
    }
    all
}

const LONG_SECRETS: [&str; 4] =
    ["test/secret+key", "test-session=token/1", "test \"pass\" word", "test-api-key/+1"];

/// Every place of a refusal of the cloud's that is read.
fn cloud_refusals(said: &str) -> Vec<Reply> {
    let raw = |status: u16, body: String| {
        let head = format!("HTTP/1.1 {status} X\r\nConnection: close\r\nContent-Length:");
        Reply::Raw(format!("{head} {}\r\n\r\n{body}", body.len()).into_bytes())
    };
    vec![
        Reply::Json(400, json!({"Code": said, "Message": "no", "RequestId": "r"})),
        Reply::Json(500, json!({"Code": "X", "Message": said, "RequestId": "r"})),
        Reply::Json(
            403,
            json!({"Code": "NoPermission", "Message": "no", "RequestId": said,
            "AccessDeniedDetail": {"AuthAction": said}}),
        ),
        Reply::Json(200, json!({"Code": said, "Message": said, "RequestId": said})),
        Reply::Json(200, json!({"RequestId": said})),
        raw(400, format!("<Error><Code>X</Code><Message>{said}</Message></Error>")),
        raw(200, said.to_owned()),
    ]
}

/// The same of a cluster's, and of what stands before it.
fn cluster_refusals(said: &str) -> Vec<Reply> {
    let cause = |kind: &str, reason: &str| json!({"type": kind, "reason": reason});
    let mut inner = cause("x", "no");
    inner["caused_by"] = cause("y", said);
    vec![
        Reply::Json(401, json!({"error": cause("security_exception", said), "status": 401})),
        Reply::Json(400, json!({"error": cause(said, "no"), "status": 400})),
        Reply::Json(400, json!({"error": inner, "status": 400})),
        Reply::Json(500, json!({"error": said, "status": 500})),
        Reply::Json(502, json!(said)),
        Reply::Json(200, json!([said])),
        Reply::Json(403, json!({"statusCode": 403, "error": said, "message": said})),
    ]
}

#[tokio::test]
async fn a_secret_that_comes_back_is_in_no_report_whatever_its_form_and_place() {
    let trace = Trace::default();
    let guard = tracing::subscriber::set_default(trace.clone());
    let [key, token, password, api_key] = LONG_SECRETS;
    let secret = |text: &str| Secret::new(text);
    let mut reports = String::new();
    for said in LONG_SECRETS.iter().flat_map(|secret| forms(secret)) {
        let said = format!("a {said} b");
        let (clouds, clusters) = (cloud_refusals(&said), cluster_refusals(&said));
        let (calls, looks) = (clouds.len(), clusters.len());
        let server = Server::start(clouds.into_iter().chain(clusters).collect()).await;
        let endpoints = Endpoints { all: Some(server.url.clone()), product: BTreeMap::new() };
        let credentials = Credentials {
            access_key_id: "testid".to_owned(),
            access_key_secret: secret(key),
            security_token: Some(secret(token)),
        };
        let cloud = Cloud::new(Config { credentials, endpoints }).unwrap();
        let logins = [
            Login::Basic { username: "elastic".to_owned(), password: secret(password) },
            Login::ApiKey(secret(&format!("test-key-id:{api_key}"))),
        ];
        // One of them asks; both are known before anything is asked.
        let gates = logins
            .map(|login| Gate::Direct(Entrance { url: server.url.clone(), login, ca_file: None }));
        let access = |gate: &Gate| Access { name: "leader".to_owned(), gates: vec![gate.clone()] };
        let clusters = gates
            .each_ref()
            .map(|gate| Cluster::redacting(access(gate), cloud.redactor().clone()).unwrap());
        for _ in 0..calls {
            let tags = Tags::new();
            let ask = CreateCen { name: "a", description: "", tags: &tags, token: "t" };
            let fault = cloud.cbn("cn-shanghai").create_cen(ask).await;
            writeln!(reports, "{:?}", fault.unwrap_err()).unwrap();
        }
        for _ in 0..looks {
            let fault = clusters[0].open_index("a").await.unwrap_err();
            writeln!(reports, "{fault:?}").unwrap();
        }
        for form in LONG_SECRETS.iter().flat_map(|secret| forms(secret)) {
            assert!(!reports.contains(&form), "{form} of {said}: {reports}");
            let escaped = format!("{form:?}");
            assert!(!reports.contains(escaped.trim_matches('"')), "{form} of {said}: {reports}");
        }
        assert!(reports.contains("[redacted]"), "{said}: {reports}");
        reports.clear();
    }
    drop(guard);
    let traced = trace.0.lock().unwrap().clone();
    for form in LONG_SECRETS.iter().flat_map(|secret| forms(secret)) {
        assert!(!traced.contains(&form), "{form}");
    }
}
