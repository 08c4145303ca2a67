//! The link stands, and breaks at every hop with the right name, health and words.

use super::stage::{FOLLOWER, LEADER, LEADER_VPC, Link, Stage, server_params};
use super::{Paths, explain};
use crate::elastic::Wire as _;
use crate::{Course, Product, instances};
use serde_json::json;

fn connect(stage: &Stage, address: &str) -> Result<String, String> {
    Paths(&stage.world).connect(FOLLOWER, address).map_err(|u| format!("{}: {}", u.kind, u.reason))
}

fn broken(stage: &Stage, address: &str) -> Option<String> {
    explain(&stage.world, FOLLOWER, address).into_iter().find(|h| !h.ok).map(|h| h.name)
}

/// Turns published routes into rows made by hand, which stay when publishing ends.
fn by_hand(stage: &mut Stage) {
    for table in stage.world.vpc.route_tables.values_mut() {
        for entry in table.entries.values_mut() {
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
    let other = Paths(&stage.world).connect(LEADER, &format!("{d}:9300")).unwrap_err();
    assert_eq!(other.kind, "illegal_argument_exception");
}

/// One way to break the link: the hop, the reason code of the health check, the words.
struct Case {
    hop: &'static str,
    health: &'static str,
    words: &'static str,
    act: fn(&mut Stage, &Link),
}

const DROPPED: &str = "connect_timeout[30s]";
const REFUSED: &str = "Connection refused";

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
        if !stage.world.nlb.listeners.is_empty() {
            let seen = stage.unhealthy(&link);
            let wanted = if case.health.is_empty() { vec![] } else { vec![case.health; 2] };
            assert_eq!(seen, wanted, "case {n} {}", case.hop);
        }
    }
}

#[test]
fn breaks_between_the_endpoint_and_the_server() {
    run(&[
        Case {
            hop: "domain",
            health: "",
            words: "unknown host",
            act: |s, l| {
                s.es("DeleteVpcEndpoint", &format!("{FOLLOWER}/{}", l.endpoint), json!(null))
                    .unwrap();
            },
        },
        Case {
            hop: "connection",
            health: "",
            words: DROPPED,
            act: |s, l| {
                let params = [("ServiceId", l.service.as_str()), ("EndpointId", &l.endpoint)];
                s.pvl("DisableVpcEndpointConnection", &params);
            },
        },
        Case {
            hop: "endpoint_service",
            health: "",
            words: DROPPED,
            act: |s, _| {
                s.world.privatelink.services.clear();
            },
        },
        Case {
            hop: "service_resource",
            health: "",
            words: DROPPED,
            act: |s, l| {
                let service = s.world.privatelink.services.get_mut(&l.service).unwrap();
                service.resources.retain(|r| r.zone != "cn-hangzhou-h");
            },
        },
        Case {
            hop: "load_balancer",
            health: "CONNECT_FAILED",
            words: DROPPED,
            act: |s, _| {
                s.world.nlb.balancers.clear();
            },
        },
        Case {
            hop: "listener",
            health: "Initial",
            words: REFUSED,
            act: |s, l| {
                s.nlb("StopListener", &[("ListenerId", &l.listener)]);
            },
        },
        Case {
            hop: "server",
            health: "",
            words: REFUSED,
            act: |s, l| {
                for ip in s.world.instances.instances[LEADER].addresses.clone() {
                    s.nlb(
                        "RemoveServersFromServerGroup",
                        &server_params(&l.group, &ip.to_string()),
                    );
                    s.step(10);
                }
            },
        },
        Case {
            hop: "health_check",
            health: "CONNECT_FAILED",
            words: REFUSED,
            act: |s, l| {
                let port = ("HealthCheckConfig.HealthCheckConnectPort", "9250");
                s.nlb("UpdateServerGroupAttribute", &[("ServerGroupId", &l.group), port]);
            },
        },
        Case {
            hop: "backend_address",
            health: "CONNECT_TIMEOUT",
            words: DROPPED,
            act: |s, _| {
                instances::move_addresses(&mut s.world, LEADER);
            },
        },
        Case {
            hop: "instance",
            health: "CONNECT_FAILED",
            words: REFUSED,
            act: |s, _| {
                let leader = s.world.instances.instances.get_mut(LEADER).unwrap();
                leader.course = Course::settled("inactive");
            },
        },
        Case {
            hop: "allow_list",
            health: "CONNECT_TIMEOUT",
            words: DROPPED,
            act: |s, _| {
                let group = json!({"groupName": "escrr_link", "ips": ["10.2.1.0/24"],
                "whiteIpType": "PRIVATE_ES"});
                s.es("ModifyWhiteIps", LEADER, json!({"whiteIpGroup": group})).unwrap();
            },
        },
    ]);
}

fn publish_off(stage: &mut Stage, attachment: &str) {
    let params = [("TransitRouterAttachmentId", attachment), ("AutoPublishRouteEnabled", "false")];
    stage.cbn("UpdateTransitRouterVpcAttachmentAttribute", &params);
}

const DISSOCIATE: &str = "DissociateTransitRouterAttachmentFromRouteTable";
const DISABLE: &str = "DisableTransitRouterRouteTablePropagation";

#[test]
fn breaks_of_the_routes() {
    let health = "CONNECT_TIMEOUT";
    let words = DROPPED;
    run(&[
        Case {
            hop: "forward.vpc_route",
            health,
            words,
            act: |s, l| {
                publish_off(s, &l.attachments[1]);
            },
        },
        Case {
            hop: "return.vpc_route",
            health,
            words,
            act: |s, l| {
                publish_off(s, &l.attachments[0]);
            },
        },
        Case {
            hop: "forward.attachment",
            health,
            words,
            act: |s, l| {
                by_hand(s);
                let until = s.world.now_ms + 3_600_000;
                let found = s.world.cbn.vpc_attachments.get_mut(&l.attachments[1]).unwrap();
                found.course = Course::moving("Detaching", until, "Attached");
            },
        },
        Case {
            hop: "forward.association",
            health,
            words,
            act: |s, l| {
                by_hand(s);
                s.link(DISSOCIATE, &l.attachments[1], &l.tables[1]);
            },
        },
        Case {
            hop: "forward.router_route",
            health,
            words,
            act: |s, l| {
                by_hand(s);
                s.link(DISABLE, &l.peer, &l.tables[1]);
            },
        },
        Case {
            hop: "forward.router_route",
            health,
            words,
            act: |s, l| {
                by_hand(s);
                let params = [
                    ("TransitRouterAttachmentId", l.peer.as_str()),
                    ("AutoPublishRouteEnabled", "false"),
                ];
                s.cbn("UpdateTransitRouterPeerAttachmentAttribute", &params);
            },
        },
        Case {
            hop: "forward.peer_attachment",
            health,
            words,
            act: |s, l| {
                by_hand(s);
                static_route(s, l);
                let until = s.world.now_ms + 3_600_000;
                let peer = s.world.cbn.peer_attachments.get_mut(&l.peer).unwrap();
                peer.course = Course::moving("Detaching", until, "Attached");
            },
        },
        Case {
            hop: "forward.bandwidth",
            health,
            words,
            act: |s, l| {
                let params = [("TransitRouterAttachmentId", l.peer.as_str()), ("Bandwidth", "0")];
                s.cbn("UpdateTransitRouterPeerAttachmentAttribute", &params);
            },
        },
        Case {
            hop: "forward.peer_association",
            health,
            words,
            act: |s, l| {
                by_hand(s);
                static_route(s, l);
                s.link(DISSOCIATE, &l.peer, &l.tables[0]);
            },
        },
        Case {
            hop: "forward.peer_route",
            health,
            words,
            act: |s, l| {
                by_hand(s);
                static_route(s, l);
                s.link(DISABLE, &l.attachments[0], &l.tables[0]);
            },
        },
        Case {
            hop: "return.association",
            health,
            words,
            act: |s, l| {
                by_hand(s);
                s.link(DISSOCIATE, &l.attachments[0], &l.tables[0]);
            },
        },
        Case {
            hop: "return.router_route",
            health,
            words,
            act: |s, l| {
                by_hand(s);
                s.link(DISABLE, &l.peer, &l.tables[0]);
            },
        },
        Case {
            hop: "return.router_route",
            health,
            words,
            act: |s, l| {
                by_hand(s);
                s.link(DISABLE, &l.attachments[1], &l.tables[1]);
            },
        },
    ]);
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
    let ips = json!({"groupName": "escrr_link", "whiteIpType": "PRIVATE_ES", "ips": ["127.0.0.1"]});
    stage.es("ModifyWhiteIps", LEADER, json!({"whiteIpGroup": ips})).unwrap();
    stage.step(150);
    stage.step(150);
    assert_eq!(stage.inventory(), before);
    let left: Vec<usize> = stage.world.vpc.vswitches.values().map(|s| s.used.len()).collect();
    assert_eq!(left, used);
    assert!(stage.world.vpc.route_tables.values().all(|t| t.entries.is_empty()));
    assert!(stage.call(Product::Cbn, "DeleteCen", &[("CenId", &link.cen)]).is_err());
}
