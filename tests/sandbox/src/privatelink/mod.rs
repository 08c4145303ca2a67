//! PrivateLink (2020-04-15): endpoint services, their resources, users and connections.
//!
//! The endpoints of Elasticsearch instances belong to the account of that product: they
//! show here as connections of a service, and the product lists them as its own.
//!
//! - `services`, `resources`, `users`, `connections`: the calls, one file a kind of thing;
//! - `settle`: tags, what time does by itself, and the ledger.

mod connections;
mod resources;
mod services;
mod settle;
pub(crate) mod state;
#[cfg(test)]
mod tests;
mod users;

pub use settle::{inventory, settle};
pub use state::State;

use crate::listing::unknown_action;
use crate::{Answer, Call, World};

/// Answers one call.
pub fn handle(world: &mut World, call: &Call) -> Answer {
    [services::handle, resources::handle, users::handle, connections::handle, settle::handle]
        .iter()
        .find_map(|part| part(world, call))
        .unwrap_or_else(|| unknown_action(call))
}
