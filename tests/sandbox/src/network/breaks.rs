//! Every hop, broken one at a time: its name, the health check's reason, the words.

use super::stage::{FOLLOWER, LEADER, Link, Stage, server_params};
use super::tests::{broken, connect};
use crate::{Course, instances};
use serde_json::json;

/// One way to break the link: the hop, the reason code of the health check, the words.
struct Case {
    hop: &'static str,
    health: &'static str,
    words: &'static str,
    act: fn(&mut Stage, &Link),
}

const DROPPED: &str = "connect_timeout[30s]";
const REFUSED: &str = "Connection refused";

fn case(
    hop: &'static str,
    health: &'static str,
    words: &'static str,
    act: fn(&mut Stage, &Link),
) -> Case {
    Case { hop, health, words, act }
}

/// A break behind the load balancer that drops packets.
fn lost(hop: &'static str, act: fn(&mut Stage, &Link)) -> Case {
    case(hop, "CONNECT_TIMEOUT", DROPPED, act)
}

fn run(cases: &[Case]) {
    let mut built = Stage::new();
    let link = built.build();
    let address = format!("{}:9300", link.domain);
    for (n, case) in cases.iter().enumerate() {
        let mut stage = built.clone();
        (case.act)(&mut stage, &link);
        stage.step(200);
        stage.step(60);
        assert_eq!(broken(&stage, &address).as_deref(), Some(case.hop), "case {n}");
        let words = connect(&stage, &address).unwrap_err();
        assert!(words.contains(case.words), "case {n} {}: {words}", case.hop);
        let seen = stage.unhealthy(&link);
        let wanted = if case.health.is_empty() { vec![] } else { vec![case.health; 2] };
        assert_eq!(seen, wanted, "case {n} {}", case.hop);
    }
}

/// Turns published routes into rows made by hand, which stay when publishing ends.
fn by_hand(stage: &mut Stage) {
    for table in stage.world.vpc.route_tables.values_mut() {
        for entry in table.entries.values_mut().filter(|e| e.kind == "CEN") {
            "Custom".clone_into(&mut entry.kind);
        }
    }
}

/// A static route to the peer on the follower's side, which stays when the leader's goes.
fn static_route(stage: &mut Stage, link: &Link) {
    stage.cbn(
        "CreateTransitRouterRouteEntry",
        &[
            ("TransitRouterRouteTableId", &link.tables[1]),
            ("TransitRouterRouteEntryDestinationCidrBlock", "10.1.0.0/16"),
            ("TransitRouterRouteEntryNextHopType", "Attachment"),
            ("TransitRouterRouteEntryNextHopId", &link.peer),
        ],
    );
    stage.step(10);
}

fn publish_off(stage: &mut Stage, attachment: &str) {
    let params = [("TransitRouterAttachmentId", attachment), ("AutoPublishRouteEnabled", "false")];
    stage.cbn("UpdateTransitRouterVpcAttachmentAttribute", &params);
}

fn update_peer(stage: &mut Stage, link: &Link, name: &str, value: &str) {
    let params = [("TransitRouterAttachmentId", link.peer.as_str()), (name, value)];
    stage.cbn("UpdateTransitRouterPeerAttachmentAttribute", &params);
}

const DISSOCIATE: &str = "DissociateTransitRouterAttachmentFromRouteTable";
const DISABLE: &str = "DisableTransitRouterRouteTablePropagation";

#[test]
fn between_the_endpoint_and_the_load_balancer() {
    run(&[
        case("domain", "", "unknown host", |s, l| {
            s.es("DeleteVpcEndpoint", &format!("{FOLLOWER}/{}", l.endpoint), json!(null)).unwrap();
        }),
        case("connection", "", DROPPED, |s, l| {
            let params = [("ServiceId", l.service.as_str()), ("EndpointId", &l.endpoint)];
            s.pvl("DisableVpcEndpointConnection", &params);
        }),
        case("endpoint_service", "", DROPPED, |s, _| s.world.privatelink.services.clear()),
        case("service_resource", "", DROPPED, |s, l| {
            let service = s.world.privatelink.services.get_mut(&l.service).unwrap();
            service.resources.retain(|r| r.zone != "cn-hangzhou-h");
        }),
        case("load_balancer", "CONNECT_FAILED", DROPPED, |s, _| s.world.nlb.balancers.clear()),
        case("listener", "Initial", REFUSED, |s, l| {
            s.nlb("StopListener", &[("ListenerId", &l.listener)]);
        }),
    ]);
}

#[test]
fn between_the_group_and_the_leader() {
    run(&[
        case("server", "", REFUSED, |s, l| {
            for ip in s.world.instances.instances[LEADER].addresses.clone() {
                s.nlb("RemoveServersFromServerGroup", &server_params(&l.group, &ip.to_string()));
                s.step(10);
            }
        }),
        case("health_check", "CONNECT_FAILED", REFUSED, |s, l| {
            let port = ("HealthCheckConfig.HealthCheckConnectPort", "9250");
            s.nlb("UpdateServerGroupAttribute", &[("ServerGroupId", &l.group), port]);
        }),
        case("health_check", "CONNECT_FAILED", REFUSED, |s, l| {
            let port = ("HealthCheckConfig.HealthCheckConnectPort", "0");
            s.nlb("UpdateServerGroupAttribute", &[("ServerGroupId", &l.group), port]);
        }),
        case("health_check", "HTTP_INVALID_HEADER", REFUSED, |s, l| {
            let kind = ("HealthCheckConfig.HealthCheckType", "HTTP");
            s.nlb("UpdateServerGroupAttribute", &[("ServerGroupId", &l.group), kind]);
        }),
        lost("backend_address", |s, _| instances::move_addresses(&mut s.world, LEADER)),
        case("instance", "CONNECT_FAILED", REFUSED, |s, _| {
            let leader = s.world.instances.instances.get_mut(LEADER).unwrap();
            leader.course = Course::settled("inactive");
        }),
        lost("allow_list", |s, _| {
            let group = json!({"groupName": "escrr_link", "ips": ["10.2.1.0/24"],
                "whiteIpType": "PRIVATE_ES"});
            s.es("ModifyWhiteIps", LEADER, json!({"whiteIpGroup": group})).unwrap();
        }),
    ]);
}

#[test]
fn on_the_way_there_near_the_follower() {
    run(&[
        lost("forward.vpc_route", |s, l| publish_off(s, &l.attachments[1])),
        lost("forward.attachment", |s, l| {
            by_hand(s);
            let until = s.world.now_ms + 3_600_000;
            let found = s.world.cbn.vpc_attachments.get_mut(&l.attachments[1]).unwrap();
            found.course = Course::moving("Detaching", until, "Attached");
        }),
        lost("forward.association", |s, l| {
            by_hand(s);
            s.link(DISSOCIATE, &l.attachments[1], &l.tables[1]);
        }),
        lost("forward.router_route", |s, l| {
            by_hand(s);
            s.link(DISABLE, &l.peer, &l.tables[1]);
        }),
        lost("forward.router_route", |s, l| {
            by_hand(s);
            update_peer(s, l, "AutoPublishRouteEnabled", "false");
        }),
        lost("forward.peer_attachment", |s, l| {
            by_hand(s);
            static_route(s, l);
            let until = s.world.now_ms + 3_600_000;
            let peer = s.world.cbn.peer_attachments.get_mut(&l.peer).unwrap();
            peer.course = Course::moving("Detaching", until, "Attached");
        }),
        lost("forward.bandwidth", |s, l| update_peer(s, l, "Bandwidth", "0")),
    ]);
}

#[test]
fn near_the_leader_and_on_the_way_back() {
    run(&[
        lost("forward.peer_association", |s, l| {
            by_hand(s);
            static_route(s, l);
            s.link(DISSOCIATE, &l.peer, &l.tables[0]);
        }),
        lost("forward.peer_route", |s, l| {
            by_hand(s);
            static_route(s, l);
            s.link(DISABLE, &l.attachments[0], &l.tables[0]);
        }),
        lost("return.vpc_route", |s, l| publish_off(s, &l.attachments[0])),
        lost("return.association", |s, l| {
            by_hand(s);
            s.link(DISSOCIATE, &l.attachments[0], &l.tables[0]);
        }),
        lost("return.router_route", |s, l| {
            by_hand(s);
            s.link(DISABLE, &l.peer, &l.tables[0]);
        }),
        lost("return.router_route", |s, l| {
            by_hand(s);
            s.link(DISABLE, &l.attachments[1], &l.tables[1]);
        }),
    ]);
}
