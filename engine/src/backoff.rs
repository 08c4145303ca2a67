//! When to look again.

/// The longest pause between two looks, in milliseconds.
pub const LONGEST_POLL_MS: u64 = 15_000;
/// The shortest pause between two looks, in milliseconds.
pub const SHORTEST_POLL_MS: u64 = 500;
/// The longest pause after a transient fault, in milliseconds.
pub const LONGEST_RETRY_MS: u64 = 60_000;
/// The longest pause that the other side's own hint may ask for, in milliseconds.
pub const LONGEST_HINT_MS: u64 = 120_000;

/// The pause before the next look at something that is on its way, in milliseconds.
///
/// Seldom at first, close together around the time that it usually takes, and seldom again
/// when it takes much longer: the wait overshoots its end by a small share of itself.
pub fn poll_ms(waited_ms: u64, usual_ms: u64) -> u64 {
    let pause =
        if waited_ms < usual_ms * 3 / 10 { usual_ms / 10 } else { waited_ms.max(usual_ms) / 40 };
    pause.clamp(SHORTEST_POLL_MS, LONGEST_POLL_MS)
}

/// The pause after the `attempt`-th transient fault in a row (from 1): full jitter.
///
/// `random` is any number; the other side's own hint wins over our schedule.
pub fn retry_ms(attempt: u32, hint_ms: Option<u64>, random: u64) -> u64 {
    if let Some(hint) = hint_ms {
        return hint.min(LONGEST_HINT_MS);
    }
    let ceiling = 1_000_u64.saturating_mul(1 << attempt.clamp(1, 7)).min(LONGEST_RETRY_MS);
    SHORTEST_POLL_MS / 2 + random % ceiling
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn polling_overshoots_little_and_asks_little() {
        for usual in [5_000, 60_000, 180_000] {
            for end in [usual / 2, usual, usual * 3] {
                let (mut at, mut looks) = (0, 0);
                while at < end {
                    at += poll_ms(at, usual);
                    looks += 1;
                }
                assert!(at - end <= (end / 20).max(SHORTEST_POLL_MS), "{at} overshoots {end}");
                assert!(looks <= 90, "{looks} looks for {end} ms");
            }
        }
    }

    #[test]
    fn a_hint_wins_and_is_bounded() {
        assert_eq!(retry_ms(3, Some(700), 9), 700);
        assert_eq!(retry_ms(3, Some(u64::MAX), 9), LONGEST_HINT_MS);
        for attempt in 1..100 {
            assert!(retry_ms(attempt, None, u64::MAX) <= LONGEST_RETRY_MS + SHORTEST_POLL_MS);
        }
    }
}
