//! Reading an index shard by shard and page by page; documents that were altered.

use super::world::World;
use crate::elastic::alter;
use serde_json::{Value, json};

/// Sequence numbers and ids of one shard, read in pages of three.
fn paged(w: &mut World, at: &str, shard: usize) -> Vec<(u64, String)> {
    let mut all = Vec::new();
    loop {
        let mut body =
            json!({"size": 3, "seq_no_primary_term": true, "sort": [{"_seq_no": "asc"}]});
        if let Some((last, _)) = all.last() {
            body["search_after"] = json!([last]);
        }
        let line = format!("POST /logs-1/_search?preference=_shards:{shard}");
        let found = w.ok(at, &line, body);
        assert_eq!(found["_shards"]["total"], 1);
        let hits = found["hits"]["hits"].as_array().unwrap();
        if hits.is_empty() {
            return all;
        }
        all.extend(hits.iter().map(|hit| {
            (hit["_seq_no"].as_u64().unwrap(), hit["_id"].as_str().unwrap().to_owned())
        }));
    }
}

#[test]
fn pages_of_a_shard_are_equal_on_both_sides_and_leave_nothing_out() {
    let mut w = World::connected("7.10.0", "7.16.2");
    w.follow("logs-1", "logs-1");
    let mut ids = Vec::new();
    for shard in [0, 1] {
        let (theirs, own) = (paged(&mut w, "leader", shard), paged(&mut w, "follower", shard));
        assert_eq!(theirs, own);
        assert!(theirs.is_sorted() && theirs.len() > 3, "{theirs:?}");
        ids.extend(theirs.into_iter().map(|(_, id)| id));
    }
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 20);
    let bad = "POST /logs-1/_search?preference=_shards:x";
    w.refused("leader", bad, json!({}), (400, "number_format_exception"));
}

#[test]
fn what_is_altered_changes_one_side_and_no_checkpoint() {
    let mut w = World::connected("7.10.0", "7.16.2");
    w.follow("logs-1", "logs-1");
    let before = w.get("follower", "/logs-1/_stats?level=shards&filter_path=**.seq_no");
    assert!(alter(&mut w.state, "follower", ("logs-1", "7"), Some(&json!({"n": 0}))));
    assert!(alter(&mut w.state, "follower", ("logs-1", "8"), None));
    assert!(!alter(&mut w.state, "follower", ("logs-1", "none"), None));
    assert!(!alter(&mut w.state, "follower", ("none", "7"), None));
    w.pass(60_000);
    let ask = |w: &mut World, at: &str| w.get(at, "/logs-1/_doc/7")["_source"]["n"].clone();
    assert_eq!((ask(&mut w, "leader"), ask(&mut w, "follower")), (json!(7), json!(0)));
    assert_eq!((w.count("leader", "logs-1"), w.count("follower", "logs-1")), (20, 19));
    let after = w.get("follower", "/logs-1/_stats?level=shards&filter_path=**.seq_no");
    assert_eq!(before, after);
    // The next operation on it makes it whole again.
    w.ok("leader", "PUT /logs-1/_doc/8", json!({"n": 8}));
    w.pass(1000);
    assert_eq!(w.count("follower", "logs-1"), 20);
    assert_eq!(w.ask("leader", "GET /logs-1/_doc/8", Value::Null).status, 200);
}
