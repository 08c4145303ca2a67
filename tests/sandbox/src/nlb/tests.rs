//! The rules that bite.

use crate::Product::Nlb;
use crate::network::stage::{
    FOLLOWER_REGION, FOLLOWER_VPC, Link, Stage, balancer_params, group_params, listener_params,
    put_vswitch, server_params, text,
};

fn code(stage: &mut Stage, action: &str, params: &[(&str, &str)]) -> String {
    stage.refusal(Nlb, action, params).code
}

/// A load balancer and a group that stand alone.
fn stand() -> (Stage, Link) {
    let mut stage = Stage::new();
    let link = Link {
        group: text(&stage.nlb("CreateServerGroup", &group_params()), "ServerGroupId"),
        balancer: text(&stage.nlb("CreateLoadBalancer", &balancer_params()), "LoadbalancerId"),
        ..Link::default()
    };
    stage.step(70);
    (stage, link)
}

#[test]
fn a_load_balancer_needs_two_zones_and_eight_addresses_and_takes_three() {
    let mut stage = Stage::new();
    let all = balancer_params();
    let action = "CreateLoadBalancer";
    assert_eq!(code(&mut stage, action, &all[..5]), "InvalidParameter.ZoneMappings");
    let small = ("vsw-small", "cn-hangzhou-i", "10.2.9.0/29");
    put_vswitch(&mut stage.world, FOLLOWER_VPC, small);
    let mut tight = all.clone();
    tight[6].1 = "vsw-small";
    assert_eq!(code(&mut stage, action, &tight), "OperationDenied.VSwitchIpNotEnough");
    let made = stage.nlb(action, &all);
    assert_eq!(made.get("JobId"), None);
    let id = text(&made, "LoadbalancerId");
    let used = &stage.world.vpc.vswitches["vsw-follower-i"].used;
    assert_eq!(used.values().filter(|o| **o == id).count(), 3);
    let by_id = [("LoadBalancerId", id.as_str())];
    let shown = stage.nlb("GetLoadBalancerAttribute", &by_id);
    assert_eq!(shown["LoadBalancerStatus"], "Provisioning");
    assert_eq!(code(&mut stage, "DeleteLoadBalancer", &by_id), "IncorrectStatus.loadbalancer");
    stage.step(60);
    let shown = stage.nlb("GetLoadBalancerAttribute", &by_id);
    assert_eq!(shown["LoadBalancerStatus"], "Active");
    let zone = &shown["ZoneMappings"][0]["LoadBalancerAddresses"][0];
    assert_eq!(zone["Ipv4LocalAddresses"].as_array().unwrap().len(), 2);
}

#[test]
fn a_range_listener_goes_with_an_any_port_group_only() {
    let (mut stage, link) = stand();
    let range = listener_params(&link.balancer, &link.group);
    let mut one = range.clone();
    one[2].1 = "9300";
    let mismatch = "OperationDenied.ServerGroupAnyPortMismatch";
    assert_eq!(code(&mut stage, "CreateListener", &one), mismatch);
    let mut ports = group_params();
    ports[5].1 = "false";
    let group = text(&stage.nlb("CreateServerGroup", &ports), "ServerGroupId");
    let mut other = range.clone();
    other[5].1 = &group;
    assert_eq!(code(&mut stage, "CreateListener", &other), "IncorrectStatus.serverGroup");
    stage.step(5);
    assert_eq!(code(&mut stage, "CreateListener", &other), mismatch);
    let mut backwards = range.clone();
    backwards[4].1 = "9200";
    assert_eq!(code(&mut stage, "CreateListener", &backwards), "InvalidParameter.EndPort");

    let made = stage.nlb("CreateListener", &range);
    let (id, job) = (text(&made, "ListenerId"), text(&made, "JobId"));
    assert_eq!(stage.nlb("GetJobStatus", &[("JobId", &job)])["Status"], "processing");
    let listed = stage.nlb("ListAsynJobs", &[("JobIds.1", &job)]);
    assert_eq!(listed["Jobs"][0]["Status"], "Processing");
    assert_eq!(code(&mut stage, "CreateListener", &range), "ResourceAlreadyExist.Listener");
    stage.step(10);
    assert_eq!(stage.nlb("GetJobStatus", &[("JobId", &job)])["Status"], "Succeeded");
    let shown = stage.nlb("GetListenerAttribute", &[("ListenerId", &id)]);
    assert_eq!(shown["ListenerStatus"], "Running");
    assert_eq!((&shown["StartPort"], &shown["EndPort"]), (&"9200".into(), &"9300".into()));
    let change = [("ListenerId", id.as_str()), ("EndPort", "9400")];
    assert_eq!(code(&mut stage, "UpdateListenerAttribute", &change), "InvalidParameter.EndPort");
}

#[test]
fn servers_are_private_named_exactly_and_lock_the_group() {
    let (mut stage, link) = stand();
    let add = "AddServersToServerGroup";
    let public = server_params(&link.group, "8.8.8.8");
    assert_eq!(code(&mut stage, add, &public), "InvalidParameter.Servers.ServerIp");
    let mut port = server_params(&link.group, "10.1.1.3");
    port[4].1 = "9300";
    assert_eq!(code(&mut stage, add, &port), "InvalidParameter.Servers.Port");
    let good = server_params(&link.group, "10.1.1.3");
    stage.nlb(add, &good);
    assert_eq!(code(&mut stage, add, &good), "Conflict.Lock");
    let groups = stage.nlb("ListServerGroups", &[("ServerGroupIds.1", &link.group)]);
    assert_eq!(groups["ServerGroups"][0]["ServerGroupStatus"], "Configuring");
    stage.step(5);
    assert_eq!(code(&mut stage, add, &good), "ResourceAlreadyExist.BackendServer");
    let other = server_params(&link.group, "10.1.1.4");
    let remove = "RemoveServersFromServerGroup";
    assert_eq!(code(&mut stage, remove, &other), "ResourceNotFound.BackendServer");
    let servers = stage.nlb("ListServerGroupServers", &[("ServerGroupId", &link.group)]);
    assert_eq!(servers["Servers"][0]["Status"], "Available");
    assert_eq!(servers["Servers"][0]["Port"], 0);
}

#[test]
fn deletes_go_in_order() {
    let mut stage = Stage::new();
    let link = stage.build();
    let balancer = [("LoadBalancerId", link.balancer.as_str())];
    let refused = code(&mut stage, "DeleteLoadBalancer", &balancer);
    assert_eq!(refused, "OperationDenied.PrivateLinkServiceResource");
    let group = [("ServerGroupId", link.group.as_str())];
    assert_eq!(code(&mut stage, "DeleteServerGroup", &group), "ResourceInUse.serverGroup");
    stage.world.privatelink = crate::privatelink::State::default();
    let refused = code(&mut stage, "DeleteLoadBalancer", &balancer);
    assert_eq!(refused, "OperationDenied.ListenerExist");
    stage.nlb("DeleteListener", &[("ListenerId", &link.listener)]);
    stage.step(10);
    let gone = code(&mut stage, "GetListenerAttribute", &[("ListenerId", &link.listener)]);
    assert_eq!(gone, "ResourceNotFound.listener");
    let protection = [balancer[0], ("DeletionProtectionEnabled", "true")];
    stage.nlb("UpdateLoadBalancerProtection", &protection);
    let refused = code(&mut stage, "DeleteLoadBalancer", &balancer);
    assert_eq!(refused, "OperationDenied.DeletionProtection");
    stage.nlb(
        "UpdateLoadBalancerProtection",
        &[balancer[0], ("DeletionProtectionEnabled", "false")],
    );
    stage.nlb("DeleteLoadBalancer", &balancer);
    stage.nlb("DeleteServerGroup", &group);
    stage.step(40);
    let gone = code(&mut stage, "GetLoadBalancerAttribute", &balancer);
    assert_eq!(gone, "ResourceNotFound.loadBalancer");
    assert_eq!(stage.nlb("ListServerGroups", &[])["TotalCount"], 0);
}

#[test]
fn fixed_settings_of_a_group_stay() {
    let (mut stage, link) = stand();
    let change = [("ServerGroupId", link.group.as_str()), ("AnyPortEnabled", "false")];
    let refused = code(&mut stage, "UpdateServerGroupAttribute", &change);
    assert_eq!(refused, "InvalidParameter.AnyPortEnabled");
}

#[test]
fn health_is_initial_until_the_checks_have_looked() {
    let (mut stage, mut link) = stand();
    stage.nlb("AddServersToServerGroup", &server_params(&link.group, "10.1.1.3"));
    stage.step(5);
    let params = listener_params(&link.balancer, &link.group);
    link.listener = text(&stage.nlb("CreateListener", &params), "ListenerId");
    stage.step(11);
    assert_eq!(stage.unhealthy(&link), ["Initial"]);
    stage.step(20);
    assert_eq!(stage.unhealthy(&link), ["CONNECT_TIMEOUT"]);
    let answer = stage.nlb("GetListenerHealthStatus", &[("ListenerId", &link.listener)]);
    let info = &answer["ListenerHealthStatus"][0]["ServerGroupInfos"][0];
    assert_eq!(info["HeathCheckEnabled"], true);
    assert_eq!(info["NonNormalServers"][0]["Status"], "Unhealthy");
    assert_eq!(info["NonNormalServers"][0]["Port"], 9300);
}

#[test]
fn groups_are_found_by_tag_name_and_region() {
    let mut stage = Stage::new();
    let mut params = group_params();
    params.extend([("Tag.1.Key", "escrr-link"), ("Tag.1.Value", "a")]);
    stage.nlb("CreateServerGroup", &params);
    stage.nlb("CreateServerGroup", &group_params());
    let tagged = [("Tag.1.Key", "escrr-link"), ("Tag.1.Value", "a"), ("RegionId", FOLLOWER_REGION)];
    assert_eq!(stage.nlb("ListServerGroups", &tagged)["TotalCount"], 1);
    assert_eq!(stage.nlb("ListServerGroups", &[("RegionId", "cn-shanghai")])["TotalCount"], 0);
    let listed = stage.nlb("ListTagResources", &[("ResourceType", "servergroup")]);
    assert_eq!(listed["TagResources"][0]["TagValue"], "a");
}
