//! A saga that was begun with another list of steps is not carried on.

use escrr_engine::store::{Store as _, chain};
use escrr_engine::{Entry, Event};
use escrr_tests::bench::{Bench, Error};
use escrr_tests::cases::all;
use escrr_tests::tape::{Clean, Cut};

/// The same journal, begun with another edition.
fn begun_otherwise(entries: &[Entry]) -> Vec<Entry> {
    let mut previous = String::new();
    let mut all = entries.to_vec();
    for entry in &mut all {
        if let Event::Created { edition, .. } = &mut entry.event {
            "0123456789ab".clone_into(edition);
        }
        entry.previous = std::mem::take(&mut previous);
        previous = chain(entry);
    }
    all
}

/// Neither way is gone, and nothing is written or asked.
async fn refused(cut: &'static Cut) -> Result<(), Error> {
    let mut other = cut.clone();
    other.entries = begun_otherwise(&cut.entries);
    for backward in [false, true] {
        let mut bench = Bench::after(&other).await?;
        let ended = if backward { bench.rollback().await } else { bench.run().await };
        let said = ended.err().map(|error| error.to_string()).unwrap_or_default();
        if !said.contains("edition 0123456789ab of the steps") {
            return Err(format!("{}: not refused: {said}", cut.place()).into());
        }
        if bench.store.entries(cut.saga, 1)? != other.entries {
            return Err(format!("{}: the journal was changed", cut.place()).into());
        }
        if !bench.log().await?.is_empty() {
            return Err(format!("{}: something was asked of the cloud", cut.place()).into());
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_saga_of_another_edition_is_refused_and_left_alone() -> Result<(), Error> {
    let clean = Clean::recorded().await?;
    let cuts = clean.forward.iter().chain(&clean.backward).filter(|c| c.written).step_by(9);
    println!("edition: {} journals, both ways", all(cuts, refused).await?);
    Ok(())
}
