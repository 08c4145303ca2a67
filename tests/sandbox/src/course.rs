//! Statuses that change by themselves with time.

use serde::{Deserialize, Serialize};

/// A status that holds until a moment and then becomes another one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Course {
    during: String,
    until_ms: u64,
    after: String,
}

impl Course {
    /// Settled: `status` now and for ever.
    pub fn settled(status: &str) -> Self {
        Self { during: status.to_owned(), until_ms: 0, after: status.to_owned() }
    }

    /// `during` until `until_ms`, then `after`.
    pub fn moving(during: &str, until_ms: u64, after: &str) -> Self {
        Self { during: during.to_owned(), until_ms, after: after.to_owned() }
    }

    /// `during` until `until_ms`, then gone: see [`Course::gone`].
    pub fn leaving(during: &str, until_ms: u64) -> Self {
        Self::moving(during, until_ms, "")
    }

    /// The status at `now_ms`.
    pub fn status(&self, now_ms: u64) -> &str {
        if now_ms < self.until_ms { &self.during } else { &self.after }
    }

    /// Is it between two statuses?
    pub fn in_motion(&self, now_ms: u64) -> bool {
        now_ms < self.until_ms
    }

    /// Has the thing left the world?
    pub fn gone(&self, now_ms: u64) -> bool {
        now_ms >= self.until_ms && self.after.is_empty()
    }
}
