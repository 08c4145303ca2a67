//! The policies permit what is really called, and nothing that is not.
//!
//! What `escrr auth policy` prints for a phase is what the sandbox was asked in it, and the calls of
//! [`OPTIONAL`] paths, which the usual run does not take. It can fail both ways: a call that no
//! policy permits, and a permission that no call needs.

use crate::env::Env;
use serde_json::Value;
use std::collections::BTreeSet;

/// Permissions for paths that the usual run does not take, and when they are taken.
const OPTIONAL: &[(&str, &[&str], &str)] = &[
    ("nlb:ListListeners", &["look"], "a listener whose id is not known"),
    ("privatelink:AttachResourceToVpcEndpointService", &["run"], "a service that lacks a zone"),
    ("vpc:CreateRouteEntry", &["run"], "the cloud has not published a route itself"),
    ("vpc:DeleteRouteEntry", &["rollback"], "a route was made"),
    ("cen:TagResources", &["run", "rollback"], "another link's resource is used"),
    ("nlb:TagResources", &["run", "rollback"], "another link's resource is used"),
    ("privatelink:TagResources", &["run", "rollback"], "another link's resource is used"),
    ("vpc:TagResources", &["rollback"], "another link uses a vSwitch"),
    ("cen:UntagResources", &["rollback"], "another link's resource was used"),
    ("nlb:UntagResources", &["rollback"], "another link's resource was used"),
    ("privatelink:UntagResources", &["rollback"], "another link's resource was used"),
    ("cen:OpenTransitRouterService", &["run"], "activate_services, and it is not active"),
    ("privatelink:OpenPrivateLinkService", &["run"], "activate_services, and it is not active"),
];

fn permitted(env: &Env, phase: &str) -> BTreeSet<String> {
    let policy = env.alone(&["auth", "policy", "--phase", phase]).exits(0).json();
    let statements = policy["Statement"].as_array().unwrap().iter();
    let actions = statements.flat_map(|s| s["Action"].as_array().unwrap());
    actions.map(|a| a.as_str().unwrap().to_owned()).filter(|a| !a.starts_with("ram:")).collect()
}

/// The permission that a line of the log stands for, written down a second time.
fn permission(row: &Value) -> Option<String> {
    let code = match row["product"].as_str().unwrap() {
        "Cbn" => "cen",
        "Vpc" => "vpc",
        "Ecs" => "ecs",
        "Nlb" => "nlb",
        "PrivateLink" => "privatelink",
        "Elasticsearch" => "elasticsearch",
        "Sts" => "sts",
        _ => return None,
    };
    Some(format!("{code}:{}", row["action"].as_str().unwrap()))
}

/// What was asked while something ran.
fn asked_by(env: &Env, arguments: &[&str]) -> BTreeSet<String> {
    let log =
        || env.escrr(&["sandbox", "log", "--output", "json"]).exits(0).json()["requests"].clone();
    let before = log().as_array().unwrap().len();
    drop(env.escrr(arguments).exits(0));
    log().as_array().unwrap()[before..].iter().filter_map(permission).collect()
}

#[test]
fn a_policy_is_what_is_called() {
    let env = Env::new();
    let nothing_there = asked_by(&env, &["plan"]);
    let run = asked_by(&env, &["run", "--yes"]);
    let all_there = asked_by(&env, &["plan"]);
    let rollback = asked_by(&env, &["rollback", "--yes"]);
    let choosing = asked_by(&env, &["init", "-"]);
    let look = [nothing_there, all_there, choosing].into_iter().flatten().collect();
    let mut wrong = Vec::new();
    // Before a rollback stock is taken of what is open: by the looks of a run, none here.
    let looks = permitted(&env, "look");
    let stock = |phase: &str, name: &String| phase == "rollback" && looks.contains(name);
    for (phase, asked) in [("look", look), ("run", run), ("rollback", rollback)] {
        let permitted = permitted(&env, phase);
        let optional: BTreeSet<String> = OPTIONAL
            .iter()
            .filter(|(_, phases, _)| phases.contains(&phase))
            .map(|(name, ..)| (*name).to_owned())
            .collect();
        let say = |what: &str, names: Vec<&String>| format!("{phase}: {what}: {names:?}");
        let missing: Vec<&String> = asked.difference(&permitted).collect();
        let needless: Vec<&String> =
            permitted.iter().filter(|n| !asked.contains(*n) && !optional.contains(*n)).collect();
        let needless: Vec<&String> = needless.into_iter().filter(|n| !stock(phase, n)).collect();
        let taken: Vec<&String> =
            optional.iter().filter(|n| asked.contains(*n) || !permitted.contains(*n)).collect();
        wrong.extend((!missing.is_empty()).then(|| say("called and not permitted", missing)));
        wrong.extend((!needless.is_empty()).then(|| say("permitted and not called", needless)));
        wrong.extend((!taken.is_empty()).then(|| say("not optional", taken)));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A run that stopped in the middle is rolled back by what the policy permits.
#[test]
fn a_rollback_of_half_a_run_is_permitted() {
    let env = Env::new();
    drop(env.escrr(&[
        "sandbox",
        "fault",
        "--refuse",
        "QuotaExceeded",
        "--action",
        "CreateListener",
    ]));
    drop(env.escrr(&["run", "--yes"]));
    let asked = asked_by(&env, &["rollback", "--yes"]);
    let permitted = permitted(&env, "rollback");
    let missing: Vec<&String> = asked.difference(&permitted).collect();
    assert!(missing.is_empty(), "called and not permitted: {missing:?}");
}

#[test]
fn the_way_by_the_openapi_needs_one_permission_more() {
    let env = Env::new();
    let side = |name: &str, region: &str, instance: &str| {
        format!(
            "[{name}]\nregion = \"{region}\"\ninstance = \"{instance}\"\n\
             [{name}.access]\nway = \"openapi\"\n"
        )
    };
    let spec = format!(
        "link = \"by-the-openapi\"\n{}{}[replication]\npatterns = [\"logs-*\"]\n",
        side("leader", "cn-shanghai", "es-cn-leader000001"),
        side("follower", "cn-hangzhou", "es-cn-follower0001"),
    );
    let asked = asked_by(&env, &["plan", &env.write("link.toml", &spec)]);
    let without = permitted(&env, "look");
    let missing: Vec<&str> = asked.difference(&without).map(String::as_str).collect();
    assert_eq!(missing, ["elasticsearch:InvokeEsRequest"]);
    let with = env.alone(&["auth", "policy", "--phase", "look", "--into-clusters"]).exits(0);
    assert!(with.stdout.contains("elasticsearch:InvokeEsRequest"), "{}", with.stdout);
}
