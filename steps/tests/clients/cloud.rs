//! What every call of the OpenAPI has in common: the form, paging, the clock, dry runs.

use crate::server::{Reply, Server};
use escrr_engine::Fault;
use escrr_steps::aliyun::cbn::{CenFilter, CreateCen, LinkKind};
use escrr_steps::aliyun::elasticsearch::ModifyMode;
use escrr_steps::aliyun::{
    Cloud, Config, Credentials, Endpoints, Manner, Signature, Tags, dry_run_passed,
};
use escrr_steps::secret::Secret;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// A client of the server, with a session token.
pub(crate) fn client(server: &Server) -> Cloud {
    let endpoints = Endpoints { all: Some(server.url.clone()), product: BTreeMap::new() };
    let credentials = Credentials {
        access_key_id: "testid".to_owned(),
        access_key_secret: Secret::new("test-secret-key"),
        security_token: Some(Secret::new("test-session-token")),
    };
    Cloud::new(Config { credentials, endpoints }).unwrap()
}

/// The same client, signing by the newer generation.
fn client_v3(server: &Server) -> Cloud {
    let endpoints = Endpoints { all: Some(server.url.clone()), product: BTreeMap::new() };
    let credentials = Credentials {
        access_key_id: "testid".to_owned(),
        access_key_secret: Secret::new("test-secret-key"),
        security_token: Some(Secret::new("test-session-token")),
    };
    let manner = Manner { signature: Signature::V3, ..Manner::default() };
    Cloud::with(Config { credentials, endpoints }, manner).unwrap()
}

/// Answers of a page each.
pub(crate) fn pages(pages: impl IntoIterator<Item = Value>) -> Vec<Reply> {
    pages.into_iter().map(|page| Reply::Json(200, page)).collect()
}

fn create_cen(tags: &Tags) -> CreateCen<'_> {
    CreateCen { name: "escrr-demo", description: "", tags, token: "tok-1" }
}

#[tokio::test]
async fn a_form_has_common_and_action_parameters_and_the_region() {
    let server = Server::start(pages([json!({"RequestId": "r", "CenId": "cen-1"})])).await;
    let cloud = client(&server);
    let tags = Tags::from([("escrr:link".to_owned(), "a b".to_owned())]);
    let id = cloud.cbn("cn-shanghai").create_cen(create_cen(&tags)).await.unwrap();
    assert_eq!(id, "cen-1");
    let seen = server.seen();
    let [request] = seen.as_slice() else { panic!("{seen:?}") };
    assert_eq!((request.method.as_str(), request.target.as_str()), ("POST", "/"));
    assert_eq!(request.headers["content-type"], "application/x-www-form-urlencoded");
    assert!(request.headers["user-agent"].starts_with("escrr/"));
    let mut form = request.form();
    assert_eq!(form.remove("SignatureNonce").unwrap().len(), 32);
    assert_eq!(form.remove("Timestamp").unwrap().len(), 20);
    assert_eq!(form.remove("Signature").unwrap().len(), 28);
    let pairs: Vec<String> = form.iter().map(|(key, value)| format!("{key}={value}")).collect();
    let expected = [
        "AccessKeyId=testid",
        "Action=CreateCen",
        "ClientToken=tok-1",
        "Format=json",
        "Name=escrr-demo",
        "RegionId=cn-shanghai",
        "SecurityToken=test-session-token",
        "SignatureMethod=HMAC-SHA1",
        "SignatureVersion=1.0",
        "Tag.1.Key=escrr:link",
        "Tag.1.Value=a b",
        "Version=2017-09-12",
    ];
    assert_eq!(pairs, expected);
}

#[tokio::test]
async fn numbered_pages_are_read_to_the_end() {
    let page = |ids: &[&str]| {
        let rows: Vec<Value> = ids.iter().map(|id| json!({"CenId": id})).collect();
        json!({"RequestId": "r", "TotalCount": "3", "Cens": {"Cen": rows}})
    };
    let server = Server::start(pages([page(&["a", "b"]), page(&["c"])])).await;
    let cloud = client(&server);
    let cens = cloud.cbn("cn-shanghai").describe_cens(CenFilter::default()).await.unwrap();
    let ids: Vec<&str> = cens.iter().map(|cen| cen.cen_id.as_str()).collect();
    assert_eq!(ids, ["a", "b", "c"]);
    let asked: Vec<String> = server.seen().iter().map(|seen| seen.param("PageNumber")).collect();
    assert_eq!(asked, ["1", "2"]);
}

#[tokio::test]
async fn token_pages_are_read_to_the_end() {
    let page = |id: &str, next: Value| {
        let row = json!({"TransitRouterAttachmentId": id, "Status": "Active"});
        json!({"RequestId": "r", "NextToken": next, "TransitRouterAssociations": [row]})
    };
    let server = Server::start(pages([page("a", json!("n-2")), page("b", json!(""))])).await;
    let cloud = client(&server);
    let cbn = cloud.cbn("cn-shanghai");
    let links = cbn.list_links(LinkKind::Association, "vtb-1", "").await.unwrap();
    assert_eq!(links.len(), 2);
    let seen = server.seen();
    assert_eq!(seen[1].param("NextToken"), "n-2");
    assert_eq!(seen[1].param("TransitRouterRouteTableId"), "vtb-1");
    assert!(!seen[0].form().contains_key("TransitRouterAttachmentId"));
}

#[tokio::test]
async fn an_empty_list_must_be_plainly_empty() {
    let answers = [
        json!({"RequestId": "r", "Cens": {"Cen": []}, "TotalCount": 0}),
        json!({"RequestId": "r"}),
        json!({}),
        json!({"RequestId": "r", "TotalCount": 2}),
    ];
    let server = Server::start(pages(answers)).await;
    let cloud = client(&server);
    let cbn = cloud.cbn("cn-shanghai");
    assert!(cbn.describe_cens(CenFilter::default()).await.unwrap().is_empty());
    assert!(cbn.describe_cens(CenFilter::default()).await.unwrap().is_empty());
    let fault = cbn.describe_cens(CenFilter::default()).await.unwrap_err();
    assert!(matches!(fault, Fault::Unknown(_) | Fault::Refused { .. }), "{fault:?}");
    let fault = cbn.describe_cens(CenFilter::default()).await.unwrap_err();
    assert!(matches!(fault, Fault::Transient { .. }), "{fault:?}");
}

#[tokio::test]
async fn a_wrong_clock_costs_one_more_attempt() {
    let expired = json!({"RequestId": "r", "Code": "InvalidTimeStamp.Expired", "Message": "no"});
    let date = "Tue, 06 May 2036 07:08:09 GMT".to_owned();
    let refusal = |body: &Value| Reply::Header(400, "Date", date.clone(), body.clone());
    let fine = Reply::Json(200, json!({"RequestId": "r", "AccountId": 1234}));
    let server =
        Server::start(vec![refusal(&expired), fine, refusal(&expired), refusal(&expired)]).await;
    let cloud = client(&server);
    let identity = cloud.sts("cn-shanghai").get_caller_identity().await.unwrap();
    assert_eq!(identity.account_id, "1234");
    let seen = server.seen();
    assert!(seen[1].param("Timestamp").starts_with("2036-05-06T07:08"), "{:?}", seen[1]);
    assert_ne!(seen[0].param("SignatureNonce"), seen[1].param("SignatureNonce"));
    // A second refusal is believed.
    let fault = cloud.sts("cn-shanghai").get_caller_identity().await.unwrap_err();
    assert!(matches!(fault, Fault::Refused { .. }), "{fault:?}");
    assert_eq!(server.seen().len(), 4);
}

#[tokio::test]
async fn the_newer_signature_is_a_header_and_fresh_for_every_attempt() {
    let expired = json!({"RequestId": "r", "Code": "InvalidTimeStamp.Expired", "Message": "no"});
    let date = "Tue, 06 May 2036 07:08:09 GMT".to_owned();
    let made = json!({"RequestId": "r", "CenId": "cen-1", "ServerGroupId": "sgp-1"});
    let allowed = json!({"RequestId": "r", "Result": true});
    let server = Server::start(vec![
        Reply::Header(400, "Date", date, expired),
        Reply::Json(200, made.clone()),
        Reply::Json(200, made),
        Reply::Json(200, allowed),
    ])
    .await;
    let cloud = client_v3(&server);
    let tags = Tags::from([("escrr:link".to_owned(), "a b".to_owned())]);
    cloud.cbn("cn-shanghai").create_cen(create_cen(&tags)).await.unwrap();
    let servers = ["10.1.0.7".to_owned()];
    cloud.nlb("cn-shanghai").add_servers("sgp-1", &servers, "tok").await.unwrap();
    let es = cloud.elasticsearch("cn-shanghai");
    let ips = ["10.0.0.0/24".to_owned()];
    es.modify_white_ips("es-1", ModifyMode::Append, ("escrr_x", &ips), "tok").await.unwrap();
    let seen = server.seen();
    let header = |at: usize, name: &str| seen[at].headers[name].clone();
    assert!(header(1, "x-acs-date").starts_with("2036-05-06T07:08"));
    assert_ne!(header(0, "x-acs-signature-nonce"), header(1, "x-acs-signature-nonce"));
    assert_ne!(header(0, "authorization"), header(1, "authorization"));
    let query = "/?ClientToken=tok-1&Name=escrr-demo&RegionId=cn-shanghai\
                 &Tag.1.Key=escrr%3Alink&Tag.1.Value=a%20b";
    assert_eq!((seen[1].target.as_str(), seen[1].body.as_str()), (query, ""));
    assert!(!seen[1].headers.contains_key("content-type"));
    // Nlb takes a form, Elasticsearch JSON.
    assert_eq!(
        (seen[2].target.as_str(), seen[2].param("ServerGroupId")),
        ("/", "sgp-1".to_owned())
    );
    assert_eq!(header(2, "content-type"), "application/x-www-form-urlencoded");
    assert_eq!(seen[3].json()["modifyMode"], "Append");
    assert_eq!(header(3, "content-type"), "application/json; charset=utf-8");
    assert_eq!(seen.len(), 4);
    for request in &seen {
        let signed = request.headers["authorization"].as_str();
        assert!(signed.starts_with("ACS3-HMAC-SHA256 Credential=testid,"), "{signed}");
        assert_eq!(request.headers["x-acs-security-token"], "test-session-token");
        assert!(!format!("{request:?}").contains("test-secret-key"));
    }
    assert_eq!(header(1, "x-acs-action"), "CreateCen");
}

#[tokio::test]
async fn a_dry_run_says_so_and_never_claims_success() {
    let passed = json!({"RequestId": "r", "Code": "DryRunOperation", "Message": "ok"});
    let server = Server::start(vec![
        Reply::Json(400, passed.clone()),
        Reply::Json(200, json!({"RequestId": "r"})),
        Reply::Json(400, json!({"RequestId": "r", "Code": "Forbidden.RAM"})),
        Reply::Json(400, passed),
    ])
    .await;
    let cloud = client(&server).dry_run();
    let cbn = cloud.cbn("cn-shanghai");
    let dry = || cbn.delete_transit_router("tr-1", "tok");
    assert!(dry_run_passed(dry().await).is_ok());
    assert!(dry().await.is_err());
    assert!(dry_run_passed(dry().await).is_err());
    let es = cloud.elasticsearch("cn-hangzhou");
    let made = es.create_vpc_endpoint("es-1", "epsrv-1", "z", "tok").await;
    assert!(dry_run_passed(made).is_ok());
    let seen = server.seen();
    assert!(seen[..3].iter().all(|request| request.param("DryRun") == "true"));
    assert!(seen[3].target.ends_with("vpc-endpoints?ClientToken=tok&dryRun=true"));
    // What cannot be rehearsed is not sent.
    let tags = Tags::new();
    assert!(matches!(cbn.create_cen(create_cen(&tags)).await, Err(Fault::Bug(_))));
    let ips = ["10.0.0.0/24".to_owned()];
    let allow = es.modify_white_ips("es-1", ModifyMode::Append, ("escrr_x", &ips), "tok").await;
    assert!(matches!(allow, Err(Fault::Bug(_))));
    assert_eq!(server.seen().len(), 4);
}
