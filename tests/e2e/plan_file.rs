//! `escrr plan --out FILE`, and `escrr run --plan FILE`: exactly that, or nothing.

use crate::env::{Env, Output};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use std::os::unix::fs::PermissionsExt as _;

const SPEC: &str = escrr_steps::spec::defaults::SANDBOX;

/// A home over a fresh cloud, with a plan file for the sandbox's own spec.
fn planned() -> (Env, String) {
    let env = Env::new();
    let file = env.home.path().join("plan.json").display().to_string();
    drop(env.escrr(&["plan", "--out", &file]).exits(0).says("wrote "));
    (env, file)
}

/// Runs the plan, which is refused, and nothing is done.
fn refused(env: &Env, arguments: &[&str], code: i32) -> Output {
    let changes = env.changes();
    let all: Vec<&str> = ["run", "--yes"].iter().chain(arguments).copied().collect();
    let refused = env.escrr(&all).exits(code);
    assert_eq!(env.changes(), changes);
    drop(env.alone(&["status"]).exits(2).says("no saga"));
    refused
}

/// Changes a plan file as its maker could have written it: the checksum fits.
fn rewrite(path: &str, change: impl FnOnce(&mut Value)) {
    let mut plan: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    change(&mut plan);
    plan.as_object_mut().unwrap().remove("checksum");
    let sum = Sha256::digest(plan.to_string());
    let hex: Vec<String> = sum.iter().map(|byte| format!("{byte:02x}")).collect();
    plan["checksum"] = hex.concat().into();
    std::fs::write(path, plan.to_string()).unwrap();
}

#[test]
fn a_plan_that_was_kept_is_carried_out() {
    let (env, file) = planned();
    let kept = std::fs::read_to_string(&file).unwrap();
    let mode = std::fs::metadata(&file).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let line = env.cloud.line();
    for secret in ["access_key_secret", "elastic_password"] {
        assert!(!kept.contains(line[secret].as_str().unwrap()), "{secret} is in {kept}");
    }
    let plan: Value = serde_json::from_str(&kept).unwrap();
    let to_make: Vec<&str> = plan["nodes"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|node| node["verdict"] == "make")
        .map(|node| node["node"].as_str().unwrap())
        .collect();
    let ran = env.escrr(&["run", "--plan", &file, "--yes", "--output", "json"]).exits(0).json();
    for node in ran["nodes"].as_array().unwrap() {
        let id = node["id"].as_str().unwrap();
        // Verification is no part of a plan, and published routes come by themselves.
        let free = id.starts_with("verify.") || id.ends_with(".vpc_route");
        assert!(free || to_make.contains(&id) == (node["origin"] == "made"), "{node}");
    }
    // Carried out, it is of no use a second time, and says why.
    let again = env.escrr(&["run", "--plan", &file, "--yes", "--output", "json"]).exits(3);
    assert_eq!(again.json()["error"]["code"], "E0509");
    drop(again.says("network.cen: was to be made, is there, made by this link (cen-"));
}

#[test]
fn a_finished_link_has_a_plan_that_does_nothing_and_a_live_one_has_none() {
    let (env, file) = planned();
    env.fault(&["--refuse", "Forbidden.RAM", "--status", "403", "--action", "CreateListener"]);
    drop(env.escrr(&["run", "--plan", &file, "--yes"]).exits(4));
    // Half made, it is carried on by its own journal and not by a plan.
    drop(env.escrr(&["plan", "--out", &file]).exits(1).says("error[E0501]").says("escrr resume"));
    drop(env.escrr(&["run", "--plan", &file, "--yes"]).exits(1).says("error[E0501]"));
    drop(env.escrr(&["plan"]).exits(0).says("next: escrr resume"));
    env.fault(&["--clear"]);
    drop(env.escrr(&["resume"]).exits(0));
    let changes = env.changes();
    drop(env.escrr(&["plan", "--out", &file, "--detailed-exitcode"]).exits(0));
    drop(env.escrr(&["run", "--plan", &file, "--yes"]).exits(0).says("already set up"));
    assert_eq!(env.changes(), changes);
}

#[test]
fn a_file_that_only_looks_like_it_was_touched_still_fits() {
    let (env, file) = planned();
    // Other whitespace is no other plan.
    rewrite(&file, |_| {});
    drop(env.escrr(&["run", "--plan", &file, "--yes"]).exits(0));
}

#[test]
fn a_changed_world_is_told_node_by_node() {
    let (env, file) = planned();
    let vswitch = json!({
        "RegionId": "cn-shanghai", "ZoneId": "cn-shanghai-g", "VpcId": "vpc-leader0001",
        "CidrBlock": "10.1.77.0/24", "VSwitchName": "somebody's",
    });
    env.cloud.call("Vpc", "CreateVSwitch", &vswitch);
    let said = refused(&env, &["--plan", &file], 3);
    drop(
        said.says("error[E0509]")
            .says("leader.vswitches: was to be made, is there, made by somebody else (vsw-")
            .says("network.zones: has vsw-")
            .says("plan again"),
    );
    // A plan of the world as it is now is carried out.
    drop(env.escrr(&["plan", "--out", &file]).exits(0));
    drop(env.escrr(&["run", "--plan", &file, "--yes"]).exits(0));
}

#[test]
fn another_spec_another_link_and_other_steps_are_refused() {
    let (env, file) = planned();
    let wider = env.write("wider.toml", &format!("{SPEC}[network]\nbandwidth_mbps = 200\n"));
    let said = refused(&env, &[&wider, "--plan", &file], 2);
    drop(said.says("error[E0103]").says("the spec has changed").says("wider.toml"));
    let other = env.write("other.toml", &SPEC.replace("\"shanghai-hangzhou\"", "\"other-link\""));
    let said = refused(&env, &[&other, "--plan", &file], 2);
    drop(said.says("it is for the link shanghai-hangzhou, not for other-link"));
    let both = refused(&env, &[&wider, &other, "--plan", &file], 2);
    drop(both.says("a plan is for one link"));
    rewrite(&file, |plan| plan["catalog_edition"] = "0123456789ab".into());
    let said = refused(&env, &["--plan", &file], 2);
    drop(said.says("the steps have changed").says("0123456789ab"));
    rewrite(&file, |plan| plan["world"] = "cloud".into());
    drop(refused(&env, &["--plan", &file], 2).says("it is for the real cloud, not for a sandbox"));
}

#[test]
fn a_damaged_file_is_refused_whatever_is_wrong_with_it() {
    let (env, file) = planned();
    let whole = std::fs::read_to_string(&file).unwrap();
    let damages = [
        ("", "is not a plan file, or it is damaged"),
        (&whole[..whole.len() / 2], "is not a plan file, or it is damaged"),
        ("{\"schema\": \"something.else/1\"}", "is not a plan file"),
        ("{\"schema\": \"escrr.plan-file/1\"}", "is damaged: missing field"),
        ("{\"schema\": \"escrr.plan-file/2\", \"new\": 1}", "has the schema escrr.plan-file/2"),
        (&whole.replacen("\"make\"", "\"found\"", 1), "its checksum does not fit"),
        (&whole.replacen("\"link\"", "\"links\"", 1), "is damaged: unknown field"),
    ];
    for (text, says) in damages {
        std::fs::write(&file, text).unwrap();
        drop(refused(&env, &["--plan", &file], 2).says("error[E0102]").says(says));
    }
    std::fs::write(&file, [0xff, 0xfe, 0x00]).unwrap();
    drop(refused(&env, &["--plan", &file], 2).says("error[E0102]"));
    drop(refused(&env, &["--plan", "/nowhere/plan.json"], 2).says("error[E0004]"));
}

#[test]
fn only_a_plan_file_is_replaced_and_what_would_not_come_through_is_not_kept() {
    let (env, file) = planned();
    drop(env.escrr(&["plan", "--out", &file]).exits(0));
    let mine = env.write("mine.toml", SPEC);
    drop(env.escrr(&["plan", &mine, "--out", &mine]).exits(2).says("error[E0006]"));
    assert_eq!(std::fs::read_to_string(&mine).unwrap(), SPEC);
    drop(env.escrr(&["plan", "--out", "-"]).exits(2).says("name a file"));
    let nowhere = SPEC.replace("es-cn-follower0001", "es-cn-nowhere0001");
    let nowhere = env.write("nowhere.toml", &nowhere);
    let out = env.home.path().join("not.json").display().to_string();
    drop(env.escrr(&["plan", &nowhere, "--out", &out]).exits(5).says("no plan file was written"));
    assert!(!std::path::Path::new(&out).exists());
}
