//! What the health checks say: a state holds until enough checks have said otherwise.

use super::state::Probe;
use crate::network::{self, Health};
use crate::{Answer, Call, World};
use serde_json::{Value, json};
use std::collections::BTreeMap;

pub(super) fn handle(world: &mut World, call: &Call) -> Option<Answer> {
    match call.action.as_str() {
        "GetListenerHealthStatus" => Some(status(world, call)),
        _ => None,
    }
}

fn status(world: &World, call: &Call) -> Answer {
    let id = call.need("ListenerId")?;
    let listener = world.nlb.listener(id)?;
    let group = world.nlb.group(&listener.group)?;
    let bad: Vec<Value> = network::backend_health(world, id)
        .into_iter()
        .filter_map(|backend| {
            let (status, reason) = match backend.health {
                Health::Normal => return None,
                Health::Initial => ("Initial", None),
                Health::Unhealthy(reason) => ("Unhealthy", Some(reason)),
            };
            let mut row = json!({
                "Port": backend.port,
                "ServerId": backend.server_id,
                "ServerIp": backend.address,
                "Status": status,
            });
            if let (Some(reason), Some(fields)) = (reason, row.as_object_mut()) {
                fields.insert("Reason".into(), json!({ "ReasonCode": reason }));
            }
            Some(row)
        })
        .collect();
    Ok(json!({
        "ListenerHealthStatus": [{
            "ListenerId": id,
            "ListenerPort": if listener.is_range { 0 } else { listener.ports.0 },
            "ListenerProtocol": listener.protocol,
            "ServerGroupInfos": [{
                "HeathCheckEnabled": group.check.enabled,
                "NonNormalServers": bad,
                "ServerGroupId": listener.group,
            }],
        }],
        "MaxResults": 20,
        "TotalCount": 1,
    }))
}

/// Lets the checks look again.
pub(super) fn probe(world: &mut World) {
    let mut seen = BTreeMap::new();
    for (id, listener) in &world.nlb.listeners {
        let Some(group) = world.nlb.groups.get(&listener.group) else { continue };
        let running = listener.course.status(world.now_ms) == "Running";
        if !running || !group.check.enabled {
            continue;
        }
        for server in group.servers.values() {
            if server.course.status(world.now_ms) != "Available" {
                continue;
            }
            let raw = network::probe(world, listener, group, server);
            let key = format!("{id}|{}", server.key());
            let probe = match world.nlb.probes.get(&key) {
                None => Probe { raw, since_ms: world.now_ms, before: None },
                Some(old) if old.raw == raw => old.clone(),
                Some(old) => {
                    Probe { raw, since_ms: world.now_ms, before: reported(world, old).cloned() }
                }
            };
            seen.insert(key, probe);
        }
    }
    world.nlb.probes = seen;
}

/// What a probe reports: its finding once it has held long enough, else the one before.
pub(crate) fn reported<'a>(world: &World, probe: &'a Probe) -> Option<&'a String> {
    let held = world.now_ms >= probe.since_ms + world.durations.ms("Nlb.HealthCheck");
    if held { Some(&probe.raw) } else { probe.before.as_ref() }
}
