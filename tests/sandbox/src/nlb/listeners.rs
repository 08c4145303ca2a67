//! Listeners: one port, or a range of ports, of a load balancer.

use super::groups::one_of;
use super::jobs::job;
use super::state::{Listener, group_settled, settled};
use crate::listing::{in_region, invalid, lists, wants};
use crate::paging::{Size, by_token};
use crate::tagging::{new_tags, tag_rows, tagged};
use crate::{Answer, Call, Course, Refusal, World};
use serde_json::{Value, json};

pub(super) fn handle(world: &mut World, call: &Call) -> Option<Answer> {
    Some(match call.action.as_str() {
        "CreateListener" => create(world, call),
        "GetListenerAttribute" => get(world, call),
        "ListListeners" => list(world, call),
        "UpdateListenerAttribute" => update(world, call),
        "StartListener" => switch(world, call, &START),
        "StopListener" => switch(world, call, &STOP),
        "DeleteListener" => delete(world, call),
        _ => return None,
    })
}

/// First and last port, and whether they were asked for as a range.
fn ports(call: &Call) -> Result<((u16, u16), bool), Refusal> {
    call.need("ListenerPort")?;
    let port: u16 = call.number("ListenerPort")?.unwrap_or(0);
    if port != 0 {
        return Ok(((port, port), false));
    }
    call.need("StartPort")?;
    call.need("EndPort")?;
    let start: u16 = call.number("StartPort")?.unwrap_or(0);
    let end: u16 = call.number("EndPort")?.unwrap_or(0);
    if end <= start {
        return Err(invalid("EndPort"));
    }
    Ok(((start, end), true))
}

/// A range of ports goes with a group of any port, one port with a group of ports.
fn fits(world: &World, group: &str, is_range: bool, protocol: &str) -> Result<(), Refusal> {
    let found = world.nlb.group(group)?;
    group_settled(found, world.now_ms)?;
    if found.any_port != is_range {
        return Err(Refusal::bad(
            "OperationDenied.ServerGroupAnyPortMismatch",
            "A listener of a port range needs a server group with AnyPortEnabled, and vice versa.",
        ));
    }
    let plain = if protocol == "TCPSSL" { "TCP" } else { protocol };
    if found.protocol != plain && found.protocol != "TCP_UDP" {
        return Err(Refusal::bad(
            "OperationDenied.ProtocolMismatch",
            "The protocols of the listener and of the server group differ.",
        ));
    }
    Ok(())
}

fn create(world: &mut World, call: &Call) -> Answer {
    let balancer_id = call.need("LoadBalancerId")?.to_owned();
    let (ports, is_range) = ports(call)?;
    call.need("ListenerProtocol")?;
    let protocol = one_of(call, "ListenerProtocol", &["TCP", "UDP", "TCPSSL"])?;
    let group = call.need("ServerGroupId")?.to_owned();
    let balancer = world.nlb.balancer(&balancer_id)?;
    settled("loadbalancer", &balancer.course, world.now_ms)?;
    let region = balancer.region.clone();
    if world.nlb.group(&group)?.vpc != balancer.vpc {
        return Err(Refusal::bad(
            "OperationDenied.VpcMismatch",
            "The server group is not in the VPC of the load balancer.",
        ));
    }
    fits(world, &group, is_range, &protocol)?;
    let tcp = protocol != "UDP";
    let clash = world
        .nlb
        .listeners_of(&balancer_id)
        .any(|(_, l)| (l.protocol != "UDP") == tcp && l.ports.0 <= ports.1 && ports.0 <= l.ports.1);
    if clash {
        return Err(Refusal::bad(
            "ResourceAlreadyExist.Listener",
            "The load balancer already has a listener on these ports.",
        ));
    }
    let listener = Listener {
        region,
        balancer: balancer_id,
        protocol,
        ports,
        is_range,
        group,
        description: call.get("ListenerDescription").unwrap_or_default().to_owned(),
        idle_timeout: idle_timeout(call, 900)?,
        proxy_protocol: call.flag("ProxyProtocolEnabled", false),
        course: Course::moving("Provisioning", world.after("Nlb.CreateListener"), "Running"),
        since_ms: world.now_ms,
        tags: new_tags(call)?,
    };
    let id = world.fresh_id("lsn");
    world.nlb.listeners.insert(id.clone(), listener);
    Ok(json!({"JobId": job(world, "Nlb.CreateListener"), "ListenerId": id}))
}

fn idle_timeout(call: &Call, old: u32) -> Result<u32, Refusal> {
    let value = call.number("IdleTimeout")?.unwrap_or(old);
    if (1..=900).contains(&value) { Ok(value) } else { Err(invalid("IdleTimeout")) }
}

fn get(world: &World, call: &Call) -> Answer {
    let id = call.need("ListenerId")?;
    let listener = world.nlb.listener(id)?;
    let mut row = row(world, id, listener);
    if let Some(fields) = row.as_object_mut() {
        // This call alone names the members of a tag TagKey and TagValue.
        fields.insert("Tags".into(), tag_rows(&listener.tags, "TagKey", "TagValue"));
    }
    Ok(row)
}

fn list(world: &World, call: &Call) -> Answer {
    let rows = world
        .nlb
        .listeners
        .iter()
        .filter(|(id, l)| {
            in_region(call, &l.region)
                && lists(call, "ListenerIds", id)
                && lists(call, "LoadBalancerIds", &l.balancer)
                && wants(call, "ListenerProtocol", &l.protocol)
                && tagged(call, &l.tags)
        })
        .map(|(id, l)| row(world, id, l))
        .collect();
    by_token(call, rows, &["Listeners"], Size::new(20, 100))
}

fn row(world: &World, id: &str, l: &Listener) -> Value {
    let range = |port: u16| if l.is_range { port.to_string() } else { String::new() };
    json!({
        "AlpnEnabled": false,
        "CaEnabled": false,
        "Cps": 0,
        // Numbers that this API writes as strings.
        "StartPort": range(l.ports.0),
        "EndPort": range(l.ports.1),
        "IdleTimeout": l.idle_timeout,
        "ListenerDescription": l.description,
        "ListenerId": id,
        "ListenerPort": if l.is_range { 0 } else { l.ports.0 },
        "ListenerProtocol": l.protocol,
        "ListenerStatus": l.course.status(world.now_ms),
        "LoadBalancerId": l.balancer,
        "Mss": 0,
        "ProxyProtocolEnabled": l.proxy_protocol,
        "RegionId": l.region,
        "SecSensorEnabled": false,
        "ServerGroupId": l.group,
        "Tags": tag_rows(&l.tags, "Key", "Value"),
    })
}

fn update(world: &mut World, call: &Call) -> Answer {
    let id = call.need("ListenerId")?;
    let old = world.nlb.listener(id)?;
    settled("listener", &old.course, world.now_ms)?;
    let fixed = ["ListenerPort", "StartPort", "EndPort", "ListenerProtocol"];
    if let Some(param) = fixed.into_iter().find(|p| call.get(p).is_some()) {
        return Err(invalid(param));
    }
    if let Some(group) = call.get("ServerGroupId").filter(|g| *g != old.group) {
        fits(world, group, old.is_range, &old.protocol)?;
    }
    let idle = idle_timeout(call, old.idle_timeout)?;
    let until = world.after("Nlb.UpdateListenerAttribute");
    let now = world.now_ms;
    if let Some(listener) = world.nlb.listeners.get_mut(id) {
        let rest = listener.course.status(now).to_owned();
        call.replace("ServerGroupId", &mut listener.group);
        call.replace("ListenerDescription", &mut listener.description);
        listener.idle_timeout = idle;
        listener.proxy_protocol = call.flag("ProxyProtocolEnabled", listener.proxy_protocol);
        listener.course = Course::moving("Configuring", until, &rest);
    }
    Ok(json!({"JobId": job(world, "Nlb.UpdateListenerAttribute")}))
}

/// Starting or stopping: the status it needs, the way there, and where it ends.
struct Switch {
    operation: &'static str,
    from: &'static str,
    during: &'static str,
    to: &'static str,
}

const START: Switch =
    Switch { operation: "Nlb.StartListener", from: "Stopped", during: "Starting", to: "Running" };
const STOP: Switch =
    Switch { operation: "Nlb.StopListener", from: "Running", during: "Stopping", to: "Stopped" };

fn switch(world: &mut World, call: &Call, switch: &Switch) -> Answer {
    let id = call.need("ListenerId")?;
    let until = world.after(switch.operation);
    let status = world.nlb.listener(id)?.course.status(world.now_ms);
    if status != switch.from {
        return Err(Refusal::bad(
            "IncorrectStatus.listener",
            format!("The status of listener {status} does not support this operation."),
        ));
    }
    if let Some(listener) = world.nlb.listeners.get_mut(id) {
        listener.course = Course::moving(switch.during, until, switch.to);
    }
    Ok(json!({"JobId": job(world, switch.operation)}))
}

fn delete(world: &mut World, call: &Call) -> Answer {
    let id = call.need("ListenerId")?;
    settled("listener", &world.nlb.listener(id)?.course, world.now_ms)?;
    let until = world.after("Nlb.DeleteListener");
    if let Some(listener) = world.nlb.listeners.get_mut(id) {
        listener.course = Course::leaving("Deleting", until);
    }
    Ok(json!({"JobId": job(world, "Nlb.DeleteListener")}))
}
