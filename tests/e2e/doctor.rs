//! `escrr doctor`: each entry of the document's FAQ as a world that is broken in exactly that way.
//! The cause is named first and alone, and once it is mended the doctor is silent.

use crate::env::{Cloud, Env, shape};
use escrr_engine::store::{Holder, Lock};
use serde_json::{Value, json};

const LEADER: &str = "es-cn-leader000001";
const INDEX: &str = "logs-2026-10";
const WORLD_8: &str = include_str!("../sandbox/worlds/version-8.toml");

/// A link that a run has built.
fn linked() -> Env {
    let env = Env::new();
    drop(env.escrr(&["run", "--yes"]).exits(0));
    env
}

fn doctor(env: &Env, arguments: &[&str], code: i32) -> Value {
    let all: Vec<&str> = ["doctor", "--output", "json"].iter().chain(arguments).copied().collect();
    let said = env.escrr(&all).exits(code).json();
    assert_eq!(said["exit_code"], code);
    said
}

/// The checks that found a cause, in order; each with evidence, meaning and a next step.
fn causes(said: &Value) -> Vec<String> {
    let rows = said["findings"].as_array().unwrap().iter();
    rows.map(|row| {
        assert!(!row["evidence"].as_array().unwrap().is_empty(), "{row}");
        for field in ["problem", "meaning", "next"] {
            assert!(!row[field].as_str().unwrap().is_empty(), "{field} is missing in {row}");
        }
        row["check"].as_str().unwrap().to_owned()
    })
    .collect()
}

/// Lets the world settle: health checks, routes, connections.
fn settle(env: &Env) {
    env.cloud.pass(120);
}

/// The output of a node.
fn output(env: &Env, node: &str) -> Value {
    env.alone(&["show", node, "--output", "json"]).exits(0).json()["output"].clone()
}

/// One way to break a link and to mend it.
struct Break {
    check: &'static str,
    act: fn(&Env),
    mend: Mend,
}

enum Mend {
    /// `--fix` does.
    Doctor,
    /// Somebody does.
    Hand(fn(&Env)),
}

fn white_ips(env: &Env, mode: &str, ips: &[&str]) {
    let group = json!({"groupName": env.group(), "ips": ips, "whiteIpType": "PRIVATE_ES"});
    let body = json!({"modifyMode": mode, "whiteIpGroup": group});
    env.cloud.change("ModifyWhiteIps", LEADER, &body);
    env.cloud.pass(600);
}

fn bandwidth(env: &Env, mbps: &str) {
    let id = output(env, "network.peer_attachment");
    let id = id["attachment"].as_str().or(id.as_str()).unwrap();
    let params = json!({"TransitRouterAttachmentId": id, "Bandwidth": mbps});
    env.cloud.call("Cbn", "UpdateTransitRouterPeerAttachmentAttribute", &params);
    settle(env);
}

fn listener(env: &Env, action: &str) {
    let id = output(env, "follower.listener");
    env.cloud.call("Nlb", action, &json!({"ListenerId": id["listener"]}));
    settle(env);
}

fn health_port(env: &Env, port: &str) {
    let id = output(env, "follower.server_group");
    let params = json!({"ServerGroupId": id["group"],
                        "HealthCheckConfig.HealthCheckConnectPort": port});
    env.cloud.call("Nlb", "UpdateServerGroupAttribute", &params);
    settle(env);
}

fn connection(env: &Env, action: &str) {
    let service = output(env, "follower.endpoint_service");
    let endpoint = output(env, "follower.private_connection");
    let params = json!({"RegionId": "cn-hangzhou", "ServiceId": service["service"], "EndpointId": endpoint["endpoint"]});
    env.cloud.call("PrivateLink", action, &params);
    settle(env);
}

fn befall(env: &Env, instance: &str, what: (&str, Value)) {
    let mut order = json!({"instance": instance});
    order[what.0] = what.1;
    let answer = env.cloud.control("instance", &order);
    assert_eq!(answer["error"], Value::Null, "{answer}");
    settle(env);
}

fn alias(env: &Env, address: &str) {
    let key = format!("cluster.remote.{LEADER}.proxy_address");
    let body = json!({"persistent": {key: address}});
    env.cloud.put("follower", "/_cluster/settings", &body);
    settle(env);
}

const BREAKS: &[Break] = &[
    Break { check: "F1", act: |env| white_ips(env, "Cover", &[]), mend: Mend::Doctor },
    Break {
        check: "F2",
        act: |env| bandwidth(env, "0"),
        mend: Mend::Hand(|env| bandwidth(env, "100")),
    },
    Break {
        check: "F3",
        act: |env| listener(env, "StopListener"),
        mend: Mend::Hand(|env| listener(env, "StartListener")),
    },
    Break {
        check: "F4",
        act: |env| befall(env, LEADER, ("move_addresses", json!(true))),
        mend: Mend::Doctor,
    },
    Break {
        check: "F5",
        act: |env| health_port(env, "9250"),
        mend: Mend::Hand(|env| health_port(env, "9300")),
    },
    Break {
        check: "F6",
        act: |env| connection(env, "DisableVpcEndpointConnection"),
        mend: Mend::Hand(|env| connection(env, "EnableVpcEndpointConnection")),
    },
    Break {
        check: "F7",
        act: |env| befall(env, LEADER, ("arch_type", json!("exclusive"))),
        mend: Mend::Hand(|env| befall(env, LEADER, ("arch_type", json!("public")))),
    },
    Break {
        check: "F8",
        act: |env| {
            drop(env.cloud.post("follower", &format!("/{INDEX}/_ccr/pause_follow"), &json!({})));
        },
        mend: Mend::Doctor,
    },
    Break {
        check: "F9",
        act: |env| alias(env, "es.example:9200"),
        mend: Mend::Hand(|env| {
            let remote = output(env, "follower.remote_cluster");
            alias(env, remote["address"].as_str().unwrap());
        }),
    },
];

fn comes_and_goes(check: &str) {
    let case = BREAKS.iter().find(|case| case.check == check).unwrap();
    let env = Env::new();
    let beginning = shape(&env.inventory());
    drop(env.escrr(&["run", "--yes"]).exits(0));
    (case.act)(&env);
    let before = env.changes();
    assert_eq!(causes(&doctor(&env, &[], 5)), [check]);
    // Looking changes nothing; resolving the leader's domain runs a command on an ECS instance.
    let changed: Vec<String> =
        env.changes().into_iter().skip(before.len()).filter(|c| c != "Ecs RunCommand").collect();
    assert_eq!(changed, Vec::<String>::new());
    match case.mend {
        Mend::Doctor => {
            let said = doctor(&env, &["--fix", "--yes"], 0);
            assert_eq!(said["mended"].as_array().unwrap().len(), 1, "{said}");
        }
        Mend::Hand(mend) => mend(&env),
    }
    settle(&env);
    assert_eq!(causes(&doctor(&env, &[], 0)), Vec::<String>::new());
    // The data is whole again, too, and what the cluster remembers of the trouble is history.
    env.cloud.pass(1_000);
    drop(env.escrr(&["verify"]).exits(0));
    // Whatever was mended, a rollback leaves the world as it was.
    drop(env.escrr(&["rollback", "--yes"]).exits(0));
    assert_eq!(shape(&env.inventory()), beginning);
}

macro_rules! entries {
    ($($name:ident = $check:literal;)*) => {
        $(
            #[test]
            fn $name() {
                comes_and_goes($check);
            }
        )*

        #[test]
        fn every_check_has_a_world_that_is_broken_so() {
            let tried = [$($check),*];
            let all = escrr_steps::doctor::Check::ALL.map(|check| check.id());
            assert_eq!(tried, all);
            assert_eq!(BREAKS.iter().map(|case| case.check).collect::<Vec<_>>(), all);
        }
    };
}

entries! {
    the_allow_list_lacks_the_load_balancers_blocks = "F1";
    the_link_between_the_regions_has_no_bandwidth = "F2";
    the_listener_does_not_take_the_ports = "F3";
    the_leader_has_other_addresses = "F4";
    the_health_check_asks_another_port = "F5";
    the_endpoint_is_not_connected = "F6";
    an_instance_is_not_of_the_right_kind = "F7";
    a_follower_is_paused = "F8";
    the_alias_leads_somewhere_else = "F9";
}

#[test]
fn a_healthy_link_is_healthy_by_saga_and_by_spec_on_both_versions() {
    for cloud in [Cloud::start(&[]), {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("world.toml");
        std::fs::write(&file, WORLD_8).unwrap();
        Cloud::start(&["--world", file.to_str().unwrap()])
    }] {
        let env = Env::over(cloud);
        drop(env.escrr(&["run", "--yes"]).exits(0));
        let said = doctor(&env, &[], 0);
        assert_eq!((&said["healthy"], causes(&said).len()), (&json!(true), 0));
        assert!(said["checks"].as_array().unwrap().iter().all(|c| c["state"] == "holds"), "{said}");
        let other = Env { home: tempfile::tempdir().unwrap(), cloud: env.cloud };
        let spec = other.write("link.toml", escrr_steps::spec::defaults::SANDBOX);
        let said = doctor(&other, &["--spec", &spec], 0);
        assert_eq!((&said["saga"], causes(&said).len()), (&Value::Null, 0));
    }
}

#[test]
fn two_causes_at_once_are_both_named_the_inner_one_first() {
    let env = linked();
    white_ips(&env, "Cover", &[]);
    drop(env.cloud.post("follower", &format!("/{INDEX}/_ccr/pause_follow"), &json!({})));
    listener(&env, "StopListener");
    let said = doctor(&env, &[], 5);
    assert_eq!(causes(&said), ["F1", "F3", "F8"]);
    let follows = said["consequences"].as_array().unwrap().iter();
    assert!(follows.clone().any(|row| row["check"] == "F9"), "{said}");
}

#[test]
fn nothing_is_mended_without_a_yes() {
    let env = linked();
    white_ips(&env, "Cover", &[]);
    let before = env.changes();
    drop(env.escrr(&["doctor", "--fix"]).exits(2).says("--yes"));
    let shown = env.escrr(&["doctor"]).exits(5);
    drop(shown.says("10.2.1.0/24").says("escrr doctor shanghai-hangzhou --fix"));
    let changed = env.changes();
    let changed = changed.iter().skip(before.len()).filter(|c| *c != "Ecs RunCommand");
    assert_eq!(changed.count(), 0);
}

#[test]
fn a_link_of_which_nothing_was_built_has_no_endpoint() {
    let env = Env::new();
    let spec = env.write("link.toml", escrr_steps::spec::defaults::SANDBOX);
    let said = doctor(&env, &["--spec", &spec], 5);
    assert_eq!(causes(&said).first().map(String::as_str), Some("F2"), "{said}");
    assert!(causes(&said).contains(&"F6".to_owned()), "{said}");
}

#[test]
fn what_was_mended_is_said_although_the_next_remedy_fails() {
    let env = linked();
    white_ips(&env, "Cover", &[]);
    befall(&env, LEADER, ("move_addresses", json!(true)));
    assert_eq!(causes(&doctor(&env, &[], 5)), ["F1", "F4"]);
    let number = |said: &Value, list: &str| said[list].as_array().unwrap().len();
    let refuse = |action: &str| {
        env.fault(&["--action", action, "--refuse", "QuotaExceeded.X", "--times", "1"]);
    };
    // An address that is not admitted is never healthy: the swap is not tried.
    refuse("ModifyWhiteIps");
    let said = doctor(&env, &["--fix", "--yes"], 5);
    assert_eq!((number(&said, "mended"), number(&said, "not_mended")), (0, 2), "{said}");
    assert!(said["not_mended"][0]["error"].to_string().contains("QuotaExceeded.X"), "{said}");
    assert!(said["not_mended"][1]["error"].to_string().contains("not tried"), "{said}");
    assert_eq!(causes(&said), ["F1", "F4"]);

    refuse("AddServersToServerGroup");
    let said = doctor(&env, &["--fix", "--yes"], 5);
    assert_eq!((number(&said, "mended"), number(&said, "not_mended")), (1, 1), "{said}");
    assert_eq!(causes(&said), ["F4"], "it has looked again");

    // A second look that fails hides nothing of what was done.
    let many = ["--action", "ListVpcEndpoints", "--nth", "2", "--times", "1000"];
    env.fault(&[&many[..], &["--refuse", "Forbidden.RAM", "--status", "403"]].concat());
    let said = doctor(&env, &["--fix", "--yes"], 1);
    assert_eq!((number(&said, "mended"), number(&said, "unlooked")), (1, 9), "{said}");
    env.fault(&["--clear"]);
    assert_eq!(causes(&doctor(&env, &[], 0)), Vec::<String>::new());
}

#[test]
fn nothing_is_mended_while_another_process_has_the_home() {
    let env = linked();
    white_ips(&env, "Cover", &[]);
    let holder = Holder { pid: std::process::id(), doing: "run".into(), ..Holder::default() };
    let lock = Lock::take(&env.home.path().join("state"), &holder).unwrap();
    drop(env.escrr(&["doctor"]).exits(5));
    drop(env.escrr(&["doctor", "--fix", "--yes"]).exits(7).says("run"));
    drop(lock);
    drop(env.escrr(&["doctor", "--fix", "--yes"]).exits(0));
}
