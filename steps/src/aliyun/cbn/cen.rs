//! CEN instances, the service's activation, and bandwidth plans.

use super::Cbn;
use crate::aliyun::Tags;
use crate::aliyun::answer::Row;
use crate::aliyun::call::{Paging, given, opened, tag_list};
use escrr_engine::Fault;
use serde_json::json;

/// One CEN instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cen {
    /// The CEN instance's id, `cen-…`.
    pub cen_id: String,
    /// Its name.
    pub name: String,
    /// Its description.
    pub description: String,
    /// `Creating`, `Active` or `Deleting`.
    pub status: String,
    /// Bandwidth plans that are bound to it.
    pub bandwidth_package_ids: Vec<String>,
    /// Its tags.
    pub tags: Tags,
}

/// Which CEN instances are wanted; empty fields do not filter.
#[derive(Clone, Copy, Debug, Default)]
pub struct CenFilter<'a> {
    /// Only this one.
    pub cen_id: &'a str,
    /// With all of these tags.
    pub tags: Option<&'a Tags>,
}

/// What a CEN instance is made from.
#[derive(Clone, Copy, Debug)]
pub struct CreateCen<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its description.
    pub description: &'a str,
    /// Its tags.
    pub tags: &'a Tags,
    /// The idempotency token.
    pub token: &'a str,
}

/// One bandwidth plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BandwidthPackage {
    /// The plan's id, `cenbwp-…`.
    pub package_id: String,
    /// Mbit/s.
    pub bandwidth: u64,
    /// `Idle` or `InUse`.
    pub status: String,
    /// `Normal`, or why it is locked.
    pub business_status: String,
    /// CEN instances that it is bound to.
    pub cen_ids: Vec<String>,
    /// One end's area, for example `China`.
    pub area_a: String,
    /// The other end's area.
    pub area_b: String,
}

impl Cbn<'_> {
    /// Asks whether the account has activated transit routers (`CheckTransitRouterService`).
    pub async fn check_transit_router_service(&self) -> Result<bool, Fault> {
        let answer = self.0.read("CheckTransitRouterService", json!({})).await?;
        Ok(answer.row().flag("Enabled"))
    }

    /// Activates transit routers (`OpenTransitRouterService`): accepts terms of sale.
    ///
    /// A service that is active already is fine.
    pub async fn open_transit_router_service(&self, token: &str) -> Result<(), Fault> {
        let params = json!({"ClientToken": given(token)});
        opened(self.0.write_only("OpenTransitRouterService", params).await)
    }

    /// Creates a CEN instance and gives its id (`CreateCen`).
    pub async fn create_cen(&self, ask: CreateCen<'_>) -> Result<String, Fault> {
        let params = json!({
            "Name": given(ask.name),
            "Description": given(ask.description),
            "Tag": tag_list(ask.tags),
            "ClientToken": given(ask.token),
        });
        self.0.write_only("CreateCen", params).await?.row().need("CenId")
    }

    /// Lists CEN instances (`DescribeCens`).
    pub async fn describe_cens(&self, filter: CenFilter<'_>) -> Result<Vec<Cen>, Fault> {
        let by_id = given(filter.cen_id).map(|id| json!([{"Key": "CenId", "Value": [id]}]));
        let params = json!({"Filter": by_id, "Tag": filter.tags.map(tag_list)});
        let at = (Paging::Number(50), "Cens.Cen");
        self.0.list("DescribeCens", params, at, cen).await
    }

    /// Deletes a CEN instance without transit routers (`DeleteCen`); it takes no
    /// idempotency token.
    pub async fn delete_cen(&self, cen_id: &str) -> Result<(), Fault> {
        self.0.write_only("DeleteCen", json!({"CenId": cen_id})).await.map(drop)
    }

    /// Lists bandwidth plans (`DescribeCenBandwidthPackages`).
    ///
    /// An empty `package_id` gives all of the account's.
    pub async fn describe_bandwidth_packages(
        &self,
        package_id: &str,
    ) -> Result<Vec<BandwidthPackage>, Fault> {
        let filter =
            given(package_id).map(|id| json!([{"Key": "CenBandwidthPackageId", "Value": [id]}]));
        let at = (Paging::Number(50), "CenBandwidthPackages.CenBandwidthPackage");
        self.0.list("DescribeCenBandwidthPackages", json!({"Filter": filter}), at, package).await
    }
}

fn cen(row: &Row<'_>) -> Result<Cen, Fault> {
    Ok(Cen {
        cen_id: row.need("CenId")?,
        name: row.text("Name"),
        description: row.text("Description"),
        status: row.text("Status"),
        bandwidth_package_ids: row.texts("CenBandwidthPackageIds.CenBandwidthPackageId"),
        tags: row.tags("Tags.Tag"),
    })
}

fn package(row: &Row<'_>) -> Result<BandwidthPackage, Fault> {
    Ok(BandwidthPackage {
        package_id: row.need("CenBandwidthPackageId")?,
        bandwidth: row.number("Bandwidth").unwrap_or_default(),
        status: row.text("Status"),
        business_status: row.text("BusinessStatus"),
        cen_ids: row.texts("CenIds.CenId"),
        area_a: row.text("GeographicRegionAId"),
        area_b: row.text("GeographicRegionBId"),
    })
}
