//! Incremental data: an index made now, a document, a deletion and an update reach the follower.

use super::Existing;
use super::probe::{Probe, probe};
use crate::calls::{Calls, Declares};
use crate::elastic::{Cluster, Document};
use crate::nodes::prerequisites::{Prerequisites, Site};
use crate::nodes::step5_replication::AutoFollow;
use crate::{Which, World};
use escrr_engine::{Act, Cx, Fault, NodeId, Patience, Remains, Reverse, Seen, Step};
use serde_json::json;

/// Writes on the leader and waits for the follower.
pub struct Incremental;

const INDEX: &str = "probe index";
const DOCUMENT: &str = "document";
const SECOND: &str = "second document";
const DELETION: &str = "deletion";
const UPDATE: &str = "update";

/// The document that stays and is updated.
const KEPT: &str = "kept";
/// The document that is deleted again.
const DROPPED: &str = "dropped";

pub(super) fn clusters(world: &World, site: &Site) -> Result<(Cluster, Cluster), Fault> {
    Ok((
        world.cluster(Which::Leader, &site.leader.instance)?,
        world.cluster(Which::Follower, &site.follower.instance)?,
    ))
}

fn stage(document: &Document) -> u64 {
    document.source.get("stage").and_then(serde_json::Value::as_u64).unwrap_or(0)
}

fn written_ms(document: &Document) -> u64 {
    document.source.get("written_ms").and_then(serde_json::Value::as_u64).unwrap_or(0)
}

fn missing(item: &str) -> Seen<Option<Probe>> {
    Seen::Absent(vec![item.to_owned()])
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
        if !leader.exists(&probe.leader).await? {
            return Ok(missing(INDEX));
        }
        let Some(kept) = leader.get_doc(&probe.leader, KEPT).await? else {
            return Ok(missing(DOCUMENT));
        };
        let second = leader.get_doc(&probe.leader, DROPPED).await?;
        if second.is_none() && stage(&kept) == 1 && !cx.items.contains(DELETION) {
            return Ok(missing(SECOND));
        }
        if !follower.exists(&probe.follower).await? {
            return Ok(Seen::Pending(format!(
                "{} does not appear on the follower yet",
                probe.follower
            )));
        }
        let Some(copy) = follower.get_doc(&probe.follower, KEPT).await? else {
            return Ok(Seen::Pending("the document has not arrived yet".to_owned()));
        };
        let copy_of_second = follower.get_doc(&probe.follower, DROPPED).await?;
        Ok(match (second, copy_of_second) {
            (Some(_), None) => Seen::Pending("the second document has not arrived yet".to_owned()),
            (Some(_), Some(_)) => missing(DELETION),
            (None, Some(_)) => Seen::Pending("the deletion has not arrived yet".to_owned()),
            (None, None) if stage(&kept) < 2 => missing(UPDATE),
            (None, None) if stage(&copy) < 2 => {
                Seen::Pending("the update has not arrived yet".to_owned())
            }
            (None, None) => {
                probe.latency_ms = cx.now_ms.saturating_sub(written_ms(&copy));
                Seen::Ready(Some(probe))
            }
        })
    }
}

impl Act for Incremental {
    const REVERSE: Reverse =
        Reverse::Undo("deletes the probe index on both sides if it is still there");

    async fn act(&self, cx: &Cx<'_, Self>, item: &str) -> Result<(), Fault> {
        let Some(probe) = probe(cx.world, cx.saga) else { return Ok(()) };
        let (leader, _) = clusters(cx.world, &cx.needs.0)?;
        let document = |stage: u64| {
            json!({
                "title": "increment test",
                "content": "written by escrr to verify incremental replication",
                "stage": stage,
                "written_ms": cx.now_ms,
            })
        };
        match item {
            INDEX => {
                let body = json!({"settings": {"number_of_shards": 1, "number_of_replicas": 0}});
                there_by_now(leader.create_index(&probe.leader, &body).await)
            }
            DOCUMENT => leader.index_doc(&probe.leader, KEPT, &document(1)).await.map(drop),
            SECOND => leader.index_doc(&probe.leader, DROPPED, &document(1)).await.map(drop),
            DELETION => leader.delete_doc(&probe.leader, DROPPED).await.map(drop),
            _ => leader.update_doc(&probe.leader, KEPT, &document(2)).await.map(drop),
        }
    }

    async fn remains(&self, cx: &Cx<'_, Self>) -> Result<Remains, Fault> {
        let Some(probe) = probe(cx.world, cx.saga) else { return Ok(Remains::Nothing) };
        left(cx.world, &cx.needs.0, &probe).await
    }

    async fn undo(&self, cx: &Cx<'_, Self>, item: &str) -> Result<(), Fault> {
        remove(cx.world, &cx.needs.0, item, cx.saga).await
    }
}

/// The name is this saga's own, so an index that came since the look is ours: look again.
fn there_by_now(answer: Result<(), Fault>) -> Result<(), Fault> {
    match answer {
        Err(Fault::Refused { report, .. })
            if report.code.as_deref() == Some("resource_already_exists_exception") =>
        {
            Err(Fault::Busy(report))
        }
        other => other,
    }
}

/// The follower's probe goes first: the other order leaves a dead replication task.
pub(super) async fn left(world: &World, site: &Site, probe: &Probe) -> Result<Remains, Fault> {
    let (leader, follower) = clusters(world, site)?;
    Ok(if follower.exists(&probe.follower).await? {
        Remains::Items(vec![Which::Follower.name().to_owned()])
    } else if leader.exists(&probe.leader).await? {
        Remains::Items(vec![Which::Leader.name().to_owned()])
    } else {
        Remains::Nothing
    })
}

/// Deletes the probe on one side.
pub(super) async fn remove(
    world: &World,
    site: &Site,
    item: &str,
    saga: escrr_engine::SagaId,
) -> Result<(), Fault> {
    let Some(probe) = probe(world, saga) else { return Ok(()) };
    let (leader, follower) = clusters(world, site)?;
    if item == Which::Follower.name() {
        follower.delete_index(&probe.follower).await.map(drop)
    } else {
        leader.delete_index(&probe.leader).await.map(drop)
    }
}
