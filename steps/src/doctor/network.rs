//! F1 and F2: does the load balancer get to the leader, and its answer back?

use super::balancer::reaches;
use super::facts::{Balancer, End, Facts, Network};
use super::finding::{Check, Finding, Remedy};
use crate::aliyun::cbn::RouterRoute;
use crate::aliyun::elasticsearch::Instance;
use crate::aliyun::vpc::{RouteEntry, VSwitch};
use crate::nodes::step1_network::admitted;
use ipnet::Ipv4Net;

/// The blocks that the leader sees the load balancer come from.
fn blocks(balancer: &Balancer) -> Vec<String> {
    balancer.vswitches.iter().map(|v| v.cidr_block.clone()).collect()
}

/// Blocks that the leader does not admit, nor every address that the load balancer has in them.
fn shut_out(leader: &Instance, balancer: &Balancer) -> Vec<String> {
    let each = |vswitch: &VSwitch| {
        let mut zones = balancer.nlb.zones.iter().filter(|z| z.vswitch_id == vswitch.vswitch_id);
        zones.any(|zone| {
            !zone.local_ips.is_empty() && zone.local_ips.iter().all(|ip| admitted(leader, ip))
        })
    };
    let out = |v: &&VSwitch| !admitted(leader, &v.cidr_block) && !each(v);
    balancer.vswitches.iter().filter(out).map(|v| v.cidr_block.clone()).collect()
}

/// F1: the leader's allow list has the load balancer's blocks.
pub(super) fn allow_list(facts: &Facts) -> Option<Finding> {
    let balancer = facts.balancer.as_ref()?;
    let missing = shut_out(&facts.leader, balancer);
    if missing.is_empty() {
        return None;
    }
    let list = missing.join(", ");
    let id = &balancer.nlb.load_balancer_id;
    let problem = format!("the leader's private allow list lacks {list}");
    let held: Vec<String> = facts
        .leader
        .white_ip_groups
        .iter()
        .filter(|group| group.white_ip_type == "PRIVATE_ES")
        .map(|group| format!("{}: {}", group.name, group.ips.join(", ")))
        .collect();
    let seen = format!(
        "DescribeInstance {}: private groups {}",
        facts.leader.instance_id,
        if held.is_empty() { "none".to_owned() } else { held.join("; ") }
    );
    Some(
        Finding::new(Check::F1, problem)
            .seen(seen)
            .seen(format!("GetLoadBalancerAttribute {id}: it sends from {list}"))
            .means("the leader drops what the load balancer sends, health checks too")
            .next("`escrr doctor --fix` adds the blocks to a group of the link's own")
            .remedy(Remedy::Admit { blocks: missing }),
    )
}

/// F2: the peer link has bandwidth, and routes are active both ways.
pub(super) fn way(facts: &Facts) -> Option<Finding> {
    if facts.one_vpc {
        return None;
    }
    let broken = |network: &Network| {
        let mut evidence = Vec::new();
        peer(facts, network, &mut evidence);
        end(network, &network.leader, &facts.regions.0, &mut evidence);
        end(network, &network.follower, &facts.regions.1, &mut evidence);
        if evidence.is_empty() {
            routes(facts, network, &mut evidence);
        }
        evidence
    };
    // One way that is whole is enough; else the one that lacks least is the one that is meant.
    let evidence = match facts.networks.iter().map(broken).min_by_key(Vec::len) {
        Some(evidence) => evidence,
        // The VPCs may be joined by other means, which health checks then pass.
        None if facts.balancer.as_ref().is_some_and(reaches) => Vec::new(),
        None => vec!["DescribeVpcAttribute: the two VPCs hang on no common CEN".to_owned()],
    };
    if evidence.is_empty() {
        return None;
    }
    let problem = "the network between the two VPCs is not whole";
    let mut finding = Finding::new(Check::F2, problem)
        .means("packets of the load balancer do not reach the leader, or answers do not come back")
        .next("mend it in the CEN console, or `escrr plan` shows which node differs");
    finding.evidence = evidence;
    Some(finding)
}

fn peer(facts: &Facts, network: &Network, evidence: &mut Vec<String>) {
    if facts.regions.0 == facts.regions.1 {
        return;
    }
    let call = "ListTransitRouterPeerAttachments";
    match &network.peer {
        None => evidence.push(format!("{call}: none between {:?}", facts.regions)),
        Some(peer) => {
            let id = &peer.attachment_id;
            if peer.status != "Attached" {
                evidence.push(format!("{call}: {id} is {}", peer.status));
            }
            match peer.bandwidth.unwrap_or_default() {
                0 => evidence.push(format!("{call}: {id} has no bandwidth")),
                some if some < facts.bandwidth_mbps => evidence.push(format!(
                    "{call}: {id} has {some} Mbit/s, the spec says {}",
                    facts.bandwidth_mbps
                )),
                _ => {}
            }
        }
    }
}

/// The attachment of one end, and whether the transit router routes for it and for the peer link.
fn end(network: &Network, end: &End, region: &str, evidence: &mut Vec<String>) {
    let call = "ListTransitRouterVpcAttachments";
    if end.transit_router.is_none() {
        evidence.push(format!("ListTransitRouters: none in {region}"));
        return;
    }
    let Some(attachment) = &end.attachment else {
        evidence.push(format!("{call}: the VPC in {region} is not attached"));
        return;
    };
    let id = &attachment.attachment_id;
    if attachment.status != "Attached" {
        evidence.push(format!("{call}: {id} in {region} is {}", attachment.status));
    }
    let peer = network.peer.iter().map(|peer| &peer.attachment_id);
    for id in [id].into_iter().chain(peer).filter(|id| !end.associated.contains(*id)) {
        evidence.push(format!(
            "ListTransitRouterRouteTableAssociations: nothing routes for {id} in {region}"
        ));
    }
}

fn routes(facts: &Facts, network: &Network, evidence: &mut Vec<String>) {
    let Some(balancer) = &facts.balancer else { return };
    let backs: Vec<Ipv4Net> = blocks(balancer).iter().filter_map(|b| b.parse().ok()).collect();
    let leaders: Vec<Ipv4Net> = match &facts.addresses {
        Ok(addresses) => addresses.iter().map(|a| Ipv4Net::from(*a)).collect(),
        Err(_) => balancer.servers.iter().filter_map(|s| s.server_ip.parse().ok()).collect(),
    };
    for (end, region) in
        [(&network.leader, &facts.regions.0), (&network.follower, &facts.regions.1)]
    {
        for target in leaders.iter().chain(&backs) {
            if let Some(why) = unrouted(&end.routes, *target) {
                evidence.push(format!("ListTransitRouterRouteEntries in {region}: {target} {why}"));
            }
        }
    }
    for (end, region, targets) in [
        (&network.leader, &facts.regions.0, &backs),
        (&network.follower, &facts.regions.1, &leaders),
    ] {
        for target in targets.iter().filter(|target| !leads(end, **target)) {
            evidence.push(format!(
                "DescribeRouteEntryList in {region}: no route of the VPC to {target} by the \
                 transit router"
            ));
        }
    }
}

/// Why no active route leads to a target.
fn unrouted(routes: &[RouterRoute], target: Ipv4Net) -> Option<String> {
    let covers = |route: &&RouterRoute| {
        route.destination_cidr_block.parse::<Ipv4Net>().is_ok_and(|net| net.contains(&target))
    };
    let covering: Vec<&RouterRoute> = routes.iter().filter(covers).collect();
    if covering.iter().any(|route| route.status == "Active") {
        return None;
    }
    Some(match covering.first() {
        Some(route) => {
            format!("has a route that is {} ({})", route.status, route.destination_cidr_block)
        }
        None => "has no route".to_owned(),
    })
}

/// Does a route of the VPC lead to a target by way of its attachment?
fn leads(end: &End, target: Ipv4Net) -> bool {
    let by_attachment = |route: &RouteEntry| {
        route.next_hops.iter().any(|hop| {
            end.attachment.as_ref().is_some_and(|a| a.attachment_id == hop.next_hop_id)
                || hop.next_hop_type == "Attachment"
        })
    };
    end.vpc_routes
        .iter()
        .filter(|route| route.status == "Available" && by_attachment(route))
        .filter_map(|route| route.destination_cidr_block.parse::<Ipv4Net>().ok())
        .any(|net| net.contains(&target))
}
