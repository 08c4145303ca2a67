//! Laws over the whole catalog, with the real clients over real HTTP against the sandbox.

#![expect(clippy::indexing_slicing, reason = "a member that JSON lacks reads as null")]

mod calls;
mod clean;
mod crash;
mod drift;
mod edition;
mod found;
mod looks;
mod pace;
mod refusals;
mod time;
mod unwind;
mod worlds;
