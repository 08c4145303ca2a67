//! Not more calls in a time than the other side likes: a token bucket for each product.
//!
//! The vendor limits calls by account and product and does not say where the limits are. A
//! limit that is met costs a refusal and a longer wait, and takes from what other programs of
//! the same account may call; so the client keeps below it by itself.

use super::endpoint::Product;
use escrr_engine::Clock;
use std::collections::BTreeMap;
use std::fmt;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, PoisonError};

/// So many seconds' calls may be made at once after a pause.
const BURST_SECONDS: u64 = 2;
/// Parts of a call that a bucket is counted in, so that nothing is lost by rounding.
const PARTS: u64 = 1_000;

/// The limit and the buckets; clones share them.
///
/// A call that comes too early waits, first come first served. The clock has to be one that
/// goes on while somebody works: the wall clock, or a scaled one. A clock that jumps waits for
/// whoever waits here, and would stand still.
#[derive(Clone)]
pub struct Pace {
    per_second: NonZeroU32,
    clock: Arc<dyn Clock>,
    buckets: Arc<Mutex<BTreeMap<Product, Bucket>>>,
}

/// What is left, in parts of a call. Below zero it is owed by those that wait.
#[derive(Clone, Copy, Debug)]
struct Bucket {
    parts: i64,
    at_ms: u64,
}

impl fmt::Debug for Pace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pace").field("per_second", &self.per_second).finish_non_exhaustive()
    }
}

impl Pace {
    /// So many calls a second to each product, and twice as many at once after a pause.
    pub fn new(per_second: NonZeroU32, clock: Arc<dyn Clock>) -> Self {
        Self { per_second, clock, buckets: Arc::default() }
    }

    /// Waits until a call may be made, and counts it.
    pub(super) async fn pass(&self, product: Product) {
        let now_ms = self.clock.now_ms();
        let wait_ms = self.take(product, now_ms);
        if wait_ms > 0 {
            drop(self.clock.wait_until(now_ms.saturating_add(wait_ms)).await);
        }
    }

    /// Takes one call out of a bucket; gives the milliseconds until it is covered.
    fn take(&self, product: Product, now_ms: u64) -> u64 {
        // Calls a second are parts of a call a millisecond.
        let rate = u64::from(self.per_second.get());
        let full = i64::try_from(rate * BURST_SECONDS * PARTS).unwrap_or(i64::MAX);
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let bucket = buckets.entry(product).or_insert(Bucket { parts: full, at_ms: now_ms });
        // A clock that was set back gives nothing, and takes nothing.
        let since_ms = now_ms.saturating_sub(bucket.at_ms);
        let gained = i64::try_from(since_ms.saturating_mul(rate)).unwrap_or(i64::MAX);
        bucket.parts = bucket.parts.saturating_add(gained).min(full) - PARTS.cast_signed();
        bucket.at_ms = now_ms;
        let owed = bucket.parts.min(0).unsigned_abs();
        owed.div_ceil(rate)
    }
}

#[cfg(test)]
mod tests {
    use super::{Pace, Product};
    use escrr_engine::{Clock as _, VirtualClock};
    use std::num::NonZeroU32;
    use std::sync::Arc;

    fn pace(per_second: u32) -> (Pace, Arc<VirtualClock>) {
        let clock = Arc::new(VirtualClock::new(1_000));
        (Pace::new(NonZeroU32::new(per_second).unwrap(), Arc::clone(&clock) as _), clock)
    }

    #[test]
    fn a_burst_is_free_and_then_calls_come_evenly() {
        let (pace, _) = pace(10);
        let waits: Vec<u64> = (0..23).map(|_| pace.take(Product::Vpc, 1_000)).collect();
        assert!(waits[..20].iter().all(|wait| *wait == 0), "{waits:?}");
        assert_eq!(waits[20..], [100, 200, 300]);
        // Another product has a bucket of its own.
        assert_eq!(pace.take(Product::Nlb, 1_000), 0);
        // What was owed is paid by time, and the bucket never holds more than the burst.
        assert_eq!(pace.take(Product::Vpc, 1_400), 0);
        let later: Vec<u64> = (0..21).map(|_| pace.take(Product::Vpc, 900_000)).collect();
        assert_eq!(later.iter().filter(|wait| **wait == 0).count(), 20);
        assert_eq!(later[20], 100);
    }

    #[test]
    fn a_clock_that_goes_back_neither_gives_nor_blocks() {
        let (pace, _) = pace(1);
        assert_eq!(pace.take(Product::Sts, 50_000), 0);
        assert_eq!(pace.take(Product::Sts, 10), 0);
        assert_eq!(pace.take(Product::Sts, 10), 1_000);
        assert_eq!(pace.take(Product::Sts, 2_010), 0);
    }

    #[tokio::test]
    async fn a_call_that_comes_too_early_waits_by_the_clock() {
        let (pace, clock) = pace(5);
        for _ in 0..10 {
            pace.pass(Product::Ecs).await;
        }
        assert_eq!(clock.now_ms(), 1_000);
        for _ in 0..10 {
            pace.pass(Product::Ecs).await;
        }
        assert_eq!(clock.now_ms(), 3_000);
    }
}
