//! Whatever becomes of a call — its answer lost, the call cut, throttled, late, or its process
//! killed — the run ends in the same world, and so does the rollback.

use crate::some;
use escrr_tests::bench::{Bench, Error};
use escrr_tests::cases::all;
use escrr_tests::tape::{Change, Clean};
use serde_json::{Value, json};

/// A change, its number, and the way that the saga goes.
pub(crate) type Job = (usize, bool, Change<'static>);

/// Every change of the run and of the rollback.
pub(crate) fn every(clean: &'static Clean) -> impl Iterator<Item = Job> {
    [false, true].into_iter().flat_map(|backward| {
        clean.changes(backward).into_iter().enumerate().map(move |(n, c)| (n, backward, c))
    })
}

pub(crate) fn name((number, backward, change): &Job, effect: &Value) -> String {
    let way = if *backward { "rollback" } else { "run" };
    format!(
        "{effect} at change {} of the {way} ({}), from {}",
        number + 1,
        change.name,
        change.cut.place()
    )
}

/// A bench right before the change, to which something is going to happen.
pub(crate) async fn before(job: &Job, effect: &Value) -> Result<Bench, Error> {
    let (_, _, change) = job;
    let bench = Bench::after(change.cut).await?;
    let fault = json!({"mutating": true, "nth": change.nth, "effect": effect});
    bench.post("fault", &fault).await?;
    Ok(bench)
}

/// Goes on to the end. Every third run is taken back as well.
pub(crate) async fn to_the_end(mut bench: Bench, job: &Job, case: &str) -> Result<(), Error> {
    let clean = Clean::recorded().await?;
    let (number, backward, _) = job;
    if *backward {
        let ending = bench.rollback().await?;
        return bench.as_before(clean, &ending, case).await;
    }
    let ending = bench.run().await?;
    bench.ended_as(clean, &ending, case).await?;
    if number % 3 == 0 {
        let ending = bench.rollback().await?;
        bench.as_before(clean, &ending, case).await?;
    }
    Ok(())
}

async fn disturbed(job: Job, effect: Value) -> Result<(), Error> {
    let case = name(&job, &effect);
    let bench = before(&job, &effect).await?;
    Box::pin(to_the_end(bench, &job, &case)).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_lost_at_any_change_loses_and_doubles_nothing() -> Result<(), Error> {
    let clean = Clean::recorded().await?;
    let cases = all(some(every(clean), 3), |job| disturbed(job, json!("lost"))).await?;
    println!("lost answer: {cases} changes");
    assert!(cases > 20);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_cut_off_or_throttled_at_any_change_is_made_again() -> Result<(), Error> {
    let clean = Clean::recorded().await?;
    let cases = all(some(every(clean), 4), |job| {
        let effect = if (job.0 / 4).is_multiple_of(2) { json!("cut") } else { json!("throttle") };
        disturbed(job, effect)
    });
    println!("cut or throttled in turn: {} changes", cases.await?);
    Ok(())
}

/// A call that takes effect although its answer never came, after it was made again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_that_takes_effect_late_doubles_nothing() -> Result<(), Error> {
    let clean = Clean::recorded().await?;
    let cases = all(some(every(clean), 4), |job| disturbed(job, json!({"late_ms": 8_000}))).await?;
    println!("late effect, carried on: {cases} changes");
    Ok(())
}

/// The process is killed at the call; its successor goes back at once, before the call has
/// taken effect.
async fn killed_then_back(job: Job, effect: Value) -> Result<(), Error> {
    let case = format!("killed, taken back: {}", name(&job, &effect));
    let mut bench = before(&job, &effect).await?;
    if !bench.killed_at_a_fault().await? {
        return Err(format!("{case}: the call was never made").into());
    }
    let ending = bench.rollback().await?;
    // What is still to come, comes: the rollback has to have waited for it.
    let now_ms = bench.get("clock").await?["now_ms"].as_u64().unwrap_or(0);
    bench.post("clock", &json!({"to_ms": now_ms + 60_000})).await?;
    bench.as_before(Clean::recorded().await?, &ending, &case).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rollback_waits_for_a_call_that_may_still_take_effect() -> Result<(), Error> {
    let clean = Clean::recorded().await?;
    let jobs = every(clean).filter(|(_, backward, _)| !backward);
    let cases = all(some(jobs, 3), |job| killed_then_back(job, json!({"late_ms": 8_000}))).await?;
    println!("late effect, taken back before it: {cases} changes");
    Ok(())
}

/// The process is killed at the call, before or after it took effect, and its successor goes
/// on; it dies in turn some commits later.
async fn killed_then_on(job: Job, effect: &'static str) -> Result<(), Error> {
    let effect = json!(effect);
    let case = format!("killed, carried on: {}", name(&job, &effect));
    let mut bench = before(&job, &effect).await?;
    if !bench.killed_at_a_fault().await? {
        return Err(format!("{case}: the call was never made").into());
    }
    bench.store.die_after(Some(u64::try_from(job.0 % 5)?));
    let again = if job.1 { bench.rollback().await } else { bench.run().await };
    bench.store.die_after(None);
    match again {
        Err(error) if !error.to_string().contains("dead") => Err(error),
        _ => Box::pin(to_the_end(bench, &job, &case)).await,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_killed_at_any_change_is_carried_on() -> Result<(), Error> {
    let clean = Clean::recorded().await?;
    let jobs = every(clean).flat_map(|job| [(job.clone(), "cut"), (job, "lost")]);
    let cases = all(some(jobs, 7), |(job, effect)| killed_then_on(job, effect)).await?;
    println!("killed before or after a change, and again some commits later: {cases} cases");
    assert!(cases > 15);
    Ok(())
}
