//! Attachments between transit routers of two regions.

use super::Cbn;
use super::attachment::AttachmentFilter;
use crate::aliyun::Tags;
use crate::aliyun::answer::Row;
use crate::aliyun::call::{Paging, given, tag_list};
use escrr_engine::Fault;
use serde_json::json;

/// One link between two transit routers; both sides show it under one id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeerAttachment {
    /// The attachment's id, `tr-attach-…`.
    pub attachment_id: String,
    /// Its CEN instance.
    pub cen_id: String,
    /// The transit router that it was made from.
    pub transit_router_id: String,
    /// That transit router's region.
    pub region_id: String,
    /// The other transit router.
    pub peer_transit_router_id: String,
    /// The other transit router's region.
    pub peer_region_id: String,
    /// Its name.
    pub name: String,
    /// `Attaching`, `Attached`, `Modifying`, `Detaching` or `Detached`.
    pub status: String,
    /// Mbit/s; without any, the link carries about 1 kbit/s.
    pub bandwidth: Option<u64>,
    /// `BandwidthPackage` or `DataTransfer`.
    pub bandwidth_type: String,
    /// The bandwidth plan, if one is used.
    pub bandwidth_package_id: String,
    /// `Gold` or `Platinum`, if it is told.
    pub link_type: String,
    /// Whether routes are published to the other side by themselves.
    pub auto_publish_route: bool,
    /// Its tags.
    pub tags: Tags,
}

/// How the link's traffic is paid for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PeerBandwidth<'a> {
    /// By what is transferred; the bandwidth in Mbit/s is only a limit.
    DataTransfer(u32),
    /// From a bandwidth plan: its id, and Mbit/s.
    Package(&'a str, u32),
}

/// What a link is made from; the local region is the handle's.
#[derive(Clone, Copy, Debug)]
pub struct CreatePeerAttachment<'a> {
    /// The CEN instance.
    pub cen_id: &'a str,
    /// The local transit router.
    pub transit_router_id: &'a str,
    /// The other transit router.
    pub peer_transit_router_id: &'a str,
    /// The other transit router's region.
    pub peer_region_id: &'a str,
    /// How it is paid for.
    pub bandwidth: PeerBandwidth<'a>,
    /// `Gold` or `Platinum`; empty for the vendor's default.
    pub link_type: &'a str,
    /// Its name.
    pub name: &'a str,
    /// Its description.
    pub description: &'a str,
    /// Its tags.
    pub tags: &'a Tags,
    /// The idempotency token.
    pub token: &'a str,
}

impl Cbn<'_> {
    /// Links two transit routers, routes published both ways, and gives the attachment's id
    /// (`CreateTransitRouterPeerAttachment`).
    pub async fn create_peer_attachment(
        &self,
        ask: CreatePeerAttachment<'_>,
    ) -> Result<String, Fault> {
        let (kind, package, bandwidth) = match ask.bandwidth {
            PeerBandwidth::DataTransfer(mbits) => ("DataTransfer", None, mbits),
            PeerBandwidth::Package(id, mbits) => ("BandwidthPackage", given(id), mbits),
        };
        let params = json!({
            "CenId": ask.cen_id,
            "TransitRouterId": ask.transit_router_id,
            "PeerTransitRouterId": ask.peer_transit_router_id,
            "PeerTransitRouterRegionId": ask.peer_region_id,
            "BandwidthType": kind,
            "CenBandwidthPackageId": package,
            "Bandwidth": bandwidth,
            "DefaultLinkType": given(ask.link_type),
            "AutoPublishRouteEnabled": true,
            "TransitRouterAttachmentName": given(ask.name),
            "TransitRouterAttachmentDescription": given(ask.description),
            "Tag": tag_list(ask.tags),
            "ClientToken": given(ask.token),
        });
        let answer = self.0.write("CreateTransitRouterPeerAttachment", params).await?;
        answer.row().need("TransitRouterAttachmentId")
    }

    /// Lists links seen from this region (`ListTransitRouterPeerAttachments`).
    pub async fn list_peer_attachments(
        &self,
        filter: AttachmentFilter<'_>,
    ) -> Result<Vec<PeerAttachment>, Fault> {
        let at = (Paging::Token("MaxResults", 100), "TransitRouterAttachments");
        self.0.list("ListTransitRouterPeerAttachments", filter.params(), at, peer_attachment).await
    }

    /// Unlinks two transit routers (`DeleteTransitRouterPeerAttachment`).
    ///
    /// `force` also takes away its associations, propagations and routes.
    pub async fn delete_peer_attachment(
        &self,
        attachment_id: &str,
        force: bool,
        token: &str,
    ) -> Result<(), Fault> {
        let params = json!({
            "TransitRouterAttachmentId": attachment_id,
            "Force": force,
            "ClientToken": given(token),
        });
        self.0.write("DeleteTransitRouterPeerAttachment", params).await.map(drop)
    }
}

fn peer_attachment(row: &Row<'_>) -> Result<PeerAttachment, Fault> {
    Ok(PeerAttachment {
        attachment_id: row.need("TransitRouterAttachmentId")?,
        cen_id: row.text("CenId"),
        transit_router_id: row.text("TransitRouterId"),
        region_id: row.text("RegionId"),
        peer_transit_router_id: row.text("PeerTransitRouterId"),
        peer_region_id: row.text("PeerTransitRouterRegionId"),
        name: row.text("TransitRouterAttachmentName"),
        status: row.text("Status"),
        bandwidth: row.number("Bandwidth"),
        bandwidth_type: row.text("BandwidthType"),
        bandwidth_package_id: row.text("CenBandwidthPackageId"),
        link_type: row.text("DefaultLinkType"),
        auto_publish_route: row.flag("AutoPublishRouteEnabled"),
        tags: row.tags("Tags"),
    })
}
