//! A refusal at any kind of change: the saga stops, says why, and either goes on or goes back.

use crate::some;
use escrr_engine::Phase;
use escrr_tests::bench::{Bench, Error};
use escrr_tests::cases::all;
use escrr_tests::tape::{Change, Clean, stops};
use serde_json::json;
use std::collections::BTreeSet;

/// The action is refused whoever takes it, while all others go on.
async fn refused(number: usize, change: Change<'static>) -> Result<(), Error> {
    let clean = Clean::recorded().await?;
    let (product, action) = change.name.split_once(' ').unwrap_or_default();
    let fault = json!({
        "product": product,
        "action": action,
        "effect": {"refuse": {"status": 400, "code": "OperationDenied.Sandbox", "message": "refused by order"}},
    });
    let mut bench = Bench::after(change.cut).await?;
    bench.post("fault", &fault).await?;
    let ending = bench.run().await?;
    let said = stops(&ending).iter().any(|said| said.contains("refused by order"));
    if ending.saga.phase() != Phase::Failed || !said {
        let phase = ending.saga.phase();
        return Err(format!("{}: {phase:?}: {:?}", change.name, stops(&ending)).into());
    }
    bench.clear_faults().await?;
    // Both ways out, in turn: half of the actions are resumed, half go back from there.
    if number.is_multiple_of(2) {
        let ending = bench.run().await?;
        bench.ended_as(clean, &ending, &change.name).await?;
    }
    let ending = bench.rollback().await?;
    bench.as_before(clean, &ending, &change.name).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn refused_at_any_action_the_saga_stops_then_resumes_or_unwinds() -> Result<(), Error> {
    let clean = Clean::recorded().await?;
    let mut seen = BTreeSet::new();
    let mut actions = clean.changes(false);
    actions.retain(|change| seen.insert(change.name.clone()));
    let cases =
        all(some(actions.into_iter().enumerate(), 3), |(number, change)| refused(number, change));
    let cases = cases.await?;
    println!("refused: {cases} actions, each while all others go on");
    assert!(cases > 6);
    Ok(())
}
