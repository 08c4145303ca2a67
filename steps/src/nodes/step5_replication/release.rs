//! Turning a follower into an ordinary index, one call at a time.

use crate::elastic::{Cluster, Index, not_found};
use crate::spec::OnRollback;
use escrr_engine::Fault;
use std::collections::BTreeSet;

/// The next call that releases a follower.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Pause,
    Close,
    Unfollow,
    Open,
    Delete,
}

/// The followers of an alias, and among `announced` those that are not at rest yet.
pub(super) async fn unreleased(
    cluster: &Cluster,
    alias: &str,
    announced: Option<&BTreeSet<String>>,
    on_rollback: OnRollback,
) -> Result<Vec<String>, Fault> {
    let following: BTreeSet<String> = cluster
        .follow_info("_all")
        .await?
        .into_iter()
        .filter(|f| f.remote_cluster == alias)
        .map(|f| f.follower_index)
        .collect();
    let Some(announced) = announced else { return Ok(following.into_iter().collect()) };
    let mut left: BTreeSet<String> = announced.intersection(&following).cloned().collect();
    for index in cluster.indices("_all").await? {
        // Closed: the last stage of the release is still to come.
        let unfinished = index.closed || on_rollback == OnRollback::Delete;
        if unfinished && announced.contains(&index.name) {
            left.insert(index.name);
        }
    }
    Ok(left.into_iter().collect())
}

/// Makes the one call that brings a follower nearer to being an ordinary index.
pub(super) async fn release(
    cluster: &Cluster,
    name: &str,
    on_rollback: OnRollback,
) -> Result<(), Fault> {
    let index = match cluster.indices(name).await {
        Ok(found) => found.into_iter().find(|i| i.name == name),
        Err(fault) if not_found(&fault) => None,
        Err(fault) => return Err(fault),
    };
    let Some(index) = index else { return Ok(()) };
    let info = cluster.follow_info(name).await?;
    let active = info.iter().any(|f| f.follower_index == name && f.active);
    match next(&index, active, on_rollback) {
        Some(Stage::Delete) => cluster.delete_index(name).await.map(drop),
        Some(Stage::Pause) => paused(cluster.pause_follow(name).await),
        Some(Stage::Close) => restoring(cluster.close_index(name).await),
        // Leases that are left on the leader expire by themselves: the index is released.
        Some(Stage::Unfollow) => unfollowed(cluster.unfollow(name).await.map(drop)),
        Some(Stage::Open) => cluster.open_index(name).await,
        None => Ok(()),
    }
}

fn next(index: &Index, active: bool, on_rollback: OnRollback) -> Option<Stage> {
    match on_rollback {
        OnRollback::Delete => Some(Stage::Delete),
        OnRollback::Keep if index.is_follower && active => Some(Stage::Pause),
        OnRollback::Keep if index.is_follower && !index.closed => Some(Stage::Close),
        OnRollback::Keep if index.is_follower => Some(Stage::Unfollow),
        OnRollback::Keep if index.closed => Some(Stage::Open),
        OnRollback::Keep => None,
    }
}

/// A follower without tasks needs no pausing; the next look says so.
fn paused(answer: Result<(), Fault>) -> Result<(), Fault> {
    match answer {
        Err(fault) if fault.report().said.contains("no shard follow tasks") => Ok(()),
        other => other,
    }
}

/// What follows nothing any more was released since the look: look again.
fn unfollowed(answer: Result<(), Fault>) -> Result<(), Fault> {
    match answer {
        Err(Fault::Refused { report, .. }) if report.said.contains("is not a follower index") => {
            Err(Fault::Busy(report))
        }
        other => other,
    }
}

/// A follower that is still being copied cannot be closed yet.
fn restoring(answer: Result<(), Fault>) -> Result<(), Fault> {
    match answer {
        Err(Fault::Refused { report, .. }) if report.said.contains("restored") => {
            Err(Fault::Busy(report))
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_released_since_the_look_is_looked_at_again() {
        let refused = |said: &str| Err(Fault::refused(escrr_engine::Report::new("unfollow", said)));
        let answer = unfollowed(refused("index [a] is not a follower index"));
        assert!(matches!(answer, Err(Fault::Busy(_))));
        let answer = unfollowed(refused("it has not been closed"));
        assert!(matches!(answer, Err(Fault::Refused { .. })));
    }

    #[test]
    fn the_stages_come_in_the_order_that_elasticsearch_asks_for() {
        let index = |is_follower, closed| Index {
            name: "a".into(),
            uuid: "u".into(),
            primaries: 1,
            soft_deletes: true,
            is_follower,
            hidden: false,
            system: false,
            data_stream: None,
            closed,
            searchable_snapshot: false,
            lifecycle: None,
            rollover_alias: None,
            analysis: serde_json::Map::new(),
            lease_period_ms: 0,
        };
        let keep = |is_follower, closed, active| {
            next(&index(is_follower, closed), active, OnRollback::Keep)
        };
        assert_eq!(keep(true, false, true), Some(Stage::Pause));
        assert_eq!(keep(true, false, false), Some(Stage::Close));
        assert_eq!(keep(true, true, false), Some(Stage::Unfollow));
        assert_eq!(keep(false, true, false), Some(Stage::Open));
        assert_eq!(keep(false, false, false), None);
        assert_eq!(next(&index(true, false), true, OnRollback::Delete), Some(Stage::Delete));
    }
}
