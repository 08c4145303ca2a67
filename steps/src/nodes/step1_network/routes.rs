//! Both transit routers know the way to the addresses that have to reach each other.

use super::{PeerEnd, Propagate, Tie, TransitRouter, VSwitches, VpcEnd, VpcRoute, targets};
use crate::aliyun::cbn::RouterRoute;
use crate::aliyun::{Action, Product};
use crate::calls::{Calls, Declares};
use crate::nodes::prerequisites::Prerequisites;
use crate::nodes::step2_leader_address::PrivateIp;
use crate::{Follower, Leader, Which, World};
use escrr_engine::{Cx, Fault, NodeId, Patience, Report, Seen, Step};
use ipnet::Ipv4Net;

/// Waits until the routes are active on both sides.
pub struct Routes;

impl Declares for Routes {
    const CALLS: Calls =
        Calls::looking(&[Action::new(Product::Cbn, "ListTransitRouterRouteEntries")]);
}

impl Step for Routes {
    type World = World;
    type Needs = (
        Prerequisites,
        TransitRouter<Leader>,
        TransitRouter<Follower>,
        VpcRoute<Leader>,
        VpcRoute<Follower>,
        Tie<Leader, Propagate, VpcEnd>,
        Tie<Leader, Propagate, PeerEnd>,
        Tie<Follower, Propagate, VpcEnd>,
        Tie<Follower, Propagate, PeerEnd>,
        PrivateIp,
        VSwitches<Follower>,
    );
    type Output = ();
    const ID: NodeId = NodeId::new("network", "routes");
    const PHASE: u8 = 1;
    const TITLE: &'static str = "routes both ways are active";
    const PATIENCE: Patience = Patience::new(10, 600);

    async fn observe(&self, cx: &Cx<'_, Self>) -> Result<Seen<()>, Fault> {
        let site = &cx.needs.0;
        let mut waiting = Vec::new();
        for (which, router) in [(Which::Leader, &cx.needs.1), (Which::Follower, &cx.needs.2)] {
            let Some(router) = router else { return Ok(Seen::Unneeded(())) };
            let region = &site.side(which).instance.region;
            let known = cx.world.cloud.cbn(region).list_route_entries(&router.route_table).await?;
            let leader = targets(Which::Leader, &cx.needs.9, &cx.needs.10);
            let follower = targets(Which::Follower, &cx.needs.9, &cx.needs.10);
            for target in leader.into_iter().chain(follower) {
                let covering: Vec<&RouterRoute> =
                    known.iter().filter(|r| covers(r, target)).collect();
                if covering.iter().any(|r| r.status == "Active") {
                    continue;
                }
                let refused = covering
                    .iter()
                    .find(|r| ["Rejected", "Prohibited"].contains(&r.status.as_str()));
                match refused {
                    Some(row) => {
                        let block = &row.destination_cidr_block;
                        return Err(Fault::refused(rejected(block, region, &row.status)));
                    }
                    None => waiting.push(format!("{target} in {region}")),
                }
            }
        }
        Ok(if waiting.is_empty() {
            Seen::Ready(())
        } else {
            Seen::Pending(format!("no active route yet to {}", waiting.join(", ")))
        })
    }
}

fn covers(route: &RouterRoute, target: Ipv4Net) -> bool {
    route.destination_cidr_block.parse::<Ipv4Net>().is_ok_and(|net| net.contains(&target))
}

fn rejected(block: &str, region: &str, status: &str) -> Report {
    Report::new(
        format!("checking the transit router's route to {block} in {region}"),
        format!("it is {status}"),
    )
    .meaning("another route of this CEN is in the way, most often because addresses overlap")
    .help("see the route conflicts of the transit router in the CEN console, then `escrr resume`")
}
