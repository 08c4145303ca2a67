//! The leader's allow list: open ones are left alone, narrowed ones get a group of the saga's own,
//! and a group keeps what others put into it.

use crate::env::{Cloud, Env, Output};
use crate::together::spec;
use serde_json::{Value, json};

const LEADER: &str = "es-cn-leader000001";
const FOLLOWER: &str = "es-cn-follower0001";
const WORLD: &str = include_str!("../sandbox/src/default_world.toml");
const OPEN: &str = include_str!("../sandbox/worlds/open-list.toml");
const BLOCKS: [&str; 2] = ["10.2.1.0/24", "10.2.2.0/24"];

/// The document's world with another allow list of the leader.
fn with_list(list: &str) -> Env {
    let version = "version = \"7.10.0\"\n";
    over(&WORLD.replace(version, &format!("{version}allow_list = [{list}]\n")))
}

fn over(world: &str) -> Env {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("world.toml");
    std::fs::write(&file, world).unwrap();
    Env::over(Cloud::start(&["--world", file.to_str().unwrap()]))
}

/// A change of the leader's allow list by somebody else.
fn change(env: &Env, mode: &str, group: &str, ips: &[&str]) {
    let group = json!({"groupName": group, "ips": ips, "whiteIpType": "PRIVATE_ES"});
    let body = json!({"modifyMode": mode, "whiteIpGroup": group});
    env.cloud.change("ModifyWhiteIps", LEADER, &body);
    env.cloud.pass(600);
}

/// How often the allow list was changed by `escrr`.
fn changes(env: &Env) -> usize {
    env.changes().iter().filter(|change| *change == "Elasticsearch ModifyWhiteIps").count()
}

fn entries(group: &str, ips: &[&str]) -> Vec<String> {
    ips.iter().map(|ip| format!("{group}/{ip}")).collect()
}

fn fixed(env: &Env) -> Output {
    env.escrr(&["doctor", "--fix", "--yes"]).exits(0)
}

#[test]
fn a_narrowed_list_gets_one_group_which_rollback_removes() {
    let env = Env::new();
    let before = env.inventory();
    drop(env.escrr(&["run", "--yes"]).exits(0));
    let group = env.group();
    let tail = group.strip_prefix("escrr_shanghai_hangzhou_").unwrap();
    let saga = env.alone(&["list", "--output", "json"]).exits(0).json().to_string();
    assert!(tail.len() == 8 && saga.contains(&format!("{tail}\"")), "{group} {saga}");
    assert_eq!(env.admitted(LEADER), entries(&group, &BLOCKS));
    assert_eq!(changes(&env), 1);
    drop(env.escrr(&["rollback", "--yes"]).exits(0));
    assert_eq!((env.inventory(), changes(&env)), (before, 2));
}

#[test]
fn an_open_list_is_left_as_it_is() {
    let private = over(OPEN);
    for env in [private, with_list("\"0.0.0.0/0\""), with_list("\"10.2.0.0/16\"")] {
        let before = env.inventory();
        let plan = env.escrr(&["plan", "--output", "json"]).exits(0).json();
        let nodes = plan["nodes"].as_array().unwrap();
        let node = nodes.iter().find(|node| node["id"] == "leader.allow_list").unwrap();
        assert_ne!(node["verdict"], "make", "{node}");
        drop(env.escrr(&["run", "--yes"]).exits(0));
        drop(env.escrr(&["doctor"]).exits(0));
        drop(env.escrr(&["rollback", "--yes"]).exits(0));
        assert_eq!((env.inventory(), changes(&env)), (before, 0));
    }
}

#[test]
fn a_half_open_list_gets_what_it_lacks() {
    let env = with_list("\"10.2.1.0/24\"");
    drop(env.escrr(&["run", "--yes"]).exits(0));
    let group = env.group();
    let wanted = [entries("default", &BLOCKS[..1]), entries(&group, &BLOCKS[1..])].concat();
    assert_eq!(env.admitted(LEADER), wanted);
}

#[test]
fn a_group_that_somebody_widened_keeps_his_blocks() {
    let env = Env::new();
    drop(env.escrr(&["run", "--yes"]).exits(0));
    let group = env.group();
    change(&env, "Append", &group, &["10.9.9.0/24"]);
    drop(env.escrr(&["rollback", "--yes"]).exits(0));
    assert_eq!(env.admitted(LEADER), entries(&group, &["10.9.9.0/24"]));
}

#[test]
fn a_group_that_is_gone_is_no_obstacle() {
    let env = Env::new();
    let before = env.inventory();
    drop(env.escrr(&["run", "--yes"]).exits(0));
    let group = env.group();
    change(&env, "Cover", &group, &[]);
    drop(env.escrr(&["rollback", "--yes"]).exits(0));
    assert_eq!(env.inventory(), before);
}

#[test]
fn a_run_that_is_killed_behind_its_change_takes_it_back() {
    let env = Env::new();
    let before = env.inventory();
    env.fault(&["--action", "ModifyWhiteIps", "--nth", "1", "--kill", "after"]);
    env.escrr(&["run", "--yes"]).dies_by_kill("behind the change");
    assert_eq!(env.admitted(LEADER), entries(&env.group(), &BLOCKS));
    drop(env.escrr(&["rollback", "--yes"]).exits(0));
    assert_eq!(env.inventory(), before);
}

#[test]
fn a_leader_that_is_being_changed_is_waited_for() {
    for code in ["InstanceActivating", "InstanceStatusNotSupportCurrentAction"] {
        let env = Env::new();
        env.fault(&["--action", "ModifyWhiteIps", "--refuse", code, "--times", "2"]);
        drop(env.escrr(&["run", "--yes"]).exits(0));
        drop(env.escrr(&["rollback", "--yes"]).exits(0));
    }
}

#[test]
fn the_doctor_widens_the_group_makes_it_anew_and_rollback_takes_it_back() {
    let env = Env::new();
    let before = env.inventory();
    drop(env.escrr(&["run", "--yes"]).exits(0));
    let group = env.group();
    change(&env, "Delete", &group, &BLOCKS[..1]);
    drop(fixed(&env));
    assert_eq!(env.admitted(LEADER), entries(&group, &BLOCKS));
    change(&env, "Cover", &group, &[]);
    drop(fixed(&env));
    assert_eq!(env.admitted(LEADER), entries(&group, &BLOCKS));
    drop(env.escrr(&["rollback", "--yes"]).exits(0));
    assert_eq!(env.inventory(), before);
}

#[test]
fn another_home_with_the_same_link_name_leaves_the_group_alone() {
    let env = Env::new();
    drop(env.escrr(&["run", "--yes"]).exits(0));
    let (group, before) = (env.group(), env.inventory());
    let other = Env { home: tempfile::tempdir().unwrap(), cloud: env.cloud };
    drop(other.escrr(&["run", "--yes"]).exits(5).says("escrr adopt"));
    drop(other.escrr(&["rollback", "--yes"]));
    assert_eq!(other.group(), group);
    assert_eq!(other.inventory(), before, "the run of the first home is whole");
}

#[test]
fn the_longest_name_of_a_link_is_shortened() {
    let env = Env::new();
    let link = format!("a{}", "-b".repeat(19));
    let text = spec(&link, LEADER, FOLLOWER);
    let path = env.write("spec.toml", &text);
    let before = env.inventory();
    drop(env.escrr(&["run", &path, "--yes"]).exits(0));
    assert_eq!(env.group().len(), 32);
    drop(env.escrr(&["rollback", "--yes"]).exits(0));
    assert_eq!(env.inventory(), before);
    assert_eq!(env.escrr(&["audit", "--output", "json"]).json()["error"], Value::Null);
}
