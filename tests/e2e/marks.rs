//! Marks and names: only such as every product takes are ever sent.

use crate::env::Env;
use crate::together::spec;

/// Tags that one product or another refuses.
const BAD_TAGS: &[&str] = &[
    "\"cost:center\" = \"x\"",
    "1st = \"x\"",
    "\"two words\" = \"x\"",
    "team = \"a@b\"",
    "\"escrr-saga\" = \"x\"",
    "\"escrr:saga\" = \"x\"",
];

#[test]
fn tags_that_one_product_refuses_are_refused_before_anything_is_made() {
    let env = Env::new();
    let before = env.inventory();
    for tags in BAD_TAGS {
        let spec = spec("one", "es-cn-leader000001", "es-cn-follower0001");
        let spec = format!("{spec}[tags]\n{tags}\n");
        let spec = env.write("spec.toml", &spec);
        drop(env.escrr(&["run", &spec, "--yes"]).exits(2).says("not a legal tag"));
    }
    assert_eq!(env.inventory(), before);
}

#[test]
fn a_run_and_its_rollback_send_no_tag_that_a_product_refuses() {
    let env = Env::new();
    let before = env.inventory();
    drop(env.escrr(&["run", "--yes"]).exits(0));
    let inventory = env.inventory();
    let rows = inventory.as_array().unwrap();
    // The pretend cloud has its own table of what each product takes.
    for kind in ["cen", "vswitch", "load_balancer", "server_group", "endpoint_service"] {
        let ours = |r: &&serde_json::Value| r["kind"] == kind && r["owner"] == "shanghai-hangzhou";
        assert!(rows.iter().any(|r| ours(&r)), "{kind}: {inventory:#}");
    }
    drop(env.escrr(&["rollback", "--yes"]).exits(0));
    assert_eq!(env.inventory(), before);
}
