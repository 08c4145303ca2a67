//! What CCR refuses, and how: status, type, part of the reason.

use super::world::World;
use serde_json::{Value, json};

const ILLEGAL: (u16, &str) = (400, "illegal_argument_exception");
const INVALID: (u16, &str) = (400, "action_request_validation_exception");
const PARSE: (u16, &str) = (400, "x_content_parse_exception");
const STATUS: (u16, &str) = (400, "status_exception");
const MISSING: (u16, &str) = (404, "resource_not_found_exception");
const NO_INDEX: (u16, &str) = (404, "index_not_found_exception");
const NO_REMOTE: (u16, &str) = (404, "no_such_remote_cluster_exception");
const SECURITY: (u16, &str) = (403, "security_exception");

type Case = (&'static str, Value, (u16, &'static str), &'static str);

fn check(w: &mut World, at: &str, cases: Vec<Case>) {
    for (line, body, how, text) in cases {
        let error = w.refused(at, line, body, how);
        let reason = error["reason"].as_str().unwrap();
        assert!(reason.contains(text), "{line}: {reason}");
    }
}

fn follow(leader: &str) -> Value {
    json!({"remote_cluster": "up", "leader_index": leader})
}

fn with(leader: &str, key: &str, value: Value) -> Value {
    let mut body = follow(leader);
    body[key] = value;
    body
}

#[test]
fn follow_refuses() {
    const F: &str = "PUT /f/_ccr/follow";
    let mut w = World::connected("7.10.0", "7.16.2");
    w.ok("leader", "PUT /logs-1/_alias/al", Value::Null);
    w.ok("follower", "PUT /taken", Value::Null);
    let cases: Vec<Case> = vec![
        (F, Value::Null, (400, "parse_exception"), "request body is required"),
        (F, json!("{"), (400, "parse_exception"), "Failed to parse"),
        (F, json!({"bogus": 1}), PARSE, "unknown field [bogus]"),
        (F, with("logs-1", "data_stream_name", json!("x")), PARSE, "[data_stream_name]"),
        (F, json!({"leader_index": "x"}), INVALID, "1: remote_cluster is missing;"),
        (F, json!({"remote_cluster": "x"}), INVALID, "1: leader_index is missing;"),
        (F, with("logs-1", "max_write_buffer_count", json!(0)), INVALID, "must be larger than 0"),
        (F, with("logs-1", "max_read_request_size", json!("0b")), INVALID, "must be larger than 0"),
        (F, with("logs-1", "max_retry_delay", json!("6m")), INVALID, "must be less than [5m]"),
        (F, with("logs-1", "max_read_request_size", json!("big")), PARSE, "max_read_request_size"),
        (
            F,
            json!({"remote_cluster": "x", "leader_index": "i"}),
            NO_REMOTE,
            "no such remote cluster: [x]",
        ),
        (F, follow("nope"), NO_INDEX, "no such index [nope]"),
        (F, follow("al"), ILLEGAL, "cannot follow [al], because it is a ALIAS"),
        (F, follow("bare"), ILLEGAL, "leader index [bare] does not have soft deletes enabled"),
        (
            F,
            with("logs-1", "settings", json!({"index.number_of_shards": 5})),
            ILLEGAL,
            "can not put follower index that could override leader settings {\"index.number_of_shards\":\"5\"}",
        ),
        (
            F,
            with("logs-1", "settings", json!({"index.non_existent_setting": 1})),
            ILLEGAL,
            "unknown setting [index.non_existent_setting]",
        ),
        (
            "PUT /taken/_ccr/follow",
            follow("logs-1"),
            (500, "snapshot_restore_exception"),
            "[_ccr_up:_latest_/_latest_] cannot restore index [taken] because an open index with same name already exists in the cluster",
        ),
        (
            "PUT /Bad/_ccr/follow",
            follow("logs-1"),
            (400, "invalid_index_name_exception"),
            "must be lowercase",
        ),
    ];
    check(&mut w, "follower", cases);
    let settings = with("logs-1", "settings", json!({"index.number_of_replicas": 0}));
    w.ok("follower", F, settings);
    assert_eq!(
        w.get("follower", "/f?flat_settings=true")["f"]["settings"]["index.number_of_replicas"],
        "0"
    );
}

#[test]
fn an_older_follower_cannot_restore() {
    let mut w = World::connected("7.16.2", "7.10.0");
    let how = (500, "snapshot_restore_exception");
    let error = w.refused("follower", "PUT /f/_ccr/follow", follow("logs-1"), how);
    assert!(error["reason"].as_str().unwrap().contains("higher than the version of this node"));
}

#[test]
fn an_unreachable_remote_is_named_with_its_causes() {
    let mut w = World::connected("7.10.0", "7.16.2");
    w.cut();
    let error = w.refused("follower", "PUT /f/_ccr/follow", follow("logs-1"), STATUS);
    assert_eq!(
        error["reason"],
        "can not fetch remote index [up:logs-1] metadata as the license state of the remote cluster [up] could not be determined"
    );
    let cause = &error["caused_by"];
    assert_eq!(cause["reason"], "could not determine the license type for cluster [up]");
    assert_eq!(cause["caused_by"]["type"], "connect_transport_exception");
    assert_eq!(cause["caused_by"]["reason"], "[][10.2.1.7:9300] connect_timeout[30s]");
    let body = json!({"remote_cluster": "up", "leader_index_patterns": ["a*"]});
    let error = w.refused("follower", "PUT /_ccr/auto_follow/p", body, STATUS);
    assert!(error["reason"].as_str().unwrap().starts_with("can not fetch remote cluster state as"));
}

#[test]
fn licenses_bind_on_both_sides() {
    let mut w = World::licensed(("7.10.0", "basic"), ("7.16.2", "platinum"));
    w.connect();
    let error = w.refused("follower", "PUT /f/_ccr/follow", follow("logs-1"), STATUS);
    assert_eq!(
        error["reason"],
        "can not fetch remote index [up:logs-1] metadata as the remote cluster [up] is not licensed for [ccr]; the license mode [BASIC] on cluster [up] does not enable [ccr]"
    );
    let mut w = World::licensed(("7.10.0", "platinum"), ("7.16.2", "basic"));
    w.connect();
    w.ok("follower", "PUT /idx", Value::Null);
    let pattern = json!({"remote_cluster": "up", "leader_index_patterns": ["a*"]});
    for (line, body) in [
        ("PUT /f/_ccr/follow", follow("logs-1")),
        ("POST /idx/_ccr/resume_follow", Value::Null),
        ("PUT /_ccr/auto_follow/p", pattern),
        ("GET /idx/_ccr/stats", Value::Null),
        ("GET /_ccr/stats", Value::Null),
    ] {
        let error = w.refused("follower", line, body, SECURITY);
        assert_eq!(error["reason"], "current license is non-compliant for [ccr]");
        assert_eq!(error["license.expired.feature"], "ccr");
    }
    assert_eq!(w.get("follower", "/idx/_ccr/info"), json!({"follower_indices": []}));
}

#[test]
fn the_life_cycle_refuses_what_is_out_of_order() {
    let mut w = World::connected("7.10.0", "7.16.2");
    w.follow("f", "logs-1");
    w.ok("follower", "PUT /plain", Value::Null);
    let cases: Vec<Case> = vec![
        ("POST /no/_ccr/pause_follow", Value::Null, NO_INDEX, "no such index [no]"),
        (
            "POST /plain/_ccr/pause_follow",
            Value::Null,
            ILLEGAL,
            "index [plain] is not a follower index",
        ),
        ("POST /no/_ccr/resume_follow", Value::Null, NO_INDEX, "no such index [no]"),
        (
            "POST /plain/_ccr/resume_follow",
            Value::Null,
            ILLEGAL,
            "follow index [plain] does not have ccr metadata",
        ),
        (
            "POST /f/_ccr/resume_follow",
            Value::Null,
            (400, "resource_already_exists_exception"),
            "-0} already exist",
        ),
        ("POST /no/_ccr/unfollow", Value::Null, NO_INDEX, "no such index [no]"),
        (
            "POST /plain/_ccr/unfollow",
            Value::Null,
            ILLEGAL,
            "index [plain] is not a follower index",
        ),
        ("POST /f/_ccr/unfollow", Value::Null, ILLEGAL, "because it has not been closed"),
        ("GET /no/_ccr/info", Value::Null, NO_INDEX, "no such index [no]"),
        (
            "GET /plain/_ccr/stats",
            Value::Null,
            MISSING,
            "No shard follow tasks for follower indices [plain]",
        ),
        (
            "PUT /f/_doc/1",
            json!({"n": 1}),
            (403, "status_exception"),
            "a following engine does not accept operations",
        ),
        (
            "PUT /f/_mapping",
            json!({"properties": {}}),
            (403, "status_exception"),
            "can't put mapping to the following indices [f]",
        ),
    ];
    check(&mut w, "follower", cases);
    w.ok("follower", "POST /f/_close", Value::Null);
    let cases: Vec<Case> =
        vec![("POST /f/_ccr/unfollow", Value::Null, ILLEGAL, "because it has not been paused")];
    check(&mut w, "follower", cases);
    w.ok("follower", "POST /f/_ccr/pause_follow", Value::Null);
    let cases: Vec<Case> = vec![
        ("POST /f/_ccr/pause_follow", Value::Null, ILLEGAL, "no shard follow tasks for [f]"),
        (
            "POST /f/_ccr/resume_follow",
            Value::Null,
            ILLEGAL,
            "leader and follow index must be open",
        ),
        ("GET /f/_ccr/stats", Value::Null, MISSING, "No shard follow tasks"),
    ];
    check(&mut w, "follower", cases);
    w.ok("follower", "POST /f/_open", Value::Null);
    w.ok("follower", "POST /f/_ccr/resume_follow", json!({"max_retry_delay": "1s"}));
    let info = w.get("follower", "/f/_ccr/info");
    assert_eq!(info["follower_indices"][0]["parameters"]["max_retry_delay"], "1s");
}

#[test]
fn resume_compares_the_leader() {
    let mut w = World::connected("7.16.2", "7.16.2");
    w.follow("f", "logs-1");
    w.ok("follower", "POST /f/_ccr/pause_follow", Value::Null);
    let own = json!({"index.mapping.total_fields.limit": 5});
    w.ok("follower", "PUT /f/_settings", own);
    let resume = "POST /f/_ccr/resume_follow";
    let differing: Vec<Case> = vec![(resume, Value::Null, ILLEGAL, "must be identical")];
    check(&mut w, "follower", differing);
    w.ok("leader", "DELETE /logs-1", Value::Null);
    let gone: Vec<Case> = vec![(resume, Value::Null, NO_INDEX, "no such index [logs-1]")];
    check(&mut w, "follower", gone);
    w.ok("leader", "PUT /logs-1", Value::Null);
    let other: Vec<Case> =
        vec![(resume, Value::Null, ILLEGAL, "follow index [f] should reference [")];
    check(&mut w, "follower", other);
}

#[test]
fn bulk_to_a_follower_fails_by_item() {
    let mut w = World::connected("7.10.0", "7.16.2");
    w.follow("f", "logs-1");
    let lines = "{\"index\":{\"_index\":\"f\",\"_id\":\"1\"}}\n{\"n\":1}\n{\"index\":{\"_index\":\"own\"}}\n{\"n\":1}\n";
    let reply = w.ok("follower", "POST /_bulk", json!(lines));
    assert_eq!(reply["errors"], true);
    assert_eq!(reply["items"][0]["index"]["status"], 403);
    assert_eq!(reply["items"][0]["index"]["error"]["type"], "status_exception");
    assert_eq!(reply["items"][1]["index"]["status"], 201);
}

#[test]
fn patterns_refuse() {
    const P: &str = "PUT /_ccr/auto_follow/p";
    let good = json!({"remote_cluster": "up", "leader_index_patterns": ["a*"]});
    let mut w = World::connected("7.10.0", "7.10.0");
    let cases: Vec<Case> = vec![
        (P, Value::Null, (400, "parse_exception"), "request body is required"),
        (P, json!({"remote_cluster": "up"}), INVALID, "[leader_index_patterns] is missing"),
        (
            P,
            json!({"remote_cluster": "up", "leader_index_patterns": []}),
            INVALID,
            "[leader_index_patterns] is missing",
        ),
        (P, json!({"leader_index_patterns": ["a"]}), INVALID, "[remote_cluster] is missing"),
        ("PUT /_ccr/auto_follow/_p", good.clone(), INVALID, "[name] name must not start with '_'"),
        ("PUT /_ccr/auto_follow/p,q", good.clone(), INVALID, "[name] name must not contain a ','"),
        (P, json!({"remote_cluster": "x", "leader_index_patterns": ["a"]}), NO_REMOTE, "[x]"),
        (
            P,
            json!({"remote_cluster": "up", "leader_index_patterns": ["a"], "leader_index_exclusion_patterns": ["b"]}),
            PARSE,
            "unknown field [leader_index_exclusion_patterns]",
        ),
        (
            "PUT /_ccr/auto_follow/p?master_timeout=30s",
            good,
            ILLEGAL,
            "contains unrecognized parameter: [master_timeout]",
        ),
        ("GET /_ccr/auto_follow/p", Value::Null, MISSING, "auto-follow pattern [p] is missing"),
        ("DELETE /_ccr/auto_follow/p", Value::Null, MISSING, "auto-follow pattern [p] is missing"),
        (
            "POST /_ccr/auto_follow/p/pause",
            Value::Null,
            MISSING,
            "auto-follow pattern [p] is missing",
        ),
        (
            "POST /_ccr/auto_follow/p/resume",
            Value::Null,
            MISSING,
            "auto-follow pattern [p] is missing",
        ),
        ("POST /logs-1/_ccr/forget_follower", json!({}), NO_INDEX, "logs-1"),
    ];
    let (last, rest) = cases.split_last().unwrap();
    check(&mut w, "follower", rest.to_vec());
    assert_eq!(w.ask("follower", last.0, last.1.clone()).status, 400);
}
