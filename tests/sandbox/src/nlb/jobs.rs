//! Jobs, tags, regions and zones, and what time does by itself.

use super::health;
use super::state::missing;
use crate::ledger::{Thing, owner};
use crate::paging::Size;
use crate::tagging::{Tagging, Tags, unknown_kind};
use crate::{Answer, Call, Refusal, World};
use serde_json::{Value, json};

const TAGGING: Tagging = Tagging {
    find: tags_of,
    all: all_tags,
    untag: "UntagResources",
    unknown_kind,
    missing: "ResourceNotFound.tagResource",
    shape: &["TagResources"],
    size: Size::new(50, 50),
};

pub(super) fn handle(world: &mut World, call: &Call) -> Option<Answer> {
    match call.action.as_str() {
        "GetJobStatus" => Some(status(world, call)),
        "ListAsynJobs" => Some(Ok(list(world, call))),
        "DescribeRegions" => Some(Ok(regions(world))),
        "DescribeZones" => Some(zones(world, call)),
        _ => TAGGING.handle(world, call),
    }
}

/// The id of a job that takes as long as the operation.
pub(super) fn job(world: &mut World, operation: &str) -> String {
    let id = world.fresh_id("job");
    let until = world.after(operation);
    world.nlb.jobs.insert(id.clone(), until);
    id
}

/// The status of a job, with the action's own word for one that is not done.
fn status_of(world: &World, id: &str, busy: &'static str) -> Option<&'static str> {
    let until = world.nlb.jobs.get(id)?;
    Some(if world.now_ms < *until { busy } else { "Succeeded" })
}

fn status(world: &World, call: &Call) -> Answer {
    let id = call.need("JobId")?;
    // The list of jobs writes the same word with a capital.
    let status = status_of(world, id, "processing").ok_or_else(|| missing("job", id))?;
    Ok(json!({ "Status": status }))
}

fn list(world: &World, call: &Call) -> Value {
    let wanted = call.list("JobIds");
    let ids = if wanted.is_empty() { world.nlb.jobs.keys().cloned().collect() } else { wanted };
    let jobs: Vec<Value> = ids
        .iter()
        .filter_map(|id| Some(json!({"Id": id, "Status": status_of(world, id, "Processing")?})))
        .collect();
    // The total is a string in this answer.
    json!({"TotalCount": jobs.len().to_string(), "Jobs": jobs})
}

fn regions(world: &World) -> Value {
    let rows: Vec<Value> = world
        .file
        .regions
        .iter()
        .filter(|(_, r)| !r.nlb_zones.is_empty())
        .map(|(id, _)| {
            json!({
                "LocalName": id,
                "RegionEndpoint": format!("nlb.{id}.aliyuncs.com"),
                "RegionId": id,
            })
        })
        .collect();
    json!({ "Regions": rows })
}

fn zones(world: &World, call: &Call) -> Answer {
    let region = call.need("RegionId")?;
    let found = world.file.regions.get(region).ok_or_else(|| {
        Refusal::missing("InvalidRegionId.NotFound", "The specified region is not found.")
    })?;
    let rows: Vec<Value> =
        found.nlb_zones.iter().map(|z| json!({"LocalName": z, "ZoneId": z})).collect();
    Ok(json!({ "Zones": rows }))
}

fn tags_of<'a>(world: &'a mut World, kind: &str, id: &str) -> Option<&'a mut Tags> {
    let nlb = &mut world.nlb;
    match kind.to_ascii_lowercase().as_str() {
        "loadbalancer" => nlb.balancers.get_mut(id).map(|t| &mut t.tags),
        "servergroup" => nlb.groups.get_mut(id).map(|t| &mut t.tags),
        "listener" => nlb.listeners.get_mut(id).map(|t| &mut t.tags),
        _ => None,
    }
}

fn all_tags(world: &World, kind: &str) -> Option<Vec<(String, Tags)>> {
    let nlb = &world.nlb;
    Some(match kind.to_ascii_lowercase().as_str() {
        "loadbalancer" => nlb.balancers.iter().map(|(i, t)| (i.clone(), t.tags.clone())).collect(),
        "servergroup" => nlb.groups.iter().map(|(i, t)| (i.clone(), t.tags.clone())).collect(),
        "listener" => nlb.listeners.iter().map(|(i, t)| (i.clone(), t.tags.clone())).collect(),
        _ => return None,
    })
}

/// Lets time pass: what has left goes, and the health checks look again.
pub fn settle(world: &mut World) {
    let now = world.now_ms;
    world.nlb.listeners.retain(|_, l| !l.course.gone(now));
    for group in world.nlb.groups.values_mut() {
        group.servers.retain(|_, s| !s.course.gone(now));
    }
    world.nlb.groups.retain(|_, g| !g.course.gone(now));
    let until = world.after("Vpc.ReleaseInterface");
    let gone: Vec<String> = world
        .nlb
        .balancers
        .iter()
        .filter(|(_, b)| b.course.gone(now))
        .map(|(id, _)| id.clone())
        .collect();
    for id in gone {
        for zone in world.nlb.balancers.remove(&id).map(|b| b.zones).unwrap_or_default() {
            if let Some(vswitch) = world.vpc.vswitches.get_mut(&zone.vswitch) {
                vswitch.release(&id, until);
            }
        }
    }
    health::probe(world);
}

/// Everything of the product that exists, for the ledger.
pub fn inventory(world: &World) -> Vec<Thing> {
    let nlb = &world.nlb;
    let mut all = Vec::new();
    for (id, g) in &nlb.groups {
        let owner = owner(&g.tags);
        all.push(Thing::new("server_group", id, &g.region, owner, g.since_ms));
        for server in g.servers.values() {
            let id = format!("{id}/{}:{}", server.ip, server.port);
            all.push(Thing::new("server", &id, &g.region, "", server.since_ms));
        }
    }
    for (id, b) in &nlb.balancers {
        all.push(Thing::new("load_balancer", id, &b.region, owner(&b.tags), b.since_ms));
    }
    for (id, l) in &nlb.listeners {
        all.push(Thing::new("listener", id, &l.region, owner(&l.tags), l.since_ms));
    }
    all
}
