//! The transit router in one side's region.

use super::{CenId, CenInstance, cen_lane};
use crate::aliyun::cbn::{CreateTransitRouter, TransitRouter as Listed};
use crate::aliyun::{Action, Product, TagKind, Tags};
use crate::calls::{Calls, Declares};
use crate::nodes::absent::if_there;
use crate::nodes::prerequisites::Prerequisites;
use crate::own::{Owner, is_of, not_there};
use crate::resource::{Resource, remains, shared, undo, whose};
use crate::{Side, Which, World};
use escrr_engine::{Act, Cx, Fault, NodeId, Patience, Remains, Report, Reverse, Seen, Step};
use serde::{Deserialize, Serialize};

/// Makes the transit router of one region; a CEN has one in each.
#[derive(Default)]
pub struct TransitRouter<S>(pub S);

/// The transit router.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Router {
    /// Its id.
    pub router: String,
    /// Its system route table.
    pub route_table: String,
}

/// The transit routers of the CEN in this side's region, one at most, or the one with this id.
async fn list<S: Side>(
    cx: &Cx<'_, TransitRouter<S>>,
    cen: &CenId,
    id: &str,
) -> Result<Vec<Listed>, Fault> {
    let region = &cx.needs.0.side(S::WHICH).instance.region;
    let listed = if_there(cx.world.cloud.cbn(region).list_transit_routers(&cen.cen, id).await)?;
    Ok(listed.unwrap_or_default().into_iter().filter(|r| r.region_id == *region).collect())
}

/// In one region both sides share the transit router, and it is the leader's node that makes it.
fn shared_router<S: Side>(cx: &Cx<'_, TransitRouter<S>>) -> bool {
    S::WHICH == Which::Follower && cx.needs.0.same_region()
}

impl<S: Side> Declares for TransitRouter<S> {
    const CALLS: Calls = Calls {
        look: &[
            Action::new(Product::Cbn, "ListTransitRouters"),
            Action::new(Product::Cbn, "ListTransitRouterRouteTables"),
        ],
        act: &[
            Action::new(Product::Cbn, "CreateTransitRouter"),
            Action::new(Product::Cbn, "TagResources"),
        ],
        undo: &[
            Action::new(Product::Cbn, "ListTransitRouters"),
            Action::new(Product::Cbn, "DeleteTransitRouter"),
            Action::new(Product::Cbn, "TagResources"),
            Action::new(Product::Cbn, "UntagResources"),
        ],
    };
}

impl<S: Side> Step for TransitRouter<S> {
    type World = World;
    type Needs = (Prerequisites, CenInstance);
    type Output = Option<Router>;
    const ID: NodeId = NodeId::new(S::WHICH.name(), "transit_router");
    const PHASE: u8 = 1;
    const TITLE: &'static str = "a transit router in the region";
    const PATIENCE: Patience = Patience::new(30, 300);

    async fn observe(&self, cx: &Cx<'_, Self>) -> Result<Seen<Option<Router>>, Fault> {
        let (site, Some(cen)) = &cx.needs else { return Ok(Seen::Unneeded(None)) };
        let known = cx.ids.get("");
        let mut routers = list(cx, cen, known.map_or("", String::as_str)).await?;
        if let Some(named) = cx.world.spec.transit_router_id(S::WHICH) {
            routers.retain(|r| r.transit_router_id == named);
            if routers.is_empty() {
                let key = format!("network.{}_transit_router_id", S::WHICH);
                return Err(Fault::prerequisite(not_there("transit router", named, &key)));
            }
        }
        let Some(router) = routers.pop() else {
            return Ok(if shared_router(cx) {
                Seen::Pending("the leader's transit router serves this region too".to_owned())
            } else {
                Seen::absent()
            });
        };
        let owner = match whose(cx, &router) {
            Ok(owner) => owner,
            Err(_) if shared_router(cx) => Owner::Others,
            Err(seen) => return Ok(seen),
        };
        if router.edition == "Basic" {
            return Err(Fault::prerequisite(basic(&router)));
        }
        if router.status != "Active" {
            return Ok(Seen::Pending(format!("{} is {}", router.transit_router_id, router.status)));
        }
        let client = cx.world.cloud.cbn(&site.side(S::WHICH).instance.region);
        // A list that is older than the router does not know it yet.
        let tables = if_there(client.list_route_tables(&router.transit_router_id, "System").await)?;
        let tables = tables.unwrap_or_default();
        let Some(table) = tables.into_iter().find(|t| t.status == "Active") else {
            return Ok(Seen::Pending(format!(
                "{} has no route table yet",
                router.transit_router_id
            )));
        };
        let found =
            Some(Router { router: router.transit_router_id, route_table: table.route_table_id });
        Ok(if shared_router(cx) { Seen::Unneeded(found) } else { owner.ready(found) })
    }
}

fn basic(router: &Listed) -> Report {
    Report::new(
        format!("checking the transit router {}", router.transit_router_id),
        "it is of the Basic edition, which has no route tables of its own",
    )
    .help("upgrade it to the Enterprise edition in the CEN console, then `escrr resume`")
}

impl<S: Side> Act for TransitRouter<S> {
    const MARKED: bool = true;
    const REVERSE: Reverse = Reverse::Undo("deletes the transit router that was made");

    fn lane(&self, cx: &Cx<'_, Self>) -> Option<String> {
        cen_lane(cx.needs.1.as_ref())
    }

    async fn act(&self, cx: &Cx<'_, Self>, item: &str) -> Result<Option<String>, Fault> {
        if let Some(done) = shared(cx, item).await {
            return done;
        }
        let (site, Some(cen)) = &cx.needs else { return Ok(None) };
        let name = cx.world.name();
        let ask = CreateTransitRouter {
            cen_id: &cen.cen,
            name: &name,
            description: "",
            tags: &cx.world.tags(cx.saga, Self::ID),
            token: &cx.token(item),
        };
        let client = cx.world.cloud.cbn(&site.side(S::WHICH).instance.region);
        client.create_transit_router(ask).await.map(Some)
    }

    async fn remains(&self, cx: &Cx<'_, Self>) -> Result<Remains, Fault> {
        remains(cx).await
    }

    async fn undo(&self, cx: &Cx<'_, Self>, id: &str) -> Result<(), Fault> {
        undo(cx, id).await
    }
}

impl<S: Side> Resource for TransitRouter<S> {
    type Thing = Listed;
    const KIND: TagKind = TagKind::TransitRouter;

    fn region<'a>(cx: &'a Cx<'_, Self>) -> &'a str {
        &cx.needs.0.side(S::WHICH).instance.region
    }

    fn id(thing: &Listed) -> &str {
        &thing.transit_router_id
    }
    fn tags(thing: &Listed) -> &Tags {
        &thing.tags
    }
    fn status(thing: &Listed) -> (&str, bool) {
        (&thing.status, thing.status == "Active")
    }
    fn ids(output: &Option<Router>) -> Vec<String> {
        output.iter().map(|found| found.router.clone()).collect()
    }

    async fn by_id(cx: &Cx<'_, Self>, id: &str) -> Result<Option<Listed>, Fault> {
        let Some(cen) = &cx.needs.1 else { return Ok(None) };
        Ok(list(cx, cen, id).await?.into_iter().find(|r| r.transit_router_id == id))
    }

    async fn by_tags(cx: &Cx<'_, Self>) -> Result<Vec<Listed>, Fault> {
        let Some(cen) = &cx.needs.1 else { return Ok(Vec::new()) };
        let all = list(cx, cen, "").await?;
        Ok(all.into_iter().filter(|r| is_of(&r.tags, Self::ID)).collect())
    }

    async fn delete(cx: &Cx<'_, Self>, id: &str, token: &str) -> Result<(), Fault> {
        let client = cx.world.cloud.cbn(&cx.needs.0.side(S::WHICH).instance.region);
        client.delete_transit_router(id, token).await
    }
}
