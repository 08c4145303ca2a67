//! Cloud Enterprise Network (Cbn 2017-09-12).

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

/// The CENs that a VPC is attached to, with the status of each.
pub fn associated_cens(_world: &World, _vpc: &str) -> Vec<(String, String)> {
    Vec::new()
}

/// Is an attachment of the VPC being made, changed or taken away?
pub fn vpc_in_motion(_world: &World, _vpc: &str) -> bool {
    false
}

/// Is there an attachment of that id?
pub fn attachment_exists(_world: &World, _id: &str) -> bool {
    false
}
