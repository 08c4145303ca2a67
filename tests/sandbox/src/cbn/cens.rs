//! CEN instances and the tags of everything in the product.

use super::state::{Cen, at_rest};
use crate::clock::rfc3339;
use crate::paging::Size;
use crate::paging::by_number;
use crate::tagging::{Tagging, Tags, new_tags, tag_rows, tagged, unknown_kind};
use crate::{Answer, Call, Course, Refusal, World};
use serde_json::{Value, json};

const TAGGING: Tagging = Tagging {
    find: tags_of,
    all: all_tags,
    untag: "UntagResources",
    unknown_kind,
    missing: "InvalidResourceId.NotFound",
    shape: &["TagResources", "TagResource"],
    size: Size::named("PageSize", 10, 50),
};

pub(super) fn handle(world: &mut World, call: &Call) -> Option<Answer> {
    match call.action.as_str() {
        "CreateCen" => Some(create(world, call)),
        "DescribeCens" => Some(describe(world, call)),
        "ModifyCenAttribute" => Some(modify(world, call)),
        "DeleteCen" => Some(delete(world, call)),
        _ => TAGGING.handle(world, call),
    }
}

fn create(world: &mut World, call: &Call) -> Answer {
    let tags = new_tags(call)?;
    let id = world.fresh_id("cen");
    let cen = Cen {
        name: call.get("Name").unwrap_or_default().to_owned(),
        description: call.get("Description").unwrap_or_default().to_owned(),
        course: Course::moving("Creating", world.after("Cbn.CreateCen"), "Active"),
        since_ms: world.now_ms,
        tags,
    };
    world.cbn.cens.insert(id.clone(), cen);
    Ok(json!({ "CenId": id }))
}

fn describe(world: &World, call: &Call) -> Answer {
    let filters = filters(call);
    let rows = world
        .cbn
        .cens
        .iter()
        .filter(|(id, cen)| {
            tagged(call, &cen.tags)
                && filters.iter().all(|(key, values)| match key.as_str() {
                    "CenId" => values.contains(id),
                    "Name" => values.contains(&cen.name),
                    _ => false,
                })
        })
        .map(|(id, cen)| row(world, id, cen))
        .collect();
    by_number(call, rows, &["Cens", "Cen"], 50)
}

/// `Filter.N.Key` with its `Filter.N.Value.M`: and between filters, or between values.
pub(super) fn filters(call: &Call) -> Vec<(String, Vec<String>)> {
    (1..=5)
        .map_while(|n| {
            let key = call.get(&format!("Filter.{n}.Key"))?;
            Some((key.to_owned(), call.list(&format!("Filter.{n}.Value"))))
        })
        .collect()
}

fn row(world: &World, id: &str, cen: &Cen) -> Value {
    let plans: Vec<&String> =
        world.cbn.plans.iter().filter(|(_, p)| p.cens.contains(id)).map(|(id, _)| id).collect();
    json!({
        "CenId": id,
        "Name": cen.name,
        "Description": cen.description,
        "Status": cen.course.status(world.now_ms),
        "ProtectionLevel": "REDUCED",
        "Ipv6Level": "DISABLED",
        "CreationTime": rfc3339(cen.since_ms),
        "CenBandwidthPackageIds": {"CenBandwidthPackageId": plans},
        "Tags": {"Tag": tag_rows(&cen.tags, "Key", "Value")},
    })
}

fn modify(world: &mut World, call: &Call) -> Answer {
    let id = call.need("CenId")?;
    at_rest(&world.cbn.cen(id)?.course, world.now_ms)?;
    if let Some(cen) = world.cbn.cens.get_mut(id) {
        call.replace("Name", &mut cen.name);
        call.replace("Description", &mut cen.description);
    }
    Ok(json!({}))
}

fn delete(world: &mut World, call: &Call) -> Answer {
    let id = call.need("CenId")?;
    let cen = world.cbn.cen(id)?;
    let leaving = cen.course.status(world.now_ms) == "Deleting";
    if leaving || world.cbn.routers.values().any(|r| r.cen == id) {
        return Err(Refusal::bad(
            "InvalidOperation.CenInstanceStatus",
            "The CEN instance still has transit routers or is being deleted.",
        ));
    }
    at_rest(&cen.course, world.now_ms)?;
    if world.cbn.plans.values().any(|p| p.cens.contains(id)) {
        return Err(Refusal::bad(
            "Forbidden.BandwidthPackageAssociated",
            "The CEN instance is associated with a bandwidth plan.",
        ));
    }
    let until = world.after("Cbn.DeleteCen");
    if let Some(cen) = world.cbn.cens.get_mut(id) {
        cen.course = Course::leaving("Deleting", until);
    }
    Ok(json!({}))
}

fn tags_of<'a>(world: &'a mut World, kind: &str, id: &str) -> Option<&'a mut Tags> {
    let cbn = &mut world.cbn;
    match kind.to_ascii_lowercase().as_str() {
        "cen" => cbn.cens.get_mut(id).map(|t| &mut t.tags),
        "bandwidthpackage" => cbn.plans.get_mut(id).map(|t| &mut t.tags),
        "transitrouter" => cbn.routers.get_mut(id).map(|t| &mut t.tags),
        "transitroutervpcattachment" => cbn.vpc_attachments.get_mut(id).map(|t| &mut t.tags),
        "transitrouterpeerattachment" => cbn.peer_attachments.get_mut(id).map(|t| &mut t.tags),
        "transitrouterroutetable" => cbn.tables.get_mut(id).map(|t| &mut t.tags),
        _ => None,
    }
}

fn all_tags(world: &World, kind: &str) -> Option<Vec<(String, Tags)>> {
    macro_rules! all {
        ($map:ident) => {
            world.cbn.$map.iter().map(|(id, t)| (id.clone(), t.tags.clone())).collect()
        };
    }
    Some(match kind.to_ascii_lowercase().as_str() {
        "cen" => all!(cens),
        "bandwidthpackage" => all!(plans),
        "transitrouter" => all!(routers),
        "transitroutervpcattachment" => all!(vpc_attachments),
        "transitrouterpeerattachment" => all!(peer_attachments),
        "transitrouterroutetable" => all!(tables),
        _ => return None,
    })
}
