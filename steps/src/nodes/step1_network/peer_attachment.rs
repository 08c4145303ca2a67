//! The link between the two regions' transit routers.

use super::{Attached, CenInstance, TransitRouter, cen_lane};
use crate::aliyun::cbn::{
    AttachmentFilter, CreatePeerAttachment, PeerAttachment as Listed, PeerBandwidth,
};
use crate::aliyun::{Action, Product};
use crate::calls::{Calls, Declares};
use crate::nodes::absent::{gone_is_fine, if_there};
use crate::nodes::prerequisites::Prerequisites;
use crate::own::Owner;
use crate::spec::BandwidthType;
use crate::{Follower, Leader, World};
use escrr_engine::{Act, Cx, Fault, NodeId, Patience, Remains, Report, Reverse, Seen, Step};

/// Links the transit routers; inside one region there is nothing to link.
pub struct PeerAttachment;

async fn find(cx: &Cx<'_, PeerAttachment>) -> Result<Option<Listed>, Fault> {
    let (site, Some(cen), Some(leader), Some(follower)) = &cx.needs else { return Ok(None) };
    let filter = AttachmentFilter {
        cen_id: &cen.cen,
        transit_router_id: &leader.router,
        ..AttachmentFilter::default()
    };
    let client = cx.world.cloud.cbn(&site.leader.instance.region);
    let listed = if_there(client.list_peer_attachments(filter).await)?.unwrap_or_default();
    Ok(listed.into_iter().find(|a| {
        let ends = [a.transit_router_id.as_str(), a.peer_transit_router_id.as_str()];
        ends.contains(&leader.router.as_str()) && ends.contains(&follower.router.as_str())
    }))
}

/// What differs from the spec, if anything does.
fn drift(cx: &Cx<'_, PeerAttachment>, found: &Listed) -> Option<Report> {
    let network = &cx.world.spec.network;
    let kind = match network.bandwidth_type {
        BandwidthType::DataTransfer => "DataTransfer",
        BandwidthType::BandwidthPackage => "BandwidthPackage",
    };
    let mut differences = Vec::new();
    if found.bandwidth != Some(u64::from(network.bandwidth_mbps)) {
        let has = found.bandwidth.map_or("none".to_owned(), |b| b.to_string());
        differences.push(format!(
            "its bandwidth is {has} Mbit/s, the spec says {}",
            network.bandwidth_mbps
        ));
    }
    if !found.bandwidth_type.is_empty() && found.bandwidth_type != kind {
        differences.push(format!(
            "its bandwidth is of type {}, the spec says {kind}",
            found.bandwidth_type
        ));
    }
    (!differences.is_empty()).then(|| {
        Report::new(
            format!("checking the peer link {}", found.attachment_id),
            differences.join("; "),
        )
        .help("change the link in the CEN console or the spec, then `escrr resume`")
    })
}

impl Declares for PeerAttachment {
    const CALLS: Calls = Calls {
        look: &[Action::new(Product::Cbn, "ListTransitRouterPeerAttachments")],
        act: &[Action::new(Product::Cbn, "CreateTransitRouterPeerAttachment")],
        undo: &[
            Action::new(Product::Cbn, "ListTransitRouterPeerAttachments"),
            Action::new(Product::Cbn, "DeleteTransitRouterPeerAttachment"),
        ],
    };
}

impl Step for PeerAttachment {
    type World = World;
    type Needs = (Prerequisites, CenInstance, TransitRouter<Leader>, TransitRouter<Follower>);
    type Output = Option<Attached>;
    const ID: NodeId = NodeId::new("network", "peer_attachment");
    const PHASE: u8 = 1;
    const TITLE: &'static str = "a link with bandwidth between the two regions";
    const PATIENCE: Patience = Patience::new(60, 600);

    async fn observe(&self, cx: &Cx<'_, Self>) -> Result<Seen<Option<Attached>>, Fault> {
        if cx.needs.1.is_none() || cx.needs.0.same_region() {
            return Ok(Seen::Unneeded(None));
        }
        let Some(found) = find(cx).await? else { return Ok(Seen::absent()) };
        if found.status != "Attached" {
            return Ok(Seen::Pending(format!("{} is {}", found.attachment_id, found.status)));
        }
        if let Some(report) = drift(cx, &found) {
            return Ok(Seen::Drifted(report));
        }
        let owner = Owner::of(&found.tags, cx.saga);
        let attached =
            Attached { attachment: found.attachment_id, auto_publish: found.auto_publish_route };
        Ok(owner.ready(Some(attached)))
    }
}

impl Act for PeerAttachment {
    const REVERSE: Reverse = Reverse::Undo("deletes the link between the regions that was made");
    const COST: Option<&'static str> =
        Some("traffic between the regions, by GB or by the bandwidth plan");

    fn lane(&self, cx: &Cx<'_, Self>) -> Option<String> {
        cen_lane(cx.needs.1.as_ref())
    }

    async fn act(&self, cx: &Cx<'_, Self>, item: &str) -> Result<(), Fault> {
        let (site, Some(cen), Some(leader), Some(follower)) = &cx.needs else { return Ok(()) };
        let network = &cx.world.spec.network;
        let bandwidth = match (network.bandwidth_type, &network.bandwidth_package_id) {
            (BandwidthType::BandwidthPackage, Some(id)) => {
                PeerBandwidth::Package(id, network.bandwidth_mbps)
            }
            _ => PeerBandwidth::DataTransfer(network.bandwidth_mbps),
        };
        let name = cx.world.name();
        let ask = CreatePeerAttachment {
            cen_id: &cen.cen,
            transit_router_id: &leader.router,
            peer_transit_router_id: &follower.router,
            peer_region_id: &site.follower.instance.region,
            bandwidth,
            name: &name,
            description: "",
            tags: &cx.world.tags(cx.saga, Self::ID),
            token: &cx.token(item),
        };
        let client = cx.world.cloud.cbn(&site.leader.instance.region);
        client.create_peer_attachment(ask).await.map(drop)
    }

    async fn remains(&self, cx: &Cx<'_, Self>) -> Result<Remains, Fault> {
        let ours = |a: &Listed| Owner::of(&a.tags, cx.saga) == Owner::Us;
        Ok(match find(cx).await?.filter(ours) {
            None => Remains::Nothing,
            Some(found) if found.status == "Attached" => Remains::whole(),
            Some(found) => Remains::Pending(format!("{} is {}", found.attachment_id, found.status)),
        })
    }

    async fn undo(&self, cx: &Cx<'_, Self>, item: &str) -> Result<(), Fault> {
        let Some(found) = find(cx).await? else { return Ok(()) };
        let client = cx.world.cloud.cbn(&cx.needs.0.leader.instance.region);
        let token = cx.undo_token(item);
        gone_is_fine(client.delete_peer_attachment(&found.attachment_id, true, &token).await)
    }
}
