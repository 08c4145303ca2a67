//! The whole state of the pretend world.
//!
//! Each product owns one struct of it and may read the others. Handlers are plain
//! functions `fn(&mut World, &Call) -> Answer`; they never touch sockets, files or
//! the clock: `now_ms` is set before each call.

use crate::{Durations, WorldFile, cbn, elastic, instances, nlb, privatelink, vpc};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Everything that exists, and when "now" is.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct World {
    /// Milliseconds since the Unix epoch, in the world's own time.
    pub now_ms: u64,
    /// Source of ids: they repeat from run to run of the same calls.
    pub next_id: u64,
    /// VPCs, vSwitches, VPC route tables.
    pub vpc: vpc::State,
    /// Elasticsearch instances as the control plane sees them.
    pub instances: instances::State,
    /// The clusters in those instances.
    pub elastic: elastic::State,
    /// How long things take.
    pub durations: Durations,
    /// Cloud enterprise networks and transit routers.
    pub cbn: cbn::State,
    /// Network load balancers.
    pub nlb: nlb::State,
    /// Endpoint services and endpoints.
    pub privatelink: privatelink::State,
    /// The file that the world was made from.
    pub file: WorldFile,
    /// Services opened since then: `Cbn`, `PrivateLink`.
    pub activated: BTreeSet<String>,
}

impl World {
    /// A fresh id, `prefix` and a number: `cen-0000000042`.
    pub fn fresh_id(&mut self, prefix: &str) -> String {
        self.next_id += 1;
        format!("{prefix}-{:010x}", self.next_id.wrapping_mul(0x9e37_79b9) & 0xff_ffff_ffff)
    }
}
