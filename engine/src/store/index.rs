//! The index in sled: what is known of each saga and where its entries are, so that nothing
//! needs the whole journal. It follows the journal and can be made of it again at any time.
//!
//! The guards that make sled durable:
//! - `flush()` ends in `sync_file_range`, which flushes neither the disk's cache nor the
//!   file's metadata: after each one the data file is synced through an own descriptor.
//! - A left-over `snap.*.generating` makes sled refuse to open: it is removed before.
//! - Larger values go into files that sled never syncs: an entry is kept in chunks.
//! - sled flushes by itself now and then: that is off, every write flushes.
//! - Only one thread writes and flushes: see [`super::follow`].

use super::journal::records;
use super::system::{self, sync_folder};
use super::{Known, StoreError};
use crate::id::SagaId;
use crate::sealed::Sealed;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// sled lets go of its file a moment after it was closed: so many looks,
const TRIES: u32 = 400;
/// with a pause between two.
const PAUSE: Duration = Duration::from_millis(5);
const CACHE_BYTES: u64 = 16 * 1024 * 1024;
/// sled puts values of 128 KiB and more into files that it never syncs: stay well below.
const CHUNK_BYTES: usize = 48 * 1024;
/// The number of the last frame that the index has seen.
const FOLLOWED: &[u8] = b"p";

/// The index; clones share it.
#[derive(Clone, Debug)]
pub(crate) struct Index {
    db: sled::Db,
    /// sled's data file, opened by us: a sync is per file, whoever asks.
    data: Arc<File>,
    path: PathBuf,
}

/// What the index says when it is opened.
#[derive(Debug, Default)]
pub(crate) struct Contents {
    /// What is known of each saga.
    pub(crate) known: BTreeMap<SagaId, Known>,
    /// The archives that it has seen, by the number of their first segment.
    pub(crate) archives: BTreeSet<u64>,
    /// The number of the last frame that it has seen; 0 for none.
    pub(crate) followed: u64,
    /// It has been written to.
    pub(crate) begun: bool,
}

/// Something to write into the index, all or nothing.
#[derive(Default)]
pub(crate) struct Change(sled::Batch);

impl Change {
    /// What is known of a saga now.
    pub(crate) fn known(&mut self, known: &Known) {
        self.0.insert(saga_key(b'h', known.head.saga), records::known(known));
    }

    /// An entry that no archive holds yet.
    pub(crate) fn entry(&mut self, saga: SagaId, entry: &Sealed) {
        let bytes = records::batch(std::iter::once((saga, entry)));
        for (part, chunk) in (0_u32..).zip(bytes.chunks(CHUNK_BYTES)) {
            self.0.insert(entry_key(saga, entry.version, part), chunk);
        }
    }

    /// An archive that the index has seen.
    pub(crate) fn archive(&mut self, first_segment: u64) {
        let mut key = vec![b'a'];
        key.extend(first_segment.to_be_bytes());
        self.0.insert(key, &[]);
    }

    /// The number of the last frame that the index has seen.
    pub(crate) fn followed(&mut self, sequence: u64) {
        self.0.insert(FOLLOWED, &sequence.to_be_bytes());
    }
}

impl Index {
    /// Opens or makes the index in `path`.
    pub(crate) fn open(path: &Path) -> Result<(Self, Contents), StoreError> {
        system::make_folder(path)?;
        drop_unfinished_snapshots(path);
        // What a damaged file makes sled do is not ours to foresee.
        let opened = std::panic::catch_unwind(|| {
            let index = Self::over(open_sled(path), path)?;
            let contents = index.contents()?;
            Ok((index, contents))
        });
        opened.unwrap_or_else(|_| Err(broken(path, "sled gave up on it")))
    }

    fn over(db: Result<sled::Db, sled::Error>, path: &Path) -> Result<Self, StoreError> {
        let db = db.map_err(|e| sled_error("opening", path, &e))?;
        let file = path.join("db");
        let data = File::open(&file).map_err(|e| StoreError::io("opening", &file, &e))?;
        sync_folder(path)?;
        Ok(Self { db, data: Arc::new(data), path: path.to_owned() })
    }

    fn contents(&self) -> Result<Contents, StoreError> {
        let reading = |e: &sled::Error| sled_error("reading", &self.path, e);
        let mut contents = Contents::default();
        for row in self.db.scan_prefix(b"h") {
            let (_, bytes) = row.map_err(|e| reading(&e))?;
            let known = records::read_known(&bytes).map_err(|e| broken(&self.path, e.0))?;
            contents.known.insert(known.head.saga, known);
        }
        for row in self.db.scan_prefix(b"a") {
            let (key, _) = row.map_err(|e| reading(&e))?;
            contents.archives.extend(key.get(1..9).and_then(number));
        }
        let followed = self.db.get(FOLLOWED).map_err(|e| reading(&e))?;
        contents.begun = followed.is_some();
        contents.followed = followed.and_then(|bytes| number(&bytes)).unwrap_or(0);
        Ok(contents)
    }

    /// Writes a change; it is durable when this returns.
    pub(crate) fn write(&self, change: Change) -> Result<(), StoreError> {
        let failed = |e: &sled::Error| sled_error("writing", &self.path, e);
        self.db.apply_batch(change.0).map_err(|e| failed(&e))?;
        self.db.flush().map_err(|e| failed(&e))?;
        self.data.sync_data().map_err(|e| StoreError::io("syncing", &self.path, &e))
    }

    /// The entries of a saga from a version on that stand in the index itself.
    pub(crate) fn entries(
        &self,
        saga: SagaId,
        from: u64,
    ) -> Result<BTreeMap<u64, Sealed>, StoreError> {
        let mut whole: BTreeMap<u64, Vec<u8>> = BTreeMap::new();
        for row in self.db.range(entry_key(saga, from, 0)..=entry_key(saga, u64::MAX, u32::MAX)) {
            let (key, chunk) = row.map_err(|e| sled_error("reading", &self.path, &e))?;
            let version = key.get(17..25).and_then(number).unwrap_or(0);
            whole.entry(version).or_default().extend(chunk.as_ref());
        }
        let mut entries = BTreeMap::new();
        for bytes in whole.into_values() {
            let read = records::read_batch(&bytes).map_err(|e| broken(&self.path, e.0))?;
            entries.extend(read.into_iter().map(|(_, entry)| (entry.version, entry)));
        }
        Ok(entries)
    }

    /// Takes the entries of a saga up to a version out: an archive holds them.
    pub(crate) fn forget(
        &self,
        change: &mut Change,
        saga: SagaId,
        to: u64,
    ) -> Result<(), StoreError> {
        for row in self.db.range(entry_key(saga, 0, 0)..=entry_key(saga, to, u32::MAX)).keys() {
            change.0.remove(row.map_err(|e| sled_error("reading", &self.path, &e))?);
        }
        Ok(())
    }
}

/// Opens sled. We hold the home's lock, so whoever still has sled's own is a thread of this
/// process that is about to let go of it.
fn open_sled(path: &Path) -> Result<sled::Db, sled::Error> {
    let mut tries = 0;
    loop {
        let config = sled::Config::new().path(path).cache_capacity(CACHE_BYTES);
        match config.flush_every_ms(None).open() {
            Err(sled::Error::Io(error)) if is_held(&error) && tries < TRIES => {
                std::thread::park_timeout(PAUSE);
                tries += 1;
            }
            opened => return opened,
        }
    }
}

/// sled wraps what the system said into a text.
fn is_held(error: &std::io::Error) -> bool {
    error.to_string().contains("could not acquire lock")
}

fn number(bytes: &[u8]) -> Option<u64> {
    <[u8; 8]>::try_from(bytes).ok().map(u64::from_be_bytes)
}

fn saga_key(kind: u8, saga: SagaId) -> Vec<u8> {
    let mut key = vec![kind];
    key.extend(saga.as_bytes());
    key
}

fn entry_key(saga: SagaId, version: u64, part: u32) -> Vec<u8> {
    let mut key = saga_key(b'j', saga);
    key.extend(version.to_be_bytes());
    key.extend(part.to_be_bytes());
    key
}

fn broken(path: &Path, what: &str) -> StoreError {
    StoreError::Damaged { path: path.to_owned(), what: what.to_owned() }
}

fn sled_error(doing: &'static str, path: &Path, error: &sled::Error) -> StoreError {
    match error {
        sled::Error::Io(io) => StoreError::io(doing, path, io),
        sled::Error::Corruption { .. }
        | sled::Error::CollectionNotFound(_)
        | sled::Error::Unsupported(_)
        | sled::Error::ReportableBug(_) => broken(path, &error.to_string()),
    }
}

/// A missing snapshot only costs a longer scan; an unfinished one costs the index.
fn drop_unfinished_snapshots(path: &Path) {
    for entry in fs::read_dir(path).into_iter().flatten().filter_map(Result::ok) {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if name.starts_with("snap.") && name.ends_with(".generating") {
            // If it cannot be removed, opening says what is wrong.
            drop(fs::remove_file(entry.path()));
        }
    }
}
