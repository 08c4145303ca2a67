//! One side's VPC on its transit router.

use super::{CenInstance, TransitRouter, VSwitches, cen_lane};
use crate::aliyun::ZoneMapping;
use crate::aliyun::cbn::{AttachmentFilter, CreateVpcAttachment, VpcAttachment as Listed};
use crate::aliyun::{Action, Product, TagKind, Tags};
use crate::calls::{Calls, Declares};
use crate::nodes::absent::if_there;
use crate::nodes::prerequisites::Prerequisites;
use crate::own::is_of;
use crate::resource::{Resource, remains, shared, undo, whose};
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

/// The attachments of this VPC to the transit router, one at most, or the one with this id.
async fn list<S: Side>(cx: &Cx<'_, VpcAttachment<S>>, id: &str) -> Result<Vec<Listed>, Fault> {
    let (site, Some(cen), Some(router), _) = &cx.needs else { return Ok(Vec::new()) };
    let facts = &site.side(S::WHICH).instance;
    let filter = AttachmentFilter {
        cen_id: &cen.cen,
        transit_router_id: &router.router,
        attachment_id: id,
        ..AttachmentFilter::default()
    };
    let listed = cx.world.cloud.cbn(&facts.region).list_vpc_attachments(filter, &facts.vpc).await;
    let listed = if_there(listed)?.unwrap_or_default();
    Ok(listed.into_iter().filter(|a| a.vpc_id == facts.vpc).collect())
}

impl<S: Side> Declares for VpcAttachment<S> {
    const CALLS: Calls = Calls {
        look: &[Action::new(Product::Cbn, "ListTransitRouterVpcAttachments")],
        act: &[
            Action::new(Product::Cbn, "CreateTransitRouterVpcAttachment"),
            Action::new(Product::Cbn, "TagResources"),
        ],
        undo: &[
            Action::new(Product::Cbn, "ListTransitRouterVpcAttachments"),
            Action::new(Product::Cbn, "DeleteTransitRouterVpcAttachment"),
            Action::new(Product::Cbn, "TagResources"),
            Action::new(Product::Cbn, "UntagResources"),
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
        let known = cx.ids.get("").map_or("", String::as_str);
        let Some(found) = list(cx, known).await?.pop() else { return Ok(Seen::absent()) };
        let owner = match whose(cx, &found) {
            Ok(owner) => owner,
            Err(seen) => return Ok(seen),
        };
        if found.status != "Attached" {
            return Ok(Seen::Pending(format!("{} is {}", found.attachment_id, found.status)));
        }
        let attached =
            Attached { attachment: found.attachment_id, auto_publish: found.auto_publish_route };
        Ok(owner.ready(Some(attached)))
    }
}

impl<S: Side> Act for VpcAttachment<S> {
    const MARKED: bool = true;
    const REVERSE: Reverse =
        Reverse::Undo("detaches the VPC, with every route that leads through the attachment");
    const COST: Option<&'static str> = Some("transit router connection, by the hour; data, by GB");

    fn lane(&self, cx: &Cx<'_, Self>) -> Option<String> {
        cen_lane(cx.needs.1.as_ref())
    }

    async fn act(&self, cx: &Cx<'_, Self>, item: &str) -> Result<Option<String>, Fault> {
        if let Some(done) = shared(cx, item).await {
            return done;
        }
        let (site, Some(cen), Some(router), vswitches) = &cx.needs else { return Ok(None) };
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
        cx.world.cloud.cbn(&facts.region).create_vpc_attachment(ask).await.map(Some)
    }

    async fn remains(&self, cx: &Cx<'_, Self>) -> Result<Remains, Fault> {
        remains(cx).await
    }

    async fn undo(&self, cx: &Cx<'_, Self>, id: &str) -> Result<(), Fault> {
        undo(cx, id).await
    }
}

impl<S: Side> Resource for VpcAttachment<S> {
    type Thing = Listed;
    const KIND: TagKind = TagKind::VpcAttachment;

    fn region<'a>(cx: &'a Cx<'_, Self>) -> &'a str {
        &cx.needs.0.side(S::WHICH).instance.region
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
        let client = cx.world.cloud.cbn(&cx.needs.0.side(S::WHICH).instance.region);
        client.delete_vpc_attachment(id, true, token).await
    }
}
