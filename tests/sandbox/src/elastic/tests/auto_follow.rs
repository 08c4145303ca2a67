//! Auto-follow: new indices only, and the rules around it.

use super::world::World;
use serde_json::{Value, json};

fn put(w: &mut World, name: &str, patterns: &[&str]) {
    let body = json!({"remote_cluster": "up", "leader_index_patterns": patterns});
    w.ok("follower", &format!("PUT /_ccr/auto_follow/{name}"), body);
}

fn exists(w: &mut World, name: &str) -> bool {
    w.ask("follower", &format!("HEAD /{name}"), Value::Null).status == 200
}

fn stats(w: &mut World) -> Value {
    w.get("follower", "/_ccr/stats")["auto_follow_stats"].clone()
}

#[test]
fn only_new_indices_are_followed() {
    let mut w = World::connected("7.10.0", "7.16.2");
    put(&mut w, "p", &["logs-*"]);
    w.pass(60_000);
    assert!(!exists(&mut w, "logs-1"));
    w.ok("leader", "PUT /logs-new", Value::Null);
    w.ok("leader", "PUT /logs-new/_doc/1", json!({"n": 1}));
    w.pass(1499);
    assert!(!exists(&mut w, "logs-new"));
    w.pass(1);
    assert!(exists(&mut w, "logs-new"));
    w.pass(10_000);
    assert_eq!(w.status("logs-new"), "active");
    assert_eq!(w.count("follower", "logs-new"), 1);
    let stats = stats(&mut w);
    assert_eq!(stats["number_of_successful_follow_indices"], 1);
    assert_eq!(stats["auto_followed_clusters"][0]["cluster_name"], "up");
    // A deleted follower does not come back: its leader is recorded.
    w.ok("follower", "DELETE /logs-new", Value::Null);
    w.pass(60_000);
    assert!(!exists(&mut w, "logs-new"));
}

#[test]
fn a_pattern_is_shown_as_it_was_given() {
    let mut w = World::connected("7.16.2", "7.16.2");
    let body = json!({
        "remote_cluster": "up", "leader_index_patterns": ["a*"],
        "leader_index_exclusion_patterns": ["ab*"], "follow_index_pattern": "{{leader_index}}-f",
        "settings": {"index.number_of_replicas": 0}, "max_retry_delay": "1s",
    });
    w.ok("follower", "PUT /_ccr/auto_follow/p", body);
    assert_eq!(
        w.get("follower", "/_ccr/auto_follow/p"),
        json!({"patterns": [{"name": "p", "pattern": {
            "active": true, "remote_cluster": "up", "leader_index_patterns": ["a*"],
            "leader_index_exclusion_patterns": ["ab*"],
            "follow_index_pattern": "{{leader_index}}-f",
            "settings": {"index": {"number_of_replicas": "0"}}, "max_retry_delay": "1s"}}]})
    );
    w.ok("leader", "PUT /a1", Value::Null);
    w.ok("leader", "PUT /ab1", Value::Null);
    w.pass(20_000);
    assert_eq!(w.status("a1-f"), "active");
    assert!(!exists(&mut w, "ab1-f"));
    let settings = w.get("follower", "/a1-f/_settings");
    assert_eq!(settings["a1-f"]["settings"]["index"]["number_of_replicas"], "0");
    w.ok("follower", "DELETE /_ccr/auto_follow/p", Value::Null);
    assert_eq!(w.get("follower", "/_ccr/auto_follow"), json!({"patterns": []}));
    assert_eq!(w.status("a1-f"), "active");
}

#[test]
fn a_paused_pattern_catches_up_on_resume() {
    let mut w = World::connected("7.10.0", "7.16.2");
    put(&mut w, "p", &["new-*"]);
    w.ok("follower", "POST /_ccr/auto_follow/p/pause", Value::Null);
    w.ok("follower", "POST /_ccr/auto_follow/p/pause", Value::Null);
    w.ok("leader", "PUT /new-1", Value::Null);
    w.pass(60_000);
    assert!(!exists(&mut w, "new-1"));
    w.ok("follower", "POST /_ccr/auto_follow/p/resume", Value::Null);
    w.pass(2000);
    assert!(exists(&mut w, "new-1"));
}

#[test]
fn two_patterns_on_one_index_follow_nothing() {
    let mut w = World::connected("7.10.0", "7.16.2");
    put(&mut w, "p", &["new-*"]);
    put(&mut w, "q", &["new*"]);
    w.ok("leader", "PUT /new-1", Value::Null);
    w.pass(5000);
    assert!(!exists(&mut w, "new-1"));
    let stats = stats(&mut w);
    let error = &stats["recent_auto_follow_errors"][0];
    assert_eq!(error["leader_index"], "p:new-1");
    assert_eq!(
        error["auto_follow_exception"]["reason"],
        "index to follow [new-1] for pattern [p] matches with other patterns [q]"
    );
    w.ok("follower", "DELETE /_ccr/auto_follow/q", Value::Null);
    w.pass(5000);
    assert!(exists(&mut w, "new-1"));
}

#[test]
fn a_taken_name_is_an_error_until_it_is_free() {
    let mut w = World::connected("7.10.0", "7.16.2");
    put(&mut w, "p", &["new-*"]);
    w.ok("follower", "PUT /new-1", Value::Null);
    w.ok("leader", "PUT /new-1", Value::Null);
    w.pass(5000);
    w.pass(5000);
    let found = stats(&mut w);
    assert_eq!(found["number_of_failed_follow_indices"], 1);
    let error = &found["recent_auto_follow_errors"][0]["auto_follow_exception"];
    assert_eq!(error["type"], "snapshot_restore_exception");
    w.ok("follower", "DELETE /new-1", Value::Null);
    w.pass(20_000);
    assert_eq!(w.status("new-1"), "active");
    assert_eq!(stats(&mut w)["recent_auto_follow_errors"], json!([]));
}

#[test]
fn system_indices_are_guarded_only_in_newer_releases() {
    for (version, followed) in [("7.10.0", true), ("7.16.2", false)] {
        let mut w = World::connected("7.10.0", version);
        put(&mut w, "p", &["*"]);
        w.ok("leader", "PUT /.kibana_2", json!({"settings": {"index.hidden": true}}));
        w.ok("leader", "PUT /.ds-ilm-history-5", json!({"settings": {"index.hidden": true}}));
        w.pass(5000);
        assert_eq!(exists(&mut w, ".kibana_2"), followed, "{version}");
        assert!(exists(&mut w, ".ds-ilm-history-5"));
    }
}

#[test]
fn an_index_without_history_is_tried_once() {
    let mut w = World::connected("7.10.0", "7.10.0");
    put(&mut w, "p", &["new-*"]);
    let bare = json!({"settings": {"index.soft_deletes.enabled": false}});
    w.ok("leader", "PUT /new-1", bare);
    w.pass(5000);
    w.pass(5000);
    assert_eq!(stats(&mut w)["number_of_failed_follow_indices"], 1);
    assert!(!exists(&mut w, "new-1"));
}

#[test]
fn an_outage_is_noted_and_overcome() {
    let mut w = World::connected("7.10.0", "7.16.2");
    put(&mut w, "p", &["new-*"]);
    w.cut();
    w.ok("leader", "PUT /new-1", Value::Null);
    w.pass(60_000);
    let found = stats(&mut w);
    assert_eq!(found["number_of_failed_remote_cluster_state_requests"], 1);
    assert_eq!(found["recent_auto_follow_errors"][0]["leader_index"], "p");
    w.mend();
    w.pass(60_000);
    assert_eq!(w.status("new-1"), "active");
}

#[test]
fn putting_again_marks_only_what_new_patterns_match() {
    let mut w = World::connected("7.10.0", "7.16.2");
    put(&mut w, "p", &["new-*"]);
    w.ok("follower", "POST /_ccr/auto_follow/p/pause", Value::Null);
    w.ok("leader", "PUT /new-1", Value::Null);
    w.ok("leader", "PUT /other-1", Value::Null);
    put(&mut w, "p", &["new-*", "other-*"]);
    w.pass(5000);
    assert!(exists(&mut w, "new-1"));
    assert!(!exists(&mut w, "other-1"));
}
