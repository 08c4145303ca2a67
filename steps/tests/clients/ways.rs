//! The ways into a cluster: what each puts on the wire, what its answers come to, and which of
//! several is used.

use crate::server::{Reply, Server};
use escrr_engine::{Class, Fault};
use escrr_steps::Way;
use escrr_steps::aliyun::elasticsearch::{Elasticsearch, EsCredential, EsRequest};
use escrr_steps::aliyun::{Cloud, Config, Credentials, Endpoints};
use escrr_steps::elastic::{
    Access, Carried, Cluster, Entrance, Follow, Gate, Login, Method, Relay,
};
use escrr_steps::secret::Secret;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex};

fn entrance(server: &Server) -> Entrance {
    let password = Secret::new("test-password");
    let login = Login::Basic { username: "elastic".to_owned(), password };
    Entrance { url: server.url.clone(), login, ca_file: None }
}

fn cluster(gates: Vec<Gate>) -> Cluster {
    Cluster::new(Access { name: "leader".to_owned(), gates }).unwrap().for_saga("s-1")
}

fn by_kibana(server: &Server) -> Cluster {
    cluster(vec![Gate::Kibana(entrance(server))])
}

fn ok(value: Value) -> Reply {
    Reply::Json(200, value)
}

fn hello() -> Reply {
    ok(json!({"cluster_uuid": "u"}))
}

fn own(status: u16, error: &str, message: &str) -> Reply {
    Reply::Json(status, json!({"statusCode": status, "error": error, "message": message}))
}

/// Method, path with query, body, and whether it can change anything.
type Sent = (String, String, Option<Value>, bool);

/// Carries requests into a list, and gives the answers that it was told.
#[derive(Debug, Default)]
struct Courier {
    sent: Mutex<Vec<Sent>>,
    answers: Mutex<Vec<Result<Value, Fault>>>,
}

impl Courier {
    fn with(answers: Vec<Result<Value, Fault>>) -> Arc<Self> {
        Arc::new(Self { sent: Mutex::default(), answers: Mutex::new(answers) })
    }
}

impl Relay for Courier {
    fn place(&self) -> String {
        "the courier".to_owned()
    }

    fn carry<'a>(
        &'a self,
        request: Carried<'a>,
    ) -> Pin<Box<dyn Future<Output = Result<Value, Fault>> + Send + 'a>> {
        let Carried { method, target, body, writes } = request;
        self.sent.lock().unwrap().push((method.to_owned(), target, body, writes));
        let answer = self.answers.lock().unwrap().remove(0);
        Box::pin(async move { answer })
    }
}

#[tokio::test]
async fn an_api_key_goes_in_the_header_of_every_version() {
    let server = Server::start(vec![ok(json!({"acknowledged": true}))]).await;
    let login = Login::ApiKey(Secret::new("id:key"));
    let gate = Gate::Direct(Entrance { login, ..entrance(&server) });
    cluster(vec![gate]).open_index("i").await.unwrap();
    assert_eq!(server.seen()[0].headers["authorization"], "ApiKey aWQ6a2V5");
}

#[tokio::test]
async fn kibana_is_asked_by_post_whatever_the_method() {
    let followed = json!({"follow_index_created": true, "follow_index_shards_acked": false,
        "index_following_started": false});
    let head = b"HTTP/1.1 404 X\r\ncontent-length: 15\r\nconnection: close\r\n\r\n404 - Not Found";
    let server = Server::start(vec![
        ok(json!({"cluster_name": "c", "cluster_uuid": "u", "version": {"number": "8.13.4"}})),
        ok(followed),
        Reply::Raw(head.to_vec()),
    ])
    .await;
    let cluster = by_kibana(&server);
    assert_eq!(cluster.info().await.unwrap().version, "8.13.4");
    let follow = Follow { follower_index: "f/ü", remote_cluster: "es-cn-1", leader_index: "l" };
    cluster.follow(follow).await.unwrap();
    assert!(!cluster.exists("i").await.unwrap());
    let seen = server.seen();
    assert!(seen.iter().all(|request| request.method == "POST"));
    assert_eq!(seen[0].target, "/api/console/proxy?path=%2F&method=GET");
    // Once for the path of the cluster, once more for the query that it stands in.
    let put = "/api/console/proxy?path=%2Ff%252F%25C3%25BC%2F_ccr%2Ffollow\
               %3Fwait_for_active_shards%3D0&method=PUT";
    assert_eq!(seen[1].target, put);
    assert_eq!(seen[1].json(), json!({"remote_cluster": "es-cn-1", "leader_index": "l"}));
    assert_eq!(seen[2].target, "/api/console/proxy?path=%2Fi&method=HEAD");
    for request in &seen {
        assert!(!request.headers["kbn-xsrf"].is_empty());
        assert_eq!(request.headers["x-elastic-internal-origin"], "kibana");
        assert_eq!(request.headers["authorization"], "Basic ZWxhc3RpYzp0ZXN0LXBhc3N3b3Jk");
    }
    assert!(!seen[0].headers.contains_key("content-type"));
    assert_eq!(seen[1].headers["content-type"], "application/json");
}

#[tokio::test]
async fn a_base_path_stands_before_the_console() {
    let server = Server::start(vec![ok(json!({"acknowledged": true}))]).await;
    let url = format!("{}/kibana/", server.url);
    let gate = Gate::Kibana(Entrance { url, ..entrance(&server) });
    cluster(vec![gate]).close_index("i").await.unwrap();
    let target = "/kibana/api/console/proxy?path=%2Fi%2F_close&method=POST";
    assert_eq!(server.seen()[0].target, target);
}

#[tokio::test]
async fn a_kibana_that_takes_no_passwords_is_signed_in_to_once() {
    let sid = "sid=abc; HttpOnly; Path=/".to_owned();
    let server = Server::start(vec![
        own(401, "Unauthorized", "Unauthorized"),
        Reply::Header(200, "Set-Cookie", sid, json!({"location": "/"})),
        ok(json!({"acknowledged": true})),
        ok(json!({"acknowledged": true})),
    ])
    .await;
    let cluster = by_kibana(&server);
    cluster.open_index("i").await.unwrap();
    cluster.open_index("j").await.unwrap();
    let seen = server.seen();
    assert_eq!(seen[1].target, "/internal/security/login");
    let login = seen[1].json();
    assert_eq!(
        (&login["providerType"], &login["providerName"]),
        (&json!("basic"), &json!("basic"))
    );
    assert_eq!(login["params"], json!({"username": "elastic", "password": "test-password"}));
    assert!(!seen[1].headers["kbn-xsrf"].is_empty());
    for request in &seen[2..] {
        assert_eq!(request.headers["cookie"], "sid=abc");
        assert!(!request.headers.contains_key("authorization"));
    }
    assert!(!format!("{cluster:?}").contains("sid=abc"));
}

#[tokio::test]
async fn what_kibana_says_itself_is_told_from_the_clusters_word() {
    let write = |reply: Reply| async move {
        let server = Server::start(vec![reply, own(401, "Unauthorized", "no")]).await;
        by_kibana(&server).open_index("i").await.unwrap_err()
    };
    let stranger = write(own(401, "Unauthorized", "no")).await;
    assert!(matches!(stranger, Fault::Blocked { class: Class::Permission, .. }), "{stranger}");
    assert!(stranger.to_string().contains("Kibana answered HTTP status 401"), "{stranger}");
    let gone = "uri [/api/console/proxy] with method [post] exists but is not available with the \
                current configuration";
    for (status, error, message) in [(400, "Bad Request", gone), (404, "Not Found", "Not Found")] {
        let fault = write(own(status, error, message)).await;
        assert!(matches!(fault, Fault::Refused { class: Class::Prerequisite, .. }), "{fault}");
    }
    let filtered =
        b"HTTP/1.1 403 X\r\nconnection: close\r\n\r\nUnable to send requests to that path.";
    let fault = write(Reply::Raw(filtered.to_vec())).await;
    assert!(matches!(fault, Fault::Blocked { class: Class::Permission, .. }), "{fault}");
    // Kibana waited in vain; the cluster may have done it.
    assert!(matches!(write(own(502, "Bad Gateway", "x")).await, Fault::Unknown(_)));
    assert!(matches!(write(own(504, "Gateway Timeout", "x")).await, Fault::Unknown(_)));
    assert!(matches!(write(own(503, "Service Unavailable", "x")).await, Fault::Transient { .. }));
    assert!(matches!(write(Reply::Lost).await, Fault::Unknown(_)));
    // The cluster's own word is judged as on any way.
    let unknown = json!({"error": {"type": "security_exception", "reason": "no"}, "status": 401});
    let fault = write(Reply::Json(401, unknown)).await;
    assert!(fault.to_string().contains("security_exception"), "{fault}");
}

#[tokio::test]
async fn a_relay_carries_path_query_and_body() {
    let courier = Courier::with(vec![
        Ok(json!({"cluster_uuid": "u"})),
        Ok(json!({"follow_index_created": true, "follow_index_shards_acked": false,
            "index_following_started": false})),
        Ok(json!({"error": {"type": "index_not_found_exception", "reason": "x"}, "status": 404})),
        Ok(json!({"_index": "i", "_id": "1", "found": false})),
        Ok(json!({"hits": {}}).to_string().into()),
    ]);
    let cluster = cluster(vec![Gate::OpenApi(Arc::clone(&courier) as Arc<dyn Relay>)]);
    let follow = Follow { follower_index: "f", remote_cluster: "es-cn-1", leader_index: "l" };
    cluster.follow(follow).await.unwrap();
    assert!(!cluster.exists("i").await.unwrap());
    assert_eq!(cluster.get_doc("i", "1").await.unwrap(), None);
    let (status, _) = cluster.send(Method::POST, "/i/_search", &[], None).await.unwrap();
    assert_eq!(status, 200);
    let sent = courier.sent.lock().unwrap().clone();
    let body = json!({"remote_cluster": "es-cn-1", "leader_index": "l"});
    let carried = |method: &str, target: &str, body: Option<Value>, writes: bool| {
        (method.to_owned(), target.to_owned(), body, writes)
    };
    assert_eq!(
        sent,
        [
            carried("GET", "/?filter_path=cluster_uuid", None, false),
            carried("PUT", "/f/_ccr/follow?wait_for_active_shards=0", Some(body), true),
            // `HEAD` has a status alone, and no status comes back on this way.
            carried("GET", "/i", None, false),
            carried("GET", "/i/_doc/1", None, false),
            carried("POST", "/i/_search", None, false),
        ]
    );
}

#[tokio::test]
async fn a_relay_that_loses_the_query_is_refused_before_anything_is_done() {
    let whole = json!({"cluster_uuid": "u", "version": {"number": "8.13.4"}, "tagline": "x"});
    let courier = Courier::with(vec![Ok(whole)]);
    let cluster = cluster(vec![Gate::OpenApi(courier)]);
    let fault = cluster.open_index("i").await.unwrap_err();
    assert!(matches!(fault, Fault::Refused { class: Class::Prerequisite, .. }), "{fault}");
    assert!(fault.to_string().contains("does not hand on what follows"), "{fault}");
}

fn cloud(server: &Server) -> Cloud {
    let endpoints = Endpoints { all: Some(server.url.clone()), product: BTreeMap::new() };
    let credentials = Credentials {
        access_key_id: "testid".to_owned(),
        access_key_secret: Secret::new("testsecret"),
        security_token: None,
    };
    Cloud::new(Config { credentials, endpoints }).unwrap()
}

async fn invoke(at: &Elasticsearch<'_>, request: &EsRequest<'_>) -> Result<Value, Fault> {
    at.invoke_es_request("es-cn-1", request.clone()).await
}

#[tokio::test]
async fn invoke_es_request_names_method_and_path_in_the_query() {
    let answer = |result: Value| ok(json!({"RequestId": "r-1", "Result": result}));
    let refusal = json!({"RequestId": "r-1", "Code": "InternalError", "Message": "x"});
    let server = Server::start(vec![
        answer(json!({"acknowledged": true})),
        answer(json!({"count": 3})),
        answer(json!(false)),
        answer(json!(false)),
        Reply::Json(500, refusal),
        Reply::Lost,
    ])
    .await;
    let cloud = cloud(&server);
    let elasticsearch = cloud.elasticsearch("cn-shanghai");
    let stored = EsCredential::Stored("c-1".to_owned());
    let write = EsRequest {
        method: "PUT",
        target: "/f/_ccr/follow?wait_for_active_shards=0",
        body: Some(json!({"leader_index": "l"})),
        credential: &stored,
        writes: true,
    };
    let read = EsRequest {
        method: "GET",
        target: "/f/_count",
        body: None,
        credential: &EsCredential::System,
        writes: false,
    };
    assert_eq!(invoke(&elasticsearch, &write).await.unwrap(), json!({"acknowledged": true}));
    assert_eq!(invoke(&elasticsearch, &read).await.unwrap(), json!({"count": 3}));
    // Answered, and not done; failed somewhere; lost: a write may have happened.
    assert!(matches!(invoke(&elasticsearch, &write).await, Err(Fault::Unknown(_))));
    assert!(matches!(invoke(&elasticsearch, &read).await, Err(Fault::Transient { .. })));
    assert!(matches!(invoke(&elasticsearch, &write).await, Err(Fault::Unknown(_))));
    assert!(matches!(invoke(&elasticsearch, &write).await, Err(Fault::Unknown(_))));
    let seen = server.seen();
    assert_eq!(seen[0].method, "POST");
    let target = "/openapi/instances/es-cn-1/es-request?credentialId=c-1&method=PUT\
                  &path=%2Ff%2F_ccr%2Ffollow%3Fwait_for_active_shards%3D0";
    assert_eq!(seen[0].target, target);
    assert_eq!(seen[0].json(), json!({"leader_index": "l"}));
    let target = "/openapi/instances/es-cn-1/es-request?method=GET&path=%2Ff%2F_count&system=true";
    assert_eq!((seen[1].target.as_str(), seen[1].body.as_str()), (target, ""));
}

#[tokio::test]
async fn the_first_way_that_answers_is_used_and_asked_for_once() {
    let direct = Server::start(vec![Reply::Lost]).await;
    let kibana = Server::start(vec![
        hello(),
        ok(json!({"acknowledged": true})),
        ok(json!({"acknowledged": true})),
    ])
    .await;
    let courier = Courier::with(Vec::new());
    let cluster = cluster(vec![
        Gate::Direct(entrance(&direct)),
        Gate::Kibana(entrance(&kibana)),
        Gate::OpenApi(Arc::clone(&courier) as Arc<dyn Relay>),
    ]);
    assert_eq!(cluster.way(), None);
    cluster.open_index("i").await.unwrap();
    // A clone asks no second time.
    cluster.clone().for_saga("s-2").open_index("j").await.unwrap();
    assert_eq!(cluster.way().unwrap().0, Way::Kibana);
    assert_eq!((direct.seen().len(), kibana.seen().len()), (1, 3));
    let probe = "/api/console/proxy?path=%2F%3Ffilter_path%3Dcluster_uuid&method=GET";
    assert_eq!(kibana.seen()[0].target, probe);
    assert!(courier.sent.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_cluster_that_refuses_the_user_has_answered() {
    let refused = json!({"error": {"type": "security_exception", "reason": "no"}, "status": 401});
    let replies = vec![Reply::Json(401, refused.clone()), Reply::Json(401, refused)];
    let direct = Server::start(replies).await;
    let courier = Courier::with(Vec::new());
    let cluster = cluster(vec![Gate::Direct(entrance(&direct)), Gate::OpenApi(courier)]);
    let fault = cluster.info().await.unwrap_err();
    assert!(matches!(fault, Fault::Blocked { class: Class::Permission, .. }), "{fault}");
    assert_eq!(cluster.way().unwrap().0, Way::Direct);
}

#[tokio::test]
async fn when_none_answers_it_is_said_what_each_said() {
    let direct = Server::start(vec![Reply::Raw(
        b"HTTP/1.1 403 X\r\nconnection: close\r\n\r\nnot in the white list".to_vec(),
    )])
    .await;
    let kibana = Server::start(vec![own(404, "Not Found", "Not Found")]).await;
    let refusal =
        escrr_engine::Report::new("InvokeEsRequest", "not supported").code("NotSupported");
    let courier = Courier::with(vec![Err(Fault::refused(refusal))]);
    let gates = vec![
        Gate::Direct(entrance(&direct)),
        Gate::Kibana(entrance(&kibana)),
        Gate::Shut(Way::Kibana, "its public address is off".to_owned()),
        Gate::OpenApi(courier),
    ];
    let fault = cluster(gates).info().await.unwrap_err();
    let Fault::Refused { class: Class::Prerequisite, report } = &fault else { panic!("{fault}") };
    assert_eq!(report.tried, "finding a way into the leader cluster");
    let place = |server: &Server| server.url.trim_start_matches("http://").to_owned();
    let said = format!(
        "none answers. direct ({}): HTTP status 403, and not from Elasticsearch; \
         kibana ({}): Kibana answered HTTP status 404: Not Found; \
         kibana: its public address is off; \
         openapi (the courier): not supported (NotSupported)",
        place(&direct),
        place(&kibana),
    );
    assert_eq!(report.said, said);
    assert!(report.help.as_ref().unwrap().contains("[leader.access]"), "{report:?}");
}

#[tokio::test]
async fn what_may_pass_by_itself_is_tried_again() {
    let direct = Server::start(vec![Reply::Lost, hello(), ok(json!({"acknowledged": true}))]).await;
    let shut = Gate::Shut(Way::Kibana, "no".to_owned());
    let cluster = cluster(vec![Gate::Direct(entrance(&direct)), shut]);
    let fault = cluster.open_index("i").await.unwrap_err();
    assert!(matches!(fault, Fault::Transient { .. }), "{fault}");
    cluster.open_index("i").await.unwrap();
    assert_eq!(direct.seen().len(), 3);
}
