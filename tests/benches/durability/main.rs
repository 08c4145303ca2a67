//! How near durable steps come to what the disk can do: `docs/performance.md` has the figures.
//!
//! `cargo bench -p escrr-tests --bench durability` prints absolute figures, and ratios to
//! two floors measured in the same round on the same disk: a bare write and sync, and a bare
//! group commit. Settings, all from the environment:
//!
//! - `ESCRR_BENCH_DIR`: a directory on the disk under test (default: under `target/`);
//! - `ESCRR_BENCH_ROUNDS`: how often everything is measured (3);
//! - `ESCRR_BENCH_PARTS`: some of `floor,store,home,memory,reading` (all);
//! - `ESCRR_BENCH_SAGAS`: how many finished sagas there are to read (10000).

mod floor;
mod measure;
mod reading;
mod steps;
mod table;
mod transitions;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use table::Table;

/// Anything that goes wrong ends the bench.
pub(crate) type Error = Box<dyn std::error::Error + Send + Sync>;

/// Set for a child that is to be `escrr` and to say at its end how much memory it took.
const CHILD: &str = "ESCRR_BENCH_CHILD";

fn main() -> ExitCode {
    if setting(CHILD).is_some() {
        return reading::as_escrr();
    }
    let done = match std::env::args().skip_while(|a| a != reading::OPEN).nth(1) {
        Some(home) => reading::as_opener(Path::new(&home)),
        None => run(),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            measure::complain(&format!("the bench failed: {error}"));
            ExitCode::FAILURE
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "the bench's own settings, read in this one place")]
fn setting(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

fn number(name: &str, default: usize) -> Result<usize, Error> {
    Ok(setting(name).map(|text| text.parse()).transpose()?.unwrap_or(default))
}

fn run() -> Result<(), Error> {
    let parts = setting("ESCRR_BENCH_PARTS");
    let wanted =
        |part: &str| parts.as_ref().is_none_or(|named| named.split(',').any(|p| p == part));
    let rounds = number("ESCRR_BENCH_ROUNDS", 3)?;
    let parent = setting("ESCRR_BENCH_DIR")
        .map_or_else(|| PathBuf::from(env!("CARGO_TARGET_TMPDIR")), PathBuf::from);
    let folder = tempfile::Builder::new().prefix("durability-").tempdir_in(parent)?;
    let mut table = Table::default();
    for round in 0..rounds {
        measure::complain(&format!("round {} of {rounds}", round + 1));
        let floors = floor::measure(folder.path(), &mut table)?;
        if wanted("store") {
            transitions::measure(folder.path(), &floors, &mut table)?;
        }
        if wanted("home") {
            steps::over_home(folder.path(), &floors, &mut table)?;
        }
        if wanted("memory") {
            steps::over_memory(&mut table)?;
        }
    }
    if wanted("reading") {
        measure::complain("filling a home with finished sagas");
        let sagas = number("ESCRR_BENCH_SAGAS", 10_000)?;
        reading::measure(folder.path(), sagas, rounds, &mut table)?;
    }
    measure::say(&table.to_string());
    Ok(())
}
