//! Links that share a VPC: each gets a block of its own, whoever began first and whoever stopped.

use crate::env::{Cloud, Env};
use serde_json::{Value, json};

/// Two pairs of clusters in one VPC that has a vSwitch in one zone only.
const WORLD: &str = include_str!("../sandbox/worlds/shared-vpc.toml");
const REGION: &str = "cn-hangzhou";

fn env() -> Env {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("world.toml");
    std::fs::write(&file, WORLD).unwrap();
    Env::over(Cloud::start(&["--world", file.to_str().unwrap()]))
}

fn spec(env: &Env, link: &str, number: u8) -> String {
    let text = format!(
        "link = \"{link}\"\n[leader]\nregion = \"{REGION}\"\ninstance = \"es-cn-leader00000{number}\"\n\
         [follower]\nregion = \"{REGION}\"\ninstance = \"es-cn-follower000{number}\"\n\
         [replication]\npatterns = [\"logs-*\"]\n"
    );
    env.write(&format!("{link}.toml"), &text)
}

/// How each try to make a vSwitch ended.
fn tries(env: &Env) -> Vec<String> {
    let log = env.escrr(&["sandbox", "log", "--output", "json"]).exits(0).json();
    let rows =
        log["requests"].as_array().unwrap().iter().filter(|row| row["action"] == "CreateVSwitch");
    let all = rows.map(|row| row["outcome"].as_str().unwrap().to_owned());
    // One change of a VPC at a time: that is waited for.
    all.filter(|outcome| outcome != "TaskConflict").collect()
}

/// The blocks that a link chose for vSwitches that have to be made.
fn chosen(env: &Env, link: &str) -> Vec<Value> {
    let shown =
        env.alone(&["show", "network.zones", "--link", link, "--output", "json"]).exits(0).json();
    let all = shown["output"]["follower"].as_array().unwrap().iter();
    all.filter(|choice| choice["vswitch"].is_null()).map(|c| c["cidr"].clone()).collect()
}

#[test]
fn two_links_in_one_vpc_in_one_run_get_two_blocks() {
    let env = env();
    let before = env.inventory();
    let (one, two) = (spec(&env, "one", 1), spec(&env, "two", 2));
    drop(env.escrr(&["run", &one, &two, "--yes"]).exits(0));
    assert_eq!(tries(&env), ["ok", "ok"]);
    // Both are set up, and both are shown.
    let shown = env.alone(&["status"]).exits(0);
    assert!(shown.stdout.contains("one  succeeded") && shown.stdout.contains("two  succeeded"));
    let all = env.alone(&["status", "--output", "json"]).exits(0).json();
    let links: Vec<&Value> = all["sagas"].as_array().unwrap().iter().map(|s| &s["link"]).collect();
    assert_eq!(links, ["one", "two"]);
    drop(env.alone(&["status", "two"]).exits(0).says("two  succeeded"));
    drop(env.escrr(&["rollback", "one", "--yes"]).exits(0));
    drop(env.escrr(&["rollback", "two", "--yes"]).exits(0));
    assert_eq!(env.inventory(), before);
}

#[test]
fn a_link_that_has_stopped_keeps_its_block() {
    let env = env();
    let (one, two) = (spec(&env, "one", 1), spec(&env, "two", 2));
    env.fault(&["--action", "CreateVSwitch", "--refuse", "Forbidden.RAM", "--times", "1"]);
    drop(env.escrr(&["run", &one, "--yes"]).exits(4));
    let plan = env.escrr(&["plan", &two, "--output", "json"]).exits(0).json();
    assert!(!plan.to_string().contains(chosen(&env, "one")[0].as_str().unwrap()), "{plan}");
    drop(env.escrr(&["run", &two, "--yes"]).exits(0));
    assert_ne!(chosen(&env, "one"), chosen(&env, "two"));
    drop(env.escrr(&["resume", "one"]).exits(0));
    assert_eq!(tries(&env), ["Forbidden.RAM", "ok", "ok"]);
}

#[test]
fn a_block_that_somebody_took_leads_to_another() {
    let env = env();
    let before = env.inventory();
    let one = spec(&env, "one", 1);
    env.fault(&["--action", "CreateVSwitch", "--refuse", "Forbidden.RAM", "--times", "1"]);
    drop(env.escrr(&["run", &one, "--yes"]).exits(4));
    let block = chosen(&env, "one").remove(0);
    let made = json!({"RegionId": REGION, "VpcId": "vpc-shared00001", "ZoneId": "cn-hangzhou-j",
                      "CidrBlock": block});
    drop(env.cloud.call("Vpc", "CreateVSwitch", &made));
    env.cloud.pass(60);
    drop(env.escrr(&["resume"]).exits(0));
    assert_eq!(tries(&env).last().unwrap(), "ok");
    let output = env.alone(&["show", "follower.vswitches", "--output", "json"]).exits(0).json();
    assert!(!output["output"].to_string().contains(&block.to_string()), "{output}");
    drop(env.escrr(&["rollback", "--yes"]).exits(0));
    let left = env.inventory();
    assert_eq!(left.as_array().unwrap().len(), before.as_array().unwrap().len() + 1, "{left:#}");
}

#[test]
fn a_block_that_is_taken_at_the_call_is_waited_out() {
    let env = env();
    let code = "InvalidCidrBlock.Overlapped";
    env.fault(&["--action", "CreateVSwitch", "--refuse", code, "--times", "1"]);
    drop(env.escrr(&["run", &spec(&env, "one", 1), "--yes"]).exits(0));
    assert_eq!(tries(&env), [code, "ok"]);
    drop(env.alone(&["explain", code]).exits(0).says("another block is chosen"));
}

#[test]
fn the_kind_of_line_and_zone_affinity_are_sent() {
    let env = Env::new();
    let more = "[network]\nlink_type = \"platinum\"\n[private_link]\nzone_affinity = true\n";
    let text = crate::together::spec("one", "es-cn-leader000001", "es-cn-follower0001");
    let spec = env.write("one.toml", &format!("{text}{more}"));
    drop(env.escrr(&["run", &spec, "--yes"]).exits(0));
    let list = json!({"RegionId": "cn-shanghai"});
    let lines = env.cloud.call("Cbn", "ListTransitRouterPeerAttachments", &list).to_string();
    assert!(lines.contains("\"DefaultLinkType\":\"Platinum\""), "{lines}");
    let list = json!({"RegionId": REGION});
    let services = env.cloud.call("PrivateLink", "ListVpcEndpointServices", &list).to_string();
    assert!(services.contains("\"ZoneAffinityEnabled\":true"), "{services}");
}
