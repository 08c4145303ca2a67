//! A key of the spec that nothing reads is a promise that nobody keeps.

use crate::hold;
use crate::source::{is_test_line, lines_with, rust};
use serde_json::Value;
use std::collections::BTreeSet;

const SCHEMA: &str = include_str!("../../docs/reference/spec.schema.json");
/// Keys that are read by a function of the spec, and that function.
const BY_FUNCTION: &[(&str, &str)] = &[
    ("leader_transit_router_id", "transit_router_id("),
    ("follower_transit_router_id", "transit_router_id("),
];

/// The name of every key, in all tables; none where the schema cannot be read.
fn keys() -> BTreeSet<String> {
    let schema: Value = serde_json::from_str(SCHEMA).unwrap_or_default();
    let definitions = schema.get("definitions").and_then(Value::as_object);
    let tables = definitions.into_iter().flat_map(|all| all.values()).chain([&schema]);
    let tables = tables.filter_map(|table| table.get("properties")?.as_object());
    tables.flat_map(|keys| keys.keys().cloned()).collect()
}

#[test]
fn every_key_of_the_spec_changes_a_request_a_decision_or_a_screen() {
    let outside = |path: &str| {
        (path.starts_with("steps/src/") && !path.starts_with("steps/src/spec/"))
            || path.starts_with("cli/src/")
    };
    let read = |word: &str| {
        rust().filter(|file| outside(&file.path)).any(|file| {
            let ends = |line: &str| {
                line.split(word).skip(1).any(|rest| {
                    word.ends_with('(')
                        || !rest.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_')
                })
            };
            lines_with(&file.code, word).into_iter().any(|line| {
                !is_test_line(file, line) && file.code.lines().nth(line - 1).is_some_and(ends)
            })
        })
    };
    let keys = keys();
    assert!(keys.contains("link_type") && keys.contains("zone_affinity") && keys.len() > 60);
    let idle = keys.into_iter().filter(|key| {
        let function = BY_FUNCTION.iter().find(|(name, _)| name == key);
        !read(&function.map_or(format!(".{key}"), |(_, function)| format!(".{function}")))
    });
    let idle: Vec<String> = idle
        .map(|key| format!("`{key}` is accepted and never read: send it, or refuse it"))
        .collect();
    hold("every key of the spec changes something", &idle);
}
