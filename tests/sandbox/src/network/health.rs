//! The chain behind a load balancer as its health checks see it.

use super::chain::{HTTP_PORT, balancer_of, reach};
use super::hop::{Effect, Trail};
use crate::World;
use crate::nlb::reported;
use crate::nlb::state::{Balancer, Group, Listener, Server};
use std::net::Ipv4Addr;

/// Health of one server behind a listener.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Backend {
    /// Server id; the address for servers of the type `Ip`.
    pub server_id: String,
    /// Address.
    pub address: Ipv4Addr,
    /// The port that is probed.
    pub port: u16,
    /// What the checks report.
    pub health: Health,
}

/// What health checks report of a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Health {
    /// Healthy, or not checked.
    Normal,
    /// Not checked often enough yet.
    Initial,
    /// The reason code, for example `CONNECT_TIMEOUT`.
    Unhealthy(String),
}

/// What the health checks of a listener report now, a row a server.
pub fn backend_health(world: &World, listener_id: &str) -> Vec<Backend> {
    let Some(listener) = world.nlb.listeners.get(listener_id) else { return Vec::new() };
    let Some(group) = world.nlb.groups.get(&listener.group) else { return Vec::new() };
    group
        .servers
        .values()
        .map(|server| Backend {
            server_id: server.id.clone(),
            address: server.ip,
            port: checked_port(group, server),
            health: health(world, listener_id, group, server),
        })
        .collect()
}

fn health(world: &World, listener_id: &str, group: &Group, server: &Server) -> Health {
    if !group.check.enabled {
        return Health::Normal;
    }
    let probe = world.nlb.probes.get(&format!("{listener_id}|{}", server.key()));
    match probe.and_then(|p| reported(world, p)) {
        None => Health::Initial,
        Some(reason) if reason.is_empty() => Health::Normal,
        Some(reason) => Health::Unhealthy(reason.clone()),
    }
}

fn checked_port(group: &Group, server: &Server) -> u16 {
    if group.check.port == 0 { server.port } else { group.check.port }
}

/// What a check meets at this moment: empty, or a reason code.
pub(crate) fn probe(world: &World, listener: &Listener, group: &Group, server: &Server) -> String {
    let Some(balancer) = balancer_of(world, listener) else {
        return "CONNECT_FAILED".to_owned();
    };
    check(world, balancer, group, server).err().unwrap_or_default().to_owned()
}

/// One check of one server.
pub(super) fn check(
    world: &World,
    balancer: &Balancer,
    group: &Group,
    server: &Server,
) -> Result<(), &'static str> {
    if !group.check.enabled {
        return Ok(());
    }
    let port = checked_port(group, server);
    // A group of any port has no port of its own to probe.
    if port == 0 {
        return Err("CONNECT_FAILED");
    }
    reach(world, balancer, server.ip, port, &mut Trail::default()).map_err(reason)?;
    match (group.check.kind.as_str(), port) {
        ("TCP", _) => Ok(()),
        // The cluster asks who is there: 401 is none of the codes that count as healthy.
        ("HTTP", HTTP_PORT) => Err("HTTP_CODE_NOT_MATCH"),
        ("HTTP", _) => Err("HTTP_INVALID_HEADER"),
        _ => Err("CONNECT_FAILED"),
    }
}

fn reason(effect: Effect) -> &'static str {
    match effect {
        Effect::Dropped | Effect::UnknownHost => "CONNECT_TIMEOUT",
        Effect::Refused | Effect::NotTransport => "CONNECT_FAILED",
    }
}
