//! `GET` and `PUT /_cluster/settings`.

use super::Reply;
use super::context::Ctx;
use super::failure::{Failure, Outcome};
use super::flat;
use super::model::Cluster;
use super::remote::{self, Link};
use super::remote_rules;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// Dynamic settings that are taken as they are.
const PLAIN: &[&str] = &[
    "action.auto_create_index",
    "action.destructive_requires_name",
    "ccr.auto_follow.*",
    "ccr.indices.recovery.*",
    "ccr.wait_for_metadata_timeout",
    "cluster.blocks.*",
    "cluster.indices.*",
    "cluster.info.update.*",
    "cluster.max_shards_per_node",
    "cluster.metadata.*",
    "cluster.persistent_tasks.*",
    "cluster.routing.*",
    "indices.breaker.*",
    "indices.lifecycle.*",
    "indices.recovery.*",
    "logger.*",
    "network.breaker.*",
    "script.*",
    "search.*",
    "slm.*",
    "xpack.*",
];

/// Settings of the node file: known, but not to be changed while it runs.
const STATIC: &[&str] = &[
    "cluster.name",
    "cluster.remote.connections_per_cluster",
    "cluster.remote.initial_connect_timeout",
    "cluster.remote.node.attr",
    "network.host",
    "node.name",
    "path.data",
];

/// What `include_defaults=true` shows of them, as far as a client of remote clusters asks.
const DEFAULTS: &[(&str, &str)] = &[
    ("action.auto_create_index", "true"),
    ("ccr.indices.recovery.chunk_size", "1mb"),
    ("ccr.indices.recovery.internal_action_timeout", "60s"),
    ("ccr.indices.recovery.max_bytes_per_sec", "40mb"),
    ("ccr.indices.recovery.max_concurrent_file_chunks", "5"),
    ("ccr.indices.recovery.recovery_activity_timeout", "60s"),
    ("ccr.wait_for_metadata_timeout", "60s"),
    ("cluster.max_shards_per_node", "1000"),
    ("cluster.remote.connections_per_cluster", "3"),
    ("cluster.remote.initial_connect_timeout", "30s"),
    ("cluster.routing.allocation.enable", "all"),
];

/// `GET /_cluster/settings`.
pub(crate) fn get(ctx: &mut Ctx<'_>) -> Outcome {
    let cluster = ctx.cluster()?;
    let flat = ctx.flag("flat_settings");
    let mut body = json!({
        "persistent": flat::shown(&cluster.persistent, flat),
        "transient": flat::shown(&cluster.transient, flat),
    });
    if ctx.flag("include_defaults") {
        let mut defaults: BTreeMap<String, Value> = DEFAULTS
            .iter()
            .filter(|(key, _)| cluster.setting(key).is_none())
            .map(|(key, value)| ((*key).to_owned(), json!(value)))
            .collect();
        defaults.insert("cluster.name".into(), json!(cluster.name));
        if let Some(map) = body.as_object_mut() {
            map.insert("defaults".into(), flat::shown(&defaults, flat));
        }
    }
    Ok(Reply::ok(body))
}

/// `PUT /_cluster/settings`.
pub(crate) fn put(ctx: &mut Ctx<'_>) -> Outcome {
    let body = ctx.json()?;
    let Some(map) = body.as_object() else {
        return Err(Failure::new(400, "parse_exception", "request body is required"));
    };
    if let Some(other) = map.keys().find(|k| *k != "persistent" && *k != "transient") {
        return Err(Failure::new(
            400,
            "x_content_parse_exception",
            format!("[1:2] [cluster_update_settings_request] unknown field [{other}]"),
        ));
    }
    let persistent = flat::flatten(map.get("persistent").unwrap_or(&Value::Null));
    let transient = flat::flatten(map.get("transient").unwrap_or(&Value::Null));
    if persistent.is_empty() && transient.is_empty() {
        return Err(Failure::invalid(&["no settings to update".into()]));
    }
    let now = ctx.now_ms;
    let cluster = ctx.cluster_mut()?;
    check_known(cluster, "persistent", &persistent)?;
    check_known(cluster, "transient", &transient)?;
    let mut after = cluster.clone_settings();
    flat::apply(&mut after.0, &persistent);
    flat::apply(&mut after.1, &transient);
    let mut whole = after.0.clone();
    whole.extend(after.1.clone());
    remote_rules::check(cluster, &whole)?;
    let before = merged(cluster);
    (cluster.persistent, cluster.transient) = after;
    let fresh = relink(cluster, &before, &whole, now);
    for alias in fresh {
        remote::attempt(ctx.state, ctx.wire, now, ctx.me, &alias);
    }
    let flat = ctx.flag("flat_settings");
    let echo = |mut map: BTreeMap<String, Value>| {
        map.retain(|_, v| !v.is_null());
        flat::shown(&map, flat)
    };
    Ok(Reply::ok(json!({
        "acknowledged": true,
        "persistent": echo(persistent),
        "transient": echo(transient),
    })))
}

/// Persistent settings with the transient ones over them.
fn merged(cluster: &Cluster) -> BTreeMap<String, Value> {
    let mut all = cluster.persistent.clone();
    all.extend(cluster.transient.clone());
    all
}

impl Cluster {
    fn clone_settings(&self) -> (BTreeMap<String, Value>, BTreeMap<String, Value>) {
        (self.persistent.clone(), self.transient.clone())
    }
}

fn check_known(cluster: &Cluster, scope: &str, changes: &BTreeMap<String, Value>) -> Outcome<()> {
    for (key, value) in changes {
        if value.is_null() && key.contains('*') {
            continue;
        }
        if STATIC.contains(&key.as_str()) || remote_rules::is_secure(key) {
            return Err(Failure::illegal(format!(
                "{scope} setting [{key}], not dynamically updateable"
            )));
        }
        let known = remote_rules::is_known(cluster.version, key)
            || PLAIN.iter().any(|p| super::names::matches(p, key));
        if !known {
            return Err(Failure::illegal(format!("{scope} setting [{key}], not recognized")));
        }
    }
    Ok(())
}

/// Opens, re-opens and closes connections after a change; gives the aliases to try.
fn relink(
    cluster: &mut Cluster,
    before: &BTreeMap<String, Value>,
    after: &BTreeMap<String, Value>,
    now_ms: u64,
) -> Vec<String> {
    let aliases: BTreeSet<String> = before
        .keys()
        .chain(after.keys())
        .filter_map(|key| remote_rules::split(key))
        .map(|(alias, _)| alias.to_owned())
        .collect();
    let mut fresh = Vec::new();
    for alias in aliases {
        if remote::address(cluster, &alias).is_none() {
            cluster.links.remove(&alias);
            continue;
        }
        let wire = |settings: &BTreeMap<String, Value>| -> BTreeMap<String, Value> {
            let prefix = format!("cluster.remote.{alias}.");
            settings
                .iter()
                .filter(|(k, _)| k.starts_with(&prefix) && !k.ends_with(".skip_unavailable"))
                .map(|(k, v)| (k.clone(), v.clone()))
                .collect()
        };
        if cluster.links.contains_key(&alias) && wire(before) == wire(after) {
            continue;
        }
        let made_ms = cluster.links.get(&alias).map_or(now_ms, |l| l.made_ms);
        cluster.links.insert(alias.clone(), Link { made_ms, ..Link::new(now_ms) });
        fresh.push(alias);
    }
    fresh
}
