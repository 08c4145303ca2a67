//! `escrr verify` and `escrr lag`: what is healthy is called so, and each trouble by its own name.

use crate::env::{Cloud, Env, Output};
use serde_json::{Value, json};
use std::process::{Command, Stdio};

const FOLLOWER: &str = "es-cn-follower0001";
const INDEX: &str = "logs-2026-10";

/// A link over a world that was built by a run; more text goes into the world's file.
fn linked(world: &str, more: &str) -> Env {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("world.toml");
    std::fs::write(&file, format!("{world}\n{more}")).unwrap();
    let env = Env::over(Cloud::start(&["--world", file.to_str().unwrap()]));
    drop(env.escrr(&["run", "--yes"]).exits(0));
    env
}

const WORLD_7: &str = include_str!("../sandbox/src/default_world.toml");
const WORLD_8: &str = include_str!("../sandbox/worlds/version-8.toml");

fn healthy() -> Env {
    linked(WORLD_7, "")
}

/// `escrr verify` with JSON, and its exit code.
fn verify(env: &Env, arguments: &[&str], code: i32) -> Value {
    let all: Vec<&str> = ["verify", "--output", "json"].iter().chain(arguments).copied().collect();
    let said = env.escrr(&all).exits(code).json();
    assert_eq!(said["exit_code"], code);
    assert!(!probes_are_left(env), "a probe is left after {arguments:?}");
    said
}

/// The kinds of what was found, with the index each is about.
fn found(said: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let rows = said["findings"].as_array().unwrap().iter();
    rows.map(|row| {
        for field in ["evidence", "meaning", "next"] {
            assert!(!text(&row[field]).is_empty(), "{field} is missing in {row}");
        }
        (text(&row["kind"]), text(&row["leader"]))
    })
    .collect()
}

fn of(kind: &str, index: &str) -> (String, String) {
    (kind.to_owned(), index.to_owned())
}

fn probes_are_left(env: &Env) -> bool {
    ["leader", "follower"].iter().any(|side| {
        let all = env.cloud.ask(side, "/_all/_settings");
        all.as_object().unwrap().keys().any(|name| name.contains("escrr_probe_"))
    })
}

#[test]
fn a_healthy_link_is_verified_by_saga_and_by_spec() {
    for world in [WORLD_7, WORLD_8] {
        let env = linked(world, "");
        let before = env.inventory();
        let said = verify(&env, &[], 0);
        assert_eq!((&said["state"], found(&said).len()), (&json!("verified"), 0));
        assert_eq!(said["probe"]["tried"], true);
        assert!(said["probe"]["latency_ms"].as_u64().unwrap() > 0);
        let indices = said["indices"].as_array().unwrap();
        let names: Vec<&Value> = indices.iter().map(|row| &row["leader"]).collect();
        assert_eq!(names, ["logs-2026-10", "logs-2026-11"]);
        for row in indices {
            assert_eq!((&row["state"], &row["lag_operations"]), (&json!("following"), &json!(0)));
            // The second index has two shards, and documents of both are compared.
            assert_eq!(row["contents"]["compared"], 20, "{row}");
        }
        let full = verify(&env, &["--full", "--no-probe"], 0);
        assert_eq!(full["probe"], Value::Null);
        let compared: Vec<&Value> = full["indices"]
            .as_array()
            .unwrap()
            .iter()
            .map(|r| &r["contents"]["compared"])
            .collect();
        assert_eq!(compared, [120, 40]);
        assert_eq!(env.inventory(), before);
        // Somebody else, who has nothing but the spec.
        let other = Env { home: tempfile::tempdir().unwrap(), cloud: env.cloud };
        let spec = other.write("link.toml", escrr_steps::spec::defaults::SANDBOX);
        let said = verify(&other, &["--spec", &spec], 0);
        assert_eq!((&said["saga"], &said["link"]), (&Value::Null, &json!("shanghai-hangzhou")));
        drop(other.escrr(&["lag", "--spec", &spec]).exits(0).says("following"));
    }
}

#[test]
fn a_hidden_index_that_matches_is_replicated_and_verified_like_any_other() {
    let hidden = "indices.logs-quiet = { documents = 250, shards = 2, hidden = true }";
    let place = "indices.logs-2026-11 =";
    let env = linked(&WORLD_7.replace(place, &format!("{hidden}\n{place}")), "");
    let said = verify(&env, &["--full", "--no-probe"], 0);
    let row = &said["indices"][2];
    assert_eq!((&row["leader"], &row["contents"]["compared"]), (&json!("logs-quiet"), &json!(250)));
}

#[test]
fn the_clusters_are_compared_over_every_way_in() {
    for way in ["kibana", "openapi"] {
        let env = Env::new();
        let access = |side: &str| format!("[{side}.access]\nway = \"{way}\"\n");
        let text = escrr_steps::spec::defaults::SANDBOX;
        let spec = format!("{text}\n{}{}", access("leader"), access("follower"));
        let spec = env.write("link.toml", &spec);
        drop(env.escrr(&["run", &spec, "--yes"]).exits(0));
        let said = verify(&env, &["--full"], 0);
        assert_eq!(said["indices"][0]["contents"]["compared"], 120, "{way}");
        env.cloud.alter(FOLLOWER, INDEX, "17", None);
        assert_eq!(verify(&env, &["--full", "--no-probe"], 9)["findings"][1]["leader"], INDEX);
    }
}

#[test]
fn a_run_samples_documents_beside_an_empty_shard() {
    let thin = "indices.logs-thin = { documents = 2, shards = 9 }";
    let place = "indices.logs-2026-11 =";
    let env = linked(&WORLD_7.replace(place, &format!("{thin}\n{place}")), "");
    let node = env.alone(&["show", "verify.existing", "--output", "json"]).exits(0).json();
    let rows = node["output"]["indices"].as_array().unwrap();
    let thin = rows.iter().find(|row| row["leader"] == "logs-thin").unwrap();
    assert_eq!((&thin["documents"], &thin["sampled"]), (&json!(2), &json!(2)));
}

#[test]
fn an_index_that_was_made_a_moment_ago_is_waited_for() {
    let env = healthy();
    drop(env.cloud.put("leader", "/logs-new", &json!({})));
    drop(env.cloud.put("leader", "/logs-new/_doc/1", &json!({"n": 1})));
    let said = verify(&env, &["--full", "--no-probe"], 0);
    let row = &said["indices"][2];
    assert_eq!((&row["leader"], &row["contents"]["compared"]), (&json!("logs-new"), &json!(1)));
}

#[test]
fn without_a_probe_nothing_is_written() {
    let env = healthy();
    let before = env.changes();
    drop(verify(&env, &["--no-probe", "--full"], 0));
    drop(env.escrr(&["lag"]).exits(0));
    assert_eq!(env.changes(), before);
}

#[test]
fn a_copy_that_was_altered_is_named() {
    let env = healthy();
    env.cloud.alter(FOLLOWER, INDEX, "17", Some(&json!({"n": -17})));
    let said = verify(&env, &["--full"], 9);
    assert_eq!(found(&said), [of("documents_differ", INDEX)]);
    let evidence = said["findings"][0]["evidence"].as_str().unwrap();
    assert!(evidence.contains("1 of 120") && evidence.contains("17: other content"), "{evidence}");
    // A sample of everything finds it as well, and says where more is to be had.
    let said = verify(&env, &["--sample", "10000", "--no-probe"], 9);
    assert_eq!(found(&said), [of("documents_differ", INDEX)]);
    let next = said["next_command"].as_str().unwrap();
    assert!(next.starts_with("escrr verify shanghai-hangzhou --full"), "{next}");
}

#[test]
fn a_copy_that_is_gone_shows_in_the_count_and_by_name() {
    let env = healthy();
    env.cloud.alter(FOLLOWER, INDEX, "17", None);
    let said = verify(&env, &["--sample", "0", "--no-probe"], 9);
    assert_eq!(found(&said), [of("count_differs", INDEX)]);
    let said = verify(&env, &["--full", "--no-probe"], 9);
    assert_eq!(found(&said), [of("count_differs", INDEX), of("documents_differ", INDEX)]);
    assert!(said["findings"][1]["evidence"].as_str().unwrap().contains("17: not on the follower"));
}

#[test]
fn a_document_that_only_the_follower_has_is_named() {
    let env = healthy();
    env.cloud.alter("es-cn-leader000001", INDEX, "17", None);
    let said = verify(&env, &["--full", "--no-probe"], 9);
    assert_eq!(found(&said), [of("count_differs", INDEX), of("documents_differ", INDEX)]);
    assert!(said["findings"][1]["evidence"].as_str().unwrap().contains("17: only on the follower"));
}

#[test]
fn a_paused_follower_is_named_and_its_lease_watched() {
    let env = healthy();
    drop(env.cloud.post("follower", &format!("/{INDEX}/_ccr/pause_follow"), &json!({})));
    assert_eq!(found(&verify(&env, &[], 9)), [of("paused", INDEX)]);
    env.cloud.pass(7 * 3600);
    let said = verify(&env, &["--no-probe"], 9);
    assert_eq!(found(&said), [of("paused", INDEX), of("lease_at_risk", INDEX)]);
    env.cloud.pass(6 * 3600);
    let said = verify(&env, &["--no-probe"], 9);
    assert_eq!(found(&said), [of("paused", INDEX), of("lease_gone", INDEX)]);
}

#[test]
fn lost_history_is_named_and_a_new_copy_advised() {
    let env = healthy();
    drop(env.cloud.post("follower", &format!("/{INDEX}/_ccr/pause_follow"), &json!({})));
    for _ in 0..2 {
        drop(env.cloud.post("leader", &format!("/{INDEX}/_doc/new"), &json!({"n": 0})));
    }
    env.cloud.pass(13 * 3600);
    drop(env.cloud.post("follower", &format!("/{INDEX}/_ccr/resume_follow"), &json!({})));
    env.cloud.pass(5);
    let said = verify(&env, &["--no-probe"], 9);
    assert_eq!(found(&said), [of("history_lost", INDEX)]);
    let finding = &said["findings"][0];
    assert!(finding["meaning"].as_str().unwrap().contains("only a new copy helps"), "{finding}");
    assert!(finding["next"].as_str().unwrap().contains("DELETE /logs-2026-10"), "{finding}");
    // Nor does the doctor offer to resume what would die again.
    let said = env.escrr(&["doctor", "--output", "json"]).exits(5).json();
    let finding = &said["findings"][0];
    assert_eq!((&finding["check"], &finding["remedy"]), (&json!("F8"), &json!(null)), "{said}");
    assert!(finding["next"].as_str().unwrap().contains("DELETE /logs-2026-10"), "{finding}");
}

#[test]
fn a_missing_follower_and_one_in_the_way_are_named() {
    let env = healthy();
    drop(env.cloud.delete("follower", &format!("/{INDEX}")));
    assert_eq!(found(&verify(&env, &["--no-probe"], 9)), [of("follower_missing", INDEX)]);
    drop(env.cloud.post("follower", &format!("/{INDEX}/_doc/1"), &json!({"n": 1})));
    let said = env.escrr(&["verify", "--no-probe"]).exits(9);
    drop(said.says("logs-2026-10: not a follower"));
    drop(env.cloud.delete("follower", "/_ccr/auto_follow/escrr-shanghai-hangzhou"));
    let said = verify(&env, &[], 9);
    assert_eq!(found(&said), [of("auto_follow_missing", ""), of("not_a_follower", INDEX)]);
    assert_eq!(said["probe"]["tried"], false);
}

#[test]
fn a_lag_above_its_limit_is_proved_and_below_it_is_none() {
    let env = linked(WORLD_7, "[durations]\n\"Es.Replicate\" = 80.0\n");
    let write = || {
        for n in 0..3 {
            drop(env.cloud.post("leader", &format!("/{INDEX}/_doc/late{n}"), &json!({"n": n})));
        }
    };
    write();
    let said = verify(&env, &["--no-probe"], 9);
    assert_eq!(found(&said), [of("lag_time", INDEX)]);
    let row = &said["indices"][0];
    assert_eq!((&row["lag_operations"], &row["lag_at_least_ms"]), (&json!(3), &json!(60_000)));
    write();
    let said = env.escrr(&["lag", "--max-lag-seconds", "100", "--output", "json"]).exits(0).json();
    let most_ms = said["indices"][0]["lag_at_most_ms"].as_u64().unwrap();
    assert!((1..=90_000).contains(&most_ms), "{most_ms}");
    write();
    let limits = ["lag", "--max-lag-seconds", "100", "--max-lag-operations", "2"];
    drop(env.escrr(&limits).exits(9).says("too many operations behind"));
    // Everything has arrived by now, and an update takes as long as before.
    let said = verify(&env, &["--full"], 9);
    let kinds: Vec<String> = found(&said).into_iter().map(|(kind, _)| kind).collect();
    assert_eq!(kinds, ["lag_time"]);
    assert!(said["findings"][0]["evidence"].as_str().unwrap().contains("an update took"));
}

#[test]
fn a_leader_that_cannot_be_read_is_named_on_every_index() {
    let env = healthy();
    let settings = json!({"persistent": {"cluster.remote.es-cn-leader000001.proxy_address": "nowhere.example:9300"}});
    drop(env.cloud.put("follower", "/_cluster/settings", &settings));
    env.cloud.pass(30);
    let said = verify(&env, &["--no-probe"], 9);
    let silent = [of("reads_fail", INDEX), of("reads_fail", "logs-2026-11")];
    // The pattern cannot look for new indices either, and says so.
    assert_eq!(found(&said), [&[of("auto_follow_error", "")], &silent[..]].concat());
    env.cloud.pass(3600);
    let said = verify(&env, &["--no-probe"], 9);
    assert_eq!(&found(&said)[found(&said).len() - 2..], silent);
}

#[test]
fn a_probe_that_fails_is_removed_all_the_same() {
    let env = healthy();
    for action in ["IndexDocument", "DeleteDocument", "Update", "Refresh"] {
        env.fault(&["--product", "Es", "--action", action, "--refuse", "OperationDenied.Sandbox"]);
        let more: &[&str] = if action == "Refresh" { &["--no-probe"] } else { &[] };
        let mut arguments = vec!["verify", "--output", "json"];
        arguments.extend(more);
        let said = env.escrr(&arguments);
        // A cluster that refuses to be looked at is no failed verification.
        let said = said.exits(if action == "Refresh" { 1 } else { 9 }).json();
        if action != "Refresh" {
            let kinds: Vec<String> = found(&said).into_iter().map(|(kind, _)| kind).collect();
            assert_eq!(kinds, ["probe_failed"], "{action}");
        }
        assert!(!probes_are_left(&env), "{action}");
        env.fault(&["--clear"]);
    }
    drop(verify(&env, &[], 0));
}

#[test]
fn answers_that_are_lost_leave_no_probe_and_no_finding() {
    let env = healthy();
    for action in ["CreateIndex", "IndexDocument", "DeleteDocument", "Update", "DeleteIndex"] {
        env.fault(&["--product", "Es", "--action", action, "--nth", "1", "--lost"]);
        assert_eq!(found(&verify(&env, &[], 0)), [], "{action}");
    }
}

#[test]
fn an_interrupted_verification_removes_its_probe() {
    let env = Env::over(Cloud::start(&["--speed", "200"]));
    drop(env.escrr(&["run", "--yes"]).exits(0));
    // The document is written, and whoever wrote it never hears of it.
    let never = "2000000000";
    env.fault(&["--product", "Es", "--action", "IndexDocument", "--delay-ms", never]);
    let child = env.command(&["verify"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    let mut child = child.unwrap();
    while !probes_are_left(&env) {
        assert_eq!(child.try_wait().unwrap(), None, "it ended without a probe");
    }
    let interrupted = Command::new("kill").args(["-INT", &child.id().to_string()]).status();
    assert!(interrupted.unwrap().success());
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert!(!probes_are_left(&env));
}

#[test]
fn a_probe_that_a_kill_left_is_told_of_and_no_finding() {
    let env = healthy();
    env.fault(&["--product", "Es", "--action", "DeleteDocument", "--kill", "before"]);
    env.escrr(&["verify"]).dies_by_kill("before the deletion");
    env.fault(&["--clear"]);
    let said = env.escrr(&["verify", "--no-probe"]).exits(0);
    drop(said.says("escrr_probe_"));
}

/// Where the names of probes are kept.
fn records(env: &Env) -> usize {
    let folder = env.home.path().join("state/probes");
    std::fs::read_dir(folder).map_or(0, Iterator::count)
}

#[test]
fn the_probe_of_a_killed_verification_is_listed_and_removed() {
    for (action, when) in [("CreateIndex", "before"), ("CreateIndex", "after"), ("Update", "after")]
    {
        let env = healthy();
        env.fault(&["--product", "Es", "--action", action, "--kill", when]);
        env.escrr(&["verify"]).dies_by_kill("while it wrote the probe");
        env.fault(&["--clear"]);
        assert_eq!(records(&env), 1, "{action}: the name is in the home before it is created");
        let audit = env.escrr(&["audit", "--output", "json"]).exits(8).json();
        assert!(audit["probes"][0].as_str().unwrap().contains("escrr_probe_"), "{audit}");
        drop(verify(&env, &["--no-probe"], 0));
        assert_eq!((records(&env), probes_are_left(&env)), (0, false), "{action}");
        drop(env.escrr(&["audit"]).exits(0));
    }
}

#[test]
fn a_rollback_removes_the_probe_of_a_killed_verification_also_afterwards() {
    let env = healthy();
    let kill = || {
        env.fault(&["--product", "Es", "--action", "DeleteDocument", "--kill", "before"]);
        env.escrr(&["verify"]).dies_by_kill("before the deletion");
        env.fault(&["--clear"]);
    };
    kill();
    let record = env.home.path().join("state/probes");
    let name = std::fs::read_dir(&record).unwrap().next().unwrap().unwrap().path();
    let text = std::fs::read(&name).unwrap();
    let back = env.escrr(&["rollback", "--yes", "--output", "json"]).exits(0).json();
    assert_eq!((records(&env), probes_are_left(&env)), (0, false));
    let names = back["indices"].to_string();
    assert!(!names.contains("escrr_probe_"), "{names}");
    // As after a rollback that could not remove it.
    std::fs::write(&name, text).unwrap();
    drop(env.escrr(&["audit"]).exits(8).says("escrr rollback shanghai-hangzhou"));
    drop(env.escrr(&["rollback", "--yes"]).exits(0));
    assert_eq!(records(&env), 0);
}

#[test]
fn a_matching_index_that_vanishes_while_it_is_looked_at_fails_no_run() {
    // The probe of another process: there when the followers are made, gone when they are compared.
    let spare = "indices.logs-escrr_probe_other = { documents = 3 }\nindices.logs-short = { documents = 3 }";
    let place = "indices.logs-2026-11 =";
    let world = WORLD_7.replace(place, &format!("{spare}\n{place}"));
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("world.toml");
    std::fs::write(&file, world).unwrap();
    let env = Env::over(Cloud::start(&["--world", file.to_str().unwrap()]));
    // The run dies when both are followed, and goes on when the leader has neither any more.
    env.fault(&["--product", "Es", "--action", "Refresh", "--kill", "before"]);
    env.escrr(&["run", "--yes"]).dies_by_kill("before it compares");
    env.fault(&["--clear"]);
    for side in ["follower", "leader"] {
        for index in ["logs-escrr_probe_other", "logs-short"] {
            drop(env.cloud.delete(side, &format!("/{index}")));
        }
    }
    drop(env.escrr(&["resume"]).exits(0));
    drop(verify(&env, &["--no-probe"], 0));
}

#[test]
fn people_read_it_at_eighty_columns_and_programs_line_by_line() {
    let env = healthy();
    drop(env.cloud.post("follower", &format!("/{INDEX}/_ccr/pause_follow"), &json!({})));
    let Output { stdout, stderr, .. } = env.escrr(&["verify"]).exits(9);
    assert!(stdout.lines().all(|line| line.chars().count() <= 80), "{stdout}");
    assert!(stdout.contains("logs-2026-10: paused\n  seen  "), "{stdout}");
    assert!(stderr.contains("error[E1005]: shanghai-hangzhou: 1 finding"), "{stderr}");
    let lines = env.escrr(&["verify", "--output", "ndjson"]).exits(9);
    let types: Vec<String> = lines
        .stdout
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["type"].as_str().unwrap().into())
        .collect();
    assert_eq!(types, ["index", "index", "finding", "result"]);
}

#[test]
fn what_is_not_there_cannot_be_verified() {
    let env = Env::new();
    drop(env.escrr(&["verify"]).exits(2).says("--spec FILE"));
    drop(env.escrr(&["run", "--yes"]).exits(0));
    drop(env.escrr(&["rollback", "--yes"]).exits(0));
    drop(env.escrr(&["verify"]).exits(2).says("was taken back"));
}
