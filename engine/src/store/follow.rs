//! The follower: a thread that keeps the index behind the journal and turns full segments
//! into archives, so that no commit has to wait for either.

use super::identity::HomeId;
use super::index::{Change, Index};
use super::journal::archive::{Archive, Contents};
use super::journal::segment::{self, Segment};
use super::journal::{self, Full, Replay};
use super::truth::{self, Grouped, Truth};
use super::{Append, Head, Known, Place, StoreError};
use crate::id::SagaId;
use crate::sealed::Sealed;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

/// The index follows when nothing was committed for so long,
const QUIET: Duration = Duration::from_millis(50);
/// or after so many looks, unless so much comes that archives will take it soon.
const LOOKS: u32 = 20;
/// More entries than this are left for the archives.
const MANY: usize = 4096;
/// So many full segments are left until nothing comes any more: archives and commits would share
/// the disk, and whoever commits is waited for.
const HELD: usize = 3;
/// So many full segments may wait to be archived; then a commit waits.
const WAITING: usize = HELD + 3;

/// What the committer's thread and the follower share.
#[derive(Debug, Default)]
pub(crate) struct Shared {
    state: Mutex<State>,
    archived: Condvar,
}

/// What is known, and what only stands in segments.
#[derive(Debug, Default)]
pub(crate) struct State {
    /// What is known of each saga.
    pub(crate) known: BTreeMap<SagaId, Known>,
    /// Committed entries that the index has not seen, each with its frame's number.
    pub(crate) tail: VecDeque<(u64, SagaId, Sealed)>,
    /// The archives by the number of their first segment.
    pub(crate) archives: BTreeMap<u64, Arc<Archive>>,
    /// Full segments that are not archived yet.
    pub(crate) waiting: usize,
    /// The number of the last frame.
    pub(crate) last: u64,
    /// Segments from this number on hold nothing but this process's entries; none before it has
    /// claimed the store.
    pub(crate) own: Option<u64>,
    /// Why the follower has given up.
    pub(crate) trouble: Option<StoreError>,
}

impl Shared {
    /// Begins with a state.
    pub(crate) fn begin(state: State) -> Self {
        Self { state: Mutex::new(state), archived: Condvar::new() }
    }

    /// Notes what was committed; true if the follower has to be woken.
    pub(crate) fn committed(&self, sequence: u64, full: Option<Full>, batch: &[Append]) -> bool {
        let mut state = self.lock();
        let first = state.tail.is_empty();
        for append in batch {
            let known = state.known.entry(append.saga);
            let new = || Known { head: Head::before(append), places: Vec::new() };
            known.or_insert_with(new).head.follow(&append.entry);
        }
        let tail = batch.iter().map(|append| (sequence, append.saga, append.entry.clone()));
        state.tail.extend(tail);
        state.last = sequence;
        state.waiting += usize::from(full.is_some());
        first
    }

    /// The state, for a moment.
    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until not too many segments wait to be archived.
    pub(crate) fn wait_for_room(&self) -> Result<(), StoreError> {
        let mut state = self.lock();
        while state.waiting > WAITING && state.trouble.is_none() {
            state = self.archived.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        match &state.trouble {
            Some(trouble) if state.waiting > WAITING => Err(trouble.clone()),
            Some(_) | None => Ok(()),
        }
    }
}

/// Something for the follower to do.
pub(crate) enum Task {
    /// Entries were committed.
    Follow,
    /// A segment is full; the next one will have this size.
    Archive(Full, u64),
}

/// The thread; it ends, with everything done, when this is dropped.
#[derive(Debug)]
pub(crate) struct Follower {
    tasks: Option<mpsc::Sender<Task>>,
    thread: Option<JoinHandle<()>>,
}

impl Follower {
    /// Starts the thread.
    pub(crate) fn start(work: Work) -> Result<Self, StoreError> {
        let (tasks, queue) = mpsc::channel();
        let thread = std::thread::Builder::new()
            .name("follower".into())
            .spawn(move || work.serve(&queue))
            .map_err(|e| StoreError::Stopped(e.to_string()))?;
        Ok(Self { tasks: Some(tasks), thread: Some(thread) })
    }

    /// Gives it something to do.
    pub(crate) fn give(&self, task: Task) {
        if let Some(tasks) = &self.tasks {
            // It has given up, and the state says why.
            drop(tasks.send(task));
        }
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        drop(self.tasks.take());
        if let Some(thread) = self.thread.take() {
            // It catches its own panics.
            drop(thread.join());
        }
    }
}

/// What the follower works with.
pub(crate) struct Work {
    pub(crate) folder: PathBuf,
    /// The home that the journal belongs to.
    pub(crate) home: Option<HomeId>,
    pub(crate) index: Index,
    pub(crate) shared: Arc<Shared>,
}

/// Entries in the order of their commits.
type Entries = Vec<(SagaId, Sealed)>;

/// Reads a full segment: its entries, and the last holder's number if one claimed in it.
fn read(path: &Path, full: Full) -> Result<(Entries, u64), StoreError> {
    let segment = Segment::read(path.to_owned())?;
    let mut replay = Replay::default();
    let tail = journal::read_segment(&segment, &mut replay)?;
    if tail.sequence != full.next {
        return Err(segment.damaged(tail.at, "entries are missing from here on"));
    }
    Ok((replay.batches.into_iter().flat_map(|(_, batch)| batch).collect(), replay.fence))
}

impl Work {
    fn serve(&self, queue: &mpsc::Receiver<Task>) {
        while let Ok(task) = queue.recv() {
            let done = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                self.until_quiet(queue, task)
            }));
            let done =
                done.unwrap_or_else(|_| Err(StoreError::Stopped("the index gave up".into())));
            if let Err(error) = done {
                // The journal has everything: the index is caught up by the next process.
                tracing::warn!(%error, "the index does not follow");
                self.shared.lock().trouble.get_or_insert(error);
                self.shared.archived.notify_all();
                return;
            }
        }
    }

    /// Archives what there is too much of, and the rest when nothing comes any more; then the
    /// index follows.
    fn until_quiet(&self, queue: &mpsc::Receiver<Task>, first: Task) -> Result<(), StoreError> {
        let (mut next, mut looks, mut seen) = (Ok(first), 0, 0);
        let mut held = VecDeque::new();
        loop {
            match next {
                Ok(Task::Archive(full, size)) => {
                    held.push_back((full, size));
                    self.make_room(&mut held, size)?;
                }
                Ok(Task::Follow) => {}
                Err(RecvTimeoutError::Disconnected) => return self.settle(held),
                Err(RecvTimeoutError::Timeout) => {
                    let (last, many) = {
                        let state = self.shared.lock();
                        (state.last, state.tail.len() > MANY)
                    };
                    looks += 1;
                    if last == seen || (looks > LOOKS && !many) {
                        return self.settle(held);
                    }
                    seen = last;
                }
            }
            next = queue.recv_timeout(QUIET);
        }
    }

    /// Sees to it that the next segment's file is there before it is needed.
    fn make_room(&self, held: &mut VecDeque<(Full, u64)>, size: u64) -> Result<(), StoreError> {
        if held.len() > HELD {
            return held.pop_front().map_or(Ok(()), |(full, _)| self.archive(full, size));
        }
        // A disk without room is met again by the commit that wants the next segment.
        drop(segment::prepare(&self.folder, size, None));
        Ok(())
    }

    fn settle(&self, held: VecDeque<(Full, u64)>) -> Result<(), StoreError> {
        held.into_iter().try_for_each(|(full, size)| self.archive(full, size))?;
        self.follow()
    }

    fn follow(&self) -> Result<(), StoreError> {
        let (last, tail, known) = {
            let state = self.shared.lock();
            let tail: Vec<(SagaId, Sealed)> =
                state.tail.iter().map(|(_, saga, entry)| (*saga, entry.clone())).collect();
            let mut known = BTreeMap::new();
            for (saga, _) in &tail {
                if !known.contains_key(saga) {
                    known.extend(state.known.get(saga).map(|k| (*saga, k.clone())));
                }
            }
            (state.last, tail, known)
        };
        let mut change = Change::default();
        for (saga, entry) in &tail {
            change.entry(*saga, entry);
        }
        for known in known.values() {
            change.known(known);
        }
        change.followed(last);
        self.index.write(change)?;
        self.shared.lock().forget(last);
        Ok(())
    }

    /// Turns a full segment into an archive.
    fn archive(&self, full: Full, size: u64) -> Result<(), StoreError> {
        let path = self.folder.join(segment::name(full.number));
        let (before, fence, first) = {
            let state = self.shared.lock();
            let newest = state.archives.values().next_back().map(|archive| &archive.says);
            newest.map_or((0, 0, 1), |says| (says.segments.1, says.fence, says.next))
        };
        let (entries, claimed) = match self.remembered(full, first) {
            Some(entries) => (entries, 0),
            None => read(&path, full)?,
        };
        let contents = Contents {
            home: self.home,
            segments: (before + 1, full.number),
            next: full.next,
            fence: fence.max(claimed),
            sagas: self.grouped(entries)?,
        };
        let archive = Archive::write(&self.folder, &contents)?;
        self.announce(archive, full)?;
        // The archive has its name for good, so the segment's blocks may be used again. A disk
        // without room for that is met again by the commit that wants the next segment.
        drop(segment::recycle(&self.folder, size.max(full.size), &path));
        Ok(())
    }

    /// The entries of a full segment that begins with frame `first`, if this process wrote all
    /// of it and has them all still in mind: nothing has to be read and understood again.
    fn remembered(&self, full: Full, first: u64) -> Option<Entries> {
        let state = self.shared.lock();
        let whole = full.number >= state.own? && state.tail.front()?.0 <= first;
        let inside = state.tail.iter().skip_while(|(sequence, ..)| *sequence < first);
        let inside = inside.take_while(|(sequence, ..)| *sequence < full.next);
        whole.then(|| inside.map(|(_, saga, entry)| (*saga, entry.clone())).collect())
    }

    /// The entries by saga, each with the head that it has after them.
    fn grouped(&self, entries: Entries) -> Result<Grouped, StoreError> {
        let sagas: BTreeSet<SagaId> = entries.iter().map(|(saga, _)| *saga).collect();
        let mut heads = self.heads_in_archives(sagas.iter())?;
        truth::grouped(&self.folder, entries.into_iter(), &mut heads)
    }

    /// The heads that some sagas have where their archived entries end.
    fn heads_in_archives<'a>(
        &self,
        sagas: impl Iterator<Item = &'a SagaId>,
    ) -> Result<BTreeMap<SagaId, Head>, StoreError> {
        let archives: BTreeMap<u64, Arc<Archive>> = {
            let state = self.shared.lock();
            let newest = |saga| state.known.get(saga)?.places.last().map(|place| place.archive);
            let numbers = sagas.filter_map(newest);
            numbers.filter_map(|n| Some((n, Arc::clone(state.archives.get(&n)?)))).collect()
        };
        let mut heads = BTreeMap::new();
        // In ascending order: a younger archive's head replaces an older one's.
        for archive in archives.values() {
            for found in archive.heads() {
                let (head, _) = found?;
                heads.insert(head.saga, head);
            }
        }
        Ok(heads)
    }

    /// Lets everybody know of an archive; its segment may go when this returns.
    fn announce(&self, archive: Archive, full: Full) -> Result<(), StoreError> {
        let mut change = Change::default();
        change.archive(archive.number());
        change.followed(full.next - 1);
        let mut archived = Vec::new();
        {
            let mut state = self.shared.lock();
            for found in archive.heads() {
                let (head, extent) = found?;
                if let Some(known) = state.known.get_mut(&head.saga) {
                    known.places.push(Place::new(&archive, extent, &head));
                    change.known(known);
                }
                archived.push(head);
            }
            state.archives.insert(archive.number(), Arc::new(archive));
        }
        for head in archived {
            self.index.forget(&mut change, head.saga, head.version)?;
        }
        self.index.write(change)?;
        let mut state = self.shared.lock();
        state.forget(full.next - 1);
        state.waiting = state.waiting.saturating_sub(1);
        drop(state);
        self.shared.archived.notify_all();
        Ok(())
    }
}

impl State {
    /// The state after opening.
    pub(crate) fn begin(truth: Truth, last: u64, followed: u64, waiting: usize) -> Self {
        let Truth { known, archives, tail } = truth;
        let mut state = Self { known, tail, archives, waiting, last, ..Self::default() };
        state.forget(followed);
        state
    }

    /// Drops what the index or an archive has of the tail.
    pub(crate) fn forget(&mut self, followed: u64) {
        while self.tail.front().is_some_and(|(sequence, _, _)| *sequence <= followed) {
            self.tail.pop_front();
        }
    }
}
