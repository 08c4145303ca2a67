//! How long a node is waited for, and what follows when that is not enough.

use crate::backoff::{poll_ms, retry_ms};
use crate::engine::EngineError;
use crate::fault::{Class, Report};
use crate::node::{NodeState, Stop};
use crate::progress::News;
use crate::run::{Run, Waiting};

/// A node that is overdue this many times over waits for a person.
const PARK_AFTER_LIMITS: u64 = 3;
/// A look that comes this much later than it was due tells that nobody watched meanwhile.
const LATE_MS: u64 = 60_000;
/// After a smaller gap than that the time counts, but what was seen may be from before it.
const GAP_MS: u64 = 5_000;
/// The least time that transient faults are borne, in milliseconds.
const LEAST_ENDURANCE_MS: u64 = 30_000;

impl<W: Send + Sync + 'static> Run<'_, W> {
    /// A call did not go through: sets when it is tried again.
    pub(crate) async fn again(
        &mut self,
        at: usize,
        report: Report,
        hint_ms: Option<u64>,
        undo: bool,
    ) -> Result<(), EngineError> {
        let now_ms = self.engine.clock.now_ms();
        let random = self.engine.random();
        let limit_ms = self.limit_ms(at).max(LEAST_ENDURANCE_MS);
        let wait = self.waits.entry(at).or_default();
        let gap = wait.mind_the_gap(now_ms);
        wait.faults += 1;
        let since = *wait.fault_since_ms.get_or_insert(now_ms);
        wait.due_ms = now_ms + retry_ms(wait.faults, hint_ms, random);
        if hint_ms.is_none() {
            // The last try is made when patience ends, not some time after it.
            wait.due_ms = wait.due_ms.min(since.saturating_add(limit_ms)).max(now_ms);
        }
        let (attempt, next_ms) = (wait.faults, wait.due_ms);
        if now_ms.saturating_sub(since) >= limit_ms && wait.may_stop(gap, now_ms) {
            let park = self.saga.node(at).intent().is_some();
            let class = Class::Unreachable;
            return self.stop(at, Stop { class, report }, undo, park).await;
        }
        self.engine.tell(self.saga.id, News::Retrying { node: at, attempt, report, next_ms });
        Ok(())
    }

    /// Sets the next look, and minds the node's patience.
    pub(crate) async fn waiting(&mut self, at: usize, why: String) -> Result<(), EngineError> {
        let now_ms = self.engine.clock.now_ms();
        let (limit_ms, usual_ms) = (self.limit_ms(at), self.usual_ms(at));
        let begun_ms = match self.saga.node(at) {
            NodeState::Intended(intent) => Some(intent.at_ms),
            NodeState::Undoing { since_ms, .. } => Some(*since_ms),
            NodeState::Idle { .. }
            | NodeState::Done { .. }
            | NodeState::Failed { .. }
            | NodeState::Parked { .. }
            | NodeState::Skipped
            | NodeState::Undone { .. }
            | NodeState::Stuck { .. } => None,
        };
        let wait = self.waits.entry(at).or_default();
        let gap = wait.mind_the_gap(now_ms);
        // What was announced long ago by a process that died, and is called for only now, has
        // its time from now on.
        let begun_ms =
            begun_ms.map(|begun| wait.called_ms.map_or(begun, |called| called.max(begun)));
        let since_ms = *wait.since_ms.get_or_insert(now_ms);
        wait.due_ms = now_ms + poll_ms(now_ms.saturating_sub(since_ms), usual_ms);
        let next_ms = wait.due_ms;
        // What is counted from this process's own first look has the gaps taken out already.
        let gaps_ms = if begun_ms.is_some() { wait.unwatched_ms } else { 0 };
        let waited_ms = now_ms.saturating_sub(begun_ms.unwrap_or(since_ms)).saturating_sub(gaps_ms);
        let news = News::Waiting { node: at, why: why.clone(), since_ms, next_ms };
        self.engine.tell(self.saga.id, news);
        let wait = self.waits.entry(at).or_default();
        if waited_ms < limit_ms {
            wait.fresh = false;
            return Ok(());
        }
        if begun_ms.is_none() || waited_ms >= limit_ms * PARK_AFTER_LIMITS {
            if !wait.may_stop(gap, now_ms) {
                return Ok(());
            }
            let undo = matches!(self.saga.node(at), NodeState::Undoing { .. });
            let stop = overdue(&self.name(at), &why, waited_ms);
            return self.stop(at, stop, undo, begun_ms.is_some()).await;
        }
        if !std::mem::replace(&mut wait.told_overdue, true) {
            self.engine.tell(self.saga.id, News::Overdue { node: at, why, waited_ms });
        }
        Ok(())
    }

    fn usual_ms(&self, at: usize) -> u64 {
        let about = self.engine.catalog.about().get(at);
        about.map_or(0, |a| u64::from(a.patience.usual_s) * 1000)
    }

    fn limit_ms(&self, at: usize) -> u64 {
        let about = self.engine.catalog.about().get(at);
        about.map_or(u64::MAX, |a| u64::from(a.patience.limit_s) * 1000)
    }
}

impl Waiting {
    /// Patience is for what is watched: a machine that slept, or a clock that was set
    /// forward, must not make everything overdue at once.
    ///
    /// Gives whether what was just seen may be from before a gap.
    pub(crate) fn mind_the_gap(&mut self, now_ms: u64) -> bool {
        let watched_ms = std::mem::replace(&mut self.watched_ms, now_ms);
        let expected_ms = self.due_ms.max(watched_ms);
        let late_ms = now_ms.saturating_sub(expected_ms);
        if expected_ms == 0 || late_ms < LATE_MS {
            return expected_ms != 0 && late_ms >= GAP_MS;
        }
        self.unwatched_ms += late_ms;
        let begun = [
            &mut self.since_ms,
            &mut self.fault_since_ms,
            &mut self.unseen_since_ms,
            &mut self.gone_since_ms,
        ];
        for since in begun.into_iter().flatten() {
            *since = since.saturating_add(late_ms).min(now_ms);
        }
        true
    }

    /// May the node be given up over what was just seen? After a gap one more look comes first.
    fn may_stop(&mut self, gap: bool, now_ms: u64) -> bool {
        if !gap || self.fresh {
            return true;
        }
        self.fresh = true;
        self.due_ms = now_ms;
        false
    }
}

fn overdue(node: &str, why: &str, waited_ms: u64) -> Stop {
    let report = Report::new(
        format!("waiting for {node}"),
        format!("after {} s still: {why}", waited_ms / 1000),
    )
    .help(format!("`escrr show {node}` shows what was seen; `escrr resume` goes on waiting"));
    Stop { class: Class::Overdue, report }
}
