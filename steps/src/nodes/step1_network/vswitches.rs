//! The vSwitches that are missing in the chosen zones of one side.

use crate::aliyun::vpc::{CreateVSwitch, VSwitch, VSwitchFilter};
use crate::aliyun::{Action, Product};
use crate::calls::{Calls, Declares};
use crate::marks::by_marks;
use crate::nodes::absent::gone_is_fine;
use crate::nodes::prerequisites::Prerequisites;
use crate::{Side, World};
use escrr_engine::{Act, Cx, Fault, NodeId, Patience, Remains, Report, Reverse, Seen, Step};
use serde::{Deserialize, Serialize};

/// Makes one vSwitch for each chosen zone that has none.
#[derive(Default)]
pub struct VSwitches<S>(pub S);

/// A zone and the vSwitch to use in it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ZoneVSwitch {
    /// The zone.
    pub zone: String,
    /// The vSwitch.
    pub vswitch: String,
    /// Its block.
    pub cidr: String,
}

/// The vSwitches that this saga made on this side.
async fn ours<S: Side>(cx: &Cx<'_, VSwitches<S>>) -> Result<Vec<VSwitch>, Fault> {
    let facts = &cx.needs.0.side(S::WHICH).instance;
    let client = cx.world.cloud.vpc(&facts.region);
    by_marks(cx.world.own_marks(cx.saga, VSwitches::<S>::ID), |marks| async move {
        let filter =
            VSwitchFilter { vpc_id: &facts.vpc, tags: Some(&marks), ..VSwitchFilter::default() };
        client.describe_vswitches(filter).await
    })
    .await
}

impl<S: Side> Declares for VSwitches<S> {
    const CALLS: Calls = Calls {
        look: &[Action::new(Product::Vpc, "DescribeVSwitches")],
        act: &[Action::new(Product::Vpc, "CreateVSwitch")],
        undo: &[
            Action::new(Product::Vpc, "DescribeVSwitches"),
            Action::new(Product::Vpc, "DeleteVSwitch"),
        ],
    };
}

impl<S: Side> Step for VSwitches<S> {
    type World = World;
    type Needs = (Prerequisites,);
    type Output = Vec<ZoneVSwitch>;
    const ID: NodeId = NodeId::new(S::WHICH.name(), "vswitches");
    const PHASE: u8 = 1;
    const TITLE: &'static str = "a vSwitch with room in each chosen zone";
    const PATIENCE: Patience = Patience::new(5, 300);

    async fn observe(&self, cx: &Cx<'_, Self>) -> Result<Seen<Vec<ZoneVSwitch>>, Fault> {
        let side = cx.needs.0.side(S::WHICH);
        let made = if side.zones.iter().any(|c| c.vswitch.is_none()) {
            ours(cx).await?
        } else {
            Vec::new()
        };
        let mut ready = Vec::new();
        let mut missing = Vec::new();
        let mut pending = Vec::new();
        for choice in &side.zones {
            let vswitch = match &choice.vswitch {
                Some(id) => id.clone(),
                None => match made.iter().find(|v| v.zone_id == choice.zone) {
                    None => {
                        missing.push(choice.zone.clone());
                        continue;
                    }
                    Some(v) => {
                        if v.status != "Available" {
                            pending.push(format!("{} is {}", v.vswitch_id, v.status));
                        }
                        v.vswitch_id.clone()
                    }
                },
            };
            ready.push(ZoneVSwitch {
                zone: choice.zone.clone(),
                vswitch,
                cidr: choice.cidr.to_string(),
            });
        }
        Ok(if !missing.is_empty() {
            Seen::Absent(missing)
        } else if !pending.is_empty() {
            Seen::Pending(pending.join(", "))
        } else if made.is_empty() {
            Seen::Theirs(ready)
        } else {
            Seen::Ours(ready)
        })
    }
}

impl<S: Side> Act for VSwitches<S> {
    const REVERSE: Reverse = Reverse::Undo("deletes the vSwitches that were made");

    fn lane(&self, cx: &Cx<'_, Self>) -> Option<String> {
        Some(format!("vpc {}", cx.needs.0.side(S::WHICH).instance.vpc))
    }

    async fn act(&self, cx: &Cx<'_, Self>, item: &str) -> Result<(), Fault> {
        let side = cx.needs.0.side(S::WHICH);
        let Some(choice) = side.zones.iter().find(|c| c.zone == item) else {
            let report =
                Report::new(format!("making a vSwitch in {item}"), "this zone was not chosen");
            return Err(Fault::Bug(report));
        };
        let name = cx.world.name();
        let cidr = choice.cidr.to_string();
        let ask = CreateVSwitch {
            vpc_id: &side.instance.vpc,
            zone_id: item,
            cidr_block: &cidr,
            name: &name,
            description: "",
            tags: &cx.world.tags(cx.saga, Self::ID),
            token: &cx.token(item),
        };
        cx.world.cloud.vpc(&side.instance.region).create_vswitch(ask).await.map(drop)
    }

    async fn remains(&self, cx: &Cx<'_, Self>) -> Result<Remains, Fault> {
        let left = ours(cx).await?;
        if left.is_empty() {
            return Ok(Remains::Nothing);
        }
        Ok(match left.iter().find(|v| v.status != "Available") {
            Some(v) => Remains::Pending(format!("{} is {}", v.vswitch_id, v.status)),
            None => Remains::Items(left.into_iter().map(|v| v.vswitch_id).collect()),
        })
    }

    async fn undo(&self, cx: &Cx<'_, Self>, item: &str) -> Result<(), Fault> {
        let client = cx.world.cloud.vpc(&cx.needs.0.side(S::WHICH).instance.region);
        gone_is_fine(client.delete_vswitch(item).await)
    }
}
