//! Tags of VPCs and vSwitches.

use crate::paging::Size;
use crate::tagging::{TaggedThings, Tagging, Tags};
use crate::{Answer, Call, Refusal, World};

const TAGGING: Tagging = Tagging {
    find: tags_of,
    all: all_tags,
    untag: "UnTagResources",
    unknown_kind: || {
        Refusal::missing("InvalidResourceType.NotFound", "The specified ResourceType is not found.")
    },
    missing: "InvalidResourceId.NotFound",
    shape: &["TagResources", "TagResource"],
    size: Size::new(50, 50),
};

/// Answers the tag calls, which all want a region; `None` for another action.
pub(super) fn handle(world: &mut World, call: &Call) -> Option<Answer> {
    if !["TagResources", "UnTagResources", "ListTagResources"].contains(&call.action.as_str()) {
        return None;
    }
    match call.need("RegionId") {
        Ok(_) => TAGGING.handle(world, call),
        Err(refusal) => Some(Err(refusal)),
    }
}

fn tags_of<'a>(world: &'a mut World, kind: &str, id: &str) -> Option<&'a mut Tags> {
    match kind.to_ascii_uppercase().as_str() {
        "VPC" => world.vpc.vpcs.get_mut(id).map(|v| &mut v.tags),
        "VSWITCH" => world.vpc.vswitches.get_mut(id).map(|v| &mut v.tags),
        _ => None,
    }
}

fn all_tags(world: &World, kind: &str) -> Option<TaggedThings> {
    let vpc = &world.vpc;
    Some(match kind.to_ascii_uppercase().as_str() {
        "VPC" => vpc.vpcs.iter().map(|(id, v)| (id.clone(), v.tags.clone())).collect(),
        "VSWITCH" => vpc.vswitches.iter().map(|(id, v)| (id.clone(), v.tags.clone())).collect(),
        _ => return None,
    })
}
