//! Cloud Enterprise Network (Cbn 2017-09-12): networks, transit routers, their attachments and routes.
//!
//! - `cens`, `routers`, `vpc_attachments`, `peer_attachments`, `tables`, `links`, `entries`,
//!   `bandwidth`, `children`: the calls, one file a kind of thing;
//! - `routes`: which routes a transit router's table has, computed from its propagations;
//! - `settle`: what time does by itself, and the routes that attachments publish into VPCs.

mod bandwidth;
mod cens;
mod children;
mod entries;
mod links;
mod peer_attachments;
mod routers;
pub(crate) mod routes;
mod settle;
pub(crate) mod state;
mod tables;
#[cfg(test)]
mod tests;
mod vpc_attachments;

pub use settle::{associated_cens, attachment_exists, inventory, settle, vpc_in_motion};
pub use state::State;

use crate::listing::unknown_action;
use crate::{Answer, Call, World};

/// Answers one call.
pub fn handle(world: &mut World, call: &Call) -> Answer {
    [
        cens::handle,
        routers::handle,
        vpc_attachments::handle,
        peer_attachments::handle,
        tables::handle,
        links::handle,
        entries::handle,
        bandwidth::handle,
        children::handle,
    ]
    .iter()
    .find_map(|part| part(world, call))
    .unwrap_or_else(|| unknown_action(call))
}
