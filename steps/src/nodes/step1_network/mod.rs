//! Step 1 of the document: connect the two VPCs.

mod allow_list;
mod cen;
mod peer_attachment;
mod routes;
mod tie;
mod transit_router;
mod vpc_attachment;
mod vpc_route;
mod vswitches;

pub use allow_list::AllowList;
pub(crate) use allow_list::{admitted, put};
pub use cen::{CenId, CenInstance};
pub use peer_attachment::PeerAttachment;
pub use routes::Routes;
pub use tie::{Associate, End, Kind, PeerEnd, Propagate, Tie, VpcEnd};
pub use transit_router::{Router, TransitRouter};
pub use vpc_attachment::{Attached, VpcAttachment};
pub use vpc_route::VpcRoute;
pub use vswitches::{VSwitches, ZoneVSwitch};

use crate::aliyun::TagKind;
use crate::nodes::step2_leader_address::Addresses;
use crate::{Which, World, sharing};
use escrr_engine::Fault;
use ipnet::Ipv4Net;

/// The lane of writes to one CEN: it takes them one at a time.
pub(crate) fn cen_lane(cen: Option<&CenId>) -> Option<String> {
    cen.map(|c| format!("cen {}", c.cen))
}

/// Which other link uses an attachment, as a sentence: what hangs on it stays then.
pub(crate) async fn kept(
    world: &World,
    at: (&str, TagKind),
    attached: Option<&Attached>,
) -> Result<Option<String>, Fault> {
    let Some(attached) = attached else { return Ok(None) };
    let tags = world.cloud.tags_of(at, &attached.attachment).await?;
    Ok(sharing::kept(&tags, &world.spec.link))
}

/// The addresses on one side that the other side has to reach: the leader's own, or the
/// load balancer's vSwitches.
pub(crate) fn targets(which: Which, leader: &Addresses, follower: &[ZoneVSwitch]) -> Vec<Ipv4Net> {
    match which {
        Which::Leader => leader.addresses.iter().map(|a| Ipv4Net::from(*a)).collect(),
        Which::Follower => follower.iter().filter_map(|v| v.cidr.parse().ok()).collect(),
    }
}
