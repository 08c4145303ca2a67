//! Elasticsearch instances as the control plane sees them (Elasticsearch 2017-06-13, ROA).
//!
//! Calls are named by their OpenAPI action; path parameters are `InstanceId` and
//! `EndpointId`, the query is in the parameters, the body is JSON.
//!
//! - `describe`: reads, description, nodes, health;
//! - `allow_lists`: groups of addresses that may connect;
//! - `doors`: public networks switched on and off, and whom the lists admit;
//! - `invoke`: requests to the cluster, carried by the OpenAPI;
//! - `endpoints`: private connections;
//! - `tags`: tags of instances;
//! - `seed`: how an instance comes from the world file, and where its domain leads.

mod allow_lists;
mod describe;
mod doors;
mod endpoints;
mod invoke;
mod seed;
pub(crate) mod state;
mod tags;
#[cfg(test)]
mod tests;

pub(crate) use doors::{admits_caller, has_public_kibana, is_open};
pub use seed::{inventory, move_addresses, resolve, seed, settle};
pub use state::State;

use crate::listing::unknown_action;
use crate::{Answer, Call, World};

/// Answers one call.
pub fn handle(world: &mut World, call: &Call) -> Answer {
    let parts = [
        describe::handle,
        allow_lists::handle,
        doors::handle,
        endpoints::handle,
        invoke::handle,
        tags::handle,
    ];
    parts.iter().find_map(|part| part(world, call)).unwrap_or_else(|| unknown_action(call))
}
