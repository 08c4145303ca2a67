//! Typed calls of the OpenAPI: what they send, and what they make of the documented answers.

use crate::cloud::{client, pages};
use crate::server::{Seen, Server};
use escrr_engine::Fault;
use escrr_steps::aliyun::cbn::{
    AttachmentFilter, CreatePeerAttachment, CreateVpcAttachment, LinkKind, PeerBandwidth,
};
use escrr_steps::aliyun::ecs::RunCommand;
use escrr_steps::aliyun::elasticsearch::ModifyMode;
use escrr_steps::aliyun::nlb::{CreateListener, CreateLoadBalancer, CreateServerGroup};
use escrr_steps::aliyun::privatelink::CreateEndpointService;
use escrr_steps::aliyun::{Tags, ZoneMapping};
use serde_json::{Value, json};

/// The parameters of an action, without the common ones.
fn action_params(seen: &Seen) -> Vec<String> {
    let common = ["AccessKeyId", "Format", "SecurityToken", "Timestamp", "Version"];
    let form = seen.form().into_iter();
    form.filter(|(key, _)| !common.contains(&key.as_str()) && !key.starts_with("Signature"))
        .map(|(key, value)| format!("{key}={value}"))
        .collect()
}

fn zones() -> Vec<ZoneMapping> {
    let zone = |name: &str| ZoneMapping {
        zone_id: format!("cn-hangzhou-{name}"),
        vswitch_id: format!("vsw-{name}"),
    };
    vec![zone("h"), zone("i")]
}

fn answer(mut value: Value) -> Value {
    value["RequestId"] = json!("r-1");
    value
}

#[tokio::test]
async fn attachments() {
    let id = answer(json!({"TransitRouterAttachmentId": "tr-attach-1"}));
    let row = json!({
        "TransitRouterAttachmentId": "tr-attach-1", "Status": "Attached", "VpcId": "vpc-1",
        "AutoPublishRouteEnabled": "true",
        "ZoneMappings": [{"ZoneId": "z", "VSwitchId": "vsw", "NetworkInterfaceId": "eni"}],
        "Tags": [{"Key": "escrr:saga", "Value": "s"}],
    });
    let list = answer(json!({"TransitRouterAttachments": [row], "TotalCount": 1}));
    let server = Server::start(pages([id.clone(), id, list, answer(json!({}))])).await;
    let cloud = client(&server);
    let cbn = cloud.cbn("cn-hangzhou");
    let (zones, tags) = (zones(), Tags::new());
    let ask = CreateVpcAttachment {
        cen_id: "cen-1",
        transit_router_id: "tr-1",
        vpc_id: "vpc-1",
        zones: &zones,
        name: "n",
        description: "",
        auto_publish_route: true,
        tags: &tags,
        token: "t",
    };
    assert_eq!(cbn.create_vpc_attachment(ask).await.unwrap(), "tr-attach-1");
    let peer = CreatePeerAttachment {
        cen_id: "cen-1",
        transit_router_id: "tr-1",
        peer_transit_router_id: "tr-2",
        peer_region_id: "cn-shanghai",
        bandwidth: PeerBandwidth::DataTransfer(100),
        link_type: "Gold",
        name: "n",
        description: "d",
        tags: &tags,
        token: "t",
    };
    cbn.create_peer_attachment(peer).await.unwrap();
    let filter = AttachmentFilter { cen_id: "cen-1", ..AttachmentFilter::default() };
    let found = cbn.list_vpc_attachments(filter, "vpc-1").await.unwrap();
    assert!(found[0].auto_publish_route && found[0].zones[0].vswitch_id == "vsw");
    assert_eq!(found[0].tags["escrr:saga"], "s");
    cbn.unlink(LinkKind::Propagation, "tr-attach-1", "vtb-1", "t").await.unwrap();
    let seen = server.seen();
    let expected = [
        "Action=CreateTransitRouterVpcAttachment",
        "AutoPublishRouteEnabled=true",
        "CenId=cen-1",
        "ClientToken=t",
        "RegionId=cn-hangzhou",
        "TransitRouterAttachmentName=n",
        "TransitRouterId=tr-1",
        "VpcId=vpc-1",
        "ZoneMappings.1.VSwitchId=vsw-h",
        "ZoneMappings.1.ZoneId=cn-hangzhou-h",
        "ZoneMappings.2.VSwitchId=vsw-i",
        "ZoneMappings.2.ZoneId=cn-hangzhou-i",
    ];
    assert_eq!(action_params(&seen[0]), expected);
    let sent = action_params(&seen[1]).join(" ");
    assert!(sent.contains("Bandwidth=100 BandwidthType=DataTransfer CenId=cen-1"), "{sent}");
    assert!(sent.contains("PeerTransitRouterRegionId=cn-shanghai RegionId=cn-hangzhou"), "{sent}");
    let expected = ["Action=ListTransitRouterVpcAttachments", "CenId=cen-1", "MaxResults=100"];
    assert_eq!(action_params(&seen[2])[..3], expected);
    assert_eq!(seen[3].param("Action"), "DisableTransitRouterRouteTablePropagation");
}

#[tokio::test]
async fn vpc_and_its_routes() {
    let vpc = json!({
        "VpcId": "vpc-1", "CidrBlock": "10.0.0.0/16", "Status": "Available",
        "SecondaryCidrBlocks": {"SecondaryCidrBlock": ["10.9.0.0/16"]},
        "UserCidrs": {"UserCidr": []}, "AssociatedCens": {"AssociatedCen": [
            {"CenId": "cen-1", "CenOwnerId": 1_234, "CenStatus": "Attached"}]},
    });
    let switches = json!({"TotalCount": 1, "VSwitches": {"VSwitch": [{
        "VSwitchId": "vsw-1", "VpcId": "vpc-1", "ZoneId": "z", "CidrBlock": "10.0.1.0/24",
        "AvailableIpAddressCount": 252, "Tags": {"Tag": [{"Key": "a", "Value": "b"}]},
        "RouteTable": {"RouteTableId": "vtb-1", "RouteTableType": "System"}}]}});
    let tables = json!({"TotalCount": 1, "RouterTableList": {"RouterTableListType": [
        {"RouteTableId": "vtb-1", "RouteTableType": "System", "Status": "Available"}]}});
    let routes = json!({"RouteEntrys": {"RouteEntry": [{
        "RouteEntryId": "rte-1", "DestinationCidrBlock": "10.1.0.0/16", "Status": "Available",
        "Type": "Custom", "NextHops": {"NextHop": [
            {"NextHopType": "Attachment", "NextHopId": "tr-attach-1"}]}}]}});
    let server = Server::start(pages([vpc, switches, tables, routes].map(answer))).await;
    let cloud = client(&server);
    let vpc = cloud.vpc("cn-hangzhou");
    let attribute = vpc.describe_vpc_attribute("vpc-1").await.unwrap();
    assert_eq!(attribute.secondary_cidr_blocks, ["10.9.0.0/16"]);
    assert_eq!(attribute.associated_cens[0].owner_id, "1234");
    let filter = escrr_steps::aliyun::vpc::VSwitchFilter { vpc_id: "vpc-1", ..Default::default() };
    let switches = vpc.describe_vswitches(filter).await.unwrap();
    assert_eq!(switches[0].available_ip_count, Some(252));
    assert_eq!((switches[0].route_table_type.as_str(), switches[0].tags.len()), ("System", 1));
    let tables = vpc.describe_route_tables("vpc-1", "System").await.unwrap();
    let routes = vpc.describe_route_entries(&tables[0].route_table_id).await.unwrap();
    assert_eq!(routes[0].next_hops[0].next_hop_id, "tr-attach-1");
    let seen = server.seen();
    assert_eq!(seen[2].param("RouteTableType"), "System");
    assert_eq!(seen[3].param("MaxResult"), "100");
}

#[tokio::test]
async fn load_balancing() {
    let answers = [
        json!({"ServerGroupId": "sgp-1", "JobId": "j"}),
        json!({"JobId": "j", "ServerGroupId": "sgp-1"}),
        json!({"LoadbalancerId": "nlb-1"}),
        json!({"ListenerId": "lsn-1", "JobId": "j"}),
        json!({"ListenerId": "lsn-1", "ListenerPort": 0, "StartPort": "9200", "EndPort": 9300,
            "ListenerStatus": "Running", "ServerGroupId": "sgp-1", "ListenerProtocol": "TCP"}),
        json!({"ListenerHealthStatus": [{"ServerGroupInfos": [{"HeathCheckEnabled": true,
            "ServerGroupId": "sgp-1", "NonNormalServers": [{"ServerIp": "10.1.0.7",
            "Status": "Unhealthy", "Reason": {"ReasonCode": "CONNECT_TIMEOUT"}}]}]}]}),
    ];
    let server = Server::start(pages(answers.map(answer))).await;
    let cloud = client(&server);
    let nlb = cloud.nlb("cn-hangzhou");
    let (zones, tags) = (zones(), Tags::new());
    let group = CreateServerGroup {
        name: "g",
        vpc_id: "vpc-1",
        health_check_port: 9300,
        tags: &tags,
        token: "t",
    };
    assert_eq!(nlb.create_server_group(group).await.unwrap(), "sgp-1");
    nlb.add_servers("sgp-1", &["10.1.0.7".to_owned()], "t").await.unwrap();
    let balancer =
        CreateLoadBalancer { name: "n", vpc_id: "vpc-1", zones: &zones, tags: &tags, token: "t" };
    assert_eq!(nlb.create_load_balancer(balancer).await.unwrap(), "nlb-1");
    let listener = CreateListener {
        load_balancer_id: "nlb-1",
        server_group_id: "sgp-1",
        ports: (9200, 9300),
        description: "",
        tags: &tags,
        token: "t",
    };
    assert_eq!(nlb.create_listener(listener).await.unwrap(), "lsn-1");
    let listener = nlb.get_listener("lsn-1").await.unwrap();
    assert_eq!((listener.start_port, listener.end_port), (Some(9200), Some(9300)));
    let health = nlb.get_listener_health("lsn-1").await.unwrap();
    assert!(health[0].check_enabled);
    assert_eq!(health[0].non_normal[0].reason, "CONNECT_TIMEOUT");
    let seen = server.seen();
    let group = action_params(&seen[0]).join(" ");
    for part in [
        "AnyPortEnabled=true",
        "HealthCheckConfig.HealthCheckConnectPort=9300",
        "PreserveClientIpEnabled=false",
        "ServerGroupType=Ip",
    ] {
        assert!(group.contains(part), "{group}");
    }
    let servers = action_params(&seen[1]).join(" ");
    let expected = "Servers.1.Port=0 Servers.1.ServerId=10.1.0.7 Servers.1.ServerIp=10.1.0.7";
    assert!(servers.contains(expected), "{servers}");
    let listener = action_params(&seen[3]).join(" ");
    assert!(listener.contains("EndPort=9300 ListenerPort=0 "), "{listener}");
}

#[tokio::test]
async fn private_links() {
    let answers = [
        json!({"ServiceId": "epsrv-1", "ServiceStatus": "Creating"}),
        json!({"ServiceId": "epsrv-1", "ServiceStatus": "Active", "AutoAcceptEnabled": true,
            "Zones": ["h", "i"]}),
        json!({"Resources": [{"ResourceId": "nlb-1", "ResourceType": "nlb", "ZoneId": "h"}]}),
        json!({}),
        json!({"Connections": [{"EndpointId": "ep-1", "ConnectionStatus": "Connected",
            "EndpointOwnerId": 99, "Zones": [{"ZoneId": "h", "ZoneStatus": "Connected"}]}]}),
        json!({"Success": true}),
        json!({}),
    ];
    let server = Server::start(pages(answers.map(answer))).await;
    let cloud = client(&server);
    let link = cloud.privatelink("cn-hangzhou");
    let (zones, tags) = (["h".to_owned(), "i".to_owned()], Tags::new());
    let ask = CreateEndpointService {
        load_balancer_id: "nlb-1",
        zones: &zones,
        description: "d",
        payer: "",
        zone_affinity: true,
        tags: &tags,
        token: "t",
    };
    assert_eq!(link.create_service(ask).await.unwrap(), "epsrv-1");
    assert_eq!(link.get_service("epsrv-1").await.unwrap().zones, ["h", "i"]);
    let mut resource = link.list_resources("epsrv-1").await.unwrap().remove(0);
    resource.zone_id = String::new();
    link.detach_resource("epsrv-1", &resource, "t").await.unwrap();
    let connections = link.list_connections("epsrv-1").await.unwrap();
    assert_eq!(connections[0].endpoint_owner_id, "99");
    assert_eq!(connections[0].zones[0].status, "Connected");
    assert!(link.check_product_open().await.unwrap());
    assert!(!link.check_product_open().await.unwrap());
    let seen = server.seen();
    let sent = action_params(&seen[0]).join(" ");
    assert!(sent.contains("Resource.2.ResourceId=nlb-1 Resource.2.ResourceType=nlb"), "{sent}");
    assert!(sent.contains("Resource.2.ZoneId=i"), "{sent}");
    assert!(!sent.contains("Payer"), "{sent}");
    assert!(!seen[3].form().contains_key("ZoneId"), "an empty zone must not be sent");
}

#[tokio::test]
async fn a_command_and_its_output() {
    let answers = [
        json!({"InvokeId": "t-1", "CommandId": "c-1"}),
        json!({"Invocation": {"InvocationResults": {"InvocationResult": [
            {"InstanceId": "i-1", "InvocationStatus": "Success", "ExitCode": 0,
             "Output": "MTAuMS4wLjcK", "Dropped": 0},
            {"InstanceId": "i-2", "InvocationStatus": "Failed", "ExitCode": "2",
             "Output": "not base64!", "ErrorCode": "X"}]}}}),
        json!({"InstanceCloudAssistantStatusSet": {"InstanceCloudAssistantStatus": [
            {"InstanceId": "i-1", "CloudAssistantStatus": "true"}]}}),
    ];
    let server = Server::start(pages(answers.map(answer))).await;
    let cloud = client(&server);
    let ecs = cloud.ecs("cn-shanghai");
    let ask = RunCommand {
        instance_id: "i-1",
        script: "getent ahostsv4 x",
        name: "escrr",
        timeout_s: 60,
        token: "t",
    };
    assert_eq!(ecs.run_command(ask).await.unwrap(), "t-1");
    let results = ecs.describe_invocation_results("t-1").await.unwrap();
    assert_eq!((results[0].output.as_str(), results[0].exit_code), ("10.1.0.7\n", Some(0)));
    assert_eq!((results[1].output.as_str(), results[1].exit_code), ("not base64!", Some(2)));
    let status = ecs.describe_assistant_status(&["i-1".to_owned()]).await.unwrap();
    assert!(status[0].alive);
    let seen = server.seen();
    assert_eq!(seen[0].param("CommandContent"), "Z2V0ZW50IGFob3N0c3Y0IHg=");
    assert_eq!(seen[0].param("InstanceId.1"), "i-1");
}

#[tokio::test]
async fn the_control_plane_of_elasticsearch() {
    let instance = json!({"Result": {
        "instanceId": "es-cn-1", "status": "active", "esVersion": "7.10.0_with_X-Pack",
        "archType": "public", "domain": "es-cn-1.elasticsearch.aliyuncs.com", "port": "9200",
        "protocol": "HTTP", "networkConfig": {"vpcId": "vpc-1", "vswitchId": "vsw-1",
            "vsArea": "z", "whiteIpGroupList": [{"groupName": "default", "ips": ["127.0.0.1"],
            "whiteIpType": "PRIVATE_ES"}]},
        "zoneInfos": [{"zoneId": "z", "status": "NORMAL"}], "kibanaPort": 0, "publicPort": null,
        "tags": [{"tagKey": "a", "tagValue": "b"}]}});
    let endpoint = json!({"endpointId": "ep-1", "endpointDomain": "ep-1.x", "serviceId": "s",
        "endpointStatus": "Active", "connectionStatus": "Connected"});
    let full = json!({"Result": vec![endpoint.clone(); 20]});
    let answers = [
        instance,
        json!({"Result": true}),
        json!({"Result": false}),
        json!({"Result": endpoint.clone()}),
        full,
        json!({"Result": [endpoint]}),
        json!({"Result": true}),
    ];
    let server = Server::start(pages(answers.map(answer))).await;
    let cloud = client(&server);
    let es = cloud.elasticsearch("cn-shanghai");
    let found = es.describe_instance("es-cn-1").await.unwrap();
    assert_eq!((found.port, found.kibana_port, found.public_port), (Some(9200), None, None));
    assert_eq!((found.zone_id.as_str(), found.tags["a"].as_str()), ("z", "b"));
    assert_eq!(found.white_ip_groups[0].ips, ["127.0.0.1"]);
    let ips = ["10.0.0.0/24".to_owned()];
    let allow = || es.modify_white_ips("es-cn-1", ModifyMode::Append, ("escrr_x", &ips), "t 1");
    allow().await.unwrap();
    assert!(matches!(allow().await, Err(Fault::Unknown(_))));
    let made = es.create_vpc_endpoint("es-cn-1", "epsrv-1", "z", "t").await.unwrap();
    assert_eq!(made.endpoint_domain, "ep-1.x");
    assert_eq!(es.list_vpc_endpoints("es-cn-1").await.unwrap().len(), 21);
    es.delete_vpc_endpoint("es-cn-1", "ep-1", "t").await.unwrap();
    let seen = server.seen();
    let line = |at: usize| format!("{} {}", seen[at].method, seen[at].target);
    assert_eq!(line(0), "GET /openapi/instances/es-cn-1");
    assert_eq!(
        line(1),
        "POST /openapi/instances/es-cn-1/actions/modify-white-ips?clientToken=t%201"
    );
    let body = json!({"modifyMode": "Append", "whiteIpGroup": {"groupName": "escrr_x",
        "ips": ["10.0.0.0/24"], "whiteIpType": "PRIVATE_ES"}});
    assert_eq!(seen[1].json(), body);
    assert_eq!(seen[1].headers["content-type"], "application/json; charset=utf-8");
    assert!(seen[1].headers["authorization"].starts_with("acs testid:"));
    assert_eq!(seen[1].headers["x-acs-security-token"], "test-session-token");
    assert_eq!(line(5), "GET /openapi/instances/es-cn-1/vpc-endpoints?page=2&size=20");
    assert_eq!(line(6), "DELETE /openapi/instances/es-cn-1/vpc-endpoints/ep-1?ClientToken=t");
    assert_eq!(seen[6].body, "");
}

#[tokio::test]
async fn instances_are_listed_to_the_last_page() {
    let row = |number: usize| {
        json!({"instanceId": format!("es-cn-{number}"), "archType": "public", "port": "9200",
            "isNewDeployment": "true", "networkConfig": {"vsArea": "cn-shanghai-f"}})
    };
    let full: Vec<Value> = (0..100).map(row).collect();
    let answers = [json!({"Result": full}), json!({"Result": [row(100)]})];
    let server = Server::start(pages(answers.map(answer))).await;
    let cloud = client(&server);
    let found = cloud.elasticsearch("cn-shanghai").list_instances().await.unwrap();
    assert_eq!(found.len(), 101);
    assert_eq!(found[100].instance_id, "es-cn-100");
    assert_eq!((found[0].port, found[0].zone_id.as_str()), (Some(9200), "cn-shanghai-f"));
    let seen = server.seen();
    let targets: Vec<&str> = seen.iter().map(|request| request.target.as_str()).collect();
    assert_eq!(
        targets,
        ["/openapi/instances?page=1&size=100", "/openapi/instances?page=2&size=100"]
    );
}
