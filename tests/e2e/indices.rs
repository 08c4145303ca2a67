//! Rollback and the indices of the follower: what is ours, what is somebody's, what is told.

use crate::env::{Cloud, Env};
use serde_json::{Value, json};

const INDEX: &str = "logs-2026-10";
const LEADER: &str = "es-cn-leader000001";

/// A link with this rule that was set up.
fn linked(rule: &str) -> Env {
    let env = Env::new();
    let text = format!("{}on_rollback = \"{rule}\"\n", escrr_steps::spec::defaults::SANDBOX);
    let spec = env.write("link.toml", &text);
    drop(env.escrr(&["run", &spec, "--yes"]).exits(0));
    env
}

fn promote(env: &Env) {
    for call in ["_ccr/pause_follow", "_close", "_ccr/unfollow", "_open"] {
        drop(env.cloud.post("follower", &format!("/{INDEX}/{call}"), &json!({})));
    }
    drop(env.cloud.put("follower", &format!("/{INDEX}/_doc/own"), &json!({"only": "here"})));
}

/// Index and fate of every row.
fn fates(document: &Value) -> Vec<(String, String)> {
    let rows = document["indices"].as_array().expect("indices").iter();
    rows.map(|row| {
        assert!(!row["why"].as_str().unwrap_or_default().is_empty(), "{row}");
        let text = |key: &str| row[key].as_str().unwrap_or_default().to_owned();
        (text("index"), text("fate"))
    })
    .collect()
}

fn fate(index: &str, fate: &str) -> (String, String) {
    (index.to_owned(), fate.to_owned())
}

#[test]
fn a_promoted_index_is_left_with_its_documents_whatever_the_rule() {
    let env = linked("delete");
    promote(&env);
    let back = env.escrr(&["rollback", "--yes", "--output", "json"]).exits(0).json();
    assert_eq!(fates(&back), [fate(INDEX, "left"), fate("logs-2026-11", "deleted")]);
    assert_eq!(env.cloud.ask("follower", &format!("/{INDEX}/_count"))["count"], 121);
    assert_eq!(env.cloud.ask("follower", "/logs-2026-11/_count")["status"], 404);
    let audit = env.escrr(&["audit", "--output", "json"]).exits(0).json();
    assert_eq!(audit["indices"], back["indices"]);
}

#[test]
fn an_index_that_was_created_again_is_left_and_a_copy_that_was_followed_again_is_told() {
    let env = linked("delete");
    for index in [INDEX, "logs-2026-11"] {
        drop(env.cloud.delete("follower", &format!("/{index}")));
    }
    drop(env.cloud.put("follower", &format!("/{INDEX}/_doc/own"), &json!({"only": "here"})));
    let body = json!({"remote_cluster": LEADER, "leader_index": "logs-2026-11"});
    drop(env.cloud.put("follower", "/logs-2026-11/_ccr/follow", &body));
    env.cloud.pass(600);
    let back = env.escrr(&["rollback", "--yes", "--output", "json"]).exits(0).json();
    assert_eq!(fates(&back), [fate(INDEX, "left"), fate("logs-2026-11", "deleted")]);
    let why = |at: usize| back["indices"][at]["why"].as_str().unwrap().to_owned();
    assert!(why(0).contains("deleted and created again"), "{}", why(0));
    assert!(why(1).contains("followed again"), "{}", why(1));
    assert_eq!(env.cloud.ask("follower", &format!("/{INDEX}/_count"))["count"], 1);
    // What was about to be taken back stands in the journal by name.
    drop(env.alone(&["events"]).exits(0).says("taking back logs-2026-11"));
}

#[test]
fn the_question_and_the_result_name_every_index() {
    let env = linked("delete");
    promote(&env);
    // Nobody is there to answer: the list is in the log of what would be done with -v.
    let back = env.escrr(&["rollback", "--yes", "-v"]).exits(0);
    for row in ["INDEX ON THE FOLLOWER", "logs-2026-11", "deleted", "promoted by somebody"] {
        assert!(back.stderr.contains(row), "{row} is missing in\n{}", back.stderr);
    }
    assert!(back.stdout.contains("left") && back.stdout.contains("promoted"), "{}", back.stdout);
    assert!(!back.stdout.contains("stays     follower.existing_indices"), "{}", back.stdout);
}

#[test]
fn what_the_pattern_followed_after_the_run_is_open_and_readable_afterwards() {
    let env = linked("keep");
    drop(env.cloud.put("leader", "/logs-2026-12", &json!({})));
    drop(env.cloud.put("leader", "/logs-2026-12/_doc/1", &json!({"n": 1})));
    env.cloud.pass(600);
    let back = env.escrr(&["rollback", "--yes", "--output", "json"]).exits(0).json();
    let released = |index| fate(index, "released");
    assert_eq!(fates(&back), [INDEX, "logs-2026-11", "logs-2026-12"].map(released));
    for (index, documents) in [(INDEX, 120), ("logs-2026-12", 1)] {
        assert_eq!(env.cloud.ask("follower", &format!("/{index}/_count"))["count"], documents);
    }
}

#[test]
fn a_follower_of_somebody_else_keeps_its_network_until_it_is_released_on_purpose() {
    let env = linked("delete");
    let body = json!({"remote_cluster": LEADER, "leader_index": INDEX});
    drop(env.cloud.put("follower", "/copy/_ccr/follow", &body));
    env.cloud.pass(600);
    let stuck = env.escrr(&["rollback", "--yes", "--output", "json"]).exits(8);
    let back = stuck.json();
    assert_eq!(back["state"], "rollback_stuck");
    let copy = fates(&back).into_iter().find(|row| row.0 == "copy");
    assert_eq!(copy, Some(fate("copy", "left")));
    drop(
        stuck
            .says("escrr rollback shanghai-hangzhou --release-foreign")
            .says("/copy/_ccr/unfollow"),
    );
    let kinds = env.inventory();
    let there = |kind: &str| kinds.as_array().unwrap().iter().any(|row| row["kind"] == kind);
    assert!(there("nlb") || there("load_balancer"), "{kinds}");
    let info = env.cloud.ask("follower", "/_remote/info");
    assert_eq!(info[LEADER]["connected"], true);
    // What was said is what leads on.
    let back = env.escrr(&[
        "rollback",
        "shanghai-hangzhou",
        "--release-foreign",
        "--yes",
        "--output",
        "json",
    ]);
    let copy = fates(&back.exits(0).json()).into_iter().find(|row| row.0 == "copy");
    assert_eq!(copy, Some(fate("copy", "released")));
    assert_eq!(env.cloud.ask("follower", "/copy/_count")["count"], 120);
    assert_eq!(env.cloud.ask("follower", "/_remote/info")[LEADER], Value::Null);
}

#[test]
fn the_write_index_of_a_replicated_stream_is_told_with_what_helps() {
    const BACKING: &str = ".ds-logs-app-2026.10.01-000001";
    let world = include_str!("../sandbox/worlds/version-8.toml");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("world.toml");
    std::fs::write(&file, world).unwrap();
    let env = Env::over(Cloud::start(&["--world", file.to_str().unwrap()]));
    drop(env.cloud.put("leader", &format!("/{BACKING}"), &json!({})));
    let text = format!("{}indices = [\"{BACKING}\"]\n", escrr_steps::spec::defaults::SANDBOX);
    let spec = env.write("link.toml", &text);
    drop(env.escrr(&["run", &spec, "--yes"]).exits(0));
    let stuck = env.escrr(&["rollback", "--yes"]).exits(8);
    drop(
        stuck
            .says("write index of the replicated data stream logs-app")
            .says("/logs-app/_rollover"),
    );
    // Everything else is released already.
    assert_eq!(env.cloud.ask("follower", &format!("/{INDEX}/_count"))["count"], 120);
    drop(env.cloud.post("follower", "/_data_stream/_promote/logs-app", &json!({})));
    drop(env.cloud.post("follower", "/logs-app/_rollover", &json!({})));
    let back = env.escrr(&["rollback", "--yes", "--output", "json"]).exits(0).json();
    assert!(fates(&back).contains(&fate(BACKING, "released")), "{back}");
    assert_eq!(env.cloud.ask("follower", &format!("/{BACKING}/_count"))["count"], 0);
}

#[test]
fn copies_that_a_rollback_kept_are_known_to_the_next_run_and_the_way_out_works() {
    let env = Env::new();
    drop(env.escrr(&["run", "--yes"]).exits(0));
    let back = env.escrr(&["rollback", "--yes"]).exits(0);
    drop(back.says("2 indices kept on the follower").says("DELETE /logs-2026-10,logs-2026-11"));
    let again = env.escrr(&["run", "--yes"]).exits(5);
    drop(
        again.says("an earlier rollback of this link kept its copies: logs-2026-10, logs-2026-11"),
    );
    // The printed way: the copies go, and the run that created nothing hinders nobody.
    drop(env.cloud.delete("follower", "/logs-2026-10,logs-2026-11"));
    drop(env.escrr(&["run", "--yes"]).exits(0));
}

#[test]
fn an_ordinary_index_of_somebody_is_told_from_a_kept_copy() {
    let env = Env::new();
    drop(env.escrr(&["run", "--yes"]).exits(0));
    drop(env.escrr(&["rollback", "--yes"]).exits(0));
    drop(env.cloud.delete("follower", &format!("/{INDEX}")));
    drop(env.cloud.put("follower", &format!("/{INDEX}"), &json!({})));
    let again = env.escrr(&["run", "--yes"]).exits(5);
    drop(
        again
            .says("an ordinary index of this name is on the follower: logs-2026-10")
            .says("an earlier rollback of this link kept its copies: logs-2026-11"),
    );
}

#[test]
fn the_pattern_that_avoids_the_kept_copies_works_beside_them() {
    let env = Env::new();
    drop(env.escrr(&["run", "--yes"]).exits(0));
    drop(env.escrr(&["rollback", "--yes"]).exits(0));
    drop(env.escrr(&["run", "--yes"]).exits(5).says("follow_index_pattern"));
    let text = format!(
        "{}follow_index_pattern = \"{{{{leader_index}}}}-copy\"\n",
        escrr_steps::spec::defaults::SANDBOX
    );
    let spec = env.write("link.toml", &text);
    drop(env.escrr(&["run", &spec, "--yes"]).exits(0));
    assert_eq!(env.cloud.ask("follower", "/logs-2026-10-copy/_count")["count"], 120);
}
