//! What a world file puts into the VPCs.

use super::{RouteEntry, RouteTable, VSwitch, Vpc};
use crate::world_file::{VpcFile, WorldFile};
use crate::{Course, World};
use ipnet::Ipv4Net;
use std::collections::BTreeMap;

/// Shared services of the cloud are reached by this block in every VPC.
const SERVICE_BLOCK: [u8; 4] = [100, 64, 0, 0];

/// Puts the VPCs of the file into the world.
pub fn seed(world: &mut World, file: &WorldFile) {
    for (id, vpc) in &file.vpcs {
        seed_one(world, id, vpc);
    }
}

fn seed_one(world: &mut World, id: &str, file: &VpcFile) {
    let system = new_table(world, id, &file.region, "System");
    let vpc = Vpc {
        region: file.region.clone(),
        name: id.to_owned(),
        cidr: file.cidr,
        secondary: file.secondary.clone(),
        user: file.user.clone(),
        system_route_table: system.clone(),
        since_ms: world.now_ms,
        tags: BTreeMap::new(),
    };
    world.vpc.vpcs.insert(id.to_owned(), vpc);
    // All tables first: a vSwitch puts its row into every one of them.
    let tables: Vec<String> = file
        .vswitches
        .values()
        .map(|at| {
            if at.custom_route_table {
                new_table(world, id, &file.region, "Custom")
            } else {
                system.clone()
            }
        })
        .collect();
    for ((vswitch_id, at), route_table) in file.vswitches.iter().zip(tables) {
        // A network that is in use has interfaces of other people's things in it.
        let owners = [world.fresh_id("eni"), world.fresh_id("eni")];
        let now = world.now_ms;
        if let Some(vswitch) = put_vswitch(world, id, vswitch_id, &at.zone, at.cidr) {
            vswitch.name.clone_from(vswitch_id);
            vswitch.route_table = route_table;
            for owner in owners {
                vswitch.take_address(&owner, now);
            }
            while at.free.is_some_and(|free| vswitch.free_addresses(now) > free)
                && vswitch.take_address("eni-of-others", now).is_some()
            {}
        }
    }
    if let Ok(block) = Ipv4Net::new(SERVICE_BLOCK.into(), 10) {
        add_local(world, id, block);
    }
}

/// Puts an empty, available vSwitch into a VPC, with its row in all of the VPC's route tables.
///
/// It uses the system route table. Gives nothing when there is no such VPC.
pub(crate) fn put_vswitch<'a>(
    world: &'a mut World,
    vpc_id: &str,
    id: &str,
    zone: &str,
    cidr: Ipv4Net,
) -> Option<&'a mut VSwitch> {
    let vpc = world.vpc.vpcs.get(vpc_id)?;
    let vswitch = VSwitch {
        vpc: vpc_id.to_owned(),
        region: vpc.region.clone(),
        zone: zone.to_owned(),
        name: String::new(),
        cidr,
        route_table: vpc.system_route_table.clone(),
        used: BTreeMap::new(),
        lagging: BTreeMap::new(),
        course: Course::settled("Available"),
        since_ms: world.now_ms,
        tags: BTreeMap::new(),
    };
    add_local(world, vpc_id, cidr);
    world.vpc.vswitches.insert(id.to_owned(), vswitch);
    world.vpc.vswitches.get_mut(id)
}

fn new_table(world: &mut World, vpc: &str, region: &str, kind: &str) -> String {
    let id = world.fresh_id("vtb");
    let table = RouteTable {
        vpc: vpc.to_owned(),
        region: region.to_owned(),
        kind: kind.to_owned(),
        entries: BTreeMap::new(),
    };
    world.vpc.route_tables.insert(id.clone(), table);
    id
}

/// Adds the system row of a block to all route tables of a VPC.
fn add_local(world: &mut World, vpc: &str, block: Ipv4Net) {
    let tables: Vec<String> = world
        .vpc
        .route_tables
        .iter()
        .filter(|(_, t)| t.vpc == vpc)
        .map(|(id, _)| id.clone())
        .collect();
    for table in tables {
        let entry = RouteEntry {
            id: world.fresh_id("rte"),
            name: String::new(),
            kind: "System".into(),
            next_hop_kind: "local".into(),
            next_hop: String::new(),
            course: Course::settled("Available"),
            since_ms: world.now_ms,
        };
        if let Some(table) = world.vpc.route_tables.get_mut(&table) {
            table.entries.insert(block, entry);
        }
    }
}
