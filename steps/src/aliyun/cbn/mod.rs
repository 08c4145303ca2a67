//! Cbn 2017-09-12: CEN instances, transit routers, attachments and their routes.
//!
//! Every write is asynchronous and serialised per CEN instance. The region of the handle is
//! the local one (`RegionId`); the host is the same for all regions.

mod attachment;
mod cen;
mod peer;
mod route;
mod router;

use super::cloud::Caller;

pub use attachment::{AttachmentFilter, CreateVpcAttachment, VpcAttachment};
pub use cen::{BandwidthPackage, Cen, CenFilter, CreateCen};
pub use peer::{CreatePeerAttachment, PeerAttachment, PeerBandwidth};
pub use route::{Link, LinkKind, RouterRoute, RouterRouteTable};
pub use router::{AvailableZones, CreateTransitRouter, TransitRouter};

/// Cloud Enterprise Network; made by [`Cloud::cbn`](super::Cloud::cbn).
#[derive(Clone, Copy, Debug)]
pub struct Cbn<'a>(pub(super) Caller<'a>);
