//! Broken exchanges: lost, cut, oversized, unreadable, unreachable.

use crate::cloud::client;
use crate::server::{Reply, Server};
use escrr_engine::{Class, Fault};
use escrr_steps::aliyun::vpc::VSwitchFilter;
use escrr_steps::aliyun::{Cloud, Config, Credentials, Endpoints, is_gone};
use escrr_steps::secret::Secret;
use serde_json::json;
use std::collections::BTreeMap;

/// What becomes of a read and of a write that meet the same reply.
async fn read_and_write(reply: fn() -> Reply) -> (Fault, Fault) {
    let server = Server::start(vec![reply(), reply()]).await;
    let cloud = client(&server);
    let vpc = cloud.vpc("cn-hangzhou");
    let read = vpc.describe_vswitches(VSwitchFilter::default()).await.unwrap_err();
    let write = vpc.delete_vswitch("vsw-1").await.unwrap_err();
    assert_eq!(server.seen().len(), 2, "nothing may be tried again");
    (read, write)
}

#[tokio::test]
async fn a_lost_answer_is_unknown_for_writes_and_transient_for_reads() {
    let cut = || {
        let head = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"RequestId\":";
        Reply::Raw(head.into())
    };
    let garbage = || Reply::Raw(b"\x16\x03\x01 not http\r\n\r\n".to_vec());
    for reply in [(|| Reply::Lost) as fn() -> Reply, cut, garbage] {
        let (read, write) = read_and_write(reply).await;
        assert!(matches!(read, Fault::Transient { .. }), "{read:?}");
        assert!(matches!(write, Fault::Unknown(_)), "{write:?}");
    }
}

#[tokio::test]
async fn a_gateway_s_page_is_judged_by_its_status() {
    let page = || {
        let html = "<html>502 Bad Gateway</html>";
        let head = format!("HTTP/1.1 502 X\r\nContent-Length: {}\r\n\r\n{html}", html.len());
        Reply::Raw(head.into_bytes())
    };
    let (read, write) = read_and_write(page).await;
    assert!(matches!(read, Fault::Transient { .. }), "{read:?}");
    assert!(matches!(write, Fault::Unknown(_)), "{write:?}");
}

#[tokio::test]
async fn an_oversized_answer_is_refused_before_it_is_read() {
    let huge = || {
        let mut bytes = b"HTTP/1.1 200 OK\r\nContent-Length: 9000000\r\n\r\n".to_vec();
        bytes.resize(9_000_000, b' ');
        Reply::Raw(bytes)
    };
    let (read, _) = read_and_write(huge).await;
    let Fault::Refused { report, .. } = read else { panic!("{read:?}") };
    assert!(report.said.contains("larger than"), "{report:?}");
}

#[tokio::test]
async fn an_unreadable_success_names_the_call() {
    let (read, write) =
        read_and_write(|| Reply::Raw(b"HTTP/1.1 200 OK\r\n\r\nhello".to_vec())).await;
    assert!(matches!(write, Fault::Unknown(_)));
    assert!(read.to_string().starts_with("DescribeVSwitches (Vpc, cn-hangzhou): "), "{read}");
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let (_, write) = read_and_write(|| {
        let location = "http://127.0.0.1:9/".to_owned();
        Reply::Header(302, "Location", location, json!({}))
    })
    .await;
    assert!(matches!(write, Fault::Refused { .. }), "{write:?}");
}

#[tokio::test]
async fn nobody_at_the_address_is_unreachable_and_names_the_host() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let all = Some(format!("http://{address}"));
    let cloud = Cloud::new(Config {
        credentials: Credentials {
            access_key_id: "testid".to_owned(),
            access_key_secret: Secret::new("s"),
            security_token: None,
        },
        endpoints: Endpoints { all, product: BTreeMap::new() },
    });
    let fault = cloud.unwrap().vpc("cn-x").delete_vswitch("vsw-1").await.unwrap_err();
    let Fault::Transient { report, .. } = fault else { panic!("{fault:?}") };
    assert_eq!(report.code.as_deref(), Some("Unreachable"));
    assert!(report.meaning.unwrap().contains(&address.to_string()));
}

#[tokio::test]
async fn plain_http_beyond_loopback_is_refused_before_anything_is_sent() {
    let endpoints =
        Endpoints { all: Some("http://192.0.2.1:80".to_owned()), product: BTreeMap::new() };
    let credentials = Credentials {
        access_key_id: "testid".to_owned(),
        access_key_secret: Secret::new("s"),
        security_token: None,
    };
    let fault = Cloud::new(Config { credentials, endpoints }).unwrap_err();
    assert!(matches!(fault, Fault::Refused { class: Class::Prerequisite, .. }));
    assert_eq!(fault.report().code.as_deref(), Some("PlainHttp"));
}

#[tokio::test]
async fn activating_what_is_active_is_fine() {
    let refusal = |code: &str| Reply::Json(400, json!({"Code": code, "RequestId": "r"}));
    let server = Server::start(vec![refusal("ORDER.OPEND"), refusal("ORDER.ERROR")]).await;
    let cloud = client(&server);
    assert!(cloud.privatelink("r").open_service().await.is_ok());
    assert!(cloud.cbn("r").open_transit_router_service("t").await.is_err());
}

#[tokio::test]
async fn vendor_codes_become_faults() {
    let refusal = |code: &str| Reply::Json(400, json!({"Code": code, "RequestId": "r"}));
    let server = Server::start(vec![
        refusal("InvalidVSwitchId.NotFound"),
        refusal("DependencyViolation.NetworkInterface"),
        Reply::Header(
            400,
            "x-acs-retry-after",
            "2500".to_owned(),
            json!({"Code": "Throttling.User", "RequestId": "r"}),
        ),
    ])
    .await;
    let cloud = client(&server);
    let vpc = cloud.vpc("cn-hangzhou");
    assert!(is_gone(&vpc.delete_vswitch("vsw-1").await.unwrap_err()));
    assert!(matches!(vpc.delete_vswitch("vsw-1").await, Err(Fault::Busy(_))));
    let throttled = vpc.delete_vswitch("vsw-1").await;
    assert!(matches!(throttled, Err(Fault::Transient { retry_after_ms: Some(2500), .. })));
}
