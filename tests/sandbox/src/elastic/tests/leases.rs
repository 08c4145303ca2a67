//! Retention leases: kept, lost, forgotten.

use super::world::{HOUR_MS, World};
use serde_json::{Value, json};

fn ccr_leases(w: &mut World) -> Vec<Value> {
    let stats = w.get("leader", "/logs-2/_stats?level=shards");
    let shard = &stats["indices"]["logs-2"]["shards"]["0"][0];
    let leases = shard["retention_leases"]["leases"].as_array().unwrap().clone();
    leases.into_iter().filter(|l| l["source"] == "ccr").collect()
}

fn write(w: &mut World, n: u64) {
    w.ok("leader", &format!("PUT /logs-2/_doc/{n}"), json!({"n": n}));
}

#[test]
fn an_outage_within_the_period_loses_nothing() {
    let mut w = World::connected("7.10.0", "7.16.2");
    w.follow("logs-2", "logs-2");
    w.cut();
    write(&mut w, 1);
    write(&mut w, 1);
    w.pass(11 * HOUR_MS);
    w.mend();
    w.pass(5000);
    assert_eq!(w.count("follower", "logs-2"), 1);
    assert!(w.shard("logs-2", 0).get("fatal_exception").is_none());
}

#[test]
fn a_longer_outage_loses_the_history_for_good() {
    let mut w = World::connected("7.10.0", "7.16.2");
    w.follow("logs-2", "logs-2");
    write(&mut w, 1);
    w.pass(1000);
    w.cut();
    write(&mut w, 2);
    w.pass(13 * HOUR_MS);
    assert!(ccr_leases(&mut w).is_empty());
    w.mend();
    w.pass(5000);
    let fatal = w.shard("logs-2", 0)["fatal_exception"].clone();
    assert_eq!(fatal["type"], "resource_not_found_exception");
    assert_eq!(fatal["requested_operations_missing"], json!(["1", "1"]));
    let reason = fatal["reason"].as_str().unwrap();
    assert!(reason.starts_with("Operations are no longer available for replicating."));
    assert_eq!(w.status("logs-2"), "active");
    // Resuming alone fails; pausing and resuming finds the history just as lost.
    let resume = "POST /logs-2/_ccr/resume_follow";
    let how = (400, "resource_already_exists_exception");
    w.refused("follower", resume, Value::Null, how);
    w.ok("follower", "POST /logs-2/_ccr/pause_follow", Value::Null);
    w.ok("follower", resume, Value::Null);
    w.pass(1000);
    assert!(w.shard("logs-2", 0).get("fatal_exception").is_some());
    // Deleting and following again heals.
    w.ok("follower", "DELETE /logs-2", Value::Null);
    w.follow("logs-2", "logs-2");
    assert_eq!(w.count("follower", "logs-2"), 2);
}

#[test]
fn an_outage_without_writes_loses_nothing() {
    let mut w = World::connected("7.10.0", "7.16.2");
    w.follow("logs-2", "logs-2");
    write(&mut w, 1);
    w.pass(1000);
    w.cut();
    w.pass(20 * HOUR_MS);
    w.mend();
    w.pass(5000);
    write(&mut w, 2);
    w.pass(1000);
    assert_eq!(w.count("follower", "logs-2"), 2);
}

#[test]
fn the_period_is_the_leaders_setting() {
    let mut w = World::connected("7.10.0", "7.16.2");
    let setting = json!({"index.soft_deletes.retention_lease.period": "24h"});
    w.ok("leader", "PUT /logs-2/_settings", setting);
    w.follow("logs-2", "logs-2");
    w.cut();
    write(&mut w, 1);
    w.pass(13 * HOUR_MS);
    w.mend();
    w.pass(5000);
    assert_eq!(w.count("follower", "logs-2"), 1);
}

#[test]
fn hours_in_one_step_keep_the_lease_of_a_connected_follower() {
    let mut w = World::connected("7.10.0", "7.16.2");
    w.follow("logs-2", "logs-2");
    w.pass(100 * HOUR_MS);
    write(&mut w, 1);
    w.pass(100 * HOUR_MS);
    assert_eq!(w.count("follower", "logs-2"), 1);
    let leases = ccr_leases(&mut w);
    assert_eq!(leases[0]["retaining_seq_no"], 1);
    let id = leases[0]["id"].as_str().unwrap();
    assert!(id.starts_with("follower/logs-2/") && id.contains("-following-up/logs-2/"), "{id}");
}

#[test]
fn a_paused_follower_loses_its_lease() {
    let mut w = World::connected("7.10.0", "7.16.2");
    w.follow("logs-2", "logs-2");
    w.ok("follower", "POST /logs-2/_ccr/pause_follow", Value::Null);
    write(&mut w, 1);
    w.pass(13 * HOUR_MS);
    w.ok("follower", "POST /logs-2/_ccr/resume_follow", Value::Null);
    w.pass(1000);
    assert!(w.shard("logs-2", 0).get("fatal_exception").is_some());
}

#[test]
fn unfollowing_without_the_leader_converts_and_complains() {
    for gone in ["path", "alias"] {
        let mut w = World::connected("7.16.2", "7.16.2");
        w.follow("logs-2", "logs-2");
        w.ok("follower", "POST /logs-2/_ccr/pause_follow", Value::Null);
        w.ok("follower", "POST /logs-2/_close", Value::Null);
        let kind = if gone == "path" {
            w.cut();
            "connect_transport_exception"
        } else {
            let body = json!({"persistent": {"cluster.remote.up.*": null}});
            w.ok("follower", "PUT /_cluster/settings", body);
            "no_such_remote_cluster_exception"
        };
        let unfollow = "POST /logs-2/_ccr/unfollow";
        let error = w.refused("follower", unfollow, Value::Null, (500, kind));
        let lease = error["failed_to_remove_retention_leases"].as_str().unwrap().to_owned();
        w.ok("follower", "POST /logs-2/_open", Value::Null);
        assert_eq!(w.status("logs-2"), "none");
        assert_eq!(ccr_leases(&mut w)[0]["id"], lease);
    }
}

#[test]
fn the_leader_forgets_a_follower_that_is_gone() {
    let mut w = World::connected("7.16.2", "7.16.2");
    w.follow("logs-2", "logs-2");
    let stats = w.get("follower", "/logs-2/_stats");
    let uuid = stats["indices"]["logs-2"]["uuid"].clone();
    w.ok("follower", "DELETE /logs-2", Value::Null);
    w.pass(1000);
    assert_eq!(ccr_leases(&mut w).len(), 1);
    let body = json!({
        "follower_cluster": "follower", "follower_index": "logs-2",
        "follower_index_uuid": uuid, "leader_remote_cluster": "up",
    });
    let forget = "POST /logs-2/_ccr/forget_follower";
    assert_eq!(
        w.ok("leader", forget, body.clone()),
        json!({"_shards": {"total": 1, "successful": 1, "failed": 0}})
    );
    assert!(ccr_leases(&mut w).is_empty());
    let again = w.ok("leader", forget, body);
    assert_eq!(again["_shards"]["failed"], 1);
    let why = &again["_shards"]["failures"][0]["reason"]["type"];
    assert_eq!(why, "retention_lease_not_found_exception");
}
