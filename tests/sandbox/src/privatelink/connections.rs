//! Connections of endpoints to services, and endpoints of the own account.

use super::state::{ELASTICSEARCH_ACCOUNT, Endpoint, concurrent};
use crate::clock::rfc3339;
use crate::listing::wants;
use crate::paging::{Size, by_token};
use crate::{Answer, Call, Course, Refusal, World};
use serde_json::{Value, json};

pub(super) fn handle(world: &mut World, call: &Call) -> Option<Answer> {
    Some(match call.action.as_str() {
        "ListVpcEndpointConnections" => list(world, call),
        "EnableVpcEndpointConnection" => enable(world, call),
        "DisableVpcEndpointConnection" => disable(world, call),
        // The account has no endpoints of its own: those of Elasticsearch belong to its service.
        "ListVpcEndpoints" => call
            .need("RegionId")
            .map(|_| Vec::new())
            .and_then(|rows| by_token(call, rows, &["Endpoints"], Size::new(50, 1000))),
        "GetVpcEndpointAttribute" => call.need("EndpointId").and_then(|_| {
            Err(Refusal::missing("EndpointNotFound", "The specified endpoint does not exist."))
        }),
        _ => return None,
    })
}

fn list(world: &World, call: &Call) -> Answer {
    let region = call.need("RegionId")?;
    if let Some(service) = call.get("ServiceId") {
        world.privatelink.service(service, region)?;
    }
    let rows: Vec<Value> = world
        .privatelink
        .endpoints
        .iter()
        .filter(|(id, e)| {
            e.region == region
                && wants(call, "ServiceId", &e.service)
                && wants(call, "EndpointId", id)
                && wants(call, "EndpointOwnerId", &ELASTICSEARCH_ACCOUNT.to_string())
                && wants(call, "ConnectionStatus", e.connection.status(world.now_ms))
                && call.get("ResourceId").is_none_or(|r| resource(world, e) == Some(r))
        })
        .map(|(id, e)| row(world, id, e))
        .collect();
    let total = rows.len().to_string();
    let mut answer = by_token(call, rows, &["Connections"], Size::new(50, 1000))?;
    if let Some(fields) = answer.as_object_mut() {
        // The total is a string in this answer.
        fields.insert("TotalCount".into(), json!(total));
    }
    Ok(answer)
}

/// The load balancer that serves an endpoint's zone.
fn resource<'a>(world: &'a World, endpoint: &Endpoint) -> Option<&'a str> {
    let service = world.privatelink.services.get(&endpoint.service)?;
    service.resources.iter().find(|r| r.zone == endpoint.zone).map(|r| r.id.as_str())
}

fn row(world: &World, id: &str, e: &Endpoint) -> Value {
    let status = e.connection.status(world.now_ms);
    json!({
        "Bandwidth": 0,
        "ConnectionStatus": status,
        "EndpointId": id,
        "EndpointOwnerId": ELASTICSEARCH_ACCOUNT,
        "EndpointRegionId": e.region,
        "EndpointVpcId": format!("vpc-elasticsearch-{}", e.region),
        "ModifiedTime": rfc3339(e.modified_ms),
        "ResourceOwner": false,
        "ServiceId": e.service,
        "ServiceRegionId": e.region,
        "TrafficControlMode": "Scalability",
        "Zones": [{
            "EniId": e.interface,
            "ResourceId": resource(world, e),
            "ZoneDomain": format!(
                "{id}-{}.{}.{}.privatelink.aliyuncs.com", e.zone, e.service, e.region
            ),
            "ZoneId": e.zone,
            "ZoneStatus": if status == "Pending" { "Wait" } else { status },
        }],
    })
}

fn connection<'a>(world: &'a mut World, call: &Call) -> Result<&'a mut Endpoint, Refusal> {
    let (service, id) = (call.need("ServiceId")?, call.need("EndpointId")?);
    world.privatelink.service(service, call.need("RegionId")?)?;
    let now = world.now_ms;
    let found = world.privatelink.endpoints.get_mut(id).filter(|e| e.service == service);
    let endpoint = found.ok_or_else(|| {
        Refusal::missing("EndpointConnectionNotFound", "The endpoint connection does not exist.")
    })?;
    if endpoint.course.in_motion(now) || endpoint.connection.in_motion(now) {
        return Err(concurrent());
    }
    Ok(endpoint)
}

fn denied() -> Refusal {
    Refusal::bad(
        "EndpointConnectionOperationDenied",
        "The status of the endpoint connection does not support this operation.",
    )
}

fn enable(world: &mut World, call: &Call) -> Answer {
    let until = world.after("PrivateLink.EnableVpcEndpointConnection");
    let now = world.now_ms;
    let endpoint = connection(world, call)?;
    if endpoint.connection.status(now) == "Connected" {
        return Err(denied());
    }
    endpoint.connection = Course::moving("Connecting", until, "Connected");
    endpoint.modified_ms = now;
    Ok(json!({}))
}

fn disable(world: &mut World, call: &Call) -> Answer {
    let until = world.after("PrivateLink.DisableVpcEndpointConnection");
    let now = world.now_ms;
    let endpoint = connection(world, call)?;
    if endpoint.connection.status(now) != "Connected" {
        return Err(denied());
    }
    endpoint.connection = Course::moving("Disconnecting", until, "Disconnected");
    endpoint.modified_ms = now;
    Ok(json!({}))
}
