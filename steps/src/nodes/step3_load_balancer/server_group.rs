//! The server group: addresses, any port, health checked on the transport port.

use crate::World;
use crate::aliyun::nlb::{CreateServerGroup, GroupFilter, ServerGroup as Listed};
use crate::aliyun::{Action, Product, TagKind, Tags};
use crate::calls::{Calls, Declares};
use crate::marks::by_marks;
use crate::nodes::absent::if_there;
use crate::nodes::prerequisites::Prerequisites;
use crate::own::{Found, Owner, not_there};
use crate::resource::{Resource, find, one, remains, shared, undo};
use escrr_engine::{Act, Cx, Fault, NodeId, Patience, Remains, Report, Reverse, Seen, Step};
use serde::{Deserialize, Serialize};

/// Makes the server group, or uses the named one.
pub struct ServerGroup;

/// The server group.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct GroupId {
    /// Its id.
    pub group: String,
}

async fn look(cx: &Cx<'_, ServerGroup>) -> Result<Found<Listed>, Fault> {
    let client = cx.world.cloud.nlb(&cx.needs.0.follower.instance.region);
    if let Some(id) = &cx.world.spec.load_balancer.server_group_id {
        return match if_there(client.get_server_group(id).await)?.flatten() {
            Some(group) => {
                let owner = Owner::of(&group.tags, cx.saga);
                Ok(Found::One(group, owner))
            }
            None => Err(Fault::prerequisite(not_there(
                "server group",
                id,
                "load_balancer.server_group_id",
            ))),
        };
    }
    find(cx, "").await
}

/// What differs from what is wanted; most of it cannot be changed later.
fn drift(cx: &Cx<'_, ServerGroup>, group: &Listed) -> Option<Report> {
    let port = u64::from(cx.world.spec.load_balancer.health_check_port);
    let vpc = &cx.needs.0.follower.instance.vpc;
    let checks = [
        (group.group_type != "Ip", format!("its type is {}, not Ip", group.group_type)),
        (group.protocol != "TCP", format!("its protocol is {}, not TCP", group.protocol)),
        (!group.any_port, "all-port forwarding is off".to_owned()),
        (
            group.preserve_client_ip,
            "client addresses are preserved, which cannot work across regions".to_owned(),
        ),
        (!group.health_check.enabled, "its health check is off".to_owned()),
        (
            group.health_check.enabled && group.health_check.connect_port != port,
            format!("its health check is on port {}, not {port}", group.health_check.connect_port),
        ),
        (group.vpc_id != *vpc, format!("it is in {}, not in the follower's {vpc}", group.vpc_id)),
    ];
    let wrong: Vec<String> =
        checks.into_iter().filter(|(bad, _)| *bad).map(|(_, what)| what).collect();
    (!wrong.is_empty()).then(|| {
        Report::new(
            format!("checking the server group {}", group.server_group_id),
            wrong.join("; "),
        )
        .help("set it right where the console allows it, or name none so that one is made")
    })
}

impl Declares for ServerGroup {
    const CALLS: Calls = Calls {
        look: &[Action::new(Product::Nlb, "ListServerGroups")],
        act: &[
            Action::new(Product::Nlb, "CreateServerGroup"),
            Action::new(Product::Nlb, "TagResources"),
        ],
        undo: &[
            Action::new(Product::Nlb, "ListServerGroups"),
            Action::new(Product::Nlb, "DeleteServerGroup"),
            Action::new(Product::Nlb, "TagResources"),
            Action::new(Product::Nlb, "UntagResources"),
        ],
    };
}

impl Step for ServerGroup {
    type World = World;
    type Needs = (Prerequisites,);
    type Output = GroupId;
    const ID: NodeId = NodeId::new("follower", "server_group");
    const PHASE: u8 = 3;
    const TITLE: &'static str = "a server group of addresses, any port, health checked on 9300";
    const PATIENCE: Patience = Patience::new(5, 300);

    async fn observe(&self, cx: &Cx<'_, Self>) -> Result<Seen<GroupId>, Fault> {
        let (group, owner) = match one::<Self, _>(cx, look(cx).await?) {
            Ok(found) => found,
            Err(seen) => return Ok(seen),
        };
        Ok(match drift(cx, &group) {
            Some(report) => Seen::Drifted(report),
            // Servers being added or removed are no reason to wait.
            None if !["Available", "Configuring"].contains(&group.status.as_str()) => {
                Seen::Pending(format!("{} is {}", group.server_group_id, group.status))
            }
            None => owner.ready(GroupId { group: group.server_group_id }),
        })
    }
}

impl Act for ServerGroup {
    const MARKED: bool = true;
    const REVERSE: Reverse = Reverse::Undo("deletes the server group that was made");

    async fn act(&self, cx: &Cx<'_, Self>, item: &str) -> Result<Option<String>, Fault> {
        if let Some(done) = shared(cx, item).await {
            return done;
        }
        let facts = &cx.needs.0.follower.instance;
        let name = cx.world.spec.load_balancer_name();
        let ask = CreateServerGroup {
            name: &name,
            vpc_id: &facts.vpc,
            health_check_port: cx.world.spec.load_balancer.health_check_port,
            tags: &cx.world.tags(cx.saga, Self::ID),
            token: &cx.token(item),
        };
        cx.world.cloud.nlb(&facts.region).create_server_group(ask).await.map(Some)
    }

    async fn remains(&self, cx: &Cx<'_, Self>) -> Result<Remains, Fault> {
        remains(cx).await
    }

    async fn undo(&self, cx: &Cx<'_, Self>, id: &str) -> Result<(), Fault> {
        undo(cx, id).await
    }
}

impl Resource for ServerGroup {
    type Thing = Listed;
    const KIND: TagKind = TagKind::ServerGroup;

    fn region<'a>(cx: &'a Cx<'_, Self>) -> &'a str {
        &cx.needs.0.follower.instance.region
    }

    fn id(thing: &Listed) -> &str {
        &thing.server_group_id
    }
    fn tags(thing: &Listed) -> &Tags {
        &thing.tags
    }
    fn status(thing: &Listed) -> (&str, bool) {
        (&thing.status, thing.status == "Available")
    }
    fn ids(output: &GroupId) -> Vec<String> {
        vec![output.group.clone()]
    }

    async fn by_id(cx: &Cx<'_, Self>, id: &str) -> Result<Option<Listed>, Fault> {
        let client = cx.world.cloud.nlb(&cx.needs.0.follower.instance.region);
        Ok(if_there(client.get_server_group(id).await)?.flatten())
    }

    async fn by_tags(cx: &Cx<'_, Self>) -> Result<Vec<Listed>, Fault> {
        let client = cx.world.cloud.nlb(&cx.needs.0.follower.instance.region);
        by_marks(cx.world.marks(Self::ID), |marks| async move {
            let filter = GroupFilter { tags: Some(&marks), ..GroupFilter::default() };
            client.list_server_groups(filter).await
        })
        .await
    }

    async fn delete(cx: &Cx<'_, Self>, id: &str, token: &str) -> Result<(), Fault> {
        let client = cx.world.cloud.nlb(&cx.needs.0.follower.instance.region);
        client.delete_server_group(id, token).await
    }
}
