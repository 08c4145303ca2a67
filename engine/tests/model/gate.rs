//! A store whose commits wait until everybody else has nothing left to do: the committer has a
//! thread, and without this its speed would decide what runs before what. What is committed on
//! the thread that runs the tasks waits for nobody: the committer has let all others go first.

use escrr_engine::store::{Append, Fence, Head, MemoryStore, Store, StoreError};
use escrr_engine::{Entry, SagaId};
use std::sync::{Arc, Condvar, Mutex};

/// What a store and whoever runs tasks know of each other.
#[derive(Debug, Default)]
pub(crate) struct Gate {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// Nobody has anything to do.
    idle: bool,
    /// The process is dead; does a commit that waits still reach the disk?
    killed: Option<bool>,
    /// The store is held by nobody any more.
    closed: bool,
}

impl Gate {
    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.state.lock().unwrap());
        self.changed.notify_all();
    }

    /// Says whether anybody has something to do.
    pub(crate) fn idle(&self, idle: bool) {
        self.change(|state| state.idle = idle);
    }

    /// The process dies; a commit that waits reaches the disk or does not.
    pub(crate) fn kill(&self, lands: bool) {
        self.change(|state| state.killed = Some(lands));
    }

    /// Waits until nobody holds the store.
    pub(crate) fn closed(&self) {
        let state = self.state.lock().unwrap();
        drop(self.changed.wait_while(state, |state| !state.closed).unwrap());
    }

    fn pass(&self) -> bool {
        let state = self.state.lock().unwrap();
        if tokio::runtime::Handle::try_current().is_ok() {
            return state.killed.unwrap_or(true);
        }
        let wait = |state: &mut State| !state.idle && state.killed.is_none();
        self.changed.wait_while(state, wait).unwrap().killed.unwrap_or(true)
    }
}

/// One process's hold on the store.
#[derive(Debug)]
pub(crate) struct GatedStore {
    pub(crate) inner: MemoryStore,
    pub(crate) gate: Arc<Gate>,
}

impl Drop for GatedStore {
    fn drop(&mut self) {
        self.gate.change(|state| state.closed = true);
    }
}

impl Store for GatedStore {
    fn claim(&mut self) -> Result<Fence, StoreError> {
        self.inner.claim()
    }

    fn commit(&mut self, fence: Fence, batch: &[Append]) -> Result<(), StoreError> {
        if self.gate.pass() {
            self.inner.commit(fence, batch)
        } else {
            Err(StoreError::Stopped("killed".to_owned()))
        }
    }

    fn entries(&self, saga: SagaId, from: u64) -> Result<Vec<Entry>, StoreError> {
        self.inner.entries(saga, from)
    }

    fn heads(&self) -> Result<Vec<Head>, StoreError> {
        self.inner.heads()
    }
}

/// The gate that the runtime's thread opens when it goes to sleep; one process at a time has it.
pub(crate) type Gates = Arc<Mutex<Arc<Gate>>>;

/// A runtime on this thread that tells the gate when it has nothing to do.
pub(crate) fn runtime(gates: &Gates) -> tokio::runtime::Runtime {
    let tell = |idle: bool| {
        let gates = Arc::clone(gates);
        move || gates.lock().unwrap().idle(idle)
    };
    let mut builder = tokio::runtime::Builder::new_current_thread();
    builder.on_thread_park(tell(true)).on_thread_unpark(tell(false)).build().unwrap()
}
