//! The store in sled, and the guards that make sled durable.
//!
//! - `flush()` ends in `sync_file_range`, which flushes neither the disk's cache nor the
//!   file's metadata: after each one the data file is synced through an own descriptor.
//! - A left-over `snap.*.generating` makes sled refuse to open: it is removed before.
//! - Larger values go into files that sled never syncs: an entry is kept in chunks.
//! - sled flushes by itself now and then: that is off, every commit flushes.
//! - Only one thread may flush: see [`super::Committer`].

use super::codec::{self, CodecError, LARGEST};
use super::{Append, FORMAT, Fence, Head, Store, StoreError, advance};
use crate::event::Entry;
use crate::id::SagaId;
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

const CACHE_BYTES: u64 = 16 * 1024 * 1024;
const FENCE_KEY: &[u8] = b"f";
/// sled puts values of 128 KiB and more into files that it never syncs: stay well below.
const CHUNK_BYTES: usize = 48 * 1024;

/// Journals in sled.
#[derive(Debug)]
pub struct SledStore {
    db: sled::Db,
    /// sled's data file, opened by us: a sync is per file, whoever asks.
    data: File,
    path: PathBuf,
    heads: BTreeMap<SagaId, Head>,
    fence: u64,
}

impl SledStore {
    /// Opens or makes the store in `path`. The caller holds the lock on it.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        fs::create_dir_all(path).map_err(|e| StoreError::io("making", path, &e))?;
        check_meta(path)?;
        let inner = path.join("sled");
        drop_unfinished_snapshots(&inner);
        let opened = sled::Config::new()
            .path(&inner)
            .cache_capacity(CACHE_BYTES)
            .flush_every_ms(None)
            .open();
        let db = opened.map_err(|e| sled_error("opening", path, &e))?;
        let file = inner.join("db");
        let data = File::open(&file).map_err(|e| StoreError::io("opening", &file, &e))?;
        sync_folder(&inner)?;
        sync_folder(path)?;
        let mut store = Self { db, data, path: path.to_owned(), heads: BTreeMap::new(), fence: 0 };
        store.load()?;
        Ok(store)
    }

    fn load(&mut self) -> Result<(), StoreError> {
        for row in self.db.scan_prefix(b"h") {
            let (_, bytes) = row.map_err(|e| sled_error("reading", &self.path, &e))?;
            let head = codec::read_head(&bytes).map_err(|e| self.codec("a head", e))?;
            self.heads.insert(head.saga, head);
        }
        let fence = self.db.get(FENCE_KEY).map_err(|e| sled_error("reading", &self.path, &e))?;
        self.fence =
            fence.and_then(|b| <[u8; 8]>::try_from(b.as_ref()).ok()).map_or(0, u64::from_le_bytes);
        Ok(())
    }

    fn codec(&self, what: &str, error: CodecError) -> StoreError {
        match error {
            CodecError::Damaged(why) => {
                StoreError::Damaged { path: self.path.clone(), what: format!("{what}: {why}") }
            }
            CodecError::Newer(schema) => StoreError::Newer {
                path: self.path.clone(),
                found: u32::from(schema),
                known: FORMAT,
            },
        }
    }

    fn write(&self, batch: sled::Batch) -> Result<(), StoreError> {
        let failed = |e: &sled::Error| sled_error("writing", &self.path, e);
        self.db.apply_batch(batch).map_err(|e| failed(&e))?;
        self.db.flush().map_err(|e| failed(&e))?;
        self.data.sync_data().map_err(|e| StoreError::io("syncing", &self.path, &e))
    }
}

impl Store for SledStore {
    fn claim(&mut self) -> Result<Fence, StoreError> {
        self.fence += 1;
        let mut batch = sled::Batch::default();
        batch.insert(FENCE_KEY, &self.fence.to_le_bytes());
        self.write(batch)?;
        Ok(Fence(self.fence))
    }

    fn commit(&mut self, fence: Fence, appends: &[Append]) -> Result<(), StoreError> {
        if fence.0 != self.fence {
            return Err(StoreError::Fenced);
        }
        let mut batch = sled::Batch::default();
        let mut changed: BTreeMap<SagaId, Head> = BTreeMap::new();
        for append in appends {
            let head = changed.get(&append.saga).or_else(|| self.heads.get(&append.saga));
            let head = advance(head, append)?;
            let bytes = codec::write_entry(&append.entry)
                .map_err(|_| StoreError::TooLarge { size: entry_size(append), limit: LARGEST })?;
            for (part, chunk) in (0_u32..).zip(bytes.chunks(CHUNK_BYTES)) {
                batch.insert(entry_key(append.saga, append.entry.version, part), chunk);
            }
            changed.insert(append.saga, head);
        }
        for (saga, head) in &changed {
            let bytes = codec::write_head(head).map_err(|e| self.codec("a head", e))?;
            batch.insert(head_key(*saga), bytes);
        }
        self.write(batch)?;
        self.heads.append(&mut changed);
        Ok(())
    }

    fn entries(&self, saga: SagaId, from: u64) -> Result<Vec<Entry>, StoreError> {
        let mut whole: BTreeMap<u64, Vec<u8>> = BTreeMap::new();
        for row in self.db.range(entry_key(saga, from, 0)..=entry_key(saga, u64::MAX, u32::MAX)) {
            let (key, chunk) = row.map_err(|e| sled_error("reading", &self.path, &e))?;
            let version = key.get(17..25).and_then(|v| <[u8; 8]>::try_from(v).ok());
            whole.entry(version.map_or(0, u64::from_be_bytes)).or_default().extend(chunk.as_ref());
        }
        let mut entries: Vec<Entry> = Vec::new();
        for (expected, (version, bytes)) in (from.max(1)..).zip(whole) {
            let at = format!("saga {saga}, entry {version}");
            let entry = codec::read_entry(&bytes).map_err(|e| self.codec(&at, e))?;
            let broken = entries.last().is_some_and(|e| codec::chain(e) != entry.previous);
            if broken || version != expected || entry.version != expected {
                let what = format!("{at}: it does not follow the entry before it");
                return Err(StoreError::Damaged { path: self.path.clone(), what });
            }
            entries.push(entry);
        }
        Ok(entries)
    }

    fn heads(&self) -> Result<Vec<Head>, StoreError> {
        Ok(self.heads.values().cloned().collect())
    }
}

fn entry_size(append: &Append) -> usize {
    serde_json::to_vec(&append.entry).map_or(0, |v| v.len())
}

fn entry_key(saga: SagaId, version: u64, part: u32) -> Vec<u8> {
    let mut key = vec![b'j'];
    key.extend(saga.as_bytes());
    key.extend(version.to_be_bytes());
    key.extend(part.to_be_bytes());
    key
}

fn head_key(saga: SagaId) -> Vec<u8> {
    let mut key = vec![b'h'];
    key.extend(saga.as_bytes());
    key
}

fn sled_error(doing: &'static str, path: &Path, error: &sled::Error) -> StoreError {
    match error {
        sled::Error::Io(io) => StoreError::io(doing, path, io),
        sled::Error::Corruption { .. }
        | sled::Error::CollectionNotFound(_)
        | sled::Error::Unsupported(_)
        | sled::Error::ReportableBug(_) => {
            StoreError::Damaged { path: path.to_owned(), what: error.to_string() }
        }
    }
}

/// The store's format in plain text, readable for ever.
fn check_meta(path: &Path) -> Result<(), StoreError> {
    let meta = path.join("meta");
    match fs::read_to_string(&meta) {
        Ok(text) => {
            let found = text
                .lines()
                .find_map(|l| l.strip_prefix("format = "))
                .and_then(|f| f.trim().parse::<u32>().ok());
            match found {
                Some(found) if found <= FORMAT => Ok(()),
                Some(found) => {
                    Err(StoreError::Newer { path: path.to_owned(), found, known: FORMAT })
                }
                None => Err(StoreError::Damaged {
                    path: path.to_owned(),
                    what: "the file meta does not name a format".into(),
                }),
            }
        }
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
            let text = format!(
                "format = {FORMAT}\nsmallest reader = {FORMAT}\ncreated by = escrr {}\n",
                env!("CARGO_PKG_VERSION")
            );
            let fresh = path.join("meta.new");
            fs::write(&fresh, text)
                .and_then(|()| File::open(&fresh)?.sync_all())
                .and_then(|()| fs::rename(&fresh, &meta))
                .map_err(|e| StoreError::io("writing", &meta, &e))
        }
        Err(e) => Err(StoreError::io("reading", &meta, &e)),
    }
}

/// A missing snapshot only costs a longer scan; an unfinished one costs the store.
fn drop_unfinished_snapshots(inner: &Path) {
    for entry in fs::read_dir(inner).into_iter().flatten().filter_map(Result::ok) {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if name.starts_with("snap.") && name.ends_with(".generating") {
            // If it cannot be removed, opening says what is wrong.
            drop(fs::remove_file(entry.path()));
        }
    }
}

fn sync_folder(path: &Path) -> Result<(), StoreError> {
    File::open(path)
        .and_then(|folder| folder.sync_all())
        .map_err(|e| StoreError::io("syncing", path, &e))
}
