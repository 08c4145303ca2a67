//! When a resource that no look finds is believed to be absent.
//!
//! Lists lag behind acknowledged calls and come back empty now and then, and a call whose answer
//! was lost may still take effect. An id that a call was answered with outranks what a list says.

use crate::engine::EngineError;
use crate::event::Event;
use crate::node::NodeState;
use crate::progress::News;
use crate::run::Run;
use crate::task::Calls;

/// How long an absence has to last before it is believed, in ms.
const SETTLE_MS: u64 = 30_000;
/// How long a refused call is left alone before a new token is used, in ms.
const REFUSED_MS: u64 = 10_000;
/// How long a resource whose creation was acknowledged has to stay absent before it is believed
/// to be gone, in ms: one that is created twice costs more than the wait.
const VANISHED_MS: u64 = 120_000;

/// How often what was acknowledged is looked for meanwhile, in ms.
const UNSEEN_POLL_MS: u64 = 5_000;

impl<W: Send + Sync + 'static> Run<'_, W> {
    /// Writes down the ids that calls were answered with, before anything else is done.
    pub(crate) async fn acknowledge(
        &mut self,
        at: usize,
        calls: &Calls,
    ) -> Result<(), EngineError> {
        let node = self.name(at);
        for (item, done) in calls {
            let (Ok(Some(id)), NodeState::Intended(intent)) = (done, self.saga.node(at)) else {
                continue;
            };
            if intent.ids.get(item) != Some(id) {
                let (node, item, id) = (node.clone(), item.clone(), id.clone());
                self.journal(Event::Acknowledged { node, item, id }).await?;
            }
        }
        Ok(())
    }

    /// What was acknowledged does not show: waits, and gives it up when that lasts.
    pub(crate) async fn unseen(&mut self, at: usize, items: &[String]) -> Result<(), EngineError> {
        let NodeState::Intended(intent) = self.saga.node(at) else { return Ok(()) };
        let ids: Vec<(String, String)> =
            items.iter().filter_map(|i| Some((i.clone(), intent.ids.get(i)?.clone()))).collect();
        let now_ms = self.engine.clock.now_ms();
        let wait = self.waits.entry(at).or_default();
        let since_ms = *wait.unseen_since_ms.get_or_insert(now_ms);
        let gone_ms = since_ms.saturating_add(VANISHED_MS);
        if now_ms < gone_ms {
            // This wait has an end of its own, so the node's patience does not count here.
            let ids: Vec<String> = ids.into_iter().map(|(_, id)| id).collect();
            let next_ms = gone_ms.min(now_ms + UNSEEN_POLL_MS);
            wait.due_ms = next_ms;
            let why = format!("{} to appear", ids.join(", "));
            self.engine.tell(self.saga.id, News::Waiting { node: at, why, since_ms, next_ms });
            return Ok(());
        }
        let node = self.name(at);
        for (item, id) in ids {
            self.journal(Event::Vanished { node: node.clone(), item, id }).await?;
        }
        let wait = self.waits.entry(at).or_default();
        wait.unseen_since_ms = None;
        wait.called.clear();
        self.due_now(at);
        Ok(())
    }

    /// From when on an absence is believed while a node is undone: at once when a call of ours has
    /// just brought it about and no call that creates can still be on its way, else when it has
    /// lasted for a while, longer for what was acknowledged a short time ago.
    pub(crate) fn settles_ms(&self, at: usize, now_ms: u64) -> u64 {
        let wait = self.waits.get(&at);
        let gone_ms = wait.and_then(|w| w.gone_since_ms).unwrap_or(now_ms);
        let deleted = wait.is_some_and(|w| w.took_away);
        if let Some(done_ms) = self.saga.done_ms.get(at).copied().flatten().filter(|_| deleted) {
            return gone_ms.min(done_ms) + SETTLE_MS;
        }
        let acknowledged = self.saga.node(at).intent().and_then(|intent| intent.acknowledged_ms);
        let shown_ms = acknowledged.filter(|_| !deleted).map_or(0, |at_ms| at_ms + VANISHED_MS);
        shown_ms.max(gone_ms + SETTLE_MS)
    }

    pub(crate) fn settled(&self, at: usize, now_ms: u64) -> bool {
        self.settles_ms(at, now_ms) <= now_ms
    }

    /// Until when a refused node stays as it is: a call before the refusal may still take effect
    /// or show, and beside a new generation's it would be a second one.
    pub(crate) fn unsettled_refusal(&self, at: usize) -> Option<u64> {
        let NodeState::Idle { earlier: Some(_) } = self.saga.node(at) else { return None };
        let refused_ms = self.saga.changed_ms.get(at).copied().flatten()?;
        let settles_ms = refused_ms + REFUSED_MS;
        (settles_ms > self.engine.clock.now_ms()).then_some(settles_ms)
    }
}
