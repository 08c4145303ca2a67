//! What a cluster says about itself: name, version, license, health, nodes.

use super::Reply;
use super::context::Ctx;
use super::failure::Outcome;
use super::model::Version;
use super::names::{Options, resolve};
use serde_json::{Map, Value, json};

/// Lucene of a release, as `GET /` shows it.
fn lucene(version: Version) -> &'static str {
    match (version.0, version.1) {
        (7, ..=10) => "8.7.0",
        (7, _) => "8.10.1",
        (8, ..=6) => "9.4.1",
        (8, _) => "9.10.0",
        _ => "10.1.0",
    }
}

/// `GET /`.
pub(crate) fn hello(ctx: &mut Ctx<'_>) -> Outcome {
    let cluster = ctx.cluster()?;
    let version = cluster.version;
    let oldest = version.oldest_peer();
    Ok(Reply::ok(json!({
        "name": format!("{}-data-0", cluster.name),
        "cluster_name": cluster.name,
        "cluster_uuid": cluster.uuid,
        "version": {
            "number": version.to_string(),
            "build_flavor": "default",
            "build_type": "tar",
            "build_hash": "51e9d6f22758d0374a0f3f5c6e8f3a7997850f96",
            "build_date": "2020-11-09T21:30:33.964949Z",
            "build_snapshot": false,
            "lucene_version": lucene(version),
            "minimum_wire_compatibility_version": oldest.to_string(),
            "minimum_index_compatibility_version":
                if version.0 == 7 { "6.0.0-beta1".to_owned() } else { format!("{}.0.0", version.0 - 1) },
        },
        "tagline": "You Know, for Search",
    })))
}

/// `GET /_license`.
pub(crate) fn license(ctx: &mut Ctx<'_>) -> Outcome {
    let cluster = ctx.cluster()?;
    let paid = cluster.license != "basic";
    let mut body = json!({
        "status": "active",
        "uid": cluster.uuid,
        "type": cluster.license,
        "issue_date": "2020-01-01T00:00:00.000Z",
        "issue_date_in_millis": 1_577_836_800_000_u64,
        "max_nodes": 1000,
        "issued_to": cluster.name,
        "issuer": "elasticsearch",
        "start_date_in_millis": -1,
    });
    if paid && let Some(map) = body.as_object_mut() {
        map.insert("expiry_date".into(), json!("2049-12-31T16:00:00.999Z"));
        map.insert("expiry_date_in_millis".into(), json!(2_524_579_200_999_u64));
    }
    Ok(Reply::ok(json!({"license": body})))
}

/// `GET /_xpack`.
pub(crate) fn xpack(ctx: &mut Ctx<'_>) -> Outcome {
    let cluster = ctx.cluster()?;
    let wanted = ctx.query("categories").unwrap_or("build,features,license");
    let mut body = Map::new();
    for category in wanted.split(',') {
        let part = match category.trim() {
            "build" => {
                json!({"hash": "51e9d6f22758d0374a0f3f5c6e8f3a7997850f96", "date": "2020-11-09T21:30:33.964949Z"})
            }
            "license" => json!({
                "uid": cluster.uuid, "type": cluster.license, "mode": cluster.license,
                "status": "active",
            }),
            "features" => json!({
                "ccr": {"available": cluster.licensed(), "enabled": true},
                "ilm": {"available": true, "enabled": true},
                "security": {"available": true, "enabled": true},
                "data_streams": {"available": true, "enabled": true},
            }),
            _ => continue,
        };
        body.insert(category.trim().to_owned(), part);
    }
    body.insert("tagline".into(), json!("You know, for X"));
    Ok(Reply::ok(Value::Object(body)))
}

fn rank(health: &str) -> u8 {
    match health {
        "green" => 0,
        "yellow" => 1,
        _ => 2,
    }
}

/// `GET /_cluster/health` and `/_cluster/health/{index}`; `wait_for_status` is judged at once.
pub(crate) fn health(ctx: &mut Ctx<'_>) -> Outcome {
    let cluster = ctx.cluster()?;
    let expression = if ctx.args.is_empty() { "_all" } else { ctx.arg(0) };
    let how = Options { ignore_unavailable: true, hidden: true, closed: true };
    let names = resolve(cluster, expression, how)?;
    let missing = expression
        .split(',')
        .any(|part| !part.contains('*') && part != "_all" && !cluster.indices.contains_key(part));
    let (mut worst, mut primaries, mut active, mut initializing, mut unassigned) =
        ("green", 0, 0, 0, 0);
    let mut each = Map::new();
    for name in &names {
        let index = cluster.index(name)?;
        let mut health = index.health();
        if missing {
            health = "red";
        }
        if rank(health) > rank(worst) {
            worst = health;
        }
        let shards = index.shards.len();
        let assigned = index.replicas().min(2);
        if index.restoring() {
            initializing += shards;
            unassigned += shards * index.replicas();
        } else {
            primaries += shards;
            active += shards * (1 + assigned);
            unassigned += shards * (index.replicas() - assigned);
        }
        each.insert(name.clone(), json!({"status": health, "number_of_shards": shards, "number_of_replicas": index.replicas()}));
    }
    if missing {
        worst = "red";
    }
    let timed_out = ctx.query("wait_for_status").is_some_and(|want| rank(worst) > rank(want));
    let total = active + initializing + unassigned;
    let mut body = json!({
        "cluster_name": cluster.name, "status": worst, "timed_out": timed_out,
        "number_of_nodes": 3, "number_of_data_nodes": 3,
        "active_primary_shards": primaries, "active_shards": active, "relocating_shards": 0,
        "initializing_shards": initializing, "unassigned_shards": unassigned,
        "delayed_unassigned_shards": 0, "number_of_pending_tasks": 0,
        "number_of_in_flight_fetch": 0, "task_max_waiting_in_queue_millis": 0,
        "active_shards_percent_as_number":
            if total == 0 { json!(100.0) } else { percent(active, total) },
    });
    if ctx.query("level").is_some_and(|l| l != "cluster")
        && let Some(map) = body.as_object_mut()
    {
        map.insert("indices".into(), Value::Object(each));
    }
    Ok(Reply::json(if timed_out { 408 } else { 200 }, body))
}

#[expect(clippy::cast_precision_loss, reason = "shards are few")]
fn percent(part: usize, whole: usize) -> Value {
    json!(part as f64 * 100.0 / whole as f64)
}

/// `GET /_cluster/state`, the metadata of indices only.
pub(crate) fn state(ctx: &mut Ctx<'_>) -> Outcome {
    let cluster = ctx.cluster()?;
    let indices: Map<String, Value> = cluster
        .indices
        .iter()
        .map(|(name, index)| {
            let settings = super::index_settings::all(cluster.version, name, index);
            let entry = json!({
                "state": if index.closed { "close" } else { "open" },
                "settings": super::flat::nest(&settings),
                "mappings": {"_doc": index.mapping},
                "aliases": index.aliases.keys().collect::<Vec<_>>(),
                "mapping_version": index.mapping_version,
                "settings_version": index.settings_version,
                "aliases_version": index.aliases_version,
            });
            (name.clone(), entry)
        })
        .collect();
    Ok(Reply::ok(json!({
        "cluster_name": cluster.name, "cluster_uuid": cluster.uuid,
        "master_node": format!("{}-node-0", cluster.name),
        "metadata": {"cluster_uuid": cluster.uuid, "indices": indices},
    })))
}

/// `GET /_nodes` and `GET /_nodes/plugins`.
pub(crate) fn nodes(ctx: &mut Ctx<'_>) -> Outcome {
    let cluster = ctx.cluster()?;
    let plugins: Vec<Value> = cluster
        .plugins
        .iter()
        .map(|name| json!({"name": name, "version": cluster.version.to_string()}))
        .collect();
    let nodes: Map<String, Value> = (0..3)
        .map(|n| {
            let id = format!("{}-node-{n}", cluster.name);
            let node = json!({
                "name": format!("{}-data-{n}", cluster.name),
                "version": cluster.version.to_string(),
                "roles": ["data", "ingest", "master", "remote_cluster_client"],
                "plugins": plugins,
            });
            (id, node)
        })
        .collect();
    Ok(Reply::ok(json!({
        "_nodes": {"total": 3, "successful": 3, "failed": 0},
        "cluster_name": cluster.name, "nodes": nodes,
    })))
}

/// `GET /_cat/indices`, always as JSON.
pub(crate) fn cat_indices(ctx: &mut Ctx<'_>) -> Outcome {
    let cluster = ctx.cluster()?;
    let expression = if ctx.args.is_empty() { "_all" } else { ctx.arg(0) };
    let hidden =
        ctx.query("expand_wildcards").is_some_and(|e| e.contains("all") || e.contains("hidden"));
    let how = Options { ignore_unavailable: false, hidden, closed: true };
    let mut rows = Vec::new();
    for name in resolve(cluster, expression, how)? {
        let index = cluster.index(&name)?;
        let deleted: usize = index.shards.iter().map(super::shard::Shard::deleted).sum();
        rows.push(json!({
            "health": index.health(),
            "status": if index.closed { "close" } else { "open" },
            "index": name, "uuid": index.uuid,
            "pri": index.shards.len().to_string(), "rep": index.replicas().to_string(),
            "docs.count": if index.closed { Value::Null } else { json!(index.count().to_string()) },
            "docs.deleted": if index.closed { Value::Null } else { json!(deleted.to_string()) },
            "store.size": "208b", "pri.store.size": "208b",
        }));
    }
    Ok(Reply::ok(Value::Array(rows)))
}
