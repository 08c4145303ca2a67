//! The whole way: connect, follow, verify, take back.

use super::world::World;
use crate::elastic::inventory;
use serde_json::{Value, json};

#[test]
fn a_follower_becomes_what_its_leader_is() {
    let mut w = World::connected("7.10.0", "7.16.2");
    let body = json!({"remote_cluster": "up", "leader_index": "logs-1"});
    w.ok("follower", "PUT /logs-1/_ccr/follow?wait_for_active_shards=0", body);
    assert_eq!(w.get("follower", "/_cluster/health/logs-1")["status"], "red");
    assert_eq!(w.status("logs-1"), "paused");
    w.pass(5000);
    let recovery = w.get("follower", "/logs-1/_recovery");
    let shard = &recovery["logs-1"]["shards"][0];
    assert_eq!(shard["type"], "SNAPSHOT");
    assert_eq!(shard["stage"], "INDEX");
    assert_eq!(shard["source"]["repository"], "_ccr_up");
    assert_eq!(shard["index"]["size"]["percent"], "50.0%");
    w.pass(5000);
    assert_eq!(w.status("logs-1"), "active");
    assert_eq!(w.count("follower", "logs-1"), 20);
    let info = w.get("follower", "/_all/_ccr/info");
    let parameters = info["follower_indices"][0]["parameters"].as_object().unwrap();
    assert_eq!(parameters.len(), 10);
    assert_eq!(parameters["max_outstanding_read_requests"], 12);
    let filter = "level=shards&filter_path=indices.*.shards.*.seq_no,indices.*.uuid";
    let theirs = w.get("leader", &format!("/logs-1/_stats?{filter}"));
    let ours = w.get("follower", &format!("/logs-1/_stats?{filter}"));
    assert_eq!(theirs["indices"]["logs-1"]["shards"], ours["indices"]["logs-1"]["shards"]);
    assert_ne!(theirs["indices"]["logs-1"]["uuid"], ours["indices"]["logs-1"]["uuid"]);
}

#[test]
fn later_writes_updates_and_deletes_arrive() {
    let mut w = World::connected("7.10.0", "7.16.2");
    w.follow("logs-1", "logs-1");
    w.ok("leader", "PUT /logs-1/_doc/new", json!({"n": 99, "word": "x"}));
    w.ok("leader", "POST /logs-1/_update/1", json!({"doc": {"n": 100}}));
    w.ok("leader", "DELETE /logs-1/_doc/2", Value::Null);
    w.pass(399);
    assert_eq!(w.ask("follower", "GET /logs-1/_doc/new", Value::Null).status, 404);
    w.pass(1);
    for id in ["new", "1"] {
        let path = format!("/logs-1/_doc/{id}");
        let (theirs, ours) = (w.get("leader", &path), w.get("follower", &path));
        assert_eq!(theirs, ours);
    }
    assert_eq!(w.get("follower", "/logs-1/_doc/1")["_version"], 2);
    assert_eq!(w.ask("follower", "GET /logs-1/_doc/2", Value::Null).status, 404);
    assert_eq!(w.count("follower", "logs-1"), 20);
    let mapping = w.get("follower", "/logs-1/_mapping");
    assert_eq!(mapping["logs-1"]["mappings"]["properties"]["word"]["type"], "text");
    let shard = w.shard("logs-1", 0);
    assert_eq!(shard["leader_global_checkpoint"], shard["follower_global_checkpoint"]);
    assert_eq!(shard["read_exceptions"], json!([]));
}

#[test]
fn settings_and_aliases_follow() {
    let mut w = World::connected("7.16.2", "7.16.2");
    w.follow("copy", "logs-1");
    w.ok("leader", "PUT /logs-1/_alias/all-logs", json!({"is_write_index": true}));
    w.ok(
        "leader",
        "PUT /logs-1/_settings",
        json!({"index": {"mapping.total_fields.limit": 2000, "refresh_interval": "5s"}}),
    );
    w.pass(400);
    let copy = w.get("follower", "/copy?flat_settings=true");
    assert_eq!(copy["copy"]["aliases"], json!({"all-logs": {}}));
    assert_eq!(copy["copy"]["settings"]["index.mapping.total_fields.limit"], "2000");
    assert_eq!(copy["copy"]["settings"].get("index.refresh_interval"), None);
    assert_eq!(copy["copy"]["settings"]["index.xpack.ccr.following_index"], "true");
}

#[test]
fn a_follower_is_taken_back_to_a_regular_index() {
    let mut w = World::connected("7.10.0", "7.16.2");
    w.follow("logs-1", "logs-1");
    let kinds = |w: &World| -> Vec<String> {
        inventory(&w.state).into_iter().map(|t| format!("{} {}", t.kind, t.id)).collect()
    };
    assert_eq!(kinds(&w), ["remote_cluster follower/up", "follower_index follower/logs-1"]);
    let leases = |w: &mut World| {
        let stats = w.get("leader", "/logs-1/_stats?level=shards");
        let shard = &stats["indices"]["logs-1"]["shards"]["0"][0];
        let leases = shard["retention_leases"]["leases"].as_array().unwrap();
        leases.iter().filter(|l| l["source"] == "ccr").count()
    };
    assert_eq!(leases(&mut w), 1);
    w.ok("follower", "POST /logs-1/_ccr/pause_follow", Value::Null);
    assert_eq!(w.status("logs-1"), "paused");
    w.ok("follower", "POST /logs-1/_close", Value::Null);
    w.ok("follower", "POST /logs-1/_ccr/unfollow", Value::Null);
    w.ok("follower", "POST /logs-1/_open", Value::Null);
    assert_eq!(leases(&mut w), 0);
    assert_eq!(w.get("follower", "/_all/_ccr/info"), json!({"follower_indices": []}));
    assert_eq!(w.get("follower", "/_all/_ccr/stats"), json!({"indices": []}));
    w.ok("follower", "PUT /logs-1/_doc/own", json!({"n": 0}));
    assert_eq!(w.count("follower", "logs-1"), 21);
    w.ok(
        "follower",
        "PUT /_cluster/settings",
        json!({"persistent": {"cluster.remote.up.*": null}}),
    );
    assert_eq!(w.get("follower", "/_remote/info"), json!({}));
    assert!(kinds(&w).is_empty());
}

#[test]
fn waiting_for_shards_answers_when_all_is_done() {
    let mut w = World::connected("7.10.0", "7.16.2");
    let body = json!({"remote_cluster": "up", "leader_index": "logs-1"});
    let reply = w.ok("follower", "PUT /logs-1/_ccr/follow?wait_for_active_shards=1", body);
    assert_eq!(reply["index_following_started"], true);
    assert_eq!(w.status("logs-1"), "active");
    assert_eq!(w.count("follower", "logs-1"), 20);
}

#[test]
fn a_deleted_leader_kills_the_task_but_not_the_status() {
    let mut w = World::connected("7.10.0", "7.16.2");
    w.follow("logs-1", "logs-1");
    w.ok("leader", "DELETE /logs-1", Value::Null);
    w.pass(1000);
    assert_eq!(w.status("logs-1"), "active");
    let shard = w.shard("logs-1", 1);
    assert_eq!(shard["fatal_exception"]["type"], "index_not_found_exception");
    w.ok("follower", "DELETE /logs-1", Value::Null);
    assert_eq!(w.get("follower", "/_ccr/stats")["follow_stats"]["indices"], json!([]));
}

#[test]
fn a_chain_of_followers_reaches_its_end_in_one_step() {
    let mut w = World::connected("7.16.2", "7.16.2");
    w.ok("leader", "PUT /_cluster/settings", super::world::remote("back", "back:9300"));
    w.pass(2000);
    w.follow("middle", "logs-1");
    let body = json!({"remote_cluster": "back", "leader_index": "middle"});
    w.ok("leader", "PUT /end/_ccr/follow", body);
    w.pass(10_000);
    w.ok("leader", "PUT /logs-1/_doc/new", json!({"n": 1}));
    w.pass(60_000);
    assert_eq!(w.get("leader", "/end/_doc/new")["found"], true);
}

#[test]
fn one_long_step_equals_many_short_ones() {
    let run = |steps: u64| {
        let mut w = World::new("7.10.0", "7.16.2");
        w.ok("follower", "PUT /_cluster/settings", super::world::remote("up", "ep:9300"));
        w.pass(2000);
        let body = json!({"remote_cluster": "up", "leader_index_patterns": ["new-*"]});
        w.ok("follower", "PUT /_ccr/auto_follow/p", body);
        w.ok("leader", "PUT /new-1", json!({"settings": {"number_of_shards": 2}}));
        for n in 0..8 {
            w.ok("leader", &format!("PUT /new-1/_doc/{n}"), json!({"n": n}));
        }
        for _ in 0..steps {
            w.pass(600_000 / steps);
        }
        (w.get("follower", "/new-1/_ccr/stats"), w.get("follower", "/new-1/_search"))
    };
    let once = run(1);
    assert_eq!(once, run(6000));
    assert_eq!(once.1["hits"]["total"]["value"], 8);
}
