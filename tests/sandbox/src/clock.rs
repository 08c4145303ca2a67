//! The world's clock: the one place that reads real time.

use jiff::Timestamp;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// How far the world's time has come.
///
/// With a speed it runs that many times faster than real time; with the speed 0 it stands
/// still until it is moved by hand. Without one it runs as real time does and can be moved
/// forward, so that a caller which has nothing to do but wait need not wait.
#[derive(Clone, Debug)]
pub struct Clock {
    world_ms: u64,
    since: Instant,
    speed: Option<f64>,
}

impl Clock {
    /// A clock that starts at `world_ms`.
    pub fn new(world_ms: u64, speed: Option<f64>) -> Self {
        Self { world_ms, since: instant(), speed }
    }

    /// The world's time in milliseconds since the Unix epoch.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "elapsed milliseconds are far below 2^52 and never negative"
    )]
    pub fn now_ms(&self) -> u64 {
        let real = instant().duration_since(self.since).as_millis() as f64;
        self.world_ms + (real * self.speed.unwrap_or(1.0)) as u64
    }

    /// Moves forward to `to_ms`; never backward.
    pub fn move_to(&mut self, to_ms: u64) {
        let now = self.now_ms();
        self.world_ms = now.max(to_ms);
        self.since = instant();
    }

    /// Times faster than real time; none when it can be moved by hand.
    pub fn speed(&self) -> Option<f64> {
        self.speed
    }

    /// Real time that an answer is held back for `world_ms` of the world's time:
    /// none without a speed, where nobody waits for real.
    pub fn hold(&self, world_ms: u64) -> Duration {
        let seconds = Duration::from_millis(world_ms).as_secs_f64();
        self.speed
            .filter(|speed| *speed > 0.0)
            .and_then(|speed| Duration::try_from_secs_f64(seconds / speed).ok())
            .unwrap_or_default()
    }
}

/// Real time in milliseconds since the Unix epoch; signatures are checked against it.
#[expect(clippy::disallowed_methods, reason = "this is the clock")]
#[expect(clippy::cast_possible_truncation, reason = "milliseconds fit for 500 million years")]
pub fn wall_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_millis() as u64)
}

/// Waits in real time.
#[expect(clippy::disallowed_methods, reason = "this is the clock")]
pub async fn pause(time: Duration) {
    tokio::time::sleep(time).await;
}

#[expect(clippy::disallowed_methods, reason = "this is the clock")]
fn instant() -> Instant {
    Instant::now()
}

/// `2026-11-22T10:00:00Z`.
pub fn rfc3339(ms: u64) -> String {
    format(ms, "%Y-%m-%dT%H:%M:%SZ")
}

/// `2026-11-22T10:00Z`, as Ecs writes it.
pub fn to_the_minute(ms: u64) -> String {
    format(ms, "%Y-%m-%dT%H:%MZ")
}

fn format(ms: u64, pattern: &str) -> String {
    let at = i64::try_from(ms).ok().and_then(|ms| Timestamp::from_millisecond(ms).ok());
    at.unwrap_or(Timestamp::UNIX_EPOCH).strftime(pattern).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moves_forward_only() {
        let mut clock = Clock::new(1_000, None);
        clock.move_to(5_000_000);
        assert!(clock.now_ms() >= 5_000_000);
        clock.move_to(10);
        assert!(clock.now_ms() >= 5_000_000);
    }

    #[test]
    fn stands_still_at_speed_nought() {
        let mut clock = Clock::new(1_000, Some(0.0));
        assert_eq!(clock.now_ms(), 1_000);
        clock.move_to(5_000);
        assert_eq!(clock.now_ms(), 5_000);
    }

    #[test]
    fn holds_an_answer_only_with_a_speed() {
        assert_eq!(Clock::new(0, None).hold(60_000), Duration::ZERO);
        assert_eq!(Clock::new(0, Some(60.0)).hold(60_000), Duration::from_secs(1));
    }

    #[test]
    fn writes_times_as_the_cloud_does() {
        assert_eq!(rfc3339(1_714_979_289_000), "2024-05-06T07:08:09Z");
        assert_eq!(to_the_minute(1_714_979_289_000), "2024-05-06T07:08Z");
    }
}
