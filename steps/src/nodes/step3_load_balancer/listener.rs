//! The listener: all ports from 9200 to 9300, forwarded to the server group.

use super::{LoadBalancer, ServerGroup};
use crate::World;
use crate::aliyun::nlb::{CreateListener, Listener as Listed};
use crate::aliyun::{Action, Product, TagKind, Tags};
use crate::calls::{Calls, Declares};
use crate::nodes::absent::if_there;
use crate::nodes::prerequisites::Prerequisites;
use crate::own::is_of;
use crate::resource::{Resource, remains, shared, undo, whose};
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
    if let Some(id) = cx.ids.get("") {
        return Listener::by_id(cx, id).await;
    }
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
        look: &[
            Action::new(Product::Nlb, "ListListeners"),
            Action::new(Product::Nlb, "GetListenerAttribute"),
        ],
        act: &[
            Action::new(Product::Nlb, "CreateListener"),
            Action::new(Product::Nlb, "TagResources"),
        ],
        undo: &[
            Action::new(Product::Nlb, "ListListeners"),
            Action::new(Product::Nlb, "GetListenerAttribute"),
            Action::new(Product::Nlb, "DeleteListener"),
            Action::new(Product::Nlb, "TagResources"),
            Action::new(Product::Nlb, "UntagResources"),
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
        let owner = match whose(cx, &found) {
            Ok(owner) => owner,
            Err(seen) => return Ok(seen),
        };
        if let Some(report) = drift(cx, &found) {
            return Ok(Seen::Drifted(report));
        }
        if found.status != "Running" {
            return Ok(Seen::Pending(format!("{} is {}", found.listener_id, found.status)));
        }
        Ok(owner.ready(ListenerId { listener: found.listener_id }))
    }
}

impl Act for Listener {
    const MARKED: bool = true;
    const REVERSE: Reverse = Reverse::Undo("deletes the listener that was made");

    fn lane(&self, cx: &Cx<'_, Self>) -> Option<String> {
        Some(format!("load balancer {}", cx.needs.1.balancer))
    }

    async fn act(&self, cx: &Cx<'_, Self>, item: &str) -> Result<Option<String>, Fault> {
        if let Some(done) = shared(cx, item).await {
            return done;
        }
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
        client.create_listener(ask).await.map(Some)
    }

    async fn remains(&self, cx: &Cx<'_, Self>) -> Result<Remains, Fault> {
        remains(cx).await
    }

    async fn undo(&self, cx: &Cx<'_, Self>, id: &str) -> Result<(), Fault> {
        undo(cx, id).await
    }
}

impl Resource for Listener {
    type Thing = Listed;
    const KIND: TagKind = TagKind::Listener;

    fn region<'a>(cx: &'a Cx<'_, Self>) -> &'a str {
        &cx.needs.0.follower.instance.region
    }

    fn id(thing: &Listed) -> &str {
        &thing.listener_id
    }
    fn tags(thing: &Listed) -> &Tags {
        &thing.tags
    }
    fn status(thing: &Listed) -> (&str, bool) {
        (&thing.status, ["Running", "Stopped"].contains(&thing.status.as_str()))
    }
    fn ids(output: &ListenerId) -> Vec<String> {
        vec![output.listener.clone()]
    }

    async fn by_id(cx: &Cx<'_, Self>, id: &str) -> Result<Option<Listed>, Fault> {
        if_there(cx.world.cloud.nlb(&cx.needs.0.follower.instance.region).get_listener(id).await)
    }

    async fn by_tags(cx: &Cx<'_, Self>) -> Result<Vec<Listed>, Fault> {
        Ok(list(cx).await?.into_iter().filter(|l| is_of(&l.tags, Self::ID)).collect())
    }

    async fn delete(cx: &Cx<'_, Self>, id: &str, token: &str) -> Result<(), Fault> {
        let client = cx.world.cloud.nlb(&cx.needs.0.follower.instance.region);
        client.delete_listener(id, token).await
    }
}
