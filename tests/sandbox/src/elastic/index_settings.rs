//! Settings of an index: what is known, what CCR replicates, how they are shown.

use super::failure::{Failure, Outcome};
use super::flat;
use super::index::Index;
use super::model::Version;
use super::names::matches;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// What an index may hold, as far as is checked.
const KNOWN: &[&str] = &[
    "index.analysis.*",
    "index.analyze.*",
    "index.auto_expand_replicas",
    "index.blocks.*",
    "index.codec",
    "index.default_pipeline",
    "index.final_pipeline",
    "index.gc_deletes",
    "index.hidden",
    "index.highlight.*",
    "index.indexing.*",
    "index.lifecycle.*",
    "index.mapping.*",
    "index.max_*",
    "index.merge.*",
    "index.number_of_replicas",
    "index.number_of_routing_shards",
    "index.number_of_shards",
    "index.priority",
    "index.query.*",
    "index.refresh_interval",
    "index.requests.*",
    "index.routing.*",
    "index.routing_partition_size",
    "index.search.*",
    "index.similarity.*",
    "index.soft_deletes.*",
    "index.sort.*",
    "index.store.*",
    "index.translog.*",
    "index.unassigned.*",
    "index.warmer.*",
    "index.write.*",
];

/// What stays the follower's own affair.
const NOT_REPLICATED: &[&str] = &[
    "index.allocation.*",
    "index.auto_expand_replicas",
    "index.blocks.*",
    "index.gc_deletes",
    "index.hidden",
    "index.indexing.slowlog.*",
    "index.lifecycle.indexing_complete",
    "index.max_*",
    "index.merge.*",
    "index.number_of_replicas",
    "index.priority",
    "index.refresh_interval",
    "index.routing.allocation.*",
    "index.search.idle.after",
    "index.search.slowlog.*",
    "index.soft_deletes.retention_lease.period",
    "index.translog.*",
    "index.unassigned.*",
    "index.warmer.*",
    "index.write.wait_for_active_shards",
];

/// What can be changed only while the index is closed, or never.
const STATIC: &[&str] = &[
    "index.analysis.*",
    "index.codec",
    "index.number_of_routing_shards",
    "index.number_of_shards",
    "index.routing_partition_size",
    "index.soft_deletes.enabled",
    "index.sort.*",
    "index.store.*",
];

fn any(list: &[&str], key: &str) -> bool {
    list.iter().any(|pattern| matches(pattern, key))
}

/// Is it copied from the leader?
pub(crate) fn replicated(key: &str) -> bool {
    !any(NOT_REPLICATED, key)
}

/// Reads settings of a request: nested, dotted, with or without `index.`.
pub(crate) fn read(body: &Value) -> BTreeMap<String, Value> {
    let body = body.get("settings").unwrap_or(body);
    flat::flatten(body)
        .into_iter()
        .map(|(k, v)| if k.starts_with("index.") { (k, v) } else { (format!("index.{k}"), v) })
        .collect()
}

/// Refuses settings that nobody knows.
pub(crate) fn check_known(version: Version, settings: &BTreeMap<String, Value>) -> Outcome<()> {
    if let Some(key) = settings.keys().find(|k| !any(KNOWN, k)) {
        return Err(Failure::illegal(format!(
            "unknown setting [{key}] please check that any required plugins are installed, or check the breaking changes documentation for removed settings"
        )));
    }
    let off = settings.get("index.soft_deletes.enabled").and_then(Value::as_str) == Some("false");
    if off && version.since(8, 0) {
        return Err(Failure::illegal(
            "Creating indices with soft-deletes disabled is no longer supported. Please do not specify a value for setting [index.soft_deletes.enabled].",
        ));
    }
    Ok(())
}

/// How many primaries the settings ask for.
pub(crate) fn shards(settings: &BTreeMap<String, Value>) -> Outcome<usize> {
    let Some(text) = settings.get("index.number_of_shards").and_then(Value::as_str) else {
        return Ok(1);
    };
    match text.parse::<usize>() {
        Ok(n) if (1..=1024).contains(&n) => Ok(n),
        _ => Err(Failure::illegal(format!(
            "Failed to parse value [{text}] for setting [index.number_of_shards] must be >= 1"
        ))),
    }
}

/// Changes settings of an index that exists.
pub(crate) fn update(
    version: Version,
    name: &str,
    index: &mut Index,
    changes: &BTreeMap<String, Value>,
) -> Outcome<()> {
    check_known(version, changes)?;
    let frozen: Vec<String> = changes
        .keys()
        .filter(|k| any(STATIC, k))
        .filter(|k| !index.closed || k.as_str() == "index.number_of_shards")
        .cloned()
        .collect();
    if !frozen.is_empty() {
        return Err(Failure::illegal(format!(
            "Can't update non dynamic settings [[{}]] for open indices [[{name}/{}]]",
            frozen.join(", "),
            index.uuid
        )));
    }
    let before = index.settings.clone();
    flat::apply(&mut index.settings, changes);
    if index.settings != before {
        index.settings_version += 1;
    }
    Ok(())
}

/// All settings as `GET /{index}/_settings` shows them, flat.
pub(crate) fn all(version: Version, name: &str, index: &Index) -> BTreeMap<String, Value> {
    let mut all = index.settings.clone();
    let code = version.0 * 1_000_000 + version.1 * 10_000 + version.2 * 100 + 99;
    all.insert("index.creation_date".into(), json!(index.created_ms.to_string()));
    all.insert("index.number_of_shards".into(), json!(index.shards.len().to_string()));
    all.insert("index.number_of_replicas".into(), json!(index.replicas().to_string()));
    all.insert("index.provided_name".into(), json!(name));
    all.insert("index.uuid".into(), json!(index.uuid));
    all.insert("index.version.created".into(), json!(code.to_string()));
    if index.closed {
        all.insert("index.verified_before_close".into(), json!("true"));
    }
    if index.follow.is_some() {
        all.insert("index.xpack.ccr.following_index".into(), json!("true"));
    }
    all
}

/// Is it a setting of an index at all?
pub(crate) fn known(key: &str) -> bool {
    any(KNOWN, key)
}
