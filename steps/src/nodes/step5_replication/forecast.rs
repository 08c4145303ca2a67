//! What a rollback does with every index of the link, before it begins.

use super::copies::{CopyItem, Fate, IndexFate, Sight, copies, not_released};
use super::existing_indices::{Followers, again, left};
use super::remote_cluster::{Remote, follower};
use crate::World;
use crate::nodes::prerequisites::Site;
use crate::spec::OnRollback;
use escrr_engine::Fault;
use std::collections::BTreeSet;

/// What the journal knows of the link's indices.
#[derive(Clone, Debug, Default)]
pub struct Past {
    /// Leader indices that were announced; empty where their node takes nothing back any more.
    pub announced: BTreeSet<String>,
    /// What was seen to follow when they were done.
    pub followers: Option<Followers>,
    /// The undo items of both nodes.
    pub begun: BTreeSet<String>,
    /// The remote cluster that was connected, as long as it is to be taken back.
    pub remote: Option<Remote>,
}

/// What becomes of the indices.
#[derive(Clone, Debug, Default)]
pub struct Forecast {
    /// One row an index.
    pub fates: Vec<IndexFate>,
    /// Followers of somebody else that keep the alias in use, as undo items of the node
    /// `follower.remote_cluster`: announced there, they are released on purpose.
    pub foreign: Vec<String>,
}

/// Looks at the follower and says what a rollback does with each index; changes nothing.
///
/// # Errors
/// The follower's cluster does not answer, or refuses.
pub async fn forecast(world: &World, site: &Site, past: &Past) -> Result<Forecast, Fault> {
    let spec = &world.spec;
    let sight = Sight::of(&follower(world, site)?).await?;
    let rule = spec.replication.on_rollback;
    let begun = copies(&past.begun);
    let mut ours = sight.announced(spec, &past.announced);
    let mut foreign = Vec::new();
    if let Some(remote) = &past.remote {
        let (more, others) = sight.others(spec, Some(&remote.before));
        ours.extend(more);
        ours.sort();
        ours.dedup();
        foreign = not_released(others, &begun);
        foreign.retain(|copy| !ours.contains(copy));
    }
    let known: Vec<CopyItem> = not_released(ours, &begun);
    let mut fates: Vec<IndexFate> = known.iter().map(|copy| will_end(copy, rule)).collect();
    fates.extend(begun.iter().map(|copy| match sight.indices.get(&copy.index) {
        Some(index) if index.uuid == copy.uuid => will_end(copy, rule),
        Some(_) | None => sight.ended(copy, rule),
    }));
    let mut fates: Vec<IndexFate> =
        fates.into_iter().map(|fate| again(fate, past.followers.as_ref())).collect();
    fates.extend(left(spec, &sight, (&past.announced, past.followers.as_ref()), &fates));
    fates.extend(foreign.iter().map(|copy| copy.left(spec.remote_alias())));
    fates.sort();
    let released = |copy: CopyItem| CopyItem { foreign: true, ..copy }.text();
    Ok(Forecast { fates, foreign: foreign.into_iter().map(released).collect() })
}

fn will_end(copy: &CopyItem, rule: OnRollback) -> IndexFate {
    if rule == OnRollback::Delete && !copy.foreign {
        return copy.fated(Fate::Deleted, "on_rollback = \"delete\"");
    }
    copy.fated(Fate::Released, "becomes an ordinary index; its data stays readable")
}
