//! An older backup of the home is put back: the cloud is ahead of the journal.

use crate::some;
use escrr_engine::{NodeState, Origin, Phase};
use escrr_tests::bench::{Bench, Error};
use escrr_tests::cases::all;
use escrr_tests::tape::{Clean, Cut, stops};

/// The cloud as the run left it, and the home as it was at an earlier moment.
async fn put_back(cut: &Cut) -> Result<Bench, Error> {
    let mut bench = Bench::after(Clean::recorded().await?.end()?).await?;
    bench.store = cut.store()?;
    Ok(bench)
}

fn moments(clean: &'static Clean) -> impl Iterator<Item = &'static Cut> {
    let all = clean.forward.iter().filter(|cut| cut.written && !cut.entries.is_empty());
    all.take(clean.forward.len() - 1)
}

/// What carries the run's tags, and what hangs on that, is taken back whatever the journal knows.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rollback_takes_back_what_the_journal_does_not_know() -> Result<(), Error> {
    let clean = Clean::recorded().await?;
    let cases = all(some(moments(clean), 9), |cut| async move {
        let case = format!("the home of {}", cut.place());
        let mut bench = put_back(cut).await?;
        let ending = bench.rollback().await?;
        bench.as_before(clean, &ending, &case).await
    });
    println!("older backups, rolled back: {}", cases.await?);
    Ok(())
}

/// A resume knows its own: nothing is created twice, and nothing of it counts as found.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_resume_knows_its_own() -> Result<(), Error> {
    let clean = Clean::recorded().await?;
    let cases = all(some(moments(clean), 9), |cut| async move {
        let case = format!("the home of {}", cut.place());
        let mut bench = put_back(cut).await?;
        let ending = bench.run().await?;
        if ending.saga.phase() != Phase::Succeeded {
            return Err(format!("{case}: {:?}: {:?}", ending.saga.phase(), stops(&ending)).into());
        }
        let found = |nodes: &[NodeState]| {
            let is = |n: &&NodeState| matches!(n, NodeState::Done { origin: Origin::Found, .. });
            nodes.iter().filter(is).count()
        };
        let usual = clean.origins.iter().filter(|origin| *origin == "Found").count();
        let now = found(&ending.saga.nodes);
        if now > usual {
            return Err(format!("{case}: {now} found, {usual} in a clean run").into());
        }
        let ending = bench.rollback().await?;
        bench.as_before(clean, &ending, &case).await
    });
    println!("older backups, resumed: {}", cases.await?);
    Ok(())
}
