//! VPC attachments: one interface a zone, and the VPC becomes a neighbour of the router.

use super::routers;
use super::state::{VpcAttachment, ZoneMapping, at_rest, no_attachment};
use crate::clock::rfc3339;
use crate::listing::{in_region, wants};
use crate::paging::{Size, by_token};
use crate::tagging::{Tags, new_tags, tag_rows, tagged};
use crate::vpc::Placement;
use crate::{Answer, Call, Course, Refusal, World};
use serde_json::{Value, json};

pub(super) fn handle(world: &mut World, call: &Call) -> Option<Answer> {
    Some(match call.action.as_str() {
        "CreateTransitRouterVpcAttachment" => create(world, call),
        "ListTransitRouterVpcAttachments" => list(world, call),
        "UpdateTransitRouterVpcAttachmentAttribute" => update(world, call),
        "DeleteTransitRouterVpcAttachment" => delete(world, call),
        _ => return None,
    })
}

fn create(world: &mut World, call: &Call) -> Answer {
    let vpc_id = call.need("VpcId")?.to_owned();
    let region = world
        .vpc
        .vpcs
        .get(&vpc_id)
        .filter(|v| in_region(call, &v.region))
        .map(|v| v.region.clone())
        .ok_or_else(|| {
            Refusal::missing("InvalidVpcId.NotFound", "The specified VPC is not found.")
        })?;
    let tags = new_tags(call)?;
    let (cen, known) = router(world, call, &region)?;
    only_network(world, &vpc_id)?;
    let wanted = zones(world, call, &region, &vpc_id)?;
    let mut until = world.after("Cbn.CreateTransitRouterVpcAttachment");
    // The call without a router id makes one that nobody tagged.
    let router = known.unwrap_or_else(|| {
        until += world.durations.ms("Cbn.CreateTransitRouter");
        routers::make(world, &cen, &region, Tags::new())
    });
    let id = world.fresh_id("tr-attach");
    let zones = take(world, &id, wanted)?;
    let attachment = VpcAttachment {
        cen,
        router,
        region,
        vpc: vpc_id,
        zones,
        auto_publish: call.flag("AutoPublishRouteEnabled", false),
        name: call.get("TransitRouterAttachmentName").unwrap_or_default().to_owned(),
        description: call.get("TransitRouterAttachmentDescription").unwrap_or_default().to_owned(),
        course: Course::moving("Attaching", until, "Attached"),
        since_ms: world.now_ms,
        tags,
    };
    world.cbn.vpc_attachments.insert(id.clone(), attachment);
    Ok(json!({ "TransitRouterAttachmentId": id }))
}

/// The CEN, and the router if there is one: named, or the region's own.
fn router(world: &World, call: &Call, region: &str) -> Result<(String, Option<String>), Refusal> {
    let id = if let Some(id) = call.get("TransitRouterId") {
        id.to_owned()
    } else {
        let cen = call.need("CenId")?;
        call.need("RegionId")?;
        let Some((id, _)) = world.cbn.router_in(cen, region) else {
            routers::refuse_new(world, cen, region)?;
            return Ok((cen.to_owned(), None));
        };
        id.clone()
    };
    let router = world.cbn.router(&id)?;
    if router.region != region {
        return Err(Refusal::bad("IllegalParam.Region", "The specified region is illegal."));
    }
    at_rest(&world.cbn.cen(&router.cen)?.course, world.now_ms)?;
    at_rest(&router.course, world.now_ms)?;
    Ok((router.cen.clone(), Some(id)))
}

/// A VPC is on one network at a time.
fn only_network(world: &World, vpc: &str) -> Result<(), Refusal> {
    match world.cbn.vpc_attachments.values().find(|a| a.vpc == vpc) {
        None => Ok(()),
        Some(other) => {
            at_rest(&other.course, world.now_ms)?;
            Err(Refusal::bad(
                "InvalidOperation.VpcAlreadyAttached",
                format!("The VPC is already attached to the CEN instance {}.", other.cen),
            ))
        }
    }
}

fn zones(
    world: &World,
    call: &Call,
    region: &str,
    vpc: &str,
) -> Result<Vec<(String, String)>, Refusal> {
    let offered = world.file.regions.get(region).map(|r| r.transit_router_zones.as_slice());
    Placement {
        vpc,
        offered: offered.unwrap_or_default(),
        free: 1,
        missing: "InvalidVSwitchId.NotFound",
        not_available: "IncorrectStatus.VpcSwitch",
        full: "InvalidOperation.NoAvailableIp",
    }
    .of(world, call)
}

fn take(
    world: &mut World,
    owner: &str,
    wanted: Vec<(String, String)>,
) -> Result<Vec<ZoneMapping>, Refusal> {
    let mut taken = Vec::new();
    for (zone, vswitch) in wanted {
        let interface = world.fresh_id("eni");
        let now = world.now_ms;
        let address = world
            .vpc
            .vswitches
            .get_mut(&vswitch)
            .and_then(|s| s.take_address(owner, now))
            .ok_or_else(|| {
                Refusal::bad(
                    "InvalidOperation.NoAvailableIp",
                    "The vSwitch has no idle IP address.",
                )
            })?;
        taken.push(ZoneMapping { zone, vswitch, interface, address });
    }
    Ok(taken)
}

fn list(world: &World, call: &Call) -> Answer {
    let rows = world
        .cbn
        .vpc_attachments
        .iter()
        .filter(|(id, a)| {
            wants(call, "CenId", &a.cen)
                && in_region(call, &a.region)
                && wants(call, "TransitRouterId", &a.router)
                && wants(call, "TransitRouterAttachmentId", id)
                && wants(call, "VpcId", &a.vpc)
                && wants(call, "Status", a.course.status(world.now_ms))
                && tagged(call, &a.tags)
        })
        .map(|(id, a)| row(world, id, a))
        .collect();
    by_token(call, rows, &["TransitRouterAttachments"], Size::new(20, 100))
}

fn row(world: &World, id: &str, a: &VpcAttachment) -> Value {
    let zones: Vec<Value> = a
        .zones
        .iter()
        .map(|z| {
            json!({
                "NetworkInterfaceId": z.interface, "VSwitchId": z.vswitch, "ZoneId": z.zone,
            })
        })
        .collect();
    json!({
        "AutoPublishRouteEnabled": a.auto_publish,
        "CenId": a.cen,
        "ChargeType": "POSTPAY",
        "CreationTime": rfc3339(a.since_ms),
        "OrderType": "PayByCenOwner",
        "ResourceType": "VPC",
        "Status": a.course.status(world.now_ms),
        "Tags": tag_rows(&a.tags, "Key", "Value"),
        "TransitRouterAttachmentDescription": a.description,
        "TransitRouterAttachmentId": id,
        "TransitRouterAttachmentName": a.name,
        "TransitRouterId": a.router,
        "TransitRouterVPCAttachmentOptions": {"ipv6Support": "disable"},
        "VpcId": a.vpc,
        "VpcOwnerId": world.account_number(),
        "VpcRegionId": a.region,
        "ZoneMappings": zones,
    })
}

fn update(world: &mut World, call: &Call) -> Answer {
    let id = call.need("TransitRouterAttachmentId")?;
    let until = world.after("Cbn.UpdateTransitRouterVpcAttachmentAttribute");
    let now = world.now_ms;
    let found = world.cbn.vpc_attachments.get_mut(id).ok_or_else(no_attachment)?;
    at_rest(&found.course, now)?;
    found.auto_publish = call.flag("AutoPublishRouteEnabled", found.auto_publish);
    call.replace("TransitRouterAttachmentName", &mut found.name);
    call.replace("TransitRouterAttachmentDescription", &mut found.description);
    found.course = Course::moving("Modifying", until, "Attached");
    Ok(json!({}))
}

fn delete(world: &mut World, call: &Call) -> Answer {
    let id = call.need("TransitRouterAttachmentId")?;
    let found = world.cbn.vpc_attachments.get(id).ok_or_else(no_attachment)?;
    at_rest(&found.course, world.now_ms)?;
    at_rest(&world.cbn.router(&found.router)?.course, world.now_ms)?;
    refuse_linked(world, id, call.flag("Force", false))?;
    let until = world.after("Cbn.DeleteTransitRouterVpcAttachment");
    if let Some(found) = world.cbn.vpc_attachments.get_mut(id) {
        found.course = Course::leaving("Detaching", until);
    }
    drop_links(world, id, until);
    Ok(json!({}))
}

/// What still uses an attachment keeps it, unless the call forces.
pub(super) fn refuse_linked(world: &World, id: &str, force: bool) -> Result<(), Refusal> {
    if world.cbn.links_of(id).any(|(_, link)| link.course.in_motion(world.now_ms)) {
        return Err(super::state::blocking());
    }
    if force {
        return Ok(());
    }
    let in_vpc = world
        .vpc
        .route_tables
        .values()
        .any(|t| t.entries.values().any(|e| e.kind == "Custom" && e.next_hop == id));
    if in_vpc {
        return Err(Refusal::bad(
            "IncorrectStatus.VpcRouteEntry",
            "A route entry of the VPC still points to the attachment.",
        ));
    }
    if world.cbn.links_of(id).next().is_some() || world.cbn.routed(id) {
        return Err(Refusal::bad(
            "IncorrectStatus.Attachment",
            "The attachment is still associated, propagated or the next hop of a route.",
        ));
    }
    Ok(())
}

/// Takes associations, propagations and routes of a leaving attachment along.
pub(super) fn drop_links(world: &mut World, id: &str, until: u64) {
    for table in world.cbn.tables.values_mut() {
        if let Some(link) = table.associations.get_mut(id) {
            link.course = Course::leaving("Dissociating", until);
        }
        if let Some(link) = table.propagations.get_mut(id) {
            link.course = Course::leaving("Disabling", until);
        }
        for route in table.statics.values_mut().filter(|s| s.next_hop == id) {
            route.course = Course::leaving("Deleting", until);
        }
    }
    for table in world.vpc.route_tables.values_mut() {
        for entry in table.entries.values_mut().filter(|e| e.next_hop == id) {
            entry.course = Course::leaving("Deleting", until);
        }
    }
}
