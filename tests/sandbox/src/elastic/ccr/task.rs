//! A follower's side of replication: what it follows and how far it is.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// What an index follows.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Follow {
    pub(crate) remote: String,
    pub(crate) leader_index: String,
    pub(crate) leader_uuid: String,
    /// History id of each leader shard as it was when the follower was made.
    pub(crate) leader_histories: Vec<String>,
    /// Tuning keys that were given; the others have their defaults.
    pub(crate) params: BTreeMap<String, Value>,
    pub(crate) phase: Phase,
    /// One task a shard while the follower is active.
    pub(crate) tasks: Vec<Task>,
    /// How much the bootstrap copies from each shard.
    pub(crate) bootstrap_bytes: u64,
    /// Versions of the leader's mapping, settings and aliases that were applied.
    pub(crate) applied: [u64; 3],
}

/// Where a follower stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Phase {
    /// Copies the leader's files; so much is left at the usual speed.
    Restoring {
        /// Milliseconds of transfer.
        left_ms: u64,
        /// Up to when the transfer was counted.
        counted_ms: u64,
    },
    /// Reads operations.
    Active,
    /// Stands still.
    Paused,
}

/// The task that reads one shard.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Task {
    /// What was last heard of the leader.
    pub(crate) leader_checkpoint: i64,
    pub(crate) reads: u64,
    pub(crate) failed_reads: u64,
    pub(crate) operations: u64,
    pub(crate) bytes: u64,
    pub(crate) last_read_ms: Option<u64>,
    /// A failure that is tried again.
    pub(crate) exception: Option<Trouble>,
    /// A failure that ended the task.
    pub(crate) fatal: Option<Value>,
}

/// A read that fails and is tried again.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Trouble {
    pub(crate) since_ms: u64,
    pub(crate) exception: Value,
}

impl Follow {
    /// Are its primaries still being copied?
    pub(crate) fn restoring(&self) -> bool {
        matches!(self.phase, Phase::Restoring { .. })
    }

    /// What is left of the bootstrap; `None` when it is over.
    pub(crate) fn restore_left_ms(&self) -> Option<u64> {
        match self.phase {
            Phase::Restoring { left_ms, .. } => Some(left_ms),
            Phase::Active | Phase::Paused => None,
        }
    }

    /// Does it use its remote cluster?
    pub(crate) fn running(&self) -> bool {
        match self.phase {
            Phase::Restoring { .. } => true,
            Phase::Active => self.tasks.iter().any(|t| t.fatal.is_none()),
            Phase::Paused => false,
        }
    }

    /// Starts the tasks, their counters at nothing.
    pub(crate) fn activate(&mut self, checkpoints: impl Iterator<Item = i64>) {
        self.phase = Phase::Active;
        self.tasks = checkpoints
            .map(|leader_checkpoint| Task { leader_checkpoint, ..Task::default() })
            .collect();
    }

    /// The lease that it holds on the leader.
    pub(crate) fn lease_id(&self, cluster: &str, index: &str, uuid: &str) -> String {
        lease_id((cluster, index, uuid), (&self.remote, &self.leader_index, &self.leader_uuid))
    }
}

/// `<follower cluster>/<index>/<uuid>-following-<alias>/<leader index>/<leader uuid>`.
pub(crate) fn lease_id(follower: (&str, &str, &str), leader: (&str, &str, &str)) -> String {
    format!(
        "{}/{}/{}-following-{}/{}/{}",
        follower.0, follower.1, follower.2, leader.0, leader.1, leader.2
    )
}
