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
pub use cen::{CenId, CenInstance};
pub use peer_attachment::PeerAttachment;
pub use routes::Routes;
pub use tie::{Associate, End, Kind, PeerEnd, Propagate, Tie, VpcEnd};
pub use transit_router::{Router, TransitRouter};
pub use vpc_attachment::{Attached, VpcAttachment};
pub use vpc_route::VpcRoute;
pub use vswitches::{VSwitches, ZoneVSwitch};

/// The lane of writes to one CEN: it takes them one at a time.
pub(crate) fn cen_lane(cen: Option<&CenId>) -> Option<String> {
    cen.map(|c| format!("cen {}", c.cen))
}
