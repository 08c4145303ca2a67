//! Makes every call of the OpenAPI's client by each generation of signatures, with every
//! parameter that it can send.
//!
//! `run.py` starts it with the address of a recorder, and holds what arrives there against what
//! the official clients send. The recorder answers nothing of use, so every call ends in a fault
//! or in an empty list: only the requests matter.

use escrr_steps::aliyun::cbn::{
    AttachmentFilter, CenFilter, CreateCen, CreatePeerAttachment, CreateTransitRouter,
    CreateVpcAttachment, LinkKind, PeerBandwidth,
};
use escrr_steps::aliyun::credential::RoleSession;
use escrr_steps::aliyun::ecs::RunCommand;
use escrr_steps::aliyun::elasticsearch::{EsCredential, EsRequest, ModifyMode};
use escrr_steps::aliyun::nlb::{
    CreateListener, CreateLoadBalancer, CreateServerGroup, GroupFilter, Server,
};
use escrr_steps::aliyun::privatelink::{CreateEndpointService, ServiceFilter, ServiceResource};
use escrr_steps::aliyun::vpc::{CreateRouteEntry, CreateVSwitch, VSwitchFilter};
use escrr_steps::aliyun::{
    Cloud, Config, Credentials, Endpoints, Manner, Signature, TagKind, Tags, ZoneMapping,
};
use escrr_steps::secret::Secret;
use std::collections::BTreeMap;
use std::process::ExitCode;

const REGION: &str = "cn-hangzhou";
/// Signs differ in how they encode it: a space, a plus, a star, a tilde, and what is not ASCII.
const TEXT: &str = "a b+c*d~e/生产";
const TOKEN: &str = "contract-token";

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    escrr_steps::install_tls();
    let Some(url) = std::env::args().nth(1) else { return ExitCode::FAILURE };
    for signature in [Signature::V1, Signature::V3] {
        let Some(cloud) = client(&url, signature) else { return ExitCode::FAILURE };
        all(&cloud).await;
    }
    ExitCode::SUCCESS
}

async fn all(cloud: &Cloud) {
    let tags =
        Tags::from([("escrr-link", TEXT), ("escrr-node", "a")].map(|(k, v)| (k.into(), v.into())));
    let zones = ["h", "i"].map(|zone| ZoneMapping {
        zone_id: format!("{REGION}-{zone}"),
        vswitch_id: format!("vsw-{zone}"),
    });
    for cloud in [cloud, &cloud.dry_run()] {
        tags_of_resources(cloud, &tags).await;
        routers(cloud, &tags).await;
        attachments(cloud, &tags, &zones).await;
        ties(cloud).await;
        networks(cloud, &tags).await;
        commands(cloud).await;
        balancers(cloud, &tags, &zones).await;
        groups(cloud, &tags).await;
        services(cloud, &tags).await;
        instances(cloud).await;
        drop(cloud.sts(REGION).get_caller_identity().await);
        drop(cloud.sts(REGION).assume_role(&session()).await);
    }
}

fn session() -> RoleSession {
    RoleSession {
        role_arn: "acs:ram::1234567890123456:role/escrr".to_owned(),
        session_name: "escrr".to_owned(),
        seconds: Some(900),
        policy: Some(r#"{"Version":"1","Statement":[]}"#.to_owned()),
        external_id: Some(Secret::new("a b+c*d~e")),
        ..RoleSession::default()
    }
}

fn client(url: &str, signature: Signature) -> Option<Cloud> {
    let endpoints = Endpoints { all: Some(url.to_owned()), product: BTreeMap::new() };
    let credentials = Credentials {
        access_key_id: "contract".to_owned(),
        access_key_secret: Secret::new("contract-secret"),
        security_token: None,
    };
    let manner = Manner { signature, ..Manner::default() };
    Cloud::with(Config { credentials, endpoints }, manner).ok()
}

async fn tags_of_resources(cloud: &Cloud, tags: &Tags) {
    for kind in TagKind::ALL {
        let at = (REGION, kind);
        drop(cloud.tagged(at, tags).await);
        drop(cloud.tags_of(at, "resource-1").await);
        drop(cloud.tag(at, "resource-1", tags).await);
        drop(cloud.untag(at, "resource-1", "escrr-used-by-a").await);
    }
}

async fn routers(cloud: &Cloud, tags: &Tags) {
    let cbn = cloud.cbn(REGION);
    drop(cbn.check_transit_router_service().await);
    drop(cbn.open_transit_router_service(TOKEN).await);
    drop(cbn.create_cen(CreateCen { name: TEXT, description: TEXT, tags, token: TOKEN }).await);
    drop(cbn.describe_cens(CenFilter { cen_id: "cen-1", tags: Some(tags) }).await);
    drop(cbn.describe_bandwidth_packages("cenbwp-1").await);
    drop(cbn.delete_cen("cen-1").await);
    drop(cbn.list_available_zones().await);
    let router =
        CreateTransitRouter { cen_id: "cen-1", name: TEXT, description: TEXT, tags, token: TOKEN };
    drop(cbn.create_transit_router(router).await);
    drop(cbn.list_transit_routers("cen-1", "tr-1").await);
    drop(cbn.delete_transit_router("tr-1", TOKEN).await);
}

async fn attachments(cloud: &Cloud, tags: &Tags, zones: &[ZoneMapping]) {
    let cbn = cloud.cbn(REGION);
    let vpc = CreateVpcAttachment {
        cen_id: "cen-1",
        transit_router_id: "tr-1",
        vpc_id: "vpc-1",
        zones,
        name: TEXT,
        description: TEXT,
        auto_publish_route: true,
        tags,
        token: TOKEN,
    };
    drop(cbn.create_vpc_attachment(vpc).await);
    for bandwidth in [PeerBandwidth::DataTransfer(100), PeerBandwidth::Package("cenbwp-1", 2)] {
        let peer = CreatePeerAttachment {
            cen_id: "cen-1",
            transit_router_id: "tr-1",
            peer_transit_router_id: "tr-2",
            peer_region_id: "cn-shanghai",
            bandwidth,
            link_type: "Gold",
            name: TEXT,
            description: TEXT,
            tags,
            token: TOKEN,
        };
        drop(cbn.create_peer_attachment(peer).await);
    }
    let filter = AttachmentFilter {
        cen_id: "cen-1",
        transit_router_id: "tr-1",
        attachment_id: "tr-attach-1",
        tags: Some(tags),
    };
    drop(cbn.list_vpc_attachments(filter, "vpc-1").await);
    drop(cbn.list_peer_attachments(filter).await);
    for force in [false, true] {
        drop(cbn.delete_vpc_attachment("tr-attach-1", force, TOKEN).await);
        drop(cbn.delete_peer_attachment("tr-attach-2", force, TOKEN).await);
    }
}

async fn ties(cloud: &Cloud) {
    let cbn = cloud.cbn(REGION);
    drop(cbn.list_route_tables("tr-1", "System").await);
    for kind in [LinkKind::Association, LinkKind::Propagation] {
        drop(cbn.link(kind, "tr-attach-1", "vtb-1", TOKEN).await);
        drop(cbn.list_links(kind, "vtb-1", "tr-attach-1").await);
        drop(cbn.unlink(kind, "tr-attach-1", "vtb-1", TOKEN).await);
    }
    drop(cbn.list_route_entries("vtb-1").await);
}

async fn networks(cloud: &Cloud, tags: &Tags) {
    let vpc = cloud.vpc(REGION);
    drop(vpc.describe_vpc_attribute("vpc-1").await);
    let filter = VSwitchFilter {
        vpc_id: "vpc-1",
        vswitch_id: "vsw-1",
        zone_id: "cn-hangzhou-h",
        tags: Some(tags),
    };
    drop(vpc.describe_vswitches(filter).await);
    let vswitch = CreateVSwitch {
        vpc_id: "vpc-1",
        zone_id: "cn-hangzhou-h",
        cidr_block: "10.0.0.0/28",
        name: TEXT,
        description: TEXT,
        tags,
        token: TOKEN,
    };
    drop(vpc.create_vswitch(vswitch).await);
    drop(vpc.delete_vswitch("vsw-1").await);
    drop(vpc.describe_route_tables("vpc-1", "Custom").await);
    drop(vpc.describe_route_entries("vtb-1").await);
    let route = CreateRouteEntry {
        route_table_id: "vtb-1",
        destination_cidr_block: "10.1.0.0/16",
        attachment_id: "tr-attach-1",
        name: TEXT,
        description: TEXT,
        token: TOKEN,
    };
    drop(vpc.create_route_entry(route).await);
    drop(vpc.delete_route_entry("rte-1").await);
}

async fn commands(cloud: &Cloud) {
    let ecs = cloud.ecs(REGION);
    drop(ecs.describe_running_instances("vpc-1").await);
    drop(ecs.describe_assistant_status(&["i-1".to_owned(), "i-2".to_owned()]).await);
    let command = RunCommand {
        instance_id: "i-1",
        script: "getent ahostsv4 a.example",
        name: TEXT,
        timeout_s: 60,
        token: TOKEN,
    };
    drop(ecs.run_command(command).await);
    drop(ecs.describe_invocation_results("t-1").await);
}

async fn balancers(cloud: &Cloud, tags: &Tags, zones: &[ZoneMapping]) {
    let nlb = cloud.nlb(REGION);
    drop(nlb.describe_zones().await);
    let balancer =
        CreateLoadBalancer { name: "contract", vpc_id: "vpc-1", zones, tags, token: TOKEN };
    drop(nlb.create_load_balancer(balancer).await);
    drop(nlb.get_load_balancer("nlb-1").await);
    drop(nlb.list_load_balancers(tags).await);
    drop(nlb.delete_load_balancer("nlb-1", TOKEN).await);
    let listener = CreateListener {
        load_balancer_id: "nlb-1",
        server_group_id: "sgp-1",
        ports: (9200, 9300),
        description: TEXT,
        tags,
        token: TOKEN,
    };
    drop(nlb.create_listener(listener).await);
    drop(nlb.get_listener("lsn-1").await);
    drop(nlb.list_listeners("nlb-1").await);
    drop(nlb.get_listener_health("lsn-1").await);
    drop(nlb.delete_listener("lsn-1", TOKEN).await);
}

async fn groups(cloud: &Cloud, tags: &Tags) {
    let nlb = cloud.nlb(REGION);
    let group = CreateServerGroup {
        name: "contract",
        vpc_id: "vpc-1",
        health_check_port: 9300,
        tags,
        token: TOKEN,
    };
    drop(nlb.create_server_group(group).await);
    drop(nlb.list_server_groups(GroupFilter { vpc_id: "vpc-1", tags: Some(tags) }).await);
    drop(nlb.get_server_group("sgp-1").await);
    let addresses = ["10.1.1.20".to_owned(), "10.1.1.21".to_owned()];
    drop(nlb.add_servers("sgp-1", &addresses, TOKEN).await);
    drop(nlb.list_servers("sgp-1").await);
    let server = |ip: &String| Server {
        server_id: ip.clone(),
        server_ip: ip.clone(),
        server_type: "Ip".to_owned(),
        port: 0,
        status: "Available".to_owned(),
    };
    let servers: Vec<Server> = addresses.iter().map(server).collect();
    drop(nlb.remove_servers("sgp-1", &servers, TOKEN).await);
    drop(nlb.delete_server_group("sgp-1", TOKEN).await);
}

async fn services(cloud: &Cloud, tags: &Tags) {
    let link = cloud.privatelink(REGION);
    drop(link.check_product_open().await);
    drop(link.open_service().await);
    drop(link.describe_nlb_zones().await);
    let service = CreateEndpointService {
        load_balancer_id: "nlb-1",
        zones: &["cn-hangzhou-h".to_owned(), "cn-hangzhou-i".to_owned()],
        description: TEXT,
        payer: "Endpoint",
        zone_affinity: true,
        tags,
        token: TOKEN,
    };
    drop(link.create_service(service).await);
    drop(link.get_service("epsrv-1").await);
    drop(
        link.list_services(ServiceFilter {
            service_id: "epsrv-1",
            resource_id: "nlb-1",
            tags: Some(tags),
        })
        .await,
    );
    drop(link.delete_service("epsrv-1", TOKEN).await);
    let resource = ServiceResource {
        resource_id: "nlb-1".to_owned(),
        resource_type: "nlb".to_owned(),
        zone_id: "cn-hangzhou-h".to_owned(),
    };
    drop(link.attach_resource("epsrv-1", &resource, TOKEN).await);
    drop(link.detach_resource("epsrv-1", &resource, TOKEN).await);
    drop(link.list_resources("epsrv-1").await);
    drop(link.list_connections("epsrv-1").await);
}

async fn instances(cloud: &Cloud) {
    let es = cloud.elasticsearch(REGION);
    drop(es.describe_instance("es-cn-1").await);
    drop(es.list_instances().await);
    let ips = ["10.1.1.0/24".to_owned(), "10.1.2.0/24".to_owned()];
    for mode in [ModifyMode::Append, ModifyMode::Delete, ModifyMode::Cover] {
        drop(es.modify_white_ips("es-cn-1", mode, ("escrr", &ips), TOKEN).await);
    }
    drop(es.create_vpc_endpoint("es-cn-1", "epsrv-1", "cn-hangzhou-h", TOKEN).await);
    drop(es.list_vpc_endpoints("es-cn-1").await);
    drop(es.delete_vpc_endpoint("es-cn-1", "ep-1", TOKEN).await);
    let stored = EsCredential::Stored("credential-1".to_owned());
    for credential in [&EsCredential::Default, &EsCredential::System, &stored] {
        let (method, target) = ("PUT", "/_cluster/settings?flat_settings=true");
        let body = Some(serde_json::json!({ "persistent": { "a.b": "c" } }));
        let request = EsRequest { method, target, body, credential, writes: true };
        drop(es.invoke_es_request("es-cn-1", request).await);
    }
}
