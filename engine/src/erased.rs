//! A step with its types rubbed out, so that a catalog can hold all of them.

use crate::fault::{Fault, Report};
use crate::id::{NodeId, SagaId};
use crate::step::{Act, Cx, Needs as _, Patience, Remains, Reverse, Seen, Step};
use serde::Deserialize as _;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::pin::Pin;

/// A future on the heap.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Everything that is known of a node without looking at the world.
#[derive(Clone, Debug)]
pub struct About {
    /// Its name.
    pub id: NodeId,
    /// The documented step.
    pub phase: u8,
    /// One line for people.
    pub title: &'static str,
    /// How long it takes.
    pub patience: Patience,
    /// What rollback does; `None` for a node that only looks.
    pub reverse: Option<Reverse>,
    /// What starts to cost.
    pub cost: Option<&'static str>,
    /// What it creates carries the saga's mark.
    pub marked: bool,
    /// What is still there after the undo.
    pub leaves: Option<&'static str>,
    /// The nodes it needs.
    pub needs: Vec<NodeId>,
}

impl About {
    /// Does it change the world?
    pub fn acts(&self) -> bool {
        self.reverse.is_some()
    }

    /// What rollback does with it and what stays, in the author's words; none if it only looks.
    pub fn rollback(&self) -> Option<String> {
        Some(match (self.reverse?, self.leaves) {
            (Reverse::Undo(what), None) => what.to_owned(),
            (Reverse::Undo(what), Some(leaves)) => format!("{what}; stays: {leaves}"),
            (Reverse::Keep(why), _) => format!("stays: {why}"),
        })
    }
}

/// What a node is given, before its types are known.
pub(crate) struct RawCx<'a, W> {
    pub(crate) world: &'a W,
    pub(crate) outputs: &'a BTreeMap<NodeId, Value>,
    pub(crate) saga: SagaId,
    pub(crate) items: &'a BTreeSet<String>,
    pub(crate) undo_items: &'a BTreeSet<String>,
    pub(crate) ids: &'a BTreeMap<String, String>,
    pub(crate) output: Option<&'a Value>,
    pub(crate) made: bool,
    pub(crate) owned: &'a BTreeSet<NodeId>,
    pub(crate) generation: u32,
    pub(crate) now_ms: u64,
}

/// A node as the engine sees it.
pub(crate) trait AnyNode<W>: Send + Sync {
    fn about(&self) -> About;
    /// Could `value` be this node's output?
    fn accepts(&self, value: &Value) -> bool;
    fn observe<'a>(&'a self, raw: &'a RawCx<'a, W>) -> BoxFuture<'a, Result<Seen<Value>, Fault>>;
    fn lane(&self, raw: &RawCx<'_, W>) -> Result<Option<String>, Fault>;
    fn act<'a>(
        &'a self,
        raw: &'a RawCx<'a, W>,
        item: &'a str,
    ) -> BoxFuture<'a, Result<Option<String>, Fault>>;
    fn remains<'a>(&'a self, raw: &'a RawCx<'a, W>) -> BoxFuture<'a, Result<Remains, Fault>>;
    fn undo<'a>(&'a self, raw: &'a RawCx<'a, W>, item: &'a str)
    -> BoxFuture<'a, Result<(), Fault>>;
}

/// A step that only looks.
pub(crate) struct Looking<S>(pub(crate) S);
/// A step that changes the world.
pub(crate) struct Acting<S>(pub(crate) S);

fn typed<'a, S: Step>(raw: &RawCx<'a, S::World>) -> Result<Cx<'a, S>, Fault> {
    Ok(Cx {
        world: raw.world,
        needs: S::Needs::read(raw.outputs)?,
        saga: raw.saga,
        items: raw.items,
        undo_items: raw.undo_items,
        ids: raw.ids,
        made: raw.made,
        owned: raw.owned,
        output: raw.output.and_then(|v| S::Output::deserialize(v).ok()),
        generation: raw.generation,
        now_ms: raw.now_ms,
    })
}

async fn look<S: Step>(step: &S, raw: &RawCx<'_, S::World>) -> Result<Seen<Value>, Fault> {
    let cx = typed::<S>(raw)?;
    step.observe(&cx).await?.try_map(|output| {
        serde_json::to_value(output).map_err(|error| {
            Fault::Bug(Report::new(format!("keeping the output of {}", S::ID), error.to_string()))
        })
    })
}

fn about<S: Step>() -> About {
    About {
        id: S::ID,
        phase: S::PHASE,
        title: S::TITLE,
        patience: S::PATIENCE,
        reverse: None,
        cost: None,
        marked: false,
        leaves: None,
        needs: S::Needs::ids(),
    }
}

fn only_looks<S: Step>() -> Fault {
    Fault::Bug(Report::new(format!("changing the world for {}", S::ID), "this node only looks"))
}

impl<S: Step> AnyNode<S::World> for Looking<S> {
    fn about(&self) -> About {
        about::<S>()
    }
    fn accepts(&self, value: &Value) -> bool {
        S::Output::deserialize(value).is_ok()
    }
    fn observe<'a>(
        &'a self,
        raw: &'a RawCx<'a, S::World>,
    ) -> BoxFuture<'a, Result<Seen<Value>, Fault>> {
        Box::pin(look(&self.0, raw))
    }
    fn lane(&self, _: &RawCx<'_, S::World>) -> Result<Option<String>, Fault> {
        Ok(None)
    }
    fn act<'a>(
        &'a self,
        _: &'a RawCx<'a, S::World>,
        _: &'a str,
    ) -> BoxFuture<'a, Result<Option<String>, Fault>> {
        Box::pin(async { Err(only_looks::<S>()) })
    }
    fn remains<'a>(&'a self, _: &'a RawCx<'a, S::World>) -> BoxFuture<'a, Result<Remains, Fault>> {
        Box::pin(async { Ok(Remains::Nothing) })
    }
    fn undo<'a>(
        &'a self,
        _: &'a RawCx<'a, S::World>,
        _: &'a str,
    ) -> BoxFuture<'a, Result<(), Fault>> {
        Box::pin(async { Err(only_looks::<S>()) })
    }
}

impl<S: Act> AnyNode<S::World> for Acting<S> {
    fn about(&self) -> About {
        About {
            reverse: Some(S::REVERSE),
            marked: S::MARKED,
            cost: S::COST,
            leaves: S::LEAVES,
            ..about::<S>()
        }
    }
    fn accepts(&self, value: &Value) -> bool {
        S::Output::deserialize(value).is_ok()
    }
    fn observe<'a>(
        &'a self,
        raw: &'a RawCx<'a, S::World>,
    ) -> BoxFuture<'a, Result<Seen<Value>, Fault>> {
        Box::pin(look(&self.0, raw))
    }
    fn lane(&self, raw: &RawCx<'_, S::World>) -> Result<Option<String>, Fault> {
        Ok(self.0.lane(&typed::<S>(raw)?))
    }
    fn act<'a>(
        &'a self,
        raw: &'a RawCx<'a, S::World>,
        item: &'a str,
    ) -> BoxFuture<'a, Result<Option<String>, Fault>> {
        Box::pin(async move { self.0.act(&typed::<S>(raw)?, item).await })
    }
    fn remains<'a>(
        &'a self,
        raw: &'a RawCx<'a, S::World>,
    ) -> BoxFuture<'a, Result<Remains, Fault>> {
        Box::pin(async move { self.0.remains(&typed::<S>(raw)?).await })
    }
    fn undo<'a>(
        &'a self,
        raw: &'a RawCx<'a, S::World>,
        item: &'a str,
    ) -> BoxFuture<'a, Result<(), Fault>> {
        Box::pin(async move { self.0.undo(&typed::<S>(raw)?, item).await })
    }
}
