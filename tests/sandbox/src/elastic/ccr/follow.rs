//! `PUT /{follower}/_ccr/follow`.

use super::leader::Asker;
use super::params;
use super::replicate;
use super::task::{Follow, Phase};
use crate::elastic::Reply;
use crate::elastic::context::Ctx;
use crate::elastic::failure::{Failure, Outcome};
use crate::elastic::flat;
use crate::elastic::index::Index;
use crate::elastic::index_settings;
use crate::elastic::model::State;
use crate::elastic::names::check_index_name;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// What is to follow what.
#[derive(Clone, Debug)]
pub(crate) struct Wish {
    pub(crate) follower: String,
    pub(crate) remote: String,
    pub(crate) leader: String,
    /// Overrides on the follower, flat.
    pub(crate) settings: BTreeMap<String, Value>,
    pub(crate) params: BTreeMap<String, Value>,
}

/// A string of a body; `null` and other kinds count as missing.
pub(crate) fn text(body: &Map<String, Value>, key: &str) -> Option<String> {
    body.get(key).and_then(Value::as_str).map(str::to_owned)
}

/// The `settings` of a body, flat.
pub(crate) fn overrides(body: &Map<String, Value>) -> BTreeMap<String, Value> {
    body.get("settings").map(index_settings::read).unwrap_or_default()
}

/// `PUT /{follower}/_ccr/follow`.
pub(crate) fn put(ctx: &mut Ctx<'_>) -> Outcome {
    let follower = ctx.arg(0).to_owned();
    let mut keys = vec!["remote_cluster", "leader_index", "settings"];
    if ctx.cluster()?.version.since(8, 0) {
        keys.push("data_stream_name");
    }
    let body = params::body(ctx, "put_follow_request", &keys, true)?;
    let mut complaints = Vec::new();
    let (remote, leader) = (text(&body, "remote_cluster"), text(&body, "leader_index"));
    if remote.is_none() {
        complaints.push("remote_cluster is missing".to_owned());
    }
    if leader.is_none() {
        complaints.push("leader_index is missing".to_owned());
    }
    let params = params::tuning(&body, &mut complaints)?;
    let (Some(remote), Some(leader), true) = (remote, leader, complaints.is_empty()) else {
        return Err(Failure::invalid(&complaints));
    };
    ctx.cluster()?.need_license()?;
    let wish =
        Wish { follower: follower.clone(), remote, leader, settings: overrides(&body), params };
    let waits = ctx.query("wait_for_active_shards").is_some_and(|n| n != "0");
    let now_ms = ctx.now_ms;
    let mut asker = Asker { state: ctx.state, wire: ctx.wire, now_ms, me: ctx.me };
    let (peer, _) = asker.leader(&wish.remote, &wish.leader)?;
    asker.may_follow(&peer, &ctx.user, std::slice::from_ref(&wish.leader))?;
    start(&mut asker, &wish, now_ms)?;
    if waits {
        // The call would block for the whole bootstrap; here it is over at once instead.
        replicate::finish_now(ctx.state, ctx.wire, ctx.me, &follower, now_ms);
    }
    Ok(Reply::ok(json!({
        "follow_index_created": true,
        "follow_index_shards_acked": waits,
        "index_following_started": waits,
    })))
}

/// Starts the bootstrap of a follower at `at_ms`.
pub(crate) fn start(asker: &mut Asker<'_>, wish: &Wish, at_ms: u64) -> Outcome<()> {
    let (peer, leader) = asker.leader(&wish.remote, &wish.leader)?;
    check_overrides(&wish.settings)?;
    let (copy, histories) = (copy_of(leader, wish), histories(leader));
    let bytes = leader.shards.iter().map(|s| s.count() as u64 * 120 + 208).max().unwrap_or(0);
    let newest = asker.state.cluster(&peer)?.version;
    check_restore(asker.state, asker.me, wish, newest)?;
    let uuid = asker.state.fresh_uuid();
    let own = histories.iter().map(|_| asker.state.fresh_uuid()).collect();
    let mut index = Index::new(uuid, own, at_ms);
    index.settings = copy.settings;
    index.mapping = copy.mapping;
    let follow = Follow {
        remote: wish.remote.clone(),
        leader_index: wish.leader.clone(),
        leader_uuid: copy.uuid,
        leader_histories: histories,
        params: wish.params.clone(),
        phase: Phase::Restoring {
            left_ms: asker.wire.duration_ms("Es.Restore"),
            counted_ms: at_ms,
        },
        tasks: Vec::new(),
        bootstrap_bytes: bytes,
        applied: [0; 3],
    };
    let cluster = asker.state.cluster(asker.me)?;
    let lease = follow.lease_id(&cluster.name, &wish.follower, &index.uuid);
    index.follow = Some(follow);
    asker.state.cluster_mut(asker.me)?.indices.insert(wish.follower.clone(), index);
    for shard in &mut asker.state.cluster_mut(&peer)?.index_mut(&wish.leader)?.shards {
        let next = shard.next_seq;
        shard.renew(&lease, next, at_ms);
    }
    Ok(())
}

/// History id of each shard.
pub(crate) fn histories(leader: &Index) -> Vec<String> {
    leader.shards.iter().map(|s| s.history.clone()).collect()
}

struct Copy {
    uuid: String,
    settings: BTreeMap<String, Value>,
    mapping: Value,
}

fn copy_of(leader: &Index, wish: &Wish) -> Copy {
    let mut settings = leader.settings.clone();
    flat::apply(&mut settings, &wish.settings);
    Copy { uuid: leader.uuid.clone(), settings, mapping: leader.mapping.clone() }
}

/// Only what is not replicated may be overridden.
fn check_overrides(settings: &BTreeMap<String, Value>) -> Outcome<()> {
    let replicated: BTreeMap<&String, &Value> =
        settings.iter().filter(|(key, _)| index_settings::replicated(key)).collect();
    let unknown: Vec<&str> =
        replicated.keys().filter(|k| !index_settings::known(k)).map(|k| k.as_str()).collect();
    if !unknown.is_empty() {
        let plural = if unknown.len() > 1 { "s" } else { "" };
        return Err(Failure::illegal(format!("unknown setting{plural} [{}]", unknown.join(","))));
    }
    if replicated.is_empty() {
        return Ok(());
    }
    Err(Failure::illegal(format!(
        "can not put follower index that could override leader settings {}",
        json!(replicated)
    )))
}

/// What refuses the restore from `_ccr_<alias>`.
fn check_restore(
    state: &State,
    me: &str,
    wish: &Wish,
    newest: crate::elastic::model::Version,
) -> Outcome<()> {
    let cluster = state.cluster(me)?;
    let refused = |text: String| {
        Failure::new(
            500,
            "snapshot_restore_exception",
            format!("[_ccr_{}:_latest_/_latest_] {text}", wish.remote),
        )
    };
    if newest > cluster.version {
        return Err(refused(format!(
            "the snapshot was created with Elasticsearch version [{newest}] which is higher than the version of this node [{}]",
            cluster.version
        )));
    }
    check_index_name(&wish.follower)?;
    let name = &wish.follower;
    match cluster.indices.get(name) {
        Some(known) if !known.closed => Err(refused(format!(
            "cannot restore index [{name}] because an open index with same name already exists in the cluster. Either close or delete the existing index or restore the index under a different name by providing a rename pattern and replacement name"
        ))),
        _ => Ok(()),
    }
}
