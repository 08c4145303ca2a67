//! What the program prints fits the schemas that it publishes, and what it reads too.

use crate::env::{Env, Output};
use escrr_steps::spec::{EXAMPLE, Spec, defaults};
use escrr_tests::schema::{findings, findings_of};
use serde_json::Value;

fn schema(env: &Env, what: &str) -> Value {
    env.alone(&["schema", what]).exits(0).json()
}

/// A document fits its own definition, and with it the whole.
#[track_caller]
fn holds(schema: &Value, definition: &str, document: &Value) {
    let of = &schema["definitions"][definition];
    assert_eq!(findings_of(schema, of, document), Vec::<String>::new(), "{definition}: {document}");
    assert_eq!(findings(schema, document), Vec::<String>::new(), "{definition}");
}

/// Every line of a stream fits; gives how many kinds there were.
#[track_caller]
fn stream(schema: &Value, output: &Output) -> usize {
    let lines: Vec<Value> =
        output.stdout.lines().map(|line| serde_json::from_str(line).expect(line)).collect();
    assert_eq!(lines[0]["type"], "version", "{}", output.stdout);
    for line in &lines {
        assert_eq!(findings(schema, line), Vec::<String>::new(), "{line}");
    }
    let mut kinds: Vec<&str> = lines.iter().map(|line| line["type"].as_str().unwrap()).collect();
    kinds.sort_unstable();
    kinds.dedup();
    kinds.len()
}

const JSON: [&str; 2] = ["--output", "json"];
const NDJSON: [&str; 2] = ["--output", "ndjson"];

fn json(env: &Env, arguments: &[&str], code: i32) -> Value {
    env.escrr(&[arguments, &JSON].concat()).exits(code).json()
}

#[test]
fn the_documents_of_a_whole_life_fit_their_schema() {
    let env = Env::new();
    let document = schema(&env, "document");
    holds(&document, "plan", &json(&env, &["plan"], 0));
    holds(&document, "error", &json(&env, &["plan", "absent.toml"], 2));
    holds(&document, "error", &env.alone(&["pla", "--output", "json"]).exits(2).json());
    env.fault(&["--action", "CreateLoadBalancer", "--refuse", "Forbidden.RAM", "--times", "1"]);
    let failed = json(&env, &["run", "--yes"], 4);
    holds(&document, "saga", &failed);
    let failures = failed["nodes"].as_array().unwrap().iter();
    assert!(failures.filter(|node| node["failure"].is_object()).count() > 0, "{failed}");
    holds(&document, "saga", &env.alone(&["status", "--output", "json"]).exits(0).json());
    holds(&document, "error", &json(&env, &["run", "--yes"], 1));
    holds(&document, "saga", &json(&env, &["resume"], 0));
    holds(&document, "plan", &json(&env, &["plan"], 0));
    holds(&document, "events", &env.alone(&["events", "--output", "json"]).exits(0).json());
    holds(&document, "saga", &json(&env, &["rollback", "--yes"], 0));
}

#[test]
fn the_documents_of_looking_at_a_link_fit_their_schema() {
    let env = Env::new();
    let document = schema(&env, "document");
    drop(env.escrr(&["run", "--yes"]).exits(0));
    holds(&document, "diagnosis", &json(&env, &["doctor"], 0));
    holds(&document, "verification", &json(&env, &["verify"], 0));
    holds(&document, "verification", &json(&env, &["lag"], 0));
    holds(&document, "audit", &json(&env, &["audit"], 0));
    holds(&document, "links", &env.alone(&["list", "--output", "json"]).exits(0).json());
    let node = env.alone(&["show", "follower.listener", "--output", "json"]).exits(0).json();
    holds(&document, "shown_node", &node);

    drop(env.cloud.post("follower", "/logs-2026-10/_ccr/pause_follow", &serde_json::json!({})));
    holds(&document, "diagnosis", &json(&env, &["doctor"], 5));
    holds(&document, "verification", &json(&env, &["verify"], 9));
    env.fault(&["--action", "ResumeFollow", "--refuse", "index_not_found_exception"]);
    let failed = json(&env, &["doctor", "--fix", "--yes"], 5);
    assert_eq!(failed["not_mended"].as_array().unwrap().len(), 1, "{failed}");
    holds(&document, "diagnosis", &failed);
    env.fault(&["--clear"]);
    holds(&document, "diagnosis", &json(&env, &["doctor", "--fix", "--yes"], 0));
    drop(env.escrr(&["rollback", "--yes"]).exits(0));
    holds(&document, "audit", &json(&env, &["audit"], 0));
}

#[test]
fn the_streams_of_a_whole_life_fit_their_schema() {
    let env = Env::new();
    let events = schema(&env, "events");
    env.fault(&["--action", "CreateLoadBalancer", "--refuse", "QuotaExceeded.X", "--times", "1"]);
    let parked = env.escrr(&[&["run", "--yes"][..], &NDJSON].concat());
    assert!(stream(&events, &parked) >= 5, "{parked:?}");
    let decide = ["retry", "follower.load_balancer", "--reason", "bought"];
    drop(env.alone(&decide).exits(0));
    let resumed = env.escrr(&[&["resume"][..], &NDJSON].concat()).exits(0);
    assert!(stream(&events, &resumed) >= 4, "{resumed:?}");
    let back = env.escrr(&[&["rollback", "--yes"][..], &NDJSON].concat()).exits(0);
    assert!(stream(&events, &back) >= 4, "{back:?}");
    let all = env.alone(&[&["events"][..], &NDJSON].concat()).exits(0);
    assert!(stream(&events, &all) >= 9, "{}", all.stdout);
}

#[test]
fn the_schema_of_the_spec_takes_what_the_program_takes() {
    let env = Env::new();
    let schema = schema(&env, "spec");
    let read = |text: &str| -> Value {
        serde_json::to_value(toml::from_str::<toml::Table>(text).expect(text)).unwrap()
    };
    // With the comment signs taken away from its keys the example uses every one of them.
    let key = |rest: &&str| rest.split_once(" = ").is_some_and(|(key, _)| !key.contains(' '));
    let open: Vec<&str> =
        EXAMPLE.lines().map(|line| line.strip_prefix("# ").filter(key).unwrap_or(line)).collect();
    for text in [EXAMPLE, defaults::SANDBOX, &open.join("\n")] {
        assert_eq!(findings(&schema, &read(text)), Vec::<String>::new());
    }
    let wrong = [
        ("bandwidth_mbps = 100", "bandwith_mbps = 100"),
        ("bandwidth_mbps = 100", "bandwidth_mbps = \"100\""),
        ("link = \"shanghai-hangzhou\"", "link = \"Shanghai\""),
        ("password = \"env:LEADER_PASSWORD\"", "password = \"hunter2\""),
        ("region = \"cn-shanghai\"\n", ""),
        ("patterns = [\"logs-*\"]", "patterns = \"logs-*\""),
        ("[verify]", "[verify]\nsample_documents = -1"),
        ("[load_balancer]", "[load_balancer]\nstart_port = 70000"),
        ("[network]", "[network]\nlink_type = \"silver\""),
        ("[tags]", "[tags]\nteam = 3"),
    ];
    for (from, to) in wrong {
        let text = EXAMPLE.replacen(from, to, 1);
        assert_ne!(text, EXAMPLE, "{from}");
        assert!(Spec::parse(&text, "t").is_err(), "the program takes {to}");
        assert!(!findings(&schema, &read(&text)).is_empty(), "the schema takes {to}");
    }
}
