//! Answers that are older than the world: copies of it, and reads from them.

use super::exchange::{Entry, Way};
use super::{Desk, Reply};

/// How many copies are kept: more than there are changes in the longest lag that is ordered.
const MOST_COPIES: usize = 64;

impl Desk {
    /// Keeps the world as it is before a change, while an order asks for it.
    pub(super) fn keep_copy(&mut self, entry: &Entry) {
        if entry.mutating && self.world.faults.wants_copies() {
            if self.copies.len() >= MOST_COPIES {
                self.copies.pop_front();
            }
            self.copies.push_back(Box::new(self.world.clone()));
        }
    }

    /// A read sees the world as it was before the last change.
    pub(super) fn stale(&mut self, entry: &Entry, way: &Way<'_>) -> (Reply, String) {
        match self.copies.back() {
            Some(before) if !entry.mutating => (way.apply)(&mut (**before).clone()),
            Some(_) | None => self.apply(entry, way),
        }
    }

    /// A read sees the world as it was that long ago.
    pub(super) fn lagging(&mut self, entry: &Entry, way: &Way<'_>, ms: u64) -> (Reply, String) {
        let then_ms = self.world.now_ms.saturating_sub(ms);
        match self.copies.iter().find(|copy| copy.now_ms > then_ms) {
            Some(then) if !entry.mutating => (way.apply)(&mut (**then).clone()),
            Some(_) | None => self.apply(entry, way),
        }
    }

    /// The answer to a read has fewer rows than there are.
    pub(super) fn rewritten(
        &mut self,
        entry: &Entry,
        way: &Way<'_>,
        rewrite: fn(&[u8]) -> Vec<u8>,
    ) -> (Reply, String) {
        let (mut reply, word) = self.apply(entry, way);
        if !entry.mutating && reply.status == 200 {
            reply.body = rewrite(&reply.body);
        }
        (reply, word)
    }
}
