//! A home on disk, held by this process: the lock, the journal, and the index behind it.

use super::follow::{Follower, Shared, State, Task, Work};
use super::index::{Change, Contents, Index};
use super::journal::frame::Kind;
use super::journal::{self, Journal, records};
use super::meta::Meta;
use super::system::{is_there, make_folder, refuse_writable, sync_folder, tighten};
use super::truth::{Pieces, Truth};
use super::{
    Append, Fence, Head, Holder, Known, Lock, Notice, Store, StoreError, check_follows, paths,
};
use crate::event::Entry;
use crate::id::SagaId;
use crate::sealed::Sealed;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The largest entry that is kept, in bytes.
const LARGEST: usize = 16 * 1024 * 1024;

/// The store of a home, held by this process.
#[derive(Debug)]
pub struct Home {
    path: PathBuf,
    journal: Journal,
    index: Index,
    shared: Arc<Shared>,
    /// Ends, with everything written, before the lock is released.
    follower: Follower,
    fence: u64,
    notices: Vec<Notice>,
    /// Declared last: released after everything else is closed.
    _lock: Lock,
}

impl Home {
    /// Locks and opens the home in `path`, making it if need be.
    pub fn open(path: &Path, holder: &Holder) -> Result<Self, StoreError> {
        make_folder(path)?;
        refuse_writable(path)?;
        Self::open_locked(path, Lock::take(path, holder)?)
    }

    /// Opens the home in `path`, whose lock was taken.
    pub(crate) fn open_locked(path: &Path, lock: Lock) -> Result<Self, StoreError> {
        let store = paths::settle(path)?;
        let folder = paths::journal(&store);
        make_folder(&store)?;
        let mut meta = begun(&store, &folder)?;
        // Also when a process before this one died between making a folder and its sync, or
        // somebody else made the home.
        sync_folder(&store)?;
        sync_folder(path)?;
        if let Some(above) = path.canonicalize().ok().as_deref().and_then(Path::parent) {
            // A folder that may be entered but not read cannot be synced; its owner made it.
            drop(sync_folder(above));
        }
        let (tail, mut replay) = journal::replay(&folder, &meta)?;
        let truth = Truth::fold(&store, &mut replay)?;
        let last = journal::last(tail.as_ref(), &replay.layout);
        let (index, followed) = follow_up(&store, &truth, last, &mut replay.notices)?;
        meta.settle(&store, replay.layout.last())?;
        let home = meta.home();
        let journal = Journal::open(&folder, tail.as_ref(), &replay.layout, meta)?;
        let waiting = replay.full.len();
        let state = State::begin(truth, last, followed, waiting);
        let shared = Arc::new(Shared::begin(state));
        let work = Work { folder, home, index: index.clone(), shared: Arc::clone(&shared) };
        let thread = Follower::start(work)?;
        for full in replay.full {
            thread.give(Task::Archive(full, journal.following_size()));
        }
        let (fence, notices) = (replay.fence, replay.notices);
        Ok(Self {
            path: store,
            journal,
            index,
            shared,
            follower: thread,
            fence,
            notices,
            _lock: lock,
        })
    }

    /// What was met while opening, and the user should be told.
    pub fn notices(&self) -> &[Notice] {
        &self.notices
    }

    /// Writes everything behind the commits and closes the store; the lock stays taken.
    pub(crate) fn close(self) -> Lock {
        let Self { _lock: lock, .. } = self;
        lock
    }

    /// The entries of a saga from a version on, as they are stored.
    pub fn sealed(&self, saga: SagaId, from: u64) -> Result<Vec<Sealed>, StoreError> {
        let (known, archives, tail) = {
            let state = self.shared.lock();
            let Some(known) = state.known.get(&saga).cloned() else { return Ok(Vec::new()) };
            let tail = state.tail.iter().filter(|(_, of, _)| *of == saga);
            let tail: Vec<Sealed> = tail.map(|(_, _, entry)| entry.clone()).collect();
            (known, state.archives.clone(), tail)
        };
        let mut pieces = Pieces::default();
        pieces.add_archived(&known, &archives, from)?;
        // What the index cannot tell is read from the journal below.
        pieces.add(self.index.entries(saga, from).unwrap_or_default().into_values());
        pieces.add(tail);
        if !pieces.are_whole(from, known.head.version) {
            pieces.add(self.read_segments(saga)?);
        }
        pieces.chain(&self.path, &known, from)
    }

    /// Refuses a batch of which something is too large or does not follow.
    fn check_all(&self, batch: &[Append]) -> Result<(), StoreError> {
        let state = self.shared.lock();
        let mut versions: BTreeMap<SagaId, u64> = BTreeMap::new();
        for append in batch {
            let size = append.entry.event_json().len();
            if size > LARGEST {
                return Err(StoreError::TooLarge { size, limit: LARGEST });
            }
            let known = || state.known.get(&append.saga).map_or(0, |known| known.head.version);
            let version = versions.entry(append.saga).or_insert_with(known);
            check_follows(*version, append)?;
            *version = append.entry.version;
        }
        Ok(())
    }

    /// Reads the open and the full segments once more: the index has lost something.
    fn read_segments(&self, saga: SagaId) -> Result<Vec<Sealed>, StoreError> {
        let (_, replay) = journal::replay(&paths::journal(&self.path), self.journal.meta())?;
        let all = replay.batches.into_iter().flat_map(|(_, batch)| batch);
        Ok(all.filter(|(of, _)| *of == saga).map(|(_, entry)| entry).collect())
    }
}

impl Store for Home {
    fn claim(&mut self) -> Result<Fence, StoreError> {
        let fence = self.fence + 1;
        let (sequence, full) = self.journal.append(Kind::Claim, &records::claim(fence))?;
        self.fence = fence;
        self.shared.committed(sequence, full, &[]);
        self.shared.lock().own = Some(self.journal.segment() + 1);
        if let Some(full) = full {
            self.follower.give(Task::Archive(full, self.journal.following_size()));
        }
        Ok(Fence(fence))
    }

    fn commit(&mut self, fence: Fence, batch: &[Append]) -> Result<(), StoreError> {
        if fence.0 != self.fence {
            return Err(StoreError::Fenced);
        }
        self.shared.wait_for_room()?;
        self.check_all(batch)?;
        let payload = records::batch(batch.iter().map(|append| (append.saga, &append.entry)));
        if payload.len() > records::LARGEST {
            let (size, limit) = (payload.len(), records::LARGEST);
            return Err(StoreError::TooLarge { size, limit });
        }
        let (sequence, full) = self.journal.append(Kind::Batch, &payload)?;
        let first = self.shared.committed(sequence, full, batch);
        if let Some(full) = full {
            self.follower.give(Task::Archive(full, self.journal.following_size()));
        } else if first {
            self.follower.give(Task::Follow);
        }
        Ok(())
    }

    fn entries(&self, saga: SagaId, from: u64) -> Result<Vec<Entry>, StoreError> {
        Ok(self.sealed(saga, from)?.iter().map(|entry| entry.entry().clone()).collect())
    }

    fn heads(&self) -> Result<Vec<Head>, StoreError> {
        Ok(self.shared.lock().known.values().map(|known| known.head.clone()).collect())
    }
}

/// What a store says of itself; it is begun where there is none. The journal's folder is only made
/// where nothing can be missing from it.
fn begun(store: &Path, folder: &Path) -> Result<Meta, StoreError> {
    for below in [store, folder] {
        refuse_writable(below)?;
    }
    let meta = if let Some(meta) = Meta::read(store)? {
        meta
    } else {
        let fresh = Meta::fresh();
        fresh.write(store)?;
        fresh
    };
    if meta.last() == 0 {
        make_folder(folder)?;
    }
    for below in [store, folder] {
        if is_there(below)? {
            tighten(below)?;
        }
    }
    Ok(meta)
}

/// Opens the index and catches it up with the journal; makes it anew where it cannot be used.
fn follow_up(
    store: &Path,
    truth: &Truth,
    last: u64,
    notices: &mut Vec<Notice>,
) -> Result<(Index, u64), StoreError> {
    let path = paths::index(store);
    let there = is_there(&path)?;
    let why = match Index::open(&path) {
        Ok((_, contents)) if contents.followed > last => {
            let seen = contents.followed;
            let what = format!("the journal ends at frame {last}; the index has seen {seen}");
            return Err(StoreError::Damaged { path: store.to_owned(), what });
        }
        Ok((index, contents)) if !contents.begun => {
            // The first thing that is written at all, before the journal's first frame.
            let mut change = Change::default();
            change.followed(0);
            index.write(change)?;
            if last > 0 {
                let why = if there { "nothing of it could be read" } else { "there was none" };
                let (why, sagas) = (why.to_owned(), truth.known.len());
                notices.push(Notice::Rebuilt { why, kept: None, sagas });
            }
            return catch_up(index, truth, &contents);
        }
        Ok((index, contents)) => match disagreement(truth, &contents) {
            None => return catch_up(index, truth, &contents),
            Some(why) => why,
        },
        Err(error @ (StoreError::Full { .. } | StoreError::Unfit { .. })) => return Err(error),
        Err(error) => error.to_string(),
    };
    let kept = put_aside(store, &path)?;
    let (index, contents) = Index::open(&path)?;
    let begun = catch_up(index, truth, &contents)?;
    notices.push(Notice::Rebuilt { why, kept: Some(kept), sagas: truth.known.len() });
    Ok(begun)
}

/// In what the index contradicts the journal, if it does.
pub(super) fn disagreement(truth: &Truth, contents: &Contents) -> Option<String> {
    if let Some(archive) = contents.archives.iter().find(|a| !truth.archives.contains_key(a)) {
        return Some(format!("it names an archive that is not there, of segment {archive}"));
    }
    if let Some(saga) = contents.known.keys().find(|saga| !truth.known.contains_key(saga)) {
        return Some(format!("it names saga {saga}, of which the journal knows nothing"));
    }
    for (saga, known) in &truth.known {
        let seen: Vec<_> =
            known.places.iter().filter(|p| contents.archives.contains(&p.archive)).collect();
        let said = contents.known.get(saga).map(|k| (&k.places, k.head.version));
        let agrees = match said {
            Some((places, version)) => {
                seen.len() == places.len()
                    && seen.iter().zip(places).all(|(a, b)| **a == *b)
                    && version <= known.head.version
                    && seen.last().is_none_or(|place| version >= place.to)
            }
            None => seen.is_empty(),
        };
        if !agrees {
            return Some(format!("it says of saga {saga} what the journal does not say"));
        }
    }
    None
}

/// Lets the index know of the archives that it has not seen.
pub(super) fn catch_up(
    index: Index,
    truth: &Truth,
    contents: &Contents,
) -> Result<(Index, u64), StoreError> {
    let missed: Vec<u64> = truth
        .archives
        .keys()
        .filter(|number| !contents.archives.contains(number))
        .copied()
        .collect();
    let Some(newest) = missed.last().and_then(|number| truth.archives.get(number)) else {
        return Ok((index, contents.followed));
    };
    let mut change = Change::default();
    let concerned = |known: &&Known| known.places.iter().any(|p| missed.contains(&p.archive));
    for known in truth.known.values().filter(concerned) {
        change.known(known);
        let archived = known.places.last().map_or(0, |place| place.to);
        index.forget(&mut change, known.head.saga, archived)?;
    }
    for number in &missed {
        change.archive(*number);
    }
    let followed = contents.followed.max(newest.says.next - 1);
    change.followed(followed);
    index.write(change)?;
    Ok((index, followed))
}

/// Moves what cannot be used out of the way; nothing is thrown away.
pub(super) fn put_aside(store: &Path, path: &Path) -> Result<PathBuf, StoreError> {
    let mut number = 1;
    let kept = loop {
        let kept = store.join(format!("sled.broken-{number}"));
        if !is_there(&kept)? {
            break kept;
        }
        number += 1;
    };
    std::fs::rename(path, &kept).map_err(|e| StoreError::io("renaming", path, &e))?;
    Ok(kept)
}
