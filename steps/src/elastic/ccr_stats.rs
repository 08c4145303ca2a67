//! How replication is getting on.

use super::client::{Cluster, as_text, count, list, number, text};
use super::error::innermost;
use escrr_engine::Fault;
use reqwest::Method;
use serde_json::Value;

/// The state of auto-follow and of every follower (`GET /_ccr/stats`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CcrStats {
    /// Indices that could not be followed by a pattern since the master was elected.
    pub failed_follow_indices: u64,
    /// Looks at remote clusters that failed since the master was elected.
    pub failed_remote_cluster_state_requests: u64,
    /// Indices that were followed by a pattern since the master was elected.
    pub successful_follow_indices: u64,
    /// The latest errors of patterns.
    pub recent_auto_follow_errors: Vec<AutoFollowError>,
    /// Followers that have running or dead tasks; paused ones are missing.
    pub followers: Vec<FollowerStats>,
}

/// One error of a pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AutoFollowError {
    /// The pattern's name, or `pattern:index`.
    pub leader_index: String,
    /// When, in milliseconds since 1970.
    pub timestamp_ms: u64,
    /// The innermost reason.
    pub reason: String,
}

/// The shards of one follower.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FollowerStats {
    /// The follower's name.
    pub index: String,
    /// Its shards.
    pub shards: Vec<ShardStats>,
}

/// One shard of a follower; checkpoints are -1 before the first operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShardStats {
    /// The shard's number.
    pub shard_id: u64,
    /// The alias of the leader's cluster.
    pub remote_cluster: String,
    /// The leader's name.
    pub leader_index: String,
    /// The leader's checkpoint, as last heard.
    pub leader_global_checkpoint: i64,
    /// The follower's checkpoint.
    pub follower_global_checkpoint: i64,
    /// Since the last answer of the leader; none when there was none yet.
    pub time_since_last_read_ms: Option<u64>,
    /// Innermost reasons of reads that are being tried again.
    pub read_exceptions: Vec<String>,
    /// Why the task is dead, if it is: type and innermost reason.
    pub fatal_exception: Option<String>,
}

impl ShardStats {
    /// Operations that the follower knows of and does not have.
    pub fn lag(&self) -> u64 {
        let behind = self.leader_global_checkpoint.saturating_sub(self.follower_global_checkpoint);
        u64::try_from(behind).unwrap_or_default()
    }
}

impl Cluster {
    /// Reads the state of auto-follow and of every follower.
    pub async fn ccr_stats(&self) -> Result<CcrStats, Fault> {
        let value = self.ask(Method::GET, "/_ccr/stats", &[], None).await?;
        Ok(ccr_stats(&value))
    }
}

fn ccr_stats(value: &Value) -> CcrStats {
    let auto = |name: &str| count(value, &format!("/auto_follow_stats/{name}")).unwrap_or_default();
    let errors = list(value, "/auto_follow_stats/recent_auto_follow_errors");
    let followers = list(value, "/follow_stats/indices");
    CcrStats {
        failed_follow_indices: auto("number_of_failed_follow_indices"),
        failed_remote_cluster_state_requests: auto(
            "number_of_failed_remote_cluster_state_requests",
        ),
        successful_follow_indices: auto("number_of_successful_follow_indices"),
        recent_auto_follow_errors: errors.iter().map(auto_follow_error).collect(),
        followers: followers
            .iter()
            .map(|row| FollowerStats {
                index: text(row, "/index").unwrap_or_default(),
                shards: list(row, "/shards").iter().map(shard).collect(),
            })
            .collect(),
    }
}

fn auto_follow_error(row: &Value) -> AutoFollowError {
    AutoFollowError {
        leader_index: text(row, "/leader_index").unwrap_or_default(),
        timestamp_ms: count(row, "/timestamp").unwrap_or_default(),
        reason: row.get("auto_follow_exception").map(innermost).unwrap_or_default(),
    }
}

fn shard(row: &Value) -> ShardStats {
    let field = |name: &str| text(row, name).unwrap_or_default();
    let checkpoint = |name: &str| number(row, name).unwrap_or(-1);
    let reads = list(row, "/read_exceptions").iter().filter_map(|read| read.get("exception"));
    ShardStats {
        shard_id: count(row, "/shard_id").unwrap_or_default(),
        remote_cluster: field("/remote_cluster"),
        leader_index: field("/leader_index"),
        leader_global_checkpoint: checkpoint("/leader_global_checkpoint"),
        follower_global_checkpoint: checkpoint("/follower_global_checkpoint"),
        time_since_last_read_ms: count(row, "/time_since_last_read_millis"),
        read_exceptions: reads.map(innermost).collect(),
        fatal_exception: row.get("fatal_exception").filter(|fatal| !fatal.is_null()).map(fatal),
    }
}

fn fatal(exception: &Value) -> String {
    let kind = exception.get("type").and_then(as_text).unwrap_or_default();
    format!("{kind}: {}", innermost(exception))
}
