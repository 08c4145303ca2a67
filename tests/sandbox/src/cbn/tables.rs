//! Route tables of transit routers: each has one system table, and custom ones.

use super::state::{Table, at_rest};
use crate::clock::rfc3339;
use crate::listing::{lists, wants};
use crate::paging::{Size, by_token};
use crate::tagging::{new_tags, tag_rows, tagged};
use crate::{Answer, Call, Course, Refusal, World};
use serde_json::json;
use std::collections::BTreeMap;

pub(super) fn handle(world: &mut World, call: &Call) -> Option<Answer> {
    Some(match call.action.as_str() {
        "CreateTransitRouterRouteTable" => create(world, call),
        "ListTransitRouterRouteTables" => list(world, call),
        "UpdateTransitRouterRouteTable" => update(world, call),
        "DeleteTransitRouterRouteTable" => delete(world, call),
        _ => return None,
    })
}

fn create(world: &mut World, call: &Call) -> Answer {
    let router = call.need("TransitRouterId")?;
    at_rest(&world.cbn.router(router)?.course, world.now_ms)?;
    let tags = new_tags(call)?;
    let id = world.fresh_id("vtb");
    let until = world.after("Cbn.CreateTransitRouterRouteTable");
    let table = Table {
        router: router.to_owned(),
        kind: "Custom".to_owned(),
        name: call.get("TransitRouterRouteTableName").unwrap_or_default().to_owned(),
        description: call.get("TransitRouterRouteTableDescription").unwrap_or_default().to_owned(),
        course: Course::moving("Creating", until, "Active"),
        since_ms: world.now_ms,
        tags,
        associations: BTreeMap::new(),
        propagations: BTreeMap::new(),
        statics: BTreeMap::new(),
    };
    world.cbn.tables.insert(id.clone(), table);
    Ok(json!({ "TransitRouterRouteTableId": id }))
}

fn list(world: &World, call: &Call) -> Answer {
    if let Some(router) = call.get("TransitRouterId") {
        world.cbn.router(router)?;
    }
    let rows = world
        .cbn
        .tables
        .iter()
        .filter(|(id, t)| {
            wants(call, "TransitRouterId", &t.router)
                && lists(call, "TransitRouterRouteTableIds", id)
                && lists(call, "TransitRouterRouteTableNames", &t.name)
                && wants(call, "TransitRouterRouteTableStatus", t.course.status(world.now_ms))
                && wants(call, "TransitRouterRouteTableType", &t.kind)
                && tagged(call, &t.tags)
        })
        .map(|(id, t)| {
            json!({
                "CreateTime": rfc3339(t.since_ms),
                "RegionId": world.cbn.routers.get(&t.router).map(|r| r.region.as_str()),
                "RouteTableOptions": {"MultiRegionECMP": "disable"},
                "Tags": tag_rows(&t.tags, "Key", "Value"),
                "TransitRouterId": t.router,
                "TransitRouterRouteTableDescription": t.description,
                "TransitRouterRouteTableId": id,
                "TransitRouterRouteTableName": t.name,
                "TransitRouterRouteTableStatus": t.course.status(world.now_ms),
                "TransitRouterRouteTableType": t.kind,
            })
        })
        .collect();
    by_token(call, rows, &["TransitRouterRouteTables"], Size::new(20, 100))
}

fn update(world: &mut World, call: &Call) -> Answer {
    let id = call.need("TransitRouterRouteTableId")?;
    at_rest(&world.cbn.table(id)?.course, world.now_ms)?;
    let table = world.cbn.table_mut(id)?;
    call.replace("TransitRouterRouteTableName", &mut table.name);
    call.replace("TransitRouterRouteTableDescription", &mut table.description);
    Ok(json!({}))
}

fn delete(world: &mut World, call: &Call) -> Answer {
    let id = call.need("TransitRouterRouteTableId")?;
    let table = world.cbn.table(id)?;
    if table.kind == "System" {
        return Err(Refusal::bad(
            "InvalidOperation.SystemRouteTable",
            "The system route table cannot be deleted.",
        ));
    }
    at_rest(&table.course, world.now_ms)?;
    let used = !(table.associations.is_empty()
        && table.propagations.is_empty()
        && table.statics.is_empty());
    if used {
        return Err(Refusal::bad(
            "IncorrectStatus.TransitRouterRouteTable",
            "The route table still has associations, propagations or routes.",
        ));
    }
    let until = world.after("Cbn.DeleteTransitRouterRouteTable");
    world.cbn.table_mut(id)?.course = Course::leaving("Deleting", until);
    Ok(json!({}))
}
