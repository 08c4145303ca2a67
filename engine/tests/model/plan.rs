//! Small random catalogs, and how each node's API behaves.

use proptest::prelude::*;

/// The most nodes of a catalog.
pub(crate) const MOST: usize = 6;
/// The names of the nodes, by position.
pub(crate) const NAMES: [&str; MOST] = ["a", "b", "c", "d", "e", "f"];

/// What a node does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// It only looks.
    Gate,
    /// Rollback takes back what it makes.
    Undo,
    /// Rollback leaves what it makes.
    Keep,
}

/// One node of a catalog and the API behind it.
#[derive(Clone, Debug)]
pub(crate) struct NodePlan {
    /// Positions of the nodes that it needs, all smaller than its own.
    pub(crate) needs: Vec<usize>,
    pub(crate) kind: Kind,
    /// How many things it stands for.
    pub(crate) parts: usize,
    /// Its writes take turns with those of every node in the same lane.
    pub(crate) lane: Option<u8>,
    /// The API takes a client token; else a second call on the same key changes nothing.
    pub(crate) token: bool,
    /// With a token: is it used up at the other side by a refusal, and by a thing that is no
    /// more?
    pub(crate) burns: bool,
    /// Things carry a mark that says whose they are.
    pub(crate) marked: bool,
    /// From the call to a thing that is ready.
    pub(crate) takes_ms: u64,
    /// From the call to a look that shows its effect: stale reads.
    pub(crate) hidden_ms: u64,
    /// From a delete to a thing that is gone.
    pub(crate) goes_ms: u64,
    /// How often a call gives way to others before its effect, and again after it.
    pub(crate) pauses: usize,
}

impl NodePlan {
    /// The names of its items.
    pub(crate) fn items(&self) -> Vec<String> {
        if self.parts == 1 { vec![String::new()] } else { (0..self.parts).map(part).collect() }
    }
}

fn part(number: usize) -> String {
    format!("part{number}")
}

/// A catalog.
pub(crate) type Plan = Vec<NodePlan>;

/// The name of the node at a position, as journals have it.
pub(crate) fn name(at: usize) -> String {
    format!("model.{}", NAMES[at])
}

/// The position of a node by its name in a journal.
pub(crate) fn position(name: &str) -> Option<usize> {
    NAMES.iter().position(|known| name.strip_prefix("model.") == Some(known))
}

/// Any catalog of three to six nodes.
pub(crate) fn plans() -> BoxedStrategy<Plan> {
    let sizes = 3..=MOST;
    sizes.prop_flat_map(|size| (0..size).map(node).collect::<Vec<_>>()).boxed()
}

fn node(at: usize) -> impl Strategy<Value = NodePlan> {
    let needs = prop::collection::vec(prop::bool::weighted(0.4), at);
    let kind = prop_oneof![
        1 => Just(Kind::Gate),
        6 => Just(Kind::Undo),
        1 => Just(Kind::Keep),
    ];
    let parts = prop_oneof![3 => Just(1_usize), 1 => 2..=3_usize];
    let lane = prop_oneof![2 => Just(None), 1 => (0..2_u8).prop_map(Some)];
    let api = (any::<bool>(), any::<bool>(), any::<bool>());
    let takes_ms = prop_oneof![Just(0_u64), Just(1_000), Just(7_000)];
    let hidden_ms = prop_oneof![3 => Just(0_u64), 1 => Just(3_000)];
    let goes_ms = prop_oneof![Just(0_u64), Just(2_000)];
    let times = (takes_ms, hidden_ms, goes_ms, 0..3_usize);
    (needs, kind, parts, lane, api, times).prop_map(|(needs, kind, parts, lane, api, times)| {
        let (token, burns, marked) = api;
        let (takes_ms, hidden_ms, goes_ms, pauses) = times;
        let needs = (0..).zip(needs).filter_map(|(at, needed)| needed.then_some(at)).collect();
        NodePlan {
            needs,
            kind,
            parts,
            lane,
            token,
            burns,
            marked,
            takes_ms,
            hidden_ms,
            goes_ms,
            pauses,
        }
    })
}
