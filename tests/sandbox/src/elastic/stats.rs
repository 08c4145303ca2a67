//! `_stats` and `_recovery`.

use super::Reply;
use super::context::Ctx;
use super::failure::Outcome;
use super::index::Index;
use super::index_admin::named;
use super::shard::Shard;
use serde_json::{Map, Value, json};

/// Bytes that a document is said to take.
const DOC_BYTES: usize = 120;

fn totals(count: usize, deleted: usize) -> Value {
    json!({
        "docs": {"count": count, "deleted": deleted},
        "store": {"size_in_bytes": count * DOC_BYTES + 208, "reserved_in_bytes": 0},
    })
}

fn deleted(index: &Index) -> usize {
    index.shards.iter().map(Shard::deleted).sum()
}

/// `GET /_stats`, `/{index}/_stats` and `/{index}/_stats/{metric}`.
pub(crate) fn stats(ctx: &mut Ctx<'_>) -> Outcome {
    let cluster = ctx.cluster()?;
    let by_shard = ctx.query("level") == Some("shards");
    let mut indices = Map::new();
    let (mut shards, mut primary, mut all) = (0, (0, 0), (0, 0));
    for name in named(ctx, false)? {
        let index = cluster.index(&name)?;
        let copies = 1 + index.replicas().min(2);
        let (count, deleted) = (index.count(), deleted(index));
        shards += index.shards.len() * copies;
        primary = (primary.0 + count, primary.1 + deleted);
        all = (all.0 + count * copies, all.1 + deleted * copies);
        let mut entry = Map::new();
        entry.insert("uuid".into(), json!(index.uuid));
        if cluster.version.since(7, 14) {
            entry.insert("health".into(), json!(index.health()));
            entry.insert("status".into(), json!("open"));
        }
        entry.insert("primaries".into(), totals(count, deleted));
        entry.insert("total".into(), totals(count * copies, deleted * copies));
        if by_shard {
            let table: Map<String, Value> = index
                .shards
                .iter()
                .enumerate()
                .filter(|_| !index.restoring())
                .map(|(n, shard)| {
                    let rows: Vec<Value> = (0..copies)
                        .map(|copy| shard_row(&cluster.name, index, shard, n, copy))
                        .collect();
                    (n.to_string(), Value::Array(rows))
                })
                .collect();
            entry.insert("shards".into(), Value::Object(table));
        }
        indices.insert(name, Value::Object(entry));
    }
    Ok(Reply::ok(json!({
        "_shards": {"total": shards, "successful": shards, "failed": 0},
        "_all": {"primaries": totals(primary.0, primary.1), "total": totals(all.0, all.1)},
        "indices": indices,
    })))
}

/// One copy of one shard.
fn shard_row(cluster: &str, index: &Index, shard: &Shard, number: usize, copy: usize) -> Value {
    let checkpoint = shard.checkpoint();
    let node = |n: usize| format!("{cluster}-node-{}", n % 3);
    // Peer recovery keeps leases of its own beside those of the followers.
    let mut leases: Vec<Value> = (0..=index.replicas().min(2))
        .map(|n| {
            json!({
                "id": format!("peer_recovery/{}", node(number + n)),
                "retaining_seq_no": shard.next_seq,
                "timestamp": index.created_ms,
                "source": "peer recovery",
            })
        })
        .collect();
    leases.extend(shard.leases.iter().map(|(id, lease)| {
        json!({
            "id": id, "retaining_seq_no": lease.retaining,
            "timestamp": lease.renewed_ms, "source": "ccr",
        })
    }));
    let mut row = totals(shard.count(), shard.deleted());
    if let Some(map) = row.as_object_mut() {
        let routing = json!({
            "state": "STARTED", "primary": copy == 0, "node": node(number + copy),
            "relocating_node": null,
        });
        map.insert("routing".into(), routing);
        map.insert(
            "commit".into(),
            json!({
                "id": index.uuid, "generation": 3, "num_docs": shard.count(),
                "user_data": {
                    "history_uuid": shard.history,
                    "local_checkpoint": checkpoint.to_string(),
                    "max_seq_no": checkpoint.to_string(),
                    "max_unsafe_auto_id_timestamp": "-1",
                    "min_retained_seq_no": "0",
                    "translog_uuid": shard.history,
                },
            }),
        );
        map.insert(
            "seq_no".into(),
            json!({
                "max_seq_no": checkpoint, "local_checkpoint": checkpoint,
                "global_checkpoint": checkpoint,
            }),
        );
        let version = leases.len();
        map.insert(
            "retention_leases".into(),
            json!({"primary_term": 1, "version": version, "leases": leases}),
        );
    }
    row
}

/// `GET /_recovery` and `/{index}/_recovery`.
pub(crate) fn recovery(ctx: &mut Ctx<'_>) -> Outcome {
    let cluster = ctx.cluster()?;
    let active_only = ctx.flag("active_only");
    let mut body = Map::new();
    for name in named(ctx, false)? {
        let index = cluster.index(&name)?;
        if active_only && !index.restoring() {
            continue;
        }
        let shards: Vec<Value> =
            (0..index.shards.len()).map(|n| recovery_row(ctx, index, n)).collect();
        body.insert(name, json!({"shards": shards}));
    }
    Ok(Reply::ok(Value::Object(body)))
}

fn recovery_row(ctx: &Ctx<'_>, index: &Index, number: usize) -> Value {
    let node = format!("{}-node-{}", ctx.me, number % 3);
    let whole = ctx.wire.duration_ms("Es.Restore").max(1);
    let bytes = index.follow.as_ref().map_or(0, |f| f.bootstrap_bytes);
    let (kind, stage, source, size, done, elapsed) = match &index.follow {
        Some(follow) => {
            let left = follow.restore_left_ms().unwrap_or(0).min(whole);
            let done = bytes * (whole - left) / whole;
            let source = json!({
                "repository": format!("_ccr_{}", follow.remote), "snapshot": "_latest_",
                "version": "", "index": follow.leader_index, "restoreUUID": index.uuid,
            });
            let stage = if left > 0 { "INDEX" } else { "DONE" };
            ("SNAPSHOT", stage, source, bytes, done, whole - left)
        }
        None => ("EMPTY_STORE", "DONE", json!({}), 0, 0, 10),
    };
    let percent = if size == 0 || done == size { 100 } else { done * 100 / size };
    let mut row = json!({
        "id": number, "type": kind, "stage": stage, "primary": true,
        "start_time_in_millis": index.created_ms, "total_time_in_millis": elapsed,
        "source": source,
        "target": {"id": node, "host": "127.0.0.1", "transport_address": "127.0.0.1:9300",
                   "ip": "127.0.0.1", "name": format!("{}-data-{}", ctx.me, number % 3)},
        "index": {
            "size": {"total_in_bytes": size, "reused_in_bytes": 0, "recovered_in_bytes": done,
                     "percent": format!("{percent}.0%")},
            "files": {"total": 1, "reused": 0, "recovered": u8::from(done == size),
                      "percent": format!("{percent}.0%")},
            "total_time_in_millis": elapsed, "source_throttle_time_in_millis": 0,
            "target_throttle_time_in_millis": 0,
        },
        "translog": {"recovered": 0, "total": 0, "percent": "100.0%", "total_on_start": 0,
                     "total_time_in_millis": 0},
        "verify_index": {"check_index_time_in_millis": 0, "total_time_in_millis": 0},
    });
    if stage == "DONE"
        && let Some(map) = row.as_object_mut()
    {
        map.insert("stop_time_in_millis".into(), json!(index.created_ms + elapsed));
    }
    row
}
