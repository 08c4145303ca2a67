//! One cluster can replicate: by its license, and by its version, as it says itself.

use super::cluster::known;
use super::{ClusterFacts, ClusterGate, Instance, InstanceFacts};
use crate::calls::{Calls, Declares};
use crate::elastic::Cluster;
use crate::rules::{self, Problems};
use crate::version::Version;
use crate::{Side, Which, World};
use escrr_engine::{Cx, Fault, NodeId, Patience, Seen, Step};

/// Judges the license and the version of the cluster on one side.
#[derive(Default)]
pub struct License<S>(pub S);

/// Licenses that include replication.
const LICENSED: [&str; 3] = ["platinum", "enterprise", "trial"];

impl<S: Side> Declares for License<S> {
    const CALLS: Calls = Calls::NONE;
}

impl<S: Side> Step for License<S> {
    type World = World;
    type Needs = (Instance<S>, ClusterGate<S>);
    type Output = ClusterFacts;
    const ID: NodeId = NodeId::new(S::WHICH.name(), "license");
    const PHASE: u8 = 0;
    const TITLE: &'static str = "the cluster is licensed to replicate, 7.10 or later";
    const PATIENCE: Patience = Patience::new(1, 20);

    async fn observe(&self, cx: &Cx<'_, Self>) -> Result<Seen<ClusterFacts>, Fault> {
        let (facts, _) = &cx.needs;
        let cluster = cx.world.cluster(S::WHICH, facts)?.for_saga(&cx.saga.to_string());
        // Asked again: it may have been upgraded since a run stopped here.
        let found = known(&cluster).await?;
        let mut problems = Problems::of(&cx.world.memory, Self::ID);
        if !found.version.at_least(7, 10) {
            let said = format!("it runs version {}, and 7.10.0 or later is needed", found.version);
            problems.add(&rules::VERSION, said);
        }
        problems.add_all(&rules::LICENSE, unlicensed(&cluster).await?);
        if S::WHICH == Which::Follower {
            problems.add_all(&rules::EXCLUSIONS, exclusions(cx.world, found.version));
        }
        problems.judged(format!("checking the {} cluster {}", S::WHICH, facts.instance))?;
        Ok(Seen::Ready(found))
    }
}

async fn unlicensed(cluster: &Cluster) -> Result<Option<String>, Fault> {
    let license = cluster.license().await?;
    if license.status == "active" && LICENSED.contains(&license.license_type.as_str()) {
        return Ok(None);
    }
    let feature = cluster.ccr_feature().await?;
    if feature.is_some_and(|f| f.available && f.enabled) {
        return Ok(None);
    }
    Ok(Some(format!(
        "its license ({}, {}) does not include replication",
        license.license_type, license.status
    )))
}

/// Exclusions that this version does not know.
fn exclusions(world: &World, version: Version) -> Option<String> {
    let exclusions = world.spec.exclusions();
    (!exclusions.is_empty() && !version.at_least(7, 14)).then(|| {
        format!(
            "version {version} knows no exclusions in auto-follow patterns ({}), only 7.14 and later do",
            exclusions.join(", ")
        )
    })
}

/// Can the follower's cluster replicate from the leader's, by what they say themselves?
pub(super) fn compatible(
    (leader, leader_cluster): (&InstanceFacts, &ClusterFacts),
    (follower, follower_cluster): (&InstanceFacts, &ClusterFacts),
    mut problems: Problems<'_>,
) -> Result<(), Fault> {
    if leader_cluster.uuid == follower_cluster.uuid {
        // Addresses stand in the spec, and one of them may lead to the other side.
        let said = format!("both ways lead to the same cluster ({})", leader_cluster.uuid);
        problems.add(&rules::TWO, said);
    }
    let fits = follower_cluster.version.can_follow(leader_cluster.version);
    problems.add_all(&rules::PAIR, fits.err());
    let tried = format!("comparing the clusters of {} and {}", leader.instance, follower.instance);
    problems.judged(tried).map(drop)
}
