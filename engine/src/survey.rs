//! Looks at every node and writes nothing: what a run would make, what a saga left.

use crate::backoff::retry_ms;
use crate::catalog::Catalog;
use crate::clock::Clock;
use crate::erased::{About, AnyNode, RawCx};
use crate::event::{Entry, Event, Origin};
use crate::fault::{Class, Fault, Report};
use crate::id::{NodeId, SagaId};
use crate::step::{Remains, Reverse, Seen};
use futures_util::stream::{self, StreamExt as _};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// How many looks run side by side.
const SIDE_BY_SIDE: usize = 8;
/// For how long transient faults of one look are borne, in milliseconds.
const ENDURANCE_MS: u64 = 20_000;
/// Pauses between tries repeat: a survey has nobody to collide with.
const NO_JITTER: u64 = 1_000;

/// What is known of a saga before anything is looked at.
#[derive(Clone, Debug)]
pub struct Known {
    saga: SagaId,
    outputs: BTreeMap<String, Value>,
    announced: BTreeMap<String, Announced>,
    undone: BTreeMap<String, BTreeSet<String>>,
    made: BTreeSet<String>,
}

/// What a node's intents and the answers to its calls say.
#[derive(Clone, Debug)]
struct Announced {
    generation: u32,
    items: BTreeSet<String>,
    ids: BTreeMap<String, String>,
}

impl Default for Announced {
    fn default() -> Self {
        Self { generation: 1, items: BTreeSet::new(), ids: BTreeMap::new() }
    }
}

impl Known {
    /// Nothing: the saga is not begun.
    pub fn nothing(saga: SagaId) -> Self {
        Self {
            saga,
            outputs: BTreeMap::new(),
            announced: BTreeMap::new(),
            undone: BTreeMap::new(),
            made: BTreeSet::new(),
        }
    }

    /// What a journal says, also of nodes that were taken back since.
    pub fn of_journal(saga: SagaId, entries: &[Entry]) -> Self {
        let mut known = Self::nothing(saga);
        for entry in entries {
            known.note(&entry.event);
        }
        known
    }

    fn note(&mut self, event: &Event) {
        match event {
            Event::Completed { node, output, origin, .. } => {
                self.outputs.insert(node.clone(), output.clone());
                if *origin == Origin::Made {
                    self.made.insert(node.clone());
                }
            }
            Event::Intended { node, generation, items, .. } => {
                let slot = self.announced.entry(node.clone()).or_default();
                slot.generation = *generation;
                slot.items.extend(items.iter().cloned());
            }
            Event::Acknowledged { node, item, id } => {
                let slot = self.announced.entry(node.clone()).or_default();
                slot.ids.insert(item.clone(), id.clone());
            }
            Event::Vanished { node, item, .. } => {
                self.announced.entry(node.clone()).or_default().ids.remove(item);
            }
            Event::Created { .. }
            | Event::Failed { .. }
            | Event::Parked { .. }
            | Event::RollbackBegun { .. }
            | Event::Undone { .. }
            | Event::Stuck { .. }
            | Event::Resumed { .. }
            | Event::Decided { .. }
            | Event::Finished { .. }
            | Event::Interrupted { .. }
            | Event::Adopted { .. }
            | Event::HistoryLost { .. } => {}
            Event::UndoIntended { node, items } => {
                self.undone.entry(node.clone()).or_default().extend(items.iter().cloned());
            }
            Event::Inherited { node, .. } => {
                self.made.insert(node.clone());
            }
        }
    }

    /// What a node left for others when it was last done.
    pub fn output(&self, node: NodeId) -> Option<&Value> {
        self.outputs.get(&node.to_string())
    }

    /// The ids that calls of this node were answered with.
    pub fn ids(&self, node: NodeId) -> impl Iterator<Item = String> + '_ {
        let announced = self.announced.get(&node.to_string());
        announced.into_iter().flat_map(|announced| announced.ids.values().cloned())
    }

    /// Did the saga make what this node stands for?
    pub fn made(&self, node: NodeId) -> bool {
        self.made.contains(&node.to_string())
    }
}

/// What a look at a node says about a run.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    /// These items would be made; a thing without parts is the one item `""`.
    Make(Vec<String>),
    /// It is there, as wanted.
    Found(Value),
    /// The node only looks, and it is satisfied.
    Checked(Value),
    /// This link does not need it.
    Unneeded(Value),
    /// There, but not as the spec says.
    Differs(Report),
    /// On its way; the text says what is waited for.
    Waits(String),
    /// It can only be looked at once these are there.
    After(Vec<NodeId>),
    /// The look failed, or a prerequisite does not hold.
    Blocked(Class, Report),
    /// It was not to be looked at.
    Unlooked,
}

impl Verdict {
    /// What the node leaves for others, if it is there.
    pub fn output(&self) -> Option<&Value> {
        match self {
            Self::Found(output) | Self::Checked(output) | Self::Unneeded(output) => Some(output),
            Self::Make(_)
            | Self::Differs(_)
            | Self::Waits(_)
            | Self::After(_)
            | Self::Blocked(..)
            | Self::Unlooked => None,
        }
    }
}

/// Looks at every node that can be looked at; the verdicts stand in the catalog's order.
///
/// Nodes for which `skip` says yes are left out.
pub async fn survey<W: Send + Sync + 'static>(
    catalog: &Catalog<W>,
    world: &W,
    known: &Known,
    clock: &dyn Clock,
    skip: &(dyn Fn(&About) -> bool + Sync),
) -> Vec<Verdict> {
    let looker = Looker { catalog, world, known, clock };
    let mut outputs = looker.recorded();
    let mut verdicts: BTreeMap<usize, Verdict> = BTreeMap::new();
    while verdicts.len() < catalog.len() {
        let mut looked_at = Vec::new();
        for (at, about) in catalog.about().iter().enumerate() {
            let judged = |need: &usize| verdicts.contains_key(need);
            if judged(&at) || !catalog.needs(at).iter().all(judged) {
                continue;
            }
            let missing: Vec<NodeId> =
                about.needs.iter().filter(|need| !outputs.contains_key(need)).copied().collect();
            if skip(about) {
                verdicts.insert(at, Verdict::Unlooked);
            } else if missing.is_empty() {
                looked_at.push(at);
            } else {
                verdicts.insert(at, Verdict::After(missing));
            }
        }
        let looks = looked_at.into_iter().map(|at| looker.judge(at, &outputs));
        let seen: Vec<(usize, Verdict)> =
            stream::iter(looks).buffer_unordered(SIDE_BY_SIDE).collect().await;
        for (at, verdict) in seen {
            if let (Some(about), Some(output)) = (catalog.about().get(at), verdict.output()) {
                outputs.insert(about.id, output.clone());
            }
            verdicts.insert(at, verdict);
        }
    }
    verdicts.into_values().collect()
}

/// Asks every node that can be taken back what is left of what it made, in the catalog's
/// order; `None` where nothing can be asked.
pub async fn leftovers<W: Send + Sync + 'static>(
    catalog: &Catalog<W>,
    world: &W,
    known: &Known,
    clock: &dyn Clock,
) -> Vec<Option<Result<Remains, Fault>>> {
    let looker = Looker { catalog, world, known, clock };
    let outputs = looker.recorded();
    let asked = (0..catalog.len()).map(|at| looker.remains(at, &outputs));
    stream::iter(asked).buffered(SIDE_BY_SIDE).collect().await
}

struct Looker<'a, W> {
    catalog: &'a Catalog<W>,
    world: &'a W,
    known: &'a Known,
    clock: &'a dyn Clock,
}

impl<W: Send + Sync + 'static> Looker<'_, W> {
    fn recorded(&self) -> BTreeMap<NodeId, Value> {
        let about = self.catalog.about().iter();
        about
            .filter_map(|a| Some((a.id, self.known.outputs.get(&a.id.to_string())?.clone())))
            .collect()
    }

    async fn judge(&self, at: usize, outputs: &BTreeMap<NodeId, Value>) -> (usize, Verdict) {
        let Some(node) = self.catalog.node(at) else { return (at, Verdict::Unlooked) };
        let acts = node.about().acts();
        let seen = self.patiently(node, outputs, |node, raw| node.observe(raw)).await;
        let verdict = match seen {
            Ok(Seen::Absent(items)) if acts => Verdict::Make(items),
            Ok(Seen::Absent(_)) => Verdict::Waits("it is not there yet".to_owned()),
            Ok(Seen::Pending(why)) => Verdict::Waits(why),
            Ok(Seen::Ready(output) | Seen::Ours(output) | Seen::Theirs(output)) if acts => {
                Verdict::Found(output)
            }
            Ok(Seen::Ready(output) | Seen::Ours(output) | Seen::Theirs(output)) => {
                Verdict::Checked(output)
            }
            Ok(Seen::Unneeded(output)) => Verdict::Unneeded(output),
            Ok(Seen::Drifted(report)) => Verdict::Differs(report),
            Err(Fault::Busy(report)) => Verdict::Waits(report.said),
            Err(Fault::Transient { report, .. } | Fault::Unknown(report)) => {
                Verdict::Blocked(Class::Unreachable, report)
            }
            Err(Fault::Refused { class, report } | Fault::Blocked { class, report }) => {
                Verdict::Blocked(class, report)
            }
            Err(Fault::Bug(report)) => Verdict::Blocked(Class::Bug, report),
        };
        (at, verdict)
    }

    async fn remains(
        &self,
        at: usize,
        outputs: &BTreeMap<NodeId, Value>,
    ) -> Option<Result<Remains, Fault>> {
        let node = self.catalog.node(at)?;
        let about = node.about();
        let askable = matches!(about.reverse, Some(Reverse::Undo(_)))
            && about.needs.iter().all(|need| outputs.contains_key(need));
        if !askable {
            return None;
        }
        Some(self.patiently(node, outputs, |node, raw| node.remains(raw)).await)
    }

    /// Looks again for a while as long as nothing but a transient fault comes back.
    async fn patiently<T>(
        &self,
        node: &dyn AnyNode<W>,
        outputs: &BTreeMap<NodeId, Value>,
        look: impl for<'l> Fn(
            &'l dyn AnyNode<W>,
            &'l RawCx<'l, W>,
        ) -> crate::erased::BoxFuture<'l, Result<T, Fault>>,
    ) -> Result<T, Fault> {
        let nothing = Announced::default();
        let name = node.about().id.to_string();
        let announced = self.known.announced.get(&name).unwrap_or(&nothing);
        let undo_items = self.known.undone.get(&name).unwrap_or(&nothing.items);
        let made = |need: &&NodeId| self.known.made.contains(&need.to_string());
        let owned = node.about().needs.iter().filter(made).copied().collect();
        let begun_ms = self.clock.now_ms();
        let mut attempt = 0;
        loop {
            let now_ms = self.clock.now_ms();
            let raw = RawCx {
                world: self.world,
                outputs,
                saga: self.known.saga,
                items: &announced.items,
                ids: &announced.ids,
                undo_items,
                output: self.known.outputs.get(&name),
                made: self.known.made.contains(&name),
                owned: &owned,
                generation: announced.generation,
                now_ms,
            };
            let fault = match look(node, &raw).await {
                Err(fault @ (Fault::Transient { .. } | Fault::Unknown(_))) => fault,
                done => return done,
            };
            attempt += 1;
            let hint_ms = match &fault {
                Fault::Transient { retry_after_ms, .. } => *retry_after_ms,
                Fault::Busy(_)
                | Fault::Unknown(_)
                | Fault::Refused { .. }
                | Fault::Blocked { .. }
                | Fault::Bug(_) => None,
            };
            let again_ms = self.clock.now_ms() + retry_ms(attempt, hint_ms, NO_JITTER);
            if again_ms.saturating_sub(begun_ms) > ENDURANCE_MS {
                return Err(fault);
            }
            drop(self.clock.wait_until(again_ms).await);
        }
    }
}
