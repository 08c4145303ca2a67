//! What the other side says is shown, and does nothing: no escape sequence, no control of the C1
//! block and no mark of direction reaches a terminal, a pipe, the log or a page.

use crate::env::{Env, Output};
use crate::impostor::Impostor;
use crate::terminal::{OnTerminal, there_or_skip};
use serde_json::{Value, json};

/// Colours, a title of the window, a cleared screen, turned text, an end of the text, a line.
const HOSTILE: &str = "no\u{1b}[31m \u{1b}]0;owned\u{7} \u{9b}2J \u{202e}txt.exe \u{2066}x\u{2069} \
                       \u{0} \u{7f} \u{200f}\u{61c}\u{2028}\u{8}";

fn acts(c: char) -> bool {
    (c.is_control() && !matches!(c, '\n' | '\t'))
        || "\u{61c}\u{200e}\u{200f}\u{2028}\u{2029}".contains(c)
        || ('\u{202a}'..='\u{202e}').contains(&c)
        || ('\u{2066}'..='\u{2069}').contains(&c)
}

fn assert_harmless(what: &str, text: &str) {
    let bad: Vec<char> = text.chars().filter(|c| acts(*c)).collect();
    assert!(bad.is_empty(), "{what}: {bad:?} in\n{text:?}");
}

fn both(what: &str, ran: &Output) -> String {
    assert_harmless(what, &ran.stdout);
    assert_harmless(what, &ran.stderr);
    format!("{}{}", ran.stdout, ran.stderr)
}

/// A cloud whose every answer is a refusal with hostile text in each of its positions.
fn hostile_cloud() -> Impostor {
    let refusal = json!({
        "Code": format!("Code{HOSTILE}"), "Message": format!("Message {HOSTILE}"),
        "RequestId": format!("R-{HOSTILE}"), "HostId": HOSTILE, "Recommend": HOSTILE,
        "AccessDeniedDetail": {"AuthAction": format!("cbn:{HOSTILE}")},
    });
    Impostor::start(move |line| {
        if line.contains("/sandbox/clock") {
            return (200, json!({"now_ms": 1_790_000_000_000_u64, "speed": null}).to_string());
        }
        (403, refusal.to_string())
    })
}

#[test]
fn a_refusal_of_the_cloud_is_harmless_in_every_command_and_form() {
    let env = Env::new();
    let impostor = hostile_cloud();
    let mut line = env.cloud.line();
    line["openapi"] = impostor.url().into();
    let file = env.write("hostile.json", &line.to_string());
    let there = format!("--sandbox={file}");
    let mut said = String::new();
    for arguments in [
        &["auth", "check", &there][..],
        &["auth", "check", "--output", "json", &there],
        &["plan", &there],
        &["plan", "--output", "json", &there],
        &["run", "--yes", "-vv", &there],
        &["resume", "--output", "ndjson", &there],
        &["status"],
        &["status", "--output", "json"],
        &["show", "prerequisites.identity"],
        &["show", "prerequisites.identity", "--output", "json"],
        &["events"],
        &["events", "--output", "ndjson"],
        &["report", "--out", "-"],
    ] {
        let ran = env.alone(arguments);
        said.push_str(&both(&arguments.join(" "), &ran));
    }
    // It was there to be shown, and is.
    for shown in ["\\u{1b}[31m", "\\u{9b}2J", "\\u{202e}txt.exe", "\\u202etxt.exe", "\\u009b2J"] {
        assert!(said.contains(shown), "{shown} is not shown");
    }
    let log = std::fs::read_to_string(env.home.path().join("state/logs/escrr.log")).unwrap();
    assert_harmless("the log", &log);
    // The data behind it is as it was said.
    let events = env.alone(&["events", "--output", "ndjson"]).exits(0);
    let rows = events.stdout.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let whole = format!("Message {HOSTILE}");
    let told =
        |row: &Value| row["report"]["said"].as_str().is_some_and(|said| said == whole.trim());
    assert!(rows.into_iter().any(|row| told(&row)), "{}", events.stdout);
}

#[test]
fn a_refusal_of_a_cluster_and_a_name_of_an_index_are_harmless() {
    let env = Env::new();
    let order = json!({
        "product": "Es", "mutating": true, "times": 1,
        "effect": {"refuse": {"status": 400, "code": format!("c{HOSTILE}"), "message": HOSTILE}},
    });
    let file = env.write("fault.json", &order.to_string());
    let name = "/logs-%1B%5B31m%C2%9B2j%E2%80%AEx";
    assert_eq!(env.cloud.put("leader", name, &json!({}))["acknowledged"], true);
    env.fault(&["--json", &file]);
    let mut said = String::new();
    for arguments in [&["plan"][..], &["run", "--yes", "-v"], &["resume"], &["verify"]] {
        let ran = env.escrr(arguments);
        said.push_str(&both(&arguments.join(" "), &ran));
    }
    for arguments in [&["status"][..], &["events"], &["report", "--out", "-"]] {
        said.push_str(&both(&arguments.join(" "), &env.alone(arguments)));
    }
    assert!(said.contains("\\u{202e}txt.exe"), "the refusal is not shown:\n{said}");
    assert!(said.contains("logs-\\u{1b}[31m\\u{9b}2j\\u{202e}x"), "the index is not shown");
}

#[test]
fn a_terminal_gets_no_sequence_but_our_own() {
    if !there_or_skip() {
        return;
    }
    let env = Env::new();
    let impostor = hostile_cloud();
    let mut line = env.cloud.line();
    line["openapi"] = impostor.url().into();
    let file = env.write("hostile.json", &line.to_string());
    let mut command = crate::env::bare(env.home.path());
    command.env_remove("NO_COLOR").args(["run", "--yes", &format!("--sandbox={file}")]);
    let shown = OnTerminal::start(command, 100).ends();
    for bad in ["\u{1b}]0;", "\u{9b}", "\u{202e}", "\u{2066}", "\u{7}", "\u{0}", "\u{8}"] {
        assert!(!shown.bytes.contains(bad), "{bad:?} in {:?}", shown.bytes);
    }
    assert!(shown.bytes.contains("\\u{1b}[31m"), "{:?}", shown.bytes);
}
