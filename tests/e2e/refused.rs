//! A refusal stops the saga with the right exit code, says why and what next; lifted, it goes on.

use crate::env::Env;
use std::collections::BTreeSet;
use std::sync::Mutex;

/// For each node a call that it cannot do without: product, action, and from which call on it is
/// refused.
const CALLS: &[(&str, &str, u32)] = &[
    ("Sts", "GetCallerIdentity", 1),
    ("Elasticsearch", "DescribeInstance", 1),
    // Once each instance is found, it is read again to be judged.
    ("Elasticsearch", "DescribeInstance", 3),
    ("Vpc", "DescribeVpcAttribute", 1),
    ("Cbn", "CheckTransitRouterService", 1),
    ("Nlb", "DescribeZones", 1),
    ("Es", "Root", 1),
    ("Es", "License", 1),
    ("Cbn", "DescribeCens", 1),
    ("Cbn", "ListTransitRouters", 1),
    ("Vpc", "CreateVSwitch", 1),
    ("Cbn", "ListTransitRouterVpcAttachments", 1),
    ("Cbn", "ListTransitRouterPeerAttachments", 1),
    ("Cbn", "ListTransitRouterRouteTableAssociations", 1),
    ("Cbn", "ListTransitRouterRouteTablePropagations", 1),
    ("Vpc", "DescribeRouteEntryList", 1),
    ("Cbn", "ListTransitRouterRouteEntries", 1),
    ("Ecs", "RunCommand", 1),
    ("Elasticsearch", "ModifyWhiteIps", 1),
    ("Nlb", "ListServerGroups", 1),
    ("Nlb", "ListServerGroupServers", 1),
    // The first one counts what is there, for the quota.
    ("Nlb", "ListLoadBalancers", 2),
    ("Nlb", "ListListeners", 1),
    ("Nlb", "GetListenerHealthStatus", 1),
    ("PrivateLink", "ListVpcEndpointServices", 2),
    ("Elasticsearch", "ListVpcEndpoints", 1),
    ("PrivateLink", "ListVpcEndpointConnections", 1),
    ("Es", "PutSettings", 1),
    ("Es", "PutAutoFollow", 1),
    ("Es", "PutFollow", 1),
    ("Es", "All", 1),
    ("Es", "Refresh", 1),
    ("Es", "CreateIndex", 1),
    ("Es", "DeleteIndex", 1),
];

/// These make no call of their own: one gathers what the gates found, and the follower's VPC
/// of the default world has its vSwitches already.
const CALL_NOTHING: [&str; 2] = ["follower.vswitches", "link.prerequisites"];

/// Refused at one call: the saga stops, says why and what next; lifted, it goes on to the end.
/// Gives the nodes that failed, and all nodes.
fn refused_at(product: &str, action: &str, nth: u32) -> (Vec<String>, Vec<String>) {
    let env = Env::new();
    env.fault(&[
        "--product",
        product,
        "--action",
        action,
        "--nth",
        &nth.to_string(),
        "--times",
        "1000",
        "--refuse",
        "OperationDenied.Sandbox",
        "--message",
        "by order",
    ]);
    let refused = env.escrr(&["run", "--yes", "--output", "json"]).exits(1);
    let said = refused.json();
    assert_eq!(
        (&said["class"], &said["resumable"]),
        (&"failed".into(), &true.into()),
        "{action}: {said}"
    );
    assert!(
        said["next_command"].as_str().is_some_and(|c| c.contains("escrr resume")),
        "{action}: {said}"
    );
    let nodes = said["nodes"].as_array().unwrap();
    let names = |wanted: &dyn Fn(&serde_json::Value) -> bool| -> Vec<String> {
        let rows = nodes.iter().filter(|n| wanted(n));
        rows.map(|n| n["id"].as_str().unwrap().to_owned()).collect()
    };
    let (failed, all) = (names(&|n| n["state"] == "failed"), names(&|_| true));
    drop(refused.says("by order"));
    env.fault(&["--clear"]);
    drop(env.escrr(&["resume"]).exits(0));
    (failed, all)
}

#[test]
fn refused_at_each_node_in_turn_the_saga_stops_and_goes_on() {
    let queue = Mutex::new(CALLS.iter());
    let (failed, all) = (Mutex::new(BTreeSet::new()), Mutex::new(BTreeSet::new()));
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                loop {
                    let Some((product, action, nth)) = queue.lock().unwrap().next() else { break };
                    let (some, every) = refused_at(product, action, *nth);
                    assert!(!some.is_empty(), "{product} {action} failed no node");
                    failed.lock().unwrap().extend(some);
                    all.lock().unwrap().extend(every);
                }
            });
        }
    });
    let (failed, all) = (failed.into_inner().unwrap(), all.into_inner().unwrap());
    let never: Vec<&String> = all.difference(&failed).collect();
    println!("refused at {} nodes of {}", failed.len(), all.len());
    assert_eq!(never, CALL_NOTHING.iter().collect::<Vec<_>>());
}

#[test]
fn each_kind_of_refusal_has_its_exit_code() {
    let cases = [
        (("Nlb", "CreateListener", "OperationDenied.Sandbox"), 1, "OperationDenied.Sandbox"),
        (("Cbn", "CreateCen", "Forbidden.RAM"), 4, "Forbidden.RAM"),
        (("Nlb", "CreateLoadBalancer", "QuotaExceeded.LoadBalancer"), 6, "QuotaExceeded"),
        (("Sts", "GetCallerIdentity", "InvalidAccessKeyId.NotFound"), 4, "InvalidAccessKeyId"),
        (("Elasticsearch", "DescribeInstance", "InstanceNotFound"), 5, "no such instance"),
    ];
    for ((product, action, code), exit, said) in cases {
        let env = Env::new();
        let fault =
            ["--product", product, "--action", action, "--refuse", code, "--message", "by order"];
        env.fault(&fault);
        let refused = env.escrr(&["run", "--yes"]).exits(exit);
        drop(refused.says(said).says("resume"));
        env.fault(&["--clear"]);
        drop(env.escrr(&["resume"]).exits(0));
    }
}

#[test]
fn expired_credentials_in_the_middle_park_and_resume_with_one_attachment() {
    let env = Env::new();
    env.fault(&[
        "--product",
        "Cbn",
        "--action",
        "ListTransitRouterVpcAttachments",
        "--nth",
        "6",
        "--refuse",
        "InvalidSecurityToken.Expired",
    ]);
    drop(env.escrr(&["run", "--yes"]).exits(4).says("resume"));
    env.fault(&["--clear"]);
    drop(env.escrr(&["resume"]).exits(0));
    let inventory = env.inventory();
    let attachments =
        inventory.as_array().unwrap().iter().filter(|r| r["kind"] == "vpc_attachment").count();
    assert_eq!(attachments, 2);
}

#[test]
fn an_undo_that_is_refused_is_stuck_and_everything_else_is_taken_back() {
    let env = Env::new();
    let before = env.inventory();
    drop(env.escrr(&["run", "--yes"]).exits(0));
    env.fault(&[
        "--product",
        "Nlb",
        "--action",
        "DeleteLoadBalancer",
        "--refuse",
        "OperationDenied.Sandbox",
    ]);
    let stuck = env.escrr(&["rollback", "--yes"]).exits(8);
    drop(stuck.says("follower.load_balancer"));
    let left = env.inventory();
    let kinds: Vec<&str> =
        left.as_array().unwrap().iter().map(|r| r["kind"].as_str().unwrap()).collect();
    assert!(!kinds.contains(&"vpc_attachment"), "independent branches are taken back: {kinds:?}");
    env.fault(&["--clear"]);
    drop(env.escrr(&["rollback", "--yes"]).exits(0));
    assert_eq!(env.inventory(), before);
}
