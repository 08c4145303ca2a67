//! Turning followers into ordinary indices, or deleting them, one call at a time.
//!
//! Which call comes next is what the last look found, so a process that dies between two of them
//! loses nothing: what was closed and no longer follows is known from the announcement that was
//! journaled before the first call.

use super::copies::{CopyItem, Sight, unannounced};
use crate::elastic::{Cluster, Index};
use crate::spec::OnRollback;
use escrr_engine::{Fault, Remains, Report};

/// The next call that takes a copy back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Pause,
    Close,
    Unfollow,
    Open,
    Delete,
}

const STAGES: [(Stage, &str); 5] = [
    (Stage::Pause, "pause"),
    (Stage::Close, "close"),
    (Stage::Unfollow, "unfollow"),
    (Stage::Open, "open"),
    (Stage::Delete, "delete"),
];

impl Stage {
    fn call(self, copy: &CopyItem) -> String {
        let word = STAGES.iter().find(|(stage, _)| *stage == self).map_or("", |(_, word)| word);
        format!("{word} {}", copy.text())
    }

    fn parse(item: &str) -> Option<(Self, CopyItem)> {
        let (word, copy) = item.split_once(' ')?;
        let stage = STAGES.iter().find(|(_, known)| *known == word)?.0;
        Some((stage, CopyItem::parse(copy)?))
    }
}

/// What is left to do for our copies and for those whose undo was begun; none once all are at rest.
pub(super) fn unreleased(
    sight: &Sight,
    (ours, begun): (&[CopyItem], &[CopyItem]),
    on_rollback: OnRollback,
) -> Option<Remains> {
    let new = unannounced(ours, begun);
    if !new.is_empty() {
        return Some(Remains::Announce(new));
    }
    let (mut calls, mut last) = (Vec::new(), Vec::new());
    for copy in begun {
        let there = sight.indices.get(&copy.index).filter(|index| index.uuid == copy.uuid);
        let Some(index) = there else { continue };
        let active = sight.follower(&copy.index).is_some_and(|(_, info)| info.active);
        let rule = if copy.foreign { OnRollback::Keep } else { on_rollback };
        match next(index, active, rule) {
            // The cluster may refuse it; everything else comes first.
            Some(stage @ (Stage::Close | Stage::Delete)) if is_written_to(sight, index) => {
                last.push(stage.call(copy));
            }
            Some(stage) => calls.push(stage.call(copy)),
            None => {}
        }
    }
    let calls = if calls.is_empty() { last } else { calls };
    (!calls.is_empty()).then_some(Remains::Items(calls))
}

/// A begun copy that the list lacks and that is there by name: no list is believed over it, for
/// what is closed and follows nothing shows nowhere else.
pub(super) async fn unlisted(
    cluster: &Cluster,
    sight: &Sight,
    begun: &[CopyItem],
) -> Result<Option<String>, Fault> {
    for copy in begun.iter().filter(|copy| !sight.indices.contains_key(&copy.index)) {
        if cluster.exists(&copy.index).await? {
            return Ok(Some(format!("{} is there and not listed", copy.index)));
        }
    }
    Ok(None)
}

fn next(index: &Index, active: bool, on_rollback: OnRollback) -> Option<Stage> {
    match on_rollback {
        OnRollback::Delete => index.is_follower.then_some(Stage::Delete),
        OnRollback::Keep if index.is_follower && active => Some(Stage::Pause),
        OnRollback::Keep if index.is_follower && !index.closed => Some(Stage::Close),
        OnRollback::Keep if index.is_follower => Some(Stage::Unfollow),
        OnRollback::Keep => index.closed.then_some(Stage::Open),
    }
}

/// Is it the newest backing index of a data stream, the one that takes writes?
fn is_written_to(sight: &Sight, index: &Index) -> bool {
    let Some(stream) = &index.data_stream else { return false };
    let generation = |index: &Index| {
        index.name.rsplit_once('-').and_then(|(_, number)| number.parse::<u64>().ok())
    };
    let backing = sight.indices.values().filter(|other| other.data_stream.as_ref() == Some(stream));
    backing.filter_map(generation).max() == generation(index)
}

/// Makes the one call that a look named, if the index is still the one that was looked at.
pub(super) async fn release(cluster: &Cluster, link: &str, item: &str) -> Result<(), Fault> {
    let Some((stage, copy)) = Stage::parse(item) else { return Ok(()) };
    let name = copy.index.as_str();
    let found = cluster.indices(name).await?;
    let Some(index) = found.into_iter().find(|i| i.name == name && i.uuid == copy.uuid) else {
        return Ok(());
    };
    match stage {
        // A person may have made it an ordinary index since the look.
        Stage::Delete if !index.is_follower => Ok(()),
        Stage::Delete => stream(cluster.delete_index(name).await.map(drop), &index, link),
        Stage::Pause => paused(cluster.pause_follow(name).await),
        Stage::Close => stream(restoring(cluster.close_index(name).await), &index, link),
        // Leases that are left on the leader expire by themselves: the index is released.
        Stage::Unfollow => unfollowed(cluster.unfollow(name).await.map(drop)),
        Stage::Open => cluster.open_index(name).await,
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

/// The backing index that a data stream writes to can neither be closed nor deleted: say what
/// helps.
fn stream(answer: Result<(), Fault>, index: &Index, link: &str) -> Result<(), Fault> {
    let Err(Fault::Refused { class, report }) = answer else { return answer };
    let Some(stream) = index.data_stream.as_deref().filter(|_| report.said.contains("data stream"))
    else {
        return Err(Fault::Refused { class, report });
    };
    let report = report
        .meaning(format!(
            "{} is the write index of the replicated data stream {stream}, which the cluster \
             neither closes nor deletes on its own; everything else was released before",
            index.name
        ))
        .help(format!(
            "on the follower, to keep the data: POST /_data_stream/_promote/{stream}, then POST \
             /{stream}/_rollover; to drop it: DELETE /_data_stream/{stream}; then `escrr rollback \
             {link}`"
        ));
    Err(Fault::Refused { class, report })
}

/// What followers of somebody else keep in use, and how they are released.
pub(super) fn in_use(link: &str, alias: &str, foreign: &[CopyItem]) -> Report {
    let named: Vec<String> =
        foreign.iter().map(|copy| format!("{} (follows {})", copy.index, copy.leader)).collect();
    let by_hand: Vec<String> = foreign
        .iter()
        .map(|copy| {
            let name = &copy.index;
            format!(
                "POST /{name}/_ccr/pause_follow, POST /{name}/_close, POST /{name}/_ccr/unfollow, \
                 POST /{name}/_open"
            )
        })
        .collect();
    Report::new(
        format!("removing the remote cluster {alias}"),
        format!("followers that escrr did not create still use it: {}", named.join(", ")),
    )
    .meaning("without it they would break: it is kept, with the network that it needs and its cost")
    .help(format!(
        "`escrr rollback {link} --release-foreign` makes them ordinary indices, after \
         confirmation; or do it by hand on the follower, then `escrr rollback {link}`: {}",
        by_hand.join("; ")
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(said: &str) -> Result<(), Fault> {
        Err(Fault::refused(Report::new("a call", said)))
    }

    fn index(name: &str, is_follower: bool, closed: bool) -> Index {
        Index {
            name: name.into(),
            uuid: "u".into(),
            primaries: 1,
            soft_deletes: true,
            is_follower,
            hidden: false,
            system: false,
            data_stream: name.starts_with(".ds-").then(|| "logs".to_owned()),
            closed,
            searchable_snapshot: false,
            lifecycle: None,
            rollover_alias: None,
            analysis: serde_json::Map::new(),
            lease_period_ms: 0,
        }
    }

    #[test]
    fn what_was_released_since_the_look_is_looked_at_again() {
        let answer = unfollowed(refused("index [a] is not a follower index"));
        assert!(matches!(answer, Err(Fault::Busy(_))));
        let answer = unfollowed(refused("it has not been closed"));
        assert!(matches!(answer, Err(Fault::Refused { .. })));
    }

    #[test]
    fn the_stages_come_in_the_order_that_elasticsearch_asks_for() {
        let keep = |is_follower, closed, active| {
            next(&index("a", is_follower, closed), active, OnRollback::Keep)
        };
        assert_eq!(keep(true, false, true), Some(Stage::Pause));
        assert_eq!(keep(true, false, false), Some(Stage::Close));
        assert_eq!(keep(true, true, false), Some(Stage::Unfollow));
        assert_eq!(keep(false, true, false), Some(Stage::Open));
        assert_eq!(keep(false, false, false), None);
        let delete = |is_follower| next(&index("a", is_follower, true), true, OnRollback::Delete);
        assert_eq!((delete(true), delete(false)), (Some(Stage::Delete), None));
        for (stage, _) in STAGES {
            let copy = CopyItem::parse("a u b").unwrap();
            assert_eq!(Stage::parse(&stage.call(&copy)), Some((stage, copy)));
        }
    }

    #[test]
    fn the_write_index_of_a_stream_comes_last_and_its_refusal_says_what_helps() {
        let mut sight = Sight::default();
        let names = [".ds-logs-2026.10.01-000001", ".ds-logs-2026.11.01-000002"];
        for name in names {
            sight.indices.insert(name.into(), index(name, true, false));
        }
        let begun: Vec<CopyItem> =
            names.iter().filter_map(|n| CopyItem::parse(&format!("{n} u {n}"))).collect();
        let left = unreleased(&sight, (&[], &begun), OnRollback::Keep);
        let Some(Remains::Items(calls)) = left else { panic!("{left:?}") };
        assert_eq!(calls.len(), 1);
        assert!(calls[0].starts_with("close .ds-logs-2026.10.01-000001"), "{calls:?}");
        let said = "cannot close the following data stream write indices [.ds-logs]";
        let answer = stream(refused(said), &index(names[1], true, false), "a-link");
        let help = answer.unwrap_err().report().help.clone().unwrap();
        assert!(help.contains("POST /logs/_rollover"), "{help}");
        assert!(help.contains("escrr rollback a-link"), "{help}");
    }
}
