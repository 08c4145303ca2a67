//! What ties an attachment to its transit router's route table: an association routes what
//! comes in by the attachment, a propagation learns the routes behind it. Both are off by default.

use super::{CenInstance, PeerAttachment, TransitRouter, VpcAttachment, cen_lane, kept};
use crate::aliyun::cbn::LinkKind;
use crate::aliyun::{Action, Product, TagKind};
use crate::calls::{Calls, Declares};
use crate::nodes::absent::{gone_is_fine, if_there};
use crate::nodes::prerequisites::Prerequisites;
use crate::{Side, World};
use escrr_engine::{Act, Cx, Fault, NodeId, Patience, Remains, Reverse, Seen, Step};

use super::Attached;

/// Which attachment is tied.
pub trait End: Default + Send + Sync + 'static {
    /// The node that makes the attachment.
    type Of<S: Side>: Step<World = World, Output = Option<Attached>>;
    /// `vpc` or `peer`.
    const PEER: bool;
}

/// Which tie.
pub trait Kind: Default + Send + Sync + 'static {
    /// The kind as the API has it.
    const LINK: LinkKind;
}

/// The VPC's attachment.
#[derive(Default)]
pub struct VpcEnd;

/// The link to the other region.
#[derive(Default)]
pub struct PeerEnd;

/// An association.
#[derive(Default)]
pub struct Associate;

/// A propagation.
#[derive(Default)]
pub struct Propagate;

impl End for VpcEnd {
    type Of<S: Side> = VpcAttachment<S>;
    const PEER: bool = false;
}

impl End for PeerEnd {
    type Of<S: Side> = PeerAttachment;
    const PEER: bool = true;
}

impl Kind for Associate {
    const LINK: LinkKind = LinkKind::Association;
}

impl Kind for Propagate {
    const LINK: LinkKind = LinkKind::Propagation;
}

/// Ties one attachment on one side.
#[derive(Default)]
pub struct Tie<S, K, E>(pub S, pub K, pub E);

const fn name(kind: LinkKind, peer: bool) -> &'static str {
    match (kind, peer) {
        (LinkKind::Association, false) => "associate_vpc",
        (LinkKind::Propagation, false) => "propagate_vpc",
        (LinkKind::Association, true) => "associate_peer",
        (LinkKind::Propagation, true) => "propagate_peer",
    }
}

const fn title(kind: LinkKind, peer: bool) -> &'static str {
    match (kind, peer) {
        (LinkKind::Association, false) => "traffic of the VPC is routed by the transit router",
        (LinkKind::Propagation, false) => "the transit router learns the VPC's addresses",
        (LinkKind::Association, true) => {
            "traffic of the other region is routed by the transit router"
        }
        (LinkKind::Propagation, true) => "the transit router learns the other region's addresses",
    }
}

impl<S: Side, K: Kind, E: End> Tie<S, K, E> {
    /// The tie's status, if there is one.
    async fn status(cx: &Cx<'_, Self>) -> Result<Option<String>, Fault> {
        let (site, _, Some(router), Some(attached)) = &cx.needs else { return Ok(None) };
        let client = cx.world.cloud.cbn(&site.side(S::WHICH).instance.region);
        let listed = client.list_links(K::LINK, &router.route_table, &attached.attachment).await;
        let links = if_there(listed)?.unwrap_or_default();
        let ours = links.into_iter().find(|l| l.attachment_id == attached.attachment);
        Ok(ours.map(|l| l.status).filter(|status| status != "Deleted"))
    }
}

impl<S: Side, K: Kind, E: End> Declares for Tie<S, K, E> {
    const CALLS: Calls = Calls {
        look: &[
            Action::new(Product::Cbn, "ListTransitRouterRouteTableAssociations"),
            Action::new(Product::Cbn, "ListTransitRouterRouteTablePropagations"),
        ],
        act: &[
            Action::new(Product::Cbn, "AssociateTransitRouterAttachmentWithRouteTable"),
            Action::new(Product::Cbn, "EnableTransitRouterRouteTablePropagation"),
        ],
        undo: &[
            Action::new(Product::Cbn, "ListTransitRouterRouteTableAssociations"),
            Action::new(Product::Cbn, "ListTransitRouterRouteTablePropagations"),
            Action::new(Product::Cbn, "ListTagResources"),
            Action::new(Product::Cbn, "DissociateTransitRouterAttachmentFromRouteTable"),
            Action::new(Product::Cbn, "DisableTransitRouterRouteTablePropagation"),
        ],
    };
}

impl<S: Side, K: Kind, E: End> Step for Tie<S, K, E> {
    type World = World;
    type Needs = (Prerequisites, CenInstance, TransitRouter<S>, E::Of<S>);
    type Output = ();
    const ID: NodeId = NodeId::new(S::WHICH.name(), name(K::LINK, E::PEER));
    const PHASE: u8 = 1;
    const TITLE: &'static str = title(K::LINK, E::PEER);
    const PATIENCE: Patience = Patience::new(15, 300);

    async fn observe(&self, cx: &Cx<'_, Self>) -> Result<Seen<()>, Fault> {
        if cx.needs.3.is_none() {
            return Ok(Seen::Unneeded(()));
        }
        Ok(match Self::status(cx).await? {
            None => Seen::absent(),
            // It hangs on the attachment and goes with it.
            Some(status) if status == "Active" && cx.owns::<E::Of<S>>() => Seen::Ours(()),
            Some(status) if status == "Active" => Seen::Ready(()),
            Some(status) => Seen::Pending(format!("it is {status}")),
        })
    }
}

impl<S: Side, K: Kind, E: End> Act for Tie<S, K, E> {
    const REVERSE: Reverse = Reverse::Undo("unties the attachment from the route table");

    fn lane(&self, cx: &Cx<'_, Self>) -> Option<String> {
        cen_lane(cx.needs.1.as_ref())
    }

    async fn act(&self, cx: &Cx<'_, Self>, item: &str) -> Result<Option<String>, Fault> {
        let (site, _, Some(router), Some(attached)) = &cx.needs else { return Ok(None) };
        let client = cx.world.cloud.cbn(&site.side(S::WHICH).instance.region);
        let token = cx.token(item);
        client.link(K::LINK, &attached.attachment, &router.route_table, &token).await?;
        Ok(None)
    }

    async fn remains(&self, cx: &Cx<'_, Self>) -> Result<Remains, Fault> {
        let kind = if E::PEER { TagKind::PeerAttachment } else { TagKind::VpcAttachment };
        Ok(match Self::status(cx).await? {
            None => Remains::Nothing,
            Some(status) if status == "Active" => {
                let region = &cx.needs.0.side(S::WHICH).instance.region;
                let kept = kept(cx.world, (region, kind), cx.needs.3.as_ref()).await?;
                kept.map_or_else(Remains::whole, Remains::Kept)
            }
            Some(status) => Remains::Pending(format!("it is {status}")),
        })
    }

    async fn undo(&self, cx: &Cx<'_, Self>, item: &str) -> Result<(), Fault> {
        let (site, _, Some(router), Some(attached)) = &cx.needs else { return Ok(()) };
        let client = cx.world.cloud.cbn(&site.side(S::WHICH).instance.region);
        let token = cx.undo_token(item);
        gone_is_fine(
            client.unlink(K::LINK, &attached.attachment, &router.route_table, &token).await,
        )
    }
}
