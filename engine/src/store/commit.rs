//! The one committer: a thread that owns the store and commits everything queued as one batch.
//!
//! sled must not be flushed from several tasks at once, and a batch costs one sync,
//! however many sagas append to it.

use super::{Append, Fence, Head, Store, StoreError};
use crate::event::Entry;
use crate::id::SagaId;
use crate::sealed::Sealed;
use tokio::sync::oneshot;

// In this package's unit tests a scheduler decides who runs next: see `interleavings.rs`.
#[cfg(test)]
use shuttle::{sync::mpsc, thread};
#[cfg(not(test))]
use std::{sync::mpsc, thread};

#[cfg(test)]
mod interleavings;

type Answer<T> = oneshot::Sender<Result<T, StoreError>>;

#[derive(Debug)]
enum Ask {
    Append(Append, Answer<()>),
    Entries(SagaId, u64, Answer<Vec<Entry>>),
    Heads(Answer<Vec<Head>>),
}

/// A handle on the thread that owns the store; clones share it.
#[derive(Clone, Debug)]
pub struct Committer(mpsc::Sender<Ask>);

impl Committer {
    /// Claims the store and gives it to a thread of its own.
    pub fn start(mut store: impl Store) -> Result<Self, StoreError> {
        let fence = store.claim()?;
        let (asks, queue) = mpsc::channel();
        thread::Builder::new()
            .name("committer".into())
            .spawn(move || serve(store, fence, &queue))
            .map_err(|e| StoreError::Stopped(e.to_string()))?;
        Ok(Self(asks))
    }

    /// Adds an entry; it is durable when this returns.
    pub async fn append(&self, saga: SagaId, entry: impl Into<Sealed>) -> Result<(), StoreError> {
        let append = Append::new(saga, entry);
        self.ask(|answer| Ask::Append(append, answer)).await
    }

    /// The entries of a saga from a version on.
    pub async fn entries(&self, saga: SagaId, from: u64) -> Result<Vec<Entry>, StoreError> {
        self.ask(|answer| Ask::Entries(saga, from, answer)).await
    }

    /// All heads, oldest saga first.
    pub async fn heads(&self) -> Result<Vec<Head>, StoreError> {
        self.ask(Ask::Heads).await
    }

    async fn ask<T>(&self, ask: impl FnOnce(Answer<T>) -> Ask) -> Result<T, StoreError> {
        let gone = || StoreError::Stopped("its thread has ended".into());
        let (answer, answered) = oneshot::channel();
        self.0.send(ask(answer)).map_err(|_| gone())?;
        answered.await.map_err(|_| gone())?
    }
}

fn serve(mut store: impl Store, fence: Fence, queue: &mpsc::Receiver<Ask>) {
    let mut dead: Option<String> = None;
    while let Ok(first) = queue.recv() {
        let mut batch = Vec::new();
        let mut answers = Vec::new();
        for ask in std::iter::once(first).chain(queue.try_iter()) {
            match ask {
                Ask::Append(append, answer) => {
                    batch.push(append);
                    answers.push(answer);
                }
                Ask::Entries(saga, from, answer) => drop(answer.send(store.entries(saga, from))),
                Ask::Heads(answer) => drop(answer.send(store.heads())),
            }
        }
        for (done, answer) in settle(&mut store, fence, &batch, &mut dead).into_iter().zip(answers)
        {
            // Nobody waits for the answer any more: the entry is durable all the same.
            drop(answer.send(done));
        }
    }
}

/// Commits a batch and says what came of each append in it.
fn settle(
    store: &mut impl Store,
    fence: Fence,
    batch: &[Append],
    dead: &mut Option<String>,
) -> Vec<Result<(), StoreError>> {
    if batch.is_empty() {
        return Vec::new();
    }
    let done = match dead {
        Some(why) => Err(StoreError::Stopped(why.clone())),
        None => commit(store, fence, batch),
    };
    if let (true, Err(StoreError::Conflict { .. } | StoreError::TooLarge { .. })) =
        (batch.len() > 1, &done)
    {
        // Nothing was written, and one append's mistake is not that of those beside it.
        return batch.chunks(1).flat_map(|one| settle(store, fence, one, dead)).collect();
    }
    match &done {
        Ok(()) | Err(StoreError::Conflict { .. } | StoreError::TooLarge { .. }) => {}
        // What was written by a failed commit is unknown: nothing may follow it.
        Err(error) => drop(dead.get_or_insert_with(|| error.to_string())),
    }
    vec![done; batch.len()]
}

fn commit(store: &mut impl Store, fence: Fence, batch: &[Append]) -> Result<(), StoreError> {
    let committed =
        std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| store.commit(fence, batch)));
    committed.unwrap_or_else(|_| Err(StoreError::Stopped("the store itself gave up".into())))
}
