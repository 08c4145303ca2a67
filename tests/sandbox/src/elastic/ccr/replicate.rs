//! What replication does as time passes: bootstraps, reads, leases.

use super::task::{Follow, Phase, Task, Trouble};
use crate::elastic::Wire;
use crate::elastic::failure::Failure;
use crate::elastic::index::Index;
use crate::elastic::index_settings::replicated;
use crate::elastic::model::State;
use crate::elastic::remote;
use crate::elastic::shard::{Op, Shard};
use serde_json::{Value, json};

/// How long a read waits for news (`read_poll_timeout`).
const POLL_MS: u64 = 60_000;
/// Operations that one read asks for (`max_read_request_operation_count`).
const READ_OPERATIONS: u64 = 5120;

/// A span of time, in milliseconds, and how fast things go in it.
#[derive(Clone, Copy)]
struct Span {
    from: u64,
    to: u64,
    /// How old an operation is when the follower has it.
    lag: u64,
}

/// Lets every follower of every cluster go on.
pub(crate) fn tick(state: &mut State, wire: &dyn Wire, last_ms: u64, now_ms: u64) {
    let span = Span { from: last_ms, to: now_ms, lag: wire.duration_ms("Es.Replicate") };
    let followers: Vec<(String, String)> = state
        .clusters
        .iter()
        .flat_map(|(me, c)| {
            let names = c.indices.iter().filter(|(_, i)| i.follow.is_some());
            names.map(move |(name, _)| (me.clone(), name.clone()))
        })
        .collect();
    for (me, name) in followers {
        advance(state, wire, &me, &name, span);
    }
}

/// Drops the leases of followers that were away for too long.
pub(crate) fn expire(state: &mut State, now_ms: u64) {
    for index in state.clusters.values_mut().flat_map(|c| c.indices.values_mut()) {
        let period = index.lease_period_ms();
        for shard in &mut index.shards {
            shard.expire(period, now_ms);
        }
    }
}

/// Ends a bootstrap at once.
pub(crate) fn finish_now(state: &mut State, wire: &dyn Wire, me: &str, name: &str, now_ms: u64) {
    let follow = state
        .clusters
        .get_mut(me)
        .and_then(|c| c.indices.get_mut(name))
        .and_then(|i| i.follow.as_mut());
    if let Some(follow) = follow {
        follow.phase = Phase::Restoring { left_ms: 0, counted_ms: now_ms };
    }
    let lag = wire.duration_ms("Es.Replicate");
    advance(state, wire, me, name, Span { from: now_ms, to: now_ms, lag });
}

fn advance(state: &mut State, wire: &dyn Wire, me: &str, name: &str, span: Span) {
    // The follower is taken out of its cluster while the leader's is written to.
    let Some(cluster) = state.clusters.get_mut(me) else { return };
    let lease_owner = cluster.name.clone();
    let Some(mut index) = cluster.indices.remove(name) else { return };
    if let Some(mut follow) = index.follow.take() {
        let lease = follow.lease_id(&lease_owner, name, &index.uuid);
        step(state, wire, me, (&mut index, &mut follow), (&lease, span));
        index.follow = Some(follow);
    }
    if let Some(cluster) = state.clusters.get_mut(me) {
        cluster.indices.insert(name.to_owned(), index);
    }
}

/// The leader's side of one follower, or why it cannot be seen.
enum Sight {
    /// The instance, and since when it is connected.
    Connected(String, u64),
    /// Tried again.
    Away(Failure),
    /// Never tried again.
    Gone(Failure),
}

fn look(state: &State, wire: &dyn Wire, me: &str, alias: &str) -> Sight {
    let link = state.clusters.get(me).and_then(|c| c.links.get(alias));
    let Some(link) = link else { return Sight::Gone(Failure::no_remote(alias)) };
    match (link.phase, remote::probe(state, wire, me, alias)) {
        (remote::Phase::Connected, Ok(peer)) => Sight::Connected(peer, link.since_ms),
        (_, Err(failure)) => Sight::Away(failure),
        (remote::Phase::Idle | remote::Phase::Connecting { .. }, Ok(_)) => {
            Sight::Away(Failure::new(
                500,
                "connect_transport_exception",
                format!("Unable to connect to [{alias}]"),
            ))
        }
    }
}

fn step(
    state: &mut State,
    wire: &dyn Wire,
    me: &str,
    (index, follow): (&mut Index, &mut Follow),
    (lease, span): (&str, Span),
) {
    if follow.phase == Phase::Paused {
        return;
    }
    let (peer, since_ms) = match look(state, wire, me, &follow.remote) {
        Sight::Connected(peer, since_ms) => (peer, since_ms),
        Sight::Away(failure) => return trouble(follow, &failure, span.from),
        Sight::Gone(failure) => return fatal(follow, &failure.body()),
    };
    let leader = state
        .clusters
        .get_mut(&peer)
        .and_then(|c| c.indices.get_mut(&follow.leader_index))
        .filter(|leader| leader.uuid == follow.leader_uuid);
    let Some(leader) = leader else {
        return fatal(follow, &Failure::no_index(&follow.leader_index).body());
    };
    if leader.closed {
        let failure = Failure::new(
            403,
            "cluster_block_exception",
            format!("index [{}] blocked by: [FORBIDDEN/4/index closed];", follow.leader_index),
        );
        return trouble(follow, &failure, span.from);
    }
    if index.closed {
        let failure = Failure::new(400, "index_closed_exception", "closed");
        return trouble(follow, &failure, span.from);
    }
    if let Phase::Restoring { left_ms, counted_ms } = follow.phase {
        let start = span.from.max(since_ms).max(counted_ms);
        let passed = span.to.saturating_sub(start);
        keep_lease(index, leader, lease, since_ms, span.to);
        if passed < left_ms {
            follow.phase =
                Phase::Restoring { left_ms: left_ms - passed, counted_ms: span.to.max(start) };
            return;
        }
        finish(index, follow, leader, start + left_ms);
    }
    apply_metadata(index, follow, leader);
    let tasks = follow.tasks.iter_mut().filter(|t| t.fatal.is_none());
    for ((task, own), theirs) in tasks.zip(&mut index.shards).zip(&mut leader.shards) {
        read(task, own, theirs, span);
    }
    if follow.running() {
        keep_lease(index, leader, lease, since_ms, span.to);
    }
}

/// Renews the lease on every shard, up to what was read; one that ran out before is made anew.
fn keep_lease(index: &Index, leader: &mut Index, lease: &str, since_ms: u64, now_ms: u64) {
    let period = leader.lease_period_ms();
    for (own, theirs) in index.shards.iter().zip(&mut leader.shards) {
        // The connection may have come back after the lease ran out.
        theirs.expire(period, since_ms.min(now_ms));
        theirs.renew(lease, own.next_seq, now_ms);
    }
}

fn finish(index: &mut Index, follow: &mut Follow, leader: &Index, at_ms: u64) {
    for (own, theirs) in index.shards.iter_mut().zip(&leader.shards) {
        let mut copy = theirs.copy_until(at_ms, at_ms);
        // A restored index begins a history of its own.
        copy.history = std::mem::take(&mut own.history);
        *own = copy;
    }
    follow.activate(leader.shards.iter().map(Shard::checkpoint));
    for task in &mut follow.tasks {
        task.last_read_ms = Some(at_ms);
    }
    // Settings were copied, with overrides, when the follower was made.
    follow.applied = [0, leader.settings_version, 0];
}

/// Mapping, settings and aliases follow the leader's versions of them.
fn apply_metadata(index: &mut Index, follow: &mut Follow, leader: &Index) {
    let [mapping, settings, aliases] = follow.applied;
    if mapping != leader.mapping_version {
        index.mapping.clone_from(&leader.mapping);
        index.mapping_version += 1;
    }
    if settings != leader.settings_version {
        index.settings.retain(|key, _| !replicated(key));
        let theirs = leader.settings.iter().filter(|(key, _)| replicated(key));
        index.settings.extend(theirs.map(|(k, v)| (k.clone(), v.clone())));
        index.settings_version += 1;
    }
    if aliases != leader.aliases_version {
        index.aliases.clone_from(&leader.aliases);
        for alias in index.aliases.values_mut().filter_map(Value::as_object_mut) {
            alias.remove("is_write_index");
        }
        index.aliases_version += 1;
    }
    follow.applied = [leader.mapping_version, leader.settings_version, leader.aliases_version];
}

/// Reads what is old enough from one shard.
fn read(task: &mut Task, own: &mut Shard, theirs: &mut Shard, span: Span) {
    task.exception = None;
    let from = own.next_seq;
    let Some(found) = theirs.operations_from(from) else {
        task.failed_reads += 1;
        task.fatal = Some(history_lost(theirs, from));
        return;
    };
    let ready: Vec<(u64, Op)> = found
        .take_while(|(_, op)| op.at_ms.saturating_add(span.lag) <= span.to)
        .map(|(seq, op)| (seq, Op { at_ms: op.at_ms + span.lag, ..op.clone() }))
        .collect();
    if ready.is_empty() {
        // An idle read comes back empty after the poll time-out and is sent again.
        let last = task.last_read_ms.unwrap_or(span.to);
        let polls = span.to.saturating_sub(last) / POLL_MS;
        task.reads += polls;
        task.last_read_ms = Some(last + polls * POLL_MS);
        task.leader_checkpoint = theirs.checkpoint();
        return;
    }
    task.reads += 1;
    for (seq, op) in ready {
        task.operations += 1;
        task.bytes += op.source.as_ref().map_or(0, |s| s.to_string().len() as u64) + 40;
        task.last_read_ms = Some(task.last_read_ms.unwrap_or(0).max(op.at_ms));
        own.apply(seq, op);
    }
    task.leader_checkpoint = theirs.checkpoint();
}

fn history_lost(theirs: &Shard, from: u64) -> Value {
    let to = (from + READ_OPERATIONS).min(theirs.next_seq).saturating_sub(1);
    let leases: Vec<String> = theirs
        .leases
        .iter()
        .map(|(id, l)| {
            format!(
                "RetentionLease{{id='{id}', retainingSequenceNumber={}, timestamp={}, source='ccr'}}",
                l.retaining, l.renewed_ms
            )
        })
        .collect();
    Failure::missing(format!(
        "Operations are no longer available for replicating. Existing retention leases [RetentionLeases{{primaryTerm=1, version={}, leases={{{}}}}}]; maybe increase the retention lease period setting [index.soft_deletes.retention_lease.period]?",
        leases.len(),
        leases.join(", ")
    ))
    .with("requested_operations_missing", json!([from.to_string(), to.to_string()]))
    .because(Failure::new(
        500,
        "missing_history_operations_exception",
        format!("Not all operations between from_seqno [{from}] and to_seqno [{to}] found; expected seqno [{from}]"),
    ))
    .body()
}

fn trouble(follow: &mut Follow, failure: &Failure, at_ms: u64) {
    for task in follow.tasks.iter_mut().filter(|t| t.fatal.is_none()) {
        if task.exception.is_none() {
            task.failed_reads += 1;
        }
        let since_ms = task.exception.as_ref().map_or(at_ms, |t| t.since_ms);
        task.exception = Some(Trouble { since_ms, exception: failure.body() });
    }
}

fn fatal(follow: &mut Follow, exception: &Value) {
    for task in follow.tasks.iter_mut().filter(|t| t.fatal.is_none()) {
        task.exception = None;
        task.fatal = Some(exception.clone());
    }
}
