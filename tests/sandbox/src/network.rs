//! The network between clusters, computed from what was built.

use crate::World;
use crate::elastic::{Unreachable, Wire};

/// The paths of a world.
#[derive(Debug)]
pub struct Paths<'a>(pub &'a World);

impl Wire for Paths<'_> {
    fn connect(&self, _from: &str, address: &str) -> Result<String, Unreachable> {
        Err(Unreachable {
            kind: "connect_transport_exception".into(),
            reason: format!("[][{address}] connect_timeout[30s]"),
        })
    }

    fn duration_ms(&self, name: &str) -> u64 {
        self.0.durations.ms(name)
    }
}
