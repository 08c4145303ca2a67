//! A refusal stops the saga with the right exit code, says why and what next; lifted, it goes on.

use crate::env::Env;

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
