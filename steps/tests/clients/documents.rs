//! The cluster's client: indices, shards and documents.

use crate::cluster::cluster;
use crate::server::{Reply, Server};
use escrr_engine::Fault;
use escrr_steps::elastic::{DocKey, not_found};
use serde_json::{Value, json};

fn replies(values: impl IntoIterator<Item = Value>) -> Vec<Reply> {
    values.into_iter().map(|value| Reply::Json(200, value)).collect()
}

fn missing() -> Reply {
    let error = json!({"type": "index_not_found_exception", "reason": "no such index [x]"});
    Reply::Json(404, json!({"error": error, "status": 404}))
}

/// Was the answer none that can be read?
fn unreadable<T>(outcome: &Result<T, Fault>) -> bool {
    matches!(outcome, Err(Fault::Refused { report, .. })
        if report.code.as_deref() == Some("Unreadable"))
}

#[tokio::test]
async fn indices_with_what_matters_for_following() {
    let settings = json!({
        "logs-1": {"settings": {"index.uuid": "u1", "index.number_of_shards": "3",
            "index.version.created": "7100099"}},
        "old": {"settings": {"index.uuid": "u2", "index.version.created": "6080099"}},
        "off": {"settings": {"index.soft_deletes.enabled": "false"}},
        "copy": {"settings": {"index.xpack.ccr.following_index": "true",
            "index.verified_before_close": "true"}},
        ".kibana_1": {"settings": {"index.hidden": "true"}},
        ".ds-metrics-cpu-2024.05.06-000001": {"settings": {"index.hidden": "true"}},
        ".ds-app-000012": {"settings": {}},
        "mounted": {"settings": {"index.store.type": "snapshot"}},
    });
    let mut answers = replies([settings]);
    answers.push(missing());
    let server = Server::start(answers).await;
    let cluster = cluster(&server);
    let found = cluster.indices("_all").await.unwrap();
    let index = |name: &str| found.iter().find(|index| index.name == name).unwrap();
    assert_eq!((index("logs-1").uuid.as_str(), index("logs-1").primaries), ("u1", 3));
    assert!(index("logs-1").soft_deletes && !index("old").soft_deletes);
    assert!(!index("off").soft_deletes);
    assert!(index("copy").is_follower && index("copy").closed);
    assert!(index(".kibana_1").system && index(".kibana_1").hidden);
    let stream = |name: &str| index(name).data_stream.as_deref();
    assert_eq!(stream(".ds-metrics-cpu-2024.05.06-000001"), Some("metrics-cpu"));
    assert_eq!(stream(".ds-app-000012"), Some("app"));
    assert!(!index(".ds-app-000012").system && index("mounted").searchable_snapshot);
    assert!(cluster.indices("x").await.unwrap().is_empty());
    assert!(server.seen()[0].target.starts_with("/_all/_settings?flat_settings=true"));
}

#[tokio::test]
async fn existence_and_deletion() {
    let server = Server::start(vec![
        Reply::Json(200, Value::Null),
        Reply::Json(404, Value::Null),
        Reply::Json(200, json!({"acknowledged": true})),
        missing(),
        Reply::Json(503, Value::Null),
    ])
    .await;
    let cluster = cluster(&server);
    assert!(cluster.exists("a b").await.unwrap());
    assert!(!cluster.exists("x").await.unwrap());
    assert!(cluster.delete_index("a").await.unwrap());
    assert!(!cluster.delete_index("x").await.unwrap());
    assert!(matches!(cluster.exists("x").await, Err(Fault::Transient { .. })));
    assert_eq!(
        (server.seen()[0].method.as_str(), server.seen()[0].target.as_str()),
        ("HEAD", "/a%20b")
    );
}

#[tokio::test]
async fn primaries_tell_how_far_they_are() {
    let copy = |primary: bool, checkpoint: i64| {
        json!({"routing": {"primary": primary}, "seq_no": {"max_seq_no": 9,
            "global_checkpoint": checkpoint}, "commit": {"user_data": {"history_uuid": "h"}}})
    };
    let stats = json!({"indices": {"i": {"shards": {
        "10": [copy(true, 7)], "2": [copy(false, 1), copy(true, 8)], "3": [copy(false, 1)]}}}});
    let mut answers = replies([stats]);
    answers.push(missing());
    let server = Server::start(answers).await;
    let cluster = cluster(&server);
    let stats = cluster.shard_stats("i").await.unwrap();
    let found: Vec<(u64, i64)> =
        stats["i"].iter().map(|shard| (shard.shard, shard.global_checkpoint)).collect();
    assert_eq!(found, [(2, 8), (10, 7)]);
    assert!(cluster.shard_stats("x").await.unwrap().is_empty());
}

#[tokio::test]
async fn documents_are_written_read_and_sampled() {
    let written = json!({"_id": "a", "_seq_no": 4, "_version": 2, "result": "updated"});
    let document = json!({"_id": "a", "_seq_no": 4, "_version": 2, "_source": {"n": 1},
        "_routing": "r", "found": true});
    let hits = json!({"_shards": {"failed": 0}, "hits": {"hits": [document.clone()]}});
    let many = json!({"docs": [document.clone(), {"_id": "b", "found": false}]});
    let mut answers = replies([written, document, hits, many]);
    answers.push(Reply::Json(404, json!({"_id": "b", "found": false})));
    answers.push(Reply::Json(404, json!({"_id": "b", "result": "not_found", "_seq_no": 5})));
    answers.push(Reply::Json(200, json!({"docs": []})));
    let server = Server::start(answers).await;
    let cluster = cluster(&server);
    let written = cluster.update_doc("i", "a", &json!({"n": 1})).await.unwrap();
    assert_eq!((written.seq_no, written.result.as_str()), (4, "updated"));
    let document = cluster.get_doc("i", "a").await.unwrap().unwrap();
    assert_eq!(document.key.routing.as_deref(), Some("r"));
    let sampled = cluster.sample_docs("i", 42, 10).await.unwrap();
    assert_eq!(sampled, std::slice::from_ref(&document));
    let keys = [document.key.clone(), DocKey { id: "b".to_owned(), routing: None }];
    assert_eq!(cluster.get_docs("i", &keys).await.unwrap(), [Some(document), None]);
    assert_eq!(cluster.get_doc("i", "b").await.unwrap(), None);
    assert!(not_found(&cluster.delete_doc("i", "b").await.unwrap_err()));
    assert!(unreadable(&cluster.get_docs("i", &keys).await));
    let seen = server.seen();
    assert_eq!(seen[0].json(), json!({"doc": {"n": 1}}));
    let score = &seen[2].json()["query"]["function_score"]["random_score"];
    assert_eq!(score, &json!({"seed": 42, "field": "_seq_no"}));
    assert_eq!(seen[3].json(), json!({"docs": [{"_id": "a", "routing": "r"}, {"_id": "b"}]}));
}

#[tokio::test]
async fn the_health_of_an_index_needs_the_index() {
    let red = json!({"status": "red", "timed_out": true, "active_primary_shards": 0,
        "unassigned_shards": 0, "initializing_shards": 0});
    let restoring = json!({"status": "red", "timed_out": false, "initializing_shards": 3});
    let server =
        Server::start(vec![Reply::Json(408, red), Reply::Json(200, restoring), missing()]).await;
    let cluster = cluster(&server);
    assert_eq!(cluster.index_health("x").await.unwrap(), None);
    assert_eq!(cluster.index_health("i").await.unwrap().unwrap().initializing_shards, 3);
    assert_eq!(cluster.index_health("x").await.unwrap(), None);
}

#[tokio::test]
async fn counts_need_every_shard() {
    let answers = replies([
        json!({"count": 12, "_shards": {"failed": 0}}),
        json!({"count": 3, "_shards": {"failed": 1}}),
        json!({"_shards": {"failed": 0}}),
    ]);
    let server = Server::start(answers).await;
    let cluster = cluster(&server);
    assert_eq!(cluster.count_docs("i").await.unwrap(), 12);
    assert!(matches!(cluster.count_docs("i").await, Err(Fault::Transient { .. })));
    assert!(unreadable(&cluster.count_docs("i").await));
}
