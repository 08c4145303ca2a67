//! The Cloud Enterprise Network instance that both VPCs hang on.

use crate::World;
use crate::aliyun::cbn::{Cen, CenFilter, CreateCen};
use crate::aliyun::{Action, Product, TagKind, Tags};
use crate::calls::{Calls, Declares};
use crate::marks::by_marks;
use crate::nodes::prerequisites::{Prerequisites, Site};
use crate::own::{Found, Owner, not_there};
use crate::resource::{Resource, find, one, remains, shared, undo};
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
async fn look(cx: &Cx<'_, CenInstance>) -> Result<Found<Cen>, Fault> {
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
    find(cx, "").await
}

impl Declares for CenInstance {
    const CALLS: Calls = Calls {
        look: &[Action::new(Product::Cbn, "DescribeCens")],
        act: &[Action::new(Product::Cbn, "CreateCen"), Action::new(Product::Cbn, "TagResources")],
        undo: &[
            Action::new(Product::Cbn, "DescribeCens"),
            Action::new(Product::Cbn, "DeleteCen"),
            Action::new(Product::Cbn, "TagResources"),
            Action::new(Product::Cbn, "UntagResources"),
        ],
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
        let (cen, owner) = match one::<Self, _>(cx, look(cx).await?) {
            Ok(found) => found,
            Err(seen) => return Ok(seen),
        };
        Ok(if cen.status == "Active" {
            owner.ready(Some(CenId { cen: cen.cen_id }))
        } else {
            Seen::Pending(format!("{} is {}", cen.cen_id, cen.status))
        })
    }
}

impl Act for CenInstance {
    const MARKED: bool = true;
    const REVERSE: Reverse = Reverse::Undo("deletes the CEN that was made");

    async fn act(&self, cx: &Cx<'_, Self>, item: &str) -> Result<Option<String>, Fault> {
        if let Some(done) = shared(cx, item).await {
            return done;
        }
        let name = cx.world.name();
        let ask = CreateCen {
            name: &name,
            description: "",
            tags: &cx.world.tags(cx.saga, Self::ID),
            token: &cx.token(item),
        };
        cx.world.cloud.cbn(&cx.needs.0.leader.instance.region).create_cen(ask).await.map(Some)
    }

    async fn remains(&self, cx: &Cx<'_, Self>) -> Result<Remains, Fault> {
        remains(cx).await
    }

    async fn undo(&self, cx: &Cx<'_, Self>, id: &str) -> Result<(), Fault> {
        undo(cx, id).await
    }
}

impl Resource for CenInstance {
    type Thing = Cen;
    const KIND: TagKind = TagKind::Cen;

    fn region<'a>(cx: &'a Cx<'_, Self>) -> &'a str {
        &cx.needs.0.leader.instance.region
    }

    fn id(thing: &Cen) -> &str {
        &thing.cen_id
    }
    fn tags(thing: &Cen) -> &Tags {
        &thing.tags
    }
    fn status(thing: &Cen) -> (&str, bool) {
        (&thing.status, thing.status == "Active")
    }
    fn ids(output: &Option<CenId>) -> Vec<String> {
        output.iter().map(|found| found.cen.clone()).collect()
    }

    async fn by_id(cx: &Cx<'_, Self>, id: &str) -> Result<Option<Cen>, Fault> {
        by_id(cx.world, &cx.needs.0, id).await
    }

    async fn by_tags(cx: &Cx<'_, Self>) -> Result<Vec<Cen>, Fault> {
        marked(cx, cx.world.marks(Self::ID)).await
    }

    async fn delete(cx: &Cx<'_, Self>, id: &str, _: &str) -> Result<(), Fault> {
        cx.world.cloud.cbn(&cx.needs.0.leader.instance.region).delete_cen(id).await
    }
}
