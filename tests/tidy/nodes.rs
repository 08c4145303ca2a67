//! The files under `steps/src/nodes/` and the list in `steps/src/catalog.rs` say the same.

use crate::hold;
use crate::source::{File, line_of, rust};
use std::collections::BTreeSet;

const LIST: &str = "steps/src/catalog.rs";
const FOLDER: &str = "steps/src/nodes/";

/// Files beside nodes that hold none, and what they are.
const HELPERS: [(&str, &str); 5] = [
    ("prerequisites/quotas.rs", "a rule of its own about two lists, judged with the zones"),
    ("step5_replication/copies.rs", "which indices of the follower are whose, for two nodes"),
    ("step5_replication/forecast.rs", "what a rollback would do with them, for its question"),
    ("step5_replication/release.rs", "turning a follower into an ordinary index, for two nodes"),
    ("step5_replication/wanted.rs", "which leader indices are replicated, for two nodes"),
];

/// Names after a mark, up to what cannot be part of a name, with their lines.
fn names_after(code: &str, mark: &str) -> Vec<(usize, String)> {
    let part = |c: &char| c.is_alphanumeric() || *c == '_';
    let name = |at: usize| code.get(at + mark.len()..).unwrap_or_default().chars();
    let all = code.match_indices(mark);
    all.map(|(at, _)| (line_of(code, at), name(at).take_while(part).collect())).collect()
}

/// The steps that a file implements.
fn steps(file: &File) -> Vec<(usize, String)> {
    names_after(&file.code, " Step for ")
}

/// The node files: in a folder of a documented step, and no list of modules.
fn node_files() -> Vec<(String, &'static File)> {
    let inside = |file: &'static File| {
        let path = file.path.strip_prefix(FOLDER)?.to_owned();
        (path.contains('/') && !path.ends_with("/mod.rs")).then_some((path, file))
    };
    rust().filter_map(inside).collect()
}

#[test]
fn every_file_of_a_node_is_in_the_list_and_back() {
    let Some(list) = rust().find(|f| f.path == LIST) else {
        panic!("{LIST} is not there");
    };
    let rows = [".look(", ".act("].map(|mark| names_after(&list.code, mark)).concat();
    let listed: BTreeSet<&String> = rows.iter().map(|(_, name)| name).collect();
    let mut breaches = Vec::new();
    let mut made = BTreeSet::new();
    for (path, file) in node_files() {
        let helper = HELPERS.iter().any(|(name, _)| *name == path);
        let found = steps(file);
        if found.is_empty() != helper {
            let what = if helper { "it holds a node: take it off" } else { "no node: put it on" };
            breaches.push(format!("{}:1: {what} the list of helpers in this test", file.path));
        }
        for (line, step) in found {
            if !listed.contains(&step) {
                let path = &file.path;
                breaches.push(format!("{path}:{line}: {step} has no line in {LIST}: add it"));
            }
            made.insert(step);
        }
    }
    for (line, name) in &rows {
        if !made.contains(name) {
            breaches.push(format!("{LIST}:{line}: {name} has no file under {FOLDER}: add it"));
        }
    }
    assert!(made.len() > 20, "the scanner found {} steps only", made.len());
    hold("one file a node, one line a node", &breaches);
}

#[test]
fn every_helper_is_there() {
    let paths: Vec<String> = node_files().into_iter().map(|(path, _)| path).collect();
    let gone = HELPERS.iter().filter(|(name, _)| !paths.contains(&(*name).to_owned()));
    let gone: Vec<String> = gone
        .map(|(name, what)| format!("{FOLDER}{name}:1: {what}: it is gone, strike it"))
        .collect();
    hold("no helper is listed that is not there", &gone);
}
