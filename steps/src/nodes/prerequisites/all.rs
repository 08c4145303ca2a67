//! All prerequisites together: what every node that makes something needs.

use super::cluster::known;
use super::license::compatible;
use super::{
    ClusterFacts, Compatible, Edition, Identity, Indices, InstanceFacts, License, Services, Zones,
};
use crate::aliyun::LIST_TAGS;
use crate::calls::{Calls, Declares};
use crate::inventory::{Tagged, inventory};
use crate::own::{Foreign, since};
use crate::rules::{self, Problems};
use crate::zones::Choice;
use crate::{Follower, Leader, Which, World};
use escrr_engine::{Cx, Fault, NodeId, Patience, Seen, Step};
use ipnet::Ipv4Net;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Waits for every gate and gathers what they found.
pub struct Prerequisites;

/// One side, as found.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SideFacts {
    /// The instance.
    pub instance: InstanceFacts,
    /// The cluster in it.
    pub cluster: ClusterFacts,
    /// Blocks of its VPC.
    pub blocks: Vec<Ipv4Net>,
    /// The chosen zones.
    pub zones: Vec<Choice>,
}

/// Both sides, as found.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Site {
    /// The leader's side.
    pub leader: SideFacts,
    /// The follower's side.
    pub follower: SideFacts,
    /// The CEN that a VPC hangs on already.
    pub cen: Option<String>,
    /// Both instances are in one VPC.
    pub same_vpc: bool,
    /// The zone of the private connection.
    pub endpoint_zone: String,
}

impl Site {
    /// One side.
    pub fn side(&self, which: Which) -> &SideFacts {
        match which {
            Which::Leader => &self.leader,
            Which::Follower => &self.follower,
        }
    }

    /// Are both instances in one region?
    pub fn same_region(&self) -> bool {
        self.leader.instance.region == self.follower.instance.region
    }
}

impl Declares for Prerequisites {
    const CALLS: Calls = Calls::looking(&LIST_TAGS);
}

impl Step for Prerequisites {
    type World = World;
    type Needs = (
        Identity,
        Edition<Leader>,
        Edition<Follower>,
        Compatible,
        Services,
        Zones,
        License<Leader>,
        License<Follower>,
        Indices,
    );
    type Output = Site;
    const ID: NodeId = NodeId::new("link", "prerequisites");
    const PHASE: u8 = 0;
    const TITLE: &'static str = "every prerequisite holds";
    // One look takes dozens of calls, so that some of them are often throttled.
    const PATIENCE: Patience = Patience::new(2, 3600);

    async fn observe(&self, cx: &Cx<'_, Self>) -> Result<Seen<Site>, Fault> {
        let (_, leader, follower, networks, (), zones, _, _, _) = cx.needs.clone();
        // Asked anew: what was wrong may have been mended since the gates looked.
        let now = async |which, facts: &InstanceFacts| {
            let cluster = cx.world.cluster(which, facts)?.for_saga(&cx.saga.to_string());
            known(&cluster).await
        };
        let leader_cluster = now(Which::Leader, &leader).await?;
        let follower_cluster = now(Which::Follower, &follower).await?;
        let mut problems = Problems::of(&cx.world.memory, Self::ID);
        let link = cx.world.spec.link.as_str();
        let strange = |tagged: &Tagged| Foreign::tagged(tagged, cx.saga, &cx.world.known_sagas);
        let all = inventory(cx.world).await?;
        // One row a run: what it created is for `escrr audit` to list.
        let mut runs: BTreeMap<String, (Foreign, usize)> = BTreeMap::new();
        for of in all.iter().filter_map(strange) {
            runs.entry(of.saga.clone()).or_insert((of, 0)).1 += 1;
        }
        for (run, (of, count)) in runs {
            let noun = if count == 1 { "resource belongs" } else { "resources belong" };
            let (first, since) = (&of.id, since(&of));
            let more = if count > 1 { ", …" } else { "" };
            let said = format!("{count} {noun} to the run {run} of {link}{since}: {first}{more}");
            problems.add(&rules::UNCLAIMED, said);
        }
        compatible((&leader, &leader_cluster), (&follower, &follower_cluster), problems)?;
        Ok(Seen::Ready(Site {
            leader: SideFacts {
                instance: leader,
                cluster: leader_cluster,
                blocks: networks.leader,
                zones: zones.leader,
            },
            follower: SideFacts {
                instance: follower,
                cluster: follower_cluster,
                blocks: networks.follower,
                zones: zones.follower,
            },
            cen: networks.cen,
            same_vpc: networks.same_vpc,
            endpoint_zone: zones.endpoint_zone,
        }))
    }
}
