//! What can still be read of a damaged store, and of which sagas it cannot be shown that nothing
//! is lost.

use super::finding::Finding;
use super::walk::{Spot, Visit};
use crate::id::SagaId;
use crate::sealed::Sealed;
use crate::store::Head;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// What is known of a saga beside its entries.
#[derive(Clone, Debug, Default)]
pub(super) struct Heard {
    /// The last version that anything speaks of.
    pub(super) version: u64,
    /// The link; empty if nothing names it.
    pub(super) link: String,
    /// The kind of world; empty if nothing names it.
    pub(super) world: String,
}

/// A place in the order of the journal: a file, and a part of it. An archive is one place, for its
/// entries stand in the order of sagas.
type Place = (u64, u64);

/// Everything that can still be read.
#[derive(Default)]
pub(super) struct Gathered {
    entries: BTreeMap<SagaId, BTreeMap<u64, Vec<Sealed>>>,
    pub(super) known: BTreeMap<SagaId, Heard>,
    pub(super) findings: Vec<Finding>,
    /// Entries that only the index has.
    pub(super) from_index: BTreeSet<[u8; 32]>,
    file: PathBuf,
    place: Place,
    /// Where the last entry of each saga stands.
    last: BTreeMap<SagaId, Place>,
    /// Where the last entries are lost of which nobody knows whose they are.
    loss: Option<Place>,
    /// The highest number of a frame that anything speaks of.
    frame: u64,
    /// What stands behind the last frame may be lost too.
    pub(super) open_end: bool,
    /// The files that count have been read: what comes now stands in no order.
    pub(super) read: bool,
}

impl Gathered {
    /// Adds an entry; false if it was there.
    pub(super) fn add(&mut self, saga: SagaId, entry: Sealed) -> bool {
        let same = self.entries.entry(saga).or_default().entry(entry.version).or_default();
        if same.contains(&entry) {
            return false;
        }
        let known = self.known.entry(saga).or_default();
        known.version = known.version.max(entry.version);
        same.push(entry);
        true
    }

    /// Notes what a directory or the index says of a saga.
    pub(super) fn know(&mut self, head: &Head) {
        let known = self.known.entry(head.saga).or_default();
        known.version = known.version.max(head.version);
        known.link.clone_from(&head.link);
        known.world.clone_from(&head.world);
    }

    /// May entries of a saga be lost of which nothing speaks any more? The index has seen the
    /// frames up to `followed`, and could be read whole, or there is none.
    pub(super) fn is_doubtful(&self, saga: SagaId, followed: Option<u64>) -> bool {
        if self.open_end {
            return true;
        }
        let Some(loss) = self.loss else { return false };
        let seen_by_index = followed.is_some_and(|followed| followed >= self.frame);
        !seen_by_index && self.last.get(&saga).is_none_or(|last| *last <= loss)
    }

    /// The longest chain from a saga's first entry on.
    pub(super) fn chain(&self, saga: SagaId) -> Vec<Sealed> {
        let Some(entries) = self.entries.get(&saga) else { return Vec::new() };
        let mut reached: Vec<BTreeMap<String, &Sealed>> = Vec::new();
        for version in 1.. {
            let follows = |entry: &&Sealed| match reached.last() {
                Some(before) => before.contains_key(&entry.previous),
                None => entry.previous.is_empty(),
            };
            let fitting = entries.get(&version).into_iter().flatten().filter(follows);
            let fitting: BTreeMap<String, &Sealed> =
                fitting.map(|entry| (entry.hash(), entry)).collect();
            if fitting.is_empty() {
                break;
            }
            reached.push(fitting);
        }
        let mut chain: Vec<Sealed> = Vec::new();
        for entries in reached.iter().rev() {
            let entry = match chain.last() {
                Some(behind) => entries.get(&behind.previous).copied(),
                None => entries.values().next().copied(),
            };
            chain.extend(entry.cloned());
        }
        chain.reverse();
        chain
    }

    /// The place of the next thing in a file.
    fn step(&mut self, file: &Path) -> Place {
        if self.file != file {
            file.clone_into(&mut self.file);
            self.place = (self.place.0 + 1, 0);
        }
        if file.extension().is_none_or(|ending| ending != "arc") {
            self.place.1 += 1;
        }
        self.place
    }

    fn heard_frame(&mut self, file: &Path, frame: Option<u64>) {
        // An archive numbers its frames by itself.
        if file.extension().is_some_and(|ending| ending == "wal") {
            self.frame = self.frame.max(frame.unwrap_or(0));
        }
    }
}

impl Visit for Gathered {
    fn entry(&mut self, spot: &Spot, saga: SagaId, entry: Sealed) {
        if !self.read {
            let place = self.step(&spot.file);
            self.heard_frame(&spot.file, Some(spot.frame));
            self.last.insert(saga, place);
        }
        self.add(saga, entry);
    }

    fn head(&mut self, _: &Spot, head: Head, _: bool) {
        self.know(&head);
    }

    fn finding(&mut self, finding: Finding) {
        // What the directory of an archive names is known by its heads.
        let is_meta = finding.file.ends_with("meta");
        if !self.read && finding.saga.is_none() && !is_meta {
            let place = self.step(&finding.file);
            self.heard_frame(&finding.file, finding.frame);
            self.loss = Some(place);
        }
        self.findings.push(finding);
    }
}
