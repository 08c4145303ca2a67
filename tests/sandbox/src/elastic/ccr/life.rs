//! Pause, resume and unfollow.

use super::follow::histories;
use super::leader::Asker;
use super::params;
use super::task::Phase;
use crate::elastic::Reply;
use crate::elastic::context::Ctx;
use crate::elastic::failure::{Failure, Outcome};
use crate::elastic::index::Index;
use crate::elastic::index_settings;
use crate::elastic::remote;
use serde_json::{Value, json};
use std::collections::BTreeMap;

fn not_a_follower(name: &str) -> Failure {
    Failure::illegal(format!("index [{name}] is not a follower index"))
}

/// `POST /{follower}/_ccr/pause_follow`.
pub(crate) fn pause(ctx: &mut Ctx<'_>) -> Outcome {
    let name = ctx.arg(0).to_owned();
    let index = ctx.cluster_mut()?.index_mut(&name)?;
    let follow = index.follow.as_mut().ok_or_else(|| not_a_follower(&name))?;
    if follow.phase != Phase::Active {
        return Err(Failure::illegal(format!("no shard follow tasks for [{name}]")));
    }
    follow.phase = Phase::Paused;
    follow.tasks.clear();
    Ok(Reply::acknowledged())
}

/// `POST /{follower}/_ccr/resume_follow`.
pub(crate) fn resume(ctx: &mut Ctx<'_>) -> Outcome {
    let name = ctx.arg(0).to_owned();
    let body = params::body(ctx, "resume_follow_request", &[], false)?;
    let mut complaints = Vec::new();
    let given = params::tuning(&body, &mut complaints)?;
    if !complaints.is_empty() {
        return Err(Failure::invalid(&complaints));
    }
    let cluster = ctx.cluster()?;
    cluster.need_license()?;
    let index = cluster.index(&name)?;
    let Some(follow) = index.follow.clone() else {
        return Err(Failure::illegal(format!("follow index [{name}] does not have ccr metadata")));
    };
    let (closed, restoring, uuid) = (index.closed, index.restoring(), index.uuid.clone());
    let own = replicated_settings(index);
    let mut asker = Asker { state: ctx.state, wire: ctx.wire, now_ms: ctx.now_ms, me: ctx.me };
    let (_, leader) = asker.leader(&follow.remote, &follow.leader_index)?;
    if leader.uuid != follow.leader_uuid {
        return Err(Failure::illegal(format!(
            "follow index [{name}] should reference [{}] as leader index but instead reference [{}] as leader index",
            leader.uuid, follow.leader_uuid
        )));
    }
    let now = histories(leader);
    let mut pairs = now.iter().zip(&follow.leader_histories).enumerate();
    if let Some((n, (new, old))) = pairs.find(|(_, (new, old))| new != old) {
        return Err(Failure::illegal(format!(
            "leader shard [{}][{n}] should reference [{new}] as history uuid but instead reference [{old}] as history uuid",
            follow.leader_index
        )));
    }
    if closed || leader.closed {
        return Err(Failure::illegal("leader and follow index must be open"));
    }
    let theirs = replicated_settings(leader);
    if own != theirs {
        return Err(Failure::illegal(format!(
            "the leader index setting[{}] and follower index settings [{}] must be identical",
            json!(theirs),
            json!(own)
        )));
    }
    let checkpoints: Vec<i64> =
        leader.shards.iter().map(super::super::shard::Shard::checkpoint).collect();
    if follow.phase == Phase::Active || restoring {
        return Err(Failure::new(
            400,
            "resource_already_exists_exception",
            format!("task with id {{{uuid}-0}} already exist"),
        ));
    }
    if let Some(follow) = ctx.cluster_mut()?.index_mut(&name)?.follow.as_mut() {
        follow.params = given;
        follow.activate(checkpoints.into_iter());
    }
    Ok(Reply::acknowledged())
}

fn replicated_settings(index: &Index) -> BTreeMap<String, Value> {
    index
        .settings
        .iter()
        .filter(|(key, _)| index_settings::replicated(key))
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect()
}

/// `POST /{follower}/_ccr/unfollow`.
pub(crate) fn unfollow(ctx: &mut Ctx<'_>) -> Outcome {
    let name = ctx.arg(0).to_owned();
    let cluster = ctx.cluster_mut()?;
    let own_name = cluster.name.clone();
    let index = cluster.index_mut(&name)?;
    let cannot = |why: &str| {
        Failure::illegal(format!(
            "cannot convert the follower index [{name}] to a non-follower, because it has not been {why}"
        ))
    };
    let follow = index.follow.as_ref().ok_or_else(|| not_a_follower(&name))?;
    if !index.closed {
        return Err(cannot("closed"));
    }
    if follow.phase != Phase::Paused {
        return Err(cannot("paused"));
    }
    let lease = follow.lease_id(&own_name, &name, &index.uuid);
    let follow = index.follow.take();
    index.settings_version += 1;
    let Some(follow) = follow else { return Ok(Reply::acknowledged()) };
    // The conversion stands, whatever becomes of the leases on the leader.
    let peer = match remote::probe(ctx.state, ctx.wire, ctx.me, &follow.remote) {
        Ok(peer) => peer,
        Err(mut failure) => {
            failure.status = 500;
            return Err(failure.with("failed_to_remove_retention_leases", lease));
        }
    };
    remote::attempt(ctx.state, ctx.wire, ctx.now_ms, ctx.me, &follow.remote);
    // A leader that is gone took its leases with it.
    if let Some(leader) = ctx.state.cluster_mut(&peer)?.indices.get_mut(&follow.leader_index) {
        for shard in &mut leader.shards {
            shard.forget(&lease);
        }
    }
    Ok(Reply::acknowledged())
}
