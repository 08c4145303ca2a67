//! What goes wrong while nothing is done but waiting: credentials run out, the clock is set.

use crate::some;
use escrr_engine::{Class, Phase};
use escrr_tests::bench::{Bench, Error};
use escrr_tests::cases::all;
use escrr_tests::jump::Jump;
use escrr_tests::tape::{Clean, Cut, stops};
use serde_json::json;

/// From this cut on the credentials are no longer valid; later they are renewed.
async fn expired(cut: &'static Cut) -> Result<(), Error> {
    let clean = Clean::recorded().await?;
    let case = format!("expired {}", cut.place());
    let mut bench = Bench::after(cut).await?;
    for product in ["Cbn", "Vpc", "Ecs", "Nlb", "PrivateLink", "Elasticsearch", "Sts"] {
        bench.post("fault", &json!({"product": product, "effect": "expire_credentials"})).await?;
    }
    let ending = bench.run().await?;
    if ending.saga.phase() == Phase::Succeeded {
        // What was left to do is the clusters' alone, which know no such credentials.
        return bench.ended_as(clean, &ending, &case).await;
    }
    let classes: Vec<Class> =
        ending.saga.nodes.iter().filter_map(|n| n.stop()).map(|s| s.class).collect();
    if ending.saga.phase() != Phase::Parked || classes.iter().any(|c| *c != Class::Permission) {
        return Err(format!("{case}: {:?}: {:?}", ending.saga.phase(), stops(&ending)).into());
    }
    // The world goes on while a person looks for the new credentials.
    bench.pass(3_600_000).await?;
    bench.clear_faults().await?;
    let ending = bench.run().await?;
    bench.ended_as(clean, &ending, &case).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn credentials_that_expire_park_the_saga_until_they_are_renewed() -> Result<(), Error> {
    let clean = Clean::recorded().await?;
    // Every moment at which something is announced or a wait has ended, from the first on.
    let cuts = clean.forward.iter().filter(|c| c.written && c.entries.len() > 1);
    println!("expired credentials: {} moments", all(some(cuts, 9), expired).await?);
    Ok(())
}

/// The clock of the process is set anew in the middle of a wait; the world's is not.
async fn set_anew(cut: &'static Cut, by_ms: i64, backward: bool) -> Result<(), Error> {
    let clean = Clean::recorded().await?;
    let case = format!("the clock set by {by_ms} ms {}", cut.place());
    let mut bench = Bench::after(cut).await?;
    bench.jump = Some(Jump { at_ms: cut.world.now_ms + 1_500, by_ms });
    if backward {
        let ending = bench.rollback().await?;
        return bench.as_before(clean, &ending, &case).await;
    }
    let ending = bench.run().await?;
    bench.ended_as(clean, &ending, &case).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clock_that_is_set_anew_throws_nothing_away() -> Result<(), Error> {
    const HOURS: i64 = 5 * 3_600_000;
    const MINUTES: i64 = 7 * 60_000;
    let clean = Clean::recorded().await?;
    let on = |cut: &&Cut| cut.written && cut.entries.len() > 1;
    let forward = clean.forward.iter().filter(on).enumerate().map(|(n, c)| (n, c, false));
    let backward = clean.backward.iter().filter(on).enumerate().map(|(n, c)| (n, c, true));
    let jobs = some(forward.chain(backward), 9)
        .map(|(n, cut, back)| (cut, if n % 2 == 0 { HOURS } else { -MINUTES }, back));
    println!("clock set anew: {} moments", all(jobs, |(c, by, back)| set_anew(c, by, back)).await?);
    Ok(())
}
