//! A saga as the fold of its journal: pure, without clock and without randomness.

use crate::catalog::Catalog;
use crate::event::{Actor, Entry, Event, Origin, Outcome};
use crate::id::SagaId;
use crate::node::{IllegalEvent, NodeState, Stop};

/// Which way a saga goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// Making.
    Forward,
    /// Taking back.
    Backward,
}

/// What a saga is at, in one word for people and scripts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Nodes can go on.
    Running,
    /// Every node is as wanted.
    Succeeded,
    /// A node failed.
    Failed,
    /// A node waits for a person.
    Parked,
    /// Nodes can be taken back.
    RollingBack,
    /// Everything was taken back.
    RolledBack,
    /// A node could not be taken back.
    RollbackStuck,
    /// Entries of its journal were lost: what it made is not known.
    HistoryIncomplete,
}

/// The state of one saga.
#[derive(Clone, Debug)]
pub struct Saga {
    /// Its id.
    pub id: SagaId,
    /// The link that it sets up.
    pub link: String,
    /// The spec's own text.
    pub spec: String,
    /// SHA-256 of that text.
    pub spec_digest: String,
    /// The edition of the catalog that it was begun with.
    pub edition: String,
    /// The kind of world that it was begun in.
    pub world: String,
    /// Which of the worlds of that kind, where they have an identity.
    pub world_id: Option<String>,
    /// The file with the world's addresses, as it was named last, as a word for the shell.
    pub sandbox: Option<String>,
    /// When it was begun, in milliseconds since the Unix epoch.
    pub created_ms: u64,
    /// When its last entry was written.
    pub updated_ms: u64,
    /// How many entries its journal has.
    pub version: u64,
    /// Which way it goes.
    pub direction: Direction,
    /// How it ended, if it did.
    pub outcome: Option<Outcome>,
    /// The signal that stopped it, if that is the last that is known of it.
    pub interrupted: Option<String>,
    /// What had stopped it when its rollback was begun, by node.
    pub causes: Vec<(usize, Stop)>,
    /// Entries behind this version were lost, and the saga had come to that version at least.
    pub lost: Option<(u64, u64)>,
    /// Its nodes, in the catalog's order.
    pub nodes: Vec<NodeState>,
    /// When each node last changed, in milliseconds since the Unix epoch.
    pub changed_ms: Vec<Option<u64>>,
    /// When each node was first mentioned.
    pub started_ms: Vec<Option<u64>>,
    /// When each node was done.
    pub done_ms: Vec<Option<u64>>,
    /// Calls made for each node, as journaled.
    pub attempts: Vec<u32>,
}

/// A journal that cannot be folded.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum FoldError {
    /// It does not begin with the saga's making.
    #[error("the journal does not begin with `created`")]
    NoBeginning,
    /// A number is missing or stands twice.
    #[error("entry {found} stands where {expected} should")]
    Gap {
        /// The number that was expected.
        expected: u64,
        /// The number that was found.
        found: u64,
    },
    /// It names a node that this catalog does not have.
    #[error("entry {version} names the node {node}, which this version does not know")]
    UnknownNode {
        /// The entry.
        version: u64,
        /// The node.
        node: String,
    },
    /// An entry cannot follow those before it.
    #[error("entry {version}, node {node}: {source}")]
    Illegal {
        /// The entry.
        version: u64,
        /// The node.
        node: String,
        /// What cannot follow what.
        source: IllegalEvent,
    },
}

impl Saga {
    /// Folds a whole journal.
    pub fn fold<W>(id: SagaId, catalog: &Catalog<W>, entries: &[Entry]) -> Result<Self, FoldError> {
        let Some(Entry {
            event: Event::Created { link, spec, spec_digest, edition, world, world_id, .. },
            at_ms,
            ..
        }) = entries.first()
        else {
            return Err(FoldError::NoBeginning);
        };
        let size = catalog.len();
        let mut saga = Self {
            id,
            link: link.clone(),
            spec: spec.clone(),
            spec_digest: spec_digest.clone(),
            edition: edition.clone(),
            world: world.clone(),
            world_id: world_id.clone(),
            sandbox: None,
            created_ms: *at_ms,
            updated_ms: *at_ms,
            version: 0,
            direction: Direction::Forward,
            outcome: None,
            interrupted: None,
            causes: Vec::new(),
            lost: None,
            nodes: vec![NodeState::default(); size],
            changed_ms: vec![None; size],
            started_ms: vec![None; size],
            done_ms: vec![None; size],
            attempts: vec![0; size],
        };
        for entry in entries {
            saga.apply(catalog, entry)?;
        }
        Ok(saga)
    }

    /// Adds one entry.
    pub fn apply<W>(&mut self, catalog: &Catalog<W>, entry: &Entry) -> Result<(), FoldError> {
        if entry.version != self.version + 1 {
            return Err(FoldError::Gap { expected: self.version + 1, found: entry.version });
        }
        self.interrupted = None;
        match &entry.event {
            Event::Created { .. } if entry.version != 1 => return Err(FoldError::NoBeginning),
            Event::RollbackBegun { actor, .. } => {
                self.direction = Direction::Backward;
                self.outcome = None;
                self.causes = self.stops();
                self.reached_by(actor);
            }
            Event::Finished { outcome } => self.outcome = Some(*outcome),
            // A person has decided that the run goes on by what the cloud shows of it.
            Event::Adopted { .. } => self.lost = None,
            Event::Interrupted { by, .. } => self.interrupted = Some(by.clone()),
            Event::HistoryLost { known, .. } => {
                // How it ended, if it did, may stand in what was lost.
                self.outcome = None;
                self.lost = Some((self.version, *known));
            }
            Event::Resumed { actor, .. } => {
                for at in 0..self.nodes.len() {
                    self.change(at, entry, "")?;
                }
                self.reached_by(actor);
            }
            Event::Created { actor, .. } => self.reached_by(actor),
            Event::Intended { .. }
            | Event::Completed { .. }
            | Event::Failed { .. }
            | Event::Parked { .. }
            | Event::UndoIntended { .. }
            | Event::Undone { .. }
            | Event::Stuck { .. }
            | Event::Decided { .. }
            | Event::Acknowledged { .. }
            | Event::Vanished { .. }
            | Event::Inherited { .. } => self.apply_to_node(catalog, entry)?,
        }
        self.version = entry.version;
        self.updated_ms = entry.at_ms;
        Ok(())
    }

    /// Remembers where the world was reached last.
    fn reached_by(&mut self, actor: &Actor) {
        if !actor.is_unknown() {
            self.sandbox.clone_from(&actor.sandbox);
        }
    }

    fn stops(&self) -> Vec<(usize, Stop)> {
        let stop = |(at, node): (usize, &NodeState)| Some((at, node.stop()?.clone()));
        self.nodes.iter().enumerate().filter_map(stop).collect()
    }

    fn apply_to_node<W>(&mut self, catalog: &Catalog<W>, entry: &Entry) -> Result<(), FoldError> {
        let Some(name) = entry.event.node() else { return Ok(()) };
        let at = catalog.find(name).ok_or_else(|| FoldError::UnknownNode {
            version: entry.version,
            node: name.to_owned(),
        })?;
        self.change(at, entry, name)?;
        self.note(at, entry);
        Ok(())
    }

    fn change(&mut self, at: usize, entry: &Entry, name: &str) -> Result<(), FoldError> {
        let Some(slot) = self.nodes.get_mut(at) else { return Ok(()) };
        let state = std::mem::take(slot);
        *slot = state.apply(&entry.event, entry.at_ms).map_err(|source| FoldError::Illegal {
            version: entry.version,
            node: name.to_owned(),
            source,
        })?;
        Ok(())
    }

    fn note(&mut self, at: usize, entry: &Entry) {
        if let Some(slot) = self.changed_ms.get_mut(at) {
            *slot = Some(entry.at_ms);
        }
        if let Some(slot) = self.started_ms.get_mut(at) {
            slot.get_or_insert(entry.at_ms);
        }
        if let (Event::Completed { .. }, Some(slot)) = (&entry.event, self.done_ms.get_mut(at)) {
            *slot = Some(entry.at_ms);
        }
        let calls = entry.event.attempts();
        if let Some(slot) = self.attempts.get_mut(at) {
            *slot += calls;
        }
    }

    /// The state of one node; idle for a position outside the catalog.
    pub fn node(&self, at: usize) -> &NodeState {
        static IDLE: NodeState = NodeState::Idle { earlier: None };
        self.nodes.get(at).unwrap_or(&IDLE)
    }

    /// Is what a node stands for this saga's own? A node that only looks hands on what it looks at.
    pub fn owns<W>(&self, catalog: &Catalog<W>, at: usize) -> bool {
        let state = self.node(at);
        state.made_output()
            || (matches!(state, NodeState::Done { origin: Origin::Checked, .. })
                && catalog.needs(at).iter().any(|need| self.owns(catalog, *need)))
    }

    /// The nodes that may be looked at now.
    pub fn ready<W>(&self, catalog: &Catalog<W>) -> Vec<usize> {
        (0..self.nodes.len())
            .filter(|_| self.lost.is_none())
            .filter(|at| match self.direction {
                Direction::Forward => {
                    matches!(self.node(*at), NodeState::Idle { .. } | NodeState::Intended(_))
                        && catalog.needs(*at).iter().all(|need| self.node(*need).satisfied())
                }
                Direction::Backward => {
                    self.node(*at).may_have_made()
                        && !matches!(self.node(*at), NodeState::Stuck { .. })
                        && catalog.dependents(*at).all(|d| !self.node(d).may_have_made())
                }
            })
            .collect()
    }

    /// Has any node failed, been parked or got stuck?
    pub fn stopped(&self) -> bool {
        self.nodes.iter().any(|n| n.stop().is_some())
    }

    /// What the saga is at.
    pub fn phase(&self) -> Phase {
        if self.lost.is_some() {
            return Phase::HistoryIncomplete;
        }
        let any = |f: fn(&NodeState) -> bool| self.nodes.iter().any(f);
        match (self.direction, self.outcome) {
            (_, Some(Outcome::Succeeded)) => Phase::Succeeded,
            (_, Some(Outcome::RolledBack)) => Phase::RolledBack,
            (Direction::Backward, None) if any(|n| matches!(n, NodeState::Stuck { .. })) => {
                Phase::RollbackStuck
            }
            (Direction::Backward, None) => Phase::RollingBack,
            (Direction::Forward, None) if any(|n| matches!(n, NodeState::Failed { .. })) => {
                Phase::Failed
            }
            (Direction::Forward, None) if any(|n| matches!(n, NodeState::Parked { .. })) => {
                Phase::Parked
            }
            (Direction::Forward, None) => Phase::Running,
        }
    }

    /// The end that the saga has reached without having said so yet.
    pub fn reached(&self) -> Option<Outcome> {
        if self.outcome.is_some() || self.lost.is_some() {
            return None;
        }
        match self.direction {
            Direction::Forward => {
                self.nodes.iter().all(NodeState::satisfied).then_some(Outcome::Succeeded)
            }
            Direction::Backward => {
                (!self.nodes.iter().any(NodeState::may_have_made)).then_some(Outcome::RolledBack)
            }
        }
    }
}
