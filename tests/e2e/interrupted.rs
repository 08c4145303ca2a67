//! A run that was stopped says so, in every place, and so does one that died without a word.

use crate::env::{Cloud, Env, output};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use std::io::{BufRead as _, BufReader, Lines};
use std::process::{Child, ChildStdout, Command, Stdio};

type Stream = Lines<BufReader<ChildStdout>>;

/// A world whose time is slow enough for a signal to meet a run in its middle, also on a machine
/// that is busy with other things.
fn slow() -> Env {
    Env::over(Cloud::start(&["--speed", "30"]))
}

/// A run that has announced something.
fn running(env: &Env) -> (Child, Stream) {
    let mut run = env
        .command(&["run", "--yes", "--output", "ndjson"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(run.stdout.take().unwrap()).lines();
    lines.find(|line| line.as_ref().unwrap().contains("intended")).unwrap().unwrap();
    (run, lines)
}

fn signal(run: &Child, name: &str) {
    drop(output(Command::new("kill").args([name, &run.id().to_string()])).exits(0));
}

fn status(env: &Env) -> Value {
    env.alone(&["status", "--output", "json"]).exits(0).json()
}

fn kinds(env: &Env) -> Vec<String> {
    let events = env.alone(&["events", "--output", "json"]).exits(0).json();
    let events = events["events"].as_array().unwrap().iter();
    events.map(|event| event["type"].as_str().unwrap().to_owned()).collect()
}

/// What `status`, `list` and the exit code say after a signal.
fn stopped_by(name: &str, code: i32, by: &str) {
    let env = slow();
    let (mut run, lines) = running(&env);
    signal(&run, name);
    let last = lines.map(Result::unwrap).last().unwrap();
    assert_eq!(run.wait().unwrap().code(), Some(code), "{name}");
    let last: Value = serde_json::from_str(&last).unwrap();
    assert_eq!((&last["type"], &last["by"]), (&"interrupted".into(), &by.into()), "{last}");
    assert!(last["actor"]["user"].is_string(), "{last}");
    let said = status(&env);
    assert_eq!(said["state"], "interrupted", "{said}");
    assert_eq!((&said["exit_code"], &said["class"]), (&code.into(), &"interrupted".into()));
    assert_eq!((&said["resumable"], &said["holder"]), (&true.into(), &Value::Null));
    assert!(said["next_command"].as_str().unwrap().starts_with("escrr resume "), "{said}");
    let listed = env.alone(&["list", "--output", "json"]).exits(0).json();
    assert_eq!(listed["links"][0]["state"], "interrupted");
    drop(env.alone(&["status"]).exits(0).says("interrupted"));
    drop(env.escrr(&["resume"]).exits(0));
    let kinds = kinds(&env);
    assert_eq!(kinds.iter().filter(|kind| *kind == "resumed").count(), 1, "{kinds:?}");
    assert_eq!(status(&env)["state"], "succeeded");
}

#[test]
fn a_signal_interrupts_and_the_journal_says_which() {
    stopped_by("-INT", 130, "SIGINT");
    stopped_by("-TERM", 143, "SIGTERM");
    stopped_by("-HUP", 143, "SIGHUP");
}

#[test]
fn a_run_that_was_killed_is_interrupted_and_not_running() {
    let env = slow();
    let (mut run, lines) = running(&env);
    signal(&run, "-STOP");
    let said = status(&env);
    assert_eq!((&said["state"], &said["class"]), (&"running".into(), &"running".into()), "{said}");
    assert_eq!(said["holder"]["pid"], run.id());
    assert_eq!((&said["exit_code"], &said["resumable"]), (&Value::Null, &false.into()), "{said}");
    signal(&run, "-KILL");
    drop(lines);
    run.wait().unwrap();
    let said = status(&env);
    assert_eq!(said["state"], "interrupted", "{said}");
    assert_eq!((&said["exit_code"], &said["resumable"]), (&130.into(), &true.into()));
    drop(env.escrr(&["resume"]).exits(0));
    assert!(kinds(&env).contains(&"resumed".to_owned()));
}

#[test]
fn who_ignores_the_end_of_the_terminal_goes_on() {
    let env = Env::new();
    let run = env.command(&["run", "--yes", "--output", "ndjson"]);
    let mut held = Command::new("nohup");
    held.arg(run.get_program()).args(run.get_args()).current_dir(env.home.path());
    for (name, value) in run.get_envs().filter_map(|(name, value)| Some((name, value?))) {
        held.env(name, value);
    }
    let mut run = held.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut lines = BufReader::new(run.stdout.take().unwrap()).lines();
    lines.find(|line| line.as_ref().unwrap().contains("intended")).unwrap().unwrap();
    signal(&run, "-HUP");
    lines.for_each(drop);
    assert_eq!(run.wait().unwrap().code(), Some(0));
}

#[test]
fn a_rollback_that_is_stopped_is_interrupted_too() {
    let env = slow();
    drop(env.escrr(&["run", "--yes"]).exits(0));
    let mut back = env
        .command(&["rollback", "--yes", "--output", "ndjson"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(back.stdout.take().unwrap()).lines();
    lines.find(|line| line.as_ref().unwrap().contains("undo_intended")).unwrap().unwrap();
    signal(&back, "-TERM");
    lines.for_each(drop);
    assert_eq!(back.wait().unwrap().code(), Some(143));
    assert_eq!(status(&env)["state"], "interrupted");
    drop(env.escrr(&["rollback", "--yes"]).exits(0));
    let kinds = kinds(&env);
    assert!(kinds.iter().any(|kind| kind == "resumed"), "{kinds:?}");
}

/// An export of one saga that was begun with other steps.
fn of_another_version() -> String {
    let created = serde_json::json!({
        "type": "created", "link": "old", "spec": "", "spec_digest": "", "edition": "0123456789ab",
        "program": "0.0.9", "world": "sandbox",
    });
    let front =
        r#"{"saga":"01a2090e-b2d4-730c-907d-1ec6d1822b7a","version":1,"at_ms":1,"previous":"","#;
    let created = created.to_string();
    let lines = format!(
        "{}\n{front}{}\n",
        r#"{"type":"escrr.store","schema":1}"#,
        created.trim_start_matches('{')
    );
    let digest = Sha256::digest(&lines);
    let digest = digest.iter().fold(String::new(), |all, byte| format!("{all}{byte:02x}"));
    let end = r#""type":"escrr.store.end","sagas":1,"entries":1,"sha256":"#;
    format!("{lines}{{{end}\"{digest}\"}}\n")
}

#[test]
fn another_version_of_the_steps_is_told_before_anybody_resumes() {
    let env = Env::new();
    let file = env.write("other.jsonl", &of_another_version());
    drop(env.alone(&["store", "import", &file]).exits(0));
    let said = status(&env);
    assert_eq!(
        (&said["resumable"], &said["next_command"]),
        (&false.into(), &Value::Null),
        "{said}"
    );
    assert_eq!(said["error"]["code"], "E0309");
    drop(env.alone(&["status"]).exits(0).says("E0309"));
    let listed = env.alone(&["list", "--output", "json"]).exits(0).json();
    assert_eq!(listed["links"][0]["next_command"], Value::Null);
}
