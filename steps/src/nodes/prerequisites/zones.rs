//! One choice of zones and vSwitches for everything that needs them.

use super::compatible::own_blocks;
use super::{Instance, InstanceFacts, quotas};
use crate::aliyun::vpc::{VSwitch, VSwitchFilter};
use crate::aliyun::{Action, Product};
use crate::calls::{Calls, Declares};
use crate::rules::{self, Problems, Warning};
use crate::zones::{BALANCER_ADDRESSES, Choice, Existing, Layout, ROUTER_ADDRESSES, solve, unfit};
use crate::{Follower, Leader, Which, World};
use escrr_engine::{Cx, Fault, NodeId, Patience, Report, Seen, Step};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

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
    /// What a person has to know.
    #[serde(default)]
    pub warnings: Vec<Warning>,
}

impl ZonePlan {
    /// One side's choice.
    fn side(&self, which: Which) -> &[Choice] {
        match which {
            Which::Leader => &self.leader,
            Which::Follower => &self.follower,
        }
    }
}

impl Declares for Zones {
    const CALLS: Calls = Calls::looking(&[
        Action::new(Product::Cbn, "ListTransitRouterAvailableResource"),
        Action::new(Product::Nlb, "DescribeZones"),
        Action::new(Product::PrivateLink, "DescribeZones"),
        Action::new(Product::Vpc, "DescribeVSwitches"),
        Action::new(Product::Vpc, "DescribeVpcAttribute"),
        Action::new(Product::Nlb, "ListLoadBalancers"),
        Action::new(Product::PrivateLink, "ListVpcEndpointServices"),
    ]);
}

impl Step for Zones {
    type World = World;
    type Needs = (Instance<Leader>, Instance<Follower>);
    type Output = ZonePlan;
    const ID: NodeId = NodeId::new("network", "zones");
    const PHASE: u8 = 0;
    const TITLE: &'static str = "zones and vSwitches with room are there, or can be made";
    // One look takes six calls and more, so that one of them is often throttled.
    const PATIENCE: Patience = Patience::new(2, 3600);

    async fn observe(&self, cx: &Cx<'_, Self>) -> Result<Seen<ZonePlan>, Fault> {
        let (leader, follower) = &cx.needs;
        let before = |which| cx.output.as_ref().map_or(&[][..], |plan| plan.side(which));
        let mut problems = Problems::of(&cx.world.memory, Self::ID);
        let one = if leader.vpc == follower.vpc {
            Vec::new()
        } else {
            let layout = layout(cx.world, Which::Leader, leader, before(Which::Leader)).await?;
            choose(cx.world, Which::Leader, layout, &mut problems)
        };
        let layout = layout(cx.world, Which::Follower, follower, before(Which::Follower)).await?;
        let two = choose(cx.world, Which::Follower, layout, &mut problems);
        quotas::judge(cx.world, &mut problems).await?;
        let warnings = problems.judged("choosing zones and vSwitches")?;
        let home = two.iter().find(|c| c.zone == follower.zone).or(two.first());
        let endpoint_zone = home.map(|c| c.zone.clone()).unwrap_or_default();
        Ok(Seen::Ready(ZonePlan { leader: one, follower: two, endpoint_zone, warnings }))
    }
}

/// Chooses on one side, beside what other links of the home have chosen, and notes why it cannot.
fn choose(
    world: &World,
    which: Which,
    mut layout: Layout,
    problems: &mut Problems<'_>,
) -> Vec<Choice> {
    for why in unfit(&layout) {
        problems.add_on(which, &rules::NAMED_VSWITCH, &why);
    }
    let vpc = layout.vpc.clone();
    let chosen = world.memory.reserved().choose(&world.spec.link, &vpc, |others| {
        layout.reserved = others.to_vec();
        solve(&layout).unwrap_or_else(|why| {
            problems.add_on(which, &rules::ZONES, &why);
            Vec::new()
        })
    });
    let used = |v: &&Existing| chosen.iter().any(|c| c.vswitch.as_ref() == Some(&v.id));
    for vswitch in layout.vswitches.iter().filter(used) {
        if let Some(acl) = &vswitch.network_acl {
            let said = format!("{} is guarded by the network ACL {acl}", vswitch.id);
            problems.add_on(which, &rules::NETWORK_ACL, &said);
        }
    }
    chosen
}

async fn layout(
    world: &World,
    which: Which,
    facts: &InstanceFacts,
    earlier: &[Choice],
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
    let vpc = world.cloud.vpc(&spec.region).describe_vpc_attribute(&facts.vpc).await?;
    let found = whole_list(world, &spec.region, facts).await?;
    let vswitches = found.into_iter().map(existing).collect::<Result<Vec<_>, _>>()?;
    Ok(Layout {
        vpc: facts.vpc.clone(),
        region: spec.region.clone(),
        zones,
        products: products.to_owned(),
        elsewhere: elsewhere(world, which, &vswitches).await?,
        vswitches,
        reserved: Vec::new(),
        blocks: own_blocks(&vpc, which)?,
        addresses,
        asked_zones: spec.zones.clone(),
        asked_vswitches: spec.vswitches.clone(),
        earlier: earlier.to_vec(),
        home: facts.zone.clone(),
        may_create: world.spec.network.create_vswitches,
    })
}

/// The vSwitches of the VPC. A list without the instance's own vSwitch, which exists, is not
/// whole: what it leaves out would be created a second time.
async fn whole_list(
    world: &World,
    region: &str,
    facts: &InstanceFacts,
) -> Result<Vec<VSwitch>, Fault> {
    let client = world.cloud.vpc(region);
    let filter = VSwitchFilter { vpc_id: &facts.vpc, ..VSwitchFilter::default() };
    let found = client.describe_vswitches(filter).await?;
    if facts.vswitch.is_empty() || found.iter().any(|v| v.vswitch_id == facts.vswitch) {
        return Ok(found);
    }
    let own = VSwitchFilter { vswitch_id: &facts.vswitch, ..VSwitchFilter::default() };
    let own = client.describe_vswitches(own).await?;
    if own.iter().any(|v| v.vswitch_id == facts.vswitch && v.vpc_id == facts.vpc) {
        let tried = format!("DescribeVSwitches of {}", facts.vpc);
        let said = format!("the list leaves out {}, which exists", facts.vswitch);
        return Err(Fault::transient(Report::new(tried, said)));
    }
    Ok(found)
}

fn existing(vswitch: VSwitch) -> Result<Existing, Fault> {
    // One that is left out would be no obstacle to a new one's block.
    let cidr = vswitch.cidr_block.parse().map_err(|_| {
        let tried = format!("reading the address block of {}", vswitch.vswitch_id);
        Fault::Bug(Report::new(tried, format!("{:?} is not a block", vswitch.cidr_block)))
    })?;
    Ok(Existing {
        cidr,
        id: vswitch.vswitch_id,
        zone: vswitch.zone_id,
        free: vswitch.available_ip_count.unwrap_or(u64::MAX),
        network_acl: Some(vswitch.network_acl_id).filter(|id| !id.is_empty()),
        system_table: ["", "System"].contains(&vswitch.route_table_type.as_str()),
    })
}

/// The vSwitches that the spec names and that lie in another VPC of the region.
async fn elsewhere(
    world: &World,
    which: Which,
    here: &[Existing],
) -> Result<BTreeMap<String, String>, Fault> {
    let spec = world.spec.side(which);
    let mut elsewhere = BTreeMap::new();
    for id in spec.vswitches.iter().filter(|id| here.iter().all(|v| v.id != **id)) {
        let filter = VSwitchFilter { vswitch_id: id, ..VSwitchFilter::default() };
        let found = world.cloud.vpc(&spec.region).describe_vswitches(filter).await?;
        let strangers = found.into_iter().filter(|v| v.vswitch_id == *id);
        elsewhere.extend(strangers.map(|v| (v.vswitch_id, v.vpc_id)));
    }
    Ok(elsewhere)
}
