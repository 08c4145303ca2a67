//! A store in memory, for tests; it can be told to die after some commits.

use super::{Append, Fence, Head, Store, StoreError, advance};
use crate::event::Entry;
use crate::id::SagaId;
use crate::sealed::Sealed;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Journals in memory; clones share them, as processes share a disk.
#[derive(Clone, Debug, Default)]
pub struct MemoryStore(Arc<Mutex<Inside>>);

#[derive(Debug, Default)]
struct Inside {
    fence: u64,
    heads: BTreeMap<SagaId, Head>,
    entries: BTreeMap<SagaId, Vec<Sealed>>,
    /// Commits left before the store dies; counts down.
    left: Option<u64>,
}

impl MemoryStore {
    /// Lets the store refuse every commit after the next `commits`.
    pub fn die_after(&self, commits: Option<u64>) {
        self.lock().left = commits;
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Inside> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Store for MemoryStore {
    fn claim(&mut self) -> Result<Fence, StoreError> {
        let mut inside = self.lock();
        inside.fence += 1;
        Ok(Fence(inside.fence))
    }

    fn commit(&mut self, fence: Fence, batch: &[Append]) -> Result<(), StoreError> {
        let mut inside = self.lock();
        if fence.0 != inside.fence {
            return Err(StoreError::Fenced);
        }
        if let Some(left) = inside.left {
            let left = left.checked_sub(1).ok_or_else(|| StoreError::Stopped("dead".into()))?;
            inside.left = Some(left);
        }
        let mut changed: BTreeMap<SagaId, Head> = BTreeMap::new();
        for append in batch {
            let head = changed.get(&append.saga).or_else(|| inside.heads.get(&append.saga));
            let head = advance(head, append)?;
            changed.insert(append.saga, head);
        }
        inside.heads.extend(changed);
        for append in batch {
            inside.entries.entry(append.saga).or_default().push(append.entry.clone());
        }
        Ok(())
    }

    fn entries(&self, saga: SagaId, from: u64) -> Result<Vec<Entry>, StoreError> {
        let inside = self.lock();
        let all = inside.entries.get(&saga).into_iter().flatten();
        Ok(all.filter(|e| e.version >= from).map(|e| e.entry().clone()).collect())
    }

    fn heads(&self) -> Result<Vec<Head>, StoreError> {
        Ok(self.lock().heads.values().cloned().collect())
    }
}
