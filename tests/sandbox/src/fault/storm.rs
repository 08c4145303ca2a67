//! Everything that goes wrong, at once: an order whose blows a seed decides.
//!
//! What becomes of a request depends on the seed, its product and action, and how many of its
//! kind came before it; so requests that overtake each other change nothing.

use super::{Effect, Seen};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How bad the weather is; the chances go from 0 to 1 and together stay below 1.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Storm {
    /// Decides the blows.
    pub seed: u64,
    /// The share that is throttled, half of it with a hint when to try again.
    #[serde(default)]
    pub throttled: f64,
    /// The share that is applied and gets no answer.
    #[serde(default)]
    pub lost: f64,
    /// The share that gets HTTP status 500, half of it after it was applied.
    #[serde(default)]
    pub failed: f64,
    /// Does every kind of look see, once, the world before the last change?
    #[serde(default)]
    pub stale: bool,
}

/// What a storm remembers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Memory {
    /// Requests so far, by product and action.
    counts: BTreeMap<String, u64>,
    /// Looks that were stale already.
    stale: Vec<String>,
    /// Did anything change since the storm began? Before, nothing is stale.
    changed: bool,
}

/// Looks that a cluster answers from the data itself: they are never stale.
const NEVER_STALE: &[&str] =
    &["Refresh", "Count", "Search", "Mget", "Pit", "Stats", "All", "GetDocument", "IndexExists"];
/// What a throttled caller is told to wait, in milliseconds, if it is told.
const HINT_MS: u64 = 1_000;

impl Memory {
    /// Is there nothing to remember?
    pub(super) fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Decides about a request.
    pub(super) fn strike(&mut self, storm: &Storm, seen: Seen<'_>) -> Option<Effect> {
        let key = format!("{}/{}", seen.product, seen.action);
        let count = self.counts.entry(key.clone()).or_insert(0);
        *count += 1;
        let mut random = mixed(storm.seed, &key, *count);
        let (blow, half) = (super::roll(&mut random), super::roll(&mut random) < 0.5);
        let (throttled, lost) = (storm.throttled, storm.throttled + storm.lost);
        if blow < throttled {
            return Some(if half { Effect::Throttle } else { Effect::ThrottleMs(HINT_MS) });
        }
        let may_change = seen.mutating && blow >= throttled;
        self.changed |= may_change;
        if blow < lost {
            return Some(Effect::Lost);
        }
        if blow < lost + storm.failed {
            return Some(Effect::Fail { applied: half });
        }
        let fresh = seen.product == "Es" && NEVER_STALE.contains(&seen.action);
        if storm.stale && self.changed && !seen.mutating && !fresh && !self.stale.contains(&key) {
            self.stale.push(key);
            return Some(Effect::Stale);
        }
        None
    }
}

/// A beginning for the generator that is the same for the same request: FNV-1a.
fn mixed(seed: u64, key: &str, count: u64) -> u64 {
    let bytes = key.bytes().chain(count.to_le_bytes()).chain(seed.to_le_bytes());
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn storm(seed: u64) -> Storm {
        Storm { seed, throttled: 0.3, lost: 0.05, failed: 0.05, stale: true }
    }

    fn seen(action: &str, mutating: bool) -> Seen<'_> {
        Seen { product: "Cbn", action, mutating, carries: None, signed: true }
    }

    #[test]
    fn the_shares_are_as_ordered() {
        let mut memory = Memory::default();
        let blows: Vec<Option<Effect>> =
            (0..4_000).map(|_| memory.strike(&storm(1), seen("CreateCen", true))).collect();
        let count = |test: fn(&Effect) -> bool| blows.iter().flatten().filter(|b| test(b)).count();
        let throttled = count(|b| matches!(b, Effect::Throttle | Effect::ThrottleMs(_)));
        assert!((1_100..1_300).contains(&throttled), "{throttled}");
        for share in
            [count(|b| matches!(b, Effect::Lost)), count(|b| matches!(b, Effect::Fail { .. }))]
        {
            assert!((150..250).contains(&share), "{share}");
        }
        assert!(count(|b| matches!(b, Effect::Fail { applied: true })) > 50);
        assert!(count(|b| matches!(b, Effect::Fail { applied: false })) > 50);
    }

    #[test]
    fn the_order_of_requests_of_other_kinds_changes_nothing() {
        let (mut one, mut other) = (Memory::default(), Memory::default());
        let (a, b) = (seen("A", true), seen("B", true));
        let first: Vec<_> = (0..50).map(|_| one.strike(&storm(7), a)).collect();
        (0..50).for_each(|_| drop(one.strike(&storm(7), b)));
        (0..50).for_each(|_| drop(other.strike(&storm(7), b)));
        let second: Vec<_> = (0..50).map(|_| other.strike(&storm(7), a)).collect();
        assert_eq!(first, second);
        let mut third = Memory::default();
        let elsewhere: Vec<_> = (0..50).map(|_| third.strike(&storm(8), a)).collect();
        assert_ne!(first, elsewhere);
    }

    #[test]
    fn every_kind_of_look_is_stale_once_after_the_first_change() {
        let calm = Storm { seed: 1, throttled: 0.0, lost: 0.0, failed: 0.0, stale: true };
        let mut memory = Memory::default();
        assert_eq!(memory.strike(&calm, seen("ListA", false)), None);
        assert_eq!(memory.strike(&calm, seen("Create", true)), None);
        for action in ["ListA", "ListB"] {
            assert_eq!(memory.strike(&calm, seen(action, false)), Some(Effect::Stale));
            assert_eq!(memory.strike(&calm, seen(action, false)), None);
        }
        let count =
            Seen { product: "Es", action: "Count", mutating: false, carries: None, signed: true };
        assert_eq!(memory.strike(&calm, count), None);
    }
}
