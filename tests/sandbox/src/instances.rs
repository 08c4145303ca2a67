//! Elasticsearch instances as the control plane sees them (Elasticsearch 2017-06-13).

use crate::world_file::InstanceFile;
use crate::{Answer, Call, Refusal, World};
use serde::{Deserialize, Serialize};

/// All instances.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct State {}

/// Puts one instance of the world file into the world.
pub fn seed(_world: &mut World, _id: &str, _file: &InstanceFile) {}

/// Answers one call.
pub fn handle(_world: &mut World, call: &Call) -> Answer {
    Err(Refusal::missing("InvalidAction.NotFound", call.action.clone()))
}

/// Lets time pass.
pub fn settle(_world: &mut World) {}

/// Everything of this product that exists.
pub fn inventory(_world: &World) -> Vec<crate::ledger::Thing> {
    Vec::new()
}

/// The private addresses of an instance's domain, seen from a VPC.
pub fn resolve(_world: &World, _domain: &str, _vpc: &str) -> Option<Vec<std::net::Ipv4Addr>> {
    None
}
