//! What explains the program: error pages, steps, schemas, completions, the manual.

use crate::env::{Output, bare, output, path};
use serde_json::Value;
use std::path::Path;
use std::process::Command;

fn escrr(home: &Path, arguments: &[&str]) -> Output {
    output(bare(home).args(arguments))
}

/// What a program of the system says, if the system has it.
fn system(home: &Path, program: &str, arguments: &[&str]) -> Option<Output> {
    let mut command = Command::new(program);
    command.env_clear().env("PATH", path()).env("HOME", home).env("MANWIDTH", "80");
    let there = command.args(arguments).current_dir(home).output().is_ok();
    if !there {
        skipped(program);
    }
    there.then(|| output(&mut command))
}

#[expect(clippy::print_stdout, reason = "a test that is skipped says so")]
fn skipped(program: &str) {
    println!("skipped: this system has no {program}");
}

#[test]
fn shells_read_what_completes_for_them() {
    let home = tempfile::tempdir().unwrap();
    for shell in ["bash", "zsh", "fish"] {
        let script = escrr(home.path(), &["completions", shell]).exits(0).stdout;
        assert!(script.contains("mark-done"), "{shell}: {script}");
        std::fs::write(home.path().join(shell), script).unwrap();
        let flag = if shell == "fish" { "--no-execute" } else { "-n" };
        if let Some(read) = system(home.path(), shell, &[flag, shell]) {
            let read = read.exits(0);
            assert!(read.stderr.is_empty(), "{shell}: {read:?}");
        }
    }
    drop(escrr(home.path(), &["completions", "tcsh"]).exits(2));
}

#[test]
fn bash_completes_a_command() {
    let home = tempfile::tempdir().unwrap();
    let script = escrr(home.path(), &["completions", "bash"]).exits(0).stdout;
    let ask =
        "COMP_WORDS=(escrr roll); COMP_CWORD=1; _escrr escrr roll escrr; echo \"${COMPREPLY[@]}\"";
    std::fs::write(home.path().join("ask"), format!("{script}\n{ask}\n")).unwrap();
    if let Some(told) = system(home.path(), "bash", &["ask"]) {
        assert_eq!(told.exits(0).stdout.trim(), "rollback");
    }
}

#[test]
fn the_manual_has_a_page_for_every_command_and_man_shows_it() {
    let home = tempfile::tempdir().unwrap();
    drop(escrr(home.path(), &["man", "--out", "man"]).exits(0).says("pages"));
    let pages: Vec<String> = std::fs::read_dir(home.path().join("man"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    assert!(pages.len() > 30, "{pages:?}");
    for page in ["escrr.1", "escrr-run.1", "escrr-store-verify.1"] {
        assert!(pages.iter().any(|name| name == page), "{page} is missing in {pages:?}");
    }
    let lint: Vec<String> = pages.iter().map(|page| format!("man/{page}")).collect();
    let mut arguments = vec!["-T", "lint", "-W", "error"];
    arguments.extend(lint.iter().map(String::as_str));
    if let Some(read) = system(home.path(), "mandoc", &arguments) {
        drop(read.exits(0));
    }
    if let Some(shown) = system(home.path(), "man", &["--warnings", "-l", "man/escrr-run.1"]) {
        // Some systems have a `man` that only says how to get one.
        if shown.stdout.contains("SYNOPSIS") {
            assert!(shown.stderr.is_empty(), "{shown:?}");
            drop(shown.exits(0).says("on-failure"));
        } else {
            skipped("man that shows pages");
        }
    }
}

#[test]
fn an_error_is_explained_offline_and_without_a_home() {
    let home = tempfile::tempdir().unwrap();
    let refused = escrr(home.path(), &["plan", "absent.toml", "--output", "json"]).exits(2).json();
    let code = refused["error"]["code"].as_str().unwrap();
    let home = tempfile::tempdir().unwrap();
    let explained = escrr(home.path(), &["explain", code, "--output", "json"]).exits(0).json();
    assert_eq!(explained["code"], code);
    assert_eq!(explained["exit_code"], refused["exit_code"]);
    drop(escrr(home.path(), &["explain", "E0111"]).exits(2).says("did you mean E0101"));
    let listed = escrr(home.path(), &["explain", "--output", "ndjson"]).exits(0).stdout;
    assert!(listed.lines().count() > 40, "{listed}");
    assert!(!home.path().join("state").exists(), "explaining made a home");
}

#[test]
fn steps_are_listed_with_what_they_need() {
    let home = tempfile::tempdir().unwrap();
    drop(escrr(home.path(), &["steps"]).exits(0).says("Step 6").says("needs  "));
    let all = escrr(home.path(), &["steps", "--output", "json"]).exits(0).json();
    let ids: Vec<&Value> = all["nodes"].as_array().unwrap().iter().map(|n| &n["id"]).collect();
    for node in all["nodes"].as_array().unwrap() {
        for need in node["needs"].as_array().unwrap() {
            assert!(ids.contains(&need), "{need} is needed and not listed");
        }
    }
}
