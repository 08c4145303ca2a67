//! vSwitches made, renamed, deleted, and the rules on the way.

use super::VSwitch;
use super::seed::put_vswitch;
use crate::cbn::routes::overlap;
use crate::tagging::new_tags;
use crate::{Answer, Call, Course, Refusal, World, cbn};
use ipnet::Ipv4Net;
use serde_json::json;

/// Blocks that no vSwitch may touch.
const RESERVED: &[&str] = &["100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/4"];

/// A vSwitch by id, in the region that the call names if it names one.
pub(super) fn find<'a>(world: &'a World, call: &Call, id: &str) -> Result<&'a VSwitch, Refusal> {
    world
        .vpc
        .vswitches
        .get(id)
        .filter(|v| call.get("RegionId").is_none_or(|region| v.region == region))
        .ok_or_else(|| {
            Refusal::missing(
                "InvalidVswitchID.NotFound",
                "Specified virtual switch does not exist.",
            )
        })
}

pub(super) fn create(world: &mut World, call: &Call) -> Answer {
    let vpc_id = call.need("VpcId")?.to_owned();
    let zone = call.need("ZoneId")?.to_owned();
    let block = call.need("CidrBlock")?;
    super::known_region(world, call)?;
    let tags = new_tags(call)?;
    let vpc = world
        .vpc
        .vpcs
        .get(&vpc_id)
        .filter(|v| call.get("RegionId").is_none_or(|region| v.region == region))
        .ok_or_else(|| {
            Refusal::missing("InvalidVpcId.NotFound", "Specified VPC does not exist.")
        })?;
    if !world.zone_ids(&vpc.region).contains(zone.as_str()) {
        return Err(Refusal::missing(
            "InvalidZoneId.NotFound",
            "Specified value of \"ZoneId\" is not exists.",
        ));
    }
    let cidr = legal_block(world, &vpc_id, block)?;
    quiet(world, &vpc_id, "CreateVSwitch")?;
    let id = world.fresh_id("vsw");
    let until = world.after("Vpc.CreateVSwitch");
    if let Some(vswitch) = put_vswitch(world, &vpc_id, &id, &zone, cidr) {
        call.get("VSwitchName").unwrap_or_default().clone_into(&mut vswitch.name);
        vswitch.course = Course::moving("Pending", until, "Available");
        vswitch.tags = tags;
    }
    Ok(json!({"VSwitchId": id}))
}

/// Mask, place inside the VPC, no overlap, no route to the very block.
fn legal_block(world: &World, vpc_id: &str, text: &str) -> Result<Ipv4Net, Refusal> {
    let malformed =
        || Refusal::bad("InvalidCidrBlock.Malformed", "Specified CIDR block is not valid.");
    let cidr: Ipv4Net = text.parse().map_err(|_| malformed())?;
    let reserved =
        RESERVED.iter().filter_map(|r| r.parse::<Ipv4Net>().ok()).any(|r| overlap(r, cidr));
    if cidr.trunc() != cidr || !(16..=29).contains(&cidr.prefix_len()) || reserved {
        return Err(malformed());
    }
    let inside = world.vpc.vpcs.get(vpc_id).is_some_and(|v| v.blocks().any(|b| b.contains(&cidr)));
    if !inside {
        return Err(Refusal::bad(
            "InvalidCidrBlock.Mismatch",
            "Specified CIDR block is not in the CIDR block of the VPC.",
        ));
    }
    if world.vpc.vswitches.values().any(|v| v.vpc == vpc_id && overlap(v.cidr, cidr)) {
        return Err(Refusal::bad(
            "InvalidCidrBlock.Overlapped",
            "Specified CIDR block overlapped with other subnets.",
        ));
    }
    let routed =
        world.vpc.route_tables.values().any(|t| t.vpc == vpc_id && t.entries.contains_key(&cidr));
    if routed {
        return Err(Refusal::bad(
            "InvalidCidrBlock.Conflict",
            "Specified CIDR block conflicts with the destination of a route entry.",
        ));
    }
    Ok(cidr)
}

/// Refuses while the VPC is busy: it does one change of its network at a time.
fn quiet(world: &World, vpc_id: &str, action: &str) -> Result<(), Refusal> {
    if cbn::vpc_in_motion(world, vpc_id) {
        return Err(Refusal::bad(
            format!("{action}.IncorrectStatus.cbnStatus"),
            "The VPC is being attached to or detached from a CEN.",
        ));
    }
    let now = world.now_ms;
    if world.vpc.vswitches.values().any(|v| v.vpc == vpc_id && v.course.in_motion(now)) {
        return Err(task_conflict());
    }
    Ok(())
}

/// The VPC is at work on another change.
pub(super) fn task_conflict() -> Refusal {
    Refusal::bad("TaskConflict", "The operation conflicts with another task of the VPC.")
}

pub(super) fn modify(world: &mut World, call: &Call) -> Answer {
    let id = call.need("VSwitchId")?;
    find(world, call, id)?;
    if let Some(name) = call.get("VSwitchName")
        && let Some(vswitch) = world.vpc.vswitches.get_mut(id)
    {
        name.clone_into(&mut vswitch.name);
    }
    Ok(json!({}))
}

pub(super) fn delete(world: &mut World, call: &Call) -> Answer {
    let id = call.need("VSwitchId")?;
    let vswitch = find(world, call, id)?;
    let now = world.now_ms;
    if vswitch.course.in_motion(now) {
        return Err(Refusal::bad(
            "IncorrectVSwitchStatus",
            "The status of the VSwitch does not support the operation.",
        ));
    }
    // Interfaces of deleted things stay a while after the things are gone.
    if !vswitch.used.is_empty() || vswitch.lagging.values().any(|until| now < *until) {
        return Err(Refusal::bad(
            "DependencyViolation",
            "There is still a network interface in the VSwitch.",
        ));
    }
    quiet(world, &vswitch.vpc, "DeleteVSwitch")?;
    let (vpc, cidr) = (vswitch.vpc.clone(), vswitch.cidr);
    world.vpc.vswitches.remove(id);
    for table in world.vpc.route_tables.values_mut().filter(|t| t.vpc == vpc) {
        table.entries.remove(&cidr);
    }
    Ok(json!({}))
}
