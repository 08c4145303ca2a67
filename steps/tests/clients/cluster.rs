//! The cluster's client: remote clusters, followers and their faults.

use crate::server::{Reply, Server};
use escrr_engine::{Class, Fault};
use escrr_steps::elastic::{
    Access, Cluster, Entrance, Follow, Forget, Gate, Login, Method, Nudge, PutAutoFollow,
    RemoteProxy, Unfollowed, WantedPrivileges, not_found,
};
use escrr_steps::secret::Secret;
use serde_json::{Value, json};

/// A client of the server.
pub(crate) fn cluster(server: &Server) -> Cluster {
    let login =
        Login::Basic { username: "elastic".to_owned(), password: Secret::new("test-password") };
    let entrance = Entrance { url: server.url.clone(), login, ca_file: None };
    let access = Access { name: "follower".to_owned(), gates: vec![Gate::Direct(entrance)] };
    Cluster::new(access).unwrap().for_saga("s-1")
}

fn ok(value: Value) -> Reply {
    Reply::Json(200, value)
}

fn error(status: u16, kind: &str, reason: &str) -> Reply {
    let body =
        json!({"error": {"type": kind, "reason": reason, "root_cause": []}, "status": status});
    Reply::Json(status, body)
}

fn acknowledged() -> Reply {
    ok(json!({"acknowledged": true}))
}

#[tokio::test]
async fn requests_carry_what_every_version_understands() {
    let server = Server::start(vec![
        ok(json!({"cluster_name": "c", "cluster_uuid": "u", "version": {"number": "7.10.0"}})),
        acknowledged(),
    ])
    .await;
    let cluster = cluster(&server);
    assert_eq!(cluster.info().await.unwrap().version, "7.10.0");
    cluster.create_index("escrr-probe", &json!({"settings": {}})).await.unwrap();
    let seen = server.seen();
    assert_eq!(seen[0].headers["accept"], "application/json");
    assert_eq!(seen[0].headers["authorization"], "Basic ZWxhc3RpYzp0ZXN0LXBhc3N3b3Jk");
    assert_eq!(seen[0].headers["x-opaque-id"], "escrr/s-1");
    assert!(!seen[0].headers.contains_key("content-type"));
    assert_eq!(seen[1].headers["content-type"], "application/json");
}

#[tokio::test]
async fn a_remote_is_set_at_once_and_taken_away_whole() {
    let flat = json!({"persistent": {
            "cluster.remote.es-cn-1.mode": "proxy",
            "cluster.remote.es-cn-1.transport.ping_schedule": "30s",
            "cluster.remote.other.mode": "sniff",
            "indices.recovery.max_bytes_per_sec": "40mb"},
        "transient": {"cluster.remote.es-cn-1.proxy_address": "h:9300"}});
    let server = Server::start(vec![acknowledged(), ok(flat), acknowledged()]).await;
    let cluster = cluster(&server);
    let remote = RemoteProxy {
        alias: "es-cn-1",
        proxy_address: "h:9300",
        socket_connections: None,
        skip_unavailable: false,
        ping_schedule: Some("30s"),
    };
    cluster.put_remote(remote).await.unwrap();
    let settings = cluster.remote_settings("es-cn-1").await.unwrap();
    assert_eq!(
        (settings.get("mode"), settings.get("proxy_address")),
        (Some("proxy"), Some("h:9300"))
    );
    assert_eq!(settings.persistent.len(), 2);
    cluster.remove_remote(&settings).await.unwrap();
    let seen = server.seen();
    let put = &seen[0].json()["persistent"]["cluster"]["remote"]["es-cn-1"];
    assert_eq!((&put["mode"], &put["skip_unavailable"]), (&json!("proxy"), &json!(false)));
    assert!(put.as_object().unwrap().contains_key("seeds"));
    let expected = json!({
        "persistent": {
            "cluster.remote.es-cn-1.mode": null,
            "cluster.remote.es-cn-1.transport.ping_schedule": null},
        "transient": {"cluster.remote.es-cn-1.proxy_address": null}});
    assert_eq!(seen[2].json(), expected);
}

#[tokio::test]
async fn a_nudge_tells_the_innermost_cause() {
    let cause = json!({"type": "connect_transport_exception", "reason": "[][10.2.1.7:9300] connect_timeout[30s]"});
    let chain = json!({"error": {"type": "no_seed_node_left_exception", "reason": "unable to open any",
        "caused_by": {"type": "transport_exception", "reason": "outer", "caused_by": cause}},
        "status": 500});
    let skipped = json!({"hits": {}, "_clusters": {"total": 1, "successful": 0, "skipped": 1,
        "details": {"es-cn-1": {"failures": [{"reason": {"reason": "a", "caused_by": cause}}]}}}});
    let old = json!({"_clusters": {"total": 1, "successful": 0, "skipped": 1}});
    let fine = json!({"hits": {}, "_clusters": {"total": 1, "successful": 1, "skipped": 0}});
    let text = json!({"error": "no handler found", "status": 400});
    let server = Server::start(vec![
        Reply::Json(500, chain),
        ok(skipped),
        ok(old),
        ok(fine),
        Reply::Json(400, text),
        error(401, "security_exception", "unable to authenticate"),
    ])
    .await;
    let cluster = cluster(&server);
    let timeout = Nudge::Failed("[][10.2.1.7:9300] connect_timeout[30s]".to_owned());
    assert_eq!(cluster.nudge("es-cn-1").await.unwrap(), timeout);
    assert_eq!(cluster.nudge("es-cn-1").await.unwrap(), timeout);
    assert!(
        matches!(cluster.nudge("es-cn-1").await.unwrap(), Nudge::Failed(why) if why.contains("skipped"))
    );
    assert_eq!(cluster.nudge("es-cn-1").await.unwrap(), Nudge::Reached);
    assert_eq!(
        cluster.nudge("es-cn-1").await.unwrap(),
        Nudge::Failed("no handler found".to_owned())
    );
    assert!(matches!(cluster.nudge("es-cn-1").await, Err(Fault::Blocked { .. })));
    assert!(server.seen()[0].target.starts_with("/es-cn-1:escrr-none-"), "{:?}", server.seen()[0]);
}

#[tokio::test]
async fn patterns_and_followers() {
    let pattern = json!({"patterns": [{"name": "p", "pattern": {"active": true,
        "remote_cluster": "es-cn-1", "leader_index_patterns": ["logs-*"],
        "leader_index_exclusion_patterns": []}}]});
    let info = json!({"follower_indices": [{"follower_index": "f", "remote_cluster": "es-cn-1",
        "leader_index": "l", "status": "paused"}]});
    let server = Server::start(vec![
        acknowledged(),
        ok(pattern),
        error(404, "resource_not_found_exception", "auto-follow pattern [q] is missing"),
        ok(json!({"follow_index_created": true, "follow_index_shards_acked": false,
            "index_following_started": false})),
        ok(info),
        error(404, "index_not_found_exception", "no such index [x]"),
    ])
    .await;
    let cluster = cluster(&server);
    let patterns = ["logs-*".to_owned()];
    let ask = PutAutoFollow {
        name: "p",
        remote_cluster: "es-cn-1",
        leader_index_patterns: &patterns,
        leader_index_exclusion_patterns: &[],
        follow_index_pattern: None,
    };
    cluster.put_auto_follow(ask).await.unwrap();
    let found = cluster.auto_follow("p").await.unwrap().unwrap();
    assert!(found.active && found.leader_index_patterns == patterns);
    assert_eq!(cluster.auto_follow("q").await.unwrap(), None);
    let follow = Follow { follower_index: "f", remote_cluster: "es-cn-1", leader_index: "l" };
    cluster.follow(follow).await.unwrap();
    let followers = cluster.follow_info("_all").await.unwrap();
    assert!(!followers[0].active && followers[0].leader_index == "l");
    assert!(cluster.follow_info("x").await.unwrap().is_empty());
    let seen = server.seen();
    // 7.10 refuses the exclusion field, so an empty one must not be sent.
    let body = json!({"remote_cluster": "es-cn-1", "leader_index_patterns": ["logs-*"]});
    assert_eq!(seen[0].json(), body);
    assert_eq!(seen[3].target, "/f/_ccr/follow?wait_for_active_shards=0");
}

#[tokio::test]
async fn an_unfollow_that_could_not_tell_the_leader_is_done() {
    let half = json!({"error": {"type": "exception", "reason": "x",
        "failed_to_remove_retention_leases": ["a/f/u-following-es/l/v"]}, "status": 500});
    let server = Server::start(vec![
        acknowledged(),
        Reply::Json(500, half),
        error(400, "illegal_argument_exception", "because it has not been closed"),
        Reply::Lost,
        ok(json!({"_shards": {"total": 1, "successful": 0, "failed": 1}})),
    ])
    .await;
    let cluster = cluster(&server);
    assert_eq!(cluster.unfollow("f").await.unwrap(), Unfollowed::Clean);
    let leases = vec!["a/f/u-following-es/l/v".to_owned()];
    assert_eq!(cluster.unfollow("f").await.unwrap(), Unfollowed::LeasesLeft(leases));
    assert!(matches!(cluster.unfollow("f").await, Err(Fault::Refused { .. })));
    assert!(matches!(cluster.unfollow("f").await, Err(Fault::Unknown(_))));
    let ask = Forget {
        follower_cluster: "a",
        follower_index: "f",
        follower_index_uuid: "u",
        leader_remote_cluster: "es",
    };
    assert_eq!(cluster.forget_follower("l", ask).await.unwrap(), 1);
}

#[tokio::test]
async fn errors_become_faults() {
    let write = |reply| async move {
        let server = Server::start(vec![reply]).await;
        cluster(&server).open_index("i").await.unwrap_err()
    };
    let license =
        write(error(403, "security_exception", "current license is non-compliant for [ccr]"));
    assert!(matches!(license.await, Fault::Refused { class: Class::Prerequisite, .. }));
    let rights = write(error(403, "security_exception", "action [x] is unauthorized")).await;
    assert!(matches!(rights, Fault::Blocked { class: Class::Permission, .. }));
    let following =
        "a following engine does not accept operations without an assigned sequence number";
    let following = write(error(403, "status_exception", following)).await;
    assert!(matches!(following, Fault::Refused { class: Class::Refused, .. }));
    let busy = write(error(429, "es_rejected_execution_exception", "full")).await;
    assert!(matches!(busy, Fault::Transient { .. }));
    let no_master = write(error(503, "master_not_discovered_exception", "")).await;
    assert!(matches!(no_master, Fault::Transient { .. }));
    assert!(matches!(write(error(500, "exception", "x")).await, Fault::Unknown(_)));
    assert!(matches!(write(error(504, "", "")).await, Fault::Unknown(_)));
    let taken = write(error(500, "snapshot_restore_exception", "cannot restore index")).await;
    assert!(matches!(taken, Fault::Refused { .. }));
    let remote = "no such remote cluster: [x]";
    let unknown = write(error(404, "no_such_remote_cluster_exception", remote)).await;
    assert!(matches!(unknown, Fault::Refused { .. }) && !not_found(&unknown));
    assert!(not_found(&write(error(404, "index_not_found_exception", "no")).await));
    let text = json!({"error": "Incorrect HTTP method for uri [/i]", "status": 405});
    let method = write(Reply::Json(405, text)).await;
    assert!(method.to_string().contains("Incorrect HTTP method"), "{method}");
    let unsure = write(ok(json!({"acknowledged": false}))).await;
    assert!(matches!(unsure, Fault::Unknown(_)));
    let nested = json!({"error": {"type": "status_exception", "reason": "can not fetch remote index \
        [a:i] metadata as the license state of the remote cluster [a] could not be determined",
        "caused_by": {"type": "x", "reason": "connect_timeout[30s]"}}, "status": 400});
    let away = write(Reply::Json(400, nested)).await;
    assert!(matches!(away, Fault::Transient { .. }), "{away:?}");
    assert!(away.to_string().contains("caused by: connect_timeout[30s]"), "{away}");
}

#[tokio::test]
async fn privileges_name_what_is_missing() {
    let answer = json!({"has_all_requested": false,
        "cluster": {"manage_ccr": false, "monitor": true},
        "index": {"logs-*": {"read": true, "write": false}}});
    let server = Server::start(vec![ok(answer)]).await;
    let index: [(_, &[_]); 2] =
        [(vec!["logs-*".to_owned()], &["read", "write"]), (vec![], &["all"])];
    let wanted = WantedPrivileges { cluster: &["manage_ccr", "monitor"], index: &index };
    let privileges = cluster(&server).has_privileges(wanted).await.unwrap();
    assert!(!privileges.all);
    assert_eq!(privileges.missing, ["manage_ccr", "write on logs-*"]);
}

#[tokio::test]
async fn any_request_can_be_sent_and_its_status_is_given() {
    let server = Server::start(vec![Reply::Raw(b"HTTP/1.1 418 X\r\n\r\nshort".to_vec())]).await;
    let query = [("a", "b c")];
    let (status, body) = cluster(&server).send(Method::GET, "/_x", &query, None).await.unwrap();
    assert_eq!((status, body), (418, json!("short")));
    assert_eq!(server.seen()[0].target, "/_x?a=b%20c");
}
