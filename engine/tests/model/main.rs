//! Any history of a saga against a small reference.
//!
//! A case is a random catalog of three to six nodes and a random list of what happens to it:
//! processes begin, go on for a few entries, are interrupted and die between any two commits or
//! around any call; calls are refused, throttled, lost, or take effect when nobody waits for
//! them any more; persons resume, roll back and decide; others make, remove and change things.
//! After every step [`ledger`] reads the journal by its own rules, and the pretend [`world`] says
//! whether anything was done that no journal entry announced, that no look called for, twice, or
//! to what was there before. In the end faults stop, and the saga has to come to its end.
//!
//! `PROPTEST_CASES=20000 cargo test -p escrr-engine --test model` looks harder.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::wildcard_enum_match_arm,
    reason = "a test says what it expects by failing"
)]

mod clock;
mod gate;
mod history;
mod ledger;
mod machine;
mod plan;
mod regressions;
mod steps;
mod things;
mod trouble;
mod world;

use history::Histories;
use proptest::test_runner::Config;
use proptest_state_machine::prop_state_machine;

/// Cases where the environment does not say how many: about ten seconds unoptimised.
const CASES: u32 = 400;

fn config() -> Config {
    let told = Config::default();
    let cases = if told.cases == 256 { CASES } else { told.cases };
    Config { cases, failure_persistence: None, max_shrink_iters: 3_000, ..told }
}

prop_state_machine! {
    #![proptest_config(config())]
    /// Nothing twice, nothing unannounced, nothing of others touched, nothing left, and an end.
    #[test]
    fn every_history_keeps_the_laws(sequential 1..30 => Histories);
}
