//! What people see, as pictures of text: what differs from run to run is masked.
//!
//! `INSTA_UPDATE=always cargo test -p escrr-tests --test e2e screens` takes them anew.

use crate::env::{Env, bare, output};
use crate::golden::{Home, golden};
use crate::terminal::{OnTerminal, there_or_skip};
use escrr_steps::spec::defaults::SANDBOX;
use serde_json::json;
use std::io::{BufRead as _, BufReader, Read as _};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

/// Ids, times and durations as words; everything else stays.
pub(crate) fn masked(text: &str) -> String {
    let word = |c: char| c.is_ascii_alphanumeric() || matches!(c, ':' | '_' | '.' | '-');
    let mut out = String::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let end = rest.find(|c: char| !word(c)).unwrap_or(rest.len());
        if end == 0 {
            out.push(c);
            rest = &rest[c.len_utf8()..];
            continue;
        }
        let whole = &rest[..end];
        let bare = whole.trim_end_matches(['.', ':']);
        out.push_str(&mask(bare));
        out.push_str(&whole[bare.len()..]);
        rest = &rest[end..];
    }
    out
}

/// One word.
fn mask(word: &str) -> String {
    if word.len() == 36 && word.matches('-').count() == 4 {
        // The cloud writes its requests' ids in capitals, a saga's id is never so.
        let capitals = word.bytes().any(|b| b.is_ascii_uppercase());
        return if capitals { "REQUEST" } else { "SAGA" }.to_owned();
    }
    if word.ends_with('Z') && word.contains('T') {
        return "TIME".to_owned();
    }
    word.split('-').map(mask_part).collect::<Vec<_>>().join("-")
}

/// A group in an allow list ends in eight digits of its saga's id.
fn group(part: &str) -> String {
    match part.rsplit_once('_') {
        Some((link, tail)) if mask_part(tail) == "ID" => format!("{link}_ID"),
        _ => part.to_owned(),
    }
}

fn mask_part(part: &str) -> String {
    let is_hex = part.len() >= 8 && part.bytes().all(|b| b.is_ascii_hexdigit());
    let is_span = part.starts_with(|c: char| c.is_ascii_digit())
        && part.ends_with(['s', 'm'])
        && part.bytes().all(|b| b.is_ascii_digit() || b"hms".contains(&b));
    match part {
        _ if part.starts_with("escrr_probe_") => "PROBE".to_owned(),
        _ if part.starts_with("escrr_") => group(part),
        _ if is_hex => "ID".to_owned(),
        _ if is_span => "SPAN".to_owned(),
        _ => part.to_owned(),
    }
}

/// Compared documents are drawn by chance.
fn without_chance(text: &str) -> String {
    let line = |line: &str| match line.split_once(" documents compared") {
        Some((_, rest)) => format!("                  N documents compared{rest}"),
        None => line.to_owned(),
    };
    text.lines().map(line).collect::<Vec<_>>().join("\n")
}

/// A command over the sandbox whose name, and so the width of what is shown, is always the same.
fn command(env: &Env, line: &str) -> Command {
    std::fs::copy(env.cloud.file(), env.home.path().join("sandbox.json")).unwrap();
    let mut command = usual(env.home.path());
    command.args(line.split_whitespace()).arg("--sandbox=sandbox.json");
    command
}

/// The binary in its usual home, which no printed command has to name: its name is not everywhere
/// as long.
fn usual(home: &Path) -> Command {
    let states = home.join("states");
    for folder in [&states, &home.join("state")] {
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).unwrap();
    }
    if !states.join("escrr").exists() {
        std::os::unix::fs::symlink(home.join("state"), states.join("escrr")).ok();
    }
    let mut command = bare(home);
    command.env_remove("ESCRR_HOME").env("XDG_STATE_HOME", states);
    command
}

/// What a command shows that may be given again and again: on a terminal of 80 columns, of 200
/// columns, and without a terminal. Colours change nothing but the colour.
fn shots(line: &str, code: i32, command: impl Fn() -> Command) -> String {
    let mut all = Vec::new();
    for columns in [80, 200] {
        let shown = OnTerminal::start(command(), columns).ends();
        assert_eq!(shown.code, Some(code), "{line}: {}", shown.text);
        assert!(!shown.bytes.contains("\u{1b}[3"), "{line} at {columns}: {}", shown.bytes);
        let mut coloured = command();
        coloured.env_remove("NO_COLOR");
        let coloured = OnTerminal::start(coloured, columns).ends();
        let colours = coloured.bytes.contains("\u{1b}[");
        assert!(colours || code == 0, "{line} at {columns}: what is wrong has no colour");
        assert_eq!(masked(&coloured.text), masked(&shown.text), "{line} in colours");
        all.push(format!("$ {line}    ({columns} columns)\n{}\n", masked(&shown.text)));
    }
    let piped = output(&mut command()).exits(code);
    all.push(format!(
        "$ {line}    (no terminal)\n{}--- stderr\n{}",
        masked(&piped.stdout),
        masked(&piped.stderr)
    ));
    all.join("\n")
}

#[test]
fn a_finished_run() {
    let env = Env::new();
    let ran = env.escrr(&["run", "--yes"]).exits(0);
    insta::assert_snapshot!("run_finished", masked(&without_chance(&ran.stdout)));
    let status = env.alone(&["status"]).exits(0).stdout;
    insta::assert_snapshot!("status_finished", masked(&status));
}

#[test]
fn an_interrupted_run() {
    let env = Env::new();
    let mut run = env
        .command(&["run", "--yes", "--output", "ndjson"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(run.stdout.take().unwrap()).lines().map(Result::unwrap);
    lines.find(|line| line.contains("intended")).unwrap();
    drop(output(Command::new("kill").args(["-INT", &run.id().to_string()])).exits(0));
    lines.for_each(drop);
    let mut said = String::new();
    run.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    assert_eq!(run.wait().unwrap().code(), Some(130));
    // How far it got is chance; what is said of it is not.
    let rest: Vec<&str> = said.lines().filter(|line| !line.starts_with("20")).collect();
    let rest = rest.join("\n").replace(&env.cloud.file().display().to_string(), "FILE");
    let rest = rest.replace(&format!(" --home {}/state", env.home.path().display()), "");
    insta::assert_snapshot!("run_interrupted", masked(&rest));
}

#[test]
fn an_interrupted_run_on_terminals() {
    if !there_or_skip() {
        return;
    }
    for columns in [80, 200] {
        let env = Env::new();
        let run = OnTerminal::start(command(&env, "run --yes"), columns);
        let shown = run.signal_when("1 Connect the VPCs", "INT").ends();
        assert_eq!(shown.code, Some(130), "{}", shown.text);
        // How far it got is chance; what is said of it is not.
        let tree = |line: &str| line.starts_with(' ') || line.starts_with("shanghai-hangzhou");
        let rest: Vec<&str> = shown.text.lines().filter(|line| !tree(line)).collect();
        insta::assert_snapshot!(format!("run_interrupted_at_{columns}"), masked(&rest.join("\n")));
    }
}

#[test]
fn a_run_on_terminals() {
    if !there_or_skip() {
        return;
    }
    for columns in [80, 200] {
        let env = Env::new();
        let shown = OnTerminal::start(command(&env, "run --yes"), columns).ends();
        assert_eq!(shown.code, Some(0), "{}", shown.text);
        insta::assert_snapshot!(format!("run_at_{columns}"), masked(&without_chance(&shown.text)));
    }
}

#[test]
fn a_healthy_and_a_broken_link() {
    if !there_or_skip() {
        return;
    }
    let env = Env::new();
    drop(env.escrr(&["run", "--yes"]).exits(0));
    insta::assert_snapshot!("doctor_healthy", shots("doctor", 0, || command(&env, "doctor")));
    let group = json!({"groupName": env.group(), "ips": ["127.0.0.1"],
                       "whiteIpType": "PRIVATE_ES"});
    let body = json!({"modifyMode": "Cover", "whiteIpGroup": group});
    env.cloud.change("ModifyWhiteIps", "es-cn-leader000001", &body);
    // First the health check notices, and then the clusters do.
    env.cloud.pass(600);
    env.cloud.pass(600);
    insta::assert_snapshot!("doctor_broken", shots("doctor", 5, || command(&env, "doctor")));
}

#[test]
fn errors() {
    if !there_or_skip() {
        return;
    }
    let env = Env::new();
    env.write(
        "bad.toml",
        &SANDBOX.replace("instance = \"es-cn-follower0001\"", "instanse = \"x\""),
    );
    insta::assert_snapshot!(
        "error_in_a_spec",
        shots("plan bad.toml", 2, || command(&env, "plan bad.toml"))
    );
    env.fault(&["--action", "GetCallerIdentity", "--refuse", "Forbidden.RAM", "--times", "1000"]);
    insta::assert_snapshot!(
        "error_of_the_cloud",
        shots("auth check", 4, || command(&env, "auth check"))
    );
}

/// A home that a version left in the middle of a run: the same for everybody.
#[test]
fn the_status_of_a_saga_in_the_middle() {
    if !there_or_skip() {
        return;
    }
    let home = Home::of(&golden().join("0.1.0"));
    let status = || {
        let mut command = usual(home.0.path());
        command.args(["status", "two"]);
        command
    };
    insta::assert_snapshot!("status", shots("status two", 0, status));
}
