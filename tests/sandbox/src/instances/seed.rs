//! How an instance comes from the world file, and where its domain leads.

use super::describe::domain;
use super::state::{AllowGroup, Instance};
use crate::ledger::{Thing, owner};
use crate::tagging::Tags;
use crate::world_file::InstanceFile;
use crate::{Course, World};
use std::net::Ipv4Addr;

/// Private addresses of one instance.
const ADDRESSES: usize = 2;

/// Puts one instance of the world file into the world; its vSwitch must be there already.
pub fn seed(world: &mut World, id: &str, file: &InstanceFile) {
    let (vpc, zone) = world
        .vpc
        .vswitches
        .get(&file.vswitch)
        .map(|s| (s.vpc.clone(), s.zone.clone()))
        .unwrap_or_default();
    let groups = ["PRIVATE_ES", "PUBLIC_ES", "PRIVATE_KIBANA", "PUBLIC_KIBANA"]
        .into_iter()
        .map(|kind| AllowGroup {
            name: "default".to_owned(),
            kind: kind.to_owned(),
            ips: match kind {
                "PRIVATE_ES" => file.allow_list.clone(),
                _ => vec!["127.0.0.1".to_owned()],
            },
            since_ms: world.now_ms,
        })
        .collect();
    let instance = Instance {
        region: file.region.clone(),
        vpc,
        vswitch: file.vswitch.clone(),
        zone,
        version: file.version.clone(),
        arch_type: file.arch_type.clone(),
        category: file.category.clone(),
        description: String::new(),
        addresses: take(world, id, &file.vswitch),
        public_network: false,
        kibana_public: true,
        groups,
        course: Course::settled(&file.status),
        since_ms: world.now_ms,
        updated_ms: world.now_ms,
        tags: Tags::new(),
    };
    world.instances.instances.insert(id.to_owned(), instance);
}

fn take(world: &mut World, id: &str, vswitch: &str) -> Vec<Ipv4Addr> {
    let now = world.now_ms;
    let Some(vswitch) = world.vpc.vswitches.get_mut(vswitch) else { return Vec::new() };
    std::iter::from_fn(|| vswitch.take_address(id, now)).take(ADDRESSES).collect()
}

/// Gives an instance new private addresses, as scaling or an upgrade does.
pub fn move_addresses(world: &mut World, id: &str) {
    let Some(vswitch) = world.instances.instances.get(id).map(|i| i.vswitch.clone()) else {
        return;
    };
    let until = world.after("Vpc.ReleaseInterface").max(world.now_ms + 1);
    if let Some(found) = world.vpc.vswitches.get_mut(&vswitch) {
        found.release(id, until);
    }
    let addresses = take(world, id, &vswitch);
    if let Some(instance) = world.instances.instances.get_mut(id) {
        instance.addresses = addresses;
    }
}

/// The addresses of an instance's domain, asked inside a VPC: only its own VPC knows them.
pub fn resolve(world: &World, name: &str, vpc_id: &str) -> Option<Vec<Ipv4Addr>> {
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    world
        .instances
        .instances
        .iter()
        .find(|(id, i)| domain(id) == name && i.vpc == vpc_id)
        .map(|(_, i)| i.addresses.clone())
}

/// Lets time pass. Instances change by themselves only in their status, which is a course.
pub fn settle(_world: &mut World) {}

/// Instances and the addresses that they admit, for the ledger; in the console's own group
/// loopback is a placeholder.
pub fn inventory(world: &World) -> Vec<Thing> {
    let mut all = Vec::new();
    for (id, i) in &world.instances.instances {
        let owner = owner(&i.tags);
        all.push(Thing::new("elasticsearch_instance", id, &i.region, owner, i.since_ms));
        for group in &i.groups {
            let nobody = |ip: &&String| {
                group.name == "default" && ["127.0.0.1", "::1"].contains(&ip.as_str())
            };
            for ip in group.ips.iter().filter(|ip| !nobody(ip)) {
                let entry = format!("{id}/{}/{}/{ip}", group.kind, group.name);
                all.push(Thing::new("allow_list_entry", &entry, &i.region, "", group.since_ms));
            }
        }
    }
    all
}
