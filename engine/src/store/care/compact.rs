//! Makes a store small: everything into archives, few and large ones, and a fresh index.

use super::rebuild;
use super::verify::strictly;
use crate::id::SagaId;
use crate::sealed::Sealed;
use crate::store::identity::HomeId;
use crate::store::journal::archive::{Archive, Contents, Fresh};
use crate::store::journal::segment::Segment;
use crate::store::journal::{self, Replay, segment};
use crate::store::meta::Meta;
use crate::store::system::{is_there, sync_folder};
use crate::store::truth::grouped;
use crate::store::{Head, Home, Lock, Notice, StoreError, paths};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Archives are merged up to this many bytes: so much is held in memory.
const LARGEST: u64 = 32 * 1024 * 1024;

/// What came of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Compacted {
    /// Bytes of all files of the store before.
    pub before: u64,
    /// And after.
    pub after: u64,
    /// Files of the journal before.
    pub files_before: u64,
    /// And after.
    pub files_after: u64,
    /// Broken indices that stand aside; they were removed if that was asked for.
    pub aside: Vec<PathBuf>,
    /// What was met while opening.
    pub notices: Vec<Notice>,
}

/// Turns all segments into archives, merges small archives, and makes the index anew.
///
/// Nothing is removed before what replaces it is whole on disk, so it may be interrupted
/// anywhere. With `purge` broken indices that were put aside are removed too.
///
/// # Errors
/// The store is damaged, or there is no room; what was there is there still.
pub fn compact(home: &Path, lock: Lock, purge: bool) -> Result<Compacted, StoreError> {
    let store = paths::settle(home)?;
    let (before, files_before) = size(&store)?;
    let held = Home::open_locked(home, lock)?;
    let notices = held.notices().to_vec();
    // Released when this ends, however it ends.
    let _lock = held.close();
    let folder = paths::journal(&store);
    archive_all(&store, &folder)?;
    merge_all(&store, &folder)?;
    let aside = aside(&store)?;
    if purge {
        for path in &aside {
            remove(path)?;
        }
    }
    let read = strictly(&store, &folder)?;
    // What it says of archives is no longer so: whoever opens it after an interruption here
    // makes it anew too.
    remove(&paths::index(&store))?;
    rebuild::make(&store, &read)?;
    sync_folder(&store)?;
    let (after, files_after) = size(&store)?;
    Ok(Compacted { before, after, files_before, files_after, aside, notices })
}

/// Turns the segments that hold entries into archives, one after the other.
fn archive_all(store: &Path, folder: &Path) -> Result<(), StoreError> {
    let (meta, replay) = replay(store, folder)?;
    let mut heads = heads(&replay.layout.archives)?;
    if replay.batches.is_empty() {
        return Ok(());
    }
    let (mut fence, segments) = (replay.layout.fence(), replay.layout.segments);
    for (number, path) in segments {
        let read = Segment::read(path.clone())?;
        let mut replay = Replay { fence, ..Replay::default() };
        let tail = journal::read_segment(&read, &mut replay)?;
        fence = replay.fence;
        let batches = replay.batches.into_iter().flat_map(|(_, batch)| batch);
        let sagas = grouped(store, batches, &mut heads)?;
        let (home, next) = (meta.home(), tail.sequence);
        let contents = Contents { home, segments: (number, number), next, fence, sagas };
        Archive::write(folder, &contents)?;
        fs::remove_file(&path).map_err(|e| StoreError::io("removing", &path, &e))?;
    }
    let spare = folder.join(segment::SPARE);
    if is_there(&spare)? { remove(&spare) } else { Ok(()) }
}

/// Reads the journal of a store that was opened before.
fn replay(store: &Path, folder: &Path) -> Result<(Meta, Replay), StoreError> {
    let damaged = |what: &str| StoreError::Damaged { path: store.to_owned(), what: what.into() };
    let meta = Meta::read(store)?.ok_or_else(|| damaged("the file meta is missing"))?;
    let (_, replay) = journal::replay(folder, &meta)?;
    Ok((meta, replay))
}

/// The heads that sagas have where archives end.
fn heads(archives: &[Arc<Archive>]) -> Result<BTreeMap<SagaId, Head>, StoreError> {
    let mut heads = BTreeMap::new();
    for archive in archives {
        for found in archive.heads() {
            let (head, _) = found?;
            heads.insert(head.saga, head);
        }
    }
    Ok(heads)
}

/// Merges neighbours that are small together.
fn merge_all(store: &Path, folder: &Path) -> Result<(), StoreError> {
    let (meta, replay) = replay(store, folder)?;
    let (layout, home) = (replay.layout, meta.home());
    let mut heads = BTreeMap::new();
    let (mut run, mut together): (Vec<Arc<Archive>>, u64) = (Vec::new(), 0);
    for archive in layout.archives {
        let size = archive.says.behind;
        if together + size > LARGEST && !run.is_empty() {
            merge((store, folder), home, &run, &mut heads)?;
            (run, together) = (Vec::new(), 0);
        }
        together += size;
        run.push(archive);
    }
    merge((store, folder), home, &run, &mut heads)
}

/// Makes one archive of neighbours, and removes them. `heads` are those before them, and then
/// those behind them.
fn merge(
    (store, folder): (&Path, &Path),
    home: Option<HomeId>,
    run: &[Arc<Archive>],
    heads: &mut BTreeMap<SagaId, Head>,
) -> Result<(), StoreError> {
    let ([first, _, ..], Some(last)) = (run, run.last()) else {
        heads.append(&mut self::heads(run)?);
        return Ok(());
    };
    let mut places: BTreeMap<SagaId, Vec<(usize, u64)>> = BTreeMap::new();
    for (number, archive) in run.iter().enumerate() {
        for found in archive.heads() {
            let (head, extent) = found?;
            places.entry(head.saga).or_default().push((number, extent.offset));
        }
    }
    let mut fresh = Fresh::default();
    for (saga, places) in places {
        let mut all: Vec<(SagaId, Sealed)> = Vec::new();
        for (number, offset) in places {
            if let Some(archive) = run.get(number) {
                all.extend(archive.entries(offset)?);
            }
        }
        let merged = grouped(store, all.into_iter(), heads)?;
        for (saga, (head, entries)) in &merged {
            fresh.add(*saga, head, entries)?;
        }
        if merged.keys().ne([&saga]) {
            let what = format!("an archive's directory names saga {saga} where another one is");
            return Err(StoreError::Damaged { path: store.to_owned(), what });
        }
    }
    let segments = (first.says.segments.0, last.says.segments.1);
    fresh.finish(folder, home, segments, (last.says.next, last.says.fence))?;
    for archive in run {
        remove(&archive.path)?;
    }
    sync_folder(folder)
}

/// Broken indices that were put aside.
fn aside(store: &Path) -> Result<Vec<PathBuf>, StoreError> {
    let mut aside = Vec::new();
    for found in fs::read_dir(store).map_err(|e| StoreError::io("reading", store, &e))? {
        let found = found.map_err(|e| StoreError::io("reading", store, &e))?;
        if found.file_name().to_string_lossy().starts_with("sled.broken-") {
            aside.push(found.path());
        }
    }
    aside.sort();
    Ok(aside)
}

fn remove(path: &Path) -> Result<(), StoreError> {
    let removed = fs::symlink_metadata(path).and_then(|about| {
        if about.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) }
    });
    removed.map_err(|e| StoreError::io("removing", path, &e))
}

/// Bytes of all files below a folder, and how many there are.
fn size(folder: &Path) -> Result<(u64, u64), StoreError> {
    let (mut bytes, mut files) = (0, 0);
    for found in fs::read_dir(folder).map_err(|e| StoreError::io("reading", folder, &e))? {
        let path = found.map_err(|e| StoreError::io("reading", folder, &e))?.path();
        let about = fs::metadata(&path).map_err(|e| StoreError::io("reading", &path, &e))?;
        let (b, f) = if about.is_dir() { size(&path)? } else { (about.len(), 1) };
        (bytes, files) = (bytes + b, files + f);
    }
    Ok((bytes, files))
}
