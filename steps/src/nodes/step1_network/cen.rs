//! The Cloud Enterprise Network instance that both VPCs hang on.

use crate::World;
use crate::aliyun::cbn::{Cen, CenFilter, CreateCen};
use crate::aliyun::{Action, Product, Tags};
use crate::calls::{Calls, Declares};
use crate::marks::by_marks;
use crate::nodes::absent::gone_is_fine;
use crate::nodes::prerequisites::{Prerequisites, Site};
use crate::own::{Found, Owner, not_there, pick, several};
use escrr_engine::{Act, Cx, Fault, NodeId, Patience, Remains, Reverse, Seen, Step};
use serde::{Deserialize, Serialize};

/// Makes the CEN, or uses the one that is named or that a VPC hangs on already.
pub struct CenInstance;

/// The CEN.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CenId {
    /// Its id.
    pub cen: String,
}

/// The CEN with this id.
async fn by_id(world: &World, site: &Site, id: &str) -> Result<Option<Cen>, Fault> {
    let filter = CenFilter { cen_id: id, ..CenFilter::default() };
    let all = world.cloud.cbn(&site.leader.instance.region).describe_cens(filter).await?;
    Ok(all.into_iter().find(|c| c.cen_id == id))
}

/// The CENs with these marks.
async fn marked(cx: &Cx<'_, CenInstance>, marks: Tags) -> Result<Vec<Cen>, Fault> {
    let client = cx.world.cloud.cbn(&cx.needs.0.leader.instance.region);
    by_marks(marks, |marks| async move {
        client.describe_cens(CenFilter { tags: Some(&marks), ..CenFilter::default() }).await
    })
    .await
}

/// The CEN that is named, or the one that this link made.
async fn find(cx: &Cx<'_, CenInstance>) -> Result<Found<Cen>, Fault> {
    let (site,) = &cx.needs;
    let named = cx.world.spec.network.cen_id.as_ref();
    if let Some(id) = named.or(site.cen.as_ref()) {
        return match by_id(cx.world, site, id).await? {
            Some(cen) => {
                let owner = Owner::of(&cen.tags, cx.saga);
                Ok(Found::One(cen, owner))
            }
            None => Err(Fault::prerequisite(not_there("CEN", id, "network.cen_id"))),
        };
    }
    let all = marked(cx, cx.world.marks(CenInstance::ID)).await?;
    Ok(pick(all, (CenInstance::ID, cx.saga, &cx.world.spec.link), |c| &c.tags, |c| &c.cen_id))
}

impl Declares for CenInstance {
    const CALLS: Calls = Calls {
        look: &[Action::new(Product::Cbn, "DescribeCens")],
        act: &[Action::new(Product::Cbn, "CreateCen")],
        undo: &[Action::new(Product::Cbn, "DescribeCens"), Action::new(Product::Cbn, "DeleteCen")],
    };
}

impl Step for CenInstance {
    type World = World;
    type Needs = (Prerequisites,);
    type Output = Option<CenId>;
    const ID: NodeId = NodeId::new("network", "cen");
    const PHASE: u8 = 1;
    const TITLE: &'static str = "a Cloud Enterprise Network instance";
    const PATIENCE: Patience = Patience::new(5, 300);

    async fn observe(&self, cx: &Cx<'_, Self>) -> Result<Seen<Option<CenId>>, Fault> {
        if cx.needs.0.same_vpc {
            return Ok(Seen::Unneeded(None));
        }
        Ok(match find(cx).await? {
            Found::None => Seen::absent(),
            Found::Several(ids) => Seen::Drifted(several("CEN", &ids)),
            Found::One(cen, owner) if cen.status == "Active" => {
                owner.ready(Some(CenId { cen: cen.cen_id }))
            }
            Found::One(cen, _) => Seen::Pending(format!("{} is {}", cen.cen_id, cen.status)),
        })
    }
}

impl Act for CenInstance {
    const REVERSE: Reverse = Reverse::Undo("deletes the CEN that was made");

    async fn act(&self, cx: &Cx<'_, Self>, item: &str) -> Result<(), Fault> {
        let name = cx.world.name();
        let ask = CreateCen {
            name: &name,
            description: "",
            tags: &cx.world.tags(cx.saga, Self::ID),
            token: &cx.token(item),
        };
        cx.world.cloud.cbn(&cx.needs.0.leader.instance.region).create_cen(ask).await.map(drop)
    }

    async fn remains(&self, cx: &Cx<'_, Self>) -> Result<Remains, Fault> {
        Ok(match find_ours(cx).await? {
            None => Remains::Nothing,
            Some(cen) if cen.status == "Active" => Remains::whole(),
            Some(cen) => Remains::Pending(format!("{} is {}", cen.cen_id, cen.status)),
        })
    }

    async fn undo(&self, cx: &Cx<'_, Self>, _: &str) -> Result<(), Fault> {
        let Some(cen) = find_ours(cx).await? else { return Ok(()) };
        let client = cx.world.cloud.cbn(&cx.needs.0.leader.instance.region);
        gone_is_fine(client.delete_cen(&cen.cen_id).await)
    }
}

/// The CEN that this saga made.
async fn find_ours(cx: &Cx<'_, CenInstance>) -> Result<Option<Cen>, Fault> {
    let all = marked(cx, cx.world.own_marks(cx.saga, CenInstance::ID)).await?;
    Ok(all.into_iter().find(|c| Owner::of(&c.tags, cx.saga) == Owner::Us))
}
