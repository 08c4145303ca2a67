//! Bandwidth plans: what a link of the type `BandwidthPackage` takes its bandwidth from.

use super::cens::filters;
use super::state::{Plan, at_rest};
use crate::clock::rfc3339;
use crate::listing::invalid;
use crate::paging::by_number;
use crate::tagging::{new_tags, tag_rows, tagged};
use crate::{Answer, Call, Refusal, World};
use serde_json::{Value, json};
use std::collections::BTreeSet;

pub(super) fn handle(world: &mut World, call: &Call) -> Option<Answer> {
    Some(match call.action.as_str() {
        "CreateCenBandwidthPackage" => create(world, call),
        "DescribeCenBandwidthPackages" => describe(world, call),
        "AssociateCenBandwidthPackage" => associate(world, call),
        "UnassociateCenBandwidthPackage" => unassociate(world, call),
        "DeleteCenBandwidthPackage" => delete(world, call),
        _ => return None,
    })
}

fn create(world: &mut World, call: &Call) -> Answer {
    call.need("Bandwidth")?;
    let bandwidth: u32 = call.number("Bandwidth")?.unwrap_or(0);
    if !(2..=10_000).contains(&bandwidth) {
        return Err(invalid("Bandwidth"));
    }
    let plan = Plan {
        name: call.get("Name").unwrap_or_default().to_owned(),
        description: call.get("Description").unwrap_or_default().to_owned(),
        bandwidth,
        areas: (
            call.need("GeographicRegionAId")?.to_owned(),
            call.need("GeographicRegionBId")?.to_owned(),
        ),
        charge_type: call.get("BandwidthPackageChargeType").unwrap_or("PREPAY").to_owned(),
        cens: BTreeSet::new(),
        since_ms: world.now_ms,
        tags: new_tags(call)?,
    };
    let (id, order) = (world.fresh_id("cenbwp"), world.fresh_id("order"));
    world.cbn.plans.insert(id.clone(), plan);
    Ok(json!({"CenBandwidthPackageId": id, "CenBandwidthPackageOrderId": order}))
}

fn status(plan: &Plan) -> &'static str {
    if plan.cens.is_empty() { "Idle" } else { "InUse" }
}

fn describe(world: &World, call: &Call) -> Answer {
    let filters = filters(call);
    let rows = world
        .cbn
        .plans
        .iter()
        .filter(|(id, plan)| {
            tagged(call, &plan.tags)
                && filters.iter().all(|(key, values)| match key.as_str() {
                    "CenBandwidthPackageId" => values.contains(id),
                    "CenId" => values.iter().any(|v| plan.cens.contains(v)),
                    "Name" => values.contains(&plan.name),
                    "Status" => values.iter().any(|v| v == status(plan)),
                    _ => false,
                })
        })
        .map(|(id, plan)| row(world, id, plan))
        .collect();
    by_number(call, rows, &["CenBandwidthPackages", "CenBandwidthPackage"], 50)
}

fn row(world: &World, id: &str, plan: &Plan) -> Value {
    let limits: Vec<Value> = world
        .cbn
        .peer_attachments
        .values()
        .filter(|a| a.plan == id && a.bandwidth > 0)
        .map(|a| {
            json!({
                "BandwidthLimit": a.bandwidth.to_string(),
                "LocalRegionId": a.region,
                "OppositeRegionId": a.peer_region,
            })
        })
        .collect();
    json!({
        "Bandwidth": plan.bandwidth,
        "BandwidthPackageChargeType": plan.charge_type,
        "BusinessStatus": "Normal",
        "CenBandwidthPackageId": id,
        "CenIds": {"CenId": plan.cens},
        "CreationTime": rfc3339(plan.since_ms),
        "Description": plan.description,
        "GeographicRegionAId": plan.areas.0,
        "GeographicRegionBId": plan.areas.1,
        "IsCrossBorder": plan.areas.0 != plan.areas.1,
        "Name": plan.name,
        "OrginInterRegionBandwidthLimits": {"OrginInterRegionBandwidthLimit": limits},
        "Status": status(plan),
        "Tags": {"Tag": tag_rows(&plan.tags, "Key", "Value")},
    })
}

fn plan<'a>(world: &'a mut World, id: &str) -> Result<&'a mut Plan, Refusal> {
    world.cbn.plans.get_mut(id).ok_or_else(|| {
        Refusal::bad("ParameterBwpInstanceId", "The specified bandwidth plan ID is illegal.")
    })
}

fn associate(world: &mut World, call: &Call) -> Answer {
    let cen = call.need("CenId")?;
    at_rest(&world.cbn.cen(cen)?.course, world.now_ms)?;
    let plan = plan(world, call.need("CenBandwidthPackageId")?)?;
    if !plan.cens.is_empty() {
        return Err(Refusal::bad(
            "InvalidOperation.BwpInstanceStatus",
            "The bandwidth plan is already in use.",
        ));
    }
    plan.cens.insert(cen.to_owned());
    Ok(json!({}))
}

fn unassociate(world: &mut World, call: &Call) -> Answer {
    let (cen, id) = (call.need("CenId")?, call.need("CenBandwidthPackageId")?);
    if world.cbn.peer_attachments.values().any(|a| a.plan == id && a.bandwidth > 0) {
        return Err(Refusal::bad(
            "InvalidOperation.CenBandwidthLimitsNotZero",
            "The bandwidth plan still gives bandwidth to a connection.",
        ));
    }
    plan(world, id)?.cens.remove(cen);
    Ok(json!({}))
}

fn delete(world: &mut World, call: &Call) -> Answer {
    let id = call.need("CenBandwidthPackageId")?;
    let found = plan(world, id)?;
    if !found.cens.is_empty() || found.charge_type == "PREPAY" {
        return Err(Refusal::bad(
            "Forbidden.Release",
            "The bandwidth plan cannot be released while in use or before it expires.",
        ));
    }
    world.cbn.plans.remove(id);
    Ok(json!({}))
}
