//! Transit routers and the service that has to be open for them.

use super::state::{Router, State, Table, at_rest};
use crate::clock::rfc3339;
use crate::listing::{in_region, wants};
use crate::paging::by_number;
use crate::tagging::{Tags, new_tags, tag_rows, tagged};
use crate::{Answer, Call, Course, Refusal, World};
use serde_json::json;
use std::collections::BTreeMap;

pub(super) fn handle(world: &mut World, call: &Call) -> Option<Answer> {
    Some(match call.action.as_str() {
        "CheckTransitRouterService" => Ok(check(world)),
        "OpenTransitRouterService" => open(world),
        "ListTransitRouterAvailableResource" => available(world, call),
        "CreateTransitRouter" => create(world, call),
        "ListTransitRouters" => list(world, call),
        "UpdateTransitRouter" => update(world, call),
        "DeleteTransitRouter" => delete(world, call),
        _ => return None,
    })
}

fn is_open(world: &World) -> bool {
    world.file.account.transit_router_service || world.activated.contains("Cbn")
}

fn check(world: &World) -> serde_json::Value {
    if is_open(world) { json!({"Enabled": "true"}) } else { json!({}) }
}

fn open(world: &mut World) -> Answer {
    if is_open(world) {
        return Err(Refusal::bad("ORDER.OPEND", "The service has been opened."));
    }
    world.activated.insert("Cbn".to_owned());
    Ok(json!({"OrderId": world.fresh_id("order")}))
}

fn available(world: &World, call: &Call) -> Answer {
    let region = call.need("RegionId")?;
    let zones = world
        .file
        .regions
        .get(region)
        .ok_or_else(|| Refusal::bad("IllegalParam.Region", "The specified region is illegal."))?
        .transit_router_zones
        .clone();
    Ok(json!({"AvailableZones": zones, "SupportMulticast": false}))
}

fn create(world: &mut World, call: &Call) -> Answer {
    let (cen, region) = (call.need("CenId")?.to_owned(), call.need("RegionId")?.to_owned());
    let tags = new_tags(call)?;
    refuse_new(world, &cen, &region)?;
    if world.cbn.router_in(&cen, &region).is_some() {
        return Err(Refusal::bad(
            "InvalidOperation.TransitRouterExist",
            "The region of the CEN instance already has a transit router.",
        ));
    }
    let id = make(world, &cen, &region, tags);
    if let Some(router) = world.cbn.routers.get_mut(&id) {
        call.get("TransitRouterName").unwrap_or_default().clone_into(&mut router.name);
        call.get("TransitRouterDescription")
            .unwrap_or_default()
            .clone_into(&mut router.description);
    }
    Ok(json!({ "TransitRouterId": id }))
}

/// Refuses what no new transit router, asked for or implicit, gets past.
pub(super) fn refuse_new(world: &World, cen: &str, region: &str) -> Result<(), Refusal> {
    if !is_open(world) {
        return Err(Refusal::bad(
            "Forbidden.TransitRouterServiceNotOpen",
            "The transit router service is not activated.",
        ));
    }
    at_rest(&world.cbn.cen(cen)?.course, world.now_ms)?;
    if world.file.regions.get(region).is_none_or(|r| r.transit_router_zones.is_empty()) {
        return Err(Refusal::bad("IllegalParam.Region", "The specified region is illegal."));
    }
    Ok(())
}

/// Makes a transit router with its system route table.
pub(super) fn make(world: &mut World, cen: &str, region: &str, tags: Tags) -> String {
    let (id, table) = (world.fresh_id("tr"), world.fresh_id("vtb"));
    let until = world.after("Cbn.CreateTransitRouter");
    let router = Router {
        cen: cen.to_owned(),
        region: region.to_owned(),
        name: String::new(),
        description: String::new(),
        course: Course::moving("Creating", until, "Active"),
        since_ms: world.now_ms,
        tags,
    };
    let system = Table {
        router: id.clone(),
        kind: "System".to_owned(),
        name: String::new(),
        description: String::new(),
        course: Course::moving("Creating", until, "Active"),
        since_ms: world.now_ms,
        tags: Tags::new(),
        associations: BTreeMap::new(),
        propagations: BTreeMap::new(),
        statics: BTreeMap::new(),
    };
    world.cbn.routers.insert(id.clone(), router);
    world.cbn.tables.insert(table, system);
    id
}

fn list(world: &World, call: &Call) -> Answer {
    if let Some(cen) = call.get("CenId") {
        world.cbn.cen(cen)?;
    }
    let rows = world
        .cbn
        .routers
        .iter()
        .filter(|(id, r)| {
            wants(call, "CenId", &r.cen)
                && in_region(call, &r.region)
                && wants(call, "TransitRouterId", id)
                && wants(call, "TransitRouterName", &r.name)
                && wants(call, "Status", r.course.status(world.now_ms))
                && wants(call, "Type", "Enterprise")
                && tagged(call, &r.tags)
        })
        .map(|(id, r)| {
            json!({
                "AliUid": world.account_number(),
                "CenId": r.cen,
                "CreationTime": rfc3339(r.since_ms),
                "RegionId": r.region,
                "Status": r.course.status(world.now_ms),
                "SupportMulticast": false,
                "Tags": tag_rows(&r.tags, "Key", "Value"),
                "TransitRouterCidrList": [],
                "TransitRouterDescription": r.description,
                "TransitRouterId": id,
                "TransitRouterName": r.name,
                "Type": "Enterprise",
            })
        })
        .collect();
    by_number(call, rows, &["TransitRouters"], 50)
}

fn known(state: &State, id: &str) -> Result<(), Refusal> {
    if state.routers.contains_key(id) {
        return Ok(());
    }
    Err(Refusal::bad("ParameterInstanceId", "The specified instance ID is illegal."))
}

fn update(world: &mut World, call: &Call) -> Answer {
    let id = call.need("TransitRouterId")?;
    known(&world.cbn, id)?;
    at_rest(&world.cbn.router(id)?.course, world.now_ms)?;
    if let Some(router) = world.cbn.routers.get_mut(id) {
        call.replace("TransitRouterName", &mut router.name);
        call.replace("TransitRouterDescription", &mut router.description);
    }
    Ok(json!({}))
}

fn delete(world: &mut World, call: &Call) -> Answer {
    let id = call.need("TransitRouterId")?;
    known(&world.cbn, id)?;
    let router = world.cbn.router(id)?;
    at_rest(&router.course, world.now_ms)?;
    at_rest(&world.cbn.cen(&router.cen)?.course, world.now_ms)?;
    let attached = world.cbn.vpc_attachments.values().any(|a| a.router == id)
        || world.cbn.peer_attachments.values().any(|a| a.router == id || a.peer_router == id);
    if attached {
        return Err(Refusal::bad(
            "InvalidOperation.AttachedChildInstanceExist",
            "The transit router still has attachments.",
        ));
    }
    if world.cbn.tables.values().any(|t| t.router == id && t.kind == "Custom") {
        return Err(Refusal::bad(
            "IncorrectStatus.TransitRouterInstance",
            "The transit router still has custom route tables.",
        ));
    }
    let until = world.after("Cbn.DeleteTransitRouter");
    if let Some(router) = world.cbn.routers.get_mut(id) {
        router.course = Course::leaving("Deleting", until);
    }
    for table in world.cbn.tables.values_mut().filter(|t| t.router == id) {
        table.course = Course::leaving("Deleting", until);
    }
    Ok(json!({}))
}
