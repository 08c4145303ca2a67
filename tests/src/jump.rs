//! A process's clock that is set anew while somebody waits.

use escrr_engine::clock::{Busy, Clock, VirtualClock};
use escrr_engine::erased::BoxFuture;

/// From a moment on the clock shows another time; the world's own time goes on as before.
#[derive(Clone, Copy, Debug)]
pub struct Jump {
    /// The moment, in milliseconds since the Unix epoch, by the clock that is right.
    pub at_ms: u64,
    /// How far it is set forward, or backward if negative, in milliseconds.
    pub by_ms: i64,
}

/// A virtual clock that is set anew once.
pub struct Jumping {
    right: VirtualClock,
    jump: Jump,
}

impl Jumping {
    /// The clock `right`, set anew by `jump`.
    pub fn new(right: VirtualClock, jump: Jump) -> Self {
        Self { right, jump }
    }
}

impl Clock for Jumping {
    fn now_ms(&self) -> u64 {
        let now_ms = self.right.now_ms();
        if now_ms < self.jump.at_ms {
            now_ms
        } else {
            now_ms.saturating_add_signed(self.jump.by_ms)
        }
    }

    fn busy(&self) -> Busy {
        self.right.busy()
    }

    /// As the wall clock's: the time that is left now is waited for, whatever the clock
    /// shows meanwhile.
    fn wait_until(&self, at_ms: u64) -> BoxFuture<'static, Busy> {
        let left_ms = at_ms.saturating_sub(self.now_ms());
        self.right.wait_until(self.right.now_ms() + left_ms)
    }
}
