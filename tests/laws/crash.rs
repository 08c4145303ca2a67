//! A process that dies at any of its commits, and its successor that dies too: what is
//! carried on ends in the same world, and what is taken back leaves the world as it was.

use crate::some;
use escrr_tests::bench::{Bench, Error};
use escrr_tests::cases::all;
use escrr_tests::tape::{Clean, Cut};

/// How many commits the second process lives for: another number from case to case, so that
/// over all cases it dies early and late in its own work.
fn lives(case: usize) -> u64 {
    let spread = [1, 3, 0, 8, 2, 5, 21, 4, 13, 6, 34, 7];
    spread[case % spread.len()]
}

/// The second process: it dies after some commits, unless it is done before.
async fn second(bench: &mut Bench, backward: bool, case: usize) -> Result<(), Error> {
    bench.store.die_after(Some(lives(case)));
    let ended = if backward { bench.rollback().await } else { bench.run().await };
    bench.store.die_after(None);
    match ended {
        Err(error) if !error.to_string().contains("dead") => Err(error),
        _ => Ok(()),
    }
}

/// Carried on from a cut, with a second death on the way.
async fn carried_on(cut: &'static Cut, case: usize) -> Result<(), Error> {
    let clean = Clean::recorded().await?;
    let mut bench = Bench::after(cut).await?;
    second(&mut bench, false, case).await?;
    let ending = bench.run().await?;
    bench.ended_as(clean, &ending, &cut.place()).await
}

/// Taken back from a cut, with a second death on the way.
async fn taken_back(cut: &'static Cut, case: usize) -> Result<(), Error> {
    let clean = Clean::recorded().await?;
    let mut bench = Bench::after(cut).await?;
    second(&mut bench, true, case).await?;
    let ending = bench.rollback().await?;
    bench.as_before(clean, &ending, &cut.place()).await
}

/// The cuts that have a saga to go on with.
fn begun(cuts: &'static [Cut], written: bool) -> impl Iterator<Item = (usize, &'static Cut)> {
    cuts.iter().filter(move |cut| cut.written == written && !cut.entries.is_empty()).enumerate()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_that_dies_twice_ends_in_the_same_world() -> Result<(), Error> {
    let clean = Clean::recorded().await?;
    let cases = all(begun(&clean.forward, false), |(case, cut)| carried_on(cut, case)).await?;
    println!("crash, run: {cases} commits, each with a second death later");
    assert!(cases > 70);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_that_died_anywhere_can_be_taken_back() -> Result<(), Error> {
    let clean = Clean::recorded().await?;
    let cases =
        all(some(begun(&clean.forward, true), 3), |(case, cut)| taken_back(cut, case)).await?;
    println!("crash, run then rollback: {cases} commits, each with a death in the rollback");
    assert!(cases > 25);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rollback_that_dies_twice_leaves_the_world_as_it_was() -> Result<(), Error> {
    let clean = Clean::recorded().await?;
    // Right before and right after commits in turn.
    let (before, after) = (begun(&clean.backward, false), begun(&clean.backward, true));
    let both = before.zip(after).flat_map(|(before, after)| {
        if before.0 % 2 == 0 { [before, after] } else { [after, before] }
    });
    let cases = all(some(both, 4), |(case, cut)| taken_back(cut, case)).await?;
    println!("crash, rollback: {cases} commits, each with a second death later");
    assert!(cases > 25);
    Ok(())
}
