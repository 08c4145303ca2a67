//! What people see, as pictures of text: what differs from run to run is masked.
//!
//! `INSTA_UPDATE=always cargo test -p escrr-tests --test e2e screens` takes them anew.

use crate::env::{Env, output};
use crate::golden::{Home, golden};
use clap::Parser as _;
use escrr::args::{Args, OutputForm};
use escrr::settings::{Settings, Terminal};
use escrr::ui::Ui;
use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Command, Stdio};

/// Ids, times and durations as words; everything else stays.
fn masked(text: &str) -> String {
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
        return "SAGA".to_owned();
    }
    if word.ends_with('Z') && word.contains('T') {
        return "TIME".to_owned();
    }
    word.split('-').map(mask_part).collect::<Vec<_>>().join("-")
}

fn mask_part(part: &str) -> String {
    let is_hex = part.len() >= 8 && part.bytes().all(|b| b.is_ascii_hexdigit());
    let is_span = part.starts_with(|c: char| c.is_ascii_digit())
        && part.ends_with(['s', 'm'])
        && part.bytes().all(|b| b.is_ascii_digit() || b"hms".contains(&b));
    match part {
        _ if part.starts_with("escrr_probe_") => "PROBE".to_owned(),
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

/// A command in this process, on a terminal of so many columns, without colours.
fn at(home: &Home, columns: usize, line: &str) -> (String, String) {
    let dir = home.0.path().join("state").display().to_string();
    let words = ["escrr", "--home", &dir].into_iter().chain(line.split_whitespace());
    let args = Args::parse_from(words);
    let terminal = Terminal { stdout: true, columns: Some(columns), ..Terminal::default() };
    let env: BTreeMap<String, String> = BTreeMap::new();
    let settings = Settings::resolve(&args.global, &env, terminal).unwrap();
    let (ui, captured) = Ui::captured_at(OutputForm::Human, Some(columns));
    let context = escrr::Context { ui: &ui, settings: &settings, env: &env };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let done = runtime.block_on(escrr::commands::run(args.command, context));
    assert!(done.is_ok(), "{line}: {}", captured.err());
    (captured.out(), captured.err())
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
    insta::assert_snapshot!("run_interrupted", masked(&rest));
}

/// A home that a version left in the middle of a run: the same for everybody.
#[test]
fn the_status_of_a_saga_in_the_middle_at_two_widths() {
    let home = Home::of(&golden().join("0.1.0"));
    for columns in [80, 200] {
        let (out, err) = at(&home, columns, "status two");
        assert!(out.lines().all(|line| line.chars().count() <= columns), "{out}");
        insta::assert_snapshot!(format!("status_at_{columns}"), format!("{out}\n{err}"));
    }
    // Without a terminal nothing is cut.
    let (wide, _) = at(&home, 200, "status two");
    assert_eq!(home.escrr(&["status", "two"]).exits(0).stdout, wide);
}
