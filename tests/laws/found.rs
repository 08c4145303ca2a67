//! What was there before is found, used, and still there after a rollback.

use crate::some;
use escrr_engine::{Class, Event, NodeState, Origin, Phase};
use escrr_sandbox::World;
use escrr_steps::catalog::catalog;
use escrr_steps::spec::{Spec, defaults};
use escrr_tests::bench::{Bench, Error};
use escrr_tests::cases::{all, differences};
use escrr_tests::tape::{Clean, Cut, stops};
use serde_json::{Value, json};

fn id(answer: &Value, member: &str) -> Result<String, Error> {
    Ok(answer[member].as_str().ok_or_else(|| format!("no {member} in {answer}"))?.to_owned())
}

#[tokio::test]
async fn an_existing_cen_router_and_balancer_are_used_and_stay() -> Result<(), Error> {
    let mut bench = Bench::new().await?;
    let cen = id(&bench.meddle("Cbn", "CreateCen", json!({"Name": "theirs"})).await?, "CenId")?;
    let mut routers = Vec::new();
    for region in ["cn-shanghai", "cn-hangzhou"] {
        let params = json!({"CenId": cen, "RegionId": region});
        let made = bench.meddle("Cbn", "CreateTransitRouter", params).await?;
        routers.push(id(&made, "TransitRouterId")?);
    }
    let params = json!({
        "RegionId": "cn-hangzhou",
        "AddressType": "Intranet",
        "VpcId": "vpc-follower01",
        "ZoneMappings.1.ZoneId": "cn-hangzhou-h",
        "ZoneMappings.1.VSwitchId": "vsw-follower-h",
        "ZoneMappings.2.ZoneId": "cn-hangzhou-i",
        "ZoneMappings.2.VSwitchId": "vsw-follower-i",
    });
    let balancer = id(&bench.meddle("Nlb", "CreateLoadBalancer", params).await?, "LoadbalancerId")?;
    let before = bench.inventory().await?;

    let text = format!(
        "{}\n[network]\ncen_id = \"{cen}\"\nleader_transit_router_id = \"{}\"\nfollower_transit_router_id = \"{}\"\n\
         [load_balancer]\nload_balancer_id = \"{balancer}\"\n",
        defaults::SANDBOX,
        routers[0],
        routers[1]
    );
    bench.spec = Spec::parse(&text, "existing.toml")?;
    let ending = bench.run().await?;
    assert_eq!(ending.saga.phase(), Phase::Succeeded);
    let catalog = catalog()?;
    for (node, origin) in [
        ("network.cen", Origin::Found),
        ("leader.transit_router", Origin::Found),
        ("follower.transit_router", Origin::Found),
        ("follower.load_balancer", Origin::Found),
        ("leader.vpc_attachment", Origin::Made),
        ("follower.listener", Origin::Made),
    ] {
        let state = ending.saga.node(catalog.find(node).ok_or("no such node")?);
        assert!(
            matches!(state, NodeState::Done { origin: found, .. } if *found == origin),
            "{node}: {state:?}"
        );
    }
    assert_eq!(bench.rollback().await?.saga.phase(), Phase::RolledBack);
    assert_eq!(bench.inventory().await?, before);
    Ok(())
}

/// Everything that carries a mark of ours loses it: it may be anybody's.
fn unmarked(world: &World) -> Result<World, Error> {
    fn strip(value: &mut Value) {
        match value {
            Value::Object(members) => {
                members.retain(|name, _| !name.starts_with("escrr:"));
                members.values_mut().for_each(strip);
            }
            Value::Array(items) => items.iter_mut().for_each(strip),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
    let mut value = serde_json::to_value(world)?;
    strip(&mut value);
    Ok(serde_json::from_value(value)?)
}

/// The things that exist, each as it was made.
async fn things(bench: &Bench) -> Result<Vec<String>, Error> {
    let rows = bench.inventory().await?;
    Ok(rows.as_array().into_iter().flatten().map(ToString::to_string).collect())
}

/// Over a world in which others have made what a run makes up to this cut, the link is set up
/// and taken back: all that was there is still there, and was there all the time.
async fn among_others(cut: &'static Cut, marked: bool) -> Result<(), Error> {
    let case = format!("found {}, {}", cut.place(), if marked { "marked" } else { "unmarked" });
    let world = if marked { cut.world.clone() } else { unmarked(&cut.world)? };
    let mut bench = Bench::among_others(world).await?;
    // What was under way comes to its end before we begin.
    bench.pass(1_200_000).await?;
    let before = things(&bench).await?;
    let ending = bench.run().await?;
    // A remote cluster by our alias that leads over a connection which carries no mark of ours
    // is somebody else's: then the run says so, and stops.
    let drifted =
        ending.saga.nodes.iter().filter_map(|n| n.stop()).all(|s| s.class == Class::Drift);
    let told = !marked && ending.saga.phase() == Phase::Failed && drifted;
    if ending.saga.phase() != Phase::Succeeded && !told {
        return Err(format!("{case}: {:?}: {:?}", ending.saga.phase(), stops(&ending)).into());
    }
    let between = things(&bench).await?;
    if let Some(gone) = before.iter().find(|thing| !between.contains(thing)) {
        return Err(format!("{case}: the run touched {gone}").into());
    }
    let ending = bench.rollback().await?;
    if ending.saga.phase() != Phase::RolledBack {
        return Err(format!("{case}: {:?}: {:?}", ending.saga.phase(), stops(&ending)).into());
    }
    let differs = differences(&before, &things(&bench).await?);
    if !differs.is_empty() {
        return Err(format!("{case}: after the rollback: {differs:?}").into());
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_is_there_already_is_used_and_stays() -> Result<(), Error> {
    let clean = Clean::recorded().await?;
    let made = |cut: &&Cut| {
        let made = matches!(&cut.event, Event::Completed { origin: Origin::Made, .. });
        cut.written && made
    };
    let cuts = clean.forward.iter().filter(made).enumerate();
    let jobs = cuts.flat_map(|(n, cut)| {
        // Marked by an earlier saga of this link or by nobody, in turn; at the end both.
        let last = n + 1 == clean.forward.iter().filter(made).count();
        [true, false]
            .into_iter()
            .filter(move |marked| last || *marked == (n / 2 % 2 == 0))
            .map(move |m| (cut, m))
    });
    let cases = all(some(jobs, 3), |(cut, marked)| among_others(cut, marked)).await?;
    println!("found: {cases} worlds, after things that a run makes");
    assert!(cases > 8);
    Ok(())
}

/// Where everything is there already, nothing is made but what only this saga can need.
#[tokio::test]
async fn where_everything_is_there_nothing_is_made() -> Result<(), Error> {
    let clean = Clean::recorded().await?;
    let mut bench = Bench::among_others(clean.end()?.world.clone()).await?;
    let ending = bench.run().await?;
    assert_eq!(ending.saga.phase(), Phase::Succeeded, "{:?}", stops(&ending));
    let catalog = catalog()?;
    // The command that asks for the leader's address, and the probe, are each saga's own.
    let own = ["leader.private_ip", "verify.incremental", "verify.probe_removed"];
    for (about, (node, origin)) in
        catalog.about().iter().zip(ending.saga.nodes.iter().zip(&clean.origins))
    {
        let name = about.id.to_string();
        let found = matches!(node, NodeState::Done { origin: Origin::Found, .. });
        let wanted = origin == "Made" && !own.contains(&name.as_str());
        assert!(found || !wanted, "{name} is there already: {node:?}");
    }
    let changes = bench.changes().await?;
    let others = |change: &&String| !change.starts_with("Es ") && *change != "Ecs RunCommand";
    assert_eq!(changes.iter().find(others), None, "a found thing was touched");
    Ok(())
}
