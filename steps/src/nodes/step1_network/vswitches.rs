//! The vSwitches that are missing in the chosen zones of one side.

use crate::aliyun::cbn::AttachmentFilter;
use crate::aliyun::vpc::{CreateVSwitch, VSwitch, VSwitchFilter};
use crate::aliyun::{Action, Product, TagKind, Tags};
use crate::calls::{Calls, Declares};
use crate::marks::{TAG_LINK, TAG_NODE, TAG_SAGA, by_marks, mark};
use crate::nodes::prerequisites::Prerequisites;
use crate::own::{Owner, is_of, unmarked};
use crate::resource::{Resource, ours, remains, shared, undo};
use crate::sharing::{self, Share, User, hand_over_item};
use crate::zones::{Choice, free_block, overlap};
use crate::{Side, World};
use escrr_engine::{Act, Cx, Fault, NodeId, Patience, Remains, Report, Reverse, Seen, Step};
use ipnet::Ipv4Net;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What the cloud says of a block that is taken.
const OVERLAPPED: &str = "InvalidCidrBlock.Overlapped";

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

/// The block that a vSwitch is made with: the chosen one, or another where somebody has taken it
/// since.
async fn block<S: Side>(
    cx: &Cx<'_, VSwitches<S>>,
    choice: &Choice,
    name: &str,
) -> Result<Ipv4Net, Fault> {
    let side = cx.needs.0.side(S::WHICH);
    let vpc = &side.instance.vpc;
    let filter = VSwitchFilter { vpc_id: vpc, ..VSwitchFilter::default() };
    let there = cx.world.cloud.vpc(&side.instance.region).describe_vswitches(filter).await?;
    let cidr = |v: &VSwitch| v.cidr_block.parse::<Ipv4Net>().ok();
    let mut taken: Vec<Ipv4Net> = there.iter().filter_map(cidr).collect();
    if !taken.iter().any(|block| overlap(block, &choice.cidr)) {
        return Ok(choice.cidr);
    }
    let here = |v: &&VSwitch| v.zone_id == choice.zone && v.name == name;
    let ours = |v: &VSwitch| {
        let node = is_of(&v.tags, VSwitches::<S>::ID);
        // A list may know a vSwitch before it knows its tags.
        v.tags.is_empty() || (node && Owner::of(&v.tags, cx.saga) == Owner::Us)
    };
    let tried = format!("making a vSwitch in {}", choice.zone);
    if let Some(made) = there.iter().filter(here).find(|v| ours(v)) {
        let said = format!("{} is there already, says another list", made.vswitch_id);
        return Err(Fault::Busy(Report::new(tried, said)));
    }
    taken.extend(side.zones.iter().filter(|c| c.zone != choice.zone).map(|c| c.cidr));
    taken.extend(cx.world.memory.reserved().of_others(&cx.world.spec.link, vpc));
    let within: Vec<Ipv4Net> =
        side.blocks.iter().copied().filter(|block| block.contains(&choice.cidr)).collect();
    free_block(&within, &taken).ok_or_else(|| {
        let said = format!("{} is taken by now, and {vpc} has no other free block", choice.cidr);
        let help = "add a block to the VPC, or name vSwitches in the spec, then `escrr resume`";
        Fault::refused(Report::new(tried, said).help(help))
    })
}

/// A block that somebody took between the look and the call: the next look chooses another.
fn taken_meanwhile(fault: Fault) -> Fault {
    let taken = fault.report().code.as_deref() == Some(OVERLAPPED);
    let Fault::Busy(report) = fault else { return fault };
    let help = "a free block is chosen by itself; if none is, name vSwitches in the spec";
    Fault::Busy(if taken { report.help(help) } else { report })
}

impl<S: Side> Declares for VSwitches<S> {
    const CALLS: Calls = Calls {
        look: &[Action::new(Product::Vpc, "DescribeVSwitches")],
        act: &[
            Action::new(Product::Vpc, "DescribeVSwitches"),
            Action::new(Product::Vpc, "CreateVSwitch"),
        ],
        undo: &[
            Action::new(Product::Vpc, "DescribeVSwitches"),
            Action::new(Product::Cbn, "ListTransitRouterVpcAttachments"),
            Action::new(Product::Vpc, "DeleteVSwitch"),
            Action::new(Product::Vpc, "TagResources"),
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
        let made = ours(cx).await?;
        if !made.unmarked.is_empty() {
            let report = unmarked(Self::KIND.name(), &made.unmarked, Self::COST);
            return Ok(Seen::Drifted(report));
        }
        let made = made.things;
        let mut ready = Vec::new();
        let mut missing = Vec::new();
        let mut pending = Vec::new();
        for choice in &side.zones {
            let (vswitch, cidr) = match &choice.vswitch {
                Some(id) => (id.clone(), choice.cidr.to_string()),
                None => match made.iter().find(|v| v.zone_id == choice.zone) {
                    None => {
                        missing.push(choice.zone.clone());
                        continue;
                    }
                    Some(v) => {
                        if v.status != "Available" {
                            pending.push(format!("{} is {}", v.vswitch_id, v.status));
                        }
                        // Its block is another than the chosen one where that was taken.
                        (v.vswitch_id.clone(), v.cidr_block.clone())
                    }
                },
            };
            ready.push(ZoneVSwitch { zone: choice.zone.clone(), vswitch, cidr });
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
    const MARKED: bool = true;
    const REVERSE: Reverse = Reverse::Undo("deletes the vSwitches that were made");

    fn lane(&self, cx: &Cx<'_, Self>) -> Option<String> {
        Some(format!("vpc {}", cx.needs.0.side(S::WHICH).instance.vpc))
    }

    async fn act(&self, cx: &Cx<'_, Self>, item: &str) -> Result<Option<String>, Fault> {
        if let Some(done) = shared(cx, item).await {
            return done;
        }
        let side = cx.needs.0.side(S::WHICH);
        let Some(choice) = side.zones.iter().find(|c| c.zone == item) else {
            let report =
                Report::new(format!("making a vSwitch in {item}"), "this zone was not chosen");
            return Err(Fault::Bug(report));
        };
        let name = cx.world.name();
        let cidr = block(cx, choice, &name).await?;
        // A token stands for one request.
        let token =
            if cidr == choice.cidr { cx.token(item) } else { cx.token(&format!("{item} {cidr}")) };
        let cidr = cidr.to_string();
        let ask = CreateVSwitch {
            vpc_id: &side.instance.vpc,
            zone_id: item,
            cidr_block: &cidr,
            name: &name,
            description: "",
            tags: &cx.world.tags(cx.saga, Self::ID),
            token: &token,
        };
        let made = cx.world.cloud.vpc(&side.instance.region).create_vswitch(ask).await;
        made.map(Some).map_err(taken_meanwhile)
    }

    async fn remains(&self, cx: &Cx<'_, Self>) -> Result<Remains, Fault> {
        let left = remains(cx).await?;
        let Remains::Items(ids) = &left else { return Ok(left) };
        let users = users(cx).await?;
        let item = |id: &String| match users.get(id) {
            Some(_) => hand_over_item(id),
            None => id.clone(),
        };
        Ok(Remains::Items(ids.iter().map(item).collect()))
    }

    async fn undo(&self, cx: &Cx<'_, Self>, item: &str) -> Result<(), Fault> {
        let Some(Share::HandOver(id)) = sharing::read(item) else { return undo(cx, item).await };
        let Some(user) = users(cx).await?.remove(id) else { return Ok(()) };
        let mut tags = user.tags();
        tags.insert(sharing::pin_key(&user.link), format!("{}.{}", user.saga, user.node));
        cx.world.cloud.tag((Self::region(cx), Self::KIND), id, &tags).await
    }
}

/// The links whose VPC attachment uses a vSwitch, by the vSwitch's id: this saga's own attachment
/// is gone by the time that its vSwitches go, unless another link has taken it over.
async fn users<S: Side>(cx: &Cx<'_, VSwitches<S>>) -> Result<BTreeMap<String, User>, Fault> {
    let facts = &cx.needs.0.side(S::WHICH).instance;
    let client = cx.world.cloud.cbn(&facts.region);
    let all = client.list_vpc_attachments(AttachmentFilter::default(), &facts.vpc).await?;
    let mut users = BTreeMap::new();
    for attachment in all {
        let text = |key| mark(&attachment.tags, key).map(str::to_owned);
        let (Some(link), Some(saga), Some(node)) = (text(TAG_LINK), text(TAG_SAGA), text(TAG_NODE))
        else {
            continue;
        };
        if link == cx.world.spec.link {
            continue;
        }
        // The other link's node of the vSwitches on the side that this VPC is for it.
        let side = node.split('.').next().unwrap_or_default();
        let node = format!("{side}.{}", VSwitches::<S>::ID.name);
        let user = User { link, saga, node };
        users.extend(attachment.zones.into_iter().map(|zone| (zone.vswitch_id, user.clone())));
    }
    Ok(users)
}

impl<S: Side> Resource for VSwitches<S> {
    type Thing = VSwitch;
    const KIND: TagKind = TagKind::VSwitch;

    fn region<'a>(cx: &'a Cx<'_, Self>) -> &'a str {
        &cx.needs.0.side(S::WHICH).instance.region
    }

    fn id(thing: &VSwitch) -> &str {
        &thing.vswitch_id
    }
    fn tags(thing: &VSwitch) -> &Tags {
        &thing.tags
    }
    fn status(thing: &VSwitch) -> (&str, bool) {
        (&thing.status, thing.status == "Available")
    }
    /// The output names those that were found as well: only answers to calls tell ours apart.
    fn ids(_: &Vec<ZoneVSwitch>) -> Vec<String> {
        Vec::new()
    }

    async fn by_id(cx: &Cx<'_, Self>, id: &str) -> Result<Option<VSwitch>, Fault> {
        let facts = &cx.needs.0.side(S::WHICH).instance;
        let filter = VSwitchFilter { vswitch_id: id, ..VSwitchFilter::default() };
        let all = cx.world.cloud.vpc(&facts.region).describe_vswitches(filter).await?;
        Ok(all.into_iter().find(|v| v.vswitch_id == id))
    }

    async fn by_tags(cx: &Cx<'_, Self>) -> Result<Vec<VSwitch>, Fault> {
        let facts = &cx.needs.0.side(S::WHICH).instance;
        let client = cx.world.cloud.vpc(&facts.region);
        by_marks(cx.world.marks(Self::ID), |marks| async move {
            let filter = VSwitchFilter {
                vpc_id: &facts.vpc,
                tags: Some(&marks),
                ..VSwitchFilter::default()
            };
            client.describe_vswitches(filter).await
        })
        .await
    }

    async fn delete(cx: &Cx<'_, Self>, id: &str, _: &str) -> Result<(), Fault> {
        let client = cx.world.cloud.vpc(&cx.needs.0.side(S::WHICH).instance.region);
        client.delete_vswitch(id).await
    }
}
