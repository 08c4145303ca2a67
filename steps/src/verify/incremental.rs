//! The probe written, awaited and removed: a node's life without a journal.
//!
//! What a look finds missing is written, what is on its way is waited for; whatever happens, the
//! caller removes the probe afterwards with [`remove_probe`].

use super::probe::{DELETION, Look, Probe, act, left, look, remove};
use crate::Which;
use crate::lag::{Finding, Kind, Limits, Link, patiently};
use escrr_engine::Fault;
use serde::Serialize;

/// How long auto-follow and the first copy of an empty index may take beside the lag itself, in
/// milliseconds.
const PATIENCE_MS: u64 = 120_000;
/// The shortest and the longest pause between two looks, in milliseconds.
const PAUSES_MS: (u64, u64) = (200, 2_000);
/// How often a write is tried.
const TRIES: u32 = 8;
/// How often it is looked whether anything of the probe is left.
const SWEEPS: u32 = 8;
/// Auto-follow takes up a new index within about two seconds; for so long a probe that was not
/// there yet may still appear, in milliseconds.
const LATE_MS: u64 = 5_000;

/// What the probe showed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Probed {
    /// The index on the leader.
    pub leader: String,
    /// The index on the follower.
    pub follower: String,
    /// From the last write on the leader until the follower showed it, in milliseconds; the pause
    /// between two looks is part of it. None when it did not come to that.
    pub latency_ms: Option<u64>,
}

/// Writes the probe step by step and waits for each step on the follower.
///
/// # Errors
/// A cluster does not answer, or refuses.
pub async fn incremental(
    link: &Link<'_>,
    probe: &Probe,
    limits: &Limits,
) -> Result<(Probed, Option<Finding>), Fault> {
    let (clock, both) = (link.clock, (&link.leader, &link.follower));
    let mut probed =
        Probed { leader: probe.leader.clone(), follower: probe.follower.clone(), latency_ms: None };
    let (mut deletion, mut tries) = (false, 0);
    let (mut since_ms, mut pause_ms) = (clock.now_ms(), PAUSES_MS.0);
    loop {
        let now_ms = clock.now_ms();
        match patiently(clock, async || look(both, probe, deletion).await).await? {
            Look::Arrived(written_ms) => {
                let latency_ms = clock.now_ms().saturating_sub(written_ms);
                probed.latency_ms = Some(latency_ms);
                return Ok((probed, slow(probe, latency_ms, limits)));
            }
            Look::Lacks(item) => {
                deletion = deletion || item == DELETION;
                match act(both.0, probe, item, now_ms).await {
                    Ok(()) => (tries, since_ms, pause_ms) = (0, clock.now_ms(), PAUSES_MS.0),
                    // It may have happened; the next look says.
                    Err(Fault::Transient { .. } | Fault::Busy(_) | Fault::Unknown(_))
                        if tries < TRIES =>
                    {
                        tries += 1;
                    }
                    Err(fault) => return Err(fault),
                }
            }
            Look::Waits(why) => {
                let waited_ms = now_ms.saturating_sub(since_ms);
                if waited_ms >= PATIENCE_MS.saturating_add(limits.ms()) {
                    return Ok((probed, Some(failed(probe, &why, waited_ms))));
                }
            }
        }
        drop(clock.wait_until(clock.now_ms() + pause_ms).await);
        pause_ms = (pause_ms * 2).min(PAUSES_MS.1);
    }
}

fn slow(probe: &Probe, latency_ms: u64, limits: &Limits) -> Option<Finding> {
    (latency_ms > limits.ms()).then(|| {
        Finding::of_pair(
            Kind::LagTime,
            (&probe.leader, &probe.follower),
            format!(
                "an update took {} s to arrive; the limit is {} s",
                latency_ms / 1000,
                limits.seconds
            ),
            ("replication works, and it does not keep up", "`escrr lag` shows every index"),
        )
    })
}

fn failed(probe: &Probe, why: &str, waited_ms: u64) -> Finding {
    Finding::of_pair(
        Kind::ProbeFailed,
        (&probe.leader, &probe.follower),
        format!("{why}, after {} s", waited_ms / 1000),
        (
            "what is written on the leader now does not reach the follower",
            "on the follower: GET /_ccr/stats, and there recent_auto_follow_errors",
        ),
    )
}

/// Removes what is left of the probe, on the follower first; gives a finding if it cannot.
///
/// Where writing it was broken off, what was being written may come after the first look.
pub async fn remove_probe(link: &Link<'_>, probe: &Probe, broken_off: bool) -> Option<Finding> {
    let (clock, both) = (link.clock, (&link.leader, &link.follower));
    let (mut seen, mut on_follower, mut why) = (broken_off, false, String::new());
    for _ in 0..SWEEPS {
        let pause_ms = match patiently(clock, async || left(both, probe).await).await {
            // What the follower never had it may be taking up right now.
            Ok(None) if seen && !on_follower => {
                on_follower = true;
                LATE_MS
            }
            Ok(None) => return None,
            Ok(Some(side)) => {
                seen = true;
                on_follower = on_follower || side == Which::Follower;
                match remove(both, probe, side).await {
                    Ok(()) => 0,
                    Err(fault) => {
                        why = fault.report().to_string();
                        PAUSES_MS.1
                    }
                }
            }
            Err(fault) => {
                why = fault.report().to_string();
                PAUSES_MS.1
            }
        };
        if pause_ms > 0 {
            drop(clock.wait_until(clock.now_ms() + pause_ms).await);
        }
    }
    Some(Finding::of_pair(
        Kind::ProbeLeft,
        (&probe.leader, &probe.follower),
        why,
        (
            "an index that was written for a test only may still be there",
            format!(
                "on the follower: DELETE /{}; then, on the leader: DELETE /{}",
                probe.follower, probe.leader
            ),
        ),
    ))
}
