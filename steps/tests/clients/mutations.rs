//! Answers that are a little wrong: they are read, called a bug or retried, and never crash.

use crate::cloud::client;
use crate::cluster::cluster;
use crate::server::{Reply, Server};
use escrr_engine::Fault;
use escrr_steps::aliyun::cbn::AttachmentFilter;
use serde_json::{Value, json};

/// Every value that differs from this one in a single place.
fn mutants(value: &Value) -> Vec<Value> {
    let odd = [json!(null), json!(7), json!(-1.5), json!("x"), json!(true), json!([]), json!({})];
    let mut found = odd.to_vec();
    match value {
        Value::Object(members) => {
            for (key, member) in members {
                let mut without = members.clone();
                without.remove(key);
                found.push(Value::Object(without));
                for mutant in mutants(member) {
                    let mut changed = members.clone();
                    changed.insert(key.clone(), mutant);
                    found.push(Value::Object(changed));
                }
            }
        }
        Value::Array(items) => {
            for (at, item) in items.iter().enumerate() {
                for mutant in mutants(item) {
                    let mut changed = items.clone();
                    changed[at] = mutant;
                    found.push(Value::Array(changed));
                }
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
    found
}

fn assert_sober<T>(mutant: &Value, outcome: Result<T, Fault>) {
    match outcome {
        Ok(_) | Err(Fault::Bug(_) | Fault::Transient { .. }) => {}
        // The answer says nothing that can be understood, and that is said.
        Err(Fault::Refused { report, .. }) if report.code.as_deref() == Some("Unreadable") => {}
        Err(fault) => panic!("{mutant} gave {fault:?}"),
    }
}

fn replies(mutants: &[Value]) -> Vec<Reply> {
    mutants.iter().map(|mutant| Reply::Json(200, mutant.clone())).collect()
}

#[tokio::test]
async fn the_cloud_s_answers() {
    let row = json!({"TransitRouterAttachmentId": "a", "Bandwidth": 100, "Tags": [
        {"Key": "k", "Value": "v"}], "AutoPublishRouteEnabled": true, "Status": "Attached"});
    let list = json!({"RequestId": "r", "TotalCount": 1, "TransitRouterAttachments": [row]});
    let instance = json!({"RequestId": "r", "Result": {"instanceId": "i", "port": 9200,
        "networkConfig": {"whiteIpGroupList": [{"groupName": "g", "ips": ["1.1.1.1"]}]},
        "zoneInfos": [{"zoneId": "z"}], "tags": [{"tagKey": "a", "tagValue": "b"}]}});
    let lists = mutants(&list);
    let server = Server::start(replies(&lists)).await;
    let cloud = client(&server);
    for mutant in &lists {
        let filter = AttachmentFilter::default();
        assert_sober(mutant, cloud.cbn("r").list_peer_attachments(filter).await);
    }
    let instances = mutants(&instance);
    let server = Server::start(replies(&instances)).await;
    let cloud = client(&server);
    for mutant in &instances {
        assert_sober(mutant, cloud.elasticsearch("r").describe_instance("i").await);
    }
    assert!(lists.len() > 60 && instances.len() > 100);
}

#[tokio::test]
async fn the_cluster_s_answers() {
    let stats = json!({"auto_follow_stats": {"number_of_failed_follow_indices": 1,
        "recent_auto_follow_errors": [{"leader_index": "p:i", "timestamp": 1,
            "auto_follow_exception": {"type": "t", "reason": "r"}}]},
        "follow_stats": {"indices": [{"index": "f", "shards": [{"shard_id": 0,
            "leader_global_checkpoint": 5, "follower_global_checkpoint": 3,
            "read_exceptions": [{"exception": {"type": "t"}}],
            "fatal_exception": {"type": "t", "caused_by": {"reason": "r"}}}]}]}});
    let mutants = mutants(&stats);
    let server = Server::start(replies(&mutants)).await;
    let cluster = cluster(&server);
    for mutant in &mutants {
        assert_sober(mutant, cluster.ccr_stats().await);
    }
    assert!(mutants.len() > 100);
}
