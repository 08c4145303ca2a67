//! Independent branches run side by side: a run takes hardly longer than its longest path.

use escrr_engine::Phase;
use escrr_steps::catalog::catalog;
use escrr_tests::bench::{Bench, Error};
use serde_json::Value;
use std::collections::BTreeMap;

/// What each node waits for in the sandbox, by the names of its durations.
const WAITS: &[(&str, &[&str])] = &[
    ("network.cen", &["Cbn.CreateCen"]),
    ("leader.transit_router", &["Cbn.CreateTransitRouter"]),
    ("follower.transit_router", &["Cbn.CreateTransitRouter"]),
    ("leader.vswitches", &["Vpc.CreateVSwitch"]),
    ("leader.vpc_attachment", &["Cbn.CreateTransitRouterVpcAttachment"]),
    ("follower.vpc_attachment", &["Cbn.CreateTransitRouterVpcAttachment"]),
    ("network.peer_attachment", &["Cbn.CreateTransitRouterPeerAttachment"]),
    ("leader.associate_vpc", &[ASSOCIATE]),
    ("leader.associate_peer", &[ASSOCIATE]),
    ("follower.associate_vpc", &[ASSOCIATE]),
    ("follower.associate_peer", &[ASSOCIATE]),
    // The cloud refuses a second change of an attachment while the first is in motion.
    ("leader.propagate_vpc", &[ASSOCIATE, PROPAGATE]),
    ("leader.propagate_peer", &[ASSOCIATE, PROPAGATE]),
    ("follower.propagate_vpc", &[ASSOCIATE, PROPAGATE]),
    ("follower.propagate_peer", &[ASSOCIATE, PROPAGATE]),
    ("leader.vpc_route", &["Cbn.PublishRoute"]),
    ("follower.vpc_route", &["Cbn.PublishRoute"]),
    ("leader.allow_list", &["Elasticsearch.ModifyWhiteIps"]),
    ("leader.private_ip", &["Ecs.RunCommand"]),
    ("follower.server_group", &["Nlb.CreateServerGroup"]),
    ("follower.backend", &["Nlb.AddServersToServerGroup"]),
    ("follower.load_balancer", &["Nlb.CreateLoadBalancer"]),
    ("follower.listener", &["Nlb.CreateListener"]),
    ("follower.backend_healthy", &["Nlb.HealthCheck"]),
    ("follower.endpoint_service", &["PrivateLink.CreateVpcEndpointService"]),
    ("follower.private_connection", &["Elasticsearch.CreateVpcEndpoint"]),
    ("follower.remote_cluster", &["Es.Connect"]),
    ("follower.existing_indices", &["Es.Restore"]),
    // The probe is made, caught and copied; then each change travels by itself.
    ("verify.incremental", &["Es.AutoFollow", "Es.Restore", "Es.Replicate", "Es.Replicate"]),
];

const ASSOCIATE: &str = "Cbn.AssociateTransitRouterAttachmentWithRouteTable";
const PROPAGATE: &str = "Cbn.EnableTransitRouterRouteTablePropagation";

/// The longest path through the graph, in seconds, and its nodes.
fn longest_path(durations: &Value) -> Result<(f64, Vec<String>), Error> {
    let catalog = catalog()?;
    let weights: BTreeMap<&str, f64> = WAITS
        .iter()
        .map(|(node, names)| (*node, names.iter().filter_map(|n| durations[*n].as_f64()).sum()))
        .collect();
    let mut best: Vec<(f64, Vec<String>)> = Vec::new();
    for (at, about) in catalog.about().iter().enumerate() {
        let name = about.id.to_string();
        let before = catalog.needs(at).iter().filter_map(|need| best.get(*need));
        let longest = before.max_by(|a, b| a.0.total_cmp(&b.0)).cloned().unwrap_or_default();
        let own = weights.get(name.as_str()).copied().unwrap_or(0.0);
        let mut path = longest.1;
        path.push(name);
        best.push((longest.0 + own, path));
    }
    Ok(best.into_iter().max_by(|a, b| a.0.total_cmp(&b.0)).unwrap_or_default())
}

#[tokio::test]
#[expect(clippy::cast_precision_loss, reason = "a run takes minutes, not aeons")]
async fn a_run_takes_at_most_a_tenth_longer_than_its_longest_path() -> Result<(), Error> {
    let mut bench = Bench::new().await?;
    let (longest, path) = longest_path(&bench.get("durations").await?)?;
    let began_ms = bench.get("clock").await?["now_ms"].as_u64().unwrap_or(0);
    let ending = bench.run().await?;
    assert_eq!(ending.saga.phase(), Phase::Succeeded);
    let took = (ending.saga.updated_ms - began_ms) as f64 / 1000.0;
    println!(
        "a run: {took:.1} s of the sandbox's time; its longest path: {longest:.1} s; ratio {:.3}",
        took / longest
    );
    println!("the longest path: {}", path.join(" > "));
    assert!(took <= longest * 1.10, "{took} s is more than 1.10 x {longest} s");
    Ok(())
}
