//! Vpc 2016-04-28: addresses, vSwitches and routes.

use super::answer::Row;
use super::call::{Paging, given, tag_list};
use super::cloud::Caller;
use super::types::Tags;
use escrr_engine::Fault;
use serde_json::json;

/// Virtual private clouds; made by [`Cloud::vpc`](super::Cloud::vpc).
#[derive(Clone, Copy, Debug)]
pub struct Vpc<'a>(pub(super) Caller<'a>);

/// One VPC.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VpcAttribute {
    /// The VPC's id.
    pub vpc_id: String,
    /// Its primary CIDR block.
    pub cidr_block: String,
    /// Blocks added later.
    pub secondary_cidr_blocks: Vec<String>,
    /// Blocks that the user declared to be private beyond the usual ones.
    pub user_cidrs: Vec<String>,
    /// `Pending` or `Available`.
    pub status: String,
    /// The account that it belongs to; empty when the answer does not say.
    pub owner_id: String,
    /// CEN instances that the VPC hangs on.
    pub associated_cens: Vec<AssociatedCen>,
}

/// A CEN instance that a VPC hangs on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AssociatedCen {
    /// The CEN instance's id.
    pub cen_id: String,
    /// Its owner's account id.
    pub owner_id: String,
    /// `Attached`, for example.
    pub status: String,
}

/// One vSwitch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VSwitch {
    /// The vSwitch's id.
    pub vswitch_id: String,
    /// Its VPC's id.
    pub vpc_id: String,
    /// Its zone.
    pub zone_id: String,
    /// Its CIDR block.
    pub cidr_block: String,
    /// `Pending` or `Available`.
    pub status: String,
    /// Its name.
    pub name: String,
    /// Addresses that are free; none when the answer does not say.
    pub available_ip_count: Option<u64>,
    /// The route table that it uses.
    pub route_table_id: String,
    /// `System` or `Custom`; empty when the answer does not say.
    pub route_table_type: String,
    /// The network ACL that guards it; empty when there is none.
    pub network_acl_id: String,
    /// Its tags.
    pub tags: Tags,
}

/// Which vSwitches are wanted; empty fields do not filter.
#[derive(Clone, Copy, Debug, Default)]
pub struct VSwitchFilter<'a> {
    /// Of this VPC.
    pub vpc_id: &'a str,
    /// Only this one.
    pub vswitch_id: &'a str,
    /// In this zone.
    pub zone_id: &'a str,
    /// With all of these tags.
    pub tags: Option<&'a Tags>,
}

/// What a vSwitch is made from.
#[derive(Clone, Copy, Debug)]
pub struct CreateVSwitch<'a> {
    /// The VPC that it divides.
    pub vpc_id: &'a str,
    /// Its zone.
    pub zone_id: &'a str,
    /// Its block, inside the VPC's and free; mask 16 to 29.
    pub cidr_block: &'a str,
    /// Its name.
    pub name: &'a str,
    /// Its description.
    pub description: &'a str,
    /// Its tags.
    pub tags: &'a Tags,
    /// The idempotency token.
    pub token: &'a str,
}

/// One route table of a VPC.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RouteTable {
    /// The route table's id.
    pub route_table_id: String,
    /// `System` or `Custom`.
    pub route_table_type: String,
    /// `Pending` or `Available`.
    pub status: String,
    /// The vSwitches that use it.
    pub vswitch_ids: Vec<String>,
}

/// One route of a VPC.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RouteEntry {
    /// The route's id.
    pub route_entry_id: String,
    /// Its table's id.
    pub route_table_id: String,
    /// Where it leads to.
    pub destination_cidr_block: String,
    /// `Pending`, `Available` or `Modifying`.
    pub status: String,
    /// `Custom`, `System`, `BGP`, `CEN` or `ECR`.
    pub entry_type: String,
    /// Its name.
    pub name: String,
    /// Its description.
    pub description: String,
    /// By way of what.
    pub next_hops: Vec<NextHop>,
}

/// By way of what a route leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NextHop {
    /// For example `Attachment`.
    pub next_hop_type: String,
    /// For example `tr-attach-…`.
    pub next_hop_id: String,
    /// The object behind it, for example a transit router.
    pub related_instance_id: String,
}

/// What a route is made from; the next hop is a transit router's VPC attachment.
#[derive(Clone, Copy, Debug)]
pub struct CreateRouteEntry<'a> {
    /// The table that it goes into.
    pub route_table_id: &'a str,
    /// Where it leads to.
    pub destination_cidr_block: &'a str,
    /// The attachment's id.
    pub attachment_id: &'a str,
    /// Its name.
    pub name: &'a str,
    /// Its description.
    pub description: &'a str,
    /// The idempotency token.
    pub token: &'a str,
}

impl Vpc<'_> {
    /// Describes one VPC (`DescribeVpcAttribute`); gone when it does not exist.
    pub async fn describe_vpc_attribute(&self, vpc_id: &str) -> Result<VpcAttribute, Fault> {
        let answer = self.0.read("DescribeVpcAttribute", json!({"VpcId": vpc_id})).await?;
        let row = answer.row();
        let cens = row.rows("AssociatedCens.AssociatedCen");
        let cens = cens.iter().map(|cen| {
            Ok(AssociatedCen {
                cen_id: cen.need("CenId")?,
                owner_id: cen.text("CenOwnerId"),
                status: cen.text("CenStatus"),
            })
        });
        Ok(VpcAttribute {
            vpc_id: row.need("VpcId")?,
            cidr_block: row.need("CidrBlock")?,
            secondary_cidr_blocks: row.texts("SecondaryCidrBlocks.SecondaryCidrBlock"),
            user_cidrs: row.texts("UserCidrs.UserCidr"),
            status: row.text("Status"),
            owner_id: row.text("OwnerId"),
            associated_cens: cens.collect::<Result<_, Fault>>()?,
        })
    }

    /// Lists vSwitches (`DescribeVSwitches`).
    pub async fn describe_vswitches(
        &self,
        filter: VSwitchFilter<'_>,
    ) -> Result<Vec<VSwitch>, Fault> {
        let params = json!({
            "VpcId": given(filter.vpc_id),
            "VSwitchId": given(filter.vswitch_id),
            "ZoneId": given(filter.zone_id),
            "Tag": filter.tags.map(tag_list),
        });
        let at = (Paging::Number(50), "VSwitches.VSwitch");
        self.0.list("DescribeVSwitches", params, at, vswitch).await
    }

    /// Creates a vSwitch and gives its id (`CreateVSwitch`).
    pub async fn create_vswitch(&self, ask: CreateVSwitch<'_>) -> Result<String, Fault> {
        let params = json!({
            "VpcId": ask.vpc_id,
            "ZoneId": ask.zone_id,
            "CidrBlock": ask.cidr_block,
            "VSwitchName": given(ask.name),
            "Description": given(ask.description),
            "Tag": tag_list(ask.tags),
            "ClientToken": given(ask.token),
        });
        self.0.write_only("CreateVSwitch", params).await?.row().need("VSwitchId")
    }

    /// Deletes a vSwitch (`DeleteVSwitch`); it takes no idempotency token.
    pub async fn delete_vswitch(&self, vswitch_id: &str) -> Result<(), Fault> {
        self.0.write("DeleteVSwitch", json!({"VSwitchId": vswitch_id})).await.map(drop)
    }

    /// Lists a VPC's route tables (`DescribeRouteTableList`).
    ///
    /// `table_type` is `System`, `Custom`, or empty for both.
    pub async fn describe_route_tables(
        &self,
        vpc_id: &str,
        table_type: &str,
    ) -> Result<Vec<RouteTable>, Fault> {
        let params = json!({"VpcId": vpc_id, "RouteTableType": given(table_type)});
        let at = (Paging::Number(50), "RouterTableList.RouterTableListType");
        self.0.list("DescribeRouteTableList", params, at, route_table).await
    }

    /// Lists the IPv4 routes of a table (`DescribeRouteEntryList`).
    pub async fn describe_route_entries(
        &self,
        route_table_id: &str,
    ) -> Result<Vec<RouteEntry>, Fault> {
        let params = json!({"RouteTableId": route_table_id, "IpVersion": "ipv4"});
        let at = (Paging::Token("MaxResult", 100), "RouteEntrys.RouteEntry");
        self.0.list("DescribeRouteEntryList", params, at, route_entry).await
    }

    /// Adds a route to an attachment and gives its id (`CreateRouteEntry`).
    pub async fn create_route_entry(&self, ask: CreateRouteEntry<'_>) -> Result<String, Fault> {
        let params = json!({
            "RouteTableId": ask.route_table_id,
            "DestinationCidrBlock": ask.destination_cidr_block,
            "NextHopType": "Attachment",
            "NextHopId": ask.attachment_id,
            "RouteEntryName": given(ask.name),
            "Description": given(ask.description),
            "ClientToken": given(ask.token),
        });
        self.0.write("CreateRouteEntry", params).await?.row().need("RouteEntryId")
    }

    /// Deletes a route (`DeleteRouteEntry`); it takes no idempotency token.
    pub async fn delete_route_entry(&self, route_entry_id: &str) -> Result<(), Fault> {
        let params = json!({"RouteEntryId": route_entry_id});
        self.0.write("DeleteRouteEntry", params).await.map(drop)
    }
}

fn vswitch(row: &Row<'_>) -> Result<VSwitch, Fault> {
    Ok(VSwitch {
        vswitch_id: row.need("VSwitchId")?,
        vpc_id: row.text("VpcId"),
        zone_id: row.need("ZoneId")?,
        cidr_block: row.need("CidrBlock")?,
        status: row.text("Status"),
        name: row.text("VSwitchName"),
        available_ip_count: row.number("AvailableIpAddressCount"),
        route_table_id: row.text("RouteTable.RouteTableId"),
        route_table_type: row.text("RouteTable.RouteTableType"),
        network_acl_id: row.text("NetworkAclId"),
        tags: row.tags("Tags.Tag"),
    })
}

fn route_table(row: &Row<'_>) -> Result<RouteTable, Fault> {
    Ok(RouteTable {
        route_table_id: row.need("RouteTableId")?,
        route_table_type: row.text("RouteTableType"),
        status: row.text("Status"),
        vswitch_ids: row.texts("VSwitchIds.VSwitchId"),
    })
}

fn route_entry(row: &Row<'_>) -> Result<RouteEntry, Fault> {
    let hops = row.rows("NextHops.NextHop");
    Ok(RouteEntry {
        route_entry_id: row.text("RouteEntryId"),
        route_table_id: row.text("RouteTableId"),
        destination_cidr_block: row.need("DestinationCidrBlock")?,
        status: row.text("Status"),
        entry_type: row.text("Type"),
        name: row.text("RouteEntryName"),
        description: row.text("Description"),
        next_hops: hops.iter().map(next_hop).collect(),
    })
}

fn next_hop(row: &Row<'_>) -> NextHop {
    NextHop {
        next_hop_type: row.text("NextHopType"),
        next_hop_id: row.text("NextHopId"),
        related_instance_id: row.text("NextHopRelatedInfo.InstanceId"),
    }
}
