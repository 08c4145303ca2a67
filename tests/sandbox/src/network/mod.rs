//! The network between clusters, computed from what was built in the cloud.
//!
//! A connection from a follower goes, hop by hop: domain, endpoint, endpoint service,
//! load balancer, listener, server, routes there and back, allow list, port. The first
//! hop that does not hold decides what the caller sees, as it would on the wire.
//!
//! - `hop`: a hop, what its break does, and the trail that collects them;
//! - `way`: from one VPC to an address in another, by route tables and attachments;
//! - `chain`: the whole chain, and [`explain`];
//! - `health`: the same chain as the health checks of a listener see it;
//! - `paths`: the chain as clusters see it, in their own words.

#[cfg(test)]
mod breaks;
mod chain;
mod health;
mod hop;
mod paths;
#[cfg(test)]
pub(crate) mod stage;
#[cfg(test)]
mod tests;
mod way;

pub use chain::explain;
pub(crate) use health::probe;
pub use health::{Backend, Health, backend_health};
pub use hop::Hop;
pub use paths::Paths;
