//! The whole chain from a follower to a leader.

use super::hop::{Effect, Hop, Trail};
use super::{health, way};
use crate::World;
use crate::nlb::state::{Balancer, Group, Listener, Server};
use crate::privatelink::state::Endpoint;
use ipnet::IpNet;
use std::net::{IpAddr, Ipv4Addr};

/// Ports that an Elasticsearch node listens on: HTTP and transport.
pub(super) const HTTP_PORT: u16 = 9200;
pub(super) const TRANSPORT_PORT: u16 = 9300;

/// Where a chain ended: the address that the caller knows it by, and the instance or the break.
pub(super) struct Outcome {
    pub(super) address: Option<Ipv4Addr>,
    pub(super) reached: Result<String, Effect>,
}

/// Every hop of a connection from an instance to `host:port`, up to the first that does not hold.
pub fn explain(world: &World, from: &str, address: &str) -> Vec<Hop> {
    let mut trail = Trail::default();
    run(world, from, address, &mut trail);
    trail.0
}

/// Follows the chain from an instance to `host:port`.
pub(super) fn run(world: &World, from: &str, address: &str, trail: &mut Trail) -> Outcome {
    let split = address.rsplit_once(':').and_then(|(h, p)| Some((h, p.parse::<u16>().ok()?)));
    let Some((host, port)) = split else {
        let reached =
            trail.check("address", false, address, Effect::UnknownHost).map(|()| String::new());
        return Outcome { address: None, reached };
    };
    if let Ok(ip) = host.parse::<Ipv4Addr>() {
        // The cluster lives in the network of its service: no address of ours is in it.
        let reached = trail.check("domain", false, host, Effect::Dropped).map(|()| String::new());
        return Outcome { address: Some(ip), reached };
    }
    let host = host.to_ascii_lowercase();
    let found =
        world.privatelink.endpoints.values().find(|e| e.instance == from && e.domain == host);
    let reached = trail
        .need("domain", found, &host, Effect::UnknownHost)
        .and_then(|endpoint| through(world, endpoint, port, trail));
    Outcome { address: found.map(|e| e.address), reached }
}

/// From the endpoint to the instance behind it.
fn through(
    world: &World,
    endpoint: &Endpoint,
    port: u16,
    trail: &mut Trail,
) -> Result<String, Effect> {
    let now = world.now_ms;
    let status = endpoint.course.status(now);
    trail.check("endpoint", status == "Active", status, Effect::UnknownHost)?;
    let status = endpoint.connection.status(now);
    trail.check("connection", status == "Connected", status, Effect::Dropped)?;
    let service = world.privatelink.services.get(&endpoint.service);
    let service = service.filter(|s| matches!(s.course.status(now), "Active" | "Pending"));
    let service = trail.need("endpoint_service", service, &endpoint.service, Effect::Dropped)?;
    let resource = service
        .resources
        .iter()
        .find(|r| r.zone == endpoint.zone && r.course.status(now) == "Active");
    let resource = trail.need("service_resource", resource, &endpoint.zone, Effect::Dropped)?;
    let balancer = world.nlb.balancers.get(&resource.id);
    let balancer = balancer.filter(|b| matches!(b.course.status(now), "Active" | "Configuring"));
    let balancer = trail.need("load_balancer", balancer, &resource.id, Effect::Dropped)?;
    let listener = world.nlb.listeners_of(&resource.id).map(|(_, l)| l).find(|l| {
        l.covers(port)
            && l.protocol != "UDP"
            && matches!(l.course.status(now), "Running" | "Configuring")
    });
    let listener = trail.need("listener", listener, format!("port {port}"), Effect::Refused)?;
    let group = world.nlb.groups.get(&listener.group);
    let group = trail.need("server_group", group, &listener.group, Effect::Refused)?;
    any_server(world, balancer, group, port, trail)
}

/// A load balancer sends to any server that is healthy; without one it refuses.
fn any_server(
    world: &World,
    balancer: &Balancer,
    group: &Group,
    port: u16,
    trail: &mut Trail,
) -> Result<String, Effect> {
    let mut first: Option<(Trail, Effect)> = None;
    for server in group.servers.values() {
        if server.weight == 0 || server.course.status(world.now_ms) != "Available" {
            continue;
        }
        let mut attempt = Trail::default();
        match one_server(world, balancer, (group, server), port, &mut attempt) {
            Ok(instance) => {
                trail.0.append(&mut attempt.0);
                return Ok(instance);
            }
            Err(effect) => {
                first.get_or_insert((attempt, effect));
            }
        }
    }
    match first {
        Some((mut attempt, effect)) => {
            trail.0.append(&mut attempt.0);
            Err(effect)
        }
        None => trail
            .check("server", false, "no server is available", Effect::Refused)
            .map(|()| String::new()),
    }
}

fn one_server(
    world: &World,
    balancer: &Balancer,
    (group, server): (&Group, &Server),
    port: u16,
    trail: &mut Trail,
) -> Result<String, Effect> {
    let backend_port = if server.port == 0 { port } else { server.port };
    let instance = reach(world, balancer, server.ip, backend_port, trail)?;
    let check = health::check(world, balancer, group, server);
    trail.check(
        "health_check",
        check.is_ok(),
        check.err().unwrap_or("healthy"),
        Effect::Refused,
    )?;
    let detail = format!("port {backend_port}");
    trail.check("transport", backend_port == TRANSPORT_PORT, detail, Effect::NotTransport)?;
    Ok(instance)
}

/// From a load balancer to an address and port, and the answer back.
pub(super) fn reach(
    world: &World,
    balancer: &Balancer,
    address: Ipv4Addr,
    port: u16,
    trail: &mut Trail,
) -> Result<String, Effect> {
    let holders = world.instances.instances.iter().filter(|(_, i)| i.addresses.contains(&address));
    let holders: Vec<_> = holders.collect();
    let known = !holders.is_empty();
    trail.check("backend_address", known, address.to_string(), Effect::Dropped)?;
    let arrival = way::follow(world, &balancer.vpc, address, "forward", trail)?;
    let instance = holders.into_iter().find(|(_, i)| i.vpc == arrival);
    let (id, instance) = trail.need("backend", instance, arrival, Effect::Dropped)?;
    for local in locals(balancer) {
        let back = way::follow(world, &instance.vpc, local, "return", trail)?;
        trail.check("return.vpc_reached", back == balancer.vpc, back, Effect::Dropped)?;
    }
    for local in locals(balancer) {
        let ok = instance.allowed("PRIVATE_ES", None).any(|entry| admits(entry, local));
        trail.check("allow_list", ok, local.to_string(), Effect::Dropped)?;
    }
    let status = instance.course.status(world.now_ms);
    let up = ["active", "activating"].contains(&status);
    trail.check("instance", up, status, Effect::Refused)?;
    let open = [HTTP_PORT, TRANSPORT_PORT].contains(&port);
    trail.check("port", open, port.to_string(), Effect::Refused)?;
    Ok(id.clone())
}

/// Where a load balancer's connections come from, in every zone: any of them may be used.
fn locals(balancer: &Balancer) -> impl Iterator<Item = Ipv4Addr> + '_ {
    balancer.zones.iter().flat_map(|z| z.local.iter().copied())
}

/// Does an entry of an allow list, an address or a block, admit an address?
fn admits(entry: &str, address: Ipv4Addr) -> bool {
    match (entry.parse::<IpAddr>(), entry.parse::<IpNet>()) {
        (Ok(one), _) => one == IpAddr::V4(address),
        (Err(_), Ok(block)) => block.contains(&IpAddr::V4(address)),
        (Err(_), Err(_)) => false,
    }
}

/// The load balancer that a listener belongs to, if both are up.
pub(super) fn balancer_of<'a>(world: &'a World, listener: &Listener) -> Option<&'a Balancer> {
    world.nlb.balancers.get(&listener.balancer)
}
