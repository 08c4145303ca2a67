//! Time that is not the engine's own: a sandbox that runs at a speed, and pauses of readers.

use escrr_engine::clock::Busy;
use escrr_engine::erased::BoxFuture;
use escrr_engine::{Clock, SystemClock};
use std::time::{Duration, Instant};

/// The clock of a world that runs some times faster than real time.
#[derive(Clone, Copy, Debug)]
pub struct ScaledClock {
    world_ms: u64,
    since: Instant,
    speed: f64,
}

impl ScaledClock {
    /// A clock that shows `world_ms` now and runs `speed` times faster than real time.
    pub fn new(world_ms: u64, speed: f64) -> Self {
        Self { world_ms, since: instant(), speed }
    }

    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "elapsed milliseconds are far below 2^52 and never negative"
    )]
    fn at(&self, now: Instant) -> u64 {
        let real_ms = now.duration_since(self.since).as_millis() as f64;
        self.world_ms + (real_ms * self.speed) as u64
    }

    /// Real time until a moment of the world.
    fn left(&self, now: Instant, at_ms: u64) -> Duration {
        let world = Duration::from_millis(at_ms.saturating_sub(self.at(now)));
        // A moment too far away to be told is not reached by anybody who waits.
        Duration::try_from_secs_f64(world.as_secs_f64() / self.speed).unwrap_or(Duration::MAX)
    }
}

impl Clock for ScaledClock {
    fn now_ms(&self) -> u64 {
        self.at(instant())
    }

    fn busy(&self) -> Busy {
        Busy::default()
    }

    fn wait_until(&self, at_ms: u64) -> BoxFuture<'static, Busy> {
        let left = self.left(instant(), at_ms);
        Box::pin(async move {
            pause(left).await;
            Busy::default()
        })
    }
}

/// Real time in milliseconds since the Unix epoch: for ids, locks and what is shown of them.
pub fn real_ms() -> u64 {
    SystemClock.now_ms()
}

/// A watch that starts now: real time that never goes back, to measure with.
pub fn stopwatch() -> impl Fn() -> Duration {
    let since = instant();
    move || instant().duration_since(since)
}

/// Waits in real time: for a lock, or for what another process writes.
#[expect(clippy::disallowed_methods, reason = "what another process does has no clock of ours")]
pub async fn pause(time: Duration) {
    tokio::time::sleep(time).await;
}

#[expect(clippy::disallowed_methods, reason = "this is a clock that is handed in")]
fn instant() -> Instant {
    Instant::now()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_world_runs_as_many_times_faster_as_was_said() {
        let clock = ScaledClock::new(1_000, 60.0);
        let later = clock.since + Duration::from_secs(2);
        assert_eq!(clock.at(later), 121_000);
        assert_eq!(clock.left(later, 181_000), Duration::from_secs(1));
        assert_eq!(clock.left(later, 5), Duration::ZERO);
    }
}
