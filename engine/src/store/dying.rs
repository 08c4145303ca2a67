//! A store that dies at an exact commit, to prove that nothing is lost by it.

use super::{Append, Fence, Head, Store, StoreError};
use crate::event::Entry;
use crate::id::SagaId;
use std::fmt;
use std::str::FromStr;

/// When a [`Dying`] store dies; commits are counted from 1, from its opening on.
///
/// As text it is `before:17` or `after:17`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Moment {
    /// Before the commit: nothing of it is written.
    Before(u64),
    /// After the commit: it is durable, and nobody was told.
    After(u64),
}

/// A text is no [`Moment`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a moment is `before:N` or `after:N`, with commits counted from 1")]
pub struct NoMoment;

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Before(commit) => write!(f, "before:{commit}"),
            Self::After(commit) => write!(f, "after:{commit}"),
        }
    }
}

impl FromStr for Moment {
    type Err = NoMoment;

    fn from_str(text: &str) -> Result<Self, NoMoment> {
        let (when, commit) = text.split_once(':').ok_or(NoMoment)?;
        let commit = commit.parse().ok().filter(|commit| *commit > 0).ok_or(NoMoment)?;
        match when {
            "before" => Ok(Self::Before(commit)),
            "after" => Ok(Self::After(commit)),
            _ => Err(NoMoment),
        }
    }
}

/// A store around another one that calls a hook at one moment.
///
/// The hook is meant to end the process. Where it returns, the store takes nothing more,
/// as a dead one would not.
pub struct Dying<S> {
    store: S,
    at: Moment,
    commits: u64,
    dead: bool,
    die: Box<dyn FnMut() + Send>,
}

impl<S: Store> Dying<S> {
    /// Lets a store die at a moment by calling `die`.
    pub fn new(store: S, at: Moment, die: Box<dyn FnMut() + Send>) -> Self {
        Self { store, at, commits: 0, dead: false, die }
    }

    /// Dies if this is the moment; afterwards and ever after it is an error.
    fn pass(&mut self, moment: Moment) -> Result<(), StoreError> {
        if !self.dead && moment == self.at {
            self.dead = true;
            (self.die)();
        }
        if self.dead {
            return Err(StoreError::Stopped(format!("it died at {}", self.at)));
        }
        Ok(())
    }
}

impl<S: fmt::Debug> fmt::Debug for Dying<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { store, at, commits, dead, die: _ } = self;
        f.debug_struct("Dying")
            .field("store", store)
            .field("at", at)
            .field("commits", commits)
            .field("dead", dead)
            .finish_non_exhaustive()
    }
}

impl<S: Store> Store for Dying<S> {
    fn claim(&mut self) -> Result<Fence, StoreError> {
        self.store.claim()
    }

    fn commit(&mut self, fence: Fence, batch: &[Append]) -> Result<(), StoreError> {
        self.commits += 1;
        self.pass(Moment::Before(self.commits))?;
        self.store.commit(fence, batch)?;
        self.pass(Moment::After(self.commits))
    }

    fn entries(&self, saga: SagaId, from: u64) -> Result<Vec<Entry>, StoreError> {
        self.store.entries(saga, from)
    }

    fn heads(&self) -> Result<Vec<Head>, StoreError> {
        self.store.heads()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Event;
    use crate::store::MemoryStore;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};

    fn append(saga: SagaId, version: u64) -> Append {
        let event = Event::Resumed { by: "t".into(), actor: crate::Actor::default() };
        Append::new(saga, Entry { version, at_ms: version, previous: String::new(), event })
    }

    /// Commits three times; what each said, what is in the store, how often the hook was called.
    fn three(at: Moment) -> ([bool; 3], usize, u32) {
        let kept = MemoryStore::default();
        let saga = SagaId::new(1, [7; 10]);
        let called = Arc::new(AtomicU32::new(0));
        let count = Arc::clone(&called);
        let die = Box::new(move || {
            count.fetch_add(1, Ordering::Relaxed);
        });
        let mut store = Dying::new(kept.clone(), at, die);
        let fence = store.claim().unwrap();
        let told = [1, 2, 3].map(|version| store.commit(fence, &[append(saga, version)]).is_ok());
        (told, kept.entries(saga, 1).unwrap().len(), called.load(Ordering::Relaxed))
    }

    #[test]
    fn before_a_commit_nothing_of_it_is_written() {
        assert_eq!(three(Moment::Before(2)), ([true, false, false], 1, 1));
        assert_eq!(three(Moment::Before(1)), ([false, false, false], 0, 1));
    }

    #[test]
    fn after_a_commit_it_is_written_and_nobody_is_told() {
        assert_eq!(three(Moment::After(2)), ([true, false, false], 2, 1));
        assert_eq!(three(Moment::After(4)), ([true, true, true], 3, 0));
    }

    #[test]
    fn a_moment_is_read_as_it_is_written() {
        for moment in [Moment::Before(1), Moment::After(17)] {
            assert_eq!(moment.to_string().parse(), Ok(moment));
        }
        for wrong in ["", "before", "before:", "before:0", "after:-1", "during:3", "after:1:2"] {
            assert_eq!(wrong.parse::<Moment>(), Err(NoMoment), "{wrong}");
        }
    }
}
