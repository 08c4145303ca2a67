//! Lanes: writes that must not run side by side take turns.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::OwnedMutexGuard;

/// All lanes of a process, by name; sagas share them.
#[derive(Debug, Default)]
pub struct Lanes(Mutex<BTreeMap<String, Arc<tokio::sync::Mutex<()>>>>);

impl Lanes {
    /// Waits for a lane and holds it until the guard is dropped.
    pub(crate) async fn enter(&self, name: &str) -> OwnedMutexGuard<()> {
        let lane = {
            let mut lanes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(lanes.entry(name.to_owned()).or_default())
        };
        lane.lock_owned().await
    }
}
