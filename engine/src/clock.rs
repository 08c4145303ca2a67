//! Time, handed in.
//!
//! [`SystemClock`] is the wall clock. [`VirtualClock`] jumps: whenever everything that
//! could do something is waiting, it moves to the earliest moment waited for. So that it
//! knows, whoever works holds a [`Busy`] guard.

use crate::erased::BoxFuture;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::oneshot;

/// Tells and waits.
pub trait Clock: Send + Sync {
    /// Milliseconds since the Unix epoch.
    fn now_ms(&self) -> u64;
    /// Says that somebody works until the guard is dropped: time does not jump meanwhile.
    fn busy(&self) -> Busy;
    /// Waits until a moment; who waited works again. The caller must hold no guard.
    fn wait_until(&self, at_ms: u64) -> BoxFuture<'static, Busy>;
}

/// Somebody works; see [`Clock::busy`].
#[derive(Default)]
pub struct Busy(Option<Arc<Shared>>);

/// The wall clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the clock that is handed in")]
    fn now_ms(&self) -> u64 {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        since.map_or(0, |d| u64::try_from(d.as_millis()).unwrap_or(u64::MAX))
    }

    fn busy(&self) -> Busy {
        Busy(None)
    }

    #[expect(clippy::disallowed_methods, reason = "this is the clock that is handed in")]
    fn wait_until(&self, at_ms: u64) -> BoxFuture<'static, Busy> {
        let left = at_ms.saturating_sub(self.now_ms());
        Box::pin(async move {
            tokio::time::sleep(std::time::Duration::from_millis(left)).await;
            Busy(None)
        })
    }
}

/// Moves the outside's time to a moment and says what time it is there now.
pub type Advance = Box<dyn Fn(u64) -> BoxFuture<'static, u64> + Send + Sync>;

/// A clock that never makes anybody wait for real.
pub struct VirtualClock(Arc<Shared>);

struct Shared {
    state: Mutex<State>,
    advance: Advance,
}

#[derive(Default)]
struct State {
    now_ms: u64,
    busy: usize,
    jumping: bool,
    next: u64,
    waiting: BTreeMap<(u64, u64), oneshot::Sender<Busy>>,
}

impl VirtualClock {
    /// A clock that shows `now_ms` and tells nobody when it jumps.
    pub fn new(now_ms: u64) -> Self {
        Self::with(now_ms, Box::new(|to| Box::pin(async move { to })))
    }

    /// A clock that moves an outside's time along.
    pub fn with(now_ms: u64, advance: Advance) -> Self {
        let state = State { now_ms, ..State::default() };
        Self(Arc::new(Shared { state: Mutex::new(state), advance }))
    }
}

impl Shared {
    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Jumps if nobody works and somebody waits.
    fn settle(self: &Arc<Self>) {
        let mut state = self.lock();
        state.waiting.retain(|_, wake| !wake.is_closed());
        if state.busy > 0 || state.jumping {
            return;
        }
        let Some((at_ms, _)) = state.waiting.keys().next().copied() else { return };
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        state.jumping = true;
        drop(state);
        let shared = Arc::clone(self);
        runtime.spawn(async move {
            let now_ms = (shared.advance)(at_ms).await;
            let due = shared.arrive(now_ms);
            for (wake, busy) in due {
                // Nobody waits any more: dropping the guard lets time go on.
                drop(wake.send(busy));
            }
            shared.settle();
        });
    }

    /// Takes the new time and the waiters that are due, each with its guard.
    fn arrive(self: &Arc<Self>, now_ms: u64) -> Vec<(oneshot::Sender<Busy>, Busy)> {
        let mut state = self.lock();
        state.now_ms = state.now_ms.max(now_ms);
        state.jumping = false;
        let after = (state.now_ms + 1, 0);
        let later = state.waiting.split_off(&after);
        let due = std::mem::replace(&mut state.waiting, later);
        state.busy += due.len();
        due.into_values().map(|wake| (wake, Busy(Some(Arc::clone(self))))).collect()
    }
}

impl Clock for VirtualClock {
    fn now_ms(&self) -> u64 {
        self.0.lock().now_ms
    }

    fn busy(&self) -> Busy {
        self.0.lock().busy += 1;
        Busy(Some(Arc::clone(&self.0)))
    }

    fn wait_until(&self, at_ms: u64) -> BoxFuture<'static, Busy> {
        if at_ms <= self.now_ms() {
            let busy = self.busy();
            return Box::pin(async { busy });
        }
        let (wake, woken) = oneshot::channel();
        let mut state = self.0.lock();
        state.next += 1;
        let key = (at_ms, state.next);
        state.waiting.insert(key, wake);
        drop(state);
        self.0.settle();
        // A closed channel means that the clock is gone: nobody asks it then.
        Box::pin(async move { woken.await.unwrap_or_default() })
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        if let Some(shared) = self.0.take() {
            let mut state = shared.lock();
            state.busy = state.busy.saturating_sub(1);
            drop(state);
            shared.settle();
        }
    }
}
