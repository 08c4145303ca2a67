//! Incremental data: an index made now, a document, a deletion and an update reach the follower.

use super::Existing;
use crate::calls::{Calls, Declares};
use crate::elastic::Cluster;
use crate::nodes::prerequisites::{Prerequisites, Site};
use crate::nodes::step5_replication::AutoFollow;
use crate::verify::{self, DELETION, Look, Probe, look, probe_of};
use crate::{Which, World};
use escrr_engine::{Act, Cx, Fault, NodeId, Patience, Remains, Reverse, SagaId, Seen, Step};

/// Writes on the leader and waits for the follower.
pub struct Incremental;

fn clusters(world: &World, site: &Site) -> Result<(Cluster, Cluster), Fault> {
    Ok((
        world.cluster(Which::Leader, &site.leader.instance)?,
        world.cluster(Which::Follower, &site.follower.instance)?,
    ))
}

/// The probe of a saga, if a pattern can catch one and the spec wants it.
fn probe(world: &World, saga: SagaId) -> Option<Probe> {
    probe_of(&world.spec, saga).filter(|_| world.spec.verify.probe)
}

impl Declares for Incremental {
    const CALLS: Calls = Calls::NONE;
}

impl Step for Incremental {
    type World = World;
    type Needs = (Prerequisites, AutoFollow, Existing);
    type Output = Option<Probe>;
    const ID: NodeId = NodeId::new("verify", "incremental");
    const PHASE: u8 = 6;
    const TITLE: &'static str =
        "incremental data: a probe index, a document, a deletion, an update";
    const PATIENCE: Patience = Patience::new(10, 300);

    async fn observe(&self, cx: &Cx<'_, Self>) -> Result<Seen<Option<Probe>>, Fault> {
        let Some(mut probe) = probe(cx.world, cx.saga) else { return Ok(Seen::Unneeded(None)) };
        let (leader, follower) = clusters(cx.world, &cx.needs.0)?;
        Ok(match look((&leader, &follower), &probe, cx.items.contains(DELETION)).await? {
            Look::Lacks(item) => Seen::Absent(vec![item.to_owned()]),
            Look::Waits(why) => Seen::Pending(why),
            Look::Arrived(written_ms) => {
                probe.latency_ms = cx.now_ms.saturating_sub(written_ms);
                Seen::Ready(Some(probe))
            }
        })
    }
}

impl Act for Incremental {
    const REVERSE: Reverse =
        Reverse::Undo("deletes the probe index on both sides if it is still there");

    async fn act(&self, cx: &Cx<'_, Self>, item: &str) -> Result<Option<String>, Fault> {
        let Some(probe) = probe(cx.world, cx.saga) else { return Ok(None) };
        let (leader, _) = clusters(cx.world, &cx.needs.0)?;
        verify::act(&leader, &probe, item, cx.now_ms).await.map(|()| None)
    }

    async fn remains(&self, cx: &Cx<'_, Self>) -> Result<Remains, Fault> {
        let Some(probe) = probe(cx.world, cx.saga) else { return Ok(Remains::Nothing) };
        left(cx.world, &cx.needs.0, &probe).await
    }

    async fn undo(&self, cx: &Cx<'_, Self>, item: &str) -> Result<(), Fault> {
        remove(cx.world, &cx.needs.0, item, cx.saga).await
    }
}

/// What is left of the probe: the side that comes next.
pub(super) async fn left(world: &World, site: &Site, probe: &Probe) -> Result<Remains, Fault> {
    let (leader, follower) = clusters(world, site)?;
    let next = verify::left((&leader, &follower), probe).await?;
    Ok(next.map_or(Remains::Nothing, |which| Remains::Items(vec![which.name().to_owned()])))
}

/// Deletes the probe on one side.
pub(super) async fn remove(
    world: &World,
    site: &Site,
    item: &str,
    saga: SagaId,
) -> Result<(), Fault> {
    let Some(probe) = probe(world, saga) else { return Ok(()) };
    let (leader, follower) = clusters(world, site)?;
    let follows = item == Which::Follower.name();
    let which = if follows { Which::Follower } else { Which::Leader };
    verify::remove((&leader, &follower), &probe, which).await
}
