//! What time does by itself, and what the rest of the world asks of the product.

use super::routes::{of_table, overlap};
use crate::ledger::{Thing, owner};
use crate::vpc::RouteEntry;
use crate::{Course, World};
use ipnet::Ipv4Net;
use std::collections::BTreeMap;

/// Lets time pass: what has left goes, and attachments publish their routes.
pub fn settle(world: &mut World) {
    detach(world);
    let now = world.now_ms;
    for table in world.cbn.tables.values_mut() {
        table.associations.retain(|_, l| !l.course.gone(now));
        table.propagations.retain(|_, l| !l.course.gone(now));
        table.statics.retain(|_, s| !s.course.gone(now));
    }
    world.cbn.peer_attachments.retain(|_, a| !a.course.gone(now));
    world.cbn.tables.retain(|_, t| !t.course.gone(now));
    world.cbn.routers.retain(|_, r| !r.course.gone(now));
    world.cbn.cens.retain(|_, c| !c.course.gone(now));
    publish(world);
}

/// The interfaces of an attachment outlive it by a while.
fn detach(world: &mut World) {
    let now = world.now_ms;
    let gone: Vec<String> = world
        .cbn
        .vpc_attachments
        .iter()
        .filter(|(_, a)| a.course.gone(now))
        .map(|(id, _)| id.clone())
        .collect();
    let until = world.after("Vpc.ReleaseInterface");
    for id in gone {
        for zone in world.cbn.vpc_attachments.remove(&id).map(|a| a.zones).unwrap_or_default() {
            if let Some(vswitch) = world.vpc.vswitches.get_mut(&zone.vswitch) {
                vswitch.release(&id, until);
            }
        }
    }
}

/// Rows that attachments with automatic publishing want: VPC table and block, to the attachment.
fn wanted(world: &World) -> BTreeMap<(String, Ipv4Net), String> {
    let now = world.now_ms;
    let mut rows = BTreeMap::new();
    for (id, attachment) in &world.cbn.vpc_attachments {
        let up = matches!(attachment.course.status(now), "Attached" | "Modifying");
        let table = world.cbn.forwards_by(id, &attachment.router, now);
        let (Some(table), Some(vpc)) = (table, world.vpc.vpcs.get(&attachment.vpc)) else {
            continue;
        };
        if !up || !attachment.auto_publish {
            continue;
        }
        let routes: Vec<Ipv4Net> = of_table(world, table)
            .into_iter()
            .filter(|r| r.is_active() && r.next_hop != *id && !r.next_hop.is_empty())
            .map(|r| r.destination)
            .filter(|block| vpc.blocks().all(|own| !overlap(own, *block)))
            .collect();
        let tables = world.vpc.route_tables.iter().filter(|(_, t)| t.vpc == attachment.vpc);
        for (vpc_table, _) in tables {
            rows.extend(routes.iter().map(|b| ((vpc_table.clone(), *b), id.clone())));
        }
    }
    rows
}

fn publish(world: &mut World) {
    let now = world.now_ms;
    let until = world.after("Cbn.PublishRoute");
    let wanted = wanted(world);
    for (id, table) in &mut world.vpc.route_tables {
        table.entries.retain(|_, e| e.kind != "CEN" || !e.course.gone(now));
        for (block, entry) in table.entries.iter_mut().filter(|(_, e)| e.kind == "CEN") {
            let keep = wanted.get(&(id.clone(), *block)) == Some(&entry.next_hop);
            let leaving = entry.course.status(now) == "Deleting";
            if !keep && !leaving {
                entry.course = Course::leaving("Deleting", until);
            }
        }
    }
    for ((id, block), attachment) in wanted {
        let free = world.vpc.route_tables.get(&id).is_some_and(|t| !t.entries.contains_key(&block));
        if !free {
            continue;
        }
        let entry = RouteEntry {
            id: world.fresh_id("rte"),
            name: String::new(),
            kind: "CEN".to_owned(),
            next_hop_kind: "Attachment".to_owned(),
            next_hop: attachment,
            course: Course::moving("Pending", until, "Available"),
            since_ms: now,
        };
        if let Some(table) = world.vpc.route_tables.get_mut(&id) {
            table.entries.insert(block, entry);
        }
    }
}

/// The networks that a VPC is on: CEN id and status (`Attaching`, `Attached`, `Detaching`).
pub fn associated_cens(world: &World, vpc_id: &str) -> Vec<(String, String)> {
    let on = world.cbn.vpc_attachments.values().filter(|a| a.vpc == vpc_id);
    on.map(|a| (a.cen.clone(), a.course.status(world.now_ms).to_owned())).collect()
}

/// Is the VPC being attached to or detached from a transit router?
pub fn vpc_in_motion(world: &World, vpc_id: &str) -> bool {
    let mut on = world.cbn.vpc_attachments.values().filter(|a| a.vpc == vpc_id);
    on.any(|a| a.course.in_motion(world.now_ms))
}

/// Is there a VPC or peer attachment of that id?
pub fn attachment_exists(world: &World, id: &str) -> bool {
    world.cbn.vpc_attachments.contains_key(id) || world.cbn.peer_attachments.contains_key(id)
}

/// Everything of the product that exists, for the ledger.
pub fn inventory(world: &World) -> Vec<Thing> {
    let cbn = &world.cbn;
    let mut all = Vec::new();
    for (id, c) in &cbn.cens {
        all.push(Thing::new("cen", id, "", owner(&c.tags), c.since_ms));
    }
    for (id, r) in &cbn.routers {
        all.push(Thing::new("transit_router", id, &r.region, owner(&r.tags), r.since_ms));
    }
    for (id, a) in &cbn.vpc_attachments {
        all.push(Thing::new("vpc_attachment", id, &a.region, owner(&a.tags), a.since_ms));
    }
    for (id, a) in &cbn.peer_attachments {
        all.push(Thing::new("peer_attachment", id, &a.region, owner(&a.tags), a.since_ms));
    }
    for (id, p) in &cbn.plans {
        all.push(Thing::new("bandwidth_plan", id, "", owner(&p.tags), p.since_ms));
    }
    for (id, t) in &cbn.tables {
        let region = cbn.routers.get(&t.router).map_or("", |r| r.region.as_str());
        if t.kind == "Custom" {
            let kind = "transit_router_route_table";
            all.push(Thing::new(kind, id, region, owner(&t.tags), t.since_ms));
        }
        let mut push = |kind: &str, id: String, since| {
            all.push(Thing::new(kind, &id, region, "", since));
        };
        for (attachment, link) in &t.associations {
            push("route_table_association", format!("{id}/{attachment}"), link.since_ms);
        }
        for (attachment, link) in &t.propagations {
            push("route_table_propagation", format!("{id}/{attachment}"), link.since_ms);
        }
        for route in t.statics.values() {
            push("transit_router_route", route.id.clone(), route.since_ms);
        }
    }
    all
}
