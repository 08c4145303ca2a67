//! The link between the two regions' transit routers.

use super::{Attached, CenInstance, TransitRouter, cen_lane};
use crate::aliyun::cbn::{
    AttachmentFilter, CreatePeerAttachment, PeerAttachment as Listed, PeerBandwidth,
};
use crate::aliyun::{Action, Product, TagKind, Tags};
use crate::calls::{Calls, Declares};
use crate::nodes::absent::if_there;
use crate::nodes::prerequisites::Prerequisites;
use crate::own::is_of;
use crate::resource::{Resource, remains, shared, undo, whose};
use crate::spec::{BandwidthType, LinkType};
use crate::{Follower, Leader, World};
use escrr_engine::{Act, Cx, Fault, NodeId, Patience, Remains, Report, Reverse, Seen, Step};

/// Links the transit routers; inside one region there is nothing to link.
pub struct PeerAttachment;

/// The links between the two transit routers, one at most, or the one with this id.
async fn list(cx: &Cx<'_, PeerAttachment>, id: &str) -> Result<Vec<Listed>, Fault> {
    let (site, Some(cen), Some(leader), Some(follower)) = &cx.needs else { return Ok(Vec::new()) };
    let filter = AttachmentFilter {
        cen_id: &cen.cen,
        transit_router_id: &leader.router,
        attachment_id: id,
        ..AttachmentFilter::default()
    };
    let client = cx.world.cloud.cbn(&site.leader.instance.region);
    let listed = if_there(client.list_peer_attachments(filter).await)?.unwrap_or_default();
    let between = |a: &Listed| {
        let ends = [a.transit_router_id.as_str(), a.peer_transit_router_id.as_str()];
        ends.contains(&leader.router.as_str()) && ends.contains(&follower.router.as_str())
    };
    Ok(listed.into_iter().filter(between).collect())
}

/// The kind of line as the API says it; empty where the spec leaves it to the vendor.
fn link_type(wanted: Option<LinkType>) -> &'static str {
    match wanted {
        None => "",
        Some(LinkType::Gold) => "Gold",
        Some(LinkType::Platinum) => "Platinum",
    }
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
    let wanted = link_type(network.link_type);
    if !wanted.is_empty() && !found.link_type.is_empty() && found.link_type != wanted {
        let has = &found.link_type;
        differences.push(format!("its line is of type {has}, the spec says {wanted}"));
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
        act: &[
            Action::new(Product::Cbn, "CreateTransitRouterPeerAttachment"),
            Action::new(Product::Cbn, "TagResources"),
        ],
        undo: &[
            Action::new(Product::Cbn, "ListTransitRouterPeerAttachments"),
            Action::new(Product::Cbn, "DeleteTransitRouterPeerAttachment"),
            Action::new(Product::Cbn, "TagResources"),
            Action::new(Product::Cbn, "UntagResources"),
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
        let known = cx.ids.get("").map_or("", String::as_str);
        let Some(found) = list(cx, known).await?.pop() else { return Ok(Seen::absent()) };
        let owner = match whose(cx, &found) {
            Ok(owner) => owner,
            Err(seen) => return Ok(seen),
        };
        if found.status != "Attached" {
            return Ok(Seen::Pending(format!("{} is {}", found.attachment_id, found.status)));
        }
        if let Some(report) = drift(cx, &found) {
            return Ok(Seen::Drifted(report));
        }
        let attached =
            Attached { attachment: found.attachment_id, auto_publish: found.auto_publish_route };
        Ok(owner.ready(Some(attached)))
    }
}

impl Act for PeerAttachment {
    const MARKED: bool = true;
    const REVERSE: Reverse = Reverse::Undo("deletes the link between the regions that was made");
    const COST: Option<&'static str> =
        Some("traffic between the regions, by GB or by the bandwidth plan");

    fn lane(&self, cx: &Cx<'_, Self>) -> Option<String> {
        cen_lane(cx.needs.1.as_ref())
    }

    async fn act(&self, cx: &Cx<'_, Self>, item: &str) -> Result<Option<String>, Fault> {
        if let Some(done) = shared(cx, item).await {
            return done;
        }
        let (site, Some(cen), Some(leader), Some(follower)) = &cx.needs else { return Ok(None) };
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
            link_type: link_type(network.link_type),
            name: &name,
            description: "",
            tags: &cx.world.tags(cx.saga, Self::ID),
            token: &cx.token(item),
        };
        let client = cx.world.cloud.cbn(&site.leader.instance.region);
        client.create_peer_attachment(ask).await.map(Some)
    }

    async fn remains(&self, cx: &Cx<'_, Self>) -> Result<Remains, Fault> {
        remains(cx).await
    }

    async fn undo(&self, cx: &Cx<'_, Self>, id: &str) -> Result<(), Fault> {
        undo(cx, id).await
    }
}

impl Resource for PeerAttachment {
    type Thing = Listed;
    const KIND: TagKind = TagKind::PeerAttachment;

    fn region<'a>(cx: &'a Cx<'_, Self>) -> &'a str {
        &cx.needs.0.leader.instance.region
    }

    fn id(thing: &Listed) -> &str {
        &thing.attachment_id
    }
    fn tags(thing: &Listed) -> &Tags {
        &thing.tags
    }
    fn status(thing: &Listed) -> (&str, bool) {
        (&thing.status, thing.status == "Attached")
    }
    fn ids(output: &Option<Attached>) -> Vec<String> {
        output.iter().map(|found| found.attachment.clone()).collect()
    }

    async fn by_id(cx: &Cx<'_, Self>, id: &str) -> Result<Option<Listed>, Fault> {
        Ok(list(cx, id).await?.into_iter().find(|a| a.attachment_id == id))
    }

    async fn by_tags(cx: &Cx<'_, Self>) -> Result<Vec<Listed>, Fault> {
        Ok(list(cx, "").await?.into_iter().filter(|a| is_of(&a.tags, Self::ID)).collect())
    }

    async fn delete(cx: &Cx<'_, Self>, id: &str, token: &str) -> Result<(), Fault> {
        let client = cx.world.cloud.cbn(&cx.needs.0.leader.instance.region);
        client.delete_peer_attachment(id, true, token).await
    }
}
