//! The whole document in one command, and back.

use crate::env::{Env, bare, output};

#[test]
fn the_first_command_needs_nothing_and_verifies_all_six_steps() {
    let home = tempfile::tempdir().unwrap();
    let ran = output(bare(home.path()).args(["run", "--sandbox"])).exits(0);
    for step in 1..=6 {
        let headed = ran.stdout.lines().any(|line| line.starts_with(&format!("{step} ")));
        assert!(headed, "step {step} is missing:\n{}", ran.stdout);
    }
    let listed = output(bare(home.path()).args(["list"])).exits(0);
    drop(listed.says("shanghai-hangzhou"));
}

#[test]
fn a_second_run_changes_nothing() {
    let env = Env::new();
    drop(env.escrr(&["run", "--yes"]).exits(0));
    let (changes, inventory) = (env.changes(), env.inventory());
    drop(env.escrr(&["run", "--yes"]).exits(0));
    assert_eq!(env.changes(), changes);
    assert_eq!(env.inventory(), inventory);
}

#[test]
fn rollback_leaves_the_world_as_it_was_and_the_data_readable() {
    let env = Env::new();
    let before = env.inventory();
    drop(env.escrr(&["run", "--yes"]).exits(0));
    assert_ne!(env.inventory(), before);
    drop(env.escrr(&["rollback", "--yes"]).exits(0));
    assert_eq!(env.inventory(), before);
    let count = env.cloud.ask("follower", "/logs-2026-10/_count");
    assert_eq!(count["count"], 120);
    // Nothing is left to take back, and saying so is no failure.
    drop(env.escrr(&["rollback", "--yes"]).exits(0));
}

#[test]
fn the_events_afterwards_are_the_lines_of_the_run() {
    let env = Env::new();
    let ran = env.escrr(&["run", "--yes", "--output", "ndjson"]).exits(0);
    let events = env.alone(&["events", "--output", "ndjson"]).exits(0);
    assert_eq!(ran.stdout, events.stdout);
    let first: serde_json::Value =
        serde_json::from_str(ran.stdout.lines().next().unwrap()).unwrap();
    assert_eq!(first["schema"], "escrr.events/1");
    let seqs: Vec<u64> = ran
        .stdout
        .lines()
        .skip(1)
        .map(|l| serde_json::from_str::<serde_json::Value>(l).unwrap()["seq"].as_u64().unwrap())
        .collect();
    assert!(seqs.iter().enumerate().all(|(at, seq)| *seq == at as u64 + 1), "{seqs:?}");
}

#[test]
fn the_result_as_json_holds_what_scripts_rely_on() {
    let env = Env::new();
    let ran = env.escrr(&["run", "--yes", "--output", "json"]).exits(0).json();
    for key in ["saga", "link", "state", "exit_code", "class", "resumable", "next_command", "nodes"]
    {
        assert!(ran.get(key).is_some(), "{key} is missing in {ran}");
    }
    assert_eq!(ran["exit_code"], 0);
    let nodes = ran["nodes"].as_array().unwrap();
    assert!(nodes.len() > 40);
    for key in ["id", "phase", "state", "origin", "started", "ended", "attempts", "output"] {
        assert!(nodes.iter().all(|n| n.get(key).is_some()), "{key} is missing in a node");
    }
}
