//! The cloud services that the link is built from are activated.

use crate::World;
use crate::aliyun::{Action, Product};
use crate::calls::{Calls, Declares};
use crate::rules::{Problems, SERVICES};
use escrr_engine::{Act, Cx, Fault, NodeId, Patience, Remains, Report, Reverse, Seen, Step};

/// Looks whether transit routers and PrivateLink are activated, and activates them if the spec says so.
pub struct Services;

const ROUTERS: &str = "transit-router";
const PRIVATE_LINK: &str = "private-link";

impl Declares for Services {
    const CALLS: Calls = Calls {
        look: &[
            Action::new(Product::Cbn, "CheckTransitRouterService"),
            Action::new(Product::PrivateLink, "CheckProductOpen"),
        ],
        act: &[
            Action::new(Product::Cbn, "OpenTransitRouterService"),
            Action::new(Product::PrivateLink, "OpenPrivateLinkService"),
        ],
        undo: &[],
    };
}

impl Step for Services {
    type World = World;
    type Needs = ();
    type Output = ();
    const ID: NodeId = NodeId::new("network", "services");
    const PHASE: u8 = 0;
    const TITLE: &'static str = "transit routers and PrivateLink are activated";
    const PATIENCE: Patience = Patience::new(1, 120);

    async fn observe(&self, cx: &Cx<'_, Self>) -> Result<Seen<()>, Fault> {
        let region = &cx.world.spec.follower.region;
        let mut missing = Vec::new();
        if !cx.world.cloud.cbn(region).check_transit_router_service().await? {
            missing.push(ROUTERS.to_owned());
        }
        if !cx.world.cloud.privatelink(region).check_product_open().await? {
            missing.push(PRIVATE_LINK.to_owned());
        }
        let mut problems = Problems::of(&cx.world.memory, Self::ID);
        if missing.is_empty() {
            problems.judged("checking activated services")?;
            return Ok(Seen::Ready(()));
        }
        if !cx.world.spec.prerequisites.activate_services {
            let said = format!("not activated: {}", missing.join(", "));
            problems.add(&SERVICES, said.clone());
            let report = Report::new("checking activated services", said)
                .meaning(
                    "activating a service accepts its terms of sale; by itself it costs nothing",
                )
                .help(SERVICES.remedy);
            return Err(problems.refused_as(report));
        }
        Ok(Seen::Absent(missing))
    }
}

impl Act for Services {
    const REVERSE: Reverse =
        Reverse::Keep("activated services stay activated; by themselves they cost nothing");

    async fn act(&self, cx: &Cx<'_, Self>, item: &str) -> Result<Option<String>, Fault> {
        let region = &cx.world.spec.follower.region;
        if item == ROUTERS {
            cx.world.cloud.cbn(region).open_transit_router_service(&cx.token(item)).await?;
        } else {
            cx.world.cloud.privatelink(region).open_service().await?;
        }
        Ok(None)
    }

    async fn remains(&self, _: &Cx<'_, Self>) -> Result<Remains, Fault> {
        Ok(Remains::Nothing)
    }

    async fn undo(&self, _: &Cx<'_, Self>, _: &str) -> Result<(), Fault> {
        Ok(())
    }
}
