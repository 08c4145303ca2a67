//! The one committer: what is queued is committed as one batch.
//!
//! sled must not be flushed from several tasks at once, and a batch costs one sync, however
//! many sagas append to it: a thread takes all that is queued. An append that is alone is
//! committed by its own caller, though: to wake a thread and to be woken by it takes as long as
//! half a sync.

use super::{Append, Fence, Head, Store, StoreError};
use crate::event::Entry;
use crate::id::SagaId;
use crate::sealed::Sealed;
use answer::{Asker, answer_all};
use std::fmt;
use std::sync::{Arc, PoisonError};
use tokio::sync::oneshot;

// In this package's unit tests a scheduler decides who runs next: see `interleavings.rs`.
#[cfg(test)]
use shuttle::{
    sync::{
        Mutex, MutexGuard,
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
    thread,
};
#[cfg(not(test))]
use std::{
    sync::{
        Mutex, MutexGuard,
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
    thread,
};

mod answer;
#[cfg(test)]
mod interleavings;

type Answer<T> = oneshot::Sender<Result<T, StoreError>>;

#[derive(Debug)]
enum Ask {
    Append(Append, Asker),
    Entries(SagaId, u64, Answer<Vec<Entry>>),
    Heads(Answer<Vec<Head>>),
}

/// A handle on the store; clones share it.
#[derive(Clone, Debug)]
pub struct Committer {
    asks: mpsc::Sender<Ask>,
    desk: Arc<Desk>,
}

/// What the thread and the callers share.
struct Desk {
    books: Mutex<Books>,
    /// Appends that are not answered yet.
    pending: AtomicUsize,
}

/// The store, and why it takes nothing more.
struct Books {
    store: Box<dyn Store>,
    fence: Fence,
    dead: Option<String>,
}

impl Committer {
    /// Claims the store and starts the thread.
    pub fn start(mut store: impl Store) -> Result<Self, StoreError> {
        let fence = store.claim()?;
        let (asks, queue) = mpsc::channel();
        let books = Mutex::new(Books { store: Box::new(store), fence, dead: None });
        let desk = Arc::new(Desk { books, pending: AtomicUsize::new(0) });
        let served = Arc::clone(&desk);
        thread::Builder::new()
            .name("committer".into())
            .spawn(move || served.serve(&queue))
            .map_err(|e| StoreError::Stopped(e.to_string()))?;
        Ok(Self { asks, desk })
    }

    /// Adds an entry; it is durable when this returns.
    ///
    /// It is added all the same if the caller stops waiting. The caller's thread may be blocked
    /// for as long as a sync takes.
    pub async fn append(&self, saga: SagaId, entry: impl Into<Sealed>) -> Result<(), StoreError> {
        let append = Append::new(saga, entry);
        let pending = self.desk.one_more();
        if !pending.is_alone() {
            return self.together(append).await;
        }
        let mut leaving = Leaving { asks: &self.asks, append: Some(append) };
        // Whoever else is ready to append comes first: then it is one batch.
        tokio::task::yield_now().await;
        match leaving.append.take() {
            Some(append) if pending.is_alone() => self.desk.books().commit(&[append]),
            Some(append) => self.together(append).await,
            None => Err(gone()),
        }
    }

    /// The entries of a saga from a version on.
    pub async fn entries(&self, saga: SagaId, from: u64) -> Result<Vec<Entry>, StoreError> {
        self.ask(|answer| Ask::Entries(saga, from, answer)).await
    }

    /// All heads, oldest saga first.
    pub async fn heads(&self) -> Result<Vec<Head>, StoreError> {
        self.ask(Ask::Heads).await
    }

    /// Adds an entry in a batch with others.
    async fn together(&self, append: Append) -> Result<(), StoreError> {
        let (asker, answered) = oneshot::channel();
        self.asks.send(Ask::Append(append, asker)).map_err(|_| gone())?;
        answered.await.map_err(|_| gone())?.pass_on()
    }

    async fn ask<T>(&self, ask: impl FnOnce(Answer<T>) -> Ask) -> Result<T, StoreError> {
        let (answer, answered) = oneshot::channel();
        self.asks.send(ask(answer)).map_err(|_| gone())?;
        answered.await.map_err(|_| gone())?
    }
}

fn gone() -> StoreError {
    StoreError::Stopped("its thread has ended".into())
}

/// An append whose caller may stop waiting before it is in the queue; it gets there then.
struct Leaving<'a> {
    asks: &'a mpsc::Sender<Ask>,
    append: Option<Append>,
}

impl Drop for Leaving<'_> {
    fn drop(&mut self) {
        if let Some(append) = self.append.take() {
            let (answer, _) = oneshot::channel();
            // Nobody waits for the answer, nor for the thread's end.
            drop(self.asks.send(Ask::Append(append, answer)));
        }
    }
}

/// One append that is not answered yet.
struct Pending<'a>(&'a AtomicUsize);

impl Pending<'_> {
    fn is_alone(&self) -> bool {
        self.0.load(Ordering::Relaxed) == 1
    }
}

impl Drop for Pending<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl fmt::Debug for Desk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Desk").field("pending", &self.pending).finish_non_exhaustive()
    }
}

impl Desk {
    fn one_more(&self) -> Pending<'_> {
        self.pending.fetch_add(1, Ordering::Relaxed);
        Pending(&self.pending)
    }

    fn books(&self) -> MutexGuard<'_, Books> {
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn serve(&self, queue: &mpsc::Receiver<Ask>) {
        while let Ok(first) = queue.recv() {
            let mut batch = Vec::new();
            let mut askers = Vec::new();
            let mut books = self.books();
            for ask in std::iter::once(first).chain(queue.try_iter()) {
                match ask {
                    Ask::Append(append, asker) => {
                        batch.push(append);
                        askers.push(asker);
                    }
                    Ask::Entries(saga, from, answer) => {
                        drop(answer.send(books.store.entries(saga, from)));
                    }
                    Ask::Heads(answer) => drop(answer.send(books.store.heads())),
                }
            }
            let done = books.settle(&batch);
            drop(books);
            answer_all(askers, done);
        }
    }
}

impl Books {
    /// Commits a batch and says what came of each append in it.
    fn settle(&mut self, batch: &[Append]) -> Vec<Result<(), StoreError>> {
        if batch.is_empty() {
            return Vec::new();
        }
        let done = self.commit(batch);
        if let (true, Err(StoreError::Conflict { .. } | StoreError::TooLarge { .. })) =
            (batch.len() > 1, &done)
        {
            // Nothing was written, and one append's mistake is not that of those beside it.
            return batch.chunks(1).map(|one| self.commit(one)).collect();
        }
        vec![done; batch.len()]
    }

    /// Commits a batch, all or nothing.
    fn commit(&mut self, batch: &[Append]) -> Result<(), StoreError> {
        if let Some(why) = &self.dead {
            return Err(StoreError::Stopped(why.clone()));
        }
        let (store, fence) = (&mut self.store, self.fence);
        let committed =
            std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| store.commit(fence, batch)));
        let done = committed
            .unwrap_or_else(|_| Err(StoreError::Stopped("the store itself gave up".into())));
        match &done {
            Ok(()) | Err(StoreError::Conflict { .. } | StoreError::TooLarge { .. }) => {}
            // What was written by a failed commit is unknown: nothing may follow it.
            Err(error) => self.dead = Some(error.to_string()),
        }
        done
    }
}
