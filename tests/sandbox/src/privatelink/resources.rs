//! Load balancers behind a service, one row a zone.

use super::state::{Resource, at_rest, dependence};
use crate::listing::invalid;
use crate::paging::{Size, by_token, without};
use crate::{Answer, Call, Course, Refusal, World};
use serde_json::{Value, json};

pub(super) fn handle(world: &mut World, call: &Call) -> Option<Answer> {
    Some(match call.action.as_str() {
        "AttachResourceToVpcEndpointService" => attach(world, call),
        "DetachResourceFromVpcEndpointService" => detach(world, call),
        "ListVpcEndpointServiceResources" => list(world, call),
        _ => return None,
    })
}

pub(super) fn new_resource(id: &str, zone: &str, now_ms: u64, until: u64) -> Resource {
    Resource {
        id: id.to_owned(),
        zone: zone.to_owned(),
        course: Course::moving("Attaching", until, "Active"),
        since_ms: now_ms,
    }
}

/// Can the load balancer be a resource in the zone? Type, id and zone.
pub(super) fn check(
    world: &World,
    region: &str,
    (kind, id, zone): (&str, &str, &str),
) -> Result<(), Refusal> {
    if kind != "nlb" {
        return Err(invalid("ResourceType"));
    }
    let balancer = world
        .nlb
        .balancers
        .get(id)
        .filter(|b| b.region == region)
        .ok_or_else(|| Refusal::missing("ResourceNotFound", "The resource does not exist."))?;
    if balancer.address_type != "Intranet" {
        return Err(Refusal::bad(
            "ResourceNotSupport",
            "Only load balancers of private networks can be service resources.",
        ));
    }
    if balancer.course.status(world.now_ms) != "Active" {
        return Err(Refusal::bad(
            "ResourceStatusNotSupport",
            "The status of the resource does not support this operation.",
        ));
    }
    if world.nlb.listeners_of(id).any(|(_, l)| l.protocol == "TCPSSL") {
        return Err(Refusal::bad(
            "ResourceNotSupport",
            "A load balancer with a TCPSSL listener cannot be a service resource.",
        ));
    }
    let offered = world.file.regions.get(region).map(|r| r.private_link_zones.as_slice());
    let known = offered.unwrap_or_default().iter().any(|z| z == zone);
    if !known || balancer.zones.iter().all(|z| z.id != zone) {
        return Err(invalid("ZoneId"));
    }
    Ok(())
}

fn attach(world: &mut World, call: &Call) -> Answer {
    let (id, region) = (call.need("ServiceId")?, call.need("RegionId")?);
    let service = world.privatelink.service(id, region)?;
    at_rest(service, world.now_ms)?;
    let (resource, zone) = (call.need("ResourceId")?, call.need("ZoneId")?);
    check(world, region, (call.need("ResourceType")?, resource, zone))?;
    if service.resources.iter().any(|r| r.id == resource && r.zone == zone) {
        return Err(Refusal::bad(
            "ResourceAlreadyAttached",
            "The resource is already attached to the endpoint service.",
        ));
    }
    let until = world.after("PrivateLink.AttachResourceToVpcEndpointService");
    let new = new_resource(resource, zone, world.now_ms, until);
    let service = world.privatelink.service_mut(id)?;
    service.resources.push(new);
    service.course = Course::moving("Pending", until, "Active");
    Ok(json!({}))
}

fn detach(world: &mut World, call: &Call) -> Answer {
    let (id, region) = (call.need("ServiceId")?, call.need("RegionId")?);
    let service = world.privatelink.service(id, region)?;
    at_rest(service, world.now_ms)?;
    let (resource, zone) = (call.need("ResourceId")?, call.need("ZoneId")?);
    if !service.resources.iter().any(|r| r.id == resource && r.zone == zone) {
        return Err(Refusal::missing(
            "EndpointServiceResourceNotFound",
            "The resource is not attached to the endpoint service in this zone.",
        ));
    }
    let used = world
        .privatelink
        .connected(id)
        .any(|(_, e)| e.zone == zone && e.connection.status(world.now_ms) != "Disconnected");
    if used {
        return Err(dependence());
    }
    let until = world.after("PrivateLink.DetachResourceFromVpcEndpointService");
    let service = world.privatelink.service_mut(id)?;
    for row in service.resources.iter_mut().filter(|r| r.id == resource && r.zone == zone) {
        row.course = Course::leaving("Detaching", until);
    }
    service.course = Course::moving("Pending", until, "Active");
    Ok(json!({}))
}

fn list(world: &World, call: &Call) -> Answer {
    let id = call.need("ServiceId")?;
    let service = world.privatelink.service(id, call.need("RegionId")?)?;
    let rows = service
        .resources
        .iter()
        // A row shows once it is attached.
        .filter(|r| r.course.status(world.now_ms) != "Attaching")
        .map(|r| row(world, id, &service.region, r))
        .collect();
    without(by_token(call, rows, &["Resources"], Size::new(50, 50)), &["TotalCount"])
}

fn row(world: &World, service: &str, region: &str, resource: &Resource) -> Value {
    let balancer = world.nlb.balancers.get(&resource.id);
    let zone = balancer.and_then(|b| b.zones.iter().find(|z| z.id == resource.zone));
    let endpoints =
        world.privatelink.connected(service).filter(|(_, e)| e.zone == resource.zone).count();
    json!({
        "AutoAllocatedEnabled": true,
        "Ip": zone.map(|z| z.address.to_string()),
        "RegionId": region,
        "RelatedDeprecatedEndpointCount": 0,
        "RelatedEndpointCount": endpoints,
        "ResourceId": resource.id,
        "ResourceSupportIPv6": false,
        "ResourceType": "nlb",
        "VSwitchId": zone.map(|z| z.vswitch.as_str()),
        "VpcId": balancer.map(|b| b.vpc.as_str()),
        "ZoneId": resource.zone,
    })
}
