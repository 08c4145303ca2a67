//! The probe: an index of our own on the leader that the auto-follow pattern has to catch.

use crate::Which;
use crate::elastic::{Cluster, Document};
use crate::nodes::step5_replication::{follower_name, matches};
use crate::spec::Spec;
use escrr_engine::{Fault, SagaId};
use serde::{Deserialize, Serialize};
use serde_json::json;

/// What every probe's name holds.
const MARK: &str = "escrr_probe_";

const INDEX: &str = "probe index";
const DOCUMENT: &str = "document";
const SECOND: &str = "second document";
/// The act after which the second document has to be gone.
pub(crate) const DELETION: &str = "deletion";
const UPDATE: &str = "update";

/// The document that stays and is updated.
const KEPT: &str = "kept";
/// The document that is deleted again.
const DROPPED: &str = "dropped";

/// The probe's names and what was measured with it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Probe {
    /// The index on the leader.
    pub leader: String,
    /// The index on the follower.
    pub follower: String,
    /// From the last write on the leader until the follower showed it, in milliseconds;
    /// the pause between two looks is part of it.
    pub latency_ms: u64,
}

/// Is it the name of a probe, ours or that of a verification beside this one?
pub fn is_probe(index: &str) -> bool {
    index.contains(MARK)
}

/// The probe that carries an id, if a pattern of the spec can catch one.
pub fn probe_of(spec: &Spec, id: SagaId) -> Option<Probe> {
    let tail: String = id.to_string().chars().rev().take(8).collect();
    // No second dash: index templates for `logs-*-*` and the like would claim the name.
    let mark = format!("{MARK}{tail}");
    let excluded = |name: &str| spec.exclusions().iter().any(|p| matches(p, name));
    let leader = spec
        .patterns()
        .iter()
        .filter(|p| p.contains('*'))
        .map(|p| p.replacen('*', &mark, 1).replace('*', ""))
        .find(|name| !excluded(name))?;
    let follower = follower_name(spec, &leader);
    Some(Probe { leader, follower, latency_ms: 0 })
}

/// What a look at the probe says.
pub(crate) enum Look {
    /// This is to be written next.
    Lacks(&'static str),
    /// Something has not arrived yet.
    Waits(String),
    /// The last write has arrived; when it was written, in milliseconds since 1970.
    Arrived(u64),
}

fn stage(document: &Document) -> u64 {
    document.source.get("stage").and_then(serde_json::Value::as_u64).unwrap_or(0)
}

fn written_ms(document: &Document) -> u64 {
    document.source.get("written_ms").and_then(serde_json::Value::as_u64).unwrap_or(0)
}

/// Looks at the probe on both sides; `deletion` says whether the second document was to be deleted.
pub(crate) async fn look(
    (leader, follower): (&Cluster, &Cluster),
    probe: &Probe,
    deletion: bool,
) -> Result<Look, Fault> {
    if !leader.exists(&probe.leader).await? {
        return Ok(Look::Lacks(INDEX));
    }
    let Some(kept) = leader.get_doc(&probe.leader, KEPT).await? else {
        return Ok(Look::Lacks(DOCUMENT));
    };
    let second = leader.get_doc(&probe.leader, DROPPED).await?;
    if second.is_none() && stage(&kept) == 1 && !deletion {
        return Ok(Look::Lacks(SECOND));
    }
    if !follower.exists(&probe.follower).await? {
        let why = format!("{} does not appear on the follower yet", probe.follower);
        return Ok(Look::Waits(why));
    }
    let Some(copy) = follower.get_doc(&probe.follower, KEPT).await? else {
        return Ok(Look::Waits("the document has not arrived yet".to_owned()));
    };
    let copy_of_second = follower.get_doc(&probe.follower, DROPPED).await?;
    let waits = |what: &str| Look::Waits(format!("the {what} has not arrived yet"));
    Ok(match (second, copy_of_second) {
        (Some(_), None) => waits("second document"),
        (Some(_), Some(_)) => Look::Lacks(DELETION),
        (None, Some(_)) => waits("deletion"),
        (None, None) if stage(&kept) < 2 => Look::Lacks(UPDATE),
        (None, None) if stage(&copy) < 2 => waits("update"),
        (None, None) => Look::Arrived(written_ms(&copy)),
    })
}

/// Writes one thing of the probe on the leader.
pub(crate) async fn act(
    leader: &Cluster,
    probe: &Probe,
    item: &str,
    now_ms: u64,
) -> Result<(), Fault> {
    let document = |stage: u64| {
        json!({
            "title": "increment test",
            "content": "written by escrr to verify incremental replication",
            "stage": stage,
            "written_ms": now_ms,
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

/// The name is this probe's own, so an index that came since the look is ours: look again.
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

/// The side on which the probe has to be deleted next, if it is left anywhere.
///
/// The follower's goes first: the other order leaves a dead replication task.
pub(crate) async fn left(
    (leader, follower): (&Cluster, &Cluster),
    probe: &Probe,
) -> Result<Option<Which>, Fault> {
    Ok(if follower.exists(&probe.follower).await? {
        Some(Which::Follower)
    } else if leader.exists(&probe.leader).await? {
        Some(Which::Leader)
    } else {
        None
    })
}

/// Deletes the probe on one side.
pub(crate) async fn remove(
    (leader, follower): (&Cluster, &Cluster),
    probe: &Probe,
    side: Which,
) -> Result<(), Fault> {
    match side {
        Which::Follower => follower.delete_index(&probe.follower).await.map(drop),
        Which::Leader => leader.delete_index(&probe.leader).await.map(drop),
    }
}
