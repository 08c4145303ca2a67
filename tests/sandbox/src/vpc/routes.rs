//! Route tables of VPCs and their entries.

use super::describe::vrouter;
use super::vswitch::task_conflict;
use super::{RouteEntry, RouteTable, known_region};
use crate::clock::rfc3339;
use crate::listing::{in_region, lists, wants};
use crate::paging::{Size, by_number, by_token};
use crate::{Answer, Call, Course, Refusal, World, cbn};
use ipnet::Ipv4Net;
use serde_json::{Value, json};

/// Tables that a call asks for; `kind` names its filter on the type of table.
fn chosen<'a>(
    world: &'a World,
    call: &'a Call,
    kind: &str,
) -> impl Iterator<Item = (&'a String, &'a RouteTable)> {
    let kind = call.get(kind);
    world.vpc.route_tables.iter().filter(move |(id, table)| {
        in_region(call, &table.region)
            && wants(call, "VpcId", &table.vpc)
            && wants(call, "RouteTableId", id)
            && wants(call, "RouterId", &vrouter(&table.vpc))
            && wants(call, "VRouterId", &vrouter(&table.vpc))
            && kind.is_none_or(|want| want == table.kind)
    })
}

fn users<'a>(world: &'a World, table: &str) -> Vec<&'a String> {
    let all = world.vpc.vswitches.iter();
    all.filter(|(_, v)| v.route_table == table).map(|(id, _)| id).collect()
}

pub(super) fn table_list(world: &World, call: &Call) -> Answer {
    call.need("RegionId")?;
    known_region(world, call)?;
    let rows = chosen(world, call, "RouteTableType")
        .map(|(id, table)| {
            json!({
                "RouteTableId": id,
                "RouteTableName": "",
                "RouteTableType": table.kind,
                "RouterId": vrouter(&table.vpc),
                "RouterType": "VRouter",
                "VpcId": table.vpc,
                "VSwitchIds": {"VSwitchId": users(world, id)},
                "AssociateType": "VSwitch",
                "GatewayIds": {"GatewayIds": []},
                "CreationTime": rfc3339(since(world, table)),
                "Description": "",
                "OwnerId": world.account_number(),
                "ResourceGroupId": "",
                "RoutePropagationEnable": true,
                "Status": "Available",
                "Tags": {"Tag": []},
            })
        })
        .collect();
    by_number(call, rows, &["RouterTableList", "RouterTableListType"], 50)
}

fn since(world: &World, table: &RouteTable) -> u64 {
    world.vpc.vpcs.get(&table.vpc).map_or(0, |vpc| vpc.since_ms)
}

pub(super) fn tables(world: &World, call: &Call) -> Answer {
    known_region(world, call)?;
    let rows = chosen(world, call, "RouteTableType")
        .map(|(id, table)| {
            let entries: Vec<Value> = table
                .entries
                .iter()
                .filter(|(_, entry)| call.get("Type").is_none_or(|want| want == entry.kind))
                .map(|(to, entry)| {
                    json!({
                        "RouteTableId": id,
                        "RouteEntryId": entry.id,
                        "RouteEntryName": entry.name,
                        "DestinationCidrBlock": to.to_string(),
                        "InstanceId": entry.next_hop,
                        "NextHopType": entry.next_hop_kind,
                        "NextHops": {"NextHop": []},
                        "Description": "",
                        "Status": entry.course.status(world.now_ms),
                        "Type": entry.kind,
                    })
                })
                .collect();
            json!({
                "RouteTableId": id,
                "RouteTableType": table.kind,
                "VRouterId": vrouter(&table.vpc),
                "VSwitchIds": {"VSwitchId": users(world, id)},
                "RouteEntrys": {"RouteEntry": entries},
                "CreationTime": rfc3339(since(world, table)),
                "ResourceGroupId": "",
                "Status": "Available",
            })
        })
        .collect();
    by_number(call, rows, &["RouteTables", "RouteTable"], 50)
}

pub(super) fn entry_list(world: &World, call: &Call) -> Answer {
    call.need("RegionId")?;
    known_region(world, call)?;
    let (id, table) = find(world, call)?;
    let rows = table
        .entries
        .iter()
        .filter(|(to, entry)| {
            let to = to.to_string();
            wants(call, "DestinationCidrBlock", &to)
                && lists(call, "DestCidrBlockList", &to)
                && wants(call, "NextHopId", &entry.next_hop)
                && wants(call, "NextHopType", &entry.next_hop_kind)
                && wants(call, "RouteEntryId", &entry.id)
                && wants(call, "RouteEntryName", &entry.name)
                && wants(call, "RouteEntryType", &entry.kind)
                && call.get("ServiceType").is_none_or(|_| entry.kind == "CEN")
        })
        .map(|(to, entry)| entry_row(world, id, *to, entry))
        .collect();
    by_token(call, rows, &["RouteEntrys", "RouteEntry"], Size::named("MaxResult", 10, 100))
}

fn entry_row(world: &World, table: &str, to: Ipv4Net, entry: &RouteEntry) -> Value {
    let hop = json!({
        "Enabled": 1,
        "NextHopId": entry.next_hop,
        "NextHopType": entry.next_hop_kind,
        "Weight": 0,
    });
    json!({
        "RouteTableId": table,
        "RouteEntryId": entry.id,
        "RouteEntryName": entry.name,
        "DestinationCidrBlock": to.to_string(),
        "NextHops": {"NextHop": [hop]},
        "Description": "",
        "GmtModified": rfc3339(entry.since_ms),
        "IpVersion": "IPv4",
        "ServiceType": if entry.kind == "CEN" { "TR" } else { "" },
        "Status": entry.course.status(world.now_ms),
        "Type": entry.kind,
    })
}

fn find<'w, 'c>(world: &'w World, call: &'c Call) -> Result<(&'c str, &'w RouteTable), Refusal> {
    let id = call.need("RouteTableId")?;
    world
        .vpc
        .route_tables
        .get(id)
        .filter(|t| call.get("RegionId").is_none_or(|region| t.region == region))
        .map(|table| (id, table))
        .ok_or_else(|| {
            Refusal::missing(
                "InvalidRouteTableId.NotFound",
                "Specified route table does not exist.",
            )
        })
}

/// Refuses while something in the VPC's network is on its way.
fn quiet(world: &World, vpc: &str) -> Result<(), Refusal> {
    let now = world.now_ms;
    let tables = world.vpc.route_tables.values().filter(|t| t.vpc == vpc);
    let routes = tables.flat_map(|t| t.entries.values()).any(|e| e.course.in_motion(now));
    let vswitches = world.vpc.vswitches.values().filter(|v| v.vpc == vpc);
    if routes || vswitches.into_iter().any(|v| v.course.in_motion(now)) {
        return Err(task_conflict());
    }
    Ok(())
}

pub(super) fn create(world: &mut World, call: &Call) -> Answer {
    known_region(world, call)?;
    let (id, table) = find(world, call)?;
    let to: Ipv4Net = call
        .need("DestinationCidrBlock")?
        .parse()
        .ok()
        .filter(|b: &Ipv4Net| b.trunc() == *b)
        .ok_or_else(|| {
            Refusal::bad("InvalidCidrBlock.Malformed", "Specified CIDR block is not valid.")
        })?;
    let kind = call.get("NextHopType").unwrap_or("Instance");
    let hop = call.need("NextHopId")?;
    if kind != "Attachment" || !cbn::attachment_exists(world, hop) {
        return Err(Refusal::missing(
            "InvalidNextHopId.NotFound",
            "Specified next hop does not exist.",
        ));
    }
    if table.entries.contains_key(&to) {
        return Err(Refusal::bad(
            "InvalidCidrBlock.Duplicate",
            "Specified CIDR block is already the destination of a route entry.",
        ));
    }
    quiet(world, &table.vpc)?;
    let until = world.after("Vpc.CreateRouteEntry");
    let entry_id = world.fresh_id("rte");
    let entry = RouteEntry {
        id: entry_id.clone(),
        name: call.get("RouteEntryName").unwrap_or_default().to_owned(),
        kind: "Custom".into(),
        next_hop_kind: kind.to_owned(),
        next_hop: hop.to_owned(),
        course: Course::moving("Pending", until, "Available"),
        since_ms: world.now_ms,
    };
    if let Some(table) = world.vpc.route_tables.get_mut(id) {
        table.entries.insert(to, entry);
    }
    Ok(json!({"RouteEntryId": entry_id}))
}

pub(super) fn delete(world: &mut World, call: &Call) -> Answer {
    known_region(world, call)?;
    let named = call.get("RouteEntryId").is_some()
        || (call.get("RouteTableId").is_some() && call.get("DestinationCidrBlock").is_some());
    if !named {
        call.need("RouteTableId")?;
        call.need("DestinationCidrBlock")?;
    }
    let found = world
        .vpc
        .route_tables
        .iter()
        .filter(|(id, table)| wants(call, "RouteTableId", id) && in_region(call, &table.region))
        .flat_map(|(id, table)| table.entries.iter().map(move |(to, e)| (id, table, *to, e)))
        .find(|(_, _, to, entry)| {
            wants(call, "RouteEntryId", &entry.id)
                && wants(call, "DestinationCidrBlock", &to.to_string())
                && wants(call, "NextHopId", &entry.next_hop)
        });
    let Some((id, table, to, entry)) = found else {
        return Err(Refusal::missing(
            "InvalidRouteEntry.NotFound",
            "Specified route entry does not exist.",
        ));
    };
    if entry.kind != "Custom" {
        return Err(Refusal::bad(
            "InvalidRouteEntry.Type",
            "Only custom route entries can be deleted here.",
        ));
    }
    if entry.course.in_motion(world.now_ms) {
        return Err(Refusal::bad(
            "IncorrectRouteEntryStatus",
            "The status of the route entry does not support the operation.",
        ));
    }
    quiet(world, &table.vpc)?;
    let id = id.clone();
    let until = world.after("Vpc.DeleteRouteEntry");
    let entry = world.vpc.route_tables.get_mut(&id).and_then(|t| t.entries.get_mut(&to));
    if let Some(entry) = entry {
        entry.course = Course::leaving("Deleting", until);
    }
    Ok(json!({}))
}
