//! Attachments of VPCs to transit routers.

use super::Cbn;
use crate::aliyun::answer::Row;
use crate::aliyun::call::{Paging, given, tag_list};
use crate::aliyun::{Tags, ZoneMapping};
use escrr_engine::Fault;
use serde_json::{Value, json};

/// One VPC on a transit router.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VpcAttachment {
    /// The attachment's id, `tr-attach-…`.
    pub attachment_id: String,
    /// Its CEN instance.
    pub cen_id: String,
    /// Its transit router.
    pub transit_router_id: String,
    /// The VPC.
    pub vpc_id: String,
    /// Its name.
    pub name: String,
    /// `Attaching`, `Attached`, `Modifying` or `Detaching`.
    pub status: String,
    /// Whether routes are published to the VPC by themselves.
    pub auto_publish_route: bool,
    /// Zones with an interface of the transit router.
    pub zones: Vec<ZoneMapping>,
    /// Its tags.
    pub tags: Tags,
}

/// Which attachments are wanted; empty fields do not filter. The region is the handle's.
#[derive(Clone, Copy, Debug, Default)]
pub struct AttachmentFilter<'a> {
    /// Of this CEN instance; an attachment's id alone is not enough in older regions.
    pub cen_id: &'a str,
    /// Of this transit router.
    pub transit_router_id: &'a str,
    /// Only this one.
    pub attachment_id: &'a str,
    /// With all of these tags.
    pub tags: Option<&'a Tags>,
}

impl AttachmentFilter<'_> {
    pub(super) fn params(self) -> Value {
        json!({
            "CenId": given(self.cen_id),
            "TransitRouterId": given(self.transit_router_id),
            "TransitRouterAttachmentId": given(self.attachment_id),
            "Tag": self.tags.map(tag_list),
        })
    }
}

/// What a VPC attachment is made from.
#[derive(Clone, Copy, Debug)]
pub struct CreateVpcAttachment<'a> {
    /// The CEN instance.
    pub cen_id: &'a str,
    /// The transit router. It must be given: without it the service makes one that nobody owns.
    pub transit_router_id: &'a str,
    /// The VPC.
    pub vpc_id: &'a str,
    /// A vSwitch a zone; each gives an address to the transit router.
    pub zones: &'a [ZoneMapping],
    /// Its name.
    pub name: &'a str,
    /// Its description.
    pub description: &'a str,
    /// Whether the transit router's routes appear in the VPC by themselves.
    pub auto_publish_route: bool,
    /// Its tags.
    pub tags: &'a Tags,
    /// The idempotency token.
    pub token: &'a str,
}

impl Cbn<'_> {
    /// Attaches a VPC and gives the attachment's id (`CreateTransitRouterVpcAttachment`).
    pub async fn create_vpc_attachment(
        &self,
        ask: CreateVpcAttachment<'_>,
    ) -> Result<String, Fault> {
        let zone = |at: &ZoneMapping| json!({"ZoneId": at.zone_id, "VSwitchId": at.vswitch_id});
        let params = json!({
            "CenId": ask.cen_id,
            "TransitRouterId": ask.transit_router_id,
            "VpcId": ask.vpc_id,
            "ZoneMappings": ask.zones.iter().map(zone).collect::<Vec<Value>>(),
            "TransitRouterAttachmentName": given(ask.name),
            "TransitRouterAttachmentDescription": given(ask.description),
            "AutoPublishRouteEnabled": ask.auto_publish_route,
            "Tag": tag_list(ask.tags),
            "ClientToken": given(ask.token),
        });
        let answer = self.0.write("CreateTransitRouterVpcAttachment", params).await?;
        answer.row().need("TransitRouterAttachmentId")
    }

    /// Lists VPC attachments of this region (`ListTransitRouterVpcAttachments`).
    ///
    /// An empty `vpc_id` does not filter.
    pub async fn list_vpc_attachments(
        &self,
        filter: AttachmentFilter<'_>,
        vpc_id: &str,
    ) -> Result<Vec<VpcAttachment>, Fault> {
        let mut params = filter.params();
        if let (Some(members), Some(id)) = (params.as_object_mut(), given(vpc_id)) {
            members.insert("VpcId".to_owned(), json!(id));
        }
        let at = (Paging::Token("MaxResults", 100), "TransitRouterAttachments");
        self.0.list("ListTransitRouterVpcAttachments", params, at, vpc_attachment).await
    }

    /// Detaches a VPC (`DeleteTransitRouterVpcAttachment`).
    ///
    /// `force` also takes away its associations, propagations and routes.
    pub async fn delete_vpc_attachment(
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
        self.0.write("DeleteTransitRouterVpcAttachment", params).await.map(drop)
    }
}

fn vpc_attachment(row: &Row<'_>) -> Result<VpcAttachment, Fault> {
    let zone = |row: &Row<'_>| ZoneMapping {
        zone_id: row.text("ZoneId"),
        vswitch_id: row.text("VSwitchId"),
    };
    Ok(VpcAttachment {
        attachment_id: row.need("TransitRouterAttachmentId")?,
        cen_id: row.text("CenId"),
        transit_router_id: row.text("TransitRouterId"),
        vpc_id: row.text("VpcId"),
        name: row.text("TransitRouterAttachmentName"),
        status: row.text("Status"),
        auto_publish_route: row.flag("AutoPublishRouteEnabled"),
        zones: row.rows("ZoneMappings").iter().map(zone).collect(),
        tags: row.tags("Tags"),
    })
}
