//! Tags, what time does by itself, and the ledger.

use crate::ledger::{Thing, owner};
use crate::paging::Size;
use crate::tagging::{Tagging, Tags, unknown_kind};
use crate::{Answer, Call, World};

const TAGGING: Tagging = Tagging {
    find: tags_of,
    all: all_tags,
    untag: "UntagResources",
    unknown_kind,
    missing: "EndpointServiceNotFound",
    shape: &["TagResources"],
    size: Size::new(50, 50),
};

pub(super) fn handle(world: &mut World, call: &Call) -> Option<Answer> {
    TAGGING.handle(world, call)
}

fn tags_of<'a>(world: &'a mut World, kind: &str, id: &str) -> Option<&'a mut Tags> {
    match kind.to_ascii_lowercase().as_str() {
        "vpcendpointservice" => world.privatelink.services.get_mut(id).map(|s| &mut s.tags),
        _ => None,
    }
}

fn all_tags(world: &World, kind: &str) -> Option<Vec<(String, Tags)>> {
    let services = &world.privatelink.services;
    match kind.to_ascii_lowercase().as_str() {
        "vpcendpointservice" => {
            Some(services.iter().map(|(id, s)| (id.clone(), s.tags.clone())).collect())
        }
        "vpcendpoint" => Some(Vec::new()),
        _ => None,
    }
}

/// Lets time pass: what has left goes.
pub fn settle(world: &mut World) {
    let now = world.now_ms;
    for service in world.privatelink.services.values_mut() {
        service.resources.retain(|r| !r.course.gone(now));
    }
    world.privatelink.services.retain(|_, s| !s.course.gone(now));
    world.privatelink.endpoints.retain(|_, e| !e.course.gone(now));
}

/// Everything of the product that exists, for the ledger.
pub fn inventory(world: &World) -> Vec<Thing> {
    let mut all = Vec::new();
    for (id, s) in &world.privatelink.services {
        all.push(Thing::new("endpoint_service", id, &s.region, owner(&s.tags), s.since_ms));
        for r in &s.resources {
            let row = format!("{id}/{}/{}", r.id, r.zone);
            all.push(Thing::new("endpoint_service_resource", &row, &s.region, "", r.since_ms));
        }
    }
    for (id, e) in &world.privatelink.endpoints {
        all.push(Thing::new("endpoint", id, &e.region, "", e.since_ms));
    }
    all
}
