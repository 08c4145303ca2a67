//! Remote clusters: settings, connections, searches across.

use super::world::{World, remote};
use serde_json::{Value, json};

#[test]
fn info_shows_a_proxy_remote_that_connects_in_time() {
    let mut w = World::new("7.10.0", "7.16.2");
    let reply = w.ok("follower", "PUT /_cluster/settings", remote("up", "ep:9300"));
    assert_eq!(
        reply,
        json!({"acknowledged": true, "transient": {}, "persistent": {"cluster": {"remote": {"up": {
            "mode": "proxy", "proxy_address": "ep:9300", "skip_unavailable": "false"}}}}})
    );
    assert!(!w.is_connected());
    w.pass(2000);
    assert_eq!(
        w.get("follower", "/_remote/info"),
        json!({"up": {
            "connected": true, "mode": "proxy", "proxy_address": "ep:9300", "server_name": "",
            "num_proxy_sockets_connected": 18, "max_proxy_socket_connections": 18,
            "initial_connect_timeout": "30s", "skip_unavailable": false}})
    );
    assert_eq!(
        w.get("follower", "/_cluster/settings?flat_settings=true"),
        json!({"persistent": {"cluster.remote.up.mode": "proxy",
            "cluster.remote.up.proxy_address": "ep:9300",
            "cluster.remote.up.skip_unavailable": "false"}, "transient": {}})
    );
}

#[test]
fn a_sniffing_remote_has_its_own_shape() {
    let mut w = World::new("7.10.0", "7.16.2");
    let body = json!({"transient": {"cluster.remote.s.seeds": ["ep:9300"]}});
    w.ok("follower", "PUT /_cluster/settings", body);
    w.pass(2000);
    let info = w.get("follower", "/_remote/info");
    assert_eq!(info["s"]["mode"], "sniff");
    assert_eq!(info["s"]["seeds"], json!(["ep:9300"]));
    assert_eq!(info["s"]["num_nodes_connected"], 3);
}

#[test]
fn only_use_reopens_a_connection() {
    let mut w = World::connected("7.10.0", "7.16.2");
    w.cut();
    w.pass(1000);
    assert!(!w.is_connected());
    let search = "GET /up:none-*/_search?size=0";
    let error = w.refused("follower", search, Value::Null, (500, "connect_transport_exception"));
    assert_eq!(error["reason"], "[][10.2.1.7:9300] connect_timeout[30s]");
    w.mend();
    w.pass(600_000);
    assert!(!w.is_connected());
    assert_eq!(w.ask("follower", search, Value::Null).status, 500);
    w.pass(2000);
    assert!(w.is_connected());
    assert_eq!(w.ok("follower", search, Value::Null)["_clusters"]["successful"], 1);
}

#[test]
fn toggling_a_setting_tries_again_and_the_same_value_does_not() {
    let mut w = World::new("7.10.0", "7.16.2");
    w.cut();
    w.ok("follower", "PUT /_cluster/settings", remote("up", "ep:9300"));
    w.mend();
    w.ok("follower", "PUT /_cluster/settings", remote("up", "ep:9300"));
    w.pass(5000);
    assert!(!w.is_connected());
    let body = json!({"persistent": {"cluster.remote.up.proxy_socket_connections": 17}});
    w.ok("follower", "PUT /_cluster/settings", body);
    w.pass(5000);
    assert_eq!(w.get("follower", "/_remote/info")["up"]["num_proxy_sockets_connected"], 17);
}

#[test]
fn an_unavailable_remote_may_be_skipped() {
    for (version, details) in [("7.16.2", false), ("8.13.0", true)] {
        let mut w = World::connected(version, version);
        let body = json!({"persistent": {"cluster.remote.up.skip_unavailable": true}});
        w.ok("follower", "PUT /_cluster/settings", body);
        w.cut();
        let found = w.ok("follower", "GET /up:*/_search", Value::Null);
        assert_eq!(found["_clusters"]["skipped"], 1);
        let why = &found["_clusters"]["details"]["up"]["failures"][0]["reason"]["type"];
        assert_eq!(why == "connect_transport_exception", details, "{found}");
    }
}

#[test]
fn a_search_across_finds_the_leaders_documents() {
    let mut w = World::connected("7.10.0", "7.16.2");
    let found = w.ok("follower", "POST /up:logs-*/_search", json!({"query": {"term": {"n": 3}}}));
    assert_eq!(found["hits"]["hits"][0]["_index"], "up:logs-1");
    assert_eq!(found["hits"]["hits"][0]["_source"], json!({"n": 3}));
    w.refused(
        "follower",
        "GET /x:*/_search",
        Value::Null,
        (404, "no_such_remote_cluster_exception"),
    );
}

#[test]
fn clusters_too_far_apart_do_not_shake_hands() {
    let mut w = World::new("7.10.0", "8.9.0");
    w.ok("follower", "PUT /_cluster/settings", remote("up", "ep:9300"));
    let search = "GET /up:*/_search";
    let error = w.refused("follower", search, Value::Null, (500, "connect_transport_exception"));
    let text = error["caused_by"]["reason"].as_str().unwrap();
    assert_eq!(
        text,
        "Received handshake message from unsupported version: [7.10.0] minimal compatible version is: [7.17.0]"
    );
    let mut near = World::connected("7.17.9", "8.9.0");
    assert!(near.is_connected());
}

#[test]
fn another_cluster_behind_the_address_is_noticed() {
    let mut w = World::connected("7.16.2", "7.16.2");
    w.net.routes.insert("ep:9300".into(), "follower".into());
    w.pass(1000);
    assert!(!w.is_connected());
    let search = "GET /up:*/_search";
    let error = w.refused("follower", search, Value::Null, (500, "connect_transport_exception"));
    assert!(error["reason"].as_str().unwrap().contains("unexpected remote cluster name"));
}

#[test]
fn resolve_cluster_is_there_from_8_13() {
    let mut old = World::connected("8.12.0", "8.12.0");
    assert_eq!(old.ask("follower", "GET /_resolve/cluster/up:*", Value::Null).status, 400);
    let mut w = World::connected("8.13.0", "8.13.0");
    let body = w.get("follower", "/_resolve/cluster/up:*");
    assert_eq!(body["up"]["connected"], true);
    assert_eq!(body["up"]["matching_indices"], true);
    assert_eq!(body["up"]["version"]["number"], "8.13.0");
}

#[test]
fn remote_settings_are_judged() {
    const A: &str = "cluster.remote.a";
    let cases = [
        (json!({"proxy_address": "h:9300"}), "[required=PROXY, configured=SNIFF]"),
        (json!({"mode": "proxy", "seeds": ["h:1"]}), "[required=SNIFF, configured=PROXY]"),
        (json!({"mode": "proxy", "proxy_address": "h"}), "found [h] instead"),
        (json!({"mode": "proxy", "proxy_address": "h:x"}), "failed to parse port"),
        (json!({"mode": "proxy", "proxy_address": "h:0"}), "port number must be > 0 but was: [0]"),
        (json!({"mode": "odd"}), "No enum constant"),
        (json!({"bogus": 1}), "persistent setting [cluster.remote.a.bogus], not recognized"),
        (json!({"credentials": "x"}), "not dynamically updateable"),
        (
            json!({"skip_unavailable": true}),
            "Cannot configure setting [cluster.remote.a.skip_unavailable] if remote cluster is not enabled.",
        ),
        (
            json!({"mode": "proxy", "proxy_address": "h:1", "proxy_socket_connections": 0}),
            "must be >= 1",
        ),
        (
            json!({"mode": "proxy", "proxy_address": "h:1", "transport.compression_scheme": "lz4"}),
            "not recognized",
        ),
    ];
    let mut w = World::new("7.10.0", "7.10.0");
    for (settings, text) in cases {
        let body = json!({"persistent": {A: settings}});
        let how = (400, "illegal_argument_exception");
        let error = w.refused("follower", "PUT /_cluster/settings", body, how);
        assert!(error["reason"].as_str().unwrap().contains(text), "{text}: {error}");
    }
    assert_eq!(w.get("follower", "/_cluster/settings"), json!({"persistent": {}, "transient": {}}));
    let mut newer = World::new("8.9.0", "8.9.0");
    let body = json!({"persistent": {A: {"mode": "proxy", "proxy_address": "h"}}});
    let how = (400, "illegal_argument_exception");
    let error = newer.refused("follower", "PUT /_cluster/settings", body, how);
    assert!(error["reason"].as_str().unwrap().starts_with("illegal value can't update"));
    assert!(error["caused_by"]["reason"].as_str().unwrap().contains("found [h] instead"));
}

#[test]
fn an_alias_goes_only_with_all_its_keys() {
    let mut w = World::connected("7.10.0", "7.16.2");
    let half = json!({"persistent": {"cluster.remote.up": {"mode": null, "proxy_address": null}}});
    let how = (400, "illegal_argument_exception");
    let error = w.refused("follower", "PUT /_cluster/settings", half, how);
    assert!(error["reason"].as_str().unwrap().contains("is not enabled"));
    assert!(w.is_connected());
    let whole = json!({"persistent": {"cluster.remote.up": {
        "mode": null, "proxy_address": null, "skip_unavailable": null, "server_name": null}}});
    let reply = w.ok("follower", "PUT /_cluster/settings", whole);
    assert_eq!(reply["persistent"], json!({}));
    assert_eq!(w.get("follower", "/_remote/info"), json!({}));
}

#[test]
fn a_follower_task_reopens_the_connection_by_itself() {
    let mut w = World::connected("7.10.0", "7.16.2");
    w.follow("logs-1", "logs-1");
    w.cut();
    w.ok("leader", "PUT /logs-1/_doc/late", json!({"n": 0}));
    w.pass(120_000);
    assert!(!w.is_connected());
    let shard = w.shard("logs-1", 0);
    let exception = &shard["read_exceptions"][0];
    assert_eq!(exception["exception"]["type"], "connect_transport_exception");
    assert_eq!(exception["retries"], 3);
    assert!(shard["time_since_last_read_millis"].as_u64().unwrap() >= 120_000);
    assert!(shard.get("fatal_exception").is_none());
    w.mend();
    w.pass(5000);
    assert!(w.is_connected());
    assert_eq!(w.shard("logs-1", 0)["read_exceptions"], json!([]));
    assert_eq!(w.get("follower", "/logs-1/_doc/late")["found"], true);
}
