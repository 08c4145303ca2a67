//! Both transit routers know both VPCs' addresses.

use super::{Associate, PeerEnd, Propagate, Tie, TransitRouter, VpcEnd, VpcRoute};
use crate::nodes::prerequisites::Prerequisites;
use crate::{Follower, Leader, Which, World};
use escrr_engine::{Cx, Fault, NodeId, Patience, Report, Seen, Step};

/// Waits until the routes are active on both sides.
pub struct Routes;

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
        Tie<Leader, Associate, PeerEnd>,
        Tie<Follower, Propagate, VpcEnd>,
        Tie<Follower, Propagate, PeerEnd>,
        Tie<Follower, Associate, PeerEnd>,
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
            let routes = cx.world.cloud.cbn(region).list_route_entries(&router.route_table).await?;
            for block in site.leader.blocks.iter().chain(&site.follower.blocks) {
                let block = block.to_string();
                let mut found = routes.iter().filter(|r| r.destination_cidr_block == block);
                if found.clone().any(|r| r.status == "Active") {
                    continue;
                }
                match found.find(|r| ["Rejected", "Prohibited"].contains(&r.status.as_str())) {
                    Some(row) => return Err(Fault::refused(rejected(&block, region, &row.status))),
                    None => waiting.push(format!("{block} in {region}")),
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

fn rejected(block: &str, region: &str, status: &str) -> Report {
    Report::new(
        format!("checking the transit router's route to {block} in {region}"),
        format!("it is {status}"),
    )
    .meaning("another route of this CEN is in the way, most often because addresses overlap")
    .help("see the route conflicts of the transit router in the CEN console, then `escrr resume`")
}
