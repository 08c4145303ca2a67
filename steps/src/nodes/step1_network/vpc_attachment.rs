//! One side's VPC on its transit router.

use super::{CenInstance, TransitRouter, VSwitches, cen_lane};
use crate::aliyun::ZoneMapping;
use crate::aliyun::cbn::{AttachmentFilter, CreateVpcAttachment, VpcAttachment as Listed};
use crate::aliyun::{Action, Product};
use crate::calls::{Calls, Declares};
use crate::nodes::absent::{gone_is_fine, if_there};
use crate::nodes::prerequisites::Prerequisites;
use crate::own::Owner;
use crate::{Side, World};
use escrr_engine::{Act, Cx, Fault, NodeId, Patience, Remains, Reverse, Seen, Step};
use serde::{Deserialize, Serialize};

/// Attaches the VPC; this is the slowest call of the whole job.
#[derive(Default)]
pub struct VpcAttachment<S>(pub S);

/// An attachment of a transit router.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Attached {
    /// Its id.
    pub attachment: String,
    /// Does the transit router publish its routes to the other end by itself?
    pub auto_publish: bool,
}

async fn find<S: Side>(cx: &Cx<'_, VpcAttachment<S>>) -> Result<Option<Listed>, Fault> {
    let (site, Some(cen), Some(router), _) = &cx.needs else { return Ok(None) };
    let facts = &site.side(S::WHICH).instance;
    let filter = AttachmentFilter {
        cen_id: &cen.cen,
        transit_router_id: &router.router,
        ..AttachmentFilter::default()
    };
    let listed = cx.world.cloud.cbn(&facts.region).list_vpc_attachments(filter, &facts.vpc).await;
    Ok(if_there(listed)?.unwrap_or_default().into_iter().find(|a| a.vpc_id == facts.vpc))
}

impl<S: Side> Declares for VpcAttachment<S> {
    const CALLS: Calls = Calls {
        look: &[Action::new(Product::Cbn, "ListTransitRouterVpcAttachments")],
        act: &[Action::new(Product::Cbn, "CreateTransitRouterVpcAttachment")],
        undo: &[
            Action::new(Product::Cbn, "ListTransitRouterVpcAttachments"),
            Action::new(Product::Cbn, "DeleteTransitRouterVpcAttachment"),
        ],
    };
}

impl<S: Side> Step for VpcAttachment<S> {
    type World = World;
    type Needs = (Prerequisites, CenInstance, TransitRouter<S>, VSwitches<S>);
    type Output = Option<Attached>;
    const ID: NodeId = NodeId::new(S::WHICH.name(), "vpc_attachment");
    const PHASE: u8 = 1;
    const TITLE: &'static str = "the VPC attached to the transit router";
    const PATIENCE: Patience = Patience::new(180, 2520);

    async fn observe(&self, cx: &Cx<'_, Self>) -> Result<Seen<Option<Attached>>, Fault> {
        if cx.needs.1.is_none() {
            return Ok(Seen::Unneeded(None));
        }
        let Some(found) = find(cx).await? else { return Ok(Seen::absent()) };
        if found.status != "Attached" {
            return Ok(Seen::Pending(format!("{} is {}", found.attachment_id, found.status)));
        }
        let attached =
            Attached { attachment: found.attachment_id, auto_publish: found.auto_publish_route };
        Ok(Owner::of(&found.tags, cx.saga).ready(Some(attached)))
    }
}

impl<S: Side> Act for VpcAttachment<S> {
    const REVERSE: Reverse =
        Reverse::Undo("detaches the VPC, with every route that leads through the attachment");
    const COST: Option<&'static str> = Some("transit router connection, by the hour; data, by GB");

    fn lane(&self, cx: &Cx<'_, Self>) -> Option<String> {
        cen_lane(cx.needs.1.as_ref())
    }

    async fn act(&self, cx: &Cx<'_, Self>, item: &str) -> Result<(), Fault> {
        let (site, Some(cen), Some(router), vswitches) = &cx.needs else { return Ok(()) };
        let facts = &site.side(S::WHICH).instance;
        let zones: Vec<ZoneMapping> = vswitches
            .iter()
            .map(|v| ZoneMapping { zone_id: v.zone.clone(), vswitch_id: v.vswitch.clone() })
            .collect();
        let name = cx.world.name();
        let ask = CreateVpcAttachment {
            cen_id: &cen.cen,
            transit_router_id: &router.router,
            vpc_id: &facts.vpc,
            zones: &zones,
            name: &name,
            description: "",
            auto_publish_route: true,
            tags: &cx.world.tags(cx.saga, Self::ID),
            token: &cx.token(item),
        };
        cx.world.cloud.cbn(&facts.region).create_vpc_attachment(ask).await.map(drop)
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
        let client = cx.world.cloud.cbn(&cx.needs.0.side(S::WHICH).instance.region);
        let token = cx.undo_token(item);
        gone_is_fine(client.delete_vpc_attachment(&found.attachment_id, true, &token).await)
    }
}
