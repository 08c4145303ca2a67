//! `POST /{leader}/_ccr/forget_follower`, asked on the leader.

use super::follow::text;
use super::task::lease_id;
use crate::elastic::Reply;
use crate::elastic::context::Ctx;
use crate::elastic::failure::{Failure, Outcome};
use serde_json::{Value, json};

const KEYS: [&str; 4] =
    ["follower_cluster", "follower_index", "follower_index_uuid", "leader_remote_cluster"];

/// Removes the leases of one follower.
pub(crate) fn post(ctx: &mut Ctx<'_>) -> Outcome {
    let name = ctx.arg(0).to_owned();
    let Value::Object(body) = ctx.json()? else {
        return Err(Failure::new(400, "parse_exception", "request body is required"));
    };
    if let Some(key) = body.keys().find(|k| !KEYS.contains(&k.as_str())) {
        return Err(Failure::new(
            400,
            "x_content_parse_exception",
            format!("[1:2] [forget_follower] unknown field [{key}]"),
        ));
    }
    let mut values = Vec::new();
    for key in KEYS {
        values.push(
            text(&body, key)
                .ok_or_else(|| Failure::illegal(format!("Required [{}]", KEYS.join(", "))))?,
        );
    }
    let [cluster, index, uuid, alias] = values.as_slice() else {
        return Err(Failure::illegal(format!("Required [{}]", KEYS.join(", "))));
    };
    let leader = ctx.cluster_mut()?.index_mut(&name)?;
    let lease = lease_id((cluster, index, uuid), (alias, &name, &leader.uuid));
    let total = leader.shards.len();
    let mut failures = Vec::new();
    for (number, shard) in leader.shards.iter_mut().enumerate() {
        if !shard.forget(&lease) {
            failures.push(json!({
                "shard": number, "index": name, "status": "NOT_FOUND",
                "reason": {
                    "type": "retention_lease_not_found_exception",
                    "reason": format!("retention lease with ID [{lease}] not found"),
                },
            }));
        }
    }
    let failed = failures.len();
    let mut shards = json!({"total": total, "successful": total - failed, "failed": failed});
    if failed > 0
        && let Some(map) = shards.as_object_mut()
    {
        map.insert("failures".into(), Value::Array(failures));
    }
    Ok(Reply::ok(json!({"_shards": shards})))
}
