//! Jumping time in which calls cost something.

use escrr_engine::clock::{Busy, Clock, VirtualClock};
use escrr_engine::erased::BoxFuture;
use std::sync::atomic::{AtomicU64, Ordering};

/// What a look or a call takes, in milliseconds: time goes on even for who never waits.
const CALL_MS: u64 = 20;

/// A [`VirtualClock`] that also moves while somebody works.
pub(crate) struct WorldClock {
    jumping: VirtualClock,
    spent_ms: AtomicU64,
}

impl WorldClock {
    pub(crate) fn new(now_ms: u64) -> Self {
        Self { jumping: VirtualClock::new(now_ms), spent_ms: AtomicU64::new(0) }
    }

    /// A look or a call was made.
    pub(crate) fn spend(&self) -> u64 {
        self.spent_ms.fetch_add(CALL_MS, Ordering::Relaxed);
        self.now_ms()
    }
}

impl Clock for WorldClock {
    fn now_ms(&self) -> u64 {
        self.jumping.now_ms() + self.spent_ms.load(Ordering::Relaxed)
    }

    fn busy(&self) -> Busy {
        self.jumping.busy()
    }

    fn wait_until(&self, at_ms: u64) -> BoxFuture<'static, Busy> {
        self.jumping.wait_until(at_ms.saturating_sub(self.spent_ms.load(Ordering::Relaxed)))
    }
}
