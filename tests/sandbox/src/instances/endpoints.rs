//! Private connections: endpoints that the Elasticsearch service makes for an instance.

use super::state::accepts_changes;
use crate::clock::rfc3339;
use crate::privatelink::state::Endpoint;
use crate::{Answer, Call, Course, Refusal, World};
use serde_json::{Value, json};
use std::net::Ipv4Addr;

pub(super) fn handle(world: &mut World, call: &Call) -> Option<Answer> {
    Some(match call.action.as_str() {
        "CreateVpcEndpoint" => create(world, call),
        "ListVpcEndpoints" => list(world, call),
        "DeleteVpcEndpoint" => delete(world, call),
        _ => return None,
    })
}

fn create(world: &mut World, call: &Call) -> Answer {
    let (instance_id, instance) = world.instances.of(call)?;
    accepts_changes(instance, world.now_ms)?;
    let member = |name: &str| {
        call.body.get(name).and_then(Value::as_str).filter(|v| !v.is_empty()).ok_or_else(|| {
            Refusal::bad("InvalidParameter", format!("The parameter {name} is needed."))
        })
    };
    let (service_id, zone) = (member("serviceId")?, member("zoneId")?);
    let service = world.privatelink.service(service_id, &instance.region)?;
    if service.course.status(world.now_ms) != "Active" {
        return Err(Refusal::bad("EndpointServiceOperationDenied", "The service is not active."));
    }
    let served = service
        .resources
        .iter()
        .any(|r| r.zone == zone && r.course.status(world.now_ms) == "Active");
    if !served {
        return Err(Refusal::bad(
            "InvalidParameter",
            format!("The zone {zone} is not a zone of the endpoint service."),
        ));
    }
    let (region, auto_accept) = (service.region.clone(), service.auto_accept);
    let until = world.after("Elasticsearch.CreateVpcEndpoint");
    let (id, interface) = (world.fresh_id("ep"), world.fresh_id("eni"));
    let domain = format!("{id}.{service_id}.{region}.privatelink.aliyuncs.com");
    let name = format!("{instance_id}-{zone}");
    let connection = if auto_accept {
        Course::moving("Connecting", until, "Connected")
    } else {
        Course::moving("Pending", until, "Disconnected")
    };
    let endpoint = Endpoint {
        service: service_id.to_owned(),
        region,
        zone: zone.to_owned(),
        instance: instance_id.to_owned(),
        name: name.clone(),
        domain: domain.clone(),
        address: interface_address(world.next_id),
        interface,
        course: Course::moving("Creating", until, "Active"),
        connection,
        since_ms: world.now_ms,
        modified_ms: world.now_ms,
    };
    world.privatelink.endpoints.insert(id.clone(), endpoint);
    Ok(json!({"Result": {
        "endpointDomain": domain,
        "endpointId": id,
        "endpointName": name,
        "serviceId": service_id,
    }}))
}

/// An address in the network of the Elasticsearch service, which nobody else sees.
fn interface_address(seed: u64) -> Ipv4Addr {
    let [.., high, low] = seed.to_be_bytes();
    Ipv4Addr::new(172, 20, high, low)
}

fn list(world: &World, call: &Call) -> Answer {
    let (instance, _) = world.instances.of(call)?;
    let page: usize = call.number("page")?.unwrap_or(1);
    let size: usize = call.number("size")?.unwrap_or(20);
    if page == 0 || size == 0 {
        return Err(Refusal::bad("InvalidParameter", "The page or the size is not valid."));
    }
    let rows: Vec<Value> = world
        .privatelink
        .endpoints
        .iter()
        .filter(|(_, e)| e.instance == instance)
        .skip((page - 1) * size)
        .take(size)
        .map(|(id, e)| {
            json!({
                "connectionStatus": e.connection.status(world.now_ms),
                "createTime": rfc3339(e.since_ms),
                "endpointBusinessStatus": "Normal",
                "endpointDomain": e.domain,
                "endpointId": id,
                "endpointName": e.name,
                "endpointStatus": e.course.status(world.now_ms),
                "serviceId": e.service,
                "serviceName": format!("com.aliyuncs.privatelink.{}.{}", e.region, e.service),
            })
        })
        .collect();
    Ok(json!({ "Result": rows }))
}

fn delete(world: &mut World, call: &Call) -> Answer {
    let (instance, _) = world.instances.of(call)?;
    let id = call.path.get("EndpointId").map_or("", String::as_str);
    let until = world.after("Elasticsearch.DeleteVpcEndpoint");
    let now = world.now_ms;
    let endpoint =
        world.privatelink.endpoints.get_mut(id).filter(|e| e.instance == instance).ok_or_else(
            || Refusal::missing("EndpointNotFound", "The specified endpoint does not exist."),
        )?;
    if endpoint.course.in_motion(now) || endpoint.connection.in_motion(now) {
        return Err(Refusal::bad("EndpointLocked", "The endpoint is locked."));
    }
    endpoint.course = Course::leaving("Deleting", until);
    endpoint.connection = Course::leaving("Deleting", until);
    endpoint.modified_ms = now;
    Ok(json!({"Result": true}))
}
