//! Paths that the usual run does not take: what the spec names instead of marks, what a service
//! lacks, what the cloud does not publish by itself, what is not activated yet. There and back,
//! with no call that the policy of the phase would not permit.

use escrr_engine::{Event, Phase};
use escrr_sandbox::WorldFile;
use escrr_steps::calls::{Purpose, calls};
use escrr_steps::spec::{Spec, defaults};
use escrr_tests::bench::{Bench, Error};
use escrr_tests::tape::{Clean, Cut, stops};
use serde_json::json;
use std::collections::BTreeSet;

/// Runs and takes back; gives the calls that took effect on the way there and back.
///
/// Whatever is asked has to be permitted, and what `expected` names has to be asked.
async fn there_and_back(
    bench: &mut Bench,
    expected: [&[&str]; 2],
) -> Result<[Vec<String>; 2], Error> {
    let before = bench.inventory().await?;
    let mut taken = [Vec::new(), Vec::new()];
    for (at, purpose) in [Purpose::Run, Purpose::Rollback].into_iter().enumerate() {
        let (lines, changes) = (bench.log().await?.len(), bench.changes().await?.len());
        let (ending, wanted) = match purpose {
            Purpose::Run => (bench.run().await?, Phase::Succeeded),
            Purpose::Look | Purpose::Rollback => (bench.rollback().await?, Phase::RolledBack),
        };
        assert_eq!(ending.saga.phase(), wanted, "{:?}", stops(&ending));
        let asked: BTreeSet<String> = bench.log().await?[lines..]
            .iter()
            .filter(|line| line.product != "Es")
            .map(|line| format!("{} {}", line.product, line.action))
            .collect();
        let permitted: BTreeSet<String> =
            calls(purpose).iter().map(|a| format!("{} {}", a.product, a.name)).collect();
        let forbidden: Vec<_> = asked.difference(&permitted).collect();
        assert!(forbidden.is_empty(), "{purpose:?} may not: {forbidden:?}");
        for call in expected[at] {
            assert!(asked.contains(*call), "{purpose:?} did not ask for {call}");
        }
        taken[at] = bench.changes().await?.split_off(changes);
    }
    assert_eq!(bench.inventory().await?, before);
    Ok(taken)
}

/// The world right after a node was done, with what earlier sagas of the link have made.
async fn after(node: &str) -> Result<&'static Cut, Error> {
    let clean = Clean::recorded().await?;
    let done = |cut: &&Cut| {
        cut.written && matches!(&cut.event, Event::Completed { node: done, .. } if done == node)
    };
    Ok(clean.forward.iter().find(done).ok_or_else(|| format!("{node} is never done"))?)
}

/// The ids of the things of a kind.
async fn ids(bench: &Bench, kind: &str) -> Result<Vec<String>, Error> {
    let all = bench.inventory().await?;
    let rows = all.as_array().into_iter().flatten().filter(|row| row["kind"] == kind);
    Ok(rows.filter_map(|row| row["id"].as_str().map(str::to_owned)).collect())
}

fn spec(more: &str) -> Result<Spec, Error> {
    Ok(Spec::parse(&format!("{}\n{more}", defaults::SANDBOX), "side.toml")?)
}

#[tokio::test]
async fn services_are_activated_where_the_spec_allows_it() -> Result<(), Error> {
    let mut world = WorldFile::default();
    world.account.transit_router_service = false;
    world.account.private_link_service = false;
    let spec = spec("[prerequisites]\nactivate_services = true\n")?;
    let mut bench = Bench::with(world, spec).await?;
    let open = ["Cbn OpenTransitRouterService", "PrivateLink OpenPrivateLinkService"];
    let [there, _] = there_and_back(&mut bench, [&open, &[]]).await?;
    for call in open {
        assert_eq!(there.iter().filter(|c| *c == call).count(), 1, "{call}");
    }
    // Nothing takes an activation back.
    let (world, region) = (bench.world()?, "cn-hangzhou");
    assert!(world.cloud.cbn(region).check_transit_router_service().await?);
    assert!(world.cloud.privatelink(region).check_product_open().await?);
    Ok(())
}

#[tokio::test]
async fn routes_are_made_where_nobody_publishes_them() -> Result<(), Error> {
    let cut = after("follower.vpc_attachment").await?;
    let mut bench = Bench::among_others(cut.world.clone()).await?;
    bench.pass(1_200_000).await?;
    let attachments = ids(&bench, "vpc_attachment").await?;
    assert_eq!(attachments.len(), 2);
    for attachment in &attachments {
        let params =
            json!({"TransitRouterAttachmentId": attachment, "AutoPublishRouteEnabled": "false"});
        bench.meddle("Cbn", "UpdateTransitRouterVpcAttachmentAttribute", params).await?;
    }
    let asks: [&[&str]; 2] = [&["Vpc CreateRouteEntry"], &["Vpc DeleteRouteEntry"]];
    let [there, back] = there_and_back(&mut bench, asks).await?;
    let made = there.iter().filter(|call| *call == "Vpc CreateRouteEntry").count();
    let gone = back.iter().filter(|call| *call == "Vpc DeleteRouteEntry").count();
    assert!(made >= 2 && made == gone, "{made} routes made, {gone} deleted");
    Ok(())
}

#[tokio::test]
async fn a_named_service_gets_the_zone_that_it_lacks() -> Result<(), Error> {
    let cut = after("follower.listener").await?;
    let mut bench = Bench::among_others(cut.world.clone()).await?;
    bench.pass(1_200_000).await?;
    let balancer = ids(&bench, "load_balancer").await?.pop().ok_or("no load balancer")?;
    let params = json!({
        "RegionId": "cn-hangzhou",
        "AutoAcceptEnabled": "true",
        "ServiceResourceType": "nlb",
        "Resource.1.ResourceType": "nlb",
        "Resource.1.ResourceId": balancer,
        "Resource.1.ZoneId": "cn-hangzhou-h",
    });
    let made = bench.meddle("PrivateLink", "CreateVpcEndpointService", params).await?;
    let service = made["ServiceId"].as_str().ok_or("no service id")?;
    bench.spec = spec(&format!(
        "[load_balancer]\nload_balancer_id = \"{balancer}\"\n[private_link]\nservice_id = \"{service}\"\n"
    ))?;
    let looks = ["Nlb GetLoadBalancerAttribute", "PrivateLink GetVpcEndpointServiceAttribute"];
    let [there, back] = there_and_back(&mut bench, [&looks, &looks[1..]]).await?;
    let count = |all: &[String], what: &str| all.iter().filter(|call| *call == what).count();
    assert_eq!(count(&there, "PrivateLink CreateVpcEndpointService"), 0);
    assert_eq!(count(&there, "PrivateLink AttachResourceToVpcEndpointService"), 1);
    assert_eq!(count(&back, "PrivateLink DetachResourceFromVpcEndpointService"), 1);
    assert_eq!(count(&back, "PrivateLink DeleteVpcEndpointService"), 0);
    Ok(())
}
