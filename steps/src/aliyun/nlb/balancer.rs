//! Load balancers.

use super::Nlb;
use crate::aliyun::answer::Row;
use crate::aliyun::call::{Paging, given, tag_list};
use crate::aliyun::{Tags, ZoneMapping};
use escrr_engine::Fault;
use serde_json::{Value, json};

/// One load balancer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoadBalancer {
    /// The load balancer's id, `nlb-…`.
    pub load_balancer_id: String,
    /// Its name.
    pub name: String,
    /// `Provisioning`, `Active`, `Configuring`, `Inactive`, `CreateFailed`, …
    pub status: String,
    /// `Normal` or `Abnormal`.
    pub business_status: String,
    /// `Internet` or `Intranet`.
    pub address_type: String,
    /// Its VPC.
    pub vpc_id: String,
    /// Its host name.
    pub dns_name: String,
    /// Whether it is protected against deletion.
    pub deletion_protected: bool,
    /// Its zones.
    pub zones: Vec<LoadBalancerZone>,
    /// Its tags.
    pub tags: Tags,
}

/// One zone of a load balancer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoadBalancerZone {
    /// The zone.
    pub zone_id: String,
    /// The vSwitch in it.
    pub vswitch_id: String,
    /// `Active`, for example.
    pub status: String,
    /// The addresses that clients connect to.
    pub private_ips: Vec<String>,
    /// The addresses that servers see; only the attributes of one load balancer tell them.
    pub local_ips: Vec<String>,
}

/// What a private load balancer is made from.
#[derive(Clone, Copy, Debug)]
pub struct CreateLoadBalancer<'a> {
    /// Its name, 2 to 128 characters, a letter first.
    pub name: &'a str,
    /// Its VPC.
    pub vpc_id: &'a str,
    /// Its zones, two at least where the region has them.
    pub zones: &'a [ZoneMapping],
    /// Its tags.
    pub tags: &'a Tags,
    /// The idempotency token.
    pub token: &'a str,
}

impl Nlb<'_> {
    /// Creates a private load balancer and gives its id (`CreateLoadBalancer`).
    pub async fn create_load_balancer(&self, ask: CreateLoadBalancer<'_>) -> Result<String, Fault> {
        let zone =
            |zone: &ZoneMapping| json!({"ZoneId": zone.zone_id, "VSwitchId": zone.vswitch_id});
        let params = json!({
            "AddressType": "Intranet",
            "LoadBalancerName": given(ask.name),
            "VpcId": ask.vpc_id,
            "ZoneMappings": ask.zones.iter().map(zone).collect::<Vec<Value>>(),
            "Tag": tag_list(ask.tags),
            "ClientToken": given(ask.token),
        });
        let answer = self.0.write("CreateLoadBalancer", params).await?;
        let row = answer.row();
        // The API spells the answer's id with a small b; be ready for the day it does not.
        row.need("LoadbalancerId")
            .or_else(|missing| row.need("LoadBalancerId").map_err(|_| missing))
    }

    /// Describes one load balancer (`GetLoadBalancerAttribute`); gone when it does not exist.
    pub async fn get_load_balancer(&self, id: &str) -> Result<LoadBalancer, Fault> {
        let params = json!({"LoadBalancerId": id});
        let answer = self.0.read("GetLoadBalancerAttribute", params).await?;
        load_balancer(&answer.row())
    }

    /// Lists the load balancers with all of these tags (`ListLoadBalancers`).
    pub async fn list_load_balancers(&self, tags: &Tags) -> Result<Vec<LoadBalancer>, Fault> {
        let params = json!({"Tag": tag_list(tags)});
        let at = (Paging::Token("MaxResults", 100), "LoadBalancers");
        self.0.list("ListLoadBalancers", params, at, load_balancer).await
    }

    /// Deletes a load balancer (`DeleteLoadBalancer`).
    pub async fn delete_load_balancer(&self, id: &str, token: &str) -> Result<(), Fault> {
        let params = json!({"LoadBalancerId": id, "ClientToken": given(token)});
        self.0.write("DeleteLoadBalancer", params).await.map(drop)
    }
}

fn load_balancer(row: &Row<'_>) -> Result<LoadBalancer, Fault> {
    Ok(LoadBalancer {
        load_balancer_id: row.need("LoadBalancerId")?,
        name: row.text("LoadBalancerName"),
        status: row.text("LoadBalancerStatus"),
        business_status: row.text("LoadBalancerBusinessStatus"),
        address_type: row.text("AddressType"),
        vpc_id: row.text("VpcId"),
        dns_name: row.text("DNSName"),
        deletion_protected: row.flag("DeletionProtectionConfig.Enabled"),
        zones: row.rows("ZoneMappings").iter().map(zone).collect(),
        tags: row.tags("Tags"),
    })
}

fn zone(row: &Row<'_>) -> LoadBalancerZone {
    let addresses = row.rows("LoadBalancerAddresses");
    LoadBalancerZone {
        zone_id: row.text("ZoneId"),
        vswitch_id: row.text("VSwitchId"),
        status: row.text("Status"),
        private_ips: addresses.iter().filter_map(|at| at.given("PrivateIPv4Address")).collect(),
        local_ips: addresses.iter().flat_map(|at| at.texts("Ipv4LocalAddresses")).collect(),
    }
}
