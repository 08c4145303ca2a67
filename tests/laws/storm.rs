//! Everything at once: 30 % of all answers throttled, 5 % lost after they took effect, 5 % failed,
//! and every kind of look stale once. The run ends right, nothing is there twice, and the
//! rollback leaves nothing.

use crate::some;
use escrr_tests::bench::{Bench, Error};
use escrr_tests::cases::all;
use escrr_tests::tape::Clean;
use serde_json::json;

async fn through_the_storm(seed: u64) -> Result<(), Error> {
    let clean = Clean::recorded().await?;
    let mut bench = Bench::new().await?;
    let storm =
        json!({"seed": seed, "throttled": 0.3, "lost": 0.05, "failed": 0.05, "stale": true});
    bench.post("fault", &json!({"effect": {"storm": storm}})).await?;
    let case = format!("storm {seed}");
    let ending = bench.run().await?;
    bench.ended_as(clean, &ending, &case).await?;
    let ending = bench.rollback().await?;
    bench.as_before(clean, &ending, &case).await?;
    let log = bench.log().await?;
    let share = |what: fn(&str) -> bool| {
        let struck = log.iter().filter(|line| what(&line.outcome)).count();
        100 * struck / log.len()
    };
    let throttled =
        share(|word| word.contains("Throttling") || word == "es_rejected_execution_exception");
    println!(
        "{case}: {} requests, {throttled} % throttled, {} % lost, {} % failed",
        log.len(),
        share(|word| word == "lost"),
        share(|word| word == "InternalError" || word == "exception")
    );
    // The storm was there: else the test would prove nothing.
    assert!((20..40).contains(&throttled), "{throttled}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_and_its_rollback_come_through_a_storm() -> Result<(), Error> {
    let cases = all(some(1..=12_u64, 6), through_the_storm).await?;
    println!("storms: {cases}");
    Ok(())
}
