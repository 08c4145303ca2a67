//! Every document of `--output json` is one object that names its format and says what is wrong.

use crate::env::{Env, Output};
use serde_json::Value;

/// The document, its format checked.
#[track_caller]
fn document(output: &Output) -> Value {
    let document = output.json();
    assert_eq!(document["schema"], "escrr.document/1", "{document}");
    document
}

/// The error of a document, whole.
#[track_caller]
fn error(output: &Output) -> Value {
    let error = document(output)["error"].clone();
    for (key, is) in [
        ("code", Value::is_string as fn(&Value) -> bool),
        ("message", Value::is_string),
        ("hints", Value::is_array),
    ] {
        assert!(is(&error[key]), "{key}: {error}");
    }
    error
}

#[test]
fn every_command_answers_in_one_envelope() {
    let env = Env::new();
    let json = ["--output", "json"];
    let own = |arguments: &[&str]| env.alone(&[arguments, &json].concat());
    let over = |arguments: &[&str]| env.escrr(&[arguments, &json].concat());
    let listed = document(&own(&["list"]).exits(0));
    assert_eq!(listed["links"], serde_json::json!([]));
    assert_eq!(document(&over(&["run", "--yes"]).exits(0))["error"], Value::Null);
    for arguments in [
        &["list"][..],
        &["status"],
        &["events"],
        &["show", "network.cen"],
        &["graph"],
        &["explain"],
        &["explain", "E0001"],
        &["explain", "Throttling"],
        &["steps"],
        &["version"],
        &["store", "verify"],
        &["store", "compact"],
    ] {
        document(&own(arguments).exits(0));
    }
    for arguments in [
        &["plan"][..],
        &["audit"],
        &["verify"],
        &["doctor"],
        &["lag"],
        &["auth", "check"],
        &["sandbox", "inventory"],
        &["sandbox", "log"],
        &["sandbox", "fault", "--list"],
        &["rollback", "--yes"],
    ] {
        document(&over(arguments).exits(0));
    }
    // What is somebody else's format is left as it is.
    assert_eq!(own(&["auth", "policy"]).exits(0).json()["schema"], Value::Null);
}

#[test]
fn what_failed_says_why_at_the_top() {
    let env = Env::new();
    let json = ["--output", "json"];
    let over = |arguments: &[&str]| env.escrr(&[arguments, &json].concat());
    env.fault(&["--action", "CreateListener", "--refuse", "OperationDenied.Sandbox"]);
    let failed = error(&over(&["run", "--yes"]).exits(1));
    assert_eq!(failed["code"], "E1001");
    assert!(failed["message"].as_str().unwrap().contains("OperationDenied.Sandbox"), "{failed}");
    let status = env.alone(&["status", "--output", "json"]).exits(0);
    assert_eq!(error(&status), failed);
    let said = document(&status);
    assert_eq!((&said["exit_code"], &said["class"]), (&1.into(), &"failed".into()));
    env.fault(&["--clear"]);
    drop(over(&["resume"]).exits(0));
    drop(env.cloud.post("follower", "/logs-2026-10/_ccr/pause_follow", &serde_json::json!({})));
    assert_eq!(error(&over(&["verify"]).exits(9))["code"], "E1005");
    assert_eq!(error(&over(&["doctor"]).exits(5))["code"], "E1002");
    // A usage error keeps what it is about.
    let missing = env.alone(&["skip", "network.cen", "--output", "json"]).exits(2);
    let message = error(&missing)["message"].as_str().unwrap().to_owned();
    assert!(message.contains("--reason <TEXT>"), "{message}");
}

#[test]
fn a_run_that_was_taken_back_at_its_failure_keeps_the_cause() {
    let env = Env::new();
    env.fault(&["--action", "CreateLoadBalancer", "--refuse", "QuotaExceeded.LoadBalancer"]);
    let arguments = ["run", "--yes", "--on-failure", "rollback"];
    let ended = env.escrr(&[&arguments[..], &["--output", "json"]].concat()).exits(6);
    let said = document(&ended);
    assert_eq!((&said["state"], &said["class"]), (&"rolled_back".into(), &"parked".into()));
    let failed = error(&ended);
    assert_eq!(failed["code"], "E1004");
    assert!(failed["message"].as_str().unwrap().contains("QuotaExceeded"), "{failed}");
    assert_eq!(said["cause"], failed);
    // Afterwards it is known still, and on the screen.
    let status = env.alone(&["status", "--output", "json"]).exits(0).json();
    assert_eq!((&status["cause"], &status["error"]), (&failed, &Value::Null));
    let screen = env.escrr(&arguments).exits(6);
    assert!(screen.stdout.contains("QuotaExceeded"), "{}", screen.stdout);
}
