//! The listener: all ports from 9200 to 9300, forwarded to the server group.

use super::{LoadBalancer, ServerGroup};
use crate::World;
use crate::aliyun::nlb::{CreateListener, Listener as Listed};
use crate::aliyun::{Action, Product};
use crate::calls::{Calls, Declares};
use crate::nodes::absent::{gone_is_fine, if_there};
use crate::nodes::prerequisites::Prerequisites;
use crate::own::Owner;
use escrr_engine::{Act, Cx, Fault, NodeId, Patience, Remains, Report, Reverse, Seen, Step};
use serde::{Deserialize, Serialize};

/// Makes the listener.
pub struct Listener;

/// The listener.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ListenerId {
    /// Its id.
    pub listener: String,
}

async fn list(cx: &Cx<'_, Listener>) -> Result<Vec<Listed>, Fault> {
    let client = cx.world.cloud.nlb(&cx.needs.0.follower.instance.region);
    Ok(if_there(client.list_listeners(&cx.needs.1.balancer).await)?.unwrap_or_default())
}

/// The ports that a listener answers on.
fn ports(listener: &Listed) -> (u64, u64) {
    if listener.port > 0 {
        return (listener.port, listener.port);
    }
    (listener.start_port.unwrap_or(0), listener.end_port.unwrap_or(0))
}

/// The listener that has a say on one of the wanted ports.
async fn find(cx: &Cx<'_, Listener>) -> Result<Option<Listed>, Fault> {
    let (start, end) = wanted(cx);
    Ok(list(cx).await?.into_iter().find(|l| {
        let (first, last) = ports(l);
        l.protocol != "UDP" && first <= end && start <= last
    }))
}

fn wanted(cx: &Cx<'_, Listener>) -> (u64, u64) {
    let spec = &cx.world.spec.load_balancer;
    (u64::from(spec.start_port), u64::from(spec.end_port))
}

fn drift(cx: &Cx<'_, Listener>, found: &Listed) -> Option<Report> {
    let (start, end) = wanted(cx);
    let (first, last) = ports(found);
    let group = &cx.needs.2.group;
    let checks = [
        (found.protocol != "TCP", format!("its protocol is {}, not TCP", found.protocol)),
        (
            first > start || last < end,
            format!("it answers on {first}-{last}, not on {start}-{end}"),
        ),
        (
            found.server_group_id != *group,
            format!("it forwards to {}, not to {group}", found.server_group_id),
        ),
        (found.status == "Stopped", "it is stopped".to_owned()),
    ];
    let wrong: Vec<String> =
        checks.into_iter().filter(|(bad, _)| *bad).map(|(_, what)| what).collect();
    (!wrong.is_empty()).then(|| {
        Report::new(format!("checking the listener {}", found.listener_id), wrong.join("; ")).help(
            "set it right in the NLB console, or use another load balancer, then `escrr resume`",
        )
    })
}

impl Declares for Listener {
    const CALLS: Calls = Calls {
        look: &[Action::new(Product::Nlb, "ListListeners")],
        act: &[Action::new(Product::Nlb, "CreateListener")],
        undo: &[
            Action::new(Product::Nlb, "ListListeners"),
            Action::new(Product::Nlb, "DeleteListener"),
        ],
    };
}

impl Step for Listener {
    type World = World;
    type Needs = (Prerequisites, LoadBalancer, ServerGroup);
    type Output = ListenerId;
    const ID: NodeId = NodeId::new("follower", "listener");
    const PHASE: u8 = 3;
    const TITLE: &'static str = "a listener on ports 9200 to 9300";
    const PATIENCE: Patience = Patience::new(15, 1800);

    async fn observe(&self, cx: &Cx<'_, Self>) -> Result<Seen<ListenerId>, Fault> {
        let Some(found) = find(cx).await? else { return Ok(Seen::absent()) };
        if let Some(report) = drift(cx, &found) {
            return Ok(Seen::Drifted(report));
        }
        if found.status != "Running" {
            return Ok(Seen::Pending(format!("{} is {}", found.listener_id, found.status)));
        }
        Ok(Owner::of(&found.tags, cx.saga).ready(ListenerId { listener: found.listener_id }))
    }
}

impl Act for Listener {
    const REVERSE: Reverse = Reverse::Undo("deletes the listener that was made");

    fn lane(&self, cx: &Cx<'_, Self>) -> Option<String> {
        Some(format!("load balancer {}", cx.needs.1.balancer))
    }

    async fn act(&self, cx: &Cx<'_, Self>, item: &str) -> Result<(), Fault> {
        let spec = &cx.world.spec.load_balancer;
        let name = cx.world.name();
        let ask = CreateListener {
            load_balancer_id: &cx.needs.1.balancer,
            server_group_id: &cx.needs.2.group,
            ports: (spec.start_port, spec.end_port),
            description: &name,
            tags: &cx.world.tags(cx.saga, Self::ID),
            token: &cx.token(item),
        };
        let client = cx.world.cloud.nlb(&cx.needs.0.follower.instance.region);
        client.create_listener(ask).await.map(drop)
    }

    async fn remains(&self, cx: &Cx<'_, Self>) -> Result<Remains, Fault> {
        let ours = |l: &Listed| Owner::of(&l.tags, cx.saga) == Owner::Us;
        Ok(match find(cx).await?.filter(ours) {
            None => Remains::Nothing,
            Some(found) if ["Running", "Stopped"].contains(&found.status.as_str()) => {
                Remains::whole()
            }
            Some(found) => Remains::Pending(format!("{} is {}", found.listener_id, found.status)),
        })
    }

    async fn undo(&self, cx: &Cx<'_, Self>, item: &str) -> Result<(), Fault> {
        let Some(found) = find(cx).await? else { return Ok(()) };
        let client = cx.world.cloud.nlb(&cx.needs.0.follower.instance.region);
        gone_is_fine(client.delete_listener(&found.listener_id, &cx.undo_token(item)).await)
    }
}
