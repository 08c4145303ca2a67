//! Endpoint services.

use super::resources::{check, new_resource};
use super::state::{Service, at_rest, concurrent, dependence};
use crate::clock::rfc3339;
use crate::listing::{invalid, wants};
use crate::paging::{Size, by_token, without};
use crate::tagging::{new_tags, tag_rows, tagged};
use crate::{Answer, Call, Course, Refusal, World};
use serde_json::{Value, json};
use std::collections::BTreeSet;

pub(super) fn handle(world: &mut World, call: &Call) -> Option<Answer> {
    Some(match call.action.as_str() {
        "CheckProductOpen" => check_open(world),
        "OpenPrivateLinkService" => open(world),
        "DescribeRegions" => Ok(regions(world)),
        "DescribeZones" => zones(world, call),
        "CreateVpcEndpointService" => create(world, call),
        "GetVpcEndpointServiceAttribute" => get(world, call),
        "ListVpcEndpointServices" => list(world, call),
        "UpdateVpcEndpointServiceAttribute" => update(world, call),
        "DeleteVpcEndpointService" => delete(world, call),
        _ => return None,
    })
}

fn is_open(world: &World) -> bool {
    world.file.account.private_link_service || world.activated.contains("PrivateLink")
}

fn not_open() -> Refusal {
    Refusal::bad("ServiceNotOpen", "The PrivateLink service is not activated.")
}

fn check_open(world: &World) -> Answer {
    if is_open(world) { Ok(json!({"Success": true})) } else { Err(not_open()) }
}

fn open(world: &mut World) -> Answer {
    if is_open(world) {
        return Err(Refusal::bad("ORDER.OPEND", "The service has been opened."));
    }
    world.activated.insert("PrivateLink".to_owned());
    Ok(json!({"OrderId": world.fresh_id("order")}))
}

fn regions(world: &World) -> Value {
    let rows: Vec<Value> = world
        .file
        .regions
        .iter()
        .filter(|(_, r)| !r.private_link_zones.is_empty())
        .map(|(id, _)| {
            json!({
                "LocalName": id,
                "RegionEndpoint": format!("privatelink.{id}.aliyuncs.com"),
                "RegionId": id,
                "ServiceResourceTypes": {"ServiceResourceType": ["nlb"]},
            })
        })
        .collect();
    json!({"Regions": {"Region": rows}})
}

fn zones(world: &World, call: &Call) -> Answer {
    let region = call.need("RegionId")?;
    let found = world
        .file
        .regions
        .get(region)
        .ok_or_else(|| Refusal::missing("InvalidRegionId", "The region is not supported."))?;
    let rows: Vec<Value> =
        found.private_link_zones.iter().map(|z| json!({"LocalName": z, "ZoneId": z})).collect();
    Ok(json!({"Zones": {"Zone": rows}}))
}

fn create(world: &mut World, call: &Call) -> Answer {
    let region = call.need("RegionId")?.to_owned();
    if !is_open(world) {
        return Err(not_open());
    }
    let wanted = call.objects("Resource");
    if wanted.len() > 10 {
        return Err(invalid("Resource"));
    }
    let mut resources = Vec::new();
    for row in &wanted {
        let get = |name: &str| row.get(name).map_or("", String::as_str);
        if get("ResourceType") != call.get("ServiceResourceType").unwrap_or("slb") {
            return Err(invalid("ResourceType"));
        }
        check(world, &region, (get("ResourceType"), get("ResourceId"), get("ZoneId")))?;
        let taken: BTreeSet<(String, String)> = resources
            .iter()
            .map(|r: &super::state::Resource| (r.id.clone(), r.zone.clone()))
            .collect();
        if taken.contains(&(get("ResourceId").to_owned(), get("ZoneId").to_owned())) {
            return Err(Refusal::bad("ResourceAlreadyAttached", "A resource is named twice."));
        }
        resources.push(new_resource(
            get("ResourceId"),
            get("ZoneId"),
            world.now_ms,
            world.after("PrivateLink.CreateVpcEndpointService"),
        ));
    }
    let payer = call.get("Payer").unwrap_or("Endpoint");
    if !["Endpoint", "EndpointService"].contains(&payer) {
        return Err(invalid("Payer"));
    }
    let service = Service {
        region,
        description: call.get("ServiceDescription").unwrap_or_default().to_owned(),
        auto_accept: call.flag("AutoAcceptEnabled", false),
        payer: payer.to_owned(),
        zone_affinity: call.flag("ZoneAffinityEnabled", false),
        resources,
        users: BTreeSet::new(),
        user_arns: BTreeSet::new(),
        course: Course::moving(
            "Creating",
            world.after("PrivateLink.CreateVpcEndpointService"),
            "Active",
        ),
        since_ms: world.now_ms,
        tags: new_tags(call)?,
    };
    let id = world.fresh_id("epsrv");
    let answer = Ok(row(world, &id, &service));
    world.privatelink.services.insert(id, service);
    // A new service tells less of itself than the same service in a list.
    let later = ["MaxBandwidth", "MinBandwidth", "Payer", "RegionId"];
    without(without(answer, &later), &["ServiceResourceType", "ServiceType"])
}

/// The zones that a service can be reached in.
fn zones_of(service: &Service, now_ms: u64) -> BTreeSet<&String> {
    let up = service.resources.iter().filter(|r| r.course.status(now_ms) == "Active");
    up.map(|r| &r.zone).collect()
}

fn row(world: &World, id: &str, s: &Service) -> Value {
    json!({
        "AddressIpVersion": "IPv4",
        "AutoAcceptEnabled": s.auto_accept,
        "CreateTime": rfc3339(s.since_ms),
        "MaxBandwidth": 10_240,
        "MinBandwidth": 100,
        "Payer": s.payer,
        "RegionId": s.region,
        "ServiceBusinessStatus": "Normal",
        "ServiceDescription": s.description,
        "ServiceDomain": format!("{id}.{}.privatelink.aliyuncs.com", s.region),
        "ServiceId": id,
        "ServiceName": format!("com.aliyuncs.privatelink.{}.{id}", s.region),
        "ServiceResourceType": "nlb",
        "ServiceStatus": s.course.status(world.now_ms),
        "ServiceSupportIPv6": false,
        "ServiceType": "Interface",
        "SupportedRegionSet": [],
        "ZoneAffinityEnabled": s.zone_affinity,
    })
}

fn get(world: &World, call: &Call) -> Answer {
    let id = call.need("ServiceId")?;
    let service = world.privatelink.service(id, call.need("RegionId")?)?;
    let mut row = row(world, id, service);
    if let Some(fields) = row.as_object_mut() {
        fields.insert("Zones".into(), json!(zones_of(service, world.now_ms)));
    }
    Ok(row)
}

fn list(world: &World, call: &Call) -> Answer {
    let region = call.need("RegionId")?;
    let rows = world
        .privatelink
        .services
        .iter()
        .filter(|(id, s)| {
            s.region == region
                && wants(call, "ServiceId", id)
                && wants(call, "ServiceStatus", s.course.status(world.now_ms))
                && wants(call, "ServiceResourceType", "nlb")
                && call
                    .get("ResourceId")
                    .is_none_or(|wanted| s.resources.iter().any(|r| r.id == wanted))
                && call
                    .get("ServiceName")
                    .is_none_or(|n| n == format!("com.aliyuncs.privatelink.{}.{id}", s.region))
                && call.flag("AutoAcceptEnabled", s.auto_accept) == s.auto_accept
                && tagged(call, &s.tags)
        })
        .map(|(id, s)| {
            let mut row = row(world, id, s);
            if let Some(fields) = row.as_object_mut() {
                fields.insert("Tags".into(), tag_rows(&s.tags, "Key", "Value"));
            }
            row
        })
        .collect();
    by_token(call, rows, &["Services"], Size::new(50, 1000))
}

fn update(world: &mut World, call: &Call) -> Answer {
    let id = call.need("ServiceId")?;
    at_rest(world.privatelink.service(id, call.need("RegionId")?)?, world.now_ms)?;
    if call.get("Payer").is_some() {
        return Err(invalid("Payer"));
    }
    let until = world.after("PrivateLink.UpdateVpcEndpointServiceAttribute");
    let service = world.privatelink.service_mut(id)?;
    service.auto_accept = call.flag("AutoAcceptEnabled", service.auto_accept);
    service.zone_affinity = call.flag("ZoneAffinityEnabled", service.zone_affinity);
    call.replace("ServiceDescription", &mut service.description);
    service.course = Course::moving("Pending", until, "Active");
    Ok(json!({}))
}

fn delete(world: &mut World, call: &Call) -> Answer {
    let id = call.need("ServiceId")?;
    let service = world.privatelink.service(id, call.need("RegionId")?)?;
    at_rest(service, world.now_ms)?;
    // Deletes of one account wait for each other.
    let others = world.privatelink.services.values();
    if others.into_iter().any(|s| s.course.status(world.now_ms) == "Deleting") {
        return Err(concurrent());
    }
    if !service.resources.is_empty() || world.privatelink.connected(id).next().is_some() {
        return Err(dependence());
    }
    let until = world.after("PrivateLink.DeleteVpcEndpointService");
    world.privatelink.service_mut(id)?.course = Course::leaving("Deleting", until);
    Ok(json!({}))
}
