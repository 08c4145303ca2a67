//! The network load balancer in the follower's VPC.

use crate::aliyun::ZoneMapping;
use crate::aliyun::nlb::{CreateLoadBalancer, LoadBalancer as Listed};
use crate::aliyun::{Action, Product, TagKind, Tags};
use crate::calls::{Calls, Declares};
use crate::marks::by_marks;
use crate::nodes::absent::if_there;
use crate::nodes::prerequisites::Prerequisites;
use crate::nodes::step1_network::VSwitches;
use crate::own::{Found, Owner, not_there};
use crate::resource::{Resource, find, one, remains, shared, undo};
use crate::{Follower, World};
use escrr_engine::{Act, Cx, Fault, NodeId, Patience, Remains, Report, Reverse, Seen, Step};
use serde::{Deserialize, Serialize};

/// Makes the load balancer, or uses the named one.
pub struct LoadBalancer;

/// The load balancer.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Balancer {
    /// Its id.
    pub balancer: String,
    /// Its zones.
    pub zones: Vec<String>,
}

async fn look(cx: &Cx<'_, LoadBalancer>) -> Result<Found<Listed>, Fault> {
    let client = cx.world.cloud.nlb(&cx.needs.0.follower.instance.region);
    if let Some(id) = &cx.world.spec.load_balancer.load_balancer_id {
        return match if_there(client.get_load_balancer(id).await)? {
            Some(balancer) => {
                let owner = Owner::of(&balancer.tags, cx.saga);
                Ok(Found::One(balancer, owner))
            }
            None => Err(Fault::prerequisite(not_there(
                "load balancer",
                id,
                "load_balancer.load_balancer_id",
            ))),
        };
    }
    find(cx, "").await
}

fn drift(cx: &Cx<'_, LoadBalancer>, found: &Listed) -> Option<Report> {
    let vpc = &cx.needs.0.follower.instance.vpc;
    let checks = [
        (
            found.address_type != "Intranet",
            format!("its address type is {}, not Intranet", found.address_type),
        ),
        (found.vpc_id != *vpc, format!("it is in {}, not in the follower's {vpc}", found.vpc_id)),
        (found.status == "CreateFailed", "its creation failed; it can only be deleted".to_owned()),
    ];
    let wrong: Vec<String> =
        checks.into_iter().filter(|(bad, _)| *bad).map(|(_, what)| what).collect();
    (!wrong.is_empty()).then(|| {
        Report::new(
            format!("checking the load balancer {}", found.load_balancer_id),
            wrong.join("; "),
        )
        .help("name another one in the spec, or none so that one is made")
    })
}

impl Declares for LoadBalancer {
    const CALLS: Calls = Calls {
        look: &[
            Action::new(Product::Nlb, "ListLoadBalancers"),
            Action::new(Product::Nlb, "GetLoadBalancerAttribute"),
        ],
        act: &[
            Action::new(Product::Nlb, "CreateLoadBalancer"),
            Action::new(Product::Nlb, "TagResources"),
        ],
        undo: &[
            Action::new(Product::Nlb, "ListLoadBalancers"),
            Action::new(Product::Nlb, "GetLoadBalancerAttribute"),
            Action::new(Product::Nlb, "DeleteLoadBalancer"),
            Action::new(Product::Nlb, "TagResources"),
            Action::new(Product::Nlb, "UntagResources"),
        ],
    };
}

impl Step for LoadBalancer {
    type World = World;
    type Needs = (Prerequisites, VSwitches<Follower>);
    type Output = Balancer;
    const ID: NodeId = NodeId::new("follower", "load_balancer");
    const PHASE: u8 = 3;
    const TITLE: &'static str = "a private network load balancer in the follower's VPC";
    const PATIENCE: Patience = Patience::new(60, 600);

    async fn observe(&self, cx: &Cx<'_, Self>) -> Result<Seen<Balancer>, Fault> {
        let (balancer, owner) = match one::<Self, _>(cx, look(cx).await?) {
            Ok(found) => found,
            Err(seen) => return Ok(seen),
        };
        if let Some(report) = drift(cx, &balancer) {
            return Ok(Seen::Drifted(report));
        }
        if balancer.status != "Active" {
            return Ok(Seen::Pending(format!(
                "{} is {}",
                balancer.load_balancer_id, balancer.status
            )));
        }
        let zones = balancer.zones.into_iter().map(|z| z.zone_id).collect();
        Ok(owner.ready(Balancer { balancer: balancer.load_balancer_id, zones }))
    }
}

impl Act for LoadBalancer {
    const MARKED: bool = true;
    const REVERSE: Reverse = Reverse::Undo("deletes the load balancer that was made");
    const COST: Option<&'static str> =
        Some("network load balancer, by the hour and by capacity units");

    async fn act(&self, cx: &Cx<'_, Self>, item: &str) -> Result<Option<String>, Fault> {
        if let Some(done) = shared(cx, item).await {
            return done;
        }
        let (site, vswitches) = &cx.needs;
        let facts = &site.follower.instance;
        let zones: Vec<ZoneMapping> = vswitches
            .iter()
            .map(|v| ZoneMapping { zone_id: v.zone.clone(), vswitch_id: v.vswitch.clone() })
            .collect();
        let name = cx.world.spec.load_balancer_name();
        let ask = CreateLoadBalancer {
            name: &name,
            vpc_id: &facts.vpc,
            zones: &zones,
            tags: &cx.world.tags(cx.saga, Self::ID),
            token: &cx.token(item),
        };
        cx.world.cloud.nlb(&facts.region).create_load_balancer(ask).await.map(Some)
    }

    async fn remains(&self, cx: &Cx<'_, Self>) -> Result<Remains, Fault> {
        remains(cx).await
    }

    async fn undo(&self, cx: &Cx<'_, Self>, id: &str) -> Result<(), Fault> {
        undo(cx, id).await
    }
}

impl Resource for LoadBalancer {
    type Thing = Listed;
    const KIND: TagKind = TagKind::LoadBalancer;

    fn region<'a>(cx: &'a Cx<'_, Self>) -> &'a str {
        &cx.needs.0.follower.instance.region
    }

    fn id(thing: &Listed) -> &str {
        &thing.load_balancer_id
    }
    fn tags(thing: &Listed) -> &Tags {
        &thing.tags
    }
    fn status(thing: &Listed) -> (&str, bool) {
        (&thing.status, ["Active", "CreateFailed", "Inactive"].contains(&thing.status.as_str()))
    }
    fn ids(output: &Balancer) -> Vec<String> {
        vec![output.balancer.clone()]
    }

    async fn by_id(cx: &Cx<'_, Self>, id: &str) -> Result<Option<Listed>, Fault> {
        if_there(
            cx.world.cloud.nlb(&cx.needs.0.follower.instance.region).get_load_balancer(id).await,
        )
    }

    async fn by_tags(cx: &Cx<'_, Self>) -> Result<Vec<Listed>, Fault> {
        let client = cx.world.cloud.nlb(&cx.needs.0.follower.instance.region);
        by_marks(cx.world.marks(Self::ID), |marks| async move {
            client.list_load_balancers(&marks).await
        })
        .await
    }

    async fn delete(cx: &Cx<'_, Self>, id: &str, token: &str) -> Result<(), Fault> {
        let client = cx.world.cloud.nlb(&cx.needs.0.follower.instance.region);
        client.delete_load_balancer(id, token).await
    }
}
