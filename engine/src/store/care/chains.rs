//! Holds every saga's entries against its hash chain, from version 1 to its head.

use super::finding::Finding;
use super::walk::{Spot, Visit};
use crate::id::SagaId;
use crate::sealed::Sealed;
use crate::store::{Append, Head, advance};
use std::collections::BTreeMap;

/// The chains as far as they were followed.
#[derive(Debug, Default)]
pub(super) struct Chains {
    pub(super) heads: BTreeMap<SagaId, Head>,
    pub(super) entries: u64,
    pub(super) findings: Vec<Finding>,
}

impl Chains {
    /// Why an entry does not follow what is there of its saga.
    fn breach(&self, saga: SagaId, entry: &Sealed) -> Option<String> {
        let head = self.heads.get(&saga);
        let (version, last) = head.map_or((0, ""), |head| (head.version, head.last.as_str()));
        let expected = version + 1;
        match entry.version {
            found if found == expected + 1 => Some(format!("entry {expected} is missing")),
            found if found > expected => {
                Some(format!("entries {expected} to {} are missing", found - 1))
            }
            found if found < expected => Some(format!("it stands where entry {expected} should")),
            _ if entry.previous != last => {
                Some("the hash chain is broken: it does not follow the entry before it".to_owned())
            }
            _ => None,
        }
    }
}

impl Visit for Chains {
    fn entry(&mut self, spot: &Spot, saga: SagaId, entry: Sealed) {
        self.entries += 1;
        if let Some(what) = self.breach(saga, &entry) {
            self.findings.push(spot.finding(what).entry(saga, entry.version));
        }
        // From here on it is held against this entry, so that one breach is told once.
        let mut head = self.heads.remove(&saga);
        if let Some(head) = &mut head {
            head.version = entry.version.saturating_sub(1);
        }
        let (head, append) = match head {
            None if entry.version != 1 => (None, first(saga, &entry)),
            head => (head, Append { saga, entry: entry.clone() }),
        };
        if let Ok(mut next) = advance(head.as_ref(), &append) {
            (next.version, next.last) = (entry.version, entry.hash());
            self.heads.insert(saga, next);
        }
    }

    fn head(&mut self, spot: &Spot, head: Head, readable: bool) {
        if readable && self.heads.get(&head.saga) != Some(&head) {
            let what = "the directory says another head than its entries have";
            self.findings.push(spot.finding(what).entry(head.saga, head.version));
        }
        self.heads.insert(head.saga, head);
    }

    fn finding(&mut self, finding: Finding) {
        self.findings.push(finding);
    }
}

/// The entry as if nothing were missing before it.
fn first(saga: SagaId, entry: &Sealed) -> Append {
    let mut alone = entry.entry().clone();
    alone.version = 1;
    Append::new(saga, alone)
}
