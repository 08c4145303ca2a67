//! What was there before is found, used, and still there after a rollback.

use escrr_engine::{NodeState, Origin, Phase};
use escrr_steps::catalog::catalog;
use escrr_steps::spec::{Spec, defaults};
use escrr_tests::bench::{Bench, Error};
use serde_json::{Value, json};

async fn make(bench: &Bench, product: &str, action: &str, params: Value) -> Result<Value, Error> {
    let order = json!({"product": product, "action": action, "params": params});
    let answer = bench.post("change", &order).await?;
    // What was made by hand takes its time too.
    let now_ms = bench.get("clock").await?["now_ms"].as_u64().unwrap_or(0);
    bench.post("clock", &json!({"to_ms": now_ms + 600_000})).await?;
    Ok(answer)
}

fn id(answer: &Value, member: &str) -> Result<String, Error> {
    Ok(answer[member].as_str().ok_or_else(|| format!("no {member} in {answer}"))?.to_owned())
}

#[tokio::test]
async fn an_existing_cen_router_and_balancer_are_used_and_stay() -> Result<(), Error> {
    let mut bench = Bench::new().await?;
    let cen = id(&make(&bench, "Cbn", "CreateCen", json!({"Name": "theirs"})).await?, "CenId")?;
    let mut routers = Vec::new();
    for region in ["cn-shanghai", "cn-hangzhou"] {
        let params = json!({"CenId": cen, "RegionId": region});
        let made = make(&bench, "Cbn", "CreateTransitRouter", params).await?;
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
    let balancer = id(&make(&bench, "Nlb", "CreateLoadBalancer", params).await?, "LoadbalancerId")?;
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

#[tokio::test]
async fn what_somebody_changed_is_said_and_left_alone() -> Result<(), Error> {
    let mut bench = Bench::new().await?;
    bench.run().await?;
    let inventory = bench.inventory().await?;
    let rows = inventory.as_array().cloned().unwrap_or_default();
    let peer = rows.iter().find(|r| r["kind"] == "peer_attachment").ok_or("no peer link")?;
    let params = json!({"TransitRouterAttachmentId": peer["id"], "Bandwidth": "7"});
    make(&bench, "Cbn", "UpdateTransitRouterPeerAttachmentAttribute", params).await?;
    // A second saga of the same link meets the changed link: it says so and touches nothing.
    bench.saga = escrr_engine::SagaId::new(1_800_000_000_000, [6; 10]);
    let changes = bench.changes().await?.len();
    let ending = bench.run().await?;
    assert_eq!(ending.saga.phase(), Phase::Failed);
    let node = catalog()?.find("network.peer_attachment").ok_or("no such node")?;
    let said = ending.saga.node(node).stop().map(|s| s.report.said.clone()).unwrap_or_default();
    assert!(said.contains("7 Mbit/s"), "{said}");
    // It only asked for the leader's address, which runs a command and makes nothing.
    assert_eq!(bench.changes().await?[changes..], ["Ecs RunCommand"]);
    Ok(())
}
