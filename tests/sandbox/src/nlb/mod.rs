//! Network Load Balancer (Nlb 2022-04-30): server groups, load balancers, listeners, health.
//!
//! - `groups`, `servers`, `balancers`, `listeners`: the calls, one file a kind of thing;
//! - `health`: what the health checks say, by the computed network;
//! - `jobs`: jobs, tags, regions and zones, and what time does by itself.

mod balancers;
mod groups;
mod health;
mod jobs;
mod listeners;
mod servers;
pub(crate) mod state;
#[cfg(test)]
mod tests;

pub(crate) use health::reported;
pub use jobs::{inventory, settle};
pub use state::State;

use crate::listing::unknown_action;
use crate::{Answer, Call, World};

/// Answers one call.
pub fn handle(world: &mut World, call: &Call) -> Answer {
    [
        groups::handle,
        servers::handle,
        balancers::handle,
        listeners::handle,
        health::handle,
        jobs::handle,
    ]
    .iter()
    .find_map(|part| part(world, call))
    .unwrap_or_else(|| unknown_action(call))
}
