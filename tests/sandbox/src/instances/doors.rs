//! Who gets at an instance from outside: `TriggerNetwork`, and what the allow lists admit.

use super::state::accepts_changes;
use crate::{Answer, Call, Course, Refusal, World};
use serde_json::{Value, json};
use std::net::{IpAddr, Ipv4Addr};

/// Everybody who speaks to the sandbox does it from this machine.
const CALLER: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

pub(super) fn handle(world: &mut World, call: &Call) -> Option<Answer> {
    match call.action.as_str() {
        "TriggerNetwork" => Some(trigger(world, call)),
        _ => None,
    }
}

/// Does an allow list of one of these kinds admit the caller?
pub(crate) fn admits_caller(world: &World, instance: &str, kinds: &[&str]) -> bool {
    let Some(instance) = world.instances.instances.get(instance) else { return false };
    let mut entries = kinds.iter().flat_map(|kind| instance.allowed(kind, None));
    entries.any(|entry| {
        let block = entry.parse::<ipnet::IpNet>();
        block.is_ok_and(|block| block.contains(&CALLER)) || entry.parse() == Ok(CALLER)
    })
}

/// Does the cluster's own address let the caller in, by the private or the public network?
pub(crate) fn is_open(world: &World, instance: &str) -> bool {
    let public = world.instances.instances.get(instance).is_some_and(|i| i.public_network);
    let kinds: &[&str] = if public { &["PRIVATE_ES", "PUBLIC_ES"] } else { &["PRIVATE_ES"] };
    admits_caller(world, instance, kinds)
}

/// Is the public network access of its Kibana on?
pub(crate) fn has_public_kibana(world: &World, instance: &str) -> bool {
    world.instances.instances.get(instance).is_some_and(|i| i.kibana_public)
}

fn trigger(world: &mut World, call: &Call) -> Answer {
    let (id, instance) = world.instances.of(call)?;
    let member = |name: &str, legal: [&str; 2]| {
        let given = call.body.get(name).and_then(Value::as_str);
        given.and_then(|given| legal.iter().position(|value| *value == given)).ok_or_else(|| {
            let said = format!("{name} must be {} or {}.", legal[0], legal[1]);
            Refusal::bad("InvalidParameter", said)
        })
    };
    let on = member("actionType", ["CLOSE", "OPEN"])? == 1;
    let public = member("networkType", ["PRIVATE", "PUBLIC"])? == 1;
    let kibana = member("nodeType", ["WORKER", "KIBANA"])? == 1;
    if !public {
        let said = "The private network cannot be switched by this call.";
        return Err(Refusal::bad("InvalidParameter", said));
    }
    accepts_changes(instance, world.now_ms)?;
    let until = world.after("Elasticsearch.TriggerNetwork");
    let now = world.now_ms;
    let instance = world.instances.get_mut(id)?;
    if kibana {
        instance.kibana_public = on;
    } else {
        instance.public_network = on;
    }
    instance.course = Course::moving("activating", until, "active");
    instance.updated_ms = now;
    Ok(json!({"Result": true}))
}
