//! What is on the disk when the power goes: the real binary is recorded by a library that is
//! loaded into it, and its record is cut at any moment; or the disk gives up in the middle.

#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test says what it expects by failing, and what it counted by printing"
)]

mod acknowledged;
mod cut;
mod disk;
#[path = "../e2e/env.rs"]
#[expect(dead_code, reason = "the other tests need more of it")]
mod env;
mod order;
mod random;
mod record;
mod refused;

/// The recorder, or a line that says why there is none.
fn recorder() -> Option<record::Recorder> {
    record::Recorder::new().map_err(|why| println!("skipped: {why}")).ok()
}
