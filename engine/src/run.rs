//! The loop that carries one saga: fold, look, decide, journal, act, wait.
//!
//! One task owns the journal. Turns of nodes run beside it and bring back what they saw;
//! what is waited for is a due time, not a busy task.

use crate::clock::Busy;
use crate::decide::{Move, UndoMove, decide, decide_undo};
use crate::engine::{Engine, EngineError, Interrupt};
use crate::event::{Entry, Event, Origin};
use crate::fault::{Class, Fault};
use crate::flight::Flights;
use crate::id::{NodeId, token};
use crate::node::{NodeState, Stop};
use crate::progress::News;
use crate::saga::{Direction, Saga};
use crate::sealed::Sealed;
use crate::step::{Remains, Reverse, Seen};
use crate::task::{Look, Seeing, Turn};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use tokio::sync::watch;

/// What this process remembers of a node between two turns.
#[derive(Clone, Debug, Default)]
pub(crate) struct Waiting {
    pub(crate) due_ms: u64,
    pub(crate) since_ms: Option<u64>,
    pub(crate) attempts: u32,
    pub(crate) faults: u32,
    pub(crate) fault_since_ms: Option<u64>,
    /// What was called for since the node was last announced or begun to be taken back.
    pub(crate) called: BTreeSet<String>,
    /// The last look said that nothing is left, at this moment.
    pub(crate) gone_since_ms: Option<u64>,
    /// Since when no look finds what was acknowledged.
    pub(crate) unseen_since_ms: Option<u64>,
    /// Looks said that something was left, and a call of this process took it away.
    pub(crate) took_away: bool,
    pub(crate) told_overdue: bool,
    /// Time that passed while nobody looked: the machine slept, or its clock was set.
    pub(crate) unwatched_ms: u64,
    /// When this process first called for what is announced.
    pub(crate) called_ms: Option<u64>,
    /// When its last turn began or ended: a gap behind it was not watched.
    pub(crate) watched_ms: u64,
    /// Its patience was over when nobody had watched, and one more look was begun.
    pub(crate) fresh: bool,
}

/// One drive of one saga.
pub(crate) struct Run<'e, W> {
    pub(crate) engine: &'e Engine<W>,
    world: Arc<W>,
    pub(crate) saga: Saga,
    last: String,
    pub(crate) waits: BTreeMap<usize, Waiting>,
    flights: Flights,
    /// `None` once nobody can interrupt any more.
    interrupt: Option<watch::Receiver<Interrupt>>,
}

impl<'e, W: Send + Sync + 'static> Run<'e, W> {
    /// A drive of `saga`, whose last entry has the hash `last`.
    pub(crate) fn new(
        engine: &'e Engine<W>,
        world: Arc<W>,
        saga: Saga,
        last: String,
        interrupt: watch::Receiver<Interrupt>,
    ) -> Self {
        Self {
            engine,
            world,
            saga,
            last,
            waits: BTreeMap::new(),
            flights: Flights::default(),
            interrupt: Some(interrupt),
        }
    }

    /// Carries the saga on until it is at rest; true if it was interrupted before.
    pub(crate) async fn carry_on(&mut self, mut busy: Busy) -> Result<bool, EngineError> {
        loop {
            let stopping = self.interrupt.as_ref().is_some_and(|i| *i.borrow() > Interrupt::None);
            if !stopping {
                self.take_off().await?;
            }
            if let Some(seeing) = self.flights.landed() {
                self.land(seeing).await?;
                continue;
            }
            let next = if stopping { None } else { self.next_due() };
            if self.flights.are_over() {
                if let Some(outcome) = self.saga.reached() {
                    self.journal(Event::Finished { outcome }).await?;
                    return Ok(false);
                }
                let Some(_) = next else { return Ok(stopping && !self.at_rest()) };
            }
            if let Some(seeing) = self.wait(&mut busy, next).await {
                self.land(seeing).await?;
            }
        }
    }

    /// Waits for a turn to end, a due time or an interrupt, whichever comes first.
    async fn wait(&mut self, busy: &mut Busy, next: Option<u64>) -> Option<Seeing> {
        drop(std::mem::take(busy));
        let clock = Arc::clone(&self.engine.clock);
        let due = async {
            match next {
                Some(at_ms) => clock.wait_until(at_ms).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            ended = self.flights.next() => {
                *busy = self.engine.clock.busy();
                ended
            }
            again = due => { *busy = again; None }
            alive = changed(self.interrupt.as_mut()) => {
                *busy = self.engine.clock.busy();
                if !alive {
                    self.interrupt = None;
                }
                None
            }
        }
    }

    fn at_rest(&self) -> bool {
        self.saga.ready(&self.engine.catalog).iter().all(|at| self.resting(*at))
    }

    /// After a failure nothing new is begun; what only looks is still looked at.
    fn resting(&self, at: usize) -> bool {
        self.saga.direction == Direction::Forward
            && self.saga.stopped()
            && matches!(self.saga.node(at), NodeState::Idle { .. })
            && self.waits.get(&at).is_some_and(|w| w.since_ms.or(w.fault_since_ms).is_some())
    }

    fn next_due(&self) -> Option<u64> {
        self.saga
            .ready(&self.engine.catalog)
            .into_iter()
            .filter(|at| !self.flights.has(*at) && !self.resting(*at))
            .map(|at| self.waits.get(&at).map_or(0, |w| w.due_ms))
            .min()
    }

    /// Starts a turn for every node that is due.
    async fn take_off(&mut self) -> Result<(), EngineError> {
        let now_ms = self.engine.clock.now_ms();
        for at in self.saga.ready(&self.engine.catalog) {
            let due_ms = self.waits.get(&at).map_or(0, |w| w.due_ms);
            if self.flights.has(at) || due_ms > now_ms || self.resting(at) {
                continue;
            }
            if self.saga.direction == Direction::Backward && !self.begin_undo(at).await? {
                continue;
            }
            // The time since the look was due went by unwatched; what is seen next is new.
            self.waits.entry(at).or_default().mind_the_gap(now_ms);
            let turn = self.turn(at, now_ms);
            self.flights.begin(at, Box::pin(turn.run())).await;
        }
        Ok(())
    }

    /// Announces that a node is taken back; false if there is nothing to call.
    async fn begin_undo(&mut self, at: usize) -> Result<bool, EngineError> {
        let announced = matches!(self.saga.node(at), NodeState::Undoing { .. });
        let Some(about) = self.engine.catalog.about().get(at) else { return Ok(false) };
        let node = self.name(at);
        // Also when a process before this one died right after announcing it.
        if let Some(Reverse::Keep(what)) = about.reverse {
            self.waits.remove(&at);
            if !announced {
                let items = Vec::new();
                self.journal(Event::UndoIntended { node: node.clone(), items }).await?;
            }
            let kept = Some(what.to_owned());
            let account = Value::Null;
            self.journal(Event::Undone { node, kept, attempts: 0, account }).await?;
            return Ok(false);
        }
        if !announced {
            self.waits.remove(&at);
            self.journal(Event::UndoIntended { node, items: Vec::new() }).await?;
        }
        Ok(true)
    }

    fn turn(&self, at: usize, now_ms: u64) -> Turn<W> {
        let catalog = &self.engine.catalog;
        let outputs: BTreeMap<NodeId, Value> = catalog
            .needs(at)
            .iter()
            .filter_map(|need| {
                let id = catalog.about().get(*need)?.id;
                Some((id, self.saga.node(*need).output()?.clone()))
            })
            .collect();
        let made = |need: &&usize| self.saga.owns(catalog, **need);
        let owned = catalog.needs(at).iter().filter(made);
        let owned = owned.filter_map(|need| Some(catalog.about().get(*need)?.id)).collect();
        Turn {
            catalog: Arc::clone(catalog),
            world: Arc::clone(&self.world),
            lanes: Arc::clone(&self.engine.lanes),
            saga: self.saga.id,
            node: at,
            state: self.saga.node(at).clone(),
            outputs,
            owned,
            now_ms,
            may_act: !self.saga.stopped() || matches!(self.saga.node(at), NodeState::Intended(_)),
            settled: self.settled(at, now_ms),
            busy: self.engine.clock.busy(),
        }
    }

    /// Deals with what a turn brought back.
    async fn land(&mut self, seeing: Seeing) -> Result<(), EngineError> {
        let Seeing { node: at, look, calls, undo, busy: _busy } = seeing;
        for (item, done) in &calls {
            if done.is_ok() {
                self.engine.tell(self.saga.id, News::Called { node: at, item: item.clone(), undo });
            }
        }
        if !undo {
            self.acknowledge(at, &calls).await?;
        }
        let now_ms = self.engine.clock.now_ms();
        let wait = self.waits.entry(at).or_default();
        wait.took_away |= undo && calls.iter().any(|(_, done)| done.is_ok());
        wait.attempts += u32::try_from(calls.len()).unwrap_or(u32::MAX);
        if !calls.is_empty() {
            wait.called_ms.get_or_insert(now_ms);
        }
        if let Some((_, Err(fault))) = calls.iter().find(|(_, done)| done.is_err()) {
            return self.faulted(at, fault.clone(), undo).await;
        }
        let wait = self.waits.entry(at).or_default();
        let fresh =
            calls.into_iter().filter(|(item, _)| wait.called.insert(item.clone())).count() > 0;
        match look {
            Look::Forward(Err(fault)) | Look::Backward(Err(fault)) => {
                self.faulted(at, fault, undo).await
            }
            Look::Forward(Ok(seen)) => self.forward(at, seen, fresh).await,
            Look::Backward(Ok(remains)) => self.backward(at, &remains, fresh).await,
        }
    }

    async fn forward(
        &mut self,
        at: usize,
        seen: Seen<Value>,
        fresh: bool,
    ) -> Result<(), EngineError> {
        self.calm(at);
        let Some(about) = self.engine.catalog.about().get(at) else { return Ok(()) };
        let node = self.name(at);
        let next = decide(self.saga.node(at), &seen, about.acts());
        if !matches!(next, Move::Unseen(_)) {
            self.waits.entry(at).or_default().unseen_since_ms = None;
        }
        match next {
            Move::Intend(items) => {
                if self.saga.stopped() {
                    self.waiting(at, "another node has to be dealt with first".to_owned()).await?;
                    return Ok(());
                }
                if let Some(settles_ms) = self.unsettled_refusal(at) {
                    self.waits.entry(at).or_default().due_ms = settles_ms;
                    return Ok(());
                }
                let generation = self.generation(at);
                let first = items.first().map_or("", String::as_str);
                let token = token(self.saga.id, &node, generation, first);
                self.journal(Event::Intended { node, generation, token, items }).await?;
                self.waits.entry(at).or_default().called.clear();
                self.due_now(at);
            }
            // Calls were made for the first time: look at once what came of them. What went
            // through and does not show is called for again, but at polling pace and not for ever.
            Move::Act(_) | Move::Unseen(_) if fresh => self.due_now(at),
            Move::Act(_) => self.waiting(at, "what came of its calls".into()).await?,
            Move::Unseen(items) => self.unseen(at, &items).await?,
            Move::Wait(why) => self.waiting(at, why).await?,
            Move::Complete(origin, output) => self.complete(at, origin, output).await?,
            Move::Fail(stop) => self.fail(at, stop).await?,
            Move::Rest => {}
        }
        Ok(())
    }

    /// The same generation while the intent stands; a new one after a person said to try again.
    fn generation(&self, at: usize) -> u32 {
        match self.saga.node(at) {
            NodeState::Intended(intent) => intent.generation,
            NodeState::Idle { earlier: Some(earlier) } => earlier.generation + 1,
            NodeState::Idle { earlier: None }
            | NodeState::Done { .. }
            | NodeState::Failed { .. }
            | NodeState::Parked { .. }
            | NodeState::Skipped
            | NodeState::Undoing { .. }
            | NodeState::Undone { .. }
            | NodeState::Stuck { .. } => 1,
        }
    }

    async fn backward(
        &mut self,
        at: usize,
        remains: &Remains,
        fresh: bool,
    ) -> Result<(), EngineError> {
        self.calm(at);
        let now_ms = self.engine.clock.now_ms();
        let settled = self.settled(at, now_ms);
        let node = self.name(at);
        if !matches!(remains, Remains::Nothing | Remains::Accounted(_))
            && let Some(wait) = self.waits.get_mut(&at)
        {
            wait.gone_since_ms = None;
        }
        match decide_undo(remains, settled) {
            UndoMove::Undone(account) => {
                let attempts = self.attempts(at);
                self.waits.remove(&at);
                // Something stays only of what was really there.
                let was_there = attempts > 0 || self.saga.node(at).output().is_some();
                let about = self.engine.catalog.about().get(at);
                let leaves = about.and_then(|a| a.leaves).filter(|_| was_there);
                let kept = leaves.map(str::to_owned);
                self.journal(Event::Undone { node, kept, attempts, account }).await?;
            }
            UndoMove::Keep(why) => {
                let attempts = self.attempts(at);
                self.waits.remove(&at);
                let account = Value::Null;
                self.journal(Event::Undone { node, kept: Some(why), attempts, account }).await?;
            }
            UndoMove::Settle => {
                let wait = self.waits.entry(at).or_default();
                wait.gone_since_ms.get_or_insert(now_ms);
                let due_ms = self.settles_ms(at, now_ms);
                self.waits.entry(at).or_default().due_ms = due_ms;
            }
            UndoMove::Announce(items) => {
                self.journal(Event::UndoIntended { node, items }).await?;
                self.due_now(at);
            }
            UndoMove::Undo(_) if fresh => self.due_now(at),
            UndoMove::Undo(_) => self.waiting(at, "what came of its calls".into()).await?,
            UndoMove::Wait(why) => self.waiting(at, why).await?,
            UndoMove::Stuck(stop) => self.stuck(at, stop).await?,
        }
        Ok(())
    }

    /// A call or a look did not do what it should.
    async fn faulted(&mut self, at: usize, fault: Fault, undo: bool) -> Result<(), EngineError> {
        match fault {
            Fault::Transient { retry_after_ms, report } => {
                self.again(at, report, retry_after_ms, undo).await
            }
            Fault::Busy(report) => {
                let why = format!("{} ({})", report.said, report.code.as_deref().unwrap_or("busy"));
                self.waiting(at, why).await
            }
            // It may have happened: the next turn begins with a look, as every turn does.
            Fault::Unknown(report) => self.again(at, report, None, undo).await,
            Fault::Refused { class, report } => {
                self.stop(at, Stop { class, report }, undo, false).await
            }
            Fault::Blocked { class, report } => {
                self.stop(at, Stop { class, report }, undo, true).await
            }
            Fault::Bug(report) => {
                self.stop(at, Stop { class: Class::Bug, report }, undo, false).await
            }
        }
    }

    pub(crate) async fn stop(
        &mut self,
        at: usize,
        stop: Stop,
        undo: bool,
        park: bool,
    ) -> Result<(), EngineError> {
        match (undo, park) {
            (true, _) => self.stuck(at, stop).await,
            (false, false) => self.fail(at, stop).await,
            (false, true) => {
                self.waits.remove(&at);
                let Stop { class, report } = stop;
                self.journal(Event::Parked { node: self.name(at), class, report }).await
            }
        }
    }

    async fn complete(
        &mut self,
        at: usize,
        origin: Origin,
        output: Value,
    ) -> Result<(), EngineError> {
        let attempts = self.attempts(at);
        self.waits.remove(&at);
        self.journal(Event::Completed { node: self.name(at), origin, output, attempts }).await
    }

    async fn fail(&mut self, at: usize, stop: Stop) -> Result<(), EngineError> {
        let attempts = self.attempts(at);
        self.waits.remove(&at);
        let Stop { class, report } = stop;
        self.journal(Event::Failed { node: self.name(at), class, report, attempts }).await
    }

    async fn stuck(&mut self, at: usize, stop: Stop) -> Result<(), EngineError> {
        self.waits.remove(&at);
        let Stop { class, report } = stop;
        self.journal(Event::Stuck { node: self.name(at), class, report }).await
    }

    fn attempts(&self, at: usize) -> u32 {
        self.waits.get(&at).map_or(0, |w| w.attempts)
    }

    /// A look went through: transient faults are over.
    fn calm(&mut self, at: usize) {
        let wait = self.waits.entry(at).or_default();
        wait.faults = 0;
        wait.fault_since_ms = None;
    }

    pub(crate) fn due_now(&mut self, at: usize) {
        self.waits.entry(at).or_default().due_ms = 0;
    }

    pub(crate) fn name(&self, at: usize) -> String {
        self.engine.catalog.name(at).to_owned()
    }

    /// Writes an entry; when this returns it is durable, and only then the outside is told.
    pub(crate) async fn journal(&mut self, event: Event) -> Result<(), EngineError> {
        let entry = Sealed::new(Entry {
            version: self.saga.version + 1,
            at_ms: self.engine.clock.now_ms(),
            previous: self.last.clone(),
            event,
        });
        self.engine.committer.append(self.saga.id, entry.clone()).await?;
        self.saga
            .apply(&self.engine.catalog, &entry)
            .map_err(|source| EngineError::Fold { saga: self.saga.id, source })?;
        self.last = entry.hash();
        self.engine.tell(self.saga.id, News::Entry(entry));
        Ok(())
    }
}

/// Waits for a change of the wish to stop; false once nobody can express one any more.
async fn changed(interrupt: Option<&mut watch::Receiver<Interrupt>>) -> bool {
    match interrupt {
        Some(receiver) => receiver.changed().await.is_ok(),
        None => std::future::pending().await,
    }
}
