//! Links between the transit routers of two regions.

use super::state::{PeerAttachment, at_rest, no_attachment};
use super::vpc_attachments::{drop_links, refuse_linked};
use crate::clock::rfc3339;
use crate::listing::wants;
use crate::paging::{Size, by_token};
use crate::tagging::{new_tags, tag_rows, tagged};
use crate::{Answer, Call, Course, Refusal, World};
use serde_json::{Value, json};

pub(super) fn handle(world: &mut World, call: &Call) -> Option<Answer> {
    Some(match call.action.as_str() {
        "CreateTransitRouterPeerAttachment" => create(world, call),
        "ListTransitRouterPeerAttachments" => list(world, call),
        "UpdateTransitRouterPeerAttachmentAttribute" => update(world, call),
        "DeleteTransitRouterPeerAttachment" => delete(world, call),
        _ => return None,
    })
}

fn create(world: &mut World, call: &Call) -> Answer {
    let peer_router = call.need("PeerTransitRouterId")?.to_owned();
    let router = if let Some(id) = call.get("TransitRouterId") {
        id.to_owned()
    } else {
        let (cen, region) = (call.need("CenId")?, call.need("RegionId")?);
        world.cbn.cen(cen)?;
        world.cbn.router_in(cen, region).map(|(id, _)| id.clone()).ok_or_else(|| {
            Refusal::bad("IllegalParam.Region", "The region has no transit router.")
        })?
    };
    let (near, far) = (world.cbn.router(&router)?, world.cbn.router(&peer_router)?);
    if call.get("PeerTransitRouterRegionId").is_some_and(|r| r != far.region) {
        return Err(Refusal::bad("IllegalParam.Region", "The peer region is illegal."));
    }
    if near.cen != far.cen || router == peer_router {
        return Err(Refusal::bad(
            "InvalidOperation.PeerTransitRouter",
            "The two transit routers must be in different regions of the same CEN instance.",
        ));
    }
    at_rest(&world.cbn.cen(&near.cen)?.course, world.now_ms)?;
    at_rest(&near.course, world.now_ms)?;
    at_rest(&far.course, world.now_ms)?;
    refuse_second(world, &router, &peer_router)?;
    let tags = new_tags(call)?;
    let (bandwidth_type, bandwidth, plan) = bandwidth(world, call, &near.cen, None)?;
    let link_type = link_type(call, &bandwidth_type, "Gold")?;
    let attachment = PeerAttachment {
        link_type,
        cen: near.cen.clone(),
        region: near.region.clone(),
        peer_region: far.region.clone(),
        router,
        peer_router,
        bandwidth,
        bandwidth_type,
        plan,
        auto_publish: call.flag("AutoPublishRouteEnabled", false),
        name: call.get("TransitRouterAttachmentName").unwrap_or_default().to_owned(),
        description: call.get("TransitRouterAttachmentDescription").unwrap_or_default().to_owned(),
        course: Course::moving(
            "Attaching",
            world.after("Cbn.CreateTransitRouterPeerAttachment"),
            "Attached",
        ),
        since_ms: world.now_ms,
        tags,
    };
    let id = world.fresh_id("tr-attach");
    world.cbn.peer_attachments.insert(id.clone(), attachment);
    Ok(json!({ "TransitRouterAttachmentId": id }))
}

fn refuse_second(world: &World, router: &str, peer: &str) -> Result<(), Refusal> {
    let same = |a: &&PeerAttachment| {
        (a.router == router && a.peer_router == peer)
            || (a.router == peer && a.peer_router == router)
    };
    match world.cbn.peer_attachments.values().find(same) {
        None => Ok(()),
        Some(other) => {
            at_rest(&other.course, world.now_ms)?;
            Err(Refusal::bad(
                "InvalidOperation.PeerAttachmentExist",
                "The two transit routers are already connected.",
            ))
        }
    }
}

/// The quality of the line; the better one is paid by data transfer only.
fn link_type(call: &Call, bandwidth_type: &str, before: &str) -> Result<String, Refusal> {
    let wanted = call.get("DefaultLinkType").unwrap_or(before);
    let legal = wanted == "Gold" || (wanted == "Platinum" && bandwidth_type == "DataTransfer");
    if legal { Ok(wanted.to_owned()) } else { Err(crate::listing::invalid("DefaultLinkType")) }
}

/// Type, Mbit/s and plan of a link; `old` are the settings of a link that changes.
fn bandwidth(
    world: &World,
    call: &Call,
    cen: &str,
    old: Option<(&str, &PeerAttachment)>,
) -> Result<(String, u32, String), Refusal> {
    let before = old.map(|(_, a)| a);
    let kind = call
        .get("BandwidthType")
        .or(before.map(|a| a.bandwidth_type.as_str()))
        .unwrap_or("BandwidthPackage");
    let wanted = call.number("Bandwidth")?.or(before.map(|a| a.bandwidth)).unwrap_or(0);
    if kind == "DataTransfer" {
        return Ok((kind.to_owned(), wanted, String::new()));
    }
    if kind != "BandwidthPackage" {
        return Err(crate::listing::invalid("BandwidthType"));
    }
    let plan = call.get("CenBandwidthPackageId").or(before.map(|a| a.plan.as_str()));
    let plan = plan.unwrap_or_default();
    if wanted == 0 {
        return Ok((kind.to_owned(), 0, plan.to_owned()));
    }
    let found = world.cbn.plans.get(plan).filter(|p| p.cens.contains(cen)).ok_or_else(|| {
        Refusal::bad(
            "InvalidOperation.BwpInstanceStatus",
            "No bandwidth plan of that id is associated with the CEN instance.",
        )
    })?;
    let others: u32 = world
        .cbn
        .peer_attachments
        .iter()
        .filter(|(id, a)| a.plan == plan && old.is_none_or(|(o, _)| o != id.as_str()))
        .map(|(_, a)| a.bandwidth)
        .sum();
    if others + wanted > found.bandwidth {
        return Err(Refusal::bad(
            "InvalidOperation.BandwidthExceed",
            "The bandwidth plan has not enough bandwidth left.",
        ));
    }
    Ok((kind.to_owned(), wanted, plan.to_owned()))
}

fn list(world: &World, call: &Call) -> Answer {
    let rows = world
        .cbn
        .peer_attachments
        .iter()
        .filter(|(id, a)| {
            let region = call.get("RegionId");
            let router = call.get("TransitRouterId");
            wants(call, "CenId", &a.cen)
                && region.is_none_or(|r| r == a.region || r == a.peer_region)
                && router.is_none_or(|r| r == a.router || r == a.peer_router)
                && wants(call, "TransitRouterAttachmentId", id)
                && tagged(call, &a.tags)
        })
        .map(|(id, a)| row(world, id, a))
        .collect();
    by_token(call, rows, &["TransitRouterAttachments"], Size::new(20, 100))
}

fn row(world: &World, id: &str, a: &PeerAttachment) -> Value {
    json!({
        "AutoPublishRouteEnabled": a.auto_publish,
        "Bandwidth": a.bandwidth,
        "BandwidthType": a.bandwidth_type,
        "CenBandwidthPackageId": a.plan,
        "CenId": a.cen,
        "CreationTime": rfc3339(a.since_ms),
        "DefaultLinkType": a.link_type,
        "GeographicSpanId": "china_china",
        "PeerTransitRouterId": a.peer_router,
        "PeerTransitRouterOwnerId": world.account_number(),
        "PeerTransitRouterRegionId": a.peer_region,
        "RegionId": a.region,
        "ResourceType": "TR",
        "Status": a.course.status(world.now_ms),
        "Tags": tag_rows(&a.tags, "Key", "Value"),
        "TransitRouterAttachmentDescription": a.description,
        "TransitRouterAttachmentId": id,
        "TransitRouterAttachmentName": a.name,
        "TransitRouterId": a.router,
    })
}

fn update(world: &mut World, call: &Call) -> Answer {
    let id = call.need("TransitRouterAttachmentId")?;
    let old = world.cbn.peer_attachments.get(id).ok_or_else(no_attachment)?;
    at_rest(&old.course, world.now_ms)?;
    let (kind, wanted, plan) = bandwidth(world, call, &old.cen, Some((id, old)))?;
    let link_type = link_type(call, &kind, &old.link_type)?;
    let until = world.after("Cbn.UpdateTransitRouterPeerAttachmentAttribute");
    if let Some(found) = world.cbn.peer_attachments.get_mut(id) {
        (found.bandwidth_type, found.bandwidth, found.plan) = (kind, wanted, plan);
        found.link_type = link_type;
        found.auto_publish = call.flag("AutoPublishRouteEnabled", found.auto_publish);
        call.replace("TransitRouterAttachmentName", &mut found.name);
        call.replace("TransitRouterAttachmentDescription", &mut found.description);
        found.course = Course::moving("Modifying", until, "Attached");
    }
    Ok(json!({}))
}

fn delete(world: &mut World, call: &Call) -> Answer {
    let id = call.need("TransitRouterAttachmentId")?;
    let found = world.cbn.peer_attachments.get(id).ok_or_else(no_attachment)?;
    at_rest(&found.course, world.now_ms)?;
    refuse_linked(world, id, call.flag("Force", false))?;
    let until = world.after("Cbn.DeleteTransitRouterPeerAttachment");
    if let Some(found) = world.cbn.peer_attachments.get_mut(id) {
        found.course = Course::leaving("Detaching", until);
    }
    drop_links(world, id, until);
    Ok(json!({}))
}
