//! The care of a store: what is wrong is named with its place, an export is complete, a
//! repaired store holds all that can be had, and a small one holds all that the large one held.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test says what it expects by failing"
)]

mod compact;
mod missing;
mod repair;
mod transfer;
mod verify;

use escrr_engine::store::care::{self, IndexSeen, Verified};
use escrr_engine::store::{Append, Holder, Home, Lock, Reading, Store as _};
use escrr_engine::{Event, Outcome, SagaId, Sealed};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

pub(crate) fn saga(number: u64) -> SagaId {
    SagaId::new(1_000 + number, [7; 10])
}

pub(crate) fn open(home: &Path) -> Home {
    Home::open(home, &Holder::default()).unwrap()
}

pub(crate) fn lock(home: &Path) -> Lock {
    Lock::take(home, &Holder::default()).unwrap()
}

/// Journals that grow side by side.
#[derive(Clone, Default)]
pub(crate) struct Growing(pub(crate) BTreeMap<u64, Vec<Sealed>>);

impl Growing {
    /// The next entry of a saga; it ends the saga if it is the last.
    pub(crate) fn next(&mut self, number: u64, last: bool) -> Append {
        let entries = self.0.entry(number).or_default();
        let previous = entries.last().map(Sealed::hash).unwrap_or_default();
        let version = entries.len() as u64 + 1;
        let event = match version {
            1 => Event::Created {
                link: format!("link-{number}"),
                spec: "x".repeat(2_500),
                spec_digest: "d".into(),
                edition: "e".into(),
                world: "cloud".into(),
                world_id: None,
                actor: escrr_engine::Actor::default(),
                program: "p".into(),
            },
            _ if last => Event::Finished { outcome: Outcome::Succeeded },
            _ => Event::UndoIntended { node: format!("a.{}", "b".repeat(900)), items: Vec::new() },
        };
        let mut json = serde_json::to_vec(&event).unwrap();
        if version % 3 == 2 {
            // A newer version knows more: the bytes have to survive, and so does their hash.
            json.pop();
            json.extend(br#","added":{"later":"\u00fc"}}"#);
        }
        let entry = Sealed::read(version, 5_000 + version, previous, &json).unwrap();
        entries.push(entry.clone());
        Append::new(saga(number), entry)
    }

    /// Commits so many entries of each of these sagas, side by side.
    pub(crate) fn grow(&mut self, home: &mut Home, sagas: std::ops::Range<u64>, entries: u64) {
        let fence = home.claim().unwrap();
        for entry in 1..=entries {
            let batch: Vec<Append> =
                sagas.clone().map(|number| self.next(number, entry == entries)).collect();
            home.commit(fence, &batch).unwrap();
        }
    }

    /// Everything stands in the home, read with and without holding it, and nothing else.
    pub(crate) fn check(&self, path: &Path) {
        let ids: Vec<SagaId> = self.0.keys().map(|number| saga(*number)).collect();
        let reading = Reading::open(path).unwrap();
        let home = open(path);
        let found: Vec<SagaId> = reading.heads().unwrap().iter().map(|h| h.saga).collect();
        assert_eq!(found, ids);
        assert_eq!(reading.heads().unwrap(), home.heads().unwrap());
        for (number, entries) in &self.0 {
            assert_eq!(reading.sealed(saga(*number), 1).unwrap(), *entries, "saga {number}");
            assert_eq!(home.sealed(saga(*number), 1).unwrap(), *entries, "saga {number}");
        }
    }
}

/// A home with a few sagas in segments only, closed.
pub(crate) fn small() -> (TempDir, Growing) {
    let folder = tempfile::tempdir().unwrap();
    let mut growing = Growing::default();
    let mut home = open(folder.path());
    growing.grow(&mut home, 0..3, 8);
    drop(home);
    (folder, growing)
}

/// A home with archives and segments, closed.
pub(crate) fn large() -> (TempDir, Growing) {
    let folder = tempfile::tempdir().unwrap();
    let mut growing = Growing::default();
    let mut home = open(folder.path());
    growing.grow(&mut home, 0..12, 70);
    growing.grow(&mut home, 6..20, 20);
    drop(home);
    assert!(files(folder.path(), ".arc").len() > 1 && !files(folder.path(), ".wal").is_empty());
    (folder, growing)
}

/// The journal's files with this ending.
pub(crate) fn files(home: &Path, ending: &str) -> Vec<PathBuf> {
    let folder = std::fs::read_dir(home.join("store/journal")).unwrap();
    let mut files: Vec<PathBuf> = folder
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.to_string_lossy().ends_with(ending))
        .collect();
    files.sort();
    files
}

/// Everything below a folder but the lock, as bytes, by its path from there.
pub(crate) fn everything(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut all = BTreeMap::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = PathBuf::from(path.file_name().unwrap());
        if path.is_dir() {
            let below = everything(&path);
            all.extend(below.into_iter().map(|(path, bytes)| (name.join(path), bytes)));
        } else if !path.ends_with("lock") {
            all.insert(name, std::fs::read(&path).unwrap());
        }
    }
    all
}

/// Puts files back as they were, and nothing else.
pub(crate) fn restore(folder: &Path, all: &BTreeMap<PathBuf, Vec<u8>>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            std::fs::remove_dir_all(path).unwrap();
        } else {
            std::fs::remove_file(path).unwrap();
        }
    }
    for (path, bytes) in all {
        let path = folder.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }
}

/// Where frames begin in a file of the journal.
pub(crate) fn frames(bytes: &[u8]) -> Vec<usize> {
    let begins = |at: &usize| bytes[*at..].starts_with(b"EJF1");
    (0..bytes.len()).step_by(8).filter(begins).collect()
}

/// What a check under the lock says.
pub(crate) fn verified(home: &Path) -> Verified {
    care::verify(home, Some(&lock(home))).unwrap()
}

/// Nothing is wrong, the index included.
pub(crate) fn is_sound(home: &Path) -> Verified {
    let verified = verified(home);
    assert_eq!(verified.findings, []);
    assert_eq!(verified.index, IndexSeen::Agrees);
    verified
}
