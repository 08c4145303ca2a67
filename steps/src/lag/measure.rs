//! Checkpoints, times and leases as numbers; no answer, however odd, is too odd.

use super::ask::Said;
use crate::elastic::{FollowerInfo, ShardLeases, ShardSeq, ShardStats};
use crate::nodes::step5_replication::Pair;
use serde::Serialize;

/// One index of a link, as the two clusters say it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct IndexLag {
    /// The leader index.
    pub leader: String,
    /// The follower index.
    pub follower: String,
    /// The alias under which the follower's cluster knows the leader's.
    pub alias: String,
    /// How the follower stands.
    pub state: State,
    /// Operations of the leader that the follower lacks, over all shards; none where one side
    /// tells no checkpoints.
    pub lag_operations: Option<u64>,
    /// The time within which the follower had all that the leader had, in milliseconds: it lags
    /// no longer than that. None before it was waited for, or when it did not come.
    pub lag_at_most_ms: Option<u64>,
    /// The time for which the follower is known to lack something, in milliseconds.
    pub lag_at_least_ms: Option<u64>,
    /// Since the leader's last answer, of the shard that waits longest, in milliseconds. On a quiet
    /// index it grows up to a minute, which is how long a read waits for news.
    pub since_read_ms: Option<u64>,
    /// Since the leader renewed the lease of the shard that waits longest, in milliseconds.
    pub lease_age_ms: Option<u64>,
    /// For how long a lease holds without being renewed, in milliseconds.
    pub lease_period_ms: Option<u64>,
    /// Shards for which the leader holds no lease of this follower.
    pub shards_without_lease: Vec<u64>,
    /// Shards without a task while others have one.
    pub shards_without_task: Vec<u64>,
    /// Why reads fail that are tried again.
    pub read_exceptions: Vec<String>,
}

/// How a follower stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "name", content = "why")]
pub enum State {
    /// It replicates.
    Following,
    /// The first copy is being made.
    Copying,
    /// It stands still because somebody said so.
    Paused,
    /// At least one of its tasks has ended; type and innermost reason.
    Dead(String),
    /// There is no index of this name.
    Missing,
    /// There is one, and it follows nothing.
    Ordinary,
    /// It follows this instead.
    Another(String),
    /// The leader index is not there.
    LeaderMissing,
}

impl State {
    /// The state in one word or two.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Following => "following",
            Self::Copying => "copying",
            Self::Paused => "paused",
            Self::Dead(_) => "dead",
            Self::Missing => "missing",
            Self::Ordinary => "ordinary",
            Self::Another(_) => "another",
            Self::LeaderMissing => "leader missing",
        }
    }

    /// Does it follow the index that it should, in whatever shape?
    pub const fn is_follower(&self) -> bool {
        matches!(self, Self::Following | Self::Copying | Self::Paused | Self::Dead(_))
    }
}

/// Operations that the follower lacks of what the leader had, over all shards.
///
/// Shards are told apart by their numbers; one that the follower does not have lacks everything.
pub fn behind(leader: &[ShardSeq], follower: &[ShardSeq]) -> u64 {
    let lacks = |theirs: &ShardSeq| {
        let own = follower.iter().find(|own| own.shard == theirs.shard);
        count_of(theirs.global_checkpoint).saturating_sub(own.map_or(0, operations_of))
    };
    leader.iter().map(lacks).fold(0, u64::saturating_add)
}

/// Do both show the same primary shards, and at least one?
///
/// A follower has as many as its leader. Where they differ, one says nothing of itself, and that
/// must not pass for having nothing.
pub fn same_shards(leader: &[ShardSeq], follower: &[ShardSeq]) -> bool {
    let numbers = |shards: &[ShardSeq]| shards.iter().map(|at| at.shard).collect::<Vec<_>>();
    !leader.is_empty() && numbers(leader) == numbers(follower)
}

/// Has the follower all that the leader had, as far as both show all of their shards?
pub fn caught_up(leader: &[ShardSeq], follower: &[ShardSeq]) -> bool {
    same_shards(leader, follower) && behind(leader, follower) == 0
}

/// Operations up to the checkpoints, over all shards.
pub fn operations(shards: &[ShardSeq]) -> u64 {
    shards.iter().map(operations_of).fold(0, u64::saturating_add)
}

fn operations_of(shard: &ShardSeq) -> u64 {
    count_of(shard.global_checkpoint)
}

/// Numbers begin at 0; -1 is before the first operation, and -2 says that nobody knows.
fn count_of(checkpoint: i64) -> u64 {
    u64::try_from(checkpoint.saturating_add(1)).unwrap_or(0)
}

/// What both clusters said, as one row an index.
pub fn measure(said: &Said) -> Vec<IndexLag> {
    said.pairs.iter().map(|pair| of_pair(said, pair)).collect()
}

fn of_pair(said: &Said, pair: &Pair) -> IndexLag {
    let none = Vec::new();
    let theirs = said.leader_shards.get(&pair.leader);
    let own = said.follower_shards.get(&pair.follower);
    let info = said.infos.iter().find(|info| info.follower_index == pair.follower);
    let told = said.stats.followers.iter().find(|told| told.index == pair.follower);
    let tasks: &[ShardStats] = told.map_or(&[], |told| &told.shards);
    let state = state(said, pair, info, tasks);
    let leads = said.leader_indices.get(&pair.leader);
    let leases = said.leases.get(&pair.leader).filter(|_| state.is_follower());
    let (lease_age_ms, shards_without_lease) =
        leases.map_or((None, Vec::new()), |shards| lease(said, pair, shards));
    let both = theirs.zip(own).filter(|(theirs, _)| !theirs.is_empty());
    let lag_operations = both
        .filter(|_| state.is_follower() && state != State::Copying)
        .map(|(theirs, own)| behind(theirs, own));
    IndexLag {
        leader: pair.leader.clone(),
        follower: pair.follower.clone(),
        alias: said.alias.clone(),
        lag_operations,
        lag_at_most_ms: None,
        lag_at_least_ms: None,
        since_read_ms: tasks.iter().filter_map(|task| task.time_since_last_read_ms).max(),
        lease_age_ms,
        lease_period_ms: leads.map(|index| index.lease_period_ms),
        shards_without_lease,
        shards_without_task: without_task(theirs.unwrap_or(&none), tasks, &state),
        read_exceptions: exceptions(tasks),
        state,
    }
}

fn state(said: &Said, pair: &Pair, info: Option<&FollowerInfo>, tasks: &[ShardStats]) -> State {
    let Some(info) = info else {
        let there = said.follower_indices.get(&pair.follower);
        return match there {
            None => State::Missing,
            // The list of followers is asked for first: it began to follow since.
            Some(index) if index.is_follower => State::Copying,
            Some(_) => State::Ordinary,
        };
    };
    if info.leader_index != pair.leader || info.remote_cluster != said.alias {
        return State::Another(format!("{} of {}", info.leader_index, info.remote_cluster));
    }
    if let Some(why) = tasks.iter().find_map(|task| task.fatal_exception.clone()) {
        return State::Dead(why);
    }
    if !said.leader_indices.contains_key(&pair.leader) {
        return State::LeaderMissing;
    }
    // Until its first copy is there, a follower has no shard that answers, and is called paused.
    let copied = said.follower_shards.get(&pair.follower).is_some_and(|own| !own.is_empty());
    let closed = said.follower_indices.get(&pair.follower).is_some_and(|index| index.closed);
    match (info.active, copied || closed) {
        (true, _) => State::Following,
        (false, true) => State::Paused,
        (false, false) => State::Copying,
    }
}

fn without_task(theirs: &[ShardSeq], tasks: &[ShardStats], state: &State) -> Vec<u64> {
    if *state != State::Following {
        return Vec::new();
    }
    let numbers = theirs.iter().map(|shard| shard.shard);
    numbers.filter(|number| !tasks.iter().any(|task| task.shard_id == *number)).collect()
}

fn exceptions(tasks: &[ShardStats]) -> Vec<String> {
    let mut all: Vec<String> =
        tasks.iter().flat_map(|task| task.read_exceptions.iter().cloned()).collect();
    all.sort();
    all.dedup();
    all
}

/// The age of the oldest lease of a follower, and the shards where it has none.
fn lease(said: &Said, pair: &Pair, shards: &[ShardLeases]) -> (Option<u64>, Vec<u64>) {
    let uuid = |index: Option<&crate::elastic::Index>| {
        index.map(|index| index.uuid.clone()).unwrap_or_default()
    };
    let own = uuid(said.follower_indices.get(&pair.follower));
    let theirs = uuid(said.leader_indices.get(&pair.leader));
    // What stands before it is the name of the follower's cluster.
    let tail =
        format!("/{}/{own}-following-{}/{}/{theirs}", pair.follower, said.alias, pair.leader);
    let (mut oldest, mut without) = (None, Vec::new());
    for shard in shards {
        match shard.leases.iter().find(|lease| lease.id.ends_with(&tail)) {
            None => without.push(shard.shard),
            Some(lease) => {
                let age = said.at_ms.saturating_sub(lease.renewed_ms);
                oldest = oldest.max(Some(age));
            }
        }
    }
    (oldest, without)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shards(numbers: &[u64]) -> Vec<ShardSeq> {
        let shard = |shard: &u64| ShardSeq {
            shard: *shard,
            max_seq_no: 4,
            global_checkpoint: 4,
            history_uuid: "h".to_owned(),
        };
        numbers.iter().map(shard).collect()
    }

    #[test]
    fn a_shard_that_says_nothing_is_not_taken_for_one_that_has_nothing() {
        assert!(same_shards(&shards(&[0, 1]), &shards(&[0, 1])));
        assert!(!same_shards(&shards(&[]), &shards(&[0])), "the leader's answer lost it");
        assert!(!same_shards(&shards(&[0]), &shards(&[0, 1])));
        assert!(!same_shards(&shards(&[0, 1]), &shards(&[1])));
        assert!(!same_shards(&shards(&[]), &shards(&[])));
        assert_eq!(behind(&shards(&[]), &shards(&[0])), 0);
        assert!(!caught_up(&shards(&[]), &shards(&[0])));
        assert!(caught_up(&shards(&[0, 1]), &shards(&[0, 1])));
    }
}
