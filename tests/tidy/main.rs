//! The project's rules, as tests. Each failure names the file, the line and what to do.
//!
//! What Clippy can check is in `Cargo.toml` and `.clippy.toml`; here is the rest, and the few
//! things that must not depend on anybody running Clippy.

mod arrows;
mod nodes;
mod prose;
mod scanner;
mod source;
mod spec_keys;

use source::{File, functions, is_test_line, is_under, lines_with, rust, tracked};
use std::collections::BTreeSet;

/// The longest file, in lines.
const LONGEST_FILE: usize = 500;
/// The longest function, in lines from `fn` to its closing brace.
const LONGEST_FUNCTION: usize = 70;

/// Fails with every breach at once.
#[track_caller]
pub(crate) fn hold(rule: &str, breaches: &[String]) {
    assert!(breaches.is_empty(), "{rule}\n  {}\n", breaches.join("\n  "));
}

/// `path:line: what`, for each line of the file's code where one of the words stands.
pub(crate) fn found(file: &File, words: &[&str], what: &str) -> Vec<String> {
    let at = |word: &&str| {
        let lines = lines_with(&file.code, word);
        let say = |line: usize| format!("{}:{line}: `{word}`: {what}", file.path);
        lines.into_iter().map(say).collect::<Vec<_>>()
    };
    words.iter().flat_map(at).collect()
}

#[test]
fn files_are_short() {
    let long = rust().filter_map(|file| {
        let lines = file.text.lines().count();
        (lines > LONGEST_FILE).then(|| {
            format!("{}:{lines}: longer than {LONGEST_FILE} lines: split it by idea", file.path)
        })
    });
    hold("no file above 500 lines", &long.collect::<Vec<_>>());
}

#[test]
fn functions_are_short() {
    let mut long = Vec::new();
    for file in rust() {
        for (name, first, last) in functions(&file.code) {
            let lines = last - first + 1;
            if lines > LONGEST_FUNCTION {
                let path = &file.path;
                long.push(format!("{path}:{first}: {name} has {lines} lines: take a part out"));
            }
        }
    }
    hold("no function above 70 lines", &long);
}

#[test]
fn nothing_is_left_half_done() {
    let marks =
        [concat!("FIX", "ME"), concat!("X", "XX"), concat!("TO", "DO")].map(|m| (m, "finish it"));
    let mut left = Vec::new();
    for file in rust() {
        left.extend(found(file, &["todo!", "unimplemented!", "dbg!"], "finish it"));
        for (mark, what) in marks {
            let lines = lines_with(&file.text, mark);
            left.extend(lines.iter().map(|l| format!("{}:{l}: `{mark}`: {what}", file.path)));
        }
    }
    hold("nothing half done", &left);
}

#[test]
fn lints_are_expected_and_never_allowed() {
    let what = "use `#[expect(…, reason = \"…\")]`: it says when it is no longer needed";
    let allowed = rust().flat_map(|f| found(f, &["#[allow(", "#![allow("], what));
    hold("no `allow`", &allowed.collect::<Vec<_>>());
}

#[test]
fn nothing_unwraps_outside_tests() {
    // One function may, with a reason that Clippy has seen.
    let reasoned = ["#[expect(clippy::unwrap_used", "#[expect(clippy::expect_used"];
    let mut breaches = Vec::new();
    for file in rust() {
        for word in [".unwrap(", ".expect(", ".unwrap_err(", ".expect_err("] {
            for line in lines_with(&file.code, word) {
                if !is_test_line(file, line) && !is_under(file, line, &reasoned) {
                    let path = &file.path;
                    breaches.push(format!("{path}:{line}: `{word}`: give the error to the caller"));
                }
            }
        }
    }
    hold("no unwrap and no expect outside tests", &breaches);
}

#[test]
fn the_store_takes_nothing_for_absent_that_it_cannot_look_at() {
    let what = "it says no where the system refuses: ask `system::is_there`, which tells the two \
                apart";
    let places = ["engine/src/store/", "cli/src/store.rs", "cli/src/commands/store/"];
    let mut breaches = Vec::new();
    for file in rust().filter(|file| places.iter().any(|place| file.path.starts_with(place))) {
        for line in lines_with(&file.code, ".exists(") {
            if !is_test_line(file, line) {
                breaches.push(format!("{}:{line}: `.exists()`: {what}", file.path));
            }
        }
    }
    hold("no `.exists()` in the store's code", &breaches);
}

#[test]
fn the_top_level_stays_as_it_is() {
    let known = ["Cargo.toml", "Cargo.lock", "LICENSE", "README.md"];
    let folders = ["engine", "steps", "cli", "tests", "docs"];
    let names: BTreeSet<String> = tracked()
        .iter()
        .filter_map(|path| Some(path.split('/').next()?.to_owned()))
        .filter(|name| !name.starts_with('.'))
        .filter(|name| !known.contains(&name.as_str()) && !folders.contains(&name.as_str()))
        .collect();
    let moved = names.iter().map(|n| format!("{n}:1: put it into one of {}", folders.join(", ")));
    hold("a top level that one look takes in", &moved.collect::<Vec<_>>());
}
