//! Who did it stands in the journal and in the log.

use crate::env::Env;
use serde_json::Value;

#[test]
fn every_event_of_a_person_names_identity_user_and_machine() {
    let env = Env::new();
    let order = ["--action", "CreateLoadBalancer", "--refuse", "QuotaExceeded.X", "--times", "2"];
    env.fault(&order);
    drop(env.escrr(&["run", "--yes"]).exits(6));
    drop(env.alone(&["retry", "follower.load_balancer", "--reason", "bought"]).exits(0));
    drop(env.escrr(&["resume"]).exits(6));
    drop(env.escrr(&["resume"]).exits(0));
    drop(env.escrr(&["rollback", "--yes"]).exits(0));
    let events = env.alone(&["events", "--output", "json"]).exits(0).json();
    let events = events["events"].as_array().unwrap();
    let of = |kind: &str| events.iter().filter(|e| e["type"] == kind).collect::<Vec<&Value>>();
    assert_eq!(of("resumed").len(), 2, "every resume is written down");
    for kind in ["created", "resumed", "rollback_begun", "decided"] {
        let all = of(kind);
        assert!(!all.is_empty(), "{kind}");
        for event in all {
            let actor = &event["actor"];
            assert!(actor["user"].as_str().is_some_and(|user| !user.is_empty()), "{event}");
            assert!(actor["host"].as_str().is_some_and(|host| !host.is_empty()), "{event}");
            assert_ne!(event["by"], "somebody", "{event}");
            // Who decides over a node asks the cloud nothing.
            let cloud = actor["cloud"].as_str().unwrap_or_default();
            assert!(kind == "decided" || cloud.starts_with("acs:ram::"), "{event}");
        }
    }
    drop(env.alone(&["events"]).exits(0).says("begun by ").says(" as acs:ram::"));
}

#[test]
fn the_log_names_each_change_with_its_request() {
    let env = Env::new();
    drop(env.escrr(&["run", "--yes"]).exits(0));
    let log = std::fs::read_to_string(env.home.path().join("state/logs/escrr.log")).unwrap();
    for change in env.changes() {
        let (product, action) = change.split_once(' ').unwrap();
        let named = |line: &&str| match product {
            "Es" => line.contains("changed Elasticsearch"),
            _ => line.contains(action) && line.contains("request_id="),
        };
        assert!(log.lines().any(|line| named(&line)), "{change} is missing in\n{log}");
    }
    assert!(!log.contains("DescribeInstance "), "what only looks is not in it: {log}");
}
