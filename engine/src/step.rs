//! What the author of a step writes.
//!
//! A step answers "what is there now?" ([`Step::observe`]); one that also changes the
//! world answers two more questions: which call makes it so ([`Act::act`]) and which
//! one takes it back ([`Act::undo`]). The engine does the rest: it looks before every
//! call, writes its intent to disk first, waits while a look says pending, adopts what
//! was there before, and undoes only what it made.

use crate::fault::{Fault, Report};
use crate::id::{NodeId, SagaId, token};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// How long a node usually takes and how long it may take, in seconds.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// Usual duration: polling is denser around it, and plans show it.
    pub usual_s: u32,
    /// From here on the node is overdue.
    pub limit_s: u32,
}

impl Patience {
    /// Usual and longest duration in seconds.
    pub const fn new(usual_s: u32, limit_s: u32) -> Self {
        Self { usual_s, limit_s }
    }
}

/// What rollback does with what a node made.
#[derive(Clone, Copy, Debug)]
pub enum Reverse {
    /// It is taken back; the text says what that does and what it leaves behind.
    Undo(&'static str),
    /// It stays; the text says why.
    Keep(&'static str),
}

/// What a look found.
#[derive(Clone, Debug, PartialEq)]
pub enum Seen<T> {
    /// These items are not there. A thing without parts is the one item `""`: [`Seen::absent`].
    Absent(Vec<String>),
    /// On its way, or waiting for something; the text says what is waited for.
    Pending(String),
    /// There, as wanted; whose it is only the journal knows.
    Ready(T),
    /// There, as wanted, and it carries this saga's mark: we made it, whatever the journal says.
    Ours(T),
    /// There, as wanted, and somebody else's: it carries another mark or none.
    Theirs(T),
    /// Not needed for this link, for example a peer link inside one region.
    Unneeded(T),
    /// There, but not as the spec says: a person decides.
    Drifted(Report),
}

impl<T> Seen<T> {
    /// Nothing is there.
    pub fn absent() -> Self {
        Self::Absent(vec![String::new()])
    }

    /// The same with another output.
    pub fn try_map<U>(self, f: impl FnOnce(T) -> Result<U, Fault>) -> Result<Seen<U>, Fault> {
        Ok(match self {
            Self::Absent(items) => Seen::Absent(items),
            Self::Pending(why) => Seen::Pending(why),
            Self::Ready(t) => Seen::Ready(f(t)?),
            Self::Ours(t) => Seen::Ours(f(t)?),
            Self::Theirs(t) => Seen::Theirs(f(t)?),
            Self::Unneeded(t) => Seen::Unneeded(f(t)?),
            Self::Drifted(report) => Seen::Drifted(report),
        })
    }
}

/// What is left of what a node made, asked while it is being undone.
#[derive(Clone, Debug, PartialEq)]
pub enum Remains {
    /// Nothing of ours is left.
    Nothing,
    /// Nothing of ours is left; the data says what became of each thing, and is journaled.
    Accounted(Value),
    /// It cannot be taken back just now, or is on its way out; the text says what is waited for.
    Pending(String),
    /// Journal these items before the first call, then look again: for a node that could not
    /// recognise its own half-done undo after a crash. See [`Cx::undo_items`].
    Announce(Vec<String>),
    /// These items can be taken back now, one call each.
    Items(Vec<String>),
    /// Somebody changed it since: a person decides.
    Drifted(Report),
    /// What is left stays on purpose; the text says why, and whose it is now.
    Kept(String),
}

impl Remains {
    /// The one thing without parts is still there.
    pub fn whole() -> Self {
        Self::Items(vec![String::new()])
    }
}

/// What a look or a call is given.
pub struct Cx<'a, S: Step> {
    /// The clients and the spec.
    pub world: &'a S::World,
    /// The outputs of the steps named in [`Step::Needs`], in that order.
    pub needs: <S::Needs as Needs>::Outputs,
    /// The saga at work.
    pub saga: SagaId,
    /// Everything that this node announced in its intents; empty before the first.
    pub items: &'a BTreeSet<String>,
    /// Everything that was announced while this node was taken back: [`Remains::Announce`].
    pub undo_items: &'a BTreeSet<String>,
    /// The ids that calls were answered with, by item. An item that has one is looked for by that
    /// id: a look that says it is absent says that this very resource does not exist.
    pub ids: &'a BTreeMap<String, String>,
    /// The node's own output, once it is done.
    pub output: Option<S::Output>,
    /// Did this saga create what the output stands for?
    pub made: bool,
    /// The needs that this saga created: what hangs on them is its own, whatever the journal says.
    pub owned: &'a BTreeSet<NodeId>,
    /// Counts definite refusals; part of the token.
    pub generation: u32,
    /// When this turn began, in milliseconds since the Unix epoch.
    pub now_ms: u64,
}

impl<S: Step> Cx<'_, S> {
    /// The idempotency token for one item: equal over all attempts.
    pub fn token(&self, item: &str) -> String {
        token(self.saga, &S::ID.to_string(), self.generation, item)
    }

    /// Did this saga create what this need stands for? What can carry no tags and hangs on it is
    /// then the saga's own as well.
    pub fn owns<N: Step>(&self) -> bool {
        self.owned.contains(&N::ID)
    }

    /// The token for taking an item back; another one than for making it.
    pub fn undo_token(&self, item: &str) -> String {
        token(self.saga, &S::ID.to_string(), self.generation, &format!("undo {item}"))
    }
}

/// A step: it can be looked at.
pub trait Step: Send + Sync + Sized + 'static {
    /// The clients and the spec.
    type World: Send + Sync + 'static;
    /// The steps whose outputs this one reads or waits for: a tuple of step types.
    type Needs: Needs;
    /// What it leaves for others. Not a secret: those have no `Serialize`.
    type Output: Serialize + DeserializeOwned + Clone + Send + Sync + 'static;
    /// Its name.
    const ID: NodeId;
    /// The documented step that it belongs to; 0 is the prerequisites.
    const PHASE: u8;
    /// One line for people: what it makes or checks.
    const TITLE: &'static str;
    /// How long it takes.
    const PATIENCE: Patience;

    /// What is there now? Reads only.
    fn observe(
        &self,
        cx: &Cx<'_, Self>,
    ) -> impl Future<Output = Result<Seen<Self::Output>, Fault>> + Send;
}

/// A step that changes the world.
pub trait Act: Step {
    /// What rollback does; it has no default, so that nobody forgets it.
    const REVERSE: Reverse;
    /// Does what it creates carry the saga's mark? Then what [`Act::remains`] finds is the saga's
    /// own, whatever the journal says.
    const MARKED: bool = false;
    /// What starts to cost once it is made, if anything does.
    const COST: Option<&'static str> = None;
    /// What is still there after the undo, if anything is: a rollback says so.
    const LEAVES: Option<&'static str> = None;

    /// The lane that its writes share with others: they never run side by side.
    fn lane(&self, _cx: &Cx<'_, Self>) -> Option<String> {
        None
    }

    /// Creates one item: one call, with `cx.token(item)` where the API takes a token. Returns the
    /// id that the call was answered with, where the item is a resource with an id of its own.
    fn act(
        &self,
        cx: &Cx<'_, Self>,
        item: &str,
    ) -> impl Future<Output = Result<Option<String>, Fault>> + Send;

    /// What is left of what we made? A step with several items must say it itself,
    /// because [`Step::observe`] says absent as soon as one of them is missing.
    fn remains(&self, cx: &Cx<'_, Self>) -> impl Future<Output = Result<Remains, Fault>> + Send {
        async {
            Ok(match self.observe(cx).await? {
                Seen::Absent(_) | Seen::Unneeded(_) | Seen::Theirs(_) => Remains::Nothing,
                Seen::Pending(why) => Remains::Pending(why),
                Seen::Ready(_) | Seen::Ours(_) => Remains::whole(),
                Seen::Drifted(report) => Remains::Drifted(report),
            })
        }
    }

    /// Takes one item back: one call, only ever made when the last look named the item.
    fn undo(&self, cx: &Cx<'_, Self>, item: &str)
    -> impl Future<Output = Result<(), Fault>> + Send;
}

/// A tuple of steps: the only edges of the graph.
pub trait Needs {
    /// The outputs of those steps.
    type Outputs: Send + Sync;
    /// Their names.
    fn ids() -> Vec<NodeId>;
    /// Reads their outputs.
    fn read(outputs: &BTreeMap<NodeId, Value>) -> Result<Self::Outputs, Fault>;
}

fn read_one<S: Step>(outputs: &BTreeMap<NodeId, Value>) -> Result<S::Output, Fault> {
    let value = outputs.get(&S::ID).unwrap_or(&Value::Null);
    <S::Output as Deserialize>::deserialize(value).map_err(|error| {
        Fault::Bug(Report::new(
            format!("reading the output of {}", S::ID),
            format!("it does not have the shape this version expects: {error}"),
        ))
    })
}

impl Needs for () {
    type Outputs = ();
    fn ids() -> Vec<NodeId> {
        Vec::new()
    }
    fn read(_: &BTreeMap<NodeId, Value>) -> Result<(), Fault> {
        Ok(())
    }
}

macro_rules! needs_for_tuples {
    ($(($($step:ident),+))+) => {$(
        impl<$($step: Step),+> Needs for ($($step,)+) {
            type Outputs = ($($step::Output,)+);
            fn ids() -> Vec<NodeId> {
                vec![$($step::ID),+]
            }
            fn read(outputs: &BTreeMap<NodeId, Value>) -> Result<Self::Outputs, Fault> {
                Ok(($(read_one::<$step>(outputs)?,)+))
            }
        }
    )+};
}

needs_for_tuples! {
    (A) (A, B) (A, B, C) (A, B, C, D) (A, B, C, D, E) (A, B, C, D, E, F) (A, B, C, D, E, F, G)
    (A, B, C, D, E, F, G, H) (A, B, C, D, E, F, G, H, I) (A, B, C, D, E, F, G, H, I, J)
    (A, B, C, D, E, F, G, H, I, J, K) (A, B, C, D, E, F, G, H, I, J, K, L)
}
