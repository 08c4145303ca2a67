//! The leader admits the load balancer's addresses.

use super::VSwitches;
use crate::aliyun::elasticsearch::{Elasticsearch, Instance, ModifyMode};
use crate::aliyun::{Action, Product};
use crate::calls::{Calls, Declares};
use crate::marks::{group_name, older_group_name};
use crate::nodes::absent::{gone_is_fine, join, split};
use crate::nodes::prerequisites::Prerequisites;
use crate::{Follower, World};
use escrr_engine::{
    Act, Cx, Fault, NodeId, Patience, Remains, Report, Reverse, SagaId, Seen, Step,
};
use ipnet::Ipv4Net;
use std::collections::{BTreeMap, BTreeSet};

/// Puts the vSwitches' blocks into a group of our own; no other group is ever changed.
pub struct AllowList;

/// What 0.1.0 left in its group so that it did not become empty; it admits nobody.
const PLACEHOLDER: &str = "127.0.0.1";
const PRIVATE: &str = "PRIVATE_ES";
/// Behind the blocks of an item: they go into the saga's own group.
const OWN: &str = " in a group of its own";

/// The blocks of an item and the group that they go into. 0.1.0 had one group for all sagas.
fn read(item: &str, (link, saga): (&str, SagaId)) -> (BTreeSet<String>, String) {
    let (blocks, group) = match item.strip_suffix(OWN) {
        Some(blocks) => (blocks, group_name(link, saga)),
        None => (item, older_group_name(link)),
    };
    (split(&BTreeSet::from([blocks.to_owned()])), group)
}

async fn describe(cx: &Cx<'_, AllowList>) -> Result<Instance, Fault> {
    let facts = &cx.needs.0.leader.instance;
    cx.world.cloud.elasticsearch(&facts.region).describe_instance(&facts.instance).await
}

/// What a group holds; none if there is no such group.
fn held<'a>(instance: &'a Instance, name: &str) -> Option<&'a [String]> {
    let mut all = instance.white_ip_groups.iter();
    all.find(|g| g.name == name && g.white_ip_type == PRIVATE).map(|g| g.ips.as_slice())
}

/// Puts blocks into a group of the link's own: `Cover` makes it, `Append` widens it.
///
/// # Errors
/// The instance is being changed, or does not take the change.
pub(crate) async fn put(
    client: Elasticsearch<'_>,
    instance: &Instance,
    (group, blocks): (&str, &[String]),
    token: impl Fn(&str) -> String,
) -> Result<(), Fault> {
    at_rest(instance)?;
    let (mode, name) = match held(instance, group) {
        Some(_) => (ModifyMode::Append, "Append"),
        None => (ModifyMode::Cover, "Cover"),
    };
    client.modify_white_ips(&instance.instance_id, mode, (group, blocks), &token(name)).await
}

/// A change is taken by an instance that is at rest only.
fn at_rest(instance: &Instance) -> Result<(), Fault> {
    if instance.status == "active" {
        return Ok(());
    }
    let (id, status) = (&instance.instance_id, &instance.status);
    let tried = format!("changing the allow list of {id}");
    Err(Fault::Busy(Report::new(tried, format!("the instance is {status}"))))
}

/// What is left of ours, by group, and what others put into the same group.
struct Left {
    group: String,
    ours: Vec<String>,
    others: usize,
}

/// What is left in the group of this saga, and in that of 0.1.0 where it was announced.
fn left(cx: &Cx<'_, AllowList>, instance: &Instance) -> Vec<Left> {
    let link = &cx.world.spec.link;
    // In the group that carries our saga, `doctor --fix` puts nothing but our vSwitches' blocks.
    let blocks = cx.needs.1.iter().map(|v| v.cidr.clone()).collect();
    let mut announced = BTreeMap::from([(group_name(link, cx.saga), blocks)]);
    for item in cx.items {
        let (blocks, group) = read(item, (link, cx.saga));
        announced.entry(group).or_insert_with(BTreeSet::new).extend(blocks);
    }
    let mut all = Vec::new();
    for (group, mut blocks) in announced {
        if group == older_group_name(link) {
            blocks.insert(PLACEHOLDER.to_owned());
        }
        let Some(held) = held(instance, &group) else { continue };
        let (ours, others): (Vec<String>, Vec<String>) =
            held.iter().cloned().partition(|ip| blocks.contains(ip));
        if !ours.is_empty() {
            all.push(Left { group, ours, others: others.len() });
        }
    }
    all
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
        Ok(if missing.is_empty() && !left(cx, &instance).is_empty() {
            // The group carries this saga in its name.
            Seen::Ours(wanted)
        } else if missing.is_empty() {
            Seen::Ready(wanted)
        } else {
            Seen::Absent(vec![format!("{}{OWN}", join(&missing))])
        })
    }
}

impl Act for AllowList {
    const REVERSE: Reverse = Reverse::Undo(
        "takes our addresses out of our group, and removes the group if nothing else is in it",
    );

    fn lane(&self, cx: &Cx<'_, Self>) -> Option<String> {
        Some(format!("instance {}", cx.needs.0.leader.instance.instance))
    }

    async fn act(&self, cx: &Cx<'_, Self>, item: &str) -> Result<Option<String>, Fault> {
        let client = cx.world.cloud.elasticsearch(&cx.needs.0.leader.instance.region);
        let instance = describe(cx).await?;
        let (blocks, group) = read(item, (&cx.world.spec.link, cx.saga));
        let blocks: Vec<String> = blocks.into_iter().collect();
        // What is asked depends on what is there now, and a token stands for one request.
        let token = |mode: &str| cx.token(&format!("{item} {mode}"));
        put(client, &instance, (&group, &blocks), token).await.map(|()| None)
    }

    async fn remains(&self, cx: &Cx<'_, Self>) -> Result<Remains, Fault> {
        let instance = describe(cx).await?;
        let left = left(cx, &instance);
        let pending =
            || Remains::Pending(format!("{} is {}", instance.instance_id, instance.status));
        Ok(match left.into_iter().next() {
            // The change is done when the instance is at rest again.
            None if instance.status == "activating" => pending(),
            None => Remains::Nothing,
            Some(_) if instance.status != "active" => pending(),
            // One group at a time: the instance is being changed after each.
            Some(first) => Remains::Items(vec![first.group]),
        })
    }

    async fn undo(&self, cx: &Cx<'_, Self>, item: &str) -> Result<(), Fault> {
        let instance = describe(cx).await?;
        at_rest(&instance)?;
        let Some(left) = left(cx, &instance).into_iter().find(|left| left.group == item) else {
            let tried = format!("taking our addresses out of {item}");
            return Err(Fault::Busy(Report::new(tried, "they are out already, says another look")));
        };
        let client = cx.world.cloud.elasticsearch(&cx.needs.0.leader.instance.region);
        let (mode, ips) = if left.others == 0 {
            (ModifyMode::Cover, Vec::new())
        } else {
            (ModifyMode::Delete, left.ours)
        };
        let token = cx.undo_token(&format!("{item} {mode:?} {}", join(&ips)));
        gone_is_fine(
            client.modify_white_ips(&instance.instance_id, mode, (item, &ips), &token).await,
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_item_means_the_saga_s_group_and_one_of_0_1_0_the_group_of_then() {
        let saga = SagaId::new(1, [5; 10]);
        let blocks = BTreeSet::from(["10.2.1.0/28".to_owned(), "10.2.2.0/28".to_owned()]);
        let now = read("10.2.1.0/28,10.2.2.0/28 in a group of its own", ("a-b", saga));
        assert_eq!(now, (blocks.clone(), "escrr_a_b_05050505".to_owned()));
        let then = read("10.2.1.0/28,10.2.2.0/28", ("a-b", saga));
        assert_eq!(then, (blocks, "escrr_a-b".to_owned()));
    }
}
