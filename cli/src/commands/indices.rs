//! The indices of a link, looked at before and after a rollback.

use super::verify::sweep::sweep;
use crate::Context;
use crate::error::CommandError;
use crate::session::Session;
use crate::ui::fates::{NODES, of_saga};
use escrr_engine::store::Head;
use escrr_engine::{About, Entry, Event, NodeState, Outcome, Saga};
use escrr_steps::lag::Link;
use escrr_steps::nodes::prerequisites::Site;
use escrr_steps::nodes::step5_replication::{
    Fate, Followers, Forecast, IndexFate, Past, Remote, forecast,
};
use escrr_steps::{Which, World};
use serde::Deserialize as _;
use serde::de::DeserializeOwned;

/// The node that gathers the facts of both clusters.
const SITE: &str = "link.prerequisites";

fn node<'s>(saga: &'s Saga, about: &[About], id: &str) -> Option<&'s NodeState> {
    about.iter().position(|about| about.id.to_string() == id).map(|at| saga.node(at))
}

fn output<T: DeserializeOwned>(state: Option<&NodeState>) -> Option<T> {
    T::deserialize(state?.output()?).ok()
}

/// The two clusters of a saga, where it came to know them.
pub(super) fn site(saga: &Saga, about: &[About]) -> Option<Site> {
    output(node(saga, about, SITE))
}

/// Removes probes that a killed verification left, where the clusters are known.
pub(super) async fn sweep_probes(
    session: &Session<'_>,
    saga: &Saga,
    world: &World,
    context: Context<'_>,
) {
    let Some(site) = site(saga, session.engine.catalog.about()) else { return };
    let sides = [(Which::Leader, &site.leader), (Which::Follower, &site.follower)];
    let clusters = sides.map(|(which, side)| world.cluster(which, &side.instance));
    let [Ok(leader), Ok(follower)] = clusters else { return };
    let link = Link { spec: &world.spec, leader, follower, clock: &*session.engine.clock };
    sweep(&link, session.kind, context).await;
}

/// What a rollback does with every index; nothing where nothing of the kind was begun.
///
/// # Errors
/// The follower's cluster does not answer, or refuses.
pub(super) async fn foresee(
    saga: &Saga,
    about: &[About],
    world: &World,
) -> Result<Forecast, CommandError> {
    let Some(site) = site(saga, about) else { return Ok(Forecast::default()) };
    let [indices, remote] =
        NODES.map(|id| node(saga, about, id).filter(|state| state.may_have_made()));
    if indices.is_none() && remote.is_none() {
        return Ok(Forecast::default());
    }
    let begun = [indices, remote].into_iter().flatten().filter_map(NodeState::undo_items);
    let past = Past {
        announced: indices
            .and_then(NodeState::intent)
            .map(|intent| intent.items.clone())
            .unwrap_or_default(),
        followers: output::<Followers>(indices),
        begun: begun.flatten().cloned().collect(),
        remote: output::<Remote>(remote),
    };
    forecast(world, &site, &past).await.map_err(|fault| CommandError::from(&fault))
}

/// What became of the indices: as the journal says, and of what still waits as a look says.
pub(super) async fn fates(saga: &Saga, about: &[About], world: &World) -> Vec<IndexFate> {
    let mut all = of_saga(saga, about);
    if saga.outcome == Some(Outcome::RolledBack) {
        return all;
    }
    if let Ok(more) = foresee(saga, about, world).await {
        all.extend(more.fates);
        all.sort();
        all.dedup();
    }
    all
}

/// The sagas whose rollback may have released copies for a link.
pub(super) fn rolled_back<'h>(
    heads: &'h [Head],
    link: &'h str,
    kind: &'h str,
) -> impl Iterator<Item = &'h Head> {
    heads.iter().filter(move |head| {
        head.link == link && head.world == kind && head.outcome == Some(Outcome::RolledBack)
    })
}

/// Lets the prerequisites know the copies that a rollback of this home released, by its journal.
pub(super) fn remember_released(entries: &[Entry], world: &World) {
    for entry in entries {
        let Event::Undone { account, .. } = &entry.event else { continue };
        for fate in Vec::<IndexFate>::deserialize(account).unwrap_or_default() {
            if let (Fate::Released, Some(uuid)) = (fate.fate, fate.uuid) {
                world.memory.remember_released(&fate.index, &uuid);
            }
        }
    }
}
