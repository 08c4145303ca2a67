//! Regions, zones, VPCs and vSwitches as the API shows them.

use super::{VSwitch, Vpc, known_region};
use crate::clock::rfc3339;
use crate::listing::{among, in_region, wants};
use crate::paging::by_number;
use crate::tagging::{tag_rows, tagged};
use crate::{Answer, Call, Refusal, World, cbn};
use serde_json::{Value, json};

pub(super) fn regions(world: &World) -> Value {
    json!({"Regions": {"Region": region_rows(world, "vpc")}})
}

/// All regions, with the address that a product has there.
pub(crate) fn region_rows(world: &World, product: &str) -> Vec<Value> {
    let row = |id: &str| {
        json!({
            "RegionId": id,
            "LocalName": id,
            "RegionEndpoint": format!("{product}.{id}.aliyuncs.com"),
        })
    };
    world.region_ids().into_iter().map(row).collect()
}

pub(super) fn zones(world: &World, call: &Call) -> Answer {
    let region = call.need("RegionId")?;
    known_region(world, call)?;
    let rows: Vec<Value> = world
        .zone_ids(region)
        .into_iter()
        .map(|id| json!({"ZoneId": id, "LocalName": id, "ZoneType": "AvailabilityZone"}))
        .collect();
    Ok(json!({"Zones": {"Zone": rows}}))
}

pub(super) fn vpcs(world: &World, call: &Call) -> Answer {
    let region = call.need("RegionId")?;
    known_region(world, call)?;
    let rows = world
        .vpc
        .vpcs
        .iter()
        .filter(|(id, vpc)| {
            vpc.region == region
                && among(call, "VpcId", id)
                && wants(call, "VpcName", &vpc.name)
                && tagged(call, &vpc.tags)
        })
        .map(|(id, vpc)| {
            let mut row = vpc_row(world, id, vpc);
            if let Value::Object(row) = &mut row {
                let attached = !cbn::associated_cens(world, id).is_empty();
                row.insert("CenStatus".into(), if attached { "Attached" } else { "" }.into());
                row.insert("RouterTableIds".into(), router_tables(world, id));
            }
            row
        })
        .collect();
    by_number(call, rows, &["Vpcs", "Vpc"], 50)
}

fn router_tables(world: &World, vpc: &str) -> Value {
    let tables = world.vpc.route_tables.iter().filter(|(_, t)| t.vpc == vpc);
    json!({"RouterTableIds": tables.map(|(id, _)| id).collect::<Vec<_>>()})
}

/// What `DescribeVpcs` and `DescribeVpcAttribute` have in common.
fn vpc_row(world: &World, id: &str, vpc: &Vpc) -> Value {
    let vswitches = world.vpc.vswitches.iter().filter(|(_, v)| v.vpc == *id);
    json!({
        "VpcId": id,
        "VpcName": vpc.name,
        "RegionId": vpc.region,
        "CidrBlock": vpc.cidr.to_string(),
        "SecondaryCidrBlocks": {"SecondaryCidrBlock": texts(&vpc.secondary)},
        "UserCidrs": {"UserCidr": texts(&vpc.user)},
        "Status": "Available",
        "VRouterId": vrouter(id),
        "VSwitchIds": {"VSwitchId": vswitches.map(|(id, _)| id).collect::<Vec<_>>()},
        "CreationTime": rfc3339(vpc.since_ms),
        "Description": "",
        "IsDefault": false,
        "EnabledIpv6": false,
        "OwnerId": owner(world, id),
        "ResourceGroupId": "",
        "Tags": {"Tag": tag_rows(&vpc.tags, "Key", "Value")},
    })
}

/// The account that a VPC and what lies in it belong to.
fn owner(world: &World, vpc: &str) -> u64 {
    let others = world.file.vpcs.get(vpc).and_then(|file| file.owner);
    others.unwrap_or_else(|| world.account_number())
}

fn network_acl(world: &World, id: &str, vswitch: &VSwitch) -> String {
    let file = world.file.vpcs.get(&vswitch.vpc).and_then(|vpc| vpc.vswitches.get(id));
    file.and_then(|file| file.network_acl.clone()).unwrap_or_default()
}

fn texts(blocks: &[ipnet::Ipv4Net]) -> Vec<String> {
    blocks.iter().map(ToString::to_string).collect()
}

/// The virtual router of a VPC: there is one, so its id follows from the VPC's.
pub(super) fn vrouter(vpc: &str) -> String {
    format!("vrt-{}", vpc.strip_prefix("vpc-").unwrap_or(vpc))
}

pub(super) fn vpc_attribute(world: &World, call: &Call) -> Answer {
    let id = call.need("VpcId")?;
    let region = call.need("RegionId")?;
    known_region(world, call)?;
    let vpc = world.vpc.vpcs.get(id).filter(|vpc| vpc.region == region).ok_or_else(|| {
        Refusal::missing("InvalidVpcID.NotFound", "Specified VPC does not exist.")
    })?;
    let mut row = vpc_row(world, id, vpc);
    let cens: Vec<Value> = cbn::associated_cens(world, id)
        .into_iter()
        .map(|(cen, status)| json!({"CenId": cen, "CenOwnerId": world.account_number(), "CenStatus": status}))
        .collect();
    if let Value::Object(row) = &mut row {
        row.insert("AssociatedCens".into(), json!({"AssociatedCen": cens}));
        row.insert("ClassicLinkEnabled".into(), false.into());
        row.insert("CloudResources".into(), cloud_resources(world, id));
        row.insert("Ipv4GatewayId".into(), "".into());
        row.insert("SupportIpv4Gateway".into(), false.into());
    }
    Ok(row)
}

fn cloud_resources(world: &World, vpc: &str) -> Value {
    let vswitches = world.vpc.vswitches.values().filter(|v| v.vpc == vpc).count();
    let tables = world.vpc.route_tables.values().filter(|t| t.vpc == vpc).count();
    json!({"CloudResourceSetType": [
        {"ResourceType": "VRouter", "ResourceCount": 1},
        {"ResourceType": "VSwitch", "ResourceCount": vswitches},
        {"ResourceType": "RouteTable", "ResourceCount": tables},
    ]})
}

pub(super) fn vswitches(world: &World, call: &Call) -> Answer {
    known_region(world, call)?;
    let rows = world
        .vpc
        .vswitches
        .iter()
        .filter(|(id, vswitch)| {
            in_region(call, &vswitch.region)
                && wants(call, "VpcId", &vswitch.vpc)
                && among(call, "VSwitchId", id)
                && wants(call, "ZoneId", &vswitch.zone)
                && wants(call, "VSwitchName", &vswitch.name)
                && wants(call, "RouteTableId", &vswitch.route_table)
                && tagged(call, &vswitch.tags)
        })
        .map(|(id, vswitch)| vswitch_row(world, id, vswitch))
        .collect();
    by_number(call, rows, &["VSwitches", "VSwitch"], 50)
}

pub(super) fn vswitch_attributes(world: &World, call: &Call) -> Answer {
    let id = call.need("VSwitchId")?;
    known_region(world, call)?;
    let vswitch = super::vswitch::find(world, call, id)?;
    Ok(vswitch_row(world, id, vswitch))
}

fn vswitch_row(world: &World, id: &str, vswitch: &VSwitch) -> Value {
    let kind = world.vpc.route_tables.get(&vswitch.route_table).map_or("", |t| &t.kind);
    json!({
        "VSwitchId": id,
        "VSwitchName": vswitch.name,
        "VpcId": vswitch.vpc,
        "ZoneId": vswitch.zone,
        "CidrBlock": vswitch.cidr.to_string(),
        "AvailableIpAddressCount": vswitch.free_addresses(world.now_ms),
        "Status": vswitch.course.status(world.now_ms),
        "RouteTable": {"RouteTableId": vswitch.route_table, "RouteTableType": kind},
        "CreationTime": rfc3339(vswitch.since_ms),
        "Description": "",
        "EnabledIpv6": false,
        "Ipv6CidrBlock": "",
        "IsDefault": false,
        "NetworkAclId": network_acl(world, id, vswitch),
        "OwnerId": owner(world, &vswitch.vpc),
        "ResourceGroupId": "",
        "ShareType": "",
        "Tags": {"Tag": tag_rows(&vswitch.tags, "Key", "Value")},
    })
}
