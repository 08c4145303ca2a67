//! Everything at once: of all answers, the cloud's and the clusters', 30 % throttled, 5 % lost
//! after they took effect, 5 % failed; and every kind of look stale once. The run ends right,
//! nothing is there twice, and the rollback leaves nothing.

use crate::some;
use escrr_engine::Phase;
use escrr_tests::bench::{Bench, Error};
use escrr_tests::cases::all;
use escrr_tests::tape::{Clean, stops};
use serde_json::json;

/// The products of the OpenAPI, and the clusters.
const ALL: [&str; 8] = ["Sts", "Elasticsearch", "Vpc", "Cbn", "Ecs", "Nlb", "PrivateLink", "Es"];

/// What a throttled caller hears, from the cloud and from a cluster.
const SLOWED: [&str; 2] = ["Throttling", "es_rejected_execution_exception"];

async fn through_the_storm(seed: u64) -> Result<(), Error> {
    let clean = Clean::recorded().await?;
    let mut bench = Bench::new().await?;
    let before = bench.inventory().await?;
    for product in ALL {
        let storm =
            json!({"seed": seed, "throttled": 0.3, "lost": 0.05, "failed": 0.05, "stale": true});
        bench.post("fault", &json!({"product": product, "effect": {"storm": storm}})).await?;
    }
    let case = format!("storm {seed}");
    let ending = bench.run().await?;
    bench.ended_as(clean, &ending, &case).await?;
    let ending = bench.rollback().await?;
    if ending.saga.phase() != Phase::RolledBack || bench.inventory().await? != before {
        return Err(format!("{case}: not as before: {:?}", stops(&ending)).into());
    }
    let log = bench.log().await?;
    for clusters in [false, true] {
        let of: Vec<_> = log.iter().filter(|line| (line.product == "Es") == clusters).collect();
        let throttled = of.iter().filter(|line| SLOWED.iter().any(|s| line.outcome.contains(s)));
        let throttled = throttled.count();
        let share = 100 * throttled / of.len();
        // The storm was there: else the test would prove nothing.
        assert!((20..40).contains(&share), "{case}: {share} % of {} throttled", of.len());
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_and_its_rollback_come_through_a_storm() -> Result<(), Error> {
    let cases = all(some(1..=12_u64, 6), through_the_storm).await?;
    println!("storms: {cases}");
    Ok(())
}
