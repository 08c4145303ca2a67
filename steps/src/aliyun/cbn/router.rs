//! Transit routers and the zones they can be in.

use super::Cbn;
use crate::aliyun::Tags;
use crate::aliyun::answer::Row;
use crate::aliyun::call::{Paging, given, tag_list};
use escrr_engine::Fault;
use serde_json::json;

/// One transit router.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TransitRouter {
    /// The transit router's id, `tr-…`.
    pub transit_router_id: String,
    /// Its CEN instance.
    pub cen_id: String,
    /// Its region.
    pub region_id: String,
    /// Its name.
    pub name: String,
    /// `Creating`, `Active`, `Modifying`, `Deleting` or `Upgrading`.
    pub status: String,
    /// `Enterprise` or `Basic`.
    pub edition: String,
    /// Its tags.
    pub tags: Tags,
}

/// What a transit router is made from; its region is the handle's.
#[derive(Clone, Copy, Debug)]
pub struct CreateTransitRouter<'a> {
    /// Its CEN instance.
    pub cen_id: &'a str,
    /// Its name.
    pub name: &'a str,
    /// Its description.
    pub description: &'a str,
    /// Its tags.
    pub tags: &'a Tags,
    /// The idempotency token.
    pub token: &'a str,
}

/// Zones where a transit router can have interfaces.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AvailableZones {
    /// Any zone; empty where the older two lists are used.
    pub available: Vec<String>,
    /// Primary zones, the older form.
    pub master: Vec<String>,
    /// Secondary zones, the older form.
    pub slave: Vec<String>,
}

impl AvailableZones {
    /// Every usable zone, each once, in order.
    pub fn all(&self) -> Vec<String> {
        let mut zones: Vec<String> =
            self.available.iter().chain(&self.master).chain(&self.slave).cloned().collect();
        zones.sort();
        zones.dedup();
        zones
    }
}

impl Cbn<'_> {
    /// Lists the region's usable zones (`ListTransitRouterAvailableResource`).
    pub async fn list_available_zones(&self) -> Result<AvailableZones, Fault> {
        let answer = self.0.read("ListTransitRouterAvailableResource", json!({})).await?;
        let row = answer.row();
        Ok(AvailableZones {
            available: row.texts("AvailableZones"),
            master: row.texts("MasterZones"),
            slave: row.texts("SlaveZones"),
        })
    }

    /// Creates a transit router and gives its id (`CreateTransitRouter`).
    pub async fn create_transit_router(
        &self,
        ask: CreateTransitRouter<'_>,
    ) -> Result<String, Fault> {
        let params = json!({
            "CenId": ask.cen_id,
            "TransitRouterName": given(ask.name),
            "TransitRouterDescription": given(ask.description),
            "Tag": tag_list(ask.tags),
            "ClientToken": given(ask.token),
        });
        self.0.write("CreateTransitRouter", params).await?.row().need("TransitRouterId")
    }

    /// Lists a CEN instance's transit routers in this region (`ListTransitRouters`).
    ///
    /// An empty `id` does not filter.
    pub async fn list_transit_routers(
        &self,
        cen_id: &str,
        id: &str,
    ) -> Result<Vec<TransitRouter>, Fault> {
        let at = (Paging::Number(50), "TransitRouters");
        let params = json!({"CenId": cen_id, "TransitRouterId": given(id)});
        self.0.list("ListTransitRouters", params, at, transit_router).await
    }

    /// Deletes a transit router without attachments (`DeleteTransitRouter`).
    pub async fn delete_transit_router(&self, id: &str, token: &str) -> Result<(), Fault> {
        let params = json!({"TransitRouterId": id, "ClientToken": given(token)});
        self.0.write("DeleteTransitRouter", params).await.map(drop)
    }
}

fn transit_router(row: &Row<'_>) -> Result<TransitRouter, Fault> {
    Ok(TransitRouter {
        transit_router_id: row.need("TransitRouterId")?,
        cen_id: row.text("CenId"),
        region_id: row.text("RegionId"),
        name: row.text("TransitRouterName"),
        status: row.text("Status"),
        edition: row.text("Type"),
        tags: row.tags("Tags"),
    })
}
