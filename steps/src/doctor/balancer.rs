//! F3, F4, F5: the listener's ports, the leader's address, the health check.

use super::facts::{Balancer, Facts};
use super::finding::{Check, Finding, Remedy};
use crate::aliyun::nlb::Listener;
use std::collections::BTreeSet;
use std::net::Ipv4Addr;

/// The port that the follower connects to.
const TRANSPORT_PORT: u64 = 9300;
/// Elasticsearch's transport goes through as it is; what ends TLS itself breaks it.
const PROTOCOL: &str = "TCP";

/// Does a listener take the port that the cluster connects to, and hand it on as it is?
pub(super) fn takes_transport(listener: &Listener) -> bool {
    if !listener.protocol.eq_ignore_ascii_case(PROTOCOL) {
        return false;
    }
    match (listener.port, listener.start_port, listener.end_port) {
        (0, Some(from), Some(to)) => (from..=to).contains(&TRANSPORT_PORT),
        (port, ..) => port == TRANSPORT_PORT,
    }
}

fn range(listener: &Listener) -> String {
    match (listener.port, listener.start_port, listener.end_port) {
        (0, Some(from), Some(to)) => format!("{from}-{to}"),
        (port, ..) => port.to_string(),
    }
}

/// F3: a listener that runs takes the document's ports.
pub(super) fn listener(facts: &Facts) -> Option<Finding> {
    let Some(balancer) = &facts.balancer else {
        // Without a service nobody knows which load balancer is meant: that is F6.
        facts.service.as_ref()?;
        let finding = Finding::new(Check::F3, "there is no load balancer behind the service");
        return Some(
            finding
                .seen("ListVpcEndpointServiceResources, GetLoadBalancerAttribute: none")
                .means("nothing takes the follower's connections")
                .next("`escrr plan` shows what is missing"),
        );
    };
    let id = &balancer.nlb.load_balancer_id;
    let status = &balancer.nlb.status;
    if status != "Active" {
        return Some(
            Finding::new(Check::F3, format!("the load balancer is {status}"))
                .seen(format!("GetLoadBalancerAttribute {id}: {status}"))
                .means("it takes no connections")
                .next("see it in the NLB console"),
        );
    }
    let (first, last, _) = facts.ports;
    // A single port is enough where the follower gets through it.
    let connected = facts.remote.as_ref().is_ok_and(|remote| remote.connected);
    let covers = |l: &&Listener| match (l.port, l.start_port, l.end_port) {
        (0, Some(from), Some(to)) => from <= first && to >= last,
        _ => connected,
    };
    let covers = |l: &&Listener| takes_transport(l) && covers(l);
    let runs = |l: &&Listener| l.status == "Running";
    if balancer.listeners.iter().filter(covers).any(|l| runs(&l)) {
        return None;
    }
    let all: Vec<String> = balancer
        .listeners
        .iter()
        .map(|l| format!("{} takes {} on {}, is {}", l.listener_id, l.protocol, range(l), l.status))
        .collect();
    let stopped = balancer.listeners.iter().any(|l| covers(&l));
    let problem = if stopped {
        format!("the listener for ports {first} to {last} does not run")
    } else {
        format!("no TCP listener takes ports {first} to {last}")
    };
    Some(
        Finding::new(Check::F3, problem)
            .seen(format!(
                "ListListeners {id}: {}",
                if all.is_empty() { "none".to_owned() } else { all.join("; ") }
            ))
            .means("the follower connects to port 9300, and nobody takes it there")
            .next(if stopped {
                "start the listener in the NLB console".to_owned()
            } else {
                format!(
                    "give it TCP and the range {first}-{last} in the NLB console; neither can be \
                     switched on later, so it may have to be made anew"
                )
            }),
    )
}

fn list(all: &BTreeSet<String>) -> String {
    match all.len() {
        0 => "nothing".to_owned(),
        _ => all.iter().cloned().collect::<Vec<_>>().join(", "),
    }
}

/// F4 where nobody can tell the leader's addresses: they are those that the spec names. Which of
/// two is old is then for a person to say.
fn named(
    (id, held): (&str, &BTreeSet<String>),
    (named, why): (&BTreeSet<String>, &str),
) -> Option<Finding> {
    (held != named).then(|| {
        let problem = format!("the server group {id} does not hold the addresses of the spec");
        Finding::new(Check::F4, problem)
            .seen(format!("ListServerGroupServers {id}: {}", list(held)))
            .seen(format!("leader_address.addresses in the spec: {}", list(named)))
            .seen(format!("the leader's domain was not resolved: {why}"))
            .means("one of the two is out of date, and nobody here can tell which")
            .next("see the leader's addresses in the console, and correct the spec or the group")
    })
}

/// F4: the servers are the leader's addresses as they are now.
pub(super) fn address(facts: &Facts) -> Option<Finding> {
    let balancer = facts.balancer.as_ref()?;
    let group = balancer.group.as_ref()?;
    let held: BTreeSet<String> = balancer.servers.iter().map(|s| s.server_ip.clone()).collect();
    let texts = |all: &BTreeSet<Ipv4Addr>| all.iter().map(ToString::to_string).collect();
    let now: BTreeSet<String> = match &facts.addresses {
        Ok(now) => texts(now),
        Err(_) if facts.named.is_empty() => return None,
        Err(why) => return named((&group.server_group_id, &held), (&texts(&facts.named), why)),
    };
    let add: Vec<String> = now.difference(&held).cloned().collect();
    let remove: Vec<String> = held.difference(&now).cloned().collect();
    if add.is_empty() && remove.is_empty() {
        return None;
    }
    let id = &group.server_group_id;
    let problem = format!("the server group {id} does not hold the leader's addresses");
    let finding = Finding::new(Check::F4, problem)
        .seen(format!("ListServerGroupServers {id}: {}", list(&held)))
        .seen(format!("{} leads to {}", facts.leader.domain, list(&now)))
        .means("the leader's addresses change when its nodes do; a load balancer does not notice");
    let others = group.load_balancer_ids.iter().filter(|b| **b != balancer.nlb.load_balancer_id);
    let others: Vec<&str> = others.map(String::as_str).collect();
    if !others.is_empty() {
        let others = others.join(", ");
        return Some(finding.seen(format!("ListServerGroups {id}: it also serves {others}")).next(
            "it is not this link's alone: give the listener a group of its own, or swap the \
             addresses in the NLB console",
        ));
    }
    let old: Vec<String> =
        facts.named.iter().map(ToString::to_string).filter(|named| !now.contains(named)).collect();
    let also = match old.as_slice() {
        [] => String::new(),
        old => format!("; leader_address.addresses in the spec still names {}", old.join(", ")),
    };
    let next = format!(
        "`escrr doctor --fix` puts the present addresses in and takes the old ones out{also}"
    );
    let group = id.clone();
    Some(finding.next(next).remedy(Remedy::SwapAddresses { group, add, remove }))
}

/// F5, the settings: TCP on port 9300.
pub(super) fn health_check(facts: &Facts) -> Option<Finding> {
    let group = facts.balancer.as_ref()?.group.as_ref()?;
    let check = &group.health_check;
    let wanted = facts.ports.2;
    let right = check.enabled && check.check_type == "TCP" && check.connect_port == wanted;
    (!right).then(|| {
        let problem = if !check.enabled {
            "the health check is off".to_owned()
        } else if check.check_type == "TCP" {
            format!("the health check asks port {}, not {wanted}", check.connect_port)
        } else {
            format!("the health check speaks {}, not TCP", check.check_type)
        };
        Finding::new(Check::F5, problem)
            .seen(format!(
                "ListServerGroups {}: health check {}, {}, port {}",
                group.server_group_id,
                if check.enabled { "on" } else { "off" },
                check.check_type,
                check.connect_port
            ))
            .means("servers are taken for unhealthy that are not, or the other way round")
            .next(format!("set the health check to TCP on port {wanted} in the NLB console"))
    })
}

/// What the load balancer says of its servers, where it is not that all are healthy.
pub(super) fn unhealthy(balancer: &Balancer) -> Option<String> {
    let health = balancer.health.as_ref()?;
    let all: Vec<String> = health
        .non_normal
        .iter()
        .map(|s| match s.reason.as_str() {
            "" => format!("{} is {}", s.server_ip, s.status),
            reason => format!("{} is {} ({reason})", s.server_ip, s.status),
        })
        .collect();
    (!all.is_empty()).then(|| all.join("; "))
}

/// Do health checks get to every server, and their answers back?
pub(super) fn reaches(balancer: &Balancer) -> bool {
    let probed = balancer.group.as_ref().is_some_and(|group| group.health_check.enabled);
    let healthy = balancer.health.as_ref().is_some_and(|health| health.non_normal.is_empty());
    probed && healthy && !balancer.servers.is_empty()
}

/// F5, the state: nobody is unhealthy.
pub(super) fn health(facts: &Facts) -> Option<Finding> {
    let said = unhealthy(facts.balancer.as_ref()?)?;
    let port = facts.ports.2;
    let problem = format!("the load balancer does not reach the leader on port {port}");
    Some(
        Finding::new(Check::F5, problem)
            .seen(format!("GetListenerHealthStatus: {said}"))
            .means(
                "allow list, routes and addresses look right: security groups, network ACLs, or \
                 the leader itself",
            )
            .next(format!("look whether a network ACL or a security group drops port {port}")),
    )
}
