//! Every code that the table of vendor codes is held to, as it comes over the wire: ordered of the
//! sandbox by its name alone, with the status that goes with it, and judged by the real client.

use escrr_engine::{Class, Fault};
use escrr_steps::World;
use escrr_steps::aliyun::cbn::CenFilter;
use escrr_steps::aliyun::{dry_run_passed, is_gone};
use escrr_tests::bench::{Bench, Error};
use serde_json::{Value, json};

/// One look at a product.
async fn look(world: &World, product: &str) -> Result<(), Fault> {
    let (cloud, region) = (&world.cloud, world.spec.follower.region.as_str());
    match product {
        "Sts" => cloud.sts(region).get_caller_identity().await.map(drop),
        "Elasticsearch" => cloud.elasticsearch(region).describe_instance("es-x").await.map(drop),
        "Vpc" => cloud.vpc(region).describe_vpc_attribute("vpc-x").await.map(drop),
        "Cbn" => cloud.cbn(region).describe_cens(CenFilter::default()).await.map(drop),
        "Ecs" => cloud.ecs(region).describe_running_instances("vpc-x").await.map(drop),
        "Nlb" => cloud.nlb(region).get_listener("lsn-x").await.map(drop),
        _ => cloud.privatelink(region).get_service("epsrv-x").await.map(drop),
    }
}

/// What must follow, by the word of the file.
fn follows(verdict: &str, outcome: &Result<(), Fault>) -> bool {
    let Err(fault) = outcome else { return false };
    match verdict {
        "Again" | "Uncertain" => matches!(fault, Fault::Transient { .. }),
        "Busy" => matches!(fault, Fault::Busy(_)),
        "Gone" => is_gone(fault),
        "Permission" => matches!(fault, Fault::Blocked { class: Class::Permission, .. }),
        "Approval" => matches!(fault, Fault::Blocked { class: Class::Approval, .. }),
        "Clock" => matches!(fault, Fault::Refused { class: Class::Prerequisite, .. }),
        "DryRun" => dry_run_passed::<()>(Err(fault.clone())).is_ok(),
        "Ours" => matches!(fault, Fault::Bug(_)),
        _ => false,
    }
}

#[tokio::test]
async fn every_code_comes_over_the_wire_as_what_it_means() -> Result<(), Error> {
    let rows: Vec<Value> = serde_json::from_str(include_str!("../vectors/vendor_codes.json"))?;
    let bench = Bench::new().await?;
    let (world, mut wrong) = (bench.world()?, Vec::new());
    for row in &rows {
        let text = |key: &str| row[key].as_str().unwrap_or_default();
        let (product, code) = (text("product"), text("code"));
        let order = json!({"product": product, "effect": {"refuse": {"code": code}}});
        bench.post("fault", &order).await?;
        let outcome = look(&world, product).await;
        bench.clear_faults().await?;
        let names = |fault: &Fault| {
            let report = fault.report();
            report.code.as_deref() == Some(code)
                && report.request_id.is_some()
                && report.tried.contains(product)
        };
        if !follows(text("verdict"), &outcome) || !outcome.as_ref().err().is_some_and(names) {
            wrong.push(format!("{row}: {outcome:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    println!("vendor codes: {}", rows.len());
    Ok(())
}

#[tokio::test]
async fn an_ordered_throttle_says_when_to_try_again() -> Result<(), Error> {
    let bench = Bench::new().await?;
    let world = bench.world()?;
    bench.post("fault", &json!({"effect": {"throttle_ms": 1_500}})).await?;
    for product in ["Sts", "Elasticsearch", "Vpc", "Cbn", "Ecs", "Nlb", "PrivateLink"] {
        let fault = look(&world, product).await.err();
        let hinted = matches!(&fault, Some(Fault::Transient { retry_after_ms: Some(1_500), .. }));
        assert!(hinted, "{product}: {fault:?}");
    }
    Ok(())
}
