//! What somebody changed since is said, and left alone.
//!
//! What can be changed differs from node to node, so there is a hand for each; a test holds
//! the hands to the nodes that can say that something differs.

use escrr_engine::{Event, Phase};
use escrr_steps::catalog::catalog;
use escrr_tests::bench::{Bench, Error};
use escrr_tests::cases::all;
use escrr_tests::tape::{Clean, Cut, stops};
use reqwest::Method;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::Path;

/// What becomes of the changed thing when the saga that made it is rolled back.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Back {
    /// It carries our mark still, or is what we announced: it is taken back as changed.
    Taken,
    /// Others depend on it: the rollback is stuck and leaves it.
    Stuck,
}

/// One way to change what a node made.
#[derive(Clone, Copy, Debug)]
struct Hand {
    node: &'static str,
    /// A word of what the next run says.
    says: &'static str,
    back: Back,
}

const HANDS: &[Hand] = &[
    Hand { node: "network.cen", says: "2 carry this link's mark", back: Back::Taken },
    Hand { node: "network.peer_attachment", says: "7 Mbit/s", back: Back::Taken },
    Hand { node: "follower.server_group", says: "health check is off", back: Back::Taken },
    Hand { node: "follower.backend", says: "10.9.9.9", back: Back::Taken },
    Hand { node: "follower.load_balancer", says: "2 carry this link's mark", back: Back::Taken },
    Hand { node: "follower.listener", says: "it is stopped", back: Back::Taken },
    Hand { node: "follower.endpoint_service", says: "does not accept", back: Back::Taken },
    Hand { node: "follower.private_connection", says: "it is Disconnected", back: Back::Taken },
    Hand { node: "follower.remote_cluster", says: "it leads to elsewhere:9300", back: Back::Taken },
    Hand { node: "follower.auto_follow", says: "it is paused", back: Back::Taken },
    Hand { node: "follower.existing_indices", says: "an ordinary index", back: Back::Taken },
];

/// Nodes that can say it and have no hand: what differs, an earlier node says first, or the
/// saga that looks later meets what a person may do to the world at any time.
const WITHOUT: &[(&str, &str)] = &[
    ("leader.vswitches", "says that its tags are gone: the law of removed tags"),
    ("leader.vpc_route", "a test of its own, below: it is not a thing that was made"),
    ("follower.vpc_route", "the same"),
    ("follower.backend_healthy", "only looks; the server group says it first"),
    ("verify.probe_removed", "passes on what is left of the probe, which nobody else knows"),
];

/// The id of the first thing of a kind.
async fn id(bench: &Bench, kind: &str) -> Result<String, Error> {
    let rows = bench.inventory().await?;
    let row = rows.as_array().into_iter().flatten().find(|row| row["kind"] == kind);
    Ok(row.and_then(|row| row["id"].as_str()).ok_or_else(|| format!("no {kind}"))?.to_owned())
}

/// The marks of a node of this link, as a create call takes them.
fn marks(bench: &Bench, node: &str, mut params: Value) -> Value {
    let marks = [
        ("escrr-link", bench.spec.link.clone()),
        ("escrr-node", node.to_owned()),
        ("escrr-saga", bench.saga.to_string()),
    ];
    for (n, (key, value)) in marks.into_iter().enumerate() {
        params[format!("Tag.{}.Key", n + 1)] = json!(key);
        params[format!("Tag.{}.Value", n + 1)] = json!(value);
    }
    params
}

impl Hand {
    async fn change(&self, bench: &Bench) -> Result<(), Error> {
        const REGION: &str = "cn-hangzhou";
        match self.node {
            "network.cen" => {
                let twin = marks(bench, self.node, json!({"Name": "a twin"}));
                bench.meddle("Cbn", "CreateCen", twin).await?;
            }
            "network.peer_attachment" => {
                let peer = id(bench, "peer_attachment").await?;
                let params = json!({"TransitRouterAttachmentId": peer, "Bandwidth": "7"});
                bench.meddle("Cbn", "UpdateTransitRouterPeerAttachmentAttribute", params).await?;
            }
            "follower.server_group" => {
                let group = id(bench, "server_group").await?;
                let off = json!({"RegionId": REGION, "ServerGroupId": group,
                    "HealthCheckConfig.HealthCheckEnabled": "false"});
                bench.meddle("Nlb", "UpdateServerGroupAttribute", off).await?;
            }
            "follower.backend" => {
                let group = id(bench, "server_group").await?;
                let more = json!({"RegionId": REGION, "ServerGroupId": group,
                    "Servers.1.ServerId": "10.9.9.9", "Servers.1.ServerIp": "10.9.9.9",
                    "Servers.1.ServerType": "Ip"});
                bench.meddle("Nlb", "AddServersToServerGroup", more).await?;
            }
            "follower.load_balancer" => {
                let twin = json!({"RegionId": REGION, "AddressType": "Intranet", "VpcId": "vpc-follower01",
                    "ZoneMappings.1.ZoneId": "cn-hangzhou-h", "ZoneMappings.1.VSwitchId": "vsw-follower-h",
                    "ZoneMappings.2.ZoneId": "cn-hangzhou-i", "ZoneMappings.2.VSwitchId": "vsw-follower-i"});
                bench.meddle("Nlb", "CreateLoadBalancer", marks(bench, self.node, twin)).await?;
            }
            "follower.listener" => {
                let listener = id(bench, "listener").await?;
                let params = json!({"RegionId": REGION, "ListenerId": listener});
                bench.meddle("Nlb", "StopListener", params).await?;
            }
            "follower.endpoint_service" => {
                let service = id(bench, "endpoint_service").await?;
                let off =
                    json!({"RegionId": REGION, "ServiceId": service, "AutoAcceptEnabled": "false"});
                bench.meddle("PrivateLink", "UpdateVpcEndpointServiceAttribute", off).await?;
            }
            "follower.private_connection" => {
                let (service, endpoint) =
                    (id(bench, "endpoint_service").await?, id(bench, "endpoint").await?);
                let params =
                    json!({"RegionId": REGION, "ServiceId": service, "EndpointId": endpoint});
                bench.meddle("PrivateLink", "DisableVpcEndpointConnection", params).await?;
            }
            "follower.remote_cluster" => {
                let name = format!("cluster.remote.{}.proxy_address", bench.spec.remote_alias());
                let body = json!({"persistent": {name: "elsewhere:9300"}});
                bench.meddle_with_follower(Method::PUT, "/_cluster/settings", &body).await?;
            }
            "follower.auto_follow" => {
                let path = format!("/_ccr/auto_follow/{}/pause", bench.spec.auto_follow_name());
                bench.meddle_with_follower(Method::POST, &path, &Value::Null).await?;
            }
            "follower.existing_indices" => {
                bench.meddle_with_follower(Method::DELETE, "/logs-2026-10", &Value::Null).await?;
                bench.meddle_with_follower(Method::PUT, "/logs-2026-10", &json!({})).await?;
            }
            other => return Err(format!("no hand for {other}").into()),
        }
        Ok(())
    }

    /// The state right after the node had made its thing, and for all but a twin of the first
    /// thing, which is only looked for until something hangs on it, the end of the run.
    fn from(&self, clean: &'static Clean) -> Result<&'static Cut, Error> {
        if self.node != "network.cen" {
            return clean.end();
        }
        let done = |cut: &&Cut| {
            cut.written && matches!(&cut.event, Event::Completed { node, .. } if node == self.node)
        };
        clean
            .forward
            .iter()
            .find(done)
            .ok_or_else(|| format!("{} never made anything", self.node).into())
    }
}

/// Calls of another saga that make nothing that others could miss.
fn harmless(change: &str) -> bool {
    change == "Ecs RunCommand"
}

/// Everything of this kind of thing, as it is.
async fn things(bench: &Bench) -> Result<Vec<String>, Error> {
    let rows = bench.inventory().await?;
    Ok(rows.as_array().into_iter().flatten().map(ToString::to_string).collect())
}

/// The next saga of the link says what differs, and touches nothing that is there.
async fn said(hand: Hand) -> Result<(), Error> {
    let mut bench = Bench::after(hand.from(Clean::recorded().await?)?).await?;
    hand.change(&bench).await?;
    let before = things(&bench).await?;
    bench.begin_another();
    let ending = bench.run().await?;
    let at = catalog()?.find(hand.node).ok_or("no such node")?;
    let said = ending.saga.node(at).stop().map(|s| s.report.to_string()).unwrap_or_default();
    if ending.saga.phase() != Phase::Failed || !said.contains(hand.says) {
        return Err(format!(
            "{}: {:?}: {said:?}, {:?}",
            hand.node,
            ending.saga.phase(),
            stops(&ending)
        )
        .into());
    }
    let after = things(&bench).await?;
    if let Some(gone) = before.iter().find(|thing| !after.contains(thing)) {
        return Err(format!("{}: the run touched {gone}", hand.node).into());
    }
    // Where the whole link stood, nothing at all was made beside it.
    let changes = bench.changes().await?;
    if hand.node != "network.cen"
        && let Some(change) = changes.iter().find(|c| !harmless(c) && !c.starts_with("Es "))
    {
        // The bench's own changes are not in the log: they were made behind everybody's back.
        return Err(format!("{}: the run made {change}", hand.node).into());
    }
    Ok(())
}

/// The rollback of the saga that made it leaves it, or takes it back as its own; never does it
/// touch what was there before.
async fn rolled_back(hand: Hand) -> Result<(), Error> {
    let clean = Clean::recorded().await?;
    let mut bench = Bench::after(hand.from(clean)?).await?;
    hand.change(&bench).await?;
    let ending = bench.rollback().await?;
    let phase = ending.saga.phase();
    let wanted = if hand.back == Back::Stuck { Phase::RollbackStuck } else { Phase::RolledBack };
    if phase != wanted {
        return Err(
            format!("{}: {phase:?}, not {wanted:?}: {:?}", hand.node, stops(&ending)).into()
        );
    }
    let now = things(&bench).await?;
    let before: Vec<String> =
        clean.before.as_array().into_iter().flatten().map(ToString::to_string).collect();
    match before.iter().find(|thing| !now.contains(thing)) {
        Some(gone) => Err(format!("{}: the rollback touched {gone}", hand.node).into()),
        None => Ok(()),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_differs_is_said_and_left_alone() -> Result<(), Error> {
    println!("drift, said by the next run: {} nodes", all(HANDS.iter().copied(), said).await?);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rollback_over_changed_things_touches_nothing_of_others() -> Result<(), Error> {
    println!("drift, rolled back: {} nodes", all(HANDS.iter().copied(), rolled_back).await?);
    Ok(())
}

/// Does a node say that something differs, itself or by way of what it finds?
fn says_it(text: &str) -> bool {
    text.contains("Seen::Drifted(") || text.contains("one::<Self")
}

/// The files of nodes that can say that something differs, by their name.
fn files_that_say_it(folder: &Path, found: &mut BTreeSet<String>) -> Result<(), Error> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            files_that_say_it(&path, found)?;
        } else if says_it(&std::fs::read_to_string(&path)?) {
            found.extend(path.file_stem().map(|stem| stem.to_string_lossy().into_owned()));
        }
    }
    Ok(())
}

#[test]
fn every_node_that_can_say_it_has_a_hand() -> Result<(), Error> {
    let mut files = BTreeSet::new();
    let nodes = Path::new(env!("CARGO_MANIFEST_DIR")).join("../steps/src/nodes");
    files_that_say_it(&nodes, &mut files)?;
    let named = HANDS.iter().map(|hand| hand.node).chain(WITHOUT.iter().map(|(node, _)| *node));
    let last = |node: &str| node.split('.').next_back().unwrap_or_default().to_owned();
    let known: BTreeSet<String> = named.clone().map(last).collect();
    assert_eq!(files, known, "the nodes that say `Drifted`, and the hands of this file");
    let catalog = catalog()?;
    for node in named {
        assert!(catalog.find(node).is_some(), "there is no node {node}");
    }
    Ok(())
}

/// Another route in the VPC leads the leader's addresses elsewhere.
#[tokio::test]
async fn a_route_that_leads_elsewhere_is_said_and_left_alone() -> Result<(), Error> {
    let clean = Clean::recorded().await?;
    let mut bench = Bench::after(clean.end()?).await?;
    let rows = bench.inventory().await?;
    let table = rows
        .as_array()
        .into_iter()
        .flatten()
        .filter(|row| row["kind"] == "vpc_route_entry" && row["region"] == "cn-hangzhou")
        .find_map(|row| row["id"].as_str()?.split_once('/').map(|(table, _)| table.to_owned()))
        .ok_or("no route table")?;
    let hop = id(&bench, "peer_attachment").await?;
    let elsewhere = json!({"RegionId": "cn-hangzhou", "RouteTableId": table,
        "DestinationCidrBlock": "10.1.1.0/25", "NextHopType": "Attachment", "NextHopId": hop});
    bench.meddle("Vpc", "CreateRouteEntry", elsewhere).await?;
    let before = things(&bench).await?;
    bench.begin_another();
    let ending = bench.run().await?;
    let at = catalog()?.find("follower.vpc_route").ok_or("no such node")?;
    let said = ending.saga.node(at).stop().map(|s| s.report.to_string()).unwrap_or_default();
    assert!(
        said.contains(&hop) && said.contains("and not to the transit router"),
        "{said:?}, {:?}",
        stops(&ending)
    );
    assert_eq!(things(&bench).await?, before);
    Ok(())
}
