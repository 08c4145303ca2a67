//! Real steps over the pretend world: one type a position, its edges from the plan.

use crate::plan::{Kind, NAMES, NodePlan, Plan};
use crate::world::World;
use escrr_engine::catalog::Builder;
use escrr_engine::{
    Act, Catalog, Cx, Fault, NodeId, Patience, Remains, Reverse, Seen, Step, step::Needs,
};
use serde_json::Value;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The longest that a node waits before it is overdue, in seconds.
const LIMIT_S: u32 = 60;

thread_local! {
    /// The edges of the catalog at work: one case has the whole thread.
    static EDGES: RefCell<Vec<Vec<usize>>> = const { RefCell::new(Vec::new()) };
}

/// The catalog of a plan, for this thread.
pub(crate) fn catalog(plan: &Plan) -> Arc<Catalog<World>> {
    EDGES.set(plan.iter().map(|node| node.needs.clone()).collect());
    let builder = (0..).zip(plan).fold(Catalog::builder(), add);
    Arc::new(builder.build().unwrap())
}

fn add(builder: Builder<World>, (at, node): (usize, &NodePlan)) -> Builder<World> {
    match at {
        0 => one::<0>(builder, node),
        1 => one::<1>(builder, node),
        2 => one::<2>(builder, node),
        3 => one::<3>(builder, node),
        4 => one::<4>(builder, node),
        _ => one::<5>(builder, node),
    }
}

fn one<const N: usize>(builder: Builder<World>, node: &NodePlan) -> Builder<World> {
    match (node.kind, node.parts) {
        (Kind::Gate, _) => builder.look(Gate::<N>),
        (Kind::Undo, 1) => builder.act(Whole::<N, false>),
        (Kind::Keep, 1) => builder.act(Whole::<N, true>),
        (Kind::Undo, _) => builder.act(Parts::<N, false>),
        (Kind::Keep, _) => builder.act(Parts::<N, true>),
    }
}

/// The edges of one position, as the plan at work says.
struct Edges<const N: usize>;

impl<const N: usize> Needs for Edges<N> {
    type Outputs = BTreeMap<NodeId, Value>;
    fn ids() -> Vec<NodeId> {
        let edges = EDGES.with_borrow(|edges| edges[N].clone());
        edges.into_iter().map(|at| NodeId::new("model", NAMES[at])).collect()
    }
    fn read(outputs: &BTreeMap<NodeId, Value>) -> Result<Self::Outputs, Fault> {
        Ok(outputs.clone())
    }
}

/// It only looks.
struct Gate<const N: usize>;
/// One thing, with the remains that the trait gives.
struct Whole<const N: usize, const KEEP: bool>;
/// Several things.
struct Parts<const N: usize, const KEEP: bool>;

macro_rules! step {
    ([$($generics:tt)*] $step:ty, $look:ident) => {
        impl<$($generics)*> Step for $step {
            type World = World;
            type Needs = Edges<N>;
            // A person may skip every node: none means that it has left nothing.
            type Output = Option<String>;
            const ID: NodeId = NodeId::new("model", NAMES[N]);
            const PHASE: u8 = 1;
            const TITLE: &'static str = NAMES[N];
            const PATIENCE: Patience = Patience::new(5, LIMIT_S);
            async fn observe(&self, cx: &Cx<'_, Self>) -> Result<Seen<Option<String>>, Fault> {
                cx.world.$look(N, cx.saga).await
            }
        }
    };
}

macro_rules! act {
    ($step:ident $($remains:tt)*) => {
        impl<const N: usize, const KEEP: bool> Act for $step<N, KEEP> {
            const REVERSE: Reverse =
                if KEEP { Reverse::Keep("it is of use") } else { Reverse::Undo("it is gone") };
            fn lane(&self, cx: &Cx<'_, Self>) -> Option<String> {
                cx.world.lane(N)
            }
            async fn act(&self, cx: &Cx<'_, Self>, item: &str) -> Result<Option<String>, Fault> {
                cx.world.make(N, item, &cx.token(item)).await.map(|()| None)
            }
            async fn undo(&self, cx: &Cx<'_, Self>, item: &str) -> Result<(), Fault> {
                cx.world.unmake(N, item).await
            }
            $($remains)*
        }
    };
}

step!([const N: usize] Gate<N>, look_at_gate);
step!([const N: usize, const KEEP: bool] Whole<N, KEEP>, look);
step!([const N: usize, const KEEP: bool] Parts<N, KEEP>, look);
act!(Whole);
act! { Parts
    async fn remains(&self, cx: &Cx<'_, Self>) -> Result<Remains, Fault> {
        cx.world.remains(N, cx.items).await
    }
}
