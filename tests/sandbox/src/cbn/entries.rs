//! Route entries of transit routers: the list of all, and those made by hand.

use super::links::resource;
use super::routes::{Route, of_table};
use super::state::{StaticRoute, at_rest, no_attachment};
use crate::clock::rfc3339;
use crate::listing::{invalid, lists, wants};
use crate::paging::{Size, by_token};
use crate::{Answer, Call, Course, Refusal, World};
use ipnet::Ipv4Net;
use serde_json::{Value, json};

pub(super) fn handle(world: &mut World, call: &Call) -> Option<Answer> {
    Some(match call.action.as_str() {
        "ListTransitRouterRouteEntries" => list(world, call),
        "CreateTransitRouterRouteEntry" => create(world, call),
        "DeleteTransitRouterRouteEntry" => delete(world, call),
        _ => return None,
    })
}

fn list(world: &World, call: &Call) -> Answer {
    let table_id = call.need("TransitRouterRouteTableId")?;
    let router = world.cbn.table(table_id)?.router.clone();
    let status = call.get("TransitRouterRouteEntryStatus").unwrap_or("Active");
    let prefix = |name: &str| -> Result<Option<Ipv4Net>, Refusal> { call.number(name) };
    let block = prefix("TransitRouterRouteEntryDestinationCidrBlock")?;
    let filters = route_filters(call)?;
    let rows = of_table(world, table_id)
        .into_iter()
        .filter(|r| status == "All" || r.status == status)
        .filter(|r| block.is_none_or(|b| b == r.destination))
        .filter(|r| filters.iter().all(|f| f.admits(r.destination)))
        .filter(|r| lists(call, "TransitRouterRouteEntryIds", &r.id))
        .filter(|r| lists(call, "TransitRouterRouteEntryNames", &r.name))
        .filter(|r| wants(call, "TransitRouterRouteEntryNextHopId", &r.next_hop))
        .filter(|r| wants(call, "TransitRouterRouteEntryOriginResourceId", &r.origin))
        .map(|r| row(world, &router, &r))
        .filter(|r| {
            [
                "TransitRouterRouteEntryNextHopResourceId",
                "TransitRouterRouteEntryNextHopResourceType",
                "TransitRouterRouteEntryNextHopType",
                "TransitRouterRouteEntryType",
            ]
            .iter()
            .all(|name| wants(call, name, r.get(*name).and_then(Value::as_str).unwrap_or("")))
        })
        .collect();
    by_token(call, rows, &["TransitRouterRouteEntries"], Size::new(20, 100))
}

struct RouteFilter {
    key: String,
    blocks: Vec<Ipv4Net>,
}

impl RouteFilter {
    fn admits(&self, destination: Ipv4Net) -> bool {
        self.blocks.iter().any(|block| match self.key.as_str() {
            "SubnetOfMatchCidrs" => block.contains(&destination),
            "SupernetOfMatchCidrs" | "LongestPrefixMatchCidrs" => destination.contains(block),
            _ => *block == destination,
        })
    }
}

fn route_filters(call: &Call) -> Result<Vec<RouteFilter>, Refusal> {
    (1..=5)
        .map_while(|n| call.get(&format!("RouteFilter.{n}.Key")).map(|key| (n, key.to_owned())))
        .map(|(n, key)| {
            let blocks = call.list(&format!("RouteFilter.{n}.Value"));
            let blocks: Result<Vec<Ipv4Net>, _> = blocks.iter().map(|b| b.parse()).collect();
            Ok(RouteFilter { key, blocks: blocks.map_err(|_| invalid("RouteFilter"))? })
        })
        .collect()
}

fn row(world: &World, router: &str, route: &Route) -> Value {
    let (hop, hop_type) = resource(world, &route.next_hop, router).unwrap_or_default();
    let black_hole = route.next_hop.is_empty();
    json!({
        "CreateTime": rfc3339(route.since_ms),
        "OperationalMode": route.is_static,
        "TransitRouterRouteEntryDescription": route.description,
        "TransitRouterRouteEntryDestinationCidrBlock": route.destination,
        "TransitRouterRouteEntryId": route.id,
        "TransitRouterRouteEntryName": route.name,
        "TransitRouterRouteEntryNextHopId": route.next_hop,
        "TransitRouterRouteEntryNextHopResourceId": hop,
        "TransitRouterRouteEntryNextHopResourceType": hop_type,
        "TransitRouterRouteEntryNextHopType": if black_hole { "BlackHole" } else { "Attachment" },
        "TransitRouterRouteEntryOriginResourceId": route.origin,
        "TransitRouterRouteEntryOriginResourceType": if route.is_static { "" } else { "VPC" },
        "TransitRouterRouteEntryStatus": route.status,
        "TransitRouterRouteEntryType": if route.is_static { "Static" } else { "Propagated" },
    })
}

fn create(world: &mut World, call: &Call) -> Answer {
    let table_id = call.need("TransitRouterRouteTableId")?;
    let name = "TransitRouterRouteEntryDestinationCidrBlock";
    call.need(name)?;
    let Some(block): Option<Ipv4Net> = call.number(name)? else { return Err(invalid(name)) };
    let table = world.cbn.table(table_id)?;
    at_rest(&table.course, world.now_ms)?;
    let next_hop = match call.need("TransitRouterRouteEntryNextHopType")? {
        "BlackHole" => String::new(),
        "Attachment" => {
            let id = call.need("TransitRouterRouteEntryNextHopId")?;
            let course = world.cbn.attachment_on(id, &table.router).ok_or_else(no_attachment)?;
            at_rest(course, world.now_ms)?;
            id.to_owned()
        }
        _ => return Err(invalid("TransitRouterRouteEntryNextHopType")),
    };
    if table.statics.contains_key(&block.trunc()) {
        return Err(Refusal::bad(
            "OperationFailed.CreateRouteEntryWithSameDestinationCidrBlock",
            "The route table already has a route with this destination.",
        ));
    }
    let id = world.fresh_id("rte");
    let until = world.after("Cbn.CreateTransitRouterRouteEntry");
    let route = StaticRoute {
        id: id.clone(),
        name: call.get("TransitRouterRouteEntryName").unwrap_or_default().to_owned(),
        description: call.get("TransitRouterRouteEntryDescription").unwrap_or_default().to_owned(),
        next_hop,
        course: Course::moving("Creating", until, "Active"),
        since_ms: world.now_ms,
    };
    world.cbn.table_mut(table_id)?.statics.insert(block.trunc(), route);
    Ok(json!({ "TransitRouterRouteEntryId": id }))
}

fn delete(world: &mut World, call: &Call) -> Answer {
    let until = world.after("Cbn.DeleteTransitRouterRouteEntry");
    let now = world.now_ms;
    let id = call.get("TransitRouterRouteEntryId");
    let block: Option<Ipv4Net> = call.number("TransitRouterRouteEntryDestinationCidrBlock")?;
    if id.is_none() && block.is_none() {
        call.need("TransitRouterRouteEntryId")?;
    }
    let found = world
        .cbn
        .tables
        .iter_mut()
        .filter(|(table, _)| wants(call, "TransitRouterRouteTableId", table))
        .flat_map(|(_, table)| table.statics.iter_mut())
        .find(|(destination, route)| {
            id.is_none_or(|id| id == route.id) && block.is_none_or(|b| b == **destination)
        });
    let Some((_, route)) = found else {
        return Err(Refusal::missing(
            "IllegalParam.TransitRouterRouteEntryId",
            "The specified TransitRouterRouteEntryId is illegal.",
        ));
    };
    at_rest(&route.course, now)?;
    route.course = Course::leaving("Deleting", until);
    Ok(json!({}))
}
