//! Route tables of transit routers: associations, propagations and routes.

use super::Cbn;
use crate::aliyun::answer::Row;
use crate::aliyun::call::{Paging, given};
use escrr_engine::Fault;
use serde_json::json;

/// One route table of a transit router.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RouterRouteTable {
    /// The route table's id, `vtb-…`.
    pub route_table_id: String,
    /// Its transit router.
    pub transit_router_id: String,
    /// `Creating`, `Active` or `Deleting`.
    pub status: String,
    /// `System` or `Custom`.
    pub table_type: String,
}

/// What ties an attachment to a route table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkKind {
    /// Traffic that comes in by the attachment is routed by the table.
    Association,
    /// Routes of the attachment's other end are learnt by the table.
    Propagation,
}

/// One tie between an attachment and a route table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// The attachment.
    pub attachment_id: String,
    /// The route table.
    pub route_table_id: String,
    /// The VPC or transit router at the attachment's other end.
    pub resource_id: String,
    /// `VPC` or `TR`, for example.
    pub resource_type: String,
    /// `Associating` or `Enabling`, `Active`, `Dissociating` or `Disabling`, `Deleted`.
    pub status: String,
}

/// One route of a transit router.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RouterRoute {
    /// Where it leads to.
    pub destination_cidr_block: String,
    /// `Active`, `Rejected`, `Prohibited`, `Standby`, `Candidate`, `Creating` or `Deleting`.
    pub status: String,
    /// `Static` or `Propagated`.
    pub route_type: String,
    /// The attachment that it leads through.
    pub next_hop_id: String,
    /// What is behind the attachment.
    pub next_hop_resource_id: String,
    /// `VPC` or `TR`, for example.
    pub next_hop_resource_type: String,
    /// Where it was learnt from.
    pub origin_resource_id: String,
}

impl Cbn<'_> {
    /// Lists a transit router's route tables (`ListTransitRouterRouteTables`).
    ///
    /// `table_type` is `System`, `Custom`, or empty for both.
    pub async fn list_route_tables(
        &self,
        transit_router_id: &str,
        table_type: &str,
    ) -> Result<Vec<RouterRouteTable>, Fault> {
        let params = json!({
            "TransitRouterId": transit_router_id,
            "TransitRouterRouteTableType": given(table_type),
        });
        let at = (Paging::Token("MaxResults", 100), "TransitRouterRouteTables");
        self.0.list("ListTransitRouterRouteTables", params, at, route_table).await
    }

    /// Ties an attachment to a route table (`AssociateTransitRouterAttachmentWithRouteTable`,
    /// `EnableTransitRouterRouteTablePropagation`).
    pub async fn link(
        &self,
        kind: LinkKind,
        attachment_id: &str,
        route_table_id: &str,
        token: &str,
    ) -> Result<(), Fault> {
        let action = match kind {
            LinkKind::Association => "AssociateTransitRouterAttachmentWithRouteTable",
            LinkKind::Propagation => "EnableTransitRouterRouteTablePropagation",
        };
        self.change_link(action, attachment_id, route_table_id, token).await
    }

    /// Unties an attachment (`DissociateTransitRouterAttachmentFromRouteTable`,
    /// `DisableTransitRouterRouteTablePropagation`).
    pub async fn unlink(
        &self,
        kind: LinkKind,
        attachment_id: &str,
        route_table_id: &str,
        token: &str,
    ) -> Result<(), Fault> {
        let action = match kind {
            LinkKind::Association => "DissociateTransitRouterAttachmentFromRouteTable",
            LinkKind::Propagation => "DisableTransitRouterRouteTablePropagation",
        };
        self.change_link(action, attachment_id, route_table_id, token).await
    }

    async fn change_link(
        &self,
        action: &'static str,
        attachment_id: &str,
        route_table_id: &str,
        token: &str,
    ) -> Result<(), Fault> {
        let params = json!({
            "TransitRouterAttachmentId": attachment_id,
            "TransitRouterRouteTableId": route_table_id,
            "ClientToken": given(token),
        });
        self.0.write(action, params).await.map(drop)
    }

    /// Lists a route table's ties (`ListTransitRouterRouteTableAssociations`,
    /// `ListTransitRouterRouteTablePropagations`).
    ///
    /// An empty `attachment_id` does not filter.
    pub async fn list_links(
        &self,
        kind: LinkKind,
        route_table_id: &str,
        attachment_id: &str,
    ) -> Result<Vec<Link>, Fault> {
        let (action, path) = match kind {
            LinkKind::Association => {
                ("ListTransitRouterRouteTableAssociations", "TransitRouterAssociations")
            }
            LinkKind::Propagation => {
                ("ListTransitRouterRouteTablePropagations", "TransitRouterPropagations")
            }
        };
        let params = json!({
            "TransitRouterRouteTableId": route_table_id,
            "TransitRouterAttachmentId": given(attachment_id),
        });
        self.0.list(action, params, (Paging::Token("MaxResults", 50), path), link).await
    }

    /// Lists a route table's routes in every state (`ListTransitRouterRouteEntries`).
    pub async fn list_route_entries(
        &self,
        route_table_id: &str,
    ) -> Result<Vec<RouterRoute>, Fault> {
        let params = json!({
            "TransitRouterRouteTableId": route_table_id,
            // Only active routes come without it, and rejected ones are what matters.
            "TransitRouterRouteEntryStatus": "All",
        });
        let at = (Paging::Token("MaxResults", 100), "TransitRouterRouteEntries");
        self.0.list("ListTransitRouterRouteEntries", params, at, route).await
    }
}

fn route_table(row: &Row<'_>) -> Result<RouterRouteTable, Fault> {
    Ok(RouterRouteTable {
        route_table_id: row.need("TransitRouterRouteTableId")?,
        transit_router_id: row.text("TransitRouterId"),
        status: row.text("TransitRouterRouteTableStatus"),
        table_type: row.text("TransitRouterRouteTableType"),
    })
}

fn link(row: &Row<'_>) -> Result<Link, Fault> {
    Ok(Link {
        attachment_id: row.need("TransitRouterAttachmentId")?,
        route_table_id: row.text("TransitRouterRouteTableId"),
        resource_id: row.text("ResourceId"),
        resource_type: row.text("ResourceType"),
        status: row.text("Status"),
    })
}

fn route(row: &Row<'_>) -> Result<RouterRoute, Fault> {
    let entry = |name: &str| row.text(&format!("TransitRouterRouteEntry{name}"));
    Ok(RouterRoute {
        destination_cidr_block: row.need("TransitRouterRouteEntryDestinationCidrBlock")?,
        status: entry("Status"),
        route_type: entry("Type"),
        next_hop_id: entry("NextHopId"),
        next_hop_resource_id: entry("NextHopResourceId"),
        next_hop_resource_type: entry("NextHopResourceType"),
        origin_resource_id: entry("OriginResourceId"),
    })
}
