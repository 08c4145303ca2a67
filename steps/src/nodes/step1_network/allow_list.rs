//! The leader admits the load balancer's addresses.

use super::VSwitches;
use crate::aliyun::elasticsearch::{Instance, ModifyMode};
use crate::aliyun::{Action, Product};
use crate::calls::{Calls, Declares};
use crate::nodes::absent::{join, split};
use crate::nodes::prerequisites::Prerequisites;
use crate::{Follower, World};
use escrr_engine::{Act, Cx, Fault, NodeId, Patience, Remains, Report, Reverse, Seen, Step};
use ipnet::Ipv4Net;
use std::collections::BTreeSet;

/// Puts the vSwitches' blocks into a group of our own; no other group is ever changed.
pub struct AllowList;

/// An address that admits nobody: a group must not become empty.
const PLACEHOLDER: &str = "127.0.0.1";
const PRIVATE: &str = "PRIVATE_ES";

pub(crate) fn group(world: &World) -> String {
    format!("escrr_{}", world.spec.link)
}

async fn describe(cx: &Cx<'_, AllowList>) -> Result<Instance, Fault> {
    let facts = &cx.needs.0.leader.instance;
    cx.world.cloud.elasticsearch(&facts.region).describe_instance(&facts.instance).await
}

/// What the group of ours holds.
fn held(world: &World, instance: &Instance) -> BTreeSet<String> {
    let name = group(world);
    let ours =
        instance.white_ip_groups.iter().filter(|g| g.name == name && g.white_ip_type == PRIVATE);
    ours.flat_map(|g| g.ips.iter().cloned()).collect()
}

/// Is every address of the block admitted, by groups of ours or of others, by one entry or by
/// several together?
pub(crate) fn admitted(instance: &Instance, block: &str) -> bool {
    let net = |text: &str| text.parse::<Ipv4Net>().or_else(|_| format!("{text}/32").parse());
    let Ok(wanted) = net(block) else { return false };
    let private = instance.white_ip_groups.iter().filter(|g| g.white_ip_type == PRIVATE);
    let all = private.flat_map(|g| &g.ips).chain(&instance.private_white_list);
    let all: Vec<Ipv4Net> = all.filter_map(|entry| net(entry).ok()).collect();
    Ipv4Net::aggregate(&all).iter().any(|net| net.contains(&wanted))
}

impl Declares for AllowList {
    const CALLS: Calls = Calls {
        look: &[Action::new(Product::Elasticsearch, "DescribeInstance")],
        act: &[Action::new(Product::Elasticsearch, "ModifyWhiteIps")],
        undo: &[
            Action::new(Product::Elasticsearch, "DescribeInstance"),
            Action::new(Product::Elasticsearch, "ModifyWhiteIps"),
        ],
    };
}

impl Step for AllowList {
    type World = World;
    type Needs = (Prerequisites, VSwitches<Follower>);
    type Output = Vec<String>;
    const ID: NodeId = NodeId::new("leader", "allow_list");
    const PHASE: u8 = 1;
    const TITLE: &'static str = "the leader's allow list admits the load balancer's addresses";
    const PATIENCE: Patience = Patience::new(180, 3600);

    async fn observe(&self, cx: &Cx<'_, Self>) -> Result<Seen<Vec<String>>, Fault> {
        let instance = describe(cx).await?;
        let wanted: Vec<String> = cx.needs.1.iter().map(|v| v.cidr.clone()).collect();
        let missing: Vec<String> =
            wanted.iter().filter(|b| !admitted(&instance, b)).cloned().collect();
        if instance.status != "active" {
            return Ok(Seen::Pending(format!("{} is {}", instance.instance_id, instance.status)));
        }
        Ok(if missing.is_empty() {
            Seen::Ready(wanted)
        } else {
            Seen::Absent(vec![join(&missing)])
        })
    }
}

impl Act for AllowList {
    const REVERSE: Reverse = Reverse::Undo("takes our addresses out of our group");
    const LEAVES: Option<&'static str> =
        Some("our group in the allow list, with the placeholder 127.0.0.1, which admits nobody");

    fn lane(&self, cx: &Cx<'_, Self>) -> Option<String> {
        Some(format!("instance {}", cx.needs.0.leader.instance.instance))
    }

    async fn act(&self, cx: &Cx<'_, Self>, item: &str) -> Result<(), Fault> {
        let facts = &cx.needs.0.leader.instance;
        let ips: Vec<String> = item.split(',').map(str::to_owned).collect();
        let client = cx.world.cloud.elasticsearch(&facts.region);
        let (name, token) = (group(cx.world), cx.token(item));
        client.modify_white_ips(&facts.instance, ModifyMode::Append, (&name, &ips), &token).await
    }

    async fn remains(&self, cx: &Cx<'_, Self>) -> Result<Remains, Fault> {
        let instance = describe(cx).await?;
        let announced = split(cx.items);
        if held(cx.world, &instance).is_disjoint(&announced) {
            // The change is done when the instance is at rest again.
            return Ok(if instance.status == "activating" {
                Remains::Pending(format!("{} is activating", instance.instance_id))
            } else {
                Remains::Nothing
            });
        }
        Ok(if instance.status == "active" {
            Remains::whole()
        } else {
            Remains::Pending(format!("{} is {}", instance.instance_id, instance.status))
        })
    }

    async fn undo(&self, cx: &Cx<'_, Self>, item: &str) -> Result<(), Fault> {
        let instance = describe(cx).await?;
        let held = held(cx.world, &instance);
        let (ours, others): (Vec<String>, Vec<String>) =
            held.into_iter().partition(|ip| split(cx.items).contains(ip));
        if ours.is_empty() {
            let tried = format!("taking our addresses out of {}", group(cx.world));
            return Err(Fault::Busy(Report::new(tried, "they are out already, says another look")));
        }
        let facts = &cx.needs.0.leader.instance;
        let client = cx.world.cloud.elasticsearch(&facts.region);
        let (mode, ips) = if others.is_empty() {
            (ModifyMode::Cover, vec![PLACEHOLDER.to_owned()])
        } else {
            (ModifyMode::Delete, ours)
        };
        // What is asked depends on what the group holds now, and a token stands for one request.
        let token = cx.undo_token(&format!("{item} {mode:?} {}", join(&ips)));
        client.modify_white_ips(&facts.instance, mode, (&group(cx.world), &ips), &token).await
    }
}
