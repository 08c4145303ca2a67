//! How far followers are behind their leader, and what keeps them from coming nearer.
//!
//! [`ask()`] gathers what both clusters say of a link ([`Said`]); [`measure()`] makes of it one
//! [`IndexLag`] an index, and [`judge()`] holds that against [`Limits`] and gives [`Finding`]s.
//! The last two are pure: whoever has the answers already may call them without a cluster.
//! [`catch_up()`] proves a lag in time instead of estimating it.
//!
//! | file | what |
//! |---|---|
//! | `ask` | the calls, and which pairs of indices belong to the link |
//! | `measure` | checkpoints, times and leases as numbers |
//! | `judge` | the numbers against limits |
//! | `catch_up` | how long the follower takes to have what the leader had |
//! | `finding` | what is wrong, what it means, what comes next |

mod ask;
mod catch_up;
mod finding;
mod judge;
mod measure;
#[cfg(test)]
mod odd_answers;

pub use ask::{Link, Said, ask};
pub use catch_up::catch_up;
pub use finding::{Finding, Kind};
pub use judge::{Limits, auto_follow, judge};
pub use measure::{IndexLag, State, behind, caught_up, measure, operations, same_shards};

pub(crate) use ask::patiently;
pub(crate) use finding::anew;
