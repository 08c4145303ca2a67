//! What a command says is what its last look saw.

use crate::env::Env;
use serde_json::{Value, json};

/// The id of the first resource of a kind.
fn id(env: &Env, kind: &str) -> String {
    let all = env.inventory();
    let row = all.as_array().unwrap().iter().find(|row| row["kind"] == kind).unwrap();
    row["id"].as_str().unwrap().to_owned()
}

fn call(env: &Env, product: &str, action: &str, params: &Value) {
    let answer = env.cloud.call(product, action, params);
    assert!(answer.get("error").is_none(), "{action}: {answer}");
    env.cloud.pass(600);
}

#[test]
fn a_resume_of_a_finished_link_says_what_is_gone() {
    let env = Env::new();
    drop(env.escrr(&["run", "--yes"]).exits(0));
    drop(env.escrr(&["resume"]).exits(0).says("nothing to do"));
    let listener = json!({"RegionId": "cn-hangzhou", "ListenerId": id(&env, "listener")});
    call(&env, "Nlb", "DeleteListener", &listener);
    let resumed = env.escrr(&["resume"]);
    assert_ne!(resumed.code, Some(0), "yesterday's success: {}", resumed.stdout);
    drop(resumed.says("follower.listener: is gone"));
}

#[test]
fn a_resume_builds_nothing_on_what_is_gone() {
    let env = Env::new();
    env.fault(&["--refuse", "QuotaExceeded", "--action", "CreateListener"]);
    assert_ne!(env.escrr(&["run", "--yes"]).code, Some(0));
    env.fault(&["--clear"]);
    let attachment = json!({"RegionId": "cn-shanghai", "Force": "true",
        "TransitRouterAttachmentId": id(&env, "vpc_attachment")});
    call(&env, "Cbn", "DeleteTransitRouterVpcAttachment", &attachment);
    let before = env.changes();
    drop(env.escrr(&["resume"]).exits(1).says("vpc_attachment").says("does not exist any more"));
    assert_eq!(env.changes(), before, "nothing was built on it");
    drop(env.escrr(&["rollback", "--yes"]).exits(0));
}

#[test]
fn a_link_with_less_bandwidth_than_the_spec_says_is_not_healthy() {
    let env = Env::new();
    drop(env.escrr(&["run", "--yes"]).exits(0));
    let less = json!({"RegionId": "cn-shanghai", "Bandwidth": "2",
        "TransitRouterAttachmentId": id(&env, "peer_attachment")});
    call(&env, "Cbn", "UpdateTransitRouterPeerAttachmentAttribute", &less);
    drop(env.escrr(&["doctor"]).exits(5).says("has 2 Mbit/s"));
}
