//! The link stands, tells wrong addresses apart, and leaves nothing behind.

use super::stage::{FOLLOWER, FOLLOWER_VPC, LEADER, LEADER_VPC, Link, Stage};
use super::{Paths, explain};
use crate::cbn::routes::{best, of_table};
use crate::elastic::Wire as _;
use crate::{Product, instances};
use serde_json::json;
use std::net::Ipv4Addr;

pub(super) fn connect(stage: &Stage, address: &str) -> Result<String, String> {
    Paths::of(&stage.world)
        .connect(FOLLOWER, address)
        .map_err(|u| format!("{}: {}", u.kind, u.reason))
}

pub(super) fn broken(stage: &Stage, address: &str) -> Option<String> {
    explain(&stage.world, FOLLOWER, address).into_iter().find(|h| !h.ok).map(|h| h.name)
}

#[test]
fn the_follower_reaches_the_leader_once_all_stands() {
    let mut stage = Stage::new();
    let link = stage.build();
    let address = format!("{}:9300", link.domain);
    assert_eq!(broken(&stage, &address), None);
    assert_eq!(connect(&stage, &address), Ok(LEADER.to_owned()));
    assert_eq!(stage.unhealthy(&link), Vec::<String>::new());
    let hops: Vec<String> =
        explain(&stage.world, FOLLOWER, &address).into_iter().map(|h| h.name).collect();
    for hop in ["listener", "forward.bandwidth", "return.peer_route", "allow_list", "transport"] {
        assert!(hops.iter().any(|h| h == hop), "{hop} is not in {hops:?}");
    }
}

#[test]
fn routes_cover_every_address_that_takes_part() {
    let mut stage = Stage::new();
    let link = stage.build();
    let balancer = &stage.world.nlb.balancers[&link.balancer];
    let local: Vec<Ipv4Addr> = balancer.zones.iter().flat_map(|z| z.local.clone()).collect();
    let leader = stage.world.instances.instances[LEADER].addresses.clone();
    assert_eq!((local.len(), leader.len()), (4, 2));
    for (vpc, addresses) in [(FOLLOWER_VPC, local), (LEADER_VPC, leader)] {
        let within = stage.world.vpc.vswitches.values().filter(|v| v.vpc == vpc);
        let within: Vec<_> = within.map(|v| v.cidr).collect();
        for address in addresses {
            assert!(within.iter().any(|block| block.contains(&address)), "{address}");
            for table in &link.tables {
                let rows = of_table(&stage.world, table);
                let row = best(&rows, address).unwrap_or_else(|| panic!("{address} in {table}"));
                assert!(within.contains(&row.destination), "the route is a vSwitch's");
                assert_eq!(row.origin, vpc);
            }
        }
    }
}

#[test]
fn a_wrong_name_or_port_is_told_apart() {
    let mut stage = Stage::new();
    let link = stage.build();
    let d = &link.domain;
    let told = |address: String| connect(&stage, &address).unwrap_err();
    assert_eq!(
        told("x.example:9300".into()),
        "illegal_argument_exception: unknown host [x.example]"
    );
    assert!(told(format!("{d}:9301")).contains("Connection refused"));
    assert!(told(format!("{d}:9250")).contains("Connection refused"));
    assert!(told(format!("{d}:9200")).contains("got (48,54,54,50)"));
    assert_eq!(
        told("10.1.1.3:9300".into()),
        "connect_transport_exception: [][10.1.1.3:9300] connect_timeout[30s]"
    );
    // The endpoint is the follower's: nobody else resolves its name.
    let other = Paths::of(&stage.world).connect(LEADER, &format!("{d}:9300")).unwrap_err();
    assert_eq!(other.kind, "illegal_argument_exception");
}

#[test]
fn two_clusters_in_one_region_need_no_peer() {
    let mut stage = Stage::new();
    let mut link = Link::default();
    stage.build_network(&mut link);
    // The leader moves into the follower's VPC.
    let vswitch = "vsw-follower-i".to_owned();
    let mut file = stage.world.file.instances[LEADER].clone();
    (file.region, file.vswitch) = ("cn-hangzhou".into(), vswitch);
    let old = stage.world.instances.instances.remove(LEADER).unwrap();
    instances::seed(&mut stage.world, LEADER, &file);
    stage.world.instances.instances.get_mut(LEADER).unwrap().groups = old.groups;
    assert_ne!(stage.world.instances.instances[LEADER].vpc, LEADER_VPC);
    let force = |id: &str| vec![("TransitRouterAttachmentId".to_owned(), id.to_owned())];
    for (action, id) in [
        ("DeleteTransitRouterPeerAttachment", &link.peer),
        ("DeleteTransitRouterVpcAttachment", &link.attachments[0]),
    ] {
        let mut params = force(id);
        params.push(("Force".into(), "true".into()));
        let params: Vec<(&str, &str)> =
            params.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
        stage.cbn(action, &params);
        stage.step(120);
    }
    stage.build_service(&mut link);
    assert_eq!(connect(&stage, &format!("{}:9300", link.domain)), Ok(LEADER.to_owned()));
}

#[test]
fn a_change_shows_only_after_enough_checks() {
    let mut stage = Stage::new();
    let link = stage.build();
    instances::move_addresses(&mut stage.world, LEADER);
    stage.step(1);
    assert_eq!(stage.unhealthy(&link), Vec::<String>::new());
    stage.step(20);
    assert_eq!(stage.unhealthy(&link), ["CONNECT_TIMEOUT", "CONNECT_TIMEOUT"]);
}

#[test]
fn a_full_teardown_leaves_what_was_there_before() {
    let mut stage = Stage::new();
    let before = stage.inventory();
    let used: Vec<usize> = stage.world.vpc.vswitches.values().map(|s| s.used.len()).collect();
    let link = stage.build();
    assert!(stage.inventory().len() > before.len() + 20);
    stage.es("DeleteVpcEndpoint", &format!("{FOLLOWER}/{}", link.endpoint), json!(null)).unwrap();
    stage.step(60);
    for zone in ["cn-hangzhou-h", "cn-hangzhou-i"] {
        let params = [
            ("ServiceId", link.service.as_str()),
            ("ResourceId", &link.balancer),
            ("ZoneId", zone),
        ];
        stage.pvl("DetachResourceFromVpcEndpointService", &params);
        stage.step(15);
    }
    stage.pvl("DeleteVpcEndpointService", &[("ServiceId", &link.service)]);
    stage.nlb("DeleteListener", &[("ListenerId", &link.listener)]);
    stage.step(15);
    stage.nlb("DeleteLoadBalancer", &[("LoadBalancerId", &link.balancer)]);
    stage.nlb("DeleteServerGroup", &[("ServerGroupId", &link.group)]);
    stage.step(60);
    for (action, id) in [
        ("DeleteTransitRouterPeerAttachment", &link.peer),
        ("DeleteTransitRouterVpcAttachment", &link.attachments[0]),
        ("DeleteTransitRouterVpcAttachment", &link.attachments[1]),
    ] {
        stage.cbn(action, &[("TransitRouterAttachmentId", id), ("Force", "true")]);
        stage.step(120);
    }
    for router in &link.routers {
        stage.cbn("DeleteTransitRouter", &[("TransitRouterId", router)]);
    }
    stage.step(30);
    stage.cbn("DeleteCen", &[("CenId", &link.cen)]);
    let ips = json!({"groupName": "escrr_link", "whiteIpType": "PRIVATE_ES", "ips": []});
    stage.es("ModifyWhiteIps", LEADER, json!({"whiteIpGroup": ips})).unwrap();
    stage.step(150);
    stage.step(150);
    assert_eq!(stage.inventory(), before);
    let left: Vec<usize> = stage.world.vpc.vswitches.values().map(|s| s.used.len()).collect();
    assert_eq!(left, used);
    let mut rows = stage.world.vpc.route_tables.values().flat_map(|t| t.entries.values());
    assert!(rows.all(|row| row.kind == "System"));
    assert!(stage.call(Product::Cbn, "DeleteCen", &[("CenId", &link.cen)]).is_err());
}
