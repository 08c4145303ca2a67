//! `ModifyWhiteIps`: who may connect to an instance.
//!
//! `Cover` makes a group that is not there, and one without addresses removes it; `Append` and
//! `Delete` want a group that is there.

use super::state::{AllowGroup, Instance, accepts_changes};
use crate::{Answer, Call, Course, Refusal, World};
use serde_json::{Value, json};
use std::net::IpAddr;

/// Addresses in one group at most.
const MOST: usize = 300;

pub(super) fn handle(world: &mut World, call: &Call) -> Option<Answer> {
    match call.action.as_str() {
        "ModifyWhiteIps" => Some(modify(world, call)),
        _ => None,
    }
}

/// What the body asks for, in either of its two forms.
struct Change {
    mode: String,
    group: String,
    kind: String,
    ips: Vec<String>,
}

fn refused(text: &str) -> Refusal {
    Refusal::bad("InvalidParameter", text)
}

fn text<'a>(value: &'a Value, name: &str) -> Option<&'a str> {
    value.get(name).and_then(Value::as_str).filter(|t| !t.is_empty())
}

fn addresses(value: Option<&Value>) -> Result<Vec<String>, Refusal> {
    let rows = value.and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let ips: Option<Vec<String>> = rows.iter().map(|v| v.as_str().map(str::to_owned)).collect();
    let ips = ips.ok_or_else(|| refused("Addresses must be strings."))?;
    let valid = |ip: &String| ip.parse::<IpAddr>().is_ok() || ip.parse::<ipnet::IpNet>().is_ok();
    if !ips.iter().all(valid) {
        return Err(refused("The list must hold only addresses."));
    }
    Ok(ips)
}

/// What a new group may be called.
fn legal_name(name: &str) -> bool {
    let fine = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    (2..=32).contains(&name.len())
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.chars().all(fine)
}

fn no_group() -> Refusal {
    Refusal::missing(
        "NotFound",
        "The whitelist group is not found, ensure that the whitelist group name is created.",
    )
}

fn read(body: &Value) -> Result<Change, Refusal> {
    let mode = text(body, "modifyMode").unwrap_or("Cover").to_owned();
    if !["Cover", "Append", "Delete"].contains(&mode.as_str()) {
        return Err(refused("modifyMode must be Cover, Append or Delete."));
    }
    match (body.get("whiteIpGroup"), body.get("whiteIpList")) {
        (Some(group), None) => {
            let kind = text(group, "whiteIpType").unwrap_or("PRIVATE_ES");
            if !["PRIVATE_ES", "PUBLIC_ES", "PRIVATE_KIBANA", "PUBLIC_KIBANA"].contains(&kind) {
                return Err(refused("whiteIpType is not valid."));
            }
            let name = text(group, "groupName").ok_or_else(|| refused("groupName is needed."))?;
            let ips = addresses(group.get("ips"))?;
            if ips.is_empty() && mode != "Cover" {
                return Err(refused("The list must hold at least one address."));
            }
            Ok(Change { mode, group: name.to_owned(), kind: kind.to_owned(), ips })
        }
        (None, Some(list)) => {
            let network = text(body, "networkType").filter(|n| ["PRIVATE", "PUBLIC"].contains(n));
            let node = match text(body, "nodeType") {
                Some("WORKER") => Some("ES"),
                Some("KIBANA") => Some("KIBANA"),
                _ => None,
            };
            let (Some(network), Some(node)) = (network, node) else {
                return Err(refused("nodeType and networkType are needed with whiteIpList."));
            };
            Ok(Change {
                mode,
                group: "default".to_owned(),
                kind: format!("{network}_{node}"),
                ips: addresses(Some(list))?,
            })
        }
        (Some(_), Some(_)) | (None, None) => {
            Err(refused("Either whiteIpGroup or whiteIpList is needed."))
        }
    }
}

fn modify(world: &mut World, call: &Call) -> Answer {
    let (id, instance) = world.instances.of(call)?;
    let change = read(&call.body)?;
    accepts_changes(instance, world.now_ms)?;
    if change.kind == "PUBLIC_ES" && !instance.public_network {
        return Err(Refusal::bad(
            "PublicNetworkNotEnabled",
            "The public allow list can be changed only while the public network is enabled.",
        ));
    }
    let until = world.after("Elasticsearch.ModifyWhiteIps");
    let now = world.now_ms;
    let instance = world.instances.get_mut(id)?;
    apply(instance, change, now)?;
    instance.course = Course::moving("activating", until, "active");
    instance.updated_ms = now;
    Ok(json!({"Result": true}))
}

fn apply(instance: &mut Instance, change: Change, now_ms: u64) -> Result<(), Refusal> {
    let mut change = change;
    change.ips.dedup();
    let here = |g: &AllowGroup| g.name == change.group && g.kind == change.kind;
    let Some(at) = instance.groups.iter().position(here) else {
        return create(instance, change, now_ms);
    };
    let held = instance.groups.get(at).map(|g| g.ips.clone()).unwrap_or_default();
    let next: Vec<String> = match change.mode.as_str() {
        "Append" => {
            let new = change.ips.into_iter().filter(|ip| !held.contains(ip));
            let new: Vec<String> = new.collect();
            held.into_iter().chain(new).collect()
        }
        "Delete" => held.into_iter().filter(|ip| !change.ips.contains(ip)).collect(),
        // The whole list becomes what was sent: what others had put there is lost.
        _ => change.ips,
    };
    if next.len() > MOST {
        return Err(refused("The group has too many addresses."));
    }
    if !next.is_empty() {
        if let Some(group) = instance.groups.get_mut(at) {
            group.ips = next;
        }
        return Ok(());
    }
    // The console's own group is never removed.
    if change.mode == "Delete" || change.group == "default" {
        return Err(refused("At least one address must stay in the group."));
    }
    instance.groups.remove(at);
    Ok(())
}

fn create(instance: &mut Instance, change: Change, now_ms: u64) -> Result<(), Refusal> {
    if change.mode != "Cover" || change.ips.is_empty() {
        return Err(no_group());
    }
    if !legal_name(&change.group) {
        return Err(refused("The name of the group is not valid."));
    }
    if change.ips.len() > MOST {
        return Err(refused("The group has too many addresses."));
    }
    instance.groups.push(AllowGroup {
        name: change.group,
        kind: change.kind,
        ips: change.ips,
        since_ms: now_ms,
    });
    Ok(())
}
