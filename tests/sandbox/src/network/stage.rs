//! A stage for tests: the default world, and the whole link built by calls.

use crate::ledger::Thing;
use crate::{Answer, Call, Product, Refusal, World, WorldFile};
use crate::{cbn, instances, nlb, privatelink, route, vpc};
use serde_json::{Value, json};
use std::collections::BTreeMap;

pub(crate) const LEADER: &str = "es-cn-leader000001";
pub(crate) const FOLLOWER: &str = "es-cn-follower0001";
pub(crate) const LEADER_REGION: &str = "cn-shanghai";
pub(crate) const FOLLOWER_REGION: &str = "cn-hangzhou";
pub(crate) const LEADER_VPC: &str = "vpc-leader0001";
pub(crate) const FOLLOWER_VPC: &str = "vpc-follower01";

/// A world in which time is stepped by hand.
#[derive(Clone)]
pub(crate) struct Stage {
    pub(crate) world: World,
}

/// The ids of everything in a link.
#[derive(Clone, Debug, Default)]
pub(crate) struct Link {
    pub(crate) cen: String,
    pub(crate) routers: [String; 2],
    pub(crate) attachments: [String; 2],
    pub(crate) tables: [String; 2],
    pub(crate) peer: String,
    pub(crate) group: String,
    pub(crate) balancer: String,
    pub(crate) listener: String,
    pub(crate) service: String,
    pub(crate) endpoint: String,
    pub(crate) domain: String,
}

impl Stage {
    /// The document's example, with the second vSwitch that its leader lacks.
    pub(crate) fn new() -> Self {
        let made = World::from_file(&WorldFile::default(), 1_790_000_000_000);
        let mut world = made.unwrap_or_else(|why| panic!("{why}"));
        put_vswitch(&mut world, LEADER_VPC, ("vsw-leader-g", "cn-shanghai-g", "10.1.2.0/24"));
        Self { world }
    }

    /// Lets seconds pass.
    pub(crate) fn step(&mut self, seconds: u64) {
        self.world.now_ms += seconds * 1000;
        self.settle();
    }

    pub(crate) fn settle(&mut self) {
        cbn::settle(&mut self.world);
        privatelink::settle(&mut self.world);
        instances::settle(&mut self.world);
        nlb::settle(&mut self.world);
    }

    fn send(&mut self, call: &Call) -> Answer {
        self.settle();
        route::dispatch(&mut self.world, call)
    }

    /// One RPC call.
    pub(crate) fn call(
        &mut self,
        product: Product,
        action: &str,
        params: &[(&str, &str)],
    ) -> Answer {
        self.send(&Call {
            product,
            action: action.to_owned(),
            params: params.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect(),
            path: BTreeMap::new(),
            body: Value::Null,
        })
    }

    /// One ROA call; `target` is `instance` or `instance/endpoint`.
    pub(crate) fn es(&mut self, action: &str, target: &str, body: Value) -> Answer {
        self.es_query(action, target, &[], body)
    }

    pub(crate) fn es_query(
        &mut self,
        action: &str,
        target: &str,
        query: &[(&str, &str)],
        body: Value,
    ) -> Answer {
        let (instance, endpoint) = target.split_once('/').unwrap_or((target, ""));
        self.send(&Call {
            product: Product::Elasticsearch,
            action: action.to_owned(),
            params: query.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect(),
            path: [("InstanceId", instance), ("EndpointId", endpoint)]
                .map(|(k, v)| (k.to_owned(), v.to_owned()))
                .into(),
            body,
        })
    }

    pub(crate) fn cbn(&mut self, action: &str, params: &[(&str, &str)]) -> Value {
        self.call(Product::Cbn, action, params).unwrap_or_else(|r| panic!("{action}: {r:?}"))
    }

    pub(crate) fn nlb(&mut self, action: &str, params: &[(&str, &str)]) -> Value {
        self.call(Product::Nlb, action, params).unwrap_or_else(|r| panic!("{action}: {r:?}"))
    }

    pub(crate) fn pvl(&mut self, action: &str, params: &[(&str, &str)]) -> Value {
        let mut all = vec![("RegionId", FOLLOWER_REGION)];
        all.extend(params);
        self.call(Product::PrivateLink, action, &all).unwrap_or_else(|r| panic!("{action}: {r:?}"))
    }

    pub(crate) fn refusal(
        &mut self,
        product: Product,
        action: &str,
        params: &[(&str, &str)],
    ) -> Refusal {
        match self.call(product, action, params) {
            Ok(answer) => panic!("{action} was accepted: {answer}"),
            Err(refusal) => refusal,
        }
    }

    /// All that exists, without the moment since when.
    pub(crate) fn inventory(&self) -> Vec<Thing> {
        let mut all = cbn::inventory(&self.world);
        all.extend(nlb::inventory(&self.world));
        all.extend(privatelink::inventory(&self.world));
        all.extend(instances::inventory(&self.world));
        all
    }

    /// Builds the document's link and waits until all of it stands.
    pub(crate) fn build(&mut self) -> Link {
        let mut link = Link::default();
        self.build_network(&mut link);
        self.build_service(&mut link);
        link
    }

    /// Step 1: CEN, routers, attachments, links and the allow list.
    pub(crate) fn build_network(&mut self, link: &mut Link) {
        link.cen = text(&self.cbn("CreateCen", &[("Name", "link")]), "CenId");
        self.step(10);
        let regions = [LEADER_REGION, FOLLOWER_REGION];
        for (n, region) in regions.into_iter().enumerate() {
            let params = [("CenId", link.cen.as_str()), ("RegionId", region)];
            link.routers[n] = text(&self.cbn("CreateTransitRouter", &params), "TransitRouterId");
        }
        self.step(30);
        for (n, region) in regions.into_iter().enumerate() {
            link.attachments[n] = self.attach(n, &link.routers[n], region);
            let params = [("TransitRouterId", link.routers[n].as_str())];
            let tables = self.cbn("ListTransitRouterRouteTables", &params);
            let row = &tables["TransitRouterRouteTables"][0];
            link.tables[n] = text(row, "TransitRouterRouteTableId");
        }
        link.peer = text(
            &self.cbn(
                "CreateTransitRouterPeerAttachment",
                &[
                    ("CenId", link.cen.as_str()),
                    ("TransitRouterId", link.routers[1].as_str()),
                    ("RegionId", FOLLOWER_REGION),
                    ("PeerTransitRouterId", link.routers[0].as_str()),
                    ("PeerTransitRouterRegionId", LEADER_REGION),
                    ("BandwidthType", "DataTransfer"),
                    ("Bandwidth", "10"),
                    ("AutoPublishRouteEnabled", "true"),
                ],
            ),
            "TransitRouterAttachmentId",
        );
        self.step(200);
        for n in [0, 1] {
            for attachment in [&link.attachments[n], &link.peer] {
                self.link(
                    "AssociateTransitRouterAttachmentWithRouteTable",
                    attachment,
                    &link.tables[n],
                );
                self.link("EnableTransitRouterRouteTablePropagation", attachment, &link.tables[n]);
            }
        }
        self.step(20);
        let group = json!({"groupName": "escrr_link", "whiteIpType": "PRIVATE_ES",
            "ips": ["10.2.1.0/24", "10.2.2.0/24"]});
        let body = json!({"modifyMode": "Cover", "whiteIpGroup": group});
        self.es("ModifyWhiteIps", LEADER, body).unwrap();
        self.step(130);
    }

    /// Associates, propagates or takes either back, and waits.
    pub(crate) fn link(&mut self, action: &str, attachment: &str, table: &str) {
        let params =
            [("TransitRouterAttachmentId", attachment), ("TransitRouterRouteTableId", table)];
        self.cbn(action, &params);
        self.step(15);
    }

    pub(crate) fn attach(&mut self, side: usize, router: &str, region: &str) -> String {
        let params = attach_params(side, router, region);
        text(&self.cbn("CreateTransitRouterVpcAttachment", &params), "TransitRouterAttachmentId")
    }

    /// Steps 3 and 4: server group, load balancer, listener, endpoint service, endpoint.
    pub(crate) fn build_service(&mut self, link: &mut Link) {
        link.group = text(&self.nlb("CreateServerGroup", &group_params()), "ServerGroupId");
        link.balancer = text(&self.nlb("CreateLoadBalancer", &balancer_params()), "LoadbalancerId");
        self.step(70);
        for ip in self.world.instances.instances[LEADER].addresses.clone() {
            let ip = ip.to_string();
            self.nlb("AddServersToServerGroup", &server_params(&link.group, &ip));
            self.step(10);
        }
        let params = listener_params(&link.balancer, &link.group);
        link.listener = text(&self.nlb("CreateListener", &params), "ListenerId");
        self.step(20);
        let params = service_params(&link.balancer);
        link.service = text(&self.pvl("CreateVpcEndpointService", &params), "ServiceId");
        self.step(30);
        let body = json!({"serviceId": link.service, "zoneId": "cn-hangzhou-h"});
        let made = self.es("CreateVpcEndpoint", FOLLOWER, body).unwrap();
        link.endpoint = text(&made["Result"], "endpointId");
        link.domain = text(&made["Result"], "endpointDomain");
        self.step(70);
    }

    /// Reason codes of the servers that are not normal.
    pub(crate) fn unhealthy(&mut self, link: &Link) -> Vec<String> {
        let answer = self.nlb("GetListenerHealthStatus", &[("ListenerId", &link.listener)]);
        let info = &answer["ListenerHealthStatus"][0]["ServerGroupInfos"][0];
        let rows = info["NonNormalServers"].as_array().unwrap();
        rows.iter()
            .map(|r| {
                let reason = r["Reason"]["ReasonCode"].as_str();
                reason.or(r["Status"].as_str()).unwrap().to_owned()
            })
            .collect()
    }
}

pub(crate) fn attach_params<'a>(
    side: usize,
    router: &'a str,
    region: &'a str,
) -> Vec<(&'a str, &'a str)> {
    let zones = [
        [("cn-shanghai-f", "vsw-leader-f"), ("cn-shanghai-g", "vsw-leader-g")],
        [("cn-hangzhou-h", "vsw-follower-h"), ("cn-hangzhou-i", "vsw-follower-i")],
    ][side];
    vec![
        ("TransitRouterId", router),
        ("RegionId", region),
        ("VpcId", [LEADER_VPC, FOLLOWER_VPC][side]),
        ("AutoPublishRouteEnabled", "true"),
        ("ZoneMappings.1.ZoneId", zones[0].0),
        ("ZoneMappings.1.VSwitchId", zones[0].1),
        ("ZoneMappings.2.ZoneId", zones[1].0),
        ("ZoneMappings.2.VSwitchId", zones[1].1),
    ]
}

pub(crate) fn group_params() -> Vec<(&'static str, &'static str)> {
    vec![
        ("RegionId", FOLLOWER_REGION),
        ("ServerGroupName", "leader"),
        ("ServerGroupType", "Ip"),
        ("Protocol", "TCP"),
        ("VpcId", FOLLOWER_VPC),
        ("AnyPortEnabled", "true"),
        ("PreserveClientIpEnabled", "false"),
        ("HealthCheckConfig.HealthCheckEnabled", "true"),
        ("HealthCheckConfig.HealthCheckType", "TCP"),
        ("HealthCheckConfig.HealthCheckConnectPort", "9300"),
    ]
}

pub(crate) fn balancer_params() -> Vec<(&'static str, &'static str)> {
    vec![
        ("RegionId", FOLLOWER_REGION),
        ("AddressType", "Intranet"),
        ("VpcId", FOLLOWER_VPC),
        ("ZoneMappings.1.ZoneId", "cn-hangzhou-h"),
        ("ZoneMappings.1.VSwitchId", "vsw-follower-h"),
        ("ZoneMappings.2.ZoneId", "cn-hangzhou-i"),
        ("ZoneMappings.2.VSwitchId", "vsw-follower-i"),
    ]
}

pub(crate) fn server_params<'a>(group: &'a str, ip: &'a str) -> Vec<(&'a str, &'a str)> {
    vec![
        ("ServerGroupId", group),
        ("Servers.1.ServerId", ip),
        ("Servers.1.ServerIp", ip),
        ("Servers.1.ServerType", "Ip"),
        ("Servers.1.Port", "0"),
    ]
}

pub(crate) fn listener_params<'a>(balancer: &'a str, group: &'a str) -> Vec<(&'a str, &'a str)> {
    vec![
        ("LoadBalancerId", balancer),
        ("ListenerProtocol", "TCP"),
        ("ListenerPort", "0"),
        ("StartPort", "9200"),
        ("EndPort", "9300"),
        ("ServerGroupId", group),
    ]
}

pub(crate) fn service_params(balancer: &str) -> Vec<(&str, &str)> {
    vec![
        ("ServiceResourceType", "nlb"),
        ("AutoAcceptEnabled", "true"),
        ("Payer", "Endpoint"),
        ("Resource.1.ResourceType", "nlb"),
        ("Resource.1.ResourceId", balancer),
        ("Resource.1.ZoneId", "cn-hangzhou-h"),
        ("Resource.2.ResourceType", "nlb"),
        ("Resource.2.ResourceId", balancer),
        ("Resource.2.ZoneId", "cn-hangzhou-i"),
    ]
}

pub(crate) fn text(value: &Value, name: &str) -> String {
    value[name].as_str().unwrap_or_else(|| panic!("no {name} in {value}")).to_owned()
}

/// The system route table of a VPC.
pub(crate) fn system_table<'a>(stage: &'a Stage, vpc: &str) -> &'a str {
    &stage.world.vpc.vpcs[vpc].system_route_table
}

/// A vSwitch that nobody uses yet.
pub(crate) fn put_vswitch(world: &mut World, vpc: &str, (id, zone, cidr): (&str, &str, &str)) {
    vpc::put_vswitch(world, vpc, id, zone, cidr.parse().unwrap()).unwrap();
}
