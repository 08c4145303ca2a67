//! One cluster by itself: who may ask, what it says, documents and searches.

use super::world::World;
use crate::elastic::{Grants, Request, handle};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use std::collections::BTreeMap;

#[test]
fn strangers_are_refused() {
    let mut w = World::new("7.10.0", "7.16.2");
    let mut request = Request {
        method: "GET".into(),
        path: vec!["_license".into()],
        query: BTreeMap::new(),
        headers: BTreeMap::new(),
        body: Vec::new(),
    };
    let reply = handle(&mut w.state, &w.net, w.now_ms, "leader", &request);
    assert_eq!(reply.status, 401);
    assert!(reply.headers.contains_key("WWW-Authenticate"));
    assert_eq!(
        reply.body["error"]["reason"],
        "missing authentication credentials for REST request [/_license]"
    );
    request.headers.insert("authorization".into(), "Basic ZWxhc3RpYzp3cm9uZw==".into());
    let reply = handle(&mut w.state, &w.net, w.now_ms, "leader", &request);
    assert_eq!(
        reply.body["error"]["reason"],
        "unable to authenticate user [elastic] for REST request [/_license]"
    );
    let key = w.ok("leader", "POST /_security/api_key", json!({"name": "k"}));
    let token = format!("{}:{}", key["id"].as_str().unwrap(), key["api_key"].as_str().unwrap());
    let token = STANDARD.encode(token);
    request.headers.insert("authorization".into(), format!("ApiKey {token}"));
    assert_eq!(handle(&mut w.state, &w.net, w.now_ms, "leader", &request).status, 200);
}

#[test]
fn readers_may_read_and_no_more() {
    let mut w = World::new("7.10.0", "7.16.2");
    w.user = "reader".into();
    assert_eq!(w.count("leader", "logs-1"), 20);
    let how = (403, "security_exception");
    for line in ["GET /_ccr/stats", "PUT /_cluster/settings", "PUT /x/_ccr/follow", "PUT /x"] {
        let error = w.refused("leader", line, Value::Null, how);
        let reason = error["reason"].as_str().unwrap();
        assert!(reason.contains("is unauthorized for user [reader]"), "{reason}");
    }
    let body = json!({"cluster": ["manage_ccr"], "index": [{"names": ["a"], "privileges": ["read", "write"]}]});
    let found = w.ok("leader", "POST /_security/user/_has_privileges", body.clone());
    assert_eq!(found["has_all_requested"], false);
    assert_eq!(found["index"]["a"], json!({"read": true, "write": false}));
    w.user = "elastic".into();
    let found = w.ok("leader", "POST /_security/user/_has_privileges", body);
    assert_eq!(found["has_all_requested"], true);
    assert_eq!(found["cluster"]["manage_ccr"], true);
}

#[test]
fn a_cluster_says_who_it_is() {
    let mut w = World::licensed(("7.10.0", "basic"), ("8.13.4", "trial"));
    let hello = w.get("follower", "/");
    assert_eq!(hello["cluster_name"], "follower");
    assert_eq!(hello["version"]["number"], "8.13.4");
    assert_eq!(hello["version"]["minimum_wire_compatibility_version"], "7.17.0");
    assert_eq!(w.ask("leader", "HEAD /", Value::Null).body, Value::Null);
    assert_eq!(w.get("leader", "/_license")["license"]["type"], "basic");
    let features = w.get("leader", "/_xpack?categories=features");
    assert_eq!(features["features"]["ccr"], json!({"available": false, "enabled": true}));
    let health = w.get("leader", "/_cluster/health");
    assert_eq!(health["status"], "green");
    let reply = w.ask("leader", "GET /_cluster/health/none?wait_for_status=yellow", Value::Null);
    assert_eq!((reply.status, &reply.body["timed_out"]), (408, &json!(true)));
}

#[test]
fn unknown_ways_in_are_refused_in_plain_words() {
    let mut w = World::new("7.10.0", "7.16.2");
    let reply = w.ask("leader", "GET /_bogus/x?a=b", Value::Null);
    assert_eq!(reply.status, 400);
    assert_eq!(
        reply.body,
        json!({"error": "no handler found for uri [/_bogus/x?a=b] and method [GET]", "status": 400})
    );
    let reply = w.ask("leader", "DELETE /_cluster/settings", Value::Null);
    assert_eq!(reply.status, 405);
    assert_eq!(
        reply.body["error"],
        "Incorrect HTTP method for uri [/_cluster/settings] and method [DELETE], allowed: [GET, PUT]"
    );
}

#[test]
fn documents_have_numbers_and_versions() {
    let mut w = World::new("7.10.0", "8.9.0");
    let made = w.ok("leader", "PUT /logs-2/_doc/a", json!({"n": 1}));
    assert_eq!(made["result"], "created");
    assert_eq!(made["_type"], "_doc");
    assert_eq!((&made["_seq_no"], &made["_version"]), (&json!(0), &json!(1)));
    assert_eq!(w.ok("leader", "PUT /logs-2/_doc/a", json!({"n": 2}))["result"], "updated");
    assert_eq!(w.ok("leader", "DELETE /logs-2/_doc/a", Value::Null)["_seq_no"], 2);
    let gone = w.ask("leader", "GET /logs-2/_doc/a", Value::Null);
    assert_eq!((gone.status, &gone.body["found"]), (404, &json!(false)));
    let conflict = (409, "version_conflict_engine_exception");
    w.ok("leader", "PUT /logs-2/_create/b", json!({}));
    w.refused("leader", "PUT /logs-2/_create/b", json!({}), conflict);
    w.refused("leader", "PUT /logs-2/_doc/b?if_seq_no=9&if_primary_term=1", json!({}), conflict);
    let newer = w.ok("follower", "POST /fresh/_doc", json!({"n": 1}));
    assert!(newer.get("_type").is_none());
    assert_eq!(newer["_id"].as_str().unwrap().len(), 20);
    let body = json!({"persistent": {"action.auto_create_index": "false"}});
    w.ok("follower", "PUT /_cluster/settings", body);
    let how = (404, "index_not_found_exception");
    let error = w.refused("follower", "POST /other/_doc", json!({}), how);
    assert_eq!(error["reason"], "no such index [other] and [action.auto_create_index] is [false]");
}

#[test]
fn searches_page_sort_and_sample() {
    let mut w = World::new("7.10.0", "7.16.2");
    let body = json!({"size": 3, "sort": [{"n": "desc"}], "version": true,
        "seq_no_primary_term": true, "track_total_hits": true});
    let found = w.ok("leader", "POST /logs-1/_search", body);
    assert_eq!(found["hits"]["total"], json!({"value": 20, "relation": "eq"}));
    let ids: Vec<&Value> =
        found["hits"]["hits"].as_array().unwrap().iter().map(|h| &h["_id"]).collect();
    assert_eq!(ids, ["20", "19", "18"]);
    assert!(found["hits"]["hits"][0]["_seq_no"].is_u64());
    let sample = |seed: u64, w: &mut World| {
        let body = json!({"size": 5, "query": {"function_score": {
            "random_score": {"seed": seed, "field": "_seq_no"}}}});
        w.ok("leader", "POST /logs-1/_search", body)["hits"]["hits"].clone()
    };
    assert_eq!(sample(1, &mut w), sample(1, &mut w));
    assert_ne!(sample(1, &mut w), sample(2, &mut w));
    let ids = json!({"ids": ["1", "2", "none"]});
    let docs = w.ok("leader", "POST /logs-1/_mget", ids);
    let there: Vec<&Value> = docs["docs"].as_array().unwrap().iter().map(|d| &d["found"]).collect();
    assert_eq!(there, [&json!(true), &json!(true), &json!(false)]);
    let odd = json!({"query": {"odd": {}}});
    w.refused("leader", "POST /logs-1/_search", odd, (400, "parsing_exception"));
}

#[test]
fn a_scroll_reads_everything_once() {
    let mut w = World::new("7.10.0", "7.16.2");
    let mut page =
        w.ok("leader", "POST /logs-1/_search?scroll=1m", json!({"size": 7, "sort": ["_doc"]}));
    let mut seen = std::collections::BTreeSet::new();
    while !page["hits"]["hits"].as_array().unwrap().is_empty() {
        for hit in page["hits"]["hits"].as_array().unwrap() {
            assert!(seen.insert(hit["_id"].to_string()));
        }
        let body = json!({"scroll": "1m", "scroll_id": page["_scroll_id"]});
        page = w.ok("leader", "POST /_search/scroll", body);
    }
    assert_eq!(seen.len(), 20);
}

#[test]
fn hidden_indices_stay_out_of_wildcards() {
    let mut w = World::new("7.10.0", "7.16.2");
    let names = |body: Value| -> Vec<String> {
        body.as_array().unwrap().iter().map(|r| r["index"].as_str().unwrap().to_owned()).collect()
    };
    let seen = w.get("leader", "/_cat/indices?format=json");
    assert_eq!(names(seen), ["bare", "logs-1", "logs-2"]);
    let seen = w.get("leader", "/_cat/indices?format=json&expand_wildcards=all");
    assert_eq!(names(seen).len(), 4);
    let seen = w.get("leader", "/_cat/indices/logs-*,-logs-2?format=json");
    assert_eq!(names(seen), ["logs-1"]);
    let found = w.get("leader", "/_resolve/index/.k*");
    assert_eq!(found["indices"][0]["attributes"], json!(["hidden", "open"]));
}

#[test]
fn stats_show_every_copy_of_a_shard() {
    let mut w = World::new("7.10.0", "7.16.2");
    let stats = w.get("leader", "/logs-2/_stats?level=shards");
    let copies = stats["indices"]["logs-2"]["shards"]["0"].as_array().unwrap();
    assert_eq!(copies.len(), 2);
    assert_eq!(copies[0]["routing"]["primary"], true);
    assert_eq!(copies[1]["routing"]["primary"], false);
    assert_eq!(copies[0]["seq_no"]["global_checkpoint"], -1);
    assert!(copies[0]["commit"]["user_data"]["history_uuid"].is_string());
}

#[test]
fn the_state_survives_being_stored() {
    let mut w = World::connected("7.10.0", "7.16.2");
    w.follow("logs-1", "logs-1");
    let text = serde_json::to_string(&w.state).unwrap();
    w.state = serde_json::from_str(&text).unwrap();
    w.ok("leader", "PUT /logs-1/_doc/after", json!({"n": 1}));
    w.pass(1000);
    assert_eq!(w.count("follower", "logs-1"), 21);
}

#[test]
fn a_user_may_do_what_is_granted_and_follow_what_the_leader_grants() {
    let mut w = World::connected("7.10.0", "7.16.2");
    w.user = "reader".into();
    let grant = |w: &mut World, side: &str, cluster: &[&str], index: &[&str]| {
        let texts = |list: &[&str]| list.iter().map(|p| (*p).to_owned()).collect::<Vec<String>>();
        let indices = BTreeMap::from([("logs-*".to_owned(), texts(index))]);
        let grants = Grants { cluster: texts(cluster), indices };
        w.state.cluster_mut(side).unwrap().grants.insert("reader".into(), grants);
    };
    let how = (403, "security_exception");
    grant(&mut w, "follower", &["manage_ccr"], &["manage_follow_index"]);
    drop(w.refused("follower", "GET /_nodes/plugins", Value::Null, how));
    drop(w.refused("follower", "PUT /bare/_ccr/follow", Value::Null, how));
    let follow = json!({"remote_cluster": "up", "leader_index": "logs-1"});
    for (cluster, index, missing) in [
        (&["monitor"][..], &["read", "monitor"][..], "cluster:monitor/state"),
        (&["read_ccr"], &["read"], "indices:monitor/stats"),
        (&["read_ccr"], &["monitor"], "indices:data/read/xpack/ccr/shard_changes"),
    ] {
        grant(&mut w, "leader", cluster, index);
        let error = w.refused("follower", "PUT /logs-1/_ccr/follow", follow.clone(), how);
        let reason = error["reason"].as_str().unwrap();
        assert!(reason.contains("insufficient privileges to follow index [logs-1]"), "{reason}");
        assert!(reason.contains(missing), "{reason}");
        let pattern = json!({"remote_cluster": "up", "leader_index_patterns": ["logs-*"]});
        drop(w.refused("follower", "PUT /_ccr/auto_follow/a", pattern, how));
    }
    grant(&mut w, "leader", &["read_ccr"], &["read", "monitor"]);
    let asked = json!({"cluster": ["read_ccr", "manage"], "index": [
        {"names": ["logs-*"], "privileges": ["read"]},
        {"names": ["logs-*", "bare"], "privileges": ["write"]},
    ]});
    let found = w.ok("leader", "POST /_security/user/_has_privileges", asked);
    assert_eq!(found["cluster"], json!({"read_ccr": true, "manage": false}));
    assert_eq!(found["index"]["logs-*"], json!({"read": true, "write": false}));
    assert_eq!(w.ok("follower", "PUT /logs-1/_ccr/follow", follow)["follow_index_created"], true);
}
