//! From one VPC to an address, by route tables and attachments; packets that lose their way are dropped.

use super::hop::{Effect, Trail};
use crate::World;
use crate::cbn::routes::{best, of_table};
use crate::vpc::RouteEntry;
use std::net::Ipv4Addr;

/// Transit routers on a way at most; a longer one is a loop.
const ROUTERS: usize = 3;

/// Follows the way from a VPC to an address and says which VPC it ends in.
/// The hops are named after `leg`: `forward` or `return`.
pub(super) fn follow(
    world: &World,
    from_vpc: &str,
    address: Ipv4Addr,
    leg: &str,
    trail: &mut Trail,
) -> Result<String, Effect> {
    let name = |hop: &str| format!("{leg}.{hop}");
    let vpc = trail.need(&name("vpc"), world.vpc.vpcs.get(from_vpc), from_vpc, Effect::Dropped)?;
    if vpc.blocks().any(|b| b.contains(&address)) {
        trail.check(&name("local"), true, format!("{address} in {from_vpc}"), Effect::Dropped)?;
        return Ok(from_vpc.to_owned());
    }
    let table = &vpc.system_route_table;
    let entry = trail.need(
        &name("vpc_route"),
        system_route(world, table, address),
        format!("{address} in the system route table {table}"),
        Effect::Dropped,
    )?;
    let attachment = world.cbn.vpc_attachments.get(&entry.next_hop).filter(|a| {
        a.vpc == from_vpc && matches!(a.course.status(world.now_ms), "Attached" | "Modifying")
    });
    let attachment =
        trail.need(&name("attachment"), attachment, &entry.next_hop, Effect::Dropped)?;
    across(world, (&attachment.router, &entry.next_hop), address, leg, trail)
}

/// The available row with the longest prefix that leads to an attachment.
fn system_route<'a>(world: &'a World, table: &str, address: Ipv4Addr) -> Option<&'a RouteEntry> {
    let rows = &world.vpc.route_tables.get(table)?.entries;
    rows.iter()
        .filter(|(block, e)| {
            block.contains(&address) && e.course.status(world.now_ms) == "Available"
        })
        .max_by_key(|(block, _)| block.prefix_len())
        .map(|(_, e)| e)
        .filter(|e| e.next_hop_kind == "Attachment")
}

/// From router to router, starting where a packet came in by an attachment.
fn across(
    world: &World,
    (router, attachment): (&str, &str),
    address: Ipv4Addr,
    leg: &str,
    trail: &mut Trail,
) -> Result<String, Effect> {
    let (mut router, mut via) = (router.to_owned(), attachment.to_owned());
    for number in 0..ROUTERS {
        let name =
            |near: &str, far: &str| format!("{leg}.{}", if number == 0 { near } else { far });
        let table = trail.need(
            &name("association", "peer_association"),
            world.cbn.forwards_by(&via, &router, world.now_ms),
            format!("{via} on {router}"),
            Effect::Dropped,
        )?;
        let rows = of_table(world, table);
        let route = best(&rows, address).filter(|r| !r.next_hop.is_empty());
        let route = trail.need(
            &name("router_route", "peer_route"),
            route,
            format!("{address} in {table}"),
            Effect::Dropped,
        )?;
        let up = |status: &str| matches!(status, "Attached" | "Modifying");
        if let Some(last) = world.cbn.vpc_attachments.get(&route.next_hop) {
            let ok = up(last.course.status(world.now_ms));
            trail.check(&format!("{leg}.arrival"), ok, &route.next_hop, Effect::Dropped)?;
            return Ok(last.vpc.clone());
        }
        let peer = world.cbn.peer_attachments.get(&route.next_hop);
        let peer = peer.filter(|p| up(p.course.status(world.now_ms)));
        let peer = trail.need(
            &format!("{leg}.peer_attachment"),
            peer,
            &route.next_hop,
            Effect::Dropped,
        )?;
        trail.check(
            &format!("{leg}.bandwidth"),
            peer.bandwidth > 0,
            format!("{} Mbit/s", peer.bandwidth),
            Effect::Dropped,
        )?;
        let other = if peer.router == router { &peer.peer_router } else { &peer.router };
        (router, via) = (other.clone(), route.next_hop.clone());
    }
    Err(Effect::Dropped)
}
