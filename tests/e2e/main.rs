//! The real binary, as a process, against the sandbox, as another one.

#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test says what it expects by failing"
)]

mod browser;
mod credentials;
mod env;
mod golden;
mod input;
mod killed;
mod leader_address;
mod manner;
mod policy;
#[path = "../power/random.rs"]
mod random;
mod random_kills;
mod refused;
mod screens;
mod secrets;
mod seeing;
mod selftest;
mod store;
mod together;
mod ways;
mod whole;
