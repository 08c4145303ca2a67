//! The three ways into a cluster: the same run and rollback over each, and which one is used.

use crate::env::{Cloud, Env, shape};
use serde_json::{Value, json};

const LEADER: &str = "es-cn-leader000001";
const FOLLOWER: &str = "es-cn-follower0001";
const WAYS: [&str; 3] = ["direct", "kibana", "openapi"];

/// The document's example, with more text under each side's access.
fn spec(access: &str) -> String {
    let side = |name: &str, region: &str, instance: &str| {
        format!(
            "[{name}]\nregion = \"{region}\"\ninstance = \"{instance}\"\n[{name}.access]\n{access}\n"
        )
    };
    format!(
        "link = \"by-some-way\"\n{}{}[replication]\npatterns = [\"logs-*\"]\n",
        side("leader", "cn-shanghai", LEADER),
        side("follower", "cn-hangzhou", FOLLOWER),
    )
}

fn by(way: &str) -> String {
    spec(&format!("way = \"{way}\""))
}

fn version_8() -> Env {
    let world = concat!(env!("CARGO_MANIFEST_DIR"), "/sandbox/worlds/version-8.toml");
    Env::over(Cloud::start(&["--world", world]))
}

/// The requests that reached a cluster: by what, and what there.
fn at_clusters(env: &Env) -> Vec<(String, String, bool)> {
    let log =
        env.escrr(&["sandbox", "log", "--output", "json"]).exits(0).json()["requests"].clone();
    let text = |row: &Value, key: &str| row[key].as_str().unwrap_or_default().to_owned();
    let rows = log.as_array().unwrap().iter().filter_map(|row| {
        let (product, changed) =
            (text(row, "product"), row["mutating"] == true && row["outcome"] == "ok");
        match product.as_str() {
            "Es" => Some((product, text(row, "action"), changed)),
            _ if !text(row, "carries").is_empty() => Some((product, text(row, "carries"), changed)),
            _ => None,
        }
    });
    rows.collect()
}

/// What a way is called in the sandbox's log.
fn product(way: &str) -> &'static str {
    match way {
        "direct" => "Es",
        "kibana" => "Kibana",
        _ => "Elasticsearch",
    }
}

/// A run and its rollback: what both made of the clusters.
fn there_and_back(env: &Env, way: &str) -> (Vec<String>, Vec<String>) {
    let spec = env.write("link.toml", &by(way));
    let before = env.inventory();
    let ran = env.escrr(&["run", &spec, "--yes", "--output", "json"]).exits(0).json();
    let nodes = ran["nodes"].as_array().unwrap();
    for id in ["leader.cluster", "follower.cluster"] {
        let node = nodes.iter().find(|node| node["id"] == id).unwrap();
        let access = node["output"]["access"].as_str().unwrap();
        assert!(access.starts_with(&format!("{way} (")), "{access}");
    }
    let there = shape(&env.inventory());
    drop(env.escrr(&["rollback", "by-some-way", "--yes"]).exits(0));
    assert_eq!(env.inventory(), before, "{way}");
    let reached = at_clusters(env);
    let others: Vec<_> = reached.iter().filter(|(by, ..)| by != product(way)).collect();
    assert!(others.is_empty(), "{way}: {others:?}");
    let mut changes: Vec<String> =
        reached.into_iter().filter(|(.., changed)| *changed).map(|(_, what, _)| what).collect();
    changes.sort();
    (there, changes)
}

#[test]
fn a_run_and_its_rollback_are_the_same_over_each_way() {
    let [direct, kibana, openapi] = WAYS.map(|way| there_and_back(&Env::new(), way));
    assert!(direct.1.iter().any(|change| change == "PutFollow"), "{:?}", direct.1);
    assert_eq!(kibana, direct);
    assert_eq!(openapi, direct);
}

#[test]
fn release_8_by_kibana_and_by_the_openapi() {
    let [kibana, openapi] = ["kibana", "openapi"].map(|way| there_and_back(&version_8(), way));
    assert_eq!(kibana, openapi);
}

/// An answer that is lost at a change of a cluster, on each way: one effect, and it goes on.
#[test]
fn a_lost_answer_has_one_effect_on_each_way() {
    for way in WAYS {
        for action in ["PutSettings", "PutAutoFollow", "PutFollow", "IndexDocument"] {
            let env = Env::new();
            let spec = env.write("link.toml", &by(way));
            let lost =
                ["--product", "Es", "--action", action, "--mutating", "--nth", "1", "--lost"];
            env.fault(&lost);
            drop(env.escrr(&["run", &spec, "--yes"]).exits(0));
            let log =
                env.escrr(&["sandbox", "log", "--output", "json"]).exits(0).json()["requests"]
                    .clone();
            let rows = log.as_array().unwrap();
            let lost = rows.iter().filter(|row| row["outcome"] == "lost").collect::<Vec<_>>();
            assert_eq!(lost.len(), 1, "{way} {action}");
            assert_eq!(lost[0]["product"], product(way), "{way} {action}");
            // Looked at first, what was done is not done again: one more change than was lost
            // there is for those that come several times anyway.
            let done = at_clusters(&env);
            let again = done.iter().filter(|(_, what, changed)| *changed && what == action).count();
            let usual = match action {
                "PutSettings" | "PutAutoFollow" => 0,
                "PutFollow" => 1,
                _ => 2,
            };
            assert!(again <= usual, "{way} {action}: {again} after the one that was lost");
        }
    }
}

/// Closes the cluster's own address to this machine.
fn close_direct(env: &Env, instance: &str) {
    let group = json!({"groupName": "default", "whiteIpType": "PRIVATE_ES", "ips": ["10.9.9.9"]});
    let body = json!({"modifyMode": "Cover", "whiteIpGroup": group});
    env.cloud.change("ModifyWhiteIps", instance, &body);
}

fn close_kibana(env: &Env, instance: &str) {
    let body = json!({"nodeType": "KIBANA", "networkType": "PUBLIC", "actionType": "CLOSE"});
    env.cloud.change("TriggerNetwork", instance, &body);
}

/// The way into the leader as a plan shows it.
fn planned(env: &Env, spec: &str) -> String {
    let plan = env.escrr(&["plan", spec, "--output", "json"]).exits(0).json();
    let nodes = plan["nodes"].as_array().unwrap();
    let node = nodes.iter().find(|node| node["id"] == "leader.cluster").unwrap();
    let access = node["output"]["access"].as_str().unwrap();
    access.split(' ').next().unwrap().to_owned()
}

#[test]
fn the_first_way_that_answers_is_used() {
    let env = Env::new();
    let spec = env.write("link.toml", &spec(""));
    assert_eq!(planned(&env, &spec), "direct");
    for instance in [LEADER, FOLLOWER] {
        close_direct(&env, instance);
    }
    env.cloud.pass(600);
    assert_eq!(planned(&env, &spec), "kibana");
    drop(env.escrr(&["plan", &spec]).exits(0).says("by kibana ("));
    for instance in [LEADER, FOLLOWER] {
        close_kibana(&env, instance);
    }
    env.cloud.pass(600);
    assert_eq!(planned(&env, &spec), "openapi");
    drop(env.escrr(&["run", &spec, "--yes"]).exits(0));
    let reached = at_clusters(&env);
    assert!(reached.iter().all(|(by, _, changed)| !changed || by == "Elasticsearch"));
    let shown = env.alone(&["show", "leader.cluster"]).exits(0);
    drop(shown.says("openapi (InvokeEsRequest, es-cn-leader000001, cn-shanghai)"));
}

#[test]
fn a_way_that_is_named_is_not_left_for_another() {
    let env = Env::new();
    let spec = env.write("link.toml", &by("kibana"));
    close_kibana(&env, LEADER);
    env.cloud.pass(600);
    drop(env.escrr(&["plan", &spec]).exits(1).says("leader.cluster").says("the answer was lost"));
}

#[test]
fn when_no_way_answers_it_is_said_what_each_said() {
    let env = Env::new();
    let spec = env.write("link.toml", &spec(""));
    close_direct(&env, LEADER);
    env.cloud.pass(600);
    close_kibana(&env, LEADER);
    env.cloud.pass(600);
    let refuse = ["--product", "Elasticsearch", "--action", "InvokeEsRequest"];
    env.fault(&[&refuse[..], &["--refuse", "Forbidden.RAM"]].concat());
    let refused = env.escrr(&["plan", &spec]).exits(1);
    let all = refused
        .says("finding a way into the leader cluster")
        .says("direct (127.0.0.1:")
        .says("kibana (127.0.0.1:")
        .says("openapi (InvokeEsRequest, es-cn-leader000001, cn-shanghai)")
        .says("Forbidden.RAM");
    drop(all.says("[leader.access]"));
}

#[test]
fn a_kibana_that_one_has_to_sign_in_to_carries_a_whole_run() {
    let text = include_str!("../sandbox/src/default_world.toml")
        .replace("version = \"7.1", "kibana_http_auth = false\nversion = \"7.1");
    let folder = tempfile::tempdir().unwrap();
    let world = folder.path().join("world.toml");
    std::fs::write(&world, text).unwrap();
    let env = Env::over(Cloud::start(&["--world", world.to_str().unwrap()]));
    drop(there_and_back(&env, "kibana"));
}

#[test]
fn an_api_key_opens_the_cluster_and_its_kibana() {
    for way in ["direct", "kibana"] {
        let env = Env::new();
        let key = |side: &str| {
            let made = env.cloud.post(side, "/_security/api_key", &json!({"name": "escrr"}));
            let text = |name: &str| made[name].as_str().unwrap().to_owned();
            format!("{}:{}", text("id"), text("api_key"))
        };
        let keys = [("LEADER_KEY", key("leader")), ("FOLLOWER_KEY", key("follower"))];
        let text = by(way)
            .replacen("[leader.access]", "[leader.access]\napi_key = \"env:LEADER_KEY\"", 1)
            .replacen("[follower.access]", "[follower.access]\napi_key = \"env:FOLLOWER_KEY\"", 1);
        let spec = env.write("link.toml", &text);
        let mut command = env.command(&["run", &spec, "--yes"]);
        drop(crate::env::output(command.envs(keys.clone())).exits(0));
        let refused = env.write("other.toml", &text.replace("by-some-way", "other"));
        let mut command = env.command(&["plan", &refused]);
        let wrong = keys.map(|(name, _)| (name, "nobody:wrong".to_owned()));
        drop(crate::env::output(command.envs(wrong)).exits(4));
    }
}

#[test]
fn two_sides_that_lead_to_one_cluster_are_refused() {
    let env = Env::new();
    let kibana = env.cloud.line()["kibana"][LEADER].as_str().unwrap().to_owned();
    let access = format!("[follower.access]\nkibana_url = \"{kibana}\"");
    let text = by("kibana").replace("[follower.access]", &access);
    let spec = env.write("link.toml", &text);
    let before = env.inventory();
    drop(env.escrr(&["run", &spec, "--yes"]).exits(5).says("both ways lead to the same cluster"));
    assert_eq!(env.inventory(), before);
}
