//! Tags of VPCs and vSwitches.

use crate::{Answer, Call, Refusal, World, paging};
use serde_json::{Value, json};
use std::collections::BTreeMap;

type Tags = BTreeMap<String, String>;

fn tagged<'a>(world: &'a mut World, kind: &str, id: &str) -> Result<&'a mut Tags, Refusal> {
    let found = match kind.to_ascii_uppercase().as_str() {
        "VPC" => world.vpc.vpcs.get_mut(id).map(|v| &mut v.tags),
        "VSWITCH" => world.vpc.vswitches.get_mut(id).map(|v| &mut v.tags),
        _ => {
            return Err(Refusal::missing(
                "InvalidResourceType.NotFound",
                "The specified ResourceType is not found.",
            ));
        }
    };
    found.ok_or_else(|| {
        Refusal::missing("InvalidResourceId.NotFound", "The specified ResourceId is not found.")
    })
}

fn ids(call: &Call) -> Result<Vec<String>, Refusal> {
    let ids = call.list("ResourceId");
    if ids.is_empty() {
        call.need("ResourceId.1")?;
    }
    Ok(ids)
}

pub(super) fn tag(world: &mut World, call: &Call) -> Answer {
    call.need("RegionId")?;
    let kind = call.need("ResourceType")?;
    call.need("Tag.1.Key")?;
    for id in ids(call)? {
        tagged(world, kind, &id)?.extend(call.tags());
    }
    Ok(json!({}))
}

pub(super) fn untag(world: &mut World, call: &Call) -> Answer {
    call.need("RegionId")?;
    let kind = call.need("ResourceType")?;
    let keys = call.list("TagKey");
    let all = keys.is_empty() && call.flag("All", false);
    for id in ids(call)? {
        tagged(world, kind, &id)?.retain(|key, _| !all && !keys.contains(key));
    }
    Ok(json!({}))
}

pub(super) fn list(world: &World, call: &Call) -> Answer {
    call.need("RegionId")?;
    let kind = call.need("ResourceType")?.to_ascii_uppercase();
    let all: Vec<(&String, &Tags)> = match kind.as_str() {
        "VPC" => world.vpc.vpcs.iter().map(|(id, v)| (id, &v.tags)).collect(),
        "VSWITCH" => world.vpc.vswitches.iter().map(|(id, v)| (id, &v.tags)).collect(),
        _ => Vec::new(),
    };
    let (ids, wanted) = (call.list("ResourceId"), call.tags());
    let rows: Vec<Value> = all
        .into_iter()
        .filter(|(id, tags)| {
            (ids.is_empty() || ids.contains(*id))
                && wanted.iter().all(|(k, v)| tags.get(k).is_some_and(|t| v.is_empty() || t == v))
        })
        .flat_map(|(id, tags)| tags.iter().map(move |(key, value)| (id, key, value)))
        .map(|(id, key, value)| {
            json!({"ResourceId": id, "ResourceType": kind, "TagKey": key, "TagValue": value})
        })
        .collect();
    let page = paging::by_token(call, rows, "MaxResults", (50, 50))?;
    Ok(page.answer("TagResources", "TagResource"))
}
