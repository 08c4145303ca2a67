//! Existing data: every follower has every operation that its leader had when we looked.

use crate::calls::{Calls, Declares};
use crate::elastic::{Cluster, DocKey, ShardSeq};
use crate::lag::{behind, operations, same_shards};
use crate::nodes::prerequisites::Prerequisites;
use crate::nodes::step5_replication::{ExistingIndices, Pair};
use crate::verify::{Likeness, liken};
use crate::{Which, World};
use escrr_engine::{Class, Cx, Fault, NodeId, Patience, Report, Seen, Step};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Compares checkpoints, counts and sampled documents.
pub struct Existing;

/// What was compared.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Verified {
    /// One row an index.
    pub indices: Vec<VerifiedIndex>,
}

/// What was compared of one index.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct VerifiedIndex {
    /// The leader index.
    pub leader: String,
    /// The follower index.
    pub follower: String,
    /// Operations that the follower has reached.
    pub operations: u64,
    /// Documents on the follower.
    pub documents: u64,
    /// Documents that were compared one by one.
    pub sampled: u64,
}

type Checkpoints = BTreeMap<String, Vec<ShardSeq>>;

impl Declares for Existing {
    const CALLS: Calls = Calls::NONE;
}

impl Step for Existing {
    type World = World;
    type Needs = (Prerequisites, ExistingIndices);
    type Output = Verified;
    const ID: NodeId = NodeId::new("verify", "existing");
    const PHASE: u8 = 6;
    const TITLE: &'static str =
        "existing data: checkpoints, counts and sampled documents are equal";
    const PATIENCE: Patience = Patience::new(5, 3600);

    async fn observe(&self, cx: &Cx<'_, Self>) -> Result<Seen<Verified>, Fault> {
        let (site, followers) = &cx.needs;
        let leader = cx.world.cluster(Which::Leader, &site.leader.instance)?;
        let follower = cx.world.cluster(Which::Follower, &site.follower.instance)?;
        if followers.pairs.is_empty() {
            return Ok(Seen::Ready(Verified::default()));
        }
        // The leader first: what it has now, the followers must reach.
        let now = leader.shard_stats("_all").await?;
        let reached = follower.shard_stats("_all").await?;
        let pairs = there(cx, &leader, (&now, &reached)).await?;
        if let Some(why) = unseen(&pairs, &now, &reached)? {
            return Ok(Seen::Pending(why));
        }
        let barrier = cx.world.memory.barrier(cx.saga, || now.clone());
        let mut lagging = Vec::new();
        for pair in &pairs {
            let (Some(want), Some(have)) = (barrier.get(&pair.leader), reached.get(&pair.follower))
            else {
                return Err(gone(pair, barrier.contains_key(&pair.leader)));
            };
            let lacks = behind(want, have);
            if lacks > 0 {
                lagging.push(format!("{} is {lacks} operations behind", pair.follower));
            }
        }
        if !lagging.is_empty() {
            return Ok(Seen::Pending(lagging.join(", ")));
        }
        let mut verified = Verified::default();
        for pair in &pairs {
            match compare(cx, (&leader, &follower), pair, (&now, &reached)).await {
                Ok(index) => verified.indices.push(index),
                Err(fault) if named(cx, pair) || leader.exists(&pair.leader).await? => {
                    return Err(fault);
                }
                Err(_) => {
                    let why = format!("{} was deleted while it was compared", pair.leader);
                    return Ok(Seen::Pending(why));
                }
            }
        }
        Ok(Seen::Ready(verified))
    }
}

/// Does the spec name the leader index, so that it has to be there?
fn named(cx: &Cx<'_, Existing>, pair: &Pair) -> bool {
    cx.world.spec.replication.indices.contains(&pair.leader)
}

/// The pairs without those whose leader index was deleted since: what a pattern matches comes and
/// goes, for example the probe of a verification that runs beside this one.
async fn there(
    cx: &Cx<'_, Existing>,
    leader: &Cluster,
    (now, reached): (&Checkpoints, &Checkpoints),
) -> Result<Vec<Pair>, Fault> {
    let mut pairs = Vec::new();
    for pair in &cx.needs.1.pairs {
        let whole = now.contains_key(&pair.leader) && reached.contains_key(&pair.follower);
        // Asked after both sides, and by name: no list is believed over it.
        if whole || named(cx, pair) || leader.exists(&pair.leader).await? {
            pairs.push(pair.clone());
        }
    }
    Ok(pairs)
}

/// What cannot be compared yet: a primary that says nothing of itself must not pass for one that
/// has nothing, and must not become what the followers have to reach.
fn unseen(
    pairs: &[Pair],
    now: &Checkpoints,
    reached: &Checkpoints,
) -> Result<Option<String>, Fault> {
    let mut unseen = Vec::new();
    for pair in pairs {
        let (Some(theirs), Some(ours)) = (now.get(&pair.leader), reached.get(&pair.follower))
        else {
            return Err(gone(pair, now.contains_key(&pair.leader)));
        };
        if !same_shards(theirs, ours) {
            unseen.push(format!("{} does not show all of its shards", pair.follower));
        }
    }
    Ok(Some(unseen.join(", ")).filter(|why| !why.is_empty()))
}

fn verification(report: Report) -> Fault {
    Fault::Refused { class: Class::Verification, report }
}

fn gone(pair: &Pair, on_leader: bool) -> Fault {
    let (side, name) =
        if on_leader { ("follower", &pair.follower) } else { ("leader", &pair.leader) };
    let report = Report::new(
        format!("comparing {} with {}", pair.leader, pair.follower),
        format!("{name} is not on the {side}"),
    )
    .help("`escrr status` shows the link; `escrr resume` looks again");
    verification(report)
}

async fn compare(
    cx: &Cx<'_, Existing>,
    (leader, follower): (&Cluster, &Cluster),
    pair: &Pair,
    (now, reached): (&Checkpoints, &Checkpoints),
) -> Result<VerifiedIndex, Fault> {
    let empty = Vec::new();
    let (before, have) =
        (now.get(&pair.leader).unwrap_or(&empty), reached.get(&pair.follower).unwrap_or(&empty));
    leader.refresh(&pair.leader).await?;
    follower.refresh(&pair.follower).await?;
    let theirs = leader.count_docs(&pair.leader).await?;
    let ours = follower.count_docs(&pair.follower).await?;
    let after = leader.shard_stats(&pair.leader).await?;
    // Counts are only comparable while nobody writes.
    let still = after.get(&pair.leader).is_some_and(|a| a == before)
        && operations(before) == operations(have);
    if still && theirs != ours {
        let tried = format!("counting documents of {} and {}", pair.leader, pair.follower);
        let said = format!("the leader has {theirs}, the follower {ours}, at the same checkpoints");
        return Err(verification(
            Report::new(tried, said).help("delete the follower and follow the index again"),
        ));
    }
    let sampled = sample(cx, (leader, follower), pair, have).await?;
    Ok(VerifiedIndex {
        leader: pair.leader.clone(),
        follower: pair.follower.clone(),
        operations: operations(have),
        documents: ours,
        sampled,
    })
}

/// Compares documents one by one; those that may still be on their way do not count.
async fn sample(
    cx: &Cx<'_, Existing>,
    (leader, follower): (&Cluster, &Cluster),
    pair: &Pair,
    have: &[ShardSeq],
) -> Result<u64, Fault> {
    let size = u64::from(cx.world.spec.verify.sample_documents);
    if size == 0 {
        return Ok(0);
    }
    let documents = leader.sample_docs(&pair.leader, cx.now_ms, size).await?;
    let keys: Vec<DocKey> = documents.iter().map(|d| d.key.clone()).collect();
    let copies = follower.get_docs(&pair.follower, &keys).await?;
    // A document does not say its shard: only below all checkpoints it must have arrived.
    let safe = have.iter().map(|s| s.global_checkpoint).min().unwrap_or(-1);
    let mut compared = 0;
    for (document, copy) in documents.iter().zip(copies) {
        let equal = match liken(document, copy.as_ref()) {
            Likeness::Same => true,
            // It may be newer by now; what it holds then is another question.
            Likeness::Newer => continue,
            Likeness::Older | Likeness::Absent if document.seq_no > safe => continue,
            Likeness::Altered | Likeness::Older | Likeness::Absent => false,
        };
        if !equal {
            let tried = format!("comparing document {} of {}", document.key.id, pair.leader);
            let said = format!("{} does not hold the same", pair.follower);
            return Err(verification(
                Report::new(tried, said)
                    .help("delete the follower and follow the index again")
                    .help("`escrr verify --full` names every document that differs"),
            ));
        }
        compared += 1;
    }
    Ok(compared)
}
