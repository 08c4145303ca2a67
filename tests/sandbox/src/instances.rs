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
