//! What a look is told may be old, and whoever asks too often is told to wait.

use crate::some;
use escrr_tests::bench::{Bench, Error};
use escrr_tests::cases::all;
use escrr_tests::tape::Clean;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// Into so many scenarios the looks are spread, so that each is stale in one of them.
const SPREAD: usize = 12;
/// So many looks in a row are stale: more than one look of one node.
const ROW: usize = 3;

/// There and back with faults in force.
async fn there_and_back(faults: Vec<Value>, case: &str) -> Result<(), Error> {
    let clean = Clean::recorded().await?;
    let mut bench = Bench::new().await?;
    let before = bench.inventory().await?;
    for fault in &faults {
        bench.post("fault", fault).await?;
    }
    let ending = bench.run().await?;
    bench.ended_as(clean, &ending, case).await?;
    let ending = bench.rollback().await?;
    if bench.inventory().await? != before {
        return Err(
            format!("{case}: not as before: {:?}", escrr_tests::tape::stops(&ending)).into()
        );
    }
    Ok(())
}

/// Reads that a cluster answers from the data itself; what it knows of its indices, its
/// settings and its followers may lag behind from node to node. `All` is `/_all/_stats`.
const NEVER_STALE: &[&str] =
    &["Refresh", "Count", "Search", "Mget", "Pit", "Stats", "All", "GetDocument", "IndexExists"];

/// Every kind of look, with how often a run and its rollback take it.
fn looks(clean: &Clean) -> BTreeMap<(String, String), usize> {
    let mut all = BTreeMap::new();
    for line in clean.log.iter().filter(|line| !line.mutating) {
        if line.product != "Es" || !NEVER_STALE.contains(&line.action.as_str()) {
            *all.entry((line.product.clone(), line.action.clone())).or_insert(0) += 1;
        }
    }
    all
}

/// Every look of a run and its rollback is stale in one scenario, in rows of some.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stale_look_doubles_nothing_and_leaves_nothing() -> Result<(), Error> {
    let clean = Clean::recorded().await?;
    let looks = looks(clean);
    let cases = all(some(0..SPREAD, 2), |scenario| {
        let first = 1 + scenario * ROW;
        let order = |((product, action), count): (&(String, String), &usize)| {
            let (product, action) = (product.clone(), action.clone());
            (first..=(*count).max(first)).step_by(SPREAD * ROW).map(move |nth| {
                json!({"product": product, "action": action, "mutating": false, "nth": nth, "times": ROW, "effect": "stale"})
            })
        };
        let faults = looks.iter().flat_map(order).collect();
        async move { Box::pin(there_and_back(faults, &format!("stale from look {first} on"))).await }
    });
    let count: usize = looks.values().sum();
    println!(
        "stale: {count} looks, {ROW} in a row, spread over {SPREAD} scenarios, {} of them tried",
        cases.await?
    );
    Ok(())
}

/// Right after each change the next looks still show what was before it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stale_look_right_after_each_change_doubles_nothing() -> Result<(), Error> {
    let clean = Clean::recorded().await?;
    let jobs = [false, true].into_iter().flat_map(|backward| {
        clean.changes(backward).into_iter().map(move |change| (backward, change))
    });
    let cases = all(some(jobs, 4), |(backward, change)| async move {
        let case = format!("stale after {} {}", change.name, change.cut.place());
        let mut bench = Bench::after(change.cut).await?;
        // The copies are kept from the order on: old is what was before the change.
        let stale =
            json!({"mutating": false, "nth": 2 * change.nth, "times": 6, "effect": "stale"});
        bench.post("fault", &stale).await?;
        if backward {
            let ending = bench.rollback().await?;
            return bench.as_before(clean, &ending, &case).await;
        }
        let ending = bench.run().await?;
        bench.ended_as(clean, &ending, &case).await
    });
    println!("stale after each change: {} changes", cases.await?);
    Ok(())
}

/// Every action is throttled several times in a row, with the server's hint and without.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bursts_of_throttling_are_waited_out() -> Result<(), Error> {
    /// A node takes some looks of several kinds for one answer: not all are throttled at once.
    const PARTS: usize = 4;
    let clean = Clean::recorded().await?;
    let actions: BTreeSet<(String, String)> =
        clean.log.iter().map(|line| (line.product.clone(), line.action.clone())).collect();
    let cases = all(0..PARTS, |part| {
        let effect = if part % 2 == 0 { json!({"throttle_ms": 2_500}) } else { json!("throttle") };
        let order = |(product, action): &(String, String)| json!({"product": product, "action": action, "nth": 1 + part / 2, "times": 4, "effect": effect});
        let faults = actions.iter().skip(part).step_by(PARTS).map(order).collect();
        async move { Box::pin(there_and_back(faults, &format!("throttled, part {part}"))).await }
    });
    println!("throttling: {} actions, 4 times in a row, in {} runs", actions.len(), cases.await?);
    Ok(())
}
