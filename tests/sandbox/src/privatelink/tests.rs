//! The rules that bite.

use crate::Product::PrivateLink;
use crate::network::stage::{FOLLOWER, FOLLOWER_REGION, Link, Stage, service_params, text};
use serde_json::{Value, json};

fn code(stage: &mut Stage, action: &str, params: &[(&str, &str)]) -> String {
    let mut all = vec![("RegionId", FOLLOWER_REGION)];
    all.extend(params);
    stage.refusal(PrivateLink, action, &all).code
}

#[test]
fn the_product_has_to_be_open() {
    let mut stage = Stage::new();
    stage.world.file.account.private_link_service = false;
    assert!(stage.call(PrivateLink, "CheckProductOpen", &[]).is_err());
    let refused = code(&mut stage, "CreateVpcEndpointService", &[("ServiceResourceType", "nlb")]);
    assert_eq!(refused, "ServiceNotOpen");
    stage.pvl("OpenPrivateLinkService", &[]);
    assert_eq!(stage.pvl("CheckProductOpen", &[])["Success"], true);
}

#[test]
fn resources_are_active_private_load_balancers_in_their_zones() {
    let mut stage = Stage::new();
    let link = stage.build();
    let create = "CreateVpcEndpointService";
    let good = service_params(&link.balancer);
    let mut zone = good.clone();
    zone[5].1 = "cn-hangzhou-j";
    assert_eq!(code(&mut stage, create, &zone), "InvalidParameter.ZoneId");
    let mut none = good.clone();
    none[4].1 = "nlb-none";
    assert_eq!(code(&mut stage, create, &none), "ResourceNotFound");
    let balancer = stage.world.nlb.balancers.get_mut(&link.balancer).unwrap();
    "Internet".clone_into(&mut balancer.address_type);
    assert_eq!(code(&mut stage, create, &good), "ResourceNotSupport");
}

#[test]
fn a_service_in_motion_takes_no_second_change() {
    let mut stage = Stage::new();
    let link = stage.build();
    let mut params = service_params(&link.balancer);
    params.truncate(6);
    params.extend([("Tag.1.Key", "escrr-link"), ("Tag.1.Value", "a")]);
    let made = stage.pvl("CreateVpcEndpointService", &params);
    assert_eq!(made["ServiceStatus"], "Creating");
    let id = text(&made, "ServiceId");
    let service = ("ServiceId", id.as_str());
    let attach = [
        service,
        ("ResourceType", "nlb"),
        ("ResourceId", link.balancer.as_str()),
        ("ZoneId", "cn-hangzhou-i"),
    ];
    let action = "AttachResourceToVpcEndpointService";
    assert_eq!(code(&mut stage, action, &attach), "EndpointServiceLocked");
    stage.step(20);
    stage.pvl(action, &attach);
    assert_eq!(code(&mut stage, action, &attach), "ConcurrentCallNotSupported");
    let get = "GetVpcEndpointServiceAttribute";
    assert_eq!(stage.pvl(get, &[service])["ServiceStatus"], "Pending");
    stage.step(10);
    let shown = stage.pvl(get, &[service]);
    assert_eq!(shown["Zones"], json!(["cn-hangzhou-h", "cn-hangzhou-i"]));
    assert_eq!(code(&mut stage, action, &attach), "ResourceAlreadyAttached");
    let list = "ListVpcEndpointServices";
    let by_resource = stage.pvl(list, &[("ResourceId", &link.balancer)]);
    assert_eq!(by_resource["TotalCount"], 2);
    let by_tag = stage.pvl(list, &[("Tag.1.Key", "escrr-link"), ("Tag.1.Value", "a")]);
    assert_eq!(by_tag["Services"][0]["ServiceId"], id);
    assert_eq!(by_tag["TotalCount"], 1);
}

#[test]
fn deletes_wait_for_connections_and_resources() {
    let mut stage = Stage::new();
    let link = stage.build();
    let service = ("ServiceId", link.service.as_str());
    let detach = [service, ("ResourceId", link.balancer.as_str()), ("ZoneId", "cn-hangzhou-h")];
    let action = "DetachResourceFromVpcEndpointService";
    let dependence = "EndpointServiceConnectionDependence";
    assert_eq!(code(&mut stage, action, &detach), dependence);
    assert_eq!(code(&mut stage, "DeleteVpcEndpointService", &[service]), dependence);
    let endpoint = format!("{FOLLOWER}/{}", link.endpoint);
    stage.es("DeleteVpcEndpoint", &endpoint, Value::Null).unwrap();
    let rows = stage.pvl("ListVpcEndpointConnections", &[service]);
    assert_eq!(rows["Connections"][0]["ConnectionStatus"], "Deleting");
    stage.step(40);
    assert_eq!(stage.pvl("ListVpcEndpointConnections", &[service])["TotalCount"], "0");
    stage.pvl(action, &detach);
    stage.step(10);
    assert_eq!(code(&mut stage, action, &detach), "EndpointServiceResourceNotFound");
    assert_eq!(code(&mut stage, "DeleteVpcEndpointService", &[service]), dependence);
    stage.pvl(action, &[service, detach[1], ("ZoneId", "cn-hangzhou-i")]);
    stage.step(10);
    stage.pvl("DeleteVpcEndpointService", &[service]);
    stage.step(10);
    let gone = code(&mut stage, "GetVpcEndpointServiceAttribute", &[service]);
    assert_eq!(gone, "EndpointServiceNotFound");
}

#[test]
fn a_connection_that_nobody_accepts_stays_disconnected_until_enabled() {
    let mut stage = Stage::new();
    let mut link = Link::default();
    stage.build_network(&mut link);
    stage.build_service(&mut link);
    let service = ("ServiceId", link.service.as_str());
    stage.pvl("UpdateVpcEndpointServiceAttribute", &[service, ("AutoAcceptEnabled", "false")]);
    stage.step(5);
    let body = json!({"serviceId": link.service, "zoneId": "cn-hangzhou-i"});
    let made = stage.es("CreateVpcEndpoint", FOLLOWER, body).unwrap();
    let id = text(&made["Result"], "endpointId");
    stage.step(70);
    let by_id = [service, ("EndpointId", id.as_str())];
    let status = |s: &mut Stage| {
        s.pvl("ListVpcEndpointConnections", &by_id)["Connections"][0]["ConnectionStatus"].clone()
    };
    assert_eq!(status(&mut stage), "Disconnected");
    stage.pvl("EnableVpcEndpointConnection", &by_id);
    assert_eq!(status(&mut stage), "Connecting");
    assert_eq!(
        code(&mut stage, "EnableVpcEndpointConnection", &by_id),
        "ConcurrentCallNotSupported"
    );
    stage.step(10);
    assert_eq!(status(&mut stage), "Connected");
}

#[test]
fn users_are_kept() {
    let mut stage = Stage::new();
    let link = stage.build();
    let params = [("ServiceId", link.service.as_str()), ("UserId", "42")];
    stage.pvl("AddUserToVpcEndpointService", &params);
    let shown = stage.pvl("ListVpcEndpointServiceUsers", &params[..1]);
    assert_eq!(shown["Users"], json!([{"UserId": 42}]));
    stage.pvl("RemoveUserFromVpcEndpointService", &params);
    let shown = stage.pvl("ListVpcEndpointServiceUsers", &params[..1]);
    assert_eq!(shown["TotalCount"], "0");
}
