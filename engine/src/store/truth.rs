//! What a journal says of all its sagas: the fold of its archives and segments.

use super::journal::Replay;
use super::journal::archive::Archive;
use super::{Append, Head, Known, Place, StoreError, advance};
use crate::id::SagaId;
use crate::sealed::Sealed;
use std::collections::{BTreeMap, VecDeque};
use std::path::Path;
use std::sync::Arc;

/// What a journal says.
#[derive(Debug, Default)]
pub(crate) struct Truth {
    /// What is known of each saga.
    pub(crate) known: BTreeMap<SagaId, Known>,
    /// The archives by the number of their first segment.
    pub(crate) archives: BTreeMap<u64, Arc<Archive>>,
    /// The entries that only stand in segments, each with its frame's number.
    pub(crate) tail: VecDeque<(u64, SagaId, Sealed)>,
}

impl Truth {
    /// Folds what was read from the store in `path`.
    pub(crate) fn fold(path: &Path, replay: &mut Replay) -> Result<Self, StoreError> {
        let mut truth = Self::default();
        for archive in &replay.layout.archives {
            truth.add_archive(archive)?;
        }
        for (sequence, batch) in std::mem::take(&mut replay.batches) {
            for (saga, entry) in batch {
                truth.add_entry(path, sequence, saga, &entry)?;
                truth.tail.push_back((sequence, saga, entry));
            }
        }
        Ok(truth)
    }

    fn add_archive(&mut self, archive: &Arc<Archive>) -> Result<(), StoreError> {
        for found in archive.heads() {
            let (head, extent) = found?;
            let place = Place::new(archive, extent, &head);
            let known = self.known.entry(head.saga);
            let known = known.or_insert_with(|| Known { head: head.clone(), places: Vec::new() });
            known.head = head;
            known.places.push(place);
        }
        self.archives.insert(archive.number(), Arc::clone(archive));
        Ok(())
    }

    fn add_entry(
        &mut self,
        path: &Path,
        sequence: u64,
        saga: SagaId,
        entry: &Sealed,
    ) -> Result<(), StoreError> {
        let head = self.known.get(&saga).map(|known| &known.head);
        let follows = entry.previous == head.map_or("", |head| head.last.as_str());
        let next = advance(head, &Append { saga, entry: entry.clone() });
        match next {
            Ok(head) if follows => {
                let known = self.known.entry(saga);
                let known =
                    known.or_insert_with(|| Known { head: head.clone(), places: Vec::new() });
                known.head = head;
                Ok(())
            }
            Ok(_) | Err(_) => {
                let version = entry.version;
                let what = format!(
                    "frame {sequence} of the journal: entry {version} of saga {saga} does not \
                     follow the entry before it"
                );
                Err(StoreError::Damaged { path: path.to_owned(), what })
            }
        }
    }
}

/// Sagas with the head after some of their entries, and those entries.
pub(crate) type Grouped = BTreeMap<SagaId, (Head, Vec<Sealed>)>;

/// Entries by saga, each with the head that it has after them. `heads` are those before them,
/// and then those behind them. What does not follow is damage to the store in `path`.
pub(crate) fn grouped(
    path: &Path,
    entries: impl Iterator<Item = (SagaId, Sealed)>,
    heads: &mut BTreeMap<SagaId, Head>,
) -> Result<Grouped, StoreError> {
    let mut all: Grouped = BTreeMap::new();
    for (saga, entry) in entries {
        let before = heads.get(&saga);
        let follows = entry.previous == before.map_or("", |head| head.last.as_str());
        let head = match advance(before, &Append { saga, entry: entry.clone() }) {
            Ok(head) if follows => head,
            Ok(_) | Err(_) => {
                let version = entry.version;
                let what = format!("saga {saga}, entry {version}: it does not follow");
                return Err(StoreError::Damaged { path: path.to_owned(), what });
            }
        };
        heads.insert(saga, head.clone());
        let (last, entries) = all.entry(saga).or_insert_with(|| (head.clone(), Vec::new()));
        *last = head;
        entries.push(entry);
    }
    Ok(all)
}

/// Puts pieces of a saga's journal together; the pieces may overlap.
#[derive(Debug, Default)]
pub(crate) struct Pieces(BTreeMap<u64, Sealed>);

impl Pieces {
    /// Adds entries.
    pub(crate) fn add(&mut self, entries: impl IntoIterator<Item = Sealed>) {
        self.0.extend(entries.into_iter().map(|entry| (entry.version, entry)));
    }

    /// Adds what archives have of a saga from a version on.
    pub(crate) fn add_archived(
        &mut self,
        known: &Known,
        archives: &BTreeMap<u64, Arc<Archive>>,
        from: u64,
    ) -> Result<(), StoreError> {
        for place in known.places.iter().filter(|place| place.to >= from) {
            if let Some(archive) = archives.get(&place.archive) {
                let saga = known.head.saga;
                let entries = archive.entries(place.offset)?.into_iter();
                self.add(entries.filter(|(of, _)| *of == saga).map(|(_, entry)| entry));
            }
        }
        Ok(())
    }

    /// Are all versions there?
    pub(crate) fn are_whole(&self, from: u64, to: u64) -> bool {
        (from.max(1)..=to).all(|version| self.0.contains_key(&version))
    }

    /// The entries from a version to the head, if they are a chain that leads there.
    pub(crate) fn chain(
        self,
        path: &Path,
        known: &Known,
        from: u64,
    ) -> Result<Vec<Sealed>, StoreError> {
        let (from, to) = (from.max(1), known.head.version);
        let mut chain: Vec<Sealed> = Vec::new();
        for version in from..=to {
            let entry = self.0.get(&version);
            let follows = |entry: &&Sealed| {
                let last = if version == to { entry.hash() == known.head.last } else { true };
                last && chain.last().is_none_or(|before| before.hash() == entry.previous)
            };
            let Some(entry) = entry.filter(follows) else {
                let saga = known.head.saga;
                let what = format!("saga {saga}, entry {version}: it is missing or altered");
                return Err(StoreError::Damaged { path: path.to_owned(), what });
            };
            chain.push(entry.clone());
        }
        Ok(chain)
    }
}
