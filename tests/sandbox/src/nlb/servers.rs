//! Servers of a group.

use super::jobs::job;
use super::state::{Group, Server, group_settled};
use crate::listing::{invalid, lists, wants};
use crate::paging::{Size, by_token};
use crate::{Answer, Call, Course, Refusal, World};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::net::Ipv4Addr;

pub(super) fn handle(world: &mut World, call: &Call) -> Option<Answer> {
    Some(match call.action.as_str() {
        "AddServersToServerGroup" => add(world, call),
        "ListServerGroupServers" => list(world, call),
        "RemoveServersFromServerGroup" => remove(world, call),
        _ => return None,
    })
}

/// The servers that a call names, as they would be in the group.
fn named(world: &World, call: &Call, group: &Group) -> Result<Vec<Server>, Refusal> {
    call.objects("Servers").iter().map(|s| server(world, s, group)).collect()
}

fn server(
    world: &World,
    members: &BTreeMap<String, String>,
    group: &Group,
) -> Result<Server, Refusal> {
    let get = |name: &str| members.get(name).map(String::as_str).filter(|v| !v.is_empty());
    let number = |name: &str, default: u16| match get(name) {
        None => Ok(default),
        Some(text) => text.parse().map_err(|_| invalid(&format!("Servers.{name}"))),
    };
    let id = get("ServerId").ok_or_else(|| invalid("Servers.ServerId"))?;
    let kind = get("ServerType").ok_or_else(|| invalid("Servers.ServerType"))?;
    if (kind == "Ip") != (group.kind == "Ip") {
        return Err(Refusal::bad(
            "OperationDenied.ServerTypeMismatch",
            "The server type does not match the type of the server group.",
        ));
    }
    let ip: Ipv4Addr = get("ServerIp")
        .or((kind == "Ip").then_some(id))
        .and_then(|text| text.parse().ok())
        .ok_or_else(|| invalid("Servers.ServerIp"))?;
    let shared = ip.octets().first() == Some(&100) && (ip.to_bits() >> 22) & 3 == 1;
    if kind == "Ip" && !(ip.is_private() || shared) {
        return Err(invalid("Servers.ServerIp"));
    }
    let port = number("Port", 0)?;
    if (port == 0) != group.any_port {
        return Err(invalid("Servers.Port"));
    }
    let weight = number("Weight", 100)?;
    if weight > 100 {
        return Err(invalid("Servers.Weight"));
    }
    Ok(Server {
        id: id.to_owned(),
        ip,
        kind: kind.to_owned(),
        port,
        weight: u32::from(weight),
        description: get("Description").unwrap_or_default().to_owned(),
        course: Course::moving("Adding", world.after("Nlb.AddServersToServerGroup"), "Available"),
        since_ms: world.now_ms,
    })
}

fn add(world: &mut World, call: &Call) -> Answer {
    let id = call.need("ServerGroupId")?;
    let group = world.nlb.group(id)?;
    group_settled(group, world.now_ms)?;
    let new = named(world, call, group)?;
    if new.is_empty() {
        return Err(invalid("Servers"));
    }
    if new.iter().any(|s| group.servers.contains_key(&s.key())) {
        return Err(Refusal::bad(
            "ResourceAlreadyExist.BackendServer",
            "The server is already in the server group.",
        ));
    }
    if let Some(group) = world.nlb.groups.get_mut(id) {
        group.servers.extend(new.into_iter().map(|s| (s.key(), s)));
    }
    Ok(json!({"JobId": job(world, "Nlb.AddServersToServerGroup"), "ServerGroupId": id}))
}

fn remove(world: &mut World, call: &Call) -> Answer {
    let id = call.need("ServerGroupId")?;
    let group = world.nlb.group(id)?;
    group_settled(group, world.now_ms)?;
    let keys: Vec<String> = named(world, call, group)?.iter().map(Server::key).collect();
    if keys.is_empty() {
        return Err(invalid("Servers"));
    }
    if keys.iter().any(|k| !group.servers.contains_key(k)) {
        return Err(Refusal::missing(
            "ResourceNotFound.BackendServer",
            "The server is not in the server group.",
        ));
    }
    let until = world.after("Nlb.RemoveServersFromServerGroup");
    if let Some(group) = world.nlb.groups.get_mut(id) {
        for (_, server) in group.servers.iter_mut().filter(|(k, _)| keys.contains(k)) {
            server.course = Course::leaving("Removing", until);
        }
    }
    Ok(json!({"JobId": job(world, "Nlb.RemoveServersFromServerGroup"), "ServerGroupId": id}))
}

fn list(world: &World, call: &Call) -> Answer {
    if let Some(id) = call.get("ServerGroupId") {
        world.nlb.group(id)?;
    }
    let rows: Vec<Value> = world
        .nlb
        .groups
        .iter()
        .filter(|(id, _)| wants(call, "ServerGroupId", id))
        .flat_map(|(id, group)| group.servers.values().map(move |s| (id, s)))
        .filter(|(_, s)| {
            lists(call, "ServerIds", &s.id) && lists(call, "ServerIps", &s.ip.to_string())
        })
        .map(|(id, s)| {
            json!({
                "Description": s.description,
                "Port": s.port,
                "ServerGroupId": id,
                "ServerId": s.id,
                "ServerIp": s.ip,
                "ServerType": s.kind,
                "Status": s.course.status(world.now_ms),
                "Weight": s.weight,
                "ZoneId": "",
            })
        })
        .collect();
    by_token(call, rows, &["Servers"], Size::new(20, 100))
}
