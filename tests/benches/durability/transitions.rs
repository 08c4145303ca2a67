//! Transitions through the committer over a home on disk.

use crate::Error;
use crate::floor;
use crate::measure::{median, micros, now, rate};
use crate::table::{Figure, Table, Wanted};
use escrr_engine::store::{Committer, Holder, Home};
use escrr_engine::{Entry, Event, SagaId, Sealed};
use std::path::Path;

/// Writers, and how many entries each adds in a round.
const LOADS: [(usize, usize); 4] = [(1, 1_000), (16, 500), (64, 250), (256, 100)];

/// Measures transitions in a home of its own for each number of writers.
pub(crate) fn measure(folder: &Path, table: &mut Table) -> Result<(), Error> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    for (writers, each) in LOADS {
        let floors = floor::measure(folder, table)?;
        let folder = tempfile::tempdir_in(folder)?;
        let home = Home::open(&folder.path().join("home"), &Holder::default())?;
        let committer = Committer::start(home)?;
        let (times, per_second) = runtime.block_on(load(&committer, writers, each))?;
        let mut add = |name: String, unit, value, floor| {
            let (part, wanted) = ("Transitions over the store on disk", Wanted::Nothing);
            table.add(Figure { part, name, unit, value, floor: Some(floor), wanted });
        };
        add(
            format!("{writers} writers: p50 (floor: one sync)"),
            "µs",
            median(times),
            floors.sync_us,
        );
        let name = format!("{writers} writers (floor: group commit of 64)");
        add(name, "transitions/s", per_second, floors.group);
    }
    Ok(())
}

/// Every transition's time in µs, and how many there were in a second.
async fn load(
    committer: &Committer,
    writers: usize,
    each: usize,
) -> Result<(Vec<f64>, f64), Error> {
    let begun = now();
    let mut tasks = tokio::task::JoinSet::new();
    for writer in 0..writers {
        let committer = committer.clone();
        let saga = SagaId::new(1_700_000_000_000 + writer as u64, [3; 10]);
        tasks.spawn(async move {
            let mut previous = String::new();
            let mut times = Vec::with_capacity(each);
            for version in 1..=each as u64 {
                let entry = Sealed::new(entry(version, previous));
                previous = entry.hash();
                let begun = now();
                committer.append(saga, entry).await?;
                times.push(micros(begun.elapsed()));
            }
            Ok::<Vec<f64>, Error>(times)
        });
    }
    let mut all = Vec::new();
    for times in tasks.join_all().await {
        all.append(&mut times?);
    }
    let per_second = rate(all.len(), begun.elapsed());
    Ok((all, per_second))
}

/// An entry of about 200 bytes with what surrounds it.
fn entry(version: u64, previous: String) -> Entry {
    let event = if version == 1 {
        Event::Created {
            link: "link".into(),
            spec: String::new(),
            spec_digest: String::new(),
            edition: "bench".into(),
            program: "bench".into(),
            world: "bench".into(),
            world_id: None,
            actor: escrr_engine::Actor::default(),
        }
    } else {
        Event::Intended {
            node: "network.attachment".into(),
            generation: 1,
            token: "escrr-0123456789abcdef0123456789abcdef".into(),
            items: vec![String::new()],
        }
    };
    Entry { version, at_ms: 1_700_000_000_000 + version, previous, event }
}
