//! One primary shard: documents, numbered operations and retention leases.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// One primary shard and the history of its operations.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Shard {
    /// History id: changes when the order of operations can no longer be trusted.
    pub(crate) history: String,
    /// Operations by sequence number; superseded ones stay while a lease retains them.
    ops: BTreeMap<u64, Op>,
    /// The last operation of each document.
    last: BTreeMap<String, u64>,
    /// The next sequence number.
    pub(crate) next_seq: u64,
    /// Operations below it may be incomplete.
    min_retained: u64,
    pub(crate) leases: BTreeMap<String, Lease>,
}

/// One operation.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Op {
    pub(crate) id: String,
    pub(crate) version: u64,
    pub(crate) at_ms: u64,
    /// The document; absent when the operation is a deletion.
    pub(crate) source: Option<Value>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) routing: Option<String>,
}

/// A follower's claim on the history.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Lease {
    pub(crate) retaining: u64,
    pub(crate) renewed_ms: u64,
}

impl Shard {
    /// An empty shard.
    pub(crate) fn new(history: String) -> Self {
        Self {
            history,
            ops: BTreeMap::new(),
            last: BTreeMap::new(),
            next_seq: 0,
            min_retained: 0,
            leases: BTreeMap::new(),
        }
    }

    /// The highest sequence number; −1 when nothing was ever written.
    pub(crate) fn checkpoint(&self) -> i64 {
        i64::try_from(self.next_seq).unwrap_or(i64::MAX) - 1
    }

    /// The last operation of a document, a deletion too.
    pub(crate) fn last_op(&self, id: &str) -> Option<(u64, &Op)> {
        let seq = *self.last.get(id)?;
        Some((seq, self.ops.get(&seq)?))
    }

    /// A document that exists: sequence number and operation.
    pub(crate) fn doc(&self, id: &str) -> Option<(u64, &Op)> {
        self.last_op(id).filter(|(_, op)| op.source.is_some())
    }

    /// Documents in the order of their sequence numbers.
    pub(crate) fn docs(&self) -> impl Iterator<Item = (u64, &Op)> {
        self.ops
            .iter()
            .filter(|(seq, op)| op.source.is_some() && self.last.get(&op.id) == Some(seq))
            .map(|(seq, op)| (*seq, op))
    }

    /// How many documents there are.
    pub(crate) fn count(&self) -> usize {
        self.docs().count()
    }

    /// Superseded operations and tombstones that are still kept.
    pub(crate) fn deleted(&self) -> usize {
        self.ops.len() - self.count()
    }

    /// Writes the next operation and gives its sequence number.
    pub(crate) fn write(&mut self, op: Op) -> u64 {
        let seq = self.next_seq;
        self.apply(seq, op);
        seq
    }

    /// Writes an operation that already has its number: a follower's way.
    pub(crate) fn apply(&mut self, seq: u64, op: Op) {
        let before = self.last.insert(op.id.clone(), seq);
        // What lies below the mark is kept only because it was the last word on its document.
        if let Some(before) = before.filter(|b| *b < self.min_retained) {
            self.ops.remove(&before);
        }
        self.ops.insert(seq, op);
        self.next_seq = self.next_seq.max(seq + 1);
        self.trim();
    }

    /// Operations from a number on; `None` when the history is not complete any more.
    pub(crate) fn operations_from(&self, seq: u64) -> Option<impl Iterator<Item = (u64, &Op)>> {
        let complete = seq >= self.min_retained || seq >= self.next_seq;
        complete.then(|| self.ops.range(seq..).map(|(seq, op)| (*seq, op)))
    }

    /// A copy of what a bootstrap reads: every operation not younger than `until_ms`.
    pub(crate) fn copy_until(&self, until_ms: u64, now_ms: u64) -> Self {
        let mut copy = Self::new(self.history.clone());
        for (seq, op) in self.ops.iter().take_while(|(_, op)| op.at_ms <= until_ms) {
            copy.last.insert(op.id.clone(), *seq);
            copy.ops.insert(*seq, Op { at_ms: now_ms, ..op.clone() });
            copy.next_seq = *seq + 1;
        }
        if copy.ops.len() == self.ops.len() {
            copy.next_seq = self.next_seq;
        }
        copy.trim();
        copy
    }

    /// Changes what is held of a document without an operation, as nothing in replication does:
    /// another content, or none at all; says whether the document was there.
    pub(crate) fn alter(&mut self, id: &str, source: Option<Value>) -> bool {
        let Some(seq) = self.doc(id).map(|(seq, _)| seq) else { return false };
        if source.is_none() {
            self.ops.remove(&seq);
            self.last.remove(id);
        } else if let Some(op) = self.ops.get_mut(&seq) {
            op.source = source;
        }
        true
    }

    /// Adds or renews a lease.
    pub(crate) fn renew(&mut self, id: &str, retaining: u64, now_ms: u64) {
        let retaining = retaining.max(self.leases.get(id).map_or(0, |l| l.retaining));
        self.leases.insert(id.to_owned(), Lease { retaining, renewed_ms: now_ms });
        self.trim();
    }

    /// Removes a lease; says whether it was there.
    pub(crate) fn forget(&mut self, id: &str) -> bool {
        let found = self.leases.remove(id).is_some();
        self.trim();
        found
    }

    /// Drops leases that were not renewed for `period_ms`.
    pub(crate) fn expire(&mut self, period_ms: u64, now_ms: u64) {
        let before = self.leases.len();
        self.leases.retain(|_, l| l.renewed_ms.saturating_add(period_ms) >= now_ms);
        if self.leases.len() != before {
            self.trim();
        }
    }

    /// Lets go of superseded operations that no lease retains.
    fn trim(&mut self) {
        let claimed = self.leases.values().map(|l| l.retaining).min();
        let to = claimed.unwrap_or(self.next_seq).min(self.next_seq);
        if to <= self.min_retained {
            return;
        }
        let passed: Vec<(u64, String, bool)> = self
            .ops
            .range(self.min_retained..to)
            .filter(|(seq, op)| op.source.is_none() || self.last.get(&op.id) != Some(seq))
            .map(|(seq, op)| (*seq, op.id.clone(), op.source.is_none()))
            .collect();
        for (seq, id, tombstone) in passed {
            if tombstone && self.last.get(&id) == Some(&seq) {
                self.last.remove(&id);
            }
            self.ops.remove(&seq);
        }
        self.min_retained = to;
    }
}
