//! How long the follower takes to have what the leader had: a lag in time that is proved.
//!
//! No cluster says when an operation was written, so the age of what is missing cannot be read
//! off. But who has everything that the leader had at a moment lags no longer than since that
//! moment; and who still lacks some of it lags at least as long.

use super::ask::{Link, Said, patiently};
use super::measure::{IndexLag, State, caught_up};
use crate::elastic::ShardSeq;
use escrr_engine::Fault;
use std::collections::BTreeMap;

/// The first pause between two looks, in milliseconds, and the longest.
const PAUSES_MS: (u64, u64) = (250, 5_000);

/// Waits until every follower that replicates has what the leader had, at most for a while, in
/// milliseconds, and notes how long each took or lacks something.
///
/// # Errors
/// The follower does not answer, or refuses.
pub async fn catch_up(
    link: &Link<'_>,
    said: &Said,
    lags: &mut [IndexLag],
    limit_ms: u64,
) -> Result<(), Fault> {
    let (since_ms, mut seen_ms) = (said.leader_at_ms, said.at_ms);
    let mut reached = said.follower_shards.clone();
    let mut pause_ms = PAUSES_MS.0;
    loop {
        let passed_ms = seen_ms.saturating_sub(since_ms);
        note(lags, (&said.leader_shards, &reached), passed_ms);
        let waits = lags.iter().any(waited_for);
        if !waits || passed_ms >= limit_ms {
            return Ok(());
        }
        let end_ms = since_ms.saturating_add(limit_ms);
        let next_ms = link.clock.now_ms().saturating_add(pause_ms).min(end_ms.max(seen_ms + 1));
        drop(link.clock.wait_until(next_ms).await);
        pause_ms = pause_ms.saturating_mul(2).min(PAUSES_MS.1);
        reached = patiently(link.clock, async || link.follower.shard_stats("_all").await).await?;
        seen_ms = link.clock.now_ms();
    }
}

/// Has it not been seen yet with all that the leader had, although it should get there?
fn waited_for(lag: &IndexLag) -> bool {
    lag.state == State::Following && lag.lag_at_least_ms.is_some() && lag.lag_at_most_ms.is_none()
}

type Checkpoints = BTreeMap<String, Vec<ShardSeq>>;

fn note(lags: &mut [IndexLag], (barrier, reached): (&Checkpoints, &Checkpoints), passed_ms: u64) {
    for lag in lags.iter_mut().filter(|lag| lag.lag_at_most_ms.is_none()) {
        let both = barrier.get(&lag.leader).zip(reached.get(&lag.follower));
        let Some((want, have)) = both.filter(|_| lag.lag_operations.is_some()) else { continue };
        if caught_up(want, have) {
            lag.lag_at_most_ms = Some(passed_ms);
        } else {
            lag.lag_at_least_ms = Some(passed_ms);
        }
    }
}
