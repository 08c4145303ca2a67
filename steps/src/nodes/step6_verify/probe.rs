//! The probe: an index of our own on the leader that the auto-follow pattern has to catch.

use crate::World;
use crate::nodes::step5_replication::{follower_name, matches};
use escrr_engine::SagaId;
use serde::{Deserialize, Serialize};

/// The probe's names and what was measured with it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Probe {
    /// The index on the leader.
    pub leader: String,
    /// The index on the follower.
    pub follower: String,
    /// From the last write on the leader until the follower showed it, in milliseconds;
    /// the pause between two looks is part of it.
    pub latency_ms: u64,
}

/// The probe of a saga, if a pattern can catch one and the spec wants it.
pub(super) fn probe(world: &World, saga: SagaId) -> Option<Probe> {
    if !world.spec.verify.probe {
        return None;
    }
    let tail: String = saga.to_string().chars().rev().take(8).collect();
    // No second dash: index templates for `logs-*-*` and the like would claim the name.
    let mark = format!("escrr_probe_{tail}");
    let excluded = |name: &str| world.spec.exclusions().iter().any(|p| matches(p, name));
    let leader = world
        .spec
        .patterns()
        .iter()
        .filter(|p| p.contains('*'))
        .map(|p| p.replacen('*', &mark, 1).replace('*', ""))
        .find(|name| !excluded(name))?;
    let follower = follower_name(&world.spec, &leader);
    Some(Probe { leader, follower, latency_ms: 0 })
}
