//! Who may know whom. Cargo holds the arrows between packages once a manifest is written;
//! these rules hold the manifests, and the arrows inside a package.

use crate::source::{File, files, imports, is_test_line, lines_with, rust};
use crate::{found, hold};

fn under(prefix: &str) -> Vec<&'static File> {
    let files: Vec<&File> = rust().filter(|f| f.path.starts_with(prefix)).collect();
    assert!(!files.is_empty(), "{prefix} is not there");
    files
}

/// The words in the code of some files.
fn words(files: &[&File], words: &[&str], what: &str) -> Vec<String> {
    files.iter().flat_map(|f| found(f, words, what)).collect()
}

/// Packages that a manifest depends on, in every section, with their lines.
fn dependencies(manifest: &str) -> Vec<(usize, String)> {
    let mut inside = false;
    let mut all = Vec::new();
    for (number, line) in (1..).zip(manifest.lines()) {
        if let Some(section) = line.trim().strip_prefix('[') {
            inside = section.trim_end_matches(']').ends_with("dependencies");
        } else if inside && !line.trim_start().starts_with('#') {
            let name = line.split(['=', '.', ' ']).next().unwrap_or_default();
            if !name.is_empty() {
                all.push((number, name.to_owned()));
            }
        }
    }
    all
}

fn manifest_without(path: &str, forbidden: &[&str], what: &str) -> Vec<String> {
    let manifest = files().iter().find(|f| f.path == path);
    let all = dependencies(manifest.map_or("", |f| f.text.as_str())).into_iter();
    assert!(all.len() > 0, "{path} is not there");
    all.filter(|(_, name)| forbidden.contains(&name.as_str()))
        .map(|(line, name)| format!("{path}:{line}: `{name}`: {what}"))
        .collect()
}

#[test]
fn the_engine_knows_no_cloud_and_no_terminal() {
    let what = "the engine carries sagas over any world: hand it in";
    let packages =
        ["escrr-steps", "escrr", "escrr-sandbox", "reqwest", "hyper", "hyper-util", "clap"];
    let mut breaches = manifest_without("engine/Cargo.toml", &packages, what);
    let names =
        ["escrr_steps", "escrr_sandbox", "escrr::", "reqwest", "hyper", "TcpStream", "TcpListener"];
    breaches.extend(words(&under("engine/src/"), &names, what));
    hold("the engine stands alone", &breaches);
}

#[test]
fn the_steps_know_the_engine_only() {
    let what = "the steps are used by the command line, not the other way round";
    let mut breaches = manifest_without("steps/Cargo.toml", &["escrr", "escrr-sandbox"], what);
    breaches.extend(words(&under("steps/src/"), &["escrr_sandbox", "escrr::"], what));
    hold("the steps stand on the engine", &breaches);
}

#[test]
fn the_sandbox_shares_nothing_with_the_product() {
    let what = "write it a second time: a mistake then has to be made twice to stay unseen";
    let packages = ["escrr-engine", "escrr-steps", "escrr", "reqwest"];
    let mut breaches = manifest_without("tests/sandbox/Cargo.toml", &packages, what);
    let names = ["escrr_engine", "escrr_steps", "escrr::"];
    breaches.extend(words(&under("tests/sandbox/"), &names, what));
    hold("the sandbox is the other side of a double entry", &breaches);
}

#[test]
fn the_machine_is_pure() {
    let what = "the machine has no time and no chance of its own: hand in what it needs";
    let impure = [
        "async",
        "await",
        "tokio",
        "Clock",
        "now_ms",
        "SystemTime",
        "Instant",
        "random",
        "std::fs",
        "std::io",
        "std::env",
        "tracing",
    ];
    let mut breaches = Vec::new();
    for path in ["engine/src/node.rs", "engine/src/saga.rs"] {
        breaches.extend(words(&under(path), &impure, what));
    }
    hold("node.rs and saga.rs are pure", &breaches);
}

/// The module, from the package's root, that a path inside the package leads to.
fn first_module(path: &str) -> Option<&str> {
    let mut parts = path.split("::").peekable();
    if !matches!(parts.peek(), Some(&("crate" | "super"))) {
        return None;
    }
    parts.find(|part| !matches!(*part, "crate" | "super" | "self"))
}

#[test]
fn the_clients_know_neither_each_other_nor_the_nodes() {
    let mut breaches = Vec::new();
    for (folder, forbidden) in [
        ("steps/src/aliyun/", ["elastic", "nodes", "world", "catalog", "spec"]),
        ("steps/src/elastic/", ["aliyun", "nodes", "world", "catalog", "spec"]),
    ] {
        for file in under(folder) {
            let told = imports(&file.code);
            let bad = told
                .iter()
                .filter(|(_, path)| first_module(path).is_some_and(|m| forbidden.contains(&m)));
            let what = "a client knows its own service only";
            breaches.extend(bad.map(|(l, path)| format!("{}:{l}: `{path}`: {what}", file.path)));
            let inline = forbidden.map(|module| format!("crate::{module}::"));
            let inline: Vec<&str> = inline.iter().map(String::as_str).collect();
            breaches.extend(found(file, &inline, what));
        }
    }
    breaches.sort();
    breaches.dedup();
    hold("the two clients stand apart", &breaches);
}

/// Breaches outside tests and outside the files that may.
fn only_in(may: &[&str], words: &[&str], what: &str) -> Vec<String> {
    let mut breaches = Vec::new();
    for file in rust() {
        if may.iter().any(|path| file.path.starts_with(path)) {
            continue;
        }
        for word in words {
            let lines = lines_with(&file.code, word);
            let lines = lines.into_iter().filter(|line| !is_test_line(file, *line));
            breaches.extend(lines.map(|l| format!("{}:{l}: `{word}`: {what}", file.path)));
        }
    }
    breaches
}

#[test]
fn one_file_reads_the_environment() {
    let words = ["env::var", "env::vars", "env::var_os", "env::vars_os"];
    let what = "ask the `Env` that is handed in";
    // A command of the user's gets a part of the environment, of which nothing is looked at.
    let may = ["cli/src/settings.rs", "steps/src/command.rs"];
    hold("only settings.rs reads variables", &only_in(&may, &words, what));
}

#[test]
fn one_folder_speaks_to_the_terminal() {
    let words = ["println!", "print!", "eprintln!", "eprint!", "stdout()", "stderr()"];
    // settings.rs asks the streams whether they are terminals, and writes nothing.
    let may = ["cli/src/ui/", "cli/src/settings.rs"];
    hold("only ui/ prints", &only_in(&may, &words, "say it through `Ui`"));
}

#[test]
fn the_store_hides_what_it_is_made_of() {
    let what = "only engine/src/store/journal/records.rs knows the bytes";
    let mut breaches = only_in(&["engine/src/store/journal/records.rs"], &["bincode"], what);
    let what = "only engine/src/store/index.rs knows the database";
    // mod.rs names the module that is called so.
    let may = ["engine/src/store/index.rs", "engine/src/store/mod.rs"];
    breaches.extend(only_in(&may, &["sled"], what));
    let others = ["steps", "cli", "tests", "tests/sandbox"].map(|p| format!("{p}/Cargo.toml"));
    for path in others {
        breaches.extend(manifest_without(&path, &["bincode", "sled"], "go through the engine"));
    }
    hold("sled and bincode stay behind the store", &breaches);
}

#[test]
fn manifests_are_read() {
    let text = "[package]\nname = 1\n[dependencies]\n# no\nsled.workspace = true\nx = { a = 1 }\n\
                [dev-dependencies]\ny = \"1\"\n[lints]\nworkspace = true";
    let told: Vec<String> = dependencies(text).into_iter().map(|(_, name)| name).collect();
    assert_eq!(told, ["sled", "x", "y"]);
    assert_eq!(first_module("super::super::elastic::Cluster"), Some("elastic"));
    assert_eq!(first_module("std::nodes"), None);
}
