//! Requests that were not answered and whose effect is still to come.

use super::exchange::Entry;
use crate::World;
use std::collections::BTreeMap;
use std::fmt;

/// Applies a request and gives the word for the log.
pub(super) type Effect = Box<dyn FnOnce(&mut World) -> String + Send>;

/// One request under way.
pub(super) struct Due {
    /// When it takes effect, in milliseconds of the world's time.
    pub(super) at_ms: u64,
    /// What the log says of it.
    pub(super) entry: Entry,
    /// What it does.
    pub(super) effect: Effect,
}

impl fmt::Debug for Due {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Due")
            .field("at_ms", &self.at_ms)
            .field("entry", &self.entry)
            .finish_non_exhaustive()
    }
}

/// All requests under way, in the order in which they take effect.
#[derive(Debug, Default)]
pub(super) struct Late {
    next: u64,
    waiting: BTreeMap<(u64, u64), Due>,
}

impl Late {
    /// Holds a request back.
    pub(super) fn hold(&mut self, due: Due) {
        self.next += 1;
        self.waiting.insert((due.at_ms, self.next), due);
    }

    /// The next request that takes effect by `now_ms`.
    pub(super) fn due(&mut self, now_ms: u64) -> Option<Due> {
        let first = self.waiting.first_entry()?;
        (first.key().0 <= now_ms).then(|| first.remove())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_late_comes_in_the_order_of_its_time() {
        let mut late = Late::default();
        for at_ms in [30, 10, 20, 10] {
            late.hold(Due { at_ms, entry: Entry::default(), effect: Box::new(|_| "ok".into()) });
        }
        assert!(late.due(9).is_none());
        let order: Vec<u64> = std::iter::from_fn(|| late.due(25)).map(|due| due.at_ms).collect();
        assert_eq!(order, [10, 10, 20]);
        assert!(late.due(30).is_some());
    }
}
