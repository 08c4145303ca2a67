//! Server groups.

use super::jobs::job;
use super::state::{Group, HealthCheck, group_settled};
use crate::listing::{in_region, invalid, lists, wants};
use crate::paging::{Size, by_token};
use crate::tagging::{new_tags, tag_rows, tagged};
use crate::{Answer, Call, Course, Refusal, World};
use serde_json::{Value, json};
use std::collections::BTreeMap;

pub(super) fn handle(world: &mut World, call: &Call) -> Option<Answer> {
    Some(match call.action.as_str() {
        "CreateServerGroup" => create(world, call),
        "ListServerGroups" => list(world, call),
        "UpdateServerGroupAttribute" => update(world, call),
        "DeleteServerGroup" => delete(world, call),
        _ => return None,
    })
}

/// Names: a letter first, then letters, digits and `._-`, 2 to 128 in all.
pub(super) fn name<'a>(call: &'a Call, param: &str) -> Result<Option<&'a str>, Refusal> {
    let Some(name) = call.get(param) else { return Ok(None) };
    let first = name.chars().next().is_some_and(char::is_alphabetic);
    let rest = name.chars().all(|c| c.is_alphanumeric() || "._-".contains(c));
    let length = (2..=128).contains(&name.chars().count());
    if first && rest && length { Ok(Some(name)) } else { Err(invalid(param)) }
}

fn create(world: &mut World, call: &Call) -> Answer {
    call.need("ServerGroupName")?;
    let name = name(call, "ServerGroupName")?.unwrap_or_default().to_owned();
    let vpc = call.need("VpcId")?.to_owned();
    let region = super::balancers::region_of_vpc(world, call, &vpc)?;
    let kind = one_of(call, "ServerGroupType", &["Instance", "Ip"])?;
    let protocol = one_of(call, "Protocol", &["TCP", "UDP", "TCP_UDP"])?;
    let group = Group {
        region,
        vpc,
        name,
        kind,
        protocol,
        any_port: call.flag("AnyPortEnabled", false),
        preserve_client_ip: call.flag("PreserveClientIpEnabled", true),
        scheduler: call.get("Scheduler").unwrap_or("Wrr").to_owned(),
        drain: drain(call, (false, 0))?,
        check: health_check(
            call,
            &HealthCheck {
                enabled: true,
                kind: "TCP".to_owned(),
                port: 0,
                connect_timeout: 5,
                interval: 5,
                healthy: 2,
                unhealthy: 2,
            },
        )?,
        course: Course::moving("Creating", world.after("Nlb.CreateServerGroup"), "Available"),
        servers: BTreeMap::new(),
        since_ms: world.now_ms,
        tags: new_tags(call)?,
    };
    let id = world.fresh_id("sgp");
    world.nlb.groups.insert(id.clone(), group);
    Ok(json!({"JobId": job(world, "Nlb.CreateServerGroup"), "ServerGroupId": id}))
}

/// A parameter of a few values, the first one being the default.
pub(super) fn one_of(call: &Call, param: &str, values: &[&str]) -> Result<String, Refusal> {
    match call.get(param) {
        None => Ok(values.first().copied().unwrap_or_default().to_owned()),
        Some(value) if values.contains(&value) => Ok(value.to_owned()),
        Some(_) => Err(invalid(param)),
    }
}

fn drain(call: &Call, old: (bool, u32)) -> Result<(bool, u32), Refusal> {
    Ok((
        call.flag("ConnectionDrainEnabled", old.0),
        call.number("ConnectionDrainTimeout")?.unwrap_or(old.1),
    ))
}

fn health_check(call: &Call, old: &HealthCheck) -> Result<HealthCheck, Refusal> {
    let of = |name: &str| format!("HealthCheckConfig.{name}");
    let number = |name: &str, old: u32, limits: (u32, u32)| -> Result<u32, Refusal> {
        let value = call.number(&of(name))?.unwrap_or(old);
        if (limits.0..=limits.1).contains(&value) { Ok(value) } else { Err(invalid(&of(name))) }
    };
    let kind = call.get(&of("HealthCheckType")).unwrap_or(&old.kind);
    if !["TCP", "HTTP", "UDP"].contains(&kind) {
        return Err(invalid(&of("HealthCheckType")));
    }
    Ok(HealthCheck {
        enabled: call.flag(&of("HealthCheckEnabled"), old.enabled),
        kind: kind.to_owned(),
        port: call.number(&of("HealthCheckConnectPort"))?.unwrap_or(old.port),
        connect_timeout: number("HealthCheckConnectTimeout", old.connect_timeout, (1, 300))?,
        interval: number("HealthCheckInterval", old.interval, (1, 300))?,
        healthy: number("HealthyThreshold", old.healthy, (2, 10))?,
        unhealthy: number("UnhealthyThreshold", old.unhealthy, (2, 10))?,
    })
}

fn list(world: &World, call: &Call) -> Answer {
    let rows = world
        .nlb
        .groups
        .iter()
        .filter(|(id, g)| {
            in_region(call, &g.region)
                && lists(call, "ServerGroupIds", id)
                && lists(call, "ServerGroupNames", &g.name)
                && wants(call, "ServerGroupType", &g.kind)
                && wants(call, "VpcId", &g.vpc)
                && tagged(call, &g.tags)
        })
        .map(|(id, g)| row(world, id, g))
        .collect();
    by_token(call, rows, &["ServerGroups"], Size::new(20, 100))
}

fn status(group: &Group, now_ms: u64) -> &str {
    if group.servers.values().any(|s| s.course.in_motion(now_ms)) {
        return "Configuring";
    }
    group.course.status(now_ms)
}

fn row(world: &World, id: &str, g: &Group) -> Value {
    let related: std::collections::BTreeSet<&String> =
        world.nlb.listeners.values().filter(|l| l.group == id).map(|l| &l.balancer).collect();
    let check = &g.check;
    json!({
        "AddressIPVersion": "ipv4",
        "AliUid": world.account_number(),
        "AnyPortEnabled": g.any_port,
        "ConnectionDrainEnabled": g.drain.0,
        "ConnectionDrainTimeout": g.drain.1,
        "HealthCheck": {
            "HealthCheckConnectPort": check.port,
            "HealthCheckConnectTimeout": check.connect_timeout,
            "HealthCheckEnabled": check.enabled,
            "HealthCheckInterval": check.interval,
            "HealthCheckType": check.kind,
            "HealthyThreshold": check.healthy,
            "UnhealthyThreshold": check.unhealthy,
        },
        "PreserveClientIpEnabled": g.preserve_client_ip,
        "Protocol": g.protocol,
        "RegionId": g.region,
        "RelatedLoadBalancerIds": related,
        "Scheduler": g.scheduler,
        "ServerCount": g.servers.len(),
        "ServerGroupId": id,
        "ServerGroupName": g.name,
        "ServerGroupStatus": status(g, world.now_ms),
        "ServerGroupType": g.kind,
        "Tags": tag_rows(&g.tags, "Key", "Value"),
        "VpcId": g.vpc,
    })
}

fn update(world: &mut World, call: &Call) -> Answer {
    let id = call.need("ServerGroupId")?;
    let old = world.nlb.group(id)?;
    group_settled(old, world.now_ms)?;
    let fixed = [
        ("AddressIPVersion", "ipv4"),
        ("AnyPortEnabled", if old.any_port { "true" } else { "false" }),
        ("Protocol", old.protocol.as_str()),
        ("ServerGroupType", old.kind.as_str()),
        ("VpcId", old.vpc.as_str()),
    ];
    for (param, value) in fixed {
        if !wants(call, param, value) {
            return Err(invalid(param));
        }
    }
    let check = health_check(call, &old.check)?;
    let drain = drain(call, old.drain)?;
    let name = name(call, "ServerGroupName")?;
    let until = world.after("Nlb.UpdateServerGroupAttribute");
    if let Some(group) = world.nlb.groups.get_mut(id) {
        group.check = check;
        group.drain = drain;
        if let Some(name) = name {
            name.clone_into(&mut group.name);
        }
        call.replace("Scheduler", &mut group.scheduler);
        group.preserve_client_ip = call.flag("PreserveClientIpEnabled", group.preserve_client_ip);
        group.course = Course::moving("Configuring", until, "Available");
    }
    Ok(json!({"JobId": job(world, "Nlb.UpdateServerGroupAttribute"), "ServerGroupId": id}))
}

fn delete(world: &mut World, call: &Call) -> Answer {
    let id = call.need("ServerGroupId")?;
    group_settled(world.nlb.group(id)?, world.now_ms)?;
    if world.nlb.listeners.values().any(|l| l.group == id) {
        return Err(Refusal::bad(
            "ResourceInUse.serverGroup",
            "The server group is in use by a listener.",
        ));
    }
    let until = world.after("Nlb.DeleteServerGroup");
    if let Some(group) = world.nlb.groups.get_mut(id) {
        group.course = Course::leaving("Deleting", until);
    }
    Ok(json!({"JobId": job(world, "Nlb.DeleteServerGroup")}))
}
