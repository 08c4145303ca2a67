//! One turn of one node: a look, and the calls that may follow it.
//!
//! A turn never decides what is journaled; it brings back what it saw.

use crate::catalog::Catalog;
use crate::clock::Busy;
use crate::decide::{Move, UndoMove, decide, decide_undo};
use crate::erased::{About, AnyNode, RawCx};
use crate::fault::{Fault, Report};
use crate::id::{NodeId, SagaId};
use crate::lane::Lanes;
use crate::node::NodeState;
use crate::step::{Remains, Seen};
use futures_util::stream::{self, StreamExt as _};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// How many calls of one node run side by side where no lane forbids it.
const SIDE_BY_SIDE: usize = 8;

/// What a turn is given.
pub(crate) struct Turn<W> {
    pub(crate) catalog: Arc<Catalog<W>>,
    pub(crate) world: Arc<W>,
    pub(crate) lanes: Arc<Lanes>,
    pub(crate) saga: SagaId,
    pub(crate) node: usize,
    pub(crate) state: NodeState,
    pub(crate) outputs: BTreeMap<NodeId, Value>,
    /// The needs that the saga created.
    pub(crate) owned: BTreeSet<NodeId>,
    pub(crate) now_ms: u64,
    pub(crate) may_act: bool,
    /// Absences may be believed: see [`crate::decide::decide_undo`].
    pub(crate) settled: bool,
    pub(crate) busy: Busy,
}

/// Calls in the order in which they ended, each with its item and, where it created a resource,
/// the id that it was answered with.
pub(crate) type Calls = Vec<(String, Result<Option<String>, Fault>)>;

/// What a turn brings back.
pub(crate) struct Seeing {
    pub(crate) node: usize,
    /// The last look.
    pub(crate) look: Look,
    /// The calls made after it, in order, each with its item.
    pub(crate) calls: Calls,
    pub(crate) undo: bool,
    /// Keeps time from jumping until the result is dealt with.
    pub(crate) busy: Busy,
}

pub(crate) enum Look {
    Forward(Result<Seen<Value>, Fault>),
    Backward(Result<Remains, Fault>),
}

impl<W: Send + Sync + 'static> Turn<W> {
    /// Looks, and makes the calls that the machine allows after that look.
    pub(crate) async fn run(self) -> Seeing {
        let undo = matches!(self.state, NodeState::Undoing { .. });
        let (nothing, no_ids) = (BTreeSet::new(), BTreeMap::new());
        let intent = self.state.intent();
        let raw = RawCx {
            world: self.world.as_ref(),
            outputs: &self.outputs,
            saga: self.saga,
            items: intent.map_or(&nothing, |i| &i.items),
            undo_items: self.state.undo_items().unwrap_or(&nothing),
            ids: intent.map_or(&no_ids, |i| &i.ids),
            output: self.state.output(),
            made: self.state.made_output(),
            owned: &self.owned,
            generation: intent.map_or(1, |i| i.generation),
            now_ms: self.now_ms,
        };
        let (look, calls) = match self.catalog.node(self.node) {
            None => (Look::Forward(Err(unknown(self.node))), Vec::new()),
            Some(node) if undo => self.backward(node, &raw).await,
            Some(node) => self.forward(node, &raw).await,
        };
        Seeing { node: self.node, look, calls, undo, busy: self.busy }
    }

    async fn forward(&self, node: &dyn AnyNode<W>, raw: &RawCx<'_, W>) -> (Look, Calls) {
        let intended = matches!(self.state, NodeState::Intended(_));
        let lane = if intended && self.may_act { self.lane(node, raw).await } else { Ok(None) };
        let look = match &lane {
            Ok(_) => node.observe(raw).await,
            Err(fault) => Err(fault.clone()),
        };
        let mut calls = Vec::new();
        if let Ok(seen) = &look
            && self.may_act
            && let Move::Act(items) = decide(&self.state, seen, self.acts())
        {
            let make = |item: String| async move {
                let done = node.act(raw, &item).await;
                (item, done)
            };
            calls = if matches!(lane, Ok(Some(_))) {
                one_by_one(items, make).await
            } else {
                stream::iter(items).map(make).buffer_unordered(SIDE_BY_SIDE).collect().await
            };
        }
        (Look::Forward(look), calls)
    }

    async fn backward(&self, node: &dyn AnyNode<W>, raw: &RawCx<'_, W>) -> (Look, Calls) {
        let lane = self.lane(node, raw).await;
        let look = match &lane {
            Ok(_) => node.remains(raw).await,
            Err(fault) => Err(fault.clone()),
        };
        let mut calls = Vec::new();
        if let Ok(remains) = &look
            && let UndoMove::Undo(items) = decide_undo(remains, self.settled)
        {
            let take = |item: String| async move {
                let done = node.undo(raw, &item).await;
                (item, done.map(|()| None))
            };
            calls = if matches!(lane, Ok(Some(_))) {
                one_by_one(items, take).await
            } else {
                stream::iter(items).map(take).buffer_unordered(SIDE_BY_SIDE).collect().await
            };
        }
        (Look::Backward(look), calls)
    }

    /// Does the node change the world at all?
    fn acts(&self) -> bool {
        self.catalog.about().get(self.node).is_some_and(About::acts)
    }

    async fn lane(
        &self,
        node: &dyn AnyNode<W>,
        raw: &RawCx<'_, W>,
    ) -> Result<Option<tokio::sync::OwnedMutexGuard<()>>, Fault> {
        Ok(match node.lane(raw)? {
            Some(name) => Some(self.lanes.enter(&name).await),
            None => None,
        })
    }
}

/// In a lane the first fault ends the turn: what comes next is decided after another look.
async fn one_by_one<F>(items: Vec<String>, call: impl Fn(String) -> F) -> Calls
where
    F: Future<Output = (String, Result<Option<String>, Fault>)>,
{
    let mut calls = Calls::new();
    for item in items {
        let (item, done) = call(item).await;
        let failed = done.is_err();
        calls.push((item, done));
        if failed {
            break;
        }
    }
    calls
}

fn unknown(node: usize) -> Fault {
    Fault::Bug(Report::new(format!("finding node {node}"), "it is not in the catalog"))
}
