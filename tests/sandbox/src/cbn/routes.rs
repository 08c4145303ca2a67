//! The routes of a transit router's table, computed from what is attached, propagated and peered.
//!
//! A propagated VPC attachment brings the system routes of its VPC: one for each vSwitch.
//! A propagated peer attachment brings what the other router's table has, namely the table
//! that the peer attachment is associated with there, if the attachment publishes routes by
//! itself. Of two routes whose blocks overlap the older is active and the younger is rejected.

use super::links::resource;
use super::state::{Link, Table};
use crate::World;
use ipnet::Ipv4Net;
use std::net::Ipv4Addr;

/// One route of a table.
#[derive(Clone, Debug)]
pub(crate) struct Route {
    pub(crate) id: String,
    pub(crate) destination: Ipv4Net,
    /// Attachment id; empty for a black hole.
    pub(crate) next_hop: String,
    /// The VPC that the block belongs to; empty for a static route.
    pub(crate) origin: String,
    pub(crate) status: String,
    pub(crate) is_static: bool,
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) since_ms: u64,
}

impl Route {
    pub(crate) fn is_active(&self) -> bool {
        self.status == "Active"
    }
}

/// All routes of a table, rejected ones too, by destination.
pub(crate) fn of_table(world: &World, table_id: &str) -> Vec<Route> {
    let Some(table) = world.cbn.tables.get(table_id) else { return Vec::new() };
    let mut all = local(world, table_id, table);
    for (attachment, link) in active_propagations(world, table) {
        all.extend(from_peer(world, (table_id, table), attachment, link));
    }
    judge(all)
}

/// The active route with the longest prefix for an address.
pub(crate) fn best(routes: &[Route], address: Ipv4Addr) -> Option<&Route> {
    routes
        .iter()
        .filter(|r| r.is_active() && r.destination.contains(&address))
        .max_by_key(|r| r.destination.prefix_len())
}

fn active_propagations<'a>(
    world: &'a World,
    table: &'a Table,
) -> impl Iterator<Item = (&'a String, &'a Link)> {
    table.propagations.iter().filter(|(_, l)| l.course.status(world.now_ms) == "Active")
}

/// Static routes, and the vSwitches of the VPCs on this router.
fn local(world: &World, table_id: &str, table: &Table) -> Vec<Route> {
    let mut all: Vec<Route> = table
        .statics
        .iter()
        .map(|(destination, s)| Route {
            id: s.id.clone(),
            destination: *destination,
            next_hop: s.next_hop.clone(),
            origin: String::new(),
            status: s.course.status(world.now_ms).to_owned(),
            is_static: true,
            name: s.name.clone(),
            description: s.description.clone(),
            since_ms: s.since_ms,
        })
        .collect();
    for (id, link) in active_propagations(world, table) {
        let Some(attachment) = world.cbn.vpc_attachments.get(id) else { continue };
        let up = matches!(attachment.course.status(world.now_ms), "Attached" | "Modifying");
        let vswitches = world.vpc.vswitches.values().filter(|v| up && v.vpc == attachment.vpc);
        all.extend(
            vswitches.map(|v| propagated(table_id, v.cidr, id, &attachment.vpc, link.since_ms)),
        );
    }
    all
}

fn from_peer(
    world: &World,
    (table_id, table): (&str, &Table),
    attachment: &str,
    link: &Link,
) -> Vec<Route> {
    let Some(peer) = world.cbn.peer_attachments.get(attachment) else { return Vec::new() };
    let up = matches!(peer.course.status(world.now_ms), "Attached" | "Modifying");
    let far_router = resource(world, attachment, &table.router).map(|(id, _)| id);
    let far = far_router
        .filter(|_| up && peer.auto_publish)
        .and_then(|r| world.cbn.forwards_by(attachment, &r, world.now_ms))
        .and_then(|id| Some((id, world.cbn.tables.get(id)?)));
    let Some((far_id, far_table)) = far else { return Vec::new() };
    judge(local(world, far_id, far_table))
        .into_iter()
        .filter(|r| r.is_active() && r.next_hop != attachment)
        .map(|r| propagated(table_id, r.destination, attachment, &r.origin, link.since_ms))
        .collect()
}

fn propagated(
    table: &str,
    destination: Ipv4Net,
    attachment: &str,
    origin: &str,
    since_ms: u64,
) -> Route {
    Route {
        id: format!("rte-{:016x}", fnv(&format!("{table} {destination} {attachment}"))),
        destination,
        next_hop: attachment.to_owned(),
        origin: origin.to_owned(),
        status: "Active".to_owned(),
        is_static: false,
        name: String::new(),
        description: String::new(),
        since_ms,
    }
}

/// Rejects what overlaps an older route to somewhere else; static routes come first.
fn judge(mut all: Vec<Route>) -> Vec<Route> {
    all.sort_by(|a, b| {
        (!a.is_static, a.since_ms, &a.next_hop, a.destination).cmp(&(
            !b.is_static,
            b.since_ms,
            &b.next_hop,
            b.destination,
        ))
    });
    let mut judged: Vec<Route> = Vec::with_capacity(all.len());
    for mut route in all {
        let clash = judged.iter().any(|older| {
            older.is_active()
                && (older.next_hop.as_str(), older.origin.as_str())
                    != (route.next_hop.as_str(), route.origin.as_str())
                && if older.is_static {
                    older.destination == route.destination
                } else {
                    overlap(older.destination, route.destination)
                }
        });
        if clash && !route.is_static {
            "Rejected".clone_into(&mut route.status);
        }
        judged.push(route);
    }
    judged.sort_by_key(|r| r.destination);
    judged
}

/// Do two blocks share an address?
pub(crate) fn overlap(a: Ipv4Net, b: Ipv4Net) -> bool {
    a.contains(&b) || b.contains(&a)
}

/// A computed route has no row to keep an id in: the id comes from what it joins.
fn fnv(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}
