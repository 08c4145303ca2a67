//! Whatever becomes of a call — its answer lost, the call cut, the network refused — the
//! run ends in the same world, and so does the rollback.

use escrr_engine::Phase;
use escrr_tests::bench::{Bench, Error};
use serde_json::{Value, json};

/// What exists, without the ids that differ from run to run.
fn shape(inventory: &Value) -> Vec<String> {
    let rows = inventory.as_array().cloned().unwrap_or_default();
    let mut all: Vec<String> =
        rows.iter().map(|r| format!("{} {} {}", r["kind"], r["region"], r["owner"])).collect();
    all.sort();
    all
}

/// Changes that an undisturbed run and its rollback make, and the world in between.
async fn undisturbed() -> Result<(usize, usize, Vec<String>), Error> {
    let mut bench = Bench::new().await?;
    bench.run().await?;
    let forward = bench.changes().await?.len();
    let between = shape(&bench.inventory().await?);
    bench.rollback().await?;
    Ok((forward, bench.changes().await?.len() - forward, between))
}

async fn disturbed(
    effect: &'static str,
    at: usize,
    forward: bool,
    between: Vec<String>,
) -> Result<(), Error> {
    let mut bench = Bench::new().await?;
    let before = bench.inventory().await?;
    let fault = json!({"mutating": true, "nth": at, "effect": effect});
    if forward {
        bench.post("fault", &fault).await?;
    }
    let ending = bench.run().await?;
    assert_eq!(
        ending.saga.phase(),
        Phase::Succeeded,
        "{effect} at change {at}: {:?}",
        stops(&ending)
    );
    assert_eq!(shape(&bench.inventory().await?), between, "{effect} at change {at}");
    if !forward {
        bench.post("fault", &fault).await?;
    }
    let ending = bench.rollback().await?;
    assert_eq!(
        ending.saga.phase(),
        Phase::RolledBack,
        "{effect} at undo {at}: {:?}",
        stops(&ending)
    );
    assert_eq!(bench.inventory().await?, before, "{effect} at undo {at}");
    Ok(())
}

fn stops(ending: &escrr_engine::Ending) -> Vec<String> {
    ending.saga.nodes.iter().filter_map(|n| n.stop()).map(|s| s.report.to_string()).collect()
}

/// Runs jobs a few at a time, each on a bench of its own.
async fn all(
    jobs: Vec<(usize, bool)>,
    effect: &'static str,
    between: Vec<String>,
) -> Result<(), Error> {
    let mut running = tokio::task::JoinSet::new();
    let mut jobs = jobs.into_iter();
    loop {
        while running.len() < 4 {
            let Some((at, forward)) = jobs.next() else { break };
            let between = between.clone();
            running.spawn(async move { disturbed(effect, at, forward, between).await });
        }
        match running.join_next().await {
            None => return Ok(()),
            Some(done) => done??,
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_lost_at_any_change_loses_and_doubles_nothing() -> Result<(), Error> {
    let (forward, backward, between) = undisturbed().await?;
    println!("{forward} changes forward, {backward} backward");
    let jobs = (1..=forward).map(|n| (n, true)).chain((1..=backward).map(|n| (n, false)));
    all(jobs.collect(), "lost", between).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_cut_off_or_throttled_at_any_change_is_made_again() -> Result<(), Error> {
    let (forward, backward, between) = undisturbed().await?;
    let odd = (1..=forward).map(|n| (n, true)).chain((1..=backward).map(|n| (n, false)));
    let (cut, throttle): (Vec<_>, Vec<_>) = odd.partition(|(n, _)| n % 2 == 1);
    all(cut, "cut", between.clone()).await?;
    all(throttle, "throttle", between).await
}
