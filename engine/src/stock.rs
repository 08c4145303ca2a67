//! Taking stock: what is the saga's own is written down before any of it is undone.
//!
//! A journal may be older than the cloud, because a backup of the home was put back or the home
//! was lost, and another saga may have handed a resource over. Only looks are taken here.

use crate::decide::{Move, decide};
use crate::engine::{Engine, EngineError};
use crate::erased::{AnyNode, RawCx};
use crate::event::{Entry, Event, Origin};
use crate::id::{NodeId, SagaId, token};
use crate::node::NodeState;
use crate::progress::News;
use crate::saga::Saga;
use crate::sealed::Sealed;
use crate::step::{Remains, Reverse, Seen};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

impl<W: Send + Sync + 'static> Engine<W> {
    /// Looks at every node that the journal holds to be open or to stand for somebody else's
    /// resource, and writes down those that turn out to be done, or to be the saga's own.
    ///
    /// Looks that fail are passed over: the rollback takes its own.
    pub async fn take_stock(&self, id: SagaId, world: &W) -> Result<Saga, EngineError> {
        let (saga, last) = self.load(id).await?;
        self.same_edition(&saga)?;
        let mut stock = Stock { engine: self, world, saga, last, looked: BTreeSet::new() };
        while let Some(at) = stock.next() {
            stock.looked.insert(at);
            stock.look(at).await?;
        }
        Ok(stock.saga)
    }
}

struct Stock<'e, W> {
    engine: &'e Engine<W>,
    world: &'e W,
    saga: Saga,
    last: String,
    looked: BTreeSet<usize>,
}

impl<W: Send + Sync + 'static> Stock<'_, W> {
    /// The next node that was not looked at and whose needs are known.
    fn next(&self) -> Option<usize> {
        let catalog = &self.engine.catalog;
        (0..catalog.len()).find(|at| {
            let known =
                |need: &usize| self.saga.node(*need).output().is_some() || self.only_orders(*need);
            !self.looked.contains(at)
                && self.open_or_found(*at)
                && catalog.needs(*at).iter().all(known)
        })
    }

    /// Does a node only look, and leave nothing for others? What needs it can be looked at without.
    fn only_orders(&self, at: usize) -> bool {
        let catalog = &self.engine.catalog;
        let looks = catalog.about().get(at).is_some_and(|about| !about.acts() && about.phase > 0);
        looks && catalog.node(at).is_some_and(|node| node.accepts(&Value::Null))
    }

    fn open_or_found(&self, at: usize) -> bool {
        let about = self.engine.catalog.about().get(at);
        let undone = about.is_some_and(|about| matches!(about.reverse, Some(Reverse::Undo(_))));
        match self.saga.node(at) {
            NodeState::Idle { .. } | NodeState::Intended(_) => true,
            NodeState::Done { origin: Origin::Found, intent: None, .. } => undone,
            NodeState::Done { .. }
            | NodeState::Failed { .. }
            | NodeState::Parked { .. }
            | NodeState::Skipped
            | NodeState::Undoing { .. }
            | NodeState::Undone { .. }
            | NodeState::Stuck { .. } => false,
        }
    }

    async fn look(&mut self, at: usize) -> Result<(), EngineError> {
        let catalog = &self.engine.catalog;
        let (Some(node), Some(about)) = (catalog.node(at), catalog.about().get(at)) else {
            return Ok(());
        };
        let needs = || {
            let id = |need: &usize| Some(catalog.about().get(*need)?.id);
            catalog.needs(at).iter().filter_map(move |need| Some((id(need)?, *need)))
        };
        let outputs: BTreeMap<NodeId, Value> = needs()
            .filter_map(|(id, need)| Some((id, self.saga.node(need).output()?.clone())))
            .collect();
        let owned =
            needs().filter(|(_, need)| self.saga.owns(catalog, *need)).map(|(id, _)| id).collect();
        let state = self.saga.node(at);
        let (nothing, no_ids) = (BTreeSet::new(), BTreeMap::new());
        let intent = state.intent();
        let raw = RawCx {
            world: self.world,
            outputs: &outputs,
            saga: self.saga.id,
            items: intent.map_or(&nothing, |i| &i.items),
            ids: intent.map_or(&no_ids, |i| &i.ids),
            undo_items: state.undo_items().unwrap_or(&nothing),
            output: state.output(),
            made: state.made_output(),
            owned: &owned,
            generation: intent.map_or(1, |i| i.generation),
            now_ms: self.engine.clock.now_ms(),
        };
        let name = about.id.to_string();
        let event = match (state, node.observe(&raw).await) {
            (NodeState::Done { .. }, Ok(Seen::Ours(_))) => match node.remains(&raw).await {
                Ok(Remains::Items(ids)) => Some(Event::Inherited { node: name, ids }),
                Ok(_) | Err(_) => None,
            },
            (_, Err(_)) | (NodeState::Done { .. }, Ok(_)) => None,
            (state, Ok(seen)) => match decide(state, &seen, about.acts()) {
                Move::Complete(origin, output) => {
                    Some(Event::Completed { node: name, origin, output, attempts: 0 })
                }
                // Not as wanted, or not yet, and there all the same: its undo has to see to it.
                Move::Intend(_)
                | Move::Act(_)
                | Move::Unseen(_)
                | Move::Wait(_)
                | Move::Fail(_)
                | Move::Rest => {
                    let its_own = about.marked || !owned.is_empty();
                    if its_own && !state.may_have_made() { left(node, &raw).await } else { None }
                }
            },
        };
        match event {
            Some(event) => self.journal(event).await,
            None => Ok(()),
        }
    }

    async fn journal(&mut self, event: Event) -> Result<(), EngineError> {
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

/// The intent that a node must have had whose resource is there, though not as wanted.
async fn left<W>(node: &dyn AnyNode<W>, raw: &RawCx<'_, W>) -> Option<Event> {
    let remains = node.remains(raw).await.ok()?;
    if matches!(remains, Remains::Nothing | Remains::Kept(_) | Remains::Accounted(_)) {
        return None;
    }
    let (node, generation) = (node.about().id.to_string(), raw.generation);
    let token = token(raw.saga, &node, generation, "");
    Some(Event::Intended { node, generation, token, items: vec![String::new()] })
}
