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
    for (vswitch_id, at) in &file.vswitches {
        let route_table = if at.custom_route_table {
            new_table(world, id, &file.region, "Custom")
        } else {
            system.clone()
        };
        let mut vswitch = VSwitch {
            vpc: id.to_owned(),
            region: file.region.clone(),
            zone: at.zone.clone(),
            name: vswitch_id.clone(),
            cidr: at.cidr,
            route_table,
            used: BTreeMap::new(),
            lagging: BTreeMap::new(),
            course: Course::settled("Available"),
            since_ms: world.now_ms,
            tags: BTreeMap::new(),
        };
        // A network that is in use has interfaces of other people's things in it.
        for _ in 0..2 {
            let owner = world.fresh_id("eni");
            vswitch.take_address(&owner, world.now_ms);
        }
        world.vpc.vswitches.insert(vswitch_id.clone(), vswitch);
    }
    let blocks: Vec<Ipv4Net> = file.vswitches.values().map(|v| v.cidr).collect();
    for block in blocks {
        add_local(world, id, block);
    }
    if let Ok(block) = Ipv4Net::new(SERVICE_BLOCK.into(), 10) {
        add_local(world, id, block);
    }
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
pub(super) fn add_local(world: &mut World, vpc: &str, block: Ipv4Net) {
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
