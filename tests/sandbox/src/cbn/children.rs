//! The VPCs of a CEN, and the blocks that keep a VPC's routes out of it.

use super::routes::{of_table, overlap};
use crate::clock::rfc3339;
use crate::listing::wants;
use crate::paging::by_number;
use crate::{Answer, Call, Refusal, World};
use ipnet::Ipv4Net;
use serde_json::{Value, json};

pub(super) fn handle(world: &mut World, call: &Call) -> Option<Answer> {
    Some(match call.action.as_str() {
        "DescribeCenAttachedChildInstances" => attached(world, call),
        "DescribeRouteConflict" => conflicts(world, call),
        _ => return None,
    })
}

fn attached(world: &World, call: &Call) -> Answer {
    let cen = call.need("CenId")?;
    world.cbn.cen(cen)?;
    let rows = world
        .cbn
        .vpc_attachments
        .values()
        .filter(|a| {
            a.cen == cen
                && wants(call, "ChildInstanceRegionId", &a.region)
                && wants(call, "ChildInstanceType", "VPC")
        })
        .map(|a| {
            json!({
                "CenId": cen,
                "ChildInstanceAttachTime": rfc3339(a.since_ms),
                "ChildInstanceId": a.vpc,
                "ChildInstanceOwnerId": world.account_number(),
                "ChildInstanceRegionId": a.region,
                "ChildInstanceType": "VPC",
                "Status": a.course.status(world.now_ms),
            })
        })
        .collect();
    by_number(call, rows, &["ChildInstances", "ChildInstance"], 50)
}

fn conflicts(world: &World, call: &Call) -> Answer {
    let id = call.need("ChildInstanceId")?;
    call.need("ChildInstanceRouteTableId")?;
    let block: Option<Ipv4Net> = call.number("DestinationCidrBlock")?;
    let vpc = world.vpc.vpcs.get(id).ok_or_else(|| {
        Refusal::missing("InvalidVpcId.NotFound", "The specified VPC is not found.")
    })?;
    let own: Vec<Ipv4Net> = vpc.blocks().collect();
    let tables =
        world.cbn.vpc_attachments.iter().filter(|(_, a)| a.vpc == id).filter_map(
            |(attachment, a)| world.cbn.forwards_by(attachment, &a.router, world.now_ms),
        );
    let rows: Vec<Value> = tables
        .flat_map(|table| of_table(world, table))
        .filter(|r| r.origin != id && own.iter().any(|b| overlap(*b, r.destination)))
        .filter(|r| block.is_none_or(|b| overlap(b, r.destination)))
        .map(|r| {
            json!({
                "DestinationCidrBlock": r.destination,
                "InstanceId": r.origin,
                "InstanceType": "VPC",
                "RegionId": world.vpc.vpcs.get(&r.origin).map(|v| v.region.as_str()),
                "Status": "conflict",
            })
        })
        .collect();
    by_number(call, rows, &["RouteConflicts", "RouteConflict"], 50)
}
