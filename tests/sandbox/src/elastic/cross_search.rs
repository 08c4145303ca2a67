//! Searches that go to remote clusters: `alias:index`.

use super::Reply;
use super::context::Ctx;
use super::failure::{Failure, Outcome};
use super::index_admin::options;
use super::model::Cluster;
use super::names::{Options, matches, resolve};
use super::remote;
use super::search::{Found, answer, run};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// Local parts, and the parts of each remote alias. A concrete alias must exist.
fn split(cluster: &Cluster, expression: &str) -> Outcome<(Vec<String>, BTreeMap<String, String>)> {
    let mut local = Vec::new();
    let mut remote: BTreeMap<String, String> = BTreeMap::new();
    for part in expression.split(',') {
        let Some((alias, index)) = part.split_once(':') else {
            local.push(part.to_owned());
            continue;
        };
        let aliases: Vec<&String> =
            cluster.links.keys().filter(|known| matches(alias, known)).collect();
        if aliases.is_empty() && !alias.contains('*') {
            return Err(Failure::no_remote(alias));
        }
        for alias in aliases {
            let slot = remote.entry(alias.clone()).or_default();
            if !slot.is_empty() {
                slot.push(',');
            }
            slot.push_str(index);
        }
    }
    Ok((local, remote))
}

fn search_one(
    ctx: &mut Ctx<'_>,
    alias: &str,
    expression: &str,
    how: Options,
    body: &Value,
) -> Outcome<Found> {
    let peer = remote::reach(ctx.state, ctx.wire, ctx.now_ms, ctx.me, alias)?;
    let cluster = ctx.state.cluster(&peer)?;
    let mut found = run(cluster, &resolve(cluster, expression, how)?, body)?;
    for hit in &mut found.hits {
        if let Some(Value::String(index)) = hit.get_mut("_index") {
            *index = format!("{alias}:{index}");
        }
    }
    Ok(found)
}

/// A search with at least one remote part.
pub(crate) fn search(ctx: &mut Ctx<'_>, expression: &str, body: &Value) -> Outcome {
    let how = options(ctx, false);
    let (local, remotes) = split(ctx.cluster()?, expression)?;
    let version = ctx.cluster()?.version;
    let mut all = Found { hits: Vec::new(), total: 0, shards: 0 };
    if !local.is_empty() {
        let cluster = ctx.cluster()?;
        all = run(cluster, &resolve(cluster, &local.join(","), how)?, body)?;
    }
    let clusters = remotes.len() + usize::from(!local.is_empty());
    let (mut skipped, mut details) = (0, Map::new());
    for (alias, expression) in remotes {
        let skip = remote::skip_unavailable(ctx.cluster()?, &alias);
        let status = match search_one(ctx, &alias, &expression, how, body) {
            Ok(found) => {
                all.total += found.total;
                all.shards += found.shards;
                all.hits.extend(found.hits);
                json!({"status": "successful", "indices": expression, "took": 1, "timed_out": false})
            }
            Err(failure) if skip => {
                skipped += 1;
                json!({
                    "status": "skipped", "indices": expression, "timed_out": false,
                    "failures": [{"shard": -1, "index": null, "reason": failure.body()}],
                })
            }
            Err(failure) => return Err(failure),
        };
        details.insert(alias, status);
    }
    let size = body.get("size").and_then(Value::as_u64).unwrap_or(10);
    all.hits.truncate(usize::try_from(size).unwrap_or(usize::MAX));
    let mut reply = answer(&all, body);
    let mut counts =
        json!({"total": clusters, "successful": clusters - skipped, "skipped": skipped});
    if let Some(map) = counts.as_object_mut()
        && version.since(8, 11)
    {
        map.insert("details".into(), Value::Object(details));
    }
    if let Some(map) = reply.as_object_mut() {
        map.insert("_clusters".into(), counts);
    }
    Ok(Reply::ok(reply))
}

/// `GET /_resolve/cluster/{expression}`, from 8.13.
pub(crate) fn resolve_cluster(ctx: &mut Ctx<'_>) -> Outcome {
    let expression = ctx.arg(0).to_owned();
    let (local, remotes) = split(ctx.cluster()?, &expression)?;
    let version = |cluster: &Cluster| {
        json!({
            "number": cluster.version.to_string(), "build_flavor": "default",
            "minimum_wire_compatibility_version": cluster.version.oldest_peer().to_string(),
        })
    };
    let how = Options { ignore_unavailable: true, hidden: false, closed: false };
    let mut body = Map::new();
    if !local.is_empty() {
        let cluster = ctx.cluster()?;
        let any = !resolve(cluster, &local.join(","), how)?.is_empty();
        let entry = json!({"connected": true, "skip_unavailable": false, "matching_indices": any, "version": version(cluster)});
        body.insert("(local)".into(), entry);
    }
    for (alias, expression) in remotes {
        let skip = remote::skip_unavailable(ctx.cluster()?, &alias);
        let reached = remote::reach(ctx.state, ctx.wire, ctx.now_ms, ctx.me, &alias);
        let entry = match reached.and_then(|peer| ctx.state.cluster(&peer)) {
            Ok(peer) => {
                let any = !resolve(peer, &expression, how)?.is_empty();
                json!({"connected": true, "skip_unavailable": skip, "matching_indices": any, "version": version(peer)})
            }
            Err(_) => json!({"connected": false, "skip_unavailable": skip}),
        };
        body.insert(alias, entry);
    }
    Ok(Reply::ok(Value::Object(body)))
}
