//! Answers that are a little wrong: nothing panics, and nothing is taken for done that is not.
//!
//! A real run is stopped at many places. At each, every node is looked at: once with true
//! answers, then again and again with answers of which one place is missing, null or of another
//! kind, those of every product and of both clusters among them. `ESCRR_GARBLED` says how many
//! answers are garbled in all.

use escrr_engine::VirtualClock;
use escrr_engine::survey::{Known, Verdict, leftovers, survey};
use escrr_steps::catalog::catalog;
use escrr_tests::bench::{Bench, Error};
use escrr_tests::tape::{Clean, Cut};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};

/// Garbled answers unless the environment says otherwise.
const USUAL: u64 = 10_000;
/// Places of the run at which it is stopped.
const PLACES: usize = 16;

#[expect(clippy::disallowed_methods, reason = "a test is told by its environment how much to do")]
fn wanted() -> u64 {
    std::env::var("ESCRR_GARBLED").ok().and_then(|text| text.parse().ok()).unwrap_or(USUAL)
}

/// The nodes that a survey takes for done, by name.
async fn done(bench: &Bench, cut: &Cut) -> Result<BTreeMap<String, Verdict>, Error> {
    let catalog = catalog()?;
    let known = Known::of_journal(cut.saga, &cut.entries);
    // The world's time stands still: what is not done does not become it meanwhile.
    let clock = VirtualClock::new(bench.get("clock").await?["now_ms"].as_u64().unwrap_or(0));
    let world = bench.world()?;
    let verdicts = survey(&catalog, &world, &known, &clock, &|_| false).await;
    leftovers(&catalog, &world, &known, &clock).await;
    let named = catalog.about().iter().zip(verdicts);
    let done = named.filter(|(_, verdict)| verdict.output().is_some());
    Ok(done.map(|(about, verdict)| (about.id.to_string(), verdict)).collect())
}

/// How many answers were garbled so far, by the sandbox's own count.
async fn garbled(bench: &Bench) -> Result<u64, Error> {
    Ok(bench.get("fault").await?[0]["hit"].as_u64().unwrap_or(0))
}

/// Looks at one place until so many answers were garbled; gives how many, and whose.
async fn at_place(cut: &Cut, most: u64) -> Result<(u64, BTreeSet<String>, Vec<String>), Error> {
    let bench = Bench::after(cut).await?;
    let truly = done(&bench, cut).await?;
    let (mut count, mut wrong, mut seed) = (0, Vec::new(), 0_u64);
    while count < most {
        seed += 1;
        let order = json!({"mutating": false, "chance": 0.4, "effect": {"garbled": seed}});
        bench.post("fault", &order).await?;
        for (node, verdict) in done(&bench, cut).await? {
            if !truly.contains_key(&node) {
                let place = cut.place();
                wrong.push(format!("{place}, seed {seed}: {node} is taken for done: {verdict:?}"));
            }
        }
        count += garbled(&bench).await?;
        bench.clear_faults().await?;
    }
    let products = bench.log().await?.into_iter().map(|line| line.product).collect();
    Ok((count, products, wrong))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_garbled_answer_is_never_taken_for_done() -> Result<(), Error> {
    let clean = Clean::recorded().await?;
    let cuts: Vec<&Cut> =
        clean.forward.iter().step_by((clean.forward.len() / PLACES).max(1)).collect();
    let each = wanted().div_ceil(cuts.len() as u64);
    let (mut count, mut products, mut wrong) = (0, BTreeSet::new(), Vec::new());
    for cut in cuts {
        let (more, whose, bad) = at_place(cut, each).await?;
        count += more;
        products.extend(whose);
        wrong.extend(bad);
    }
    println!("garbled: {count} answers of {products:?}");
    assert!(wrong.is_empty(), "{} looks were fooled:\n{}", wrong.len(), wrong.join("\n"));
    assert!(count >= wanted());
    let all = ["Cbn", "Ecs", "Elasticsearch", "Es", "Nlb", "PrivateLink", "Sts", "Vpc"];
    assert_eq!(products, all.map(str::to_owned).into());
    Ok(())
}
