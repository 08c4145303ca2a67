//! Cross-cluster replication.
//!
//! A follower restores a copy of its leader, then reads the leader's numbered
//! operations for ever. Everything goes through the remote connection of the
//! follower's cluster; a lease on the leader keeps the history that is not read yet.
//!
//! - [`follow`], [`life`]: the calls that make a follower and lead it through its life.
//! - [`auto`], [`auto_rest`]: patterns that make followers of new leader indices.
//! - [`replicate`]: what happens as time passes.
//! - [`report`], [`forget`]: what is said about it, and how the leader forgets.

pub(crate) mod auto;
pub(crate) mod auto_rest;
pub(crate) mod follow;
pub(crate) mod forget;
mod leader;
pub(crate) mod life;
mod params;
pub(crate) mod replicate;
pub(crate) mod report;
mod task;

pub(crate) use auto::{AutoFollow, Pattern};
pub(crate) use task::Follow;
