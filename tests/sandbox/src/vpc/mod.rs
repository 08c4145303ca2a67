//! VPCs, vSwitches and VPC route tables (Vpc 2016-04-28): state shared by all products.
//!
//! - `describe`: regions, zones, VPCs and vSwitches as the API shows them
//! - `vswitch`: vSwitches made, renamed, deleted
//! - `placement`: the vSwitches that other products put interfaces into
//! - `routes`: route tables and their entries
//! - `tags`: tags of VPCs and vSwitches
//! - `seed`: what a world file puts here

mod describe;
mod placement;
mod routes;
mod seed;
mod tags;
mod vswitch;

pub(crate) use describe::region_rows;
pub(crate) use placement::Placement;
#[cfg(test)]
pub(crate) use seed::put_vswitch;
pub use seed::seed;

use crate::ledger::{Thing, owner};
use crate::listing::unknown_action;
use crate::{Answer, Call, Course, Refusal, World};
use ipnet::Ipv4Net;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::net::Ipv4Addr;

/// All VPCs of the account.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct State {
    /// By `vpc-…` id.
    pub vpcs: BTreeMap<String, Vpc>,
    /// By `vsw-…` id.
    pub vswitches: BTreeMap<String, VSwitch>,
    /// By `vtb-…` id.
    pub route_tables: BTreeMap<String, RouteTable>,
}

/// One virtual private cloud.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Vpc {
    /// Region id.
    pub region: String,
    /// Name.
    pub name: String,
    /// Primary block.
    pub cidr: Ipv4Net,
    /// Secondary blocks.
    pub secondary: Vec<Ipv4Net>,
    /// User blocks.
    pub user: Vec<Ipv4Net>,
    /// The system route table.
    pub system_route_table: String,
    /// Since when.
    pub since_ms: u64,
    /// Tags.
    pub tags: BTreeMap<String, String>,
}

/// One vSwitch.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct VSwitch {
    /// The VPC it lies in.
    pub vpc: String,
    /// Region id.
    pub region: String,
    /// Zone id.
    pub zone: String,
    /// Name.
    pub name: String,
    /// Its block.
    pub cidr: Ipv4Net,
    /// The route table it uses.
    pub route_table: String,
    /// Addresses in use: address to the id of the owner (an attachment, an NLB, an instance).
    pub used: BTreeMap<Ipv4Addr, String>,
    /// Addresses that lag behind after their owner was deleted: free again at the moment named.
    pub lagging: BTreeMap<Ipv4Addr, u64>,
    /// `Pending`, `Available`.
    pub course: Course,
    /// Since when.
    pub since_ms: u64,
    /// Tags.
    pub tags: BTreeMap<String, String>,
}

/// One route table of a VPC.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RouteTable {
    /// The VPC it belongs to.
    pub vpc: String,
    /// Region id.
    pub region: String,
    /// `System` or `Custom`.
    pub kind: String,
    /// By destination.
    pub entries: BTreeMap<Ipv4Net, RouteEntry>,
}

/// One row of a route table.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RouteEntry {
    /// `rte-…` id.
    pub id: String,
    /// Name.
    pub name: String,
    /// `System`, `Custom`, or `CEN` for a row that a transit router published.
    pub kind: String,
    /// `local`, `Attachment`, …
    pub next_hop_kind: String,
    /// Id of the next hop: a `tr-attach-…` id for `Attachment`.
    pub next_hop: String,
    /// `Pending`, `Available`, `Deleting`.
    pub course: Course,
    /// Since when.
    pub since_ms: u64,
}

impl VSwitch {
    /// Addresses that can still be taken: the first three and the last of a block are reserved.
    pub fn free_addresses(&self, now_ms: u64) -> usize {
        let lagging = self.lagging.values().filter(|until| now_ms < **until).count();
        let hosts =
            2_usize.saturating_pow(u32::from(32 - self.cidr.prefix_len())).saturating_sub(4);
        hosts.saturating_sub(self.used.len() + lagging)
    }

    /// Takes one free address for `owner`.
    pub fn take_address(&mut self, owner: &str, now_ms: u64) -> Option<Ipv4Addr> {
        self.lagging.retain(|_, until| now_ms < *until);
        let first = u32::from(self.cidr.network()) + 3;
        let last = u32::from(self.cidr.broadcast()).saturating_sub(1);
        let address = (first..=last)
            .map(Ipv4Addr::from)
            .find(|a| !self.used.contains_key(a) && !self.lagging.contains_key(a))?;
        self.used.insert(address, owner.to_owned());
        Some(address)
    }

    /// Gives back all addresses of `owner`; they lag behind until `until_ms`.
    pub fn release(&mut self, owner: &str, until_ms: u64) {
        let freed: Vec<Ipv4Addr> =
            self.used.iter().filter(|(_, o)| *o == owner).map(|(a, _)| *a).collect();
        for address in freed {
            self.used.remove(&address);
            self.lagging.insert(address, until_ms);
        }
    }
}

impl Vpc {
    /// Primary and secondary blocks.
    pub fn blocks(&self) -> impl Iterator<Item = Ipv4Net> + '_ {
        std::iter::once(self.cidr).chain(self.secondary.iter().copied())
    }
}

/// Answers one call.
pub fn handle(world: &mut World, call: &Call) -> Answer {
    match call.action.as_str() {
        "DescribeRegions" => Ok(describe::regions(world)),
        "DescribeZones" => describe::zones(world, call),
        "DescribeVpcs" => describe::vpcs(world, call),
        "DescribeVpcAttribute" => describe::vpc_attribute(world, call),
        "DescribeVSwitches" => describe::vswitches(world, call),
        "DescribeVSwitchAttributes" => describe::vswitch_attributes(world, call),
        "CreateVSwitch" => vswitch::create(world, call),
        "ModifyVSwitchAttribute" => vswitch::modify(world, call),
        "DeleteVSwitch" => vswitch::delete(world, call),
        "DescribeRouteTableList" => routes::table_list(world, call),
        "DescribeRouteTables" => routes::tables(world, call),
        "DescribeRouteEntryList" => routes::entry_list(world, call),
        "CreateRouteEntry" => routes::create(world, call),
        "DeleteRouteEntry" => routes::delete(world, call),
        _ => tags::handle(world, call).unwrap_or_else(|| unknown_action(call)),
    }
}

/// Lets time pass: route entries that were deleted go, lagging addresses come free.
pub fn settle(world: &mut World) {
    let now = world.now_ms;
    for table in world.vpc.route_tables.values_mut() {
        table.entries.retain(|_, entry| !entry.course.gone(now));
    }
    for vswitch in world.vpc.vswitches.values_mut() {
        vswitch.lagging.retain(|_, until| now < *until);
    }
}

/// VPCs, vSwitches and the route entries that somebody made.
pub fn inventory(world: &World) -> Vec<Thing> {
    let state = &world.vpc;
    let mut all = Vec::new();
    for (id, vpc) in &state.vpcs {
        all.push(Thing::new("vpc", id, &vpc.region, owner(&vpc.tags), vpc.since_ms));
    }
    for (id, vswitch) in &state.vswitches {
        let (region, owner) = (&vswitch.region, owner(&vswitch.tags));
        all.push(Thing::new("vswitch", id, region, owner, vswitch.since_ms));
    }
    for (id, table) in &state.route_tables {
        for (destination, entry) in table.entries.iter().filter(|(_, e)| e.kind != "System") {
            let key = format!("{id}/{destination}");
            all.push(Thing::new("vpc_route_entry", &key, &table.region, "", entry.since_ms));
        }
    }
    all
}

/// Refuses a region that the world does not have; absent is fine.
fn known_region(world: &World, call: &Call) -> Result<(), Refusal> {
    match call.get("RegionId") {
        Some(region) if !world.region_ids().contains(region) => Err(Refusal::missing(
            "InvalidRegionId.NotFound",
            "The specified RegionId does not exist.",
        )),
        Some(_) | None => Ok(()),
    }
}

#[cfg(test)]
mod tests;
