//! One choice of zones and vSwitches for everything that needs them.

use super::{Compatible, Instance, InstanceFacts};
use crate::aliyun::vpc::VSwitchFilter;
use crate::aliyun::{Action, Product};
use crate::calls::{Calls, Declares};
use crate::rules::{self, Problems};
use crate::zones::{BALANCER_ADDRESSES, Choice, Existing, Layout, ROUTER_ADDRESSES, solve};
use crate::{Follower, Leader, Which, World};
use escrr_engine::{Cx, Fault, NodeId, Patience, Seen, Step};
use ipnet::Ipv4Net;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Asks each product for its zones and solves the choice.
pub struct Zones;

/// The choice.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ZonePlan {
    /// The leader's side.
    pub leader: Vec<Choice>,
    /// The follower's side.
    pub follower: Vec<Choice>,
    /// The zone of the private connection: a zone of the endpoint service.
    pub endpoint_zone: String,
}

impl Declares for Zones {
    const CALLS: Calls = Calls::looking(&[
        Action::new(Product::Cbn, "ListTransitRouterAvailableResource"),
        Action::new(Product::Nlb, "DescribeZones"),
        Action::new(Product::PrivateLink, "DescribeZones"),
        Action::new(Product::Vpc, "DescribeVSwitches"),
    ]);
}

impl Step for Zones {
    type World = World;
    type Needs = (Instance<Leader>, Instance<Follower>, Compatible);
    type Output = ZonePlan;
    const ID: NodeId = NodeId::new("network", "zones");
    const PHASE: u8 = 0;
    const TITLE: &'static str = "zones and vSwitches with room are there, or can be made";
    // One look takes six calls and more, so that one of them is often throttled.
    const PATIENCE: Patience = Patience::new(2, 3600);

    async fn observe(&self, cx: &Cx<'_, Self>) -> Result<Seen<ZonePlan>, Fault> {
        let (leader, follower, networks) = &cx.needs;
        let (one, two) = if networks.same_vpc {
            let both = layout(cx.world, Which::Follower, follower, &networks.follower).await?;
            (Ok(Vec::new()), solve(&both))
        } else {
            let one = layout(cx.world, Which::Leader, leader, &networks.leader).await?;
            let two = layout(cx.world, Which::Follower, follower, &networks.follower).await?;
            (solve(&one), solve(&two))
        };
        let mut problems = Problems::default();
        for (which, solved) in [(Which::Leader, &one), (Which::Follower, &two)] {
            let why = solved.as_ref().err().map(|why| format!("{which}: {why}"));
            problems.add_all(&rules::ZONES, why);
        }
        problems.judged("choosing zones and vSwitches")?;
        let (one, two) = (one.unwrap_or_default(), two.unwrap_or_default());
        let home = two.iter().find(|c| c.zone == follower.zone).or(two.first());
        let endpoint_zone = home.map(|c| c.zone.clone()).unwrap_or_default();
        Ok(Seen::Ready(ZonePlan { leader: one, follower: two, endpoint_zone }))
    }
}

async fn layout(
    world: &World,
    which: Which,
    facts: &InstanceFacts,
    blocks: &[Ipv4Net],
) -> Result<Layout, Fault> {
    let spec = world.spec.side(which);
    let mut zones: BTreeSet<String> =
        world.cloud.cbn(&spec.region).list_available_zones().await?.all().into_iter().collect();
    let mut addresses = ROUTER_ADDRESSES;
    let mut products = "transit routers";
    if which == Which::Follower {
        let nlb: BTreeSet<String> =
            world.cloud.nlb(&spec.region).describe_zones().await?.into_iter().collect();
        let link: BTreeSet<String> =
            world.cloud.privatelink(&spec.region).describe_nlb_zones().await?.into_iter().collect();
        zones.retain(|zone| nlb.contains(zone) && link.contains(zone));
        addresses += BALANCER_ADDRESSES;
        products = "transit routers, network load balancers and PrivateLink";
    }
    let filter = VSwitchFilter { vpc_id: &facts.vpc, ..VSwitchFilter::default() };
    let found = world.cloud.vpc(&spec.region).describe_vswitches(filter).await?;
    let vswitches = found
        .into_iter()
        .filter_map(|v| {
            Some(Existing {
                cidr: v.cidr_block.parse().ok()?,
                id: v.vswitch_id,
                zone: v.zone_id,
                free: v.available_ip_count.unwrap_or(u64::MAX),
                system_table: v.route_table_type.is_empty() || v.route_table_type == "System",
            })
        })
        .collect();
    Ok(Layout {
        zones,
        products: products.to_owned(),
        vswitches,
        blocks: blocks.to_vec(),
        addresses,
        asked_zones: spec.zones.clone(),
        asked_vswitches: spec.vswitches.clone(),
        home: facts.zone.clone(),
        may_create: world.spec.network.create_vswitches,
    })
}
