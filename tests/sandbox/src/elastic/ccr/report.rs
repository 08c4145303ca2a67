//! `_ccr/info` and `_ccr/stats`.

use super::params;
use super::task::{Follow, Phase, Task};
use crate::elastic::Reply;
use crate::elastic::context::Ctx;
use crate::elastic::failure::{Failure, Outcome};
use crate::elastic::index::Index;
use crate::elastic::model::Cluster;
use crate::elastic::names::{Options, resolve};
use crate::elastic::remote;
use crate::elastic::shard::Shard;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// A failing read is repeated after so long.
const RETRY_MS: u64 = 60_000;

/// `GET /{follower}/_ccr/info`.
pub(crate) fn info(ctx: &mut Ctx<'_>) -> Outcome {
    let cluster = ctx.cluster()?;
    let how = Options { ignore_unavailable: false, hidden: true, closed: true };
    let mut rows = Vec::new();
    for name in resolve(cluster, ctx.arg(0), how)? {
        let Some(follow) = &cluster.index(&name)?.follow else { continue };
        // A dead task is a task: the status stays active with a fatal exception. While the
        // bootstrap runs there are none yet.
        let active = follow.phase == Phase::Active;
        let mut row = json!({
            "follower_index": name, "remote_cluster": follow.remote,
            "leader_index": follow.leader_index,
            "status": if active { "active" } else { "paused" },
        });
        if active && let Some(map) = row.as_object_mut() {
            map.insert("parameters".into(), params::effective(&follow.params));
        }
        rows.push(row);
    }
    Ok(Reply::ok(json!({"follower_indices": rows})))
}

/// Indices with shard tasks, each with its row.
fn rows(cluster: &Cluster, now_ms: u64, wanted: impl Fn(&str) -> bool) -> Vec<Value> {
    let active = cluster.indices.iter().filter(|(name, _)| wanted(name));
    active
        .filter_map(|(name, index)| {
            let follow = index.follow.as_ref().filter(|f| f.phase == Phase::Active)?;
            let tasks = follow.tasks.iter().zip(&index.shards).enumerate();
            let shards: Vec<Value> = tasks
                .map(|(n, (task, shard))| row((name, index, follow), (n, task, shard), now_ms))
                .collect();
            let mut entry = json!({"index": name, "shards": shards});
            if cluster.version.since(8, 18)
                && let Some(map) = entry.as_object_mut()
            {
                let tasks = follow.tasks.iter().zip(&index.shards);
                let lag: i64 =
                    tasks.map(|(t, s)| (t.leader_checkpoint - s.checkpoint()).max(0)).sum();
                map.insert("total_global_checkpoint_lag".into(), json!(lag));
            }
            Some(entry)
        })
        .collect()
}

fn row(
    (name, index, follow): (&str, &Index, &Follow),
    (number, task, shard): (usize, &Task, &Shard),
    now_ms: u64,
) -> Value {
    let own = shard.checkpoint();
    let exceptions: Vec<Value> = task
        .exception
        .iter()
        .map(|t| {
            let retries = now_ms.saturating_sub(t.since_ms) / RETRY_MS + 1;
            json!({"from_seq_no": shard.next_seq, "retries": retries, "exception": t.exception})
        })
        .collect();
    let since = task
        .last_read_ms
        .map_or(-1, |t| i64::try_from(now_ms.saturating_sub(t)).unwrap_or(i64::MAX));
    let mut row = json!({
        "remote_cluster": follow.remote,
        "leader_index": follow.leader_index,
        "follower_index": name,
        "shard_id": number,
        "leader_global_checkpoint": task.leader_checkpoint,
        "leader_max_seq_no": task.leader_checkpoint,
        "follower_global_checkpoint": own,
        "follower_max_seq_no": own,
        "last_requested_seq_no": own,
        "outstanding_read_requests": u8::from(task.fatal.is_none()),
        "outstanding_write_requests": 0,
        "write_buffer_operation_count": 0,
        "write_buffer_size_in_bytes": 0,
        "follower_mapping_version": index.mapping_version,
        "follower_settings_version": index.settings_version,
        "follower_aliases_version": index.aliases_version,
        "total_read_time_millis": task.reads * 20,
        "total_read_remote_exec_time_millis": task.reads * 4,
        "successful_read_requests": task.reads,
        "failed_read_requests": task.failed_reads,
        "operations_read": task.operations,
        "bytes_read": task.bytes,
        "total_write_time_millis": task.operations / 10,
        "successful_write_requests": task.operations.min(task.reads),
        "failed_write_requests": 0,
        "operations_written": task.operations,
        "read_exceptions": exceptions,
        "time_since_last_read_millis": since,
    });
    if let (Some(fatal), Some(map)) = (&task.fatal, row.as_object_mut()) {
        map.insert("fatal_exception".into(), fatal.clone());
    }
    row
}

/// `GET /{follower}/_ccr/stats`: names are taken as they are, without wildcards.
pub(crate) fn follow_stats(ctx: &mut Ctx<'_>) -> Outcome {
    let cluster = ctx.cluster()?;
    cluster.need_license()?;
    let names: BTreeSet<&str> = ctx.arg(0).split(',').collect();
    let all = names.contains("_all") || names.contains("*");
    let rows = rows(cluster, ctx.now_ms, |name| all || names.contains(name));
    if rows.is_empty() && !all {
        return Err(Failure::missing(format!(
            "No shard follow tasks for follower indices [{}]",
            ctx.arg(0)
        )));
    }
    Ok(Reply::ok(json!({"indices": rows})))
}

/// `GET /_ccr/stats`.
pub(crate) fn stats(ctx: &mut Ctx<'_>) -> Outcome {
    let cluster = ctx.cluster()?;
    cluster.need_license()?;
    let auto = &cluster.auto_follow;
    let errors: Vec<Value> = auto
        .errors
        .iter()
        .map(|(what, error)| {
            json!({
                "leader_index": what, "timestamp": error.at_ms,
                "auto_follow_exception": error.exception,
            })
        })
        .collect();
    let remotes: BTreeSet<&String> =
        cluster.patterns.values().filter(|p| p.active).map(|p| &p.remote).collect();
    let clusters: Vec<Value> = remotes
        .into_iter()
        .map(|alias| {
            let link = cluster.links.get(alias);
            let connected = link.is_some_and(|l| l.phase == remote::Phase::Connected);
            let since = link.map_or(0, |l| ctx.now_ms.saturating_sub(l.since_ms));
            let checked = match i64::try_from(since) {
                Ok(since) if link.is_some() => {
                    if connected { since % 60_000 } else { since }
                }
                _ => -1,
            };
            json!({
                "cluster_name": alias, "time_since_last_check_millis": checked,
                "last_seen_metadata_version": if connected { json!(auto.succeeded + 1) } else { json!(0) },
            })
        })
        .collect();
    Ok(Reply::ok(json!({
        "auto_follow_stats": {
            "number_of_failed_follow_indices": auto.failed,
            "number_of_failed_remote_cluster_state_requests": auto.failed_states,
            "number_of_successful_follow_indices": auto.succeeded,
            "recent_auto_follow_errors": errors,
            "auto_followed_clusters": clusters,
        },
        "follow_stats": {"indices": rows(cluster, ctx.now_ms, |_| true)},
    })))
}
