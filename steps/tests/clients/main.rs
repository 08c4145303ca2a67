//! The clients against a server that answers as it was told.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may stop where it likes; Clippy's own exception ends at helper functions"
)]

mod cloud;
mod cluster;
mod documents;
mod faults;
mod mutations;
mod server;
mod typed;
mod ways;
