//! Everything at once: of the cloud's answers 30 % throttled, 5 % lost after they took effect, 5 %
//! failed; of the clusters' 3 %, 1 % and 1 %; and every kind of look stale once. The run ends
//! right, nothing is there twice, and the rollback leaves nothing.
//!
//! The clusters have milder weather because one look at them takes up to twenty requests: where
//! four answers in ten fail, no such look ever comes to its end, and a run says so and stops.

use crate::some;
use escrr_engine::Phase;
use escrr_tests::bench::{Bench, Error};
use escrr_tests::cases::all;
use escrr_tests::tape::{Clean, stops};
use serde_json::json;

/// The products of the OpenAPI.
const CLOUD: [&str; 7] = ["Sts", "Elasticsearch", "Vpc", "Cbn", "Ecs", "Nlb", "PrivateLink"];

async fn through_the_storm(seed: u64) -> Result<(), Error> {
    let clean = Clean::recorded().await?;
    let mut bench = Bench::new().await?;
    let before = bench.inventory().await?;
    for product in CLOUD {
        let storm =
            json!({"seed": seed, "throttled": 0.3, "lost": 0.05, "failed": 0.05, "stale": true});
        bench.post("fault", &json!({"product": product, "effect": {"storm": storm}})).await?;
    }
    let milder =
        json!({"seed": seed, "throttled": 0.03, "lost": 0.01, "failed": 0.01, "stale": true});
    bench.post("fault", &json!({"product": "Es", "effect": {"storm": milder}})).await?;
    let case = format!("storm {seed}");
    let ending = bench.run().await?;
    bench.ended_as(clean, &ending, &case).await?;
    let ending = bench.rollback().await?;
    if ending.saga.phase() != Phase::RolledBack || bench.inventory().await? != before {
        return Err(format!("{case}: not as before: {:?}", stops(&ending)).into());
    }
    let mut log = bench.log().await?;
    log.retain(|line| line.product != "Es");
    let throttled = log.iter().filter(|line| line.outcome.contains("Throttling")).count();
    let share = 100 * throttled / log.len();
    // The storm was there: else the test would prove nothing.
    assert!((20..40).contains(&share), "{case}: {share} % throttled");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_and_its_rollback_come_through_a_storm() -> Result<(), Error> {
    let cases = all(some(1..=12_u64, 6), through_the_storm).await?;
    println!("storms: {cases}");
    Ok(())
}
