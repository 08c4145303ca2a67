//! `escrr plan` as programs read it: durations, costs, the way things flow.

use crate::env::{Env, bare, output};
use escrr_engine::NodeId;
use escrr_steps::catalog::catalog;
use serde_json::Value;
use std::collections::BTreeMap;

const SPEC: &str = escrr_steps::spec::defaults::SANDBOX;

fn text(value: &Value) -> &str {
    value.as_str().expect("a text")
}

/// The plan's nodes by name.
fn nodes(plan: &Value) -> BTreeMap<&str, &Value> {
    plan["nodes"].as_array().unwrap().iter().map(|node| (text(&node["id"]), node)).collect()
}

/// When the last node ends, found another way: every node is moved behind what it needs until
/// none has to be moved any more.
fn last_end_s(plan: &Value, key: &str) -> u64 {
    let list = catalog().unwrap();
    let nodes = nodes(plan);
    let mut ends: BTreeMap<String, u64> = BTreeMap::new();
    let mut moved = true;
    while moved {
        moved = false;
        for about in list.about().iter().rev() {
            let node = nodes[about.id.to_string().as_str()];
            let takes = ["make", "later", "waits", "again"].contains(&text(&node["verdict"]));
            let own = if takes { node[key].as_u64().unwrap() } else { 0 };
            let end_of = |need: &NodeId| ends.get(&need.to_string()).copied();
            let end = own + about.needs.iter().filter_map(end_of).max().unwrap_or(0);
            moved |= ends.insert(about.id.to_string(), end) != Some(end);
        }
    }
    ends.into_values().max().unwrap_or(0)
}

#[test]
fn the_longest_path_of_the_catalog_is_a_path_and_no_other_is_longer() {
    let home = tempfile::tempdir().unwrap();
    let asked = ["plan", "--sandbox", "--output", "json"];
    let plan = output(bare(home.path()).args(asked)).exits(0).json();
    let list = catalog().unwrap();
    let needs = |at: &str| list.about()[list.find(at).unwrap()].needs.clone();
    for (total, path, key) in
        [("longest_path_s", "longest_path", "usual_s"), ("at_most_s", "at_most_path", "at_most_s")]
    {
        let total = plan[total].as_u64().unwrap();
        let path: Vec<&str> = plan[path].as_array().unwrap().iter().map(text).collect();
        let sum: u64 = path.iter().map(|node| nodes(&plan)[node][key].as_u64().unwrap()).sum();
        assert_eq!(sum, total, "{path:?}");
        // Every node of it needs the one before, by itself or through what takes no time.
        for pair in path.windows(2) {
            let mut open = needs(pair[1]);
            let mut reached = false;
            while let Some(need) = open.pop() {
                reached |= need.to_string() == pair[0];
                open.extend(needs(&need.to_string()));
            }
            assert!(reached, "{} does not need {}", pair[1], pair[0]);
        }
        assert_eq!(last_end_s(&plan, key), total);
    }
}

#[test]
fn the_document_has_all_of_the_plan() {
    let env = Env::new();
    let plan = env.escrr(&["plan", "--output", "json", "--detailed-exitcode"]).exits(3).json();
    assert_eq!((&plan["exit_code"], &plan["class"]), (&3.into(), &"changes".into()));
    assert_eq!(
        (&plan["to_make"], &plan["found"], &plan["differ"]),
        (&28.into(), &2.into(), &0.into())
    );
    assert_eq!(plan["steps"].as_array().unwrap().len(), 7);
    let allow_list = nodes(&plan)["leader.allow_list"];
    assert_eq!(allow_list["leaves"], Value::Null);
    assert_eq!((&allow_list["usual_s"], &allow_list["at_most_s"]), (&180.into(), &3600.into()));
    assert_eq!(
        (&plan["flow"]["data"]["from"], &plan["flow"]["connections"]["from"]),
        (&"leader".into(), &"follower".into())
    );
    // Without prices nothing is invented.
    assert_eq!(
        (&plan["costs"]["fixed_hour"], &plan["costs"]["unknown_fixed"]),
        (&Value::Null, &4.into())
    );

    let lines = env.escrr(&["plan", "--output", "ndjson"]).exits(0);
    let lines: Vec<Value> =
        lines.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines[0]["schema"], "escrr.plan/1");
    assert_eq!(lines.iter().filter(|line| line["type"] == "node").count(), nodes(&plan).len());
    assert_eq!(lines.last().unwrap()["longest_path_s"], plan["longest_path_s"]);
}

#[test]
fn prices_of_the_spec_are_summed_and_what_is_unknown_is_said() {
    let env = Env::new();
    let prices = "[prices]\ndate = \"2026-11-01\"\ncurrency = \"USD\"\n\
                  load_balancer_hour = 0.02\nendpoint_zone_hour = 0.01\n";
    let spec = env.write("priced.toml", &format!("{SPEC}{prices}"));
    let plan = env.escrr(&["plan", &spec, "--output", "json"]).exits(0).json();
    let costs = &plan["costs"];
    assert_eq!((&costs["fixed_hour"], &costs["fixed_month"]), (&"0.03".into(), &"21.60".into()));
    assert_eq!((&costs["unknown_fixed"], &costs["date"]), (&2.into(), &"2026-11-01".into()));
    let shown = env.escrr(&["plan", &spec]).exits(0);
    drop(
        shown
            .says("prices of 2026-11-01, from the spec, in USD")
            .says("0.03 USD an hour, 21.60 USD a month of 30 days; 2 prices by the hour"),
    );
    // What is made already does not start to cost.
    drop(env.escrr(&["run", &spec, "--yes"]).exits(0));
    let plan = env.escrr(&["plan", &spec, "--output", "json"]).exits(0).json();
    assert_eq!(plan["costs"]["charges"].as_array().unwrap().len(), 0);
}

#[test]
fn earlier_runs_teach_how_long_it_takes() {
    let env = Env::new();
    // Replicated indices that stay would be in the second run's way.
    let spec = SPEC.replace("[replication]", "[replication]\non_rollback = \"delete\"");
    let spec = env.write("spec.toml", &spec);
    let before = env.escrr(&["plan", &spec, "--output", "json"]).exits(0).json();
    assert_eq!(nodes(&before)["network.cen"]["usual_of_runs"], Value::Null);
    for _ in 0..2 {
        drop(env.escrr(&["run", &spec, "--yes"]).exits(0));
        drop(env.escrr(&["rollback", "--yes"]).exits(0));
    }
    let after = env.escrr(&["plan", &spec, "--output", "json"]).exits(0).json();
    let attachment = nodes(&after)["leader.vpc_attachment"];
    assert_eq!(attachment["usual_of_runs"], 2);
    assert!((150..240).contains(&attachment["usual_s"].as_u64().unwrap()), "{attachment}");
    // What only looks announces nothing, so that nothing is known of when it began.
    assert_eq!(nodes(&after)["network.routes"]["usual_of_runs"], Value::Null);
    drop(env.escrr(&["plan", &spec]).exits(0).says("medians of up to 2 earlier runs here"));
}
