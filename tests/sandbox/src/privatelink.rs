//! PrivateLink (2020-04-15).

use crate::ledger::Thing;
use crate::{Answer, Call, Refusal, World};
use serde::{Deserialize, Serialize};

/// All of it.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct State {}

/// Answers one call.
pub fn handle(_world: &mut World, call: &Call) -> Answer {
    Err(Refusal::missing("InvalidAction.NotFound", call.action.clone()))
}

/// Lets time pass.
pub fn settle(_world: &mut World) {}

/// Everything of this product that exists.
pub fn inventory(_world: &World) -> Vec<Thing> {
    Vec::new()
}
