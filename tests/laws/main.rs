//! Laws over the whole catalog, with the real clients over real HTTP against the sandbox.
//!
//! Most laws go on from a recorded run ([`escrr_tests::tape`]): they hold for every step that
//! the catalog has, and for the next one too. Where every case would take minutes, an even
//! spread is tried; `ESCRR_LAWS=all cargo test --test laws` tries them all, in about five
//! minutes on two cores.

#![expect(clippy::indexing_slicing, reason = "a member that JSON lacks reads as null")]

mod backup;
mod calls;
mod clean;
mod codes;
mod crash;
mod doctor;
mod drift;
mod edition;
mod found;
mod garbled;
mod hostile;
mod indices;
mod lists;
mod looks;
mod pace;
mod refusals;
mod shared;
mod side_paths;
mod storm;
mod time;
mod unwind;
mod ways;
mod worlds;

/// The environment variable that asks for every case: `ESCRR_LAWS=all cargo test --test laws`.
const WHICH: &str = "ESCRR_LAWS";

/// Every `step`-th job from the first on, or all of them where all are asked for: the laws
/// are to cost seconds with every change, and minutes before a release.
#[expect(clippy::disallowed_methods, reason = "a test is told by its environment how much to do")]
fn some<J>(jobs: impl IntoIterator<Item = J>, step: usize) -> impl Iterator<Item = J> {
    let all = std::env::var_os(WHICH).is_some_and(|which| which == "all");
    jobs.into_iter().step_by(if all { 1 } else { step })
}
