//! Worlds in which a link cannot be set up: `plan` names every problem with its remedy, exits
//! with 5 (4 where a permission is missing), and nothing is made.

use crate::env::{Cloud, Env, Output};
use serde_json::{Value, json};

const WORLD: &str = include_str!("../sandbox/src/default_world.toml");
const SPEC: &str = "link = \"bad\"\n\
    [leader]\nregion = \"cn-shanghai\"\ninstance = \"es-cn-leader000001\"\n\
    [follower]\nregion = \"cn-hangzhou\"\ninstance = \"es-cn-follower0001\"\n\
    [replication]\npatterns = [\"logs-*\"]\n";

/// One world: what is changed in the default world and in the spec, and what has to be said.
struct Case {
    name: &'static str,
    /// Text of the world's file, and what it becomes.
    world: &'static [(&'static str, &'static str)],
    /// The same for the spec.
    spec: &'static [(&'static str, &'static str)],
    /// The nodes that stop, each with words of the problem and of the remedy.
    says: &'static [(&'static str, &'static str, &'static str)],
}

/// What instances are written like in the default world.
const LEADER: &str = "version = \"7.10.0\"\n";
const FOLLOWER: &str = "version = \"7.16.2\"\n";
const LEADER_VPC: &str = "cidr = \"10.1.0.0/16\"\n";
const FOLLOWER_VPC: &str = "cidr = \"10.2.0.0/16\"\n";
const FOLLOWER_H: &str = "cidr = \"10.2.1.0/24\"";
const LOGS: &str = "indices.logs-2026-10 = { documents = 120 }\n";
const PATTERNS: &str = "patterns = [\"logs-*\"]";
const LEADER_READER: &str = "version = \"7.10.0\"\nusers = { elastic = \"Sandbox-elastic-1\", reader = \"Sandbox-elastic-1\" }\n";
const FOLLOWER_READER: &str = "version = \"7.16.2\"\nusers = { elastic = \"Sandbox-elastic-1\", reader = \"Sandbox-elastic-1\" }\n";

const LEADER_LIMITED: &str = "version = \"7.10.0\"\n\
users = { elastic = \"Sandbox-elastic-1\", limited = \"Sandbox-elastic-1\" }\n\
grants.limited = { cluster = [\"monitor\"], indices.\"logs-*\" = [\"all\"] }\n";
const FOLLOWER_LIMITED: &str = "version = \"7.16.2\"\n\
users = { elastic = \"Sandbox-elastic-1\", limited = \"Sandbox-elastic-1\" }\n\
grants.limited = { cluster = [\"all\"], indices.logs- = [\"all\"], indices.\"logs-2*\" = [\"all\"] }\n";
const NAMED_VSWITCHES: &str =
    "vswitches = [\"vsw-full\", \"vsw-custom\", \"vsw-zone\", \"vsw-theirs\"]\n[replication]";
const FOLLOWER_VSWITCHES: &str = "\
vswitches.vsw-follower-i = { zone = \"cn-hangzhou-i\", cidr = \"10.2.2.0/24\" }\n\
vswitches.vsw-full = { zone = \"cn-hangzhou-h\", cidr = \"10.2.3.0/24\", free = 5 }\n\
vswitches.vsw-custom = { zone = \"cn-hangzhou-i\", cidr = \"10.2.4.0/24\", custom_route_table = true }\n\
vswitches.vsw-zone = { zone = \"cn-hangzhou-k\", cidr = \"10.2.5.0/24\" }\n\
[vpcs.vpc-theirs]\n\
region = \"cn-hangzhou\"\n\
cidr = \"10.3.0.0/16\"\n\
vswitches.vsw-theirs = { zone = \"cn-hangzhou-h\", cidr = \"10.3.1.0/24\" }\n";

#[rustfmt::skip]
const CASES: &[Case] = &[
    Case { name: "old leader", world: &[(LEADER, "version = \"7.4.0\"\n")], spec: &[],
        says: &[("leader.edition", "its version is 7.4", "upgrade it to 7.10.0")] },
    Case { name: "old follower", world: &[(FOLLOWER, "version = \"6.8.0\"\n")], spec: &[],
        says: &[("follower.edition", "its version is 6.8", "upgrade it to 7.10.0")] },
    Case { name: "follower older than leader", world: &[(LEADER, "version = \"7.17.0\"\n")], spec: &[],
        says: &[("link.compatible", "is older than the leader", "upgrade the follower first")] },
    Case { name: "two major versions", world: &[(FOLLOWER, "version = \"8.9.1\"\n")], spec: &[],
        says: &[("link.compatible", "does not understand a leader", "upgrade the follower first")] },
    Case { name: "v2 architecture", world: &[(LEADER, "version = \"7.10.0\"\narch_type = \"exclusive\"\n")], spec: &[],
        says: &[("leader.edition", "archType exclusive", "upgrade its architecture before it is linked")] },
    Case { name: "wrong category", world: &[(FOLLOWER, "version = \"7.16.2\"\ncategory = \"IS\"\n")], spec: &[],
        says: &[("follower.edition", "its category is IS", "only commercial editions")] },
    Case { name: "inactive leader", world: &[(LEADER, "version = \"7.10.0\"\nstatus = \"inactive\"\n")], spec: &[],
        says: &[("leader.instance", "its status is inactive", "Elasticsearch console")] },
    Case { name: "wrong instance", world: &[], spec: &[("es-cn-leader000001", "es-cn-nothere00001")],
        says: &[("leader.instance", "there is no such instance", "check `region` and `instance` under [leader]")] },
    Case { name: "wrong region", world: &[], spec: &[("cn-hangzhou", "cn-shanghai")],
        says: &[("follower.instance", "zone cn-hangzhou-h, which is not in cn-shanghai", "check `region` and `instance` of this side")] },
    Case { name: "overlapping blocks", world: &[(FOLLOWER_VPC, "cidr = \"10.0.0.0/8\"\n")], spec: &[],
        says: &[("link.compatible", "10.1.0.0/16 of vpc-leader0001 and 10.0.0.0/8 of vpc-follower01 overlap", "one cluster has to move")] },
    Case { name: "overlapping secondary blocks", world: &[(FOLLOWER_VPC, "cidr = \"10.2.0.0/16\"\nsecondary = [\"10.1.64.0/20\"]\n")], spec: &[],
        says: &[("link.compatible", "10.1.64.0/20 of vpc-follower01 overlap", "one cluster has to move")] },
    Case { name: "overlapping user blocks", world: &[(LEADER_VPC, "cidr = \"10.1.0.0/16\"\nuser = [\"10.2.128.0/17\"]\n")], spec: &[],
        says: &[("link.compatible", "10.2.128.0/17 of vpc-leader0001", "one cluster has to move")] },
    Case { name: "transit routers not activated", world: &[("[regions.cn-shanghai]", "[account]\ntransit_router_service = false\n[regions.cn-shanghai]")], spec: &[],
        says: &[("network.services", "not activated: transit-router", "activate_services = true")] },
    Case { name: "PrivateLink not activated", world: &[("[regions.cn-shanghai]", "[account]\nprivate_link_service = false\n[regions.cn-shanghai]")], spec: &[],
        says: &[("network.services", "not activated: private-link", "activate_services = true")] },
    Case { name: "no zone in common", world: &[("private_link_zones = [\"cn-hangzhou-h\", \"cn-hangzhou-i\", \"cn-hangzhou-j\"]", "private_link_zones = [\"cn-hangzhou-k\"]")], spec: &[],
        says: &[("network.zones", "follower: no zone of this region has", "vSwitch in another zone")] },
    Case { name: "one zone with a vSwitch", world: &[], spec: &[("[replication]", "[network]\ncreate_vswitches = false\n[replication]")],
        says: &[("network.zones", "leader: only 1 of 2 zones can be used", "vSwitch in another zone")] },
    Case { name: "no free address", world: &[(FOLLOWER_H, "cidr = \"10.2.1.0/24\", free = 5")], spec: &[("[replication]", "[network]\ncreate_vswitches = false\n[replication]")],
        says: &[("network.zones", "vsw-follower-h has 3 free addresses of 9", "make room")] },
    Case { name: "named vSwitches that are no use",
        world: &[("vswitches.vsw-follower-i = { zone = \"cn-hangzhou-i\", cidr = \"10.2.2.0/24\" }\n", FOLLOWER_VSWITCHES)],
        spec: &[("[follower]", "vswitches = [\"vsw-nowhere\"]\n[follower]"), ("[replication]", NAMED_VSWITCHES)],
        says: &[
            ("network.zones", "leader: the spec names vsw-nowhere, but there is no such vSwitch in cn-shanghai", "correct `vswitches` of this side"),
            ("network.zones", "follower: the spec names vsw-full, but it has 5 free addresses of 9 needed", "correct `vswitches` of this side"),
            ("network.zones", "the spec names vsw-custom, but it uses a custom route table", "leave it out"),
            ("network.zones", "the spec names vsw-zone, but it lies in cn-hangzhou-k, which does not have transit routers", "leave it out"),
            ("network.zones", "the spec names vsw-theirs, but it lies in vpc-theirs, not in vpc-follower01", "leave it out"),
        ] },
    Case { name: "basic license of the leader", world: &[(LEADER, "version = \"7.10.0\"\nlicense = \"basic\"\n")], spec: &[],
        says: &[("leader.license", "its license (basic, active)", "commercial edition on both sides")] },
    Case { name: "basic license of the follower", world: &[(FOLLOWER, "version = \"7.16.2\"\nlicense = \"basic\"\n")], spec: &[],
        says: &[("follower.license", "its license (basic, active)", "commercial edition on both sides")] },
    Case { name: "a reader on the leader", world: &[(LEADER, LEADER_READER)], spec: &[("[follower]", "access.username = \"reader\"\n[follower]")],
        says: &[("leader.cluster", "the user lacks monitor, read_ccr", "use a user with these privileges")] },
    Case { name: "a reader on the follower", world: &[(FOLLOWER, FOLLOWER_READER)], spec: &[("[replication]", "access.username = \"reader\"\n[replication]")],
        says: &[("follower.cluster", "manage_ccr", "use a user with these privileges")] },
    Case { name: "a VPC of another account", world: &[(FOLLOWER_VPC, "cidr = \"10.2.0.0/16\"\nowner = 42\n")], spec: &[],
        says: &[("link.compatible", "vpc-follower01 belongs to the account 42, not to", "the account that owns both VPCs")] },
    Case { name: "no privileges for replication on the leader",
        world: &[(LEADER, LEADER_LIMITED)],
        spec: &[("[follower]", "access.username = \"limited\"\n[follower]"), (PATTERNS, "patterns = [\"logs-*\"]\nindices = [\"metrics-2026-11\"]")],
        says: &[
            ("leader.cluster", "lacks read_ccr, ", "use a user with these privileges"),
            ("leader.cluster", "view_index_metadata on metrics-2026-11", "use a user with these privileges"),
        ] },
    Case { name: "privileges on the leader's names only",
        world: &[(FOLLOWER, FOLLOWER_LIMITED)],
        spec: &[("[replication]", "access.username = \"limited\"\n[replication]\nfollow_index_pattern = \"{{leader_index}}-copy\"")],
        says: &[("follower.cluster", "manage_follow_index on logs-*-copy", "use a user with these privileges")] },
    Case { name: "exclusions before 7.14", world: &[(FOLLOWER, LEADER)], spec: &[(PATTERNS, "exclusions = [\"logs-x*\"]\npatterns = [\"logs-*\"]")],
        says: &[("follower.license", "knows no exclusions in auto-follow patterns (logs-x*)", "need no exclusions")] },
    Case { name: "a name is taken", world: &[(FOLLOWER, "version = \"7.16.2\"\nindices.logs-2026-10 = { documents = 1 }\n")], spec: &[],
        says: &[("link.indices", "on the follower: logs-2026-10", "delete or rename it")] },
    Case { name: "soft deletes off", world: &[(LOGS, "indices.logs-2026-10 = { no_soft_deletes = true }\n")], spec: &[(PATTERNS, "indices = [\"logs-2026-10\"]")],
        says: &[("link.indices", "logs-2026-10 cannot be followed: soft deletes are off", "reindex it on the leader")] },
    Case { name: "a named index is missing", world: &[], spec: &[(PATTERNS, "indices = [\"logs-1999\"]")],
        says: &[("link.indices", "the leader has no logs-1999", "correct replication.indices")] },
    Case { name: "an analyser is missing", world: &[(FOLLOWER, "version = \"7.16.2\"\nplugins = []\n"), (LOGS, "indices.logs-2026-10.mapping.properties.title = { type = \"text\", analyzer = \"ik_max_word\" }\n")], spec: &[],
        says: &[("link.indices", "logs-2026-10 uses ik_max_word of the plugin analysis-ik", "install the plugin")] },
    Case { name: "a plugin is missing", world: &[(LOGS, "indices.logs-2026-10.mapping.properties.hash.type = \"murmur3\"\n")], spec: &[],
        says: &[("link.indices", "logs-2026-10 uses murmur3 of the plugin mapper-murmur3", "install the plugin")] },
    Case { name: "many faults at once",
        world: &[(LEADER, "version = \"7.10.0\"\nlicense = \"basic\"\n"), (FOLLOWER, "version = \"6.8.0\"\narch_type = \"exclusive\"\ncategory = \"IS\"\n"), ("[regions.cn-shanghai]", "[account]\ntransit_router_service = false\nprivate_link_service = false\n[regions.cn-shanghai]")],
        spec: &[],
        says: &[
            ("leader.license", "its license (basic, active)", "commercial edition"),
            ("follower.edition", "its version is 6.8", "upgrade it to 7.10.0"),
            ("follower.edition", "archType exclusive", "upgrade its architecture"),
            ("follower.edition", "its category is IS", "only commercial editions"),
            ("network.services", "transit-router, private-link", "activate_services"),
        ] },
    Case { name: "one fault hides no other",
        world: &[(LEADER, "version = \"7.4.0\"\narch_type = \"exclusive\"\nlicense = \"basic\"\n"), (FOLLOWER, "version = \"7.16.2\"\nindices.logs-2026-10 = { documents = 1 }\n"), (FOLLOWER_VPC, "cidr = \"10.0.0.0/8\"\n")],
        spec: &[("[replication]", "[network]\ncreate_vswitches = false\n[replication]")],
        says: &[
            ("leader.edition", "its version is 7.4", "upgrade it to 7.10.0"),
            ("leader.edition", "archType exclusive", "upgrade its architecture"),
            ("link.compatible", "10.1.0.0/16 of vpc-leader0001 and 10.0.0.0/8 of vpc-follower01 overlap", "one cluster has to move"),
            ("network.zones", "leader: only 1 of 2 zones can be used", "vSwitch in another zone"),
            ("leader.license", "its license (basic, active)", "commercial edition on both sides"),
            ("leader.license", "it runs version 7.4", "upgrade it to 7.10.0"),
            ("link.indices", "on the follower: logs-2026-10", "delete or rename it"),
        ] },
    Case { name: "an instance that is not active, of the wrong kind",
        world: &[(LEADER, "version = \"7.4.0\"\nstatus = \"inactive\"\narch_type = \"exclusive\"\n")], spec: &[],
        says: &[
            ("leader.instance", "its status is inactive", "Elasticsearch console"),
            ("leader.instance", "archType exclusive", "upgrade its architecture"),
            ("leader.instance", "its version is 7.4", "upgrade it to 7.10.0"),
        ] },
];

fn changed(text: &str, changes: &[(&str, &str)]) -> String {
    changes.iter().fold(text.to_owned(), |text, (from, to)| {
        assert!(text.contains(from), "{from:?} is not in\n{text}");
        text.replacen(from, to, 1)
    })
}

/// A home over a changed default world.
fn env(world: &[(&str, &str)]) -> Env {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("world.toml");
    std::fs::write(&path, changed(WORLD, world)).unwrap();
    Env::over(Cloud::start(&["--world", &path.display().to_string()]))
}

fn node(plan: &Value, id: &str) -> Value {
    let mut nodes = plan["nodes"].as_array().unwrap().iter();
    nodes.find(|node| node["id"] == id).expect("the node is in the plan").clone()
}

fn stopped(env: &Env, plan: Output, says: &[(&str, &str, &str)], exit: i32) {
    let plan = plan.exits(exit);
    let document = plan.json();
    for (id, problem, remedy) in says {
        let report = &node(&document, id)["failure"]["report"];
        let text = |member: &str| report[member].as_str().unwrap_or_default();
        assert!(text("said").contains(problem), "{id}: {problem:?} is missing in {report}");
        assert!(text("help").contains(remedy), "{id}: {remedy:?} is missing in {report}");
        assert!(plan.stderr.contains(problem), "{problem:?} is not shown in\n{}", plan.stderr);
    }
    // What needs a gate that stopped is no problem of its own.
    let gate = &node(&document, "link.prerequisites")["failure"];
    assert_eq!(*gate, Value::Null);
    assert_eq!(env.changes(), Vec::<String>::new());
}

fn plan(env: &Env, spec: &[(&str, &str)]) -> Output {
    let spec = env.write("bad.toml", &changed(SPEC, spec));
    env.escrr(&["plan", &spec, "--output", "json"])
}

#[test]
fn every_problem_is_named_with_its_remedy_and_nothing_is_made() {
    for case in CASES {
        println!("{}", case.name);
        let env = env(case.world);
        stopped(&env, plan(&env, case.spec), case.says, 5);
    }
}

#[test]
fn a_run_makes_nothing_either() {
    let env = env(&[(FOLLOWER_VPC, "cidr = \"10.0.0.0/8\"\n")]);
    let spec = env.write("bad.toml", SPEC);
    drop(env.escrr(&["run", &spec, "--yes"]).exits(5).says("overlap"));
    assert_eq!(env.changes(), Vec::<String>::new());
}

#[test]
fn a_missing_permission_is_named_and_has_its_own_exit_code() {
    let env = env(&[]);
    env.fault(&[
        "--product",
        "Vpc",
        "--action",
        "DescribeVpcAttribute",
        "--refuse",
        "Forbidden.RAM",
    ]);
    let plan = plan(&env, &[]).exits(4);
    assert!(plan.stderr.contains("DescribeVpcAttribute"), "{}", plan.stderr);
    assert_eq!(env.changes(), Vec::<String>::new());
}

#[test]
fn a_vpc_on_another_cen_is_named() {
    let env = env(&[]);
    let cen = env.cloud.call("Cbn", "CreateCen", &json!({"Name": "theirs"}));
    let cen = cen["body"]["CenId"].as_str().or(cen["CenId"].as_str()).unwrap().to_owned();
    env.cloud.pass(60);
    let router = json!({"CenId": cen, "RegionId": "cn-hangzhou"});
    drop(env.cloud.call("Cbn", "CreateTransitRouter", &router));
    env.cloud.pass(600);
    let attachment = json!({
        "CenId": cen, "RegionId": "cn-hangzhou", "VpcId": "vpc-follower01",
        "ZoneMappings.1.ZoneId": "cn-hangzhou-h", "ZoneMappings.1.VSwitchId": "vsw-follower-h",
        "ZoneMappings.2.ZoneId": "cn-hangzhou-i", "ZoneMappings.2.VSwitchId": "vsw-follower-i",
    });
    drop(env.cloud.call("Cbn", "CreateTransitRouterVpcAttachment", &attachment));
    env.cloud.pass(600);
    let before = env.changes();
    let asked = [("[replication]", "[network]\ncen_id = \"cen-ours\"\n[replication]")];
    let plan = plan(&env, &asked).exits(5);
    let report = &node(&plan.json(), "link.compatible")["failure"]["report"];
    assert!(report["said"].as_str().unwrap().contains(&cen), "{report}");
    assert!(report["help"].as_str().unwrap().contains("detach the VPC"), "{report}");
    assert_eq!(env.changes(), before);
}

#[test]
fn warnings_are_shown_and_stop_nothing() {
    let policy = "indices.logs-2026-10 = { settings = { \"index.lifecycle.name\" = \"weekly\" } }\n\
                  indices.logs-000002 = { settings = { \"index.lifecycle.name\" = \"sized\", \"index.lifecycle.rollover_alias\" = \"logs\" } }\n\
                  indices.logs-000001 = { settings = { \"index.lifecycle.name\" = \"sized\", \"index.lifecycle.rollover_alias\" = \"logs\", \"index.lifecycle.indexing_complete\" = \"true\" } }\n\
                  indices.logs-old = { no_soft_deletes = true }\n";
    let guarded = "cidr = \"10.2.1.0/24\", network_acl = \"nacl-1\"";
    let plugins = "version = \"7.16.2\"\nplugins = []\n";
    let env = env(&[(LOGS, policy), (FOLLOWER, plugins), (FOLLOWER_H, guarded)]);
    let plan = plan(&env, &[]).exits(0);
    for words in [
        "1 index is under the lifecycle policy weekly",
        "2 indices are under the lifecycle policy sized",
        "logs-000002 is written through the alias logs, which the lifecycle policy sized rolls over",
        "follower: vsw-follower-h is guarded by the network ACL nacl-1",
        "logs-old cannot be followed: soft deletes are off",
        "lacks plugins of the leader: analysis-ik",
    ] {
        assert!(plan.stderr.contains(words), "{words} is missing in\n{}", plan.stderr);
    }
    let rules = node(&plan.json(), "link.indices")["output"]["warnings"].as_array().unwrap().len();
    assert_eq!(rules, 5);
    assert!(!plan.stderr.contains("logs-000001 is written"), "{}", plan.stderr);
}

/// What the rule of privileges names, and no more.
const LEADER_LEAST: &str = "version = \"7.10.0\"\n\
users = { elastic = \"Sandbox-elastic-1\", least = \"Sandbox-elastic-1\" }\n\
grants.least = { cluster = [\"monitor\", \"read_ccr\"], indices.\"logs-*\" = \
[\"read\", \"monitor\", \"view_index_metadata\", \"maintenance\", \"create_index\", \"write\", \"delete_index\"] }\n";
const FOLLOWER_LEAST: &str = "version = \"7.16.2\"\n\
users = { elastic = \"Sandbox-elastic-1\", least = \"Sandbox-elastic-1\" }\n\
grants.least = { cluster = [\"monitor\", \"manage\", \"manage_ccr\"], indices.\"logs-*\" = \
[\"read\", \"monitor\", \"write\", \"manage\", \"manage_follow_index\"] }\n";

#[test]
fn the_privileges_that_are_asked_for_are_enough() {
    let env = env(&[(LEADER, LEADER_LEAST), (FOLLOWER, FOLLOWER_LEAST)]);
    let least = "access.username = \"least\"\n";
    let spec = changed(
        SPEC,
        &[
            ("[follower]", &format!("{least}[follower]")),
            ("[replication]", &format!("{least}[replication]")),
        ],
    );
    let spec = env.write("least.toml", &spec);
    drop(env.escrr(&["run", &spec, "--yes"]).exits(0));
}

#[test]
fn what_warns_is_said_beside_what_stops() {
    let other = "indices.logs-old = { no_soft_deletes = true }\n";
    let taken = "version = \"7.16.2\"\nindices.logs-2026-11 = { documents = 1 }\n";
    let env = env(&[(LOGS, other), (FOLLOWER, taken)]);
    let plan = plan(&env, &[]).exits(5);
    let report = &node(&plan.json(), "link.indices")["failure"]["report"];
    assert!(report["said"].as_str().unwrap().contains("logs-2026-11"), "{report}");
    let warned = "logs-old cannot be followed: soft deletes are off";
    assert!(report["meaning"].as_str().unwrap().contains(warned), "{report}");
    assert!(plan.stderr.contains(warned), "{}", plan.stderr);
    let document = plan.json();
    let problems: Vec<(&str, &str, bool)> = document["problems"]
        .as_array()
        .unwrap()
        .iter()
        .map(|p| {
            let text = |member: &str| p[member].as_str().unwrap();
            assert!(!text("evidence").is_empty() && !text("remedy").is_empty(), "{p}");
            (text("rule"), text("node"), p["stops"].as_bool().unwrap())
        })
        .collect();
    let expected = [("left_out", "link.indices", false), ("name_taken", "link.indices", true)];
    assert_eq!(problems, expected);
}

#[test]
fn a_quota_that_is_used_up_is_warned_of() {
    let env = env(&[]);
    let quotas = || {
        let document = plan(&env, &[]).exits(0).json();
        let problems = document["problems"].as_array().unwrap().clone();
        problems.into_iter().filter(|p| p["rule"] == "quotas").collect::<Vec<_>>()
    };
    let params = json!({"RegionId": "cn-hangzhou", "ServiceResourceType": "nlb"});
    for _ in 0..199 {
        drop(env.cloud.call("PrivateLink", "CreateVpcEndpointService", &params));
    }
    assert_eq!(quotas(), Vec::<Value>::new());
    drop(env.cloud.call("PrivateLink", "CreateVpcEndpointService", &params));
    let found = quotas();
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0]["evidence"].as_str().unwrap().contains("200 endpoint services"), "{found:?}");
    assert_eq!(found[0]["stops"], false);
    // Once the link has its own, the quota is no matter any more.
    let spec = env.write("good.toml", SPEC);
    drop(env.escrr(&["run", &spec, "--yes"]).exits(0));
    assert_eq!(quotas(), Vec::<Value>::new());
}
