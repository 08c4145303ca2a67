//! What all sagas of a process share, and how one is begun and carried on.

use crate::catalog::Catalog;
use crate::clock::Clock;
use crate::event::{Actor, Entry, Event, Verb};
use crate::fault::Class;
use crate::id::SagaId;
use crate::lane::Lanes;
use crate::node::NodeState;
use crate::progress::{News, Progress};
use crate::run::Run;
use crate::saga::{Direction, FoldError, Saga};
use crate::sealed::Sealed;
use crate::store::{Committer, StoreError, chain};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::sync::{mpsc, watch};

/// What all sagas of a process share.
pub struct Engine<W> {
    /// The list of steps.
    pub catalog: Arc<Catalog<W>>,
    /// The store's thread.
    pub committer: Committer,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Lanes are shared by all sagas.
    pub lanes: Arc<Lanes>,
    /// The outside is told here.
    pub progress: mpsc::UnboundedSender<Progress>,
    /// Source of jitter, handed in as a seed.
    pub random: AtomicU64,
}

/// A wish to stop: first gently, then at once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Interrupt {
    /// Nobody asked.
    #[default]
    None,
    /// Start nothing new, let calls in flight end.
    Gently,
}

/// What a saga is begun with.
#[derive(Clone, Copy, Debug)]
pub struct Beginning<'a> {
    /// The link that it sets up.
    pub link: &'a str,
    /// The spec's own text.
    pub spec: &'a str,
    /// SHA-256 of that text.
    pub digest: &'a str,
    /// The kind of world; a saga is only carried on in a world of the same kind.
    pub world: &'a str,
    /// Which of the worlds of that kind, where they have an identity.
    pub world_id: Option<&'a str>,
    /// Who begins it.
    pub actor: &'a Actor,
}

/// How a drive ended.
#[derive(Clone, Debug)]
pub struct Ending {
    /// Where the saga is now.
    pub saga: Saga,
    /// It was interrupted before it came to rest.
    pub interrupted: bool,
}

/// A drive that could not go on; the saga is as the journal says.
#[derive(Clone, Debug, thiserror::Error)]
pub enum EngineError {
    /// The store refused.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The journal cannot be folded.
    #[error("saga {saga}: {source}")]
    Fold {
        /// The saga.
        saga: SagaId,
        /// Why.
        source: FoldError,
    },
    /// Nothing can be decided over this node.
    #[error("{node}: {why}")]
    Node {
        /// The saga.
        saga: SagaId,
        /// The node.
        node: String,
        /// Why not.
        why: &'static str,
    },
    /// The saga was begun with another edition of the catalog.
    #[error("saga {saga} was begun with edition {found} of the steps; this version has {known}")]
    Edition {
        /// The saga.
        saga: SagaId,
        /// The edition that it was begun with.
        found: String,
        /// This version's edition.
        known: String,
    },
    /// Entries of the saga were lost with a damaged store.
    #[error("the history of saga {saga} is incomplete: entries behind {kept} are lost")]
    HistoryLost {
        /// The saga.
        saga: SagaId,
        /// The last version that was kept.
        kept: u64,
    },
}

impl<W: Send + Sync + 'static> Engine<W> {
    /// Reads a saga.
    pub async fn load(&self, id: SagaId) -> Result<(Saga, String), EngineError> {
        let entries = self.committer.entries(id, 1).await?;
        let saga = Saga::fold(id, &self.catalog, &entries)
            .map_err(|source| EngineError::Fold { saga: id, source })?;
        Ok((saga, entries.last().map(chain).unwrap_or_default()))
    }

    /// Begins a saga: its first entry is durable when this returns.
    pub async fn begin(&self, id: SagaId, with: Beginning<'_>) -> Result<(), EngineError> {
        let event = Event::Created {
            link: with.link.to_owned(),
            spec: with.spec.to_owned(),
            spec_digest: with.digest.to_owned(),
            edition: self.catalog.edition(),
            program: env!("CARGO_PKG_VERSION").to_owned(),
            world: with.world.to_owned(),
            world_id: with.world_id.map(str::to_owned),
            actor: with.actor.clone(),
        };
        let entry = Sealed::new(Entry {
            version: 1,
            at_ms: self.clock.now_ms(),
            previous: String::new(),
            event,
        });
        self.committer.append(id, entry.clone()).await?;
        self.tell(id, News::Entry(entry));
        Ok(())
    }

    /// Adds an event that a person caused: resumed, rollback begun, decided, interrupted.
    ///
    /// A saga that cannot be driven is left as it is: [`EngineError::Edition`].
    pub async fn say(&self, id: SagaId, event: Event) -> Result<Saga, EngineError> {
        let (mut saga, last) = self.load(id).await?;
        if !matches!(event, Event::Adopted { .. }) {
            whole(&saga)?;
        }
        self.same_edition(&saga)?;
        let entry = Sealed::new(Entry {
            version: saga.version + 1,
            at_ms: self.clock.now_ms(),
            previous: last,
            event,
        });
        saga.apply(&self.catalog, &entry)
            .map_err(|source| EngineError::Fold { saga: id, source })?;
        self.committer.append(id, entry.clone()).await?;
        self.tell(id, News::Entry(entry));
        Ok(saga)
    }

    /// Writes down what a person decided over one node, if the machine can bear it.
    ///
    /// A node that others read cannot be skipped: they would have nothing to go on with.
    pub async fn decide(
        &self,
        id: SagaId,
        node: &str,
        verb: Verb,
        (reason, by, actor): (&str, &str, &Actor),
    ) -> Result<Saga, EngineError> {
        let (saga, _) = self.load(id).await?;
        let unknown =
            || EngineError::Node { saga: id, node: node.to_owned(), why: "there is no such node" };
        let at = self.catalog.find(node).ok_or_else(unknown)?;
        whole(&saga)?;
        let refuse = |why| EngineError::Node { saga: id, node: node.to_owned(), why };
        if saga.outcome.is_some() {
            return Err(refuse("the saga has come to its end, so there is nothing to decide"));
        }
        if saga.node(at).stop().is_none() {
            return Err(refuse(
                "it has neither failed nor got stuck, so there is nothing to decide",
            ));
        }
        let read = self.catalog.dependents(at).next().is_some();
        let bears = self.catalog.node(at).is_some_and(|n| n.accepts(&serde_json::Value::Null));
        if verb != Verb::Retry && saga.direction == Direction::Forward && read && !bears {
            return Err(refuse("other nodes go on with what it leaves: mend the cause and resume"));
        }
        let (node, reason, by) = (node.to_owned(), reason.to_owned(), by.to_owned());
        let actor = actor.clone();
        self.say(id, Event::Decided { node, verb, reason, by, actor }).await
    }

    /// Carries a saga on until it is at rest or interrupted.
    pub async fn drive(
        &self,
        id: SagaId,
        world: Arc<W>,
        interrupt: watch::Receiver<Interrupt>,
    ) -> Result<Ending, EngineError> {
        let busy = self.clock.busy();
        let (saga, last) = self.load(id).await?;
        whole(&saga)?;
        self.same_edition(&saga)?;
        let mut run = Run::new(self, world, saga, last, interrupt);
        let interrupted = run.carry_on(busy).await?;
        Ok(Ending { saga: run.saga, interrupted })
    }

    /// Was the saga begun with this version's list of steps?
    pub(crate) fn same_edition(&self, saga: &Saga) -> Result<(), EngineError> {
        let known = self.catalog.edition();
        if saga.edition == known {
            return Ok(());
        }
        Err(EngineError::Edition { saga: saga.id, found: saga.edition.clone(), known })
    }

    pub(crate) fn tell(&self, saga: SagaId, news: News) {
        // Nobody listens any more: the journal has it all the same.
        drop(self.progress.send(Progress { saga, at_ms: self.clock.now_ms(), news }));
    }

    /// A pseudo-random number (splitmix64 over a shared counter).
    pub(crate) fn random(&self) -> u64 {
        let mut z = self.random.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

/// Is everything there that the saga's journal said? What it made is known by its journal alone.
fn whole(saga: &Saga) -> Result<(), EngineError> {
    let lost = |(kept, _)| EngineError::HistoryLost { saga: saga.id, kept };
    saga.lost.map_or(Ok(()), |lost_from| Err(lost(lost_from)))
}

/// The class that decides how a saga at rest is spoken of: the one a person has to see first.
pub fn rest_class(saga: &Saga) -> Option<Class> {
    class_to_see(saga.nodes.iter().filter_map(NodeState::stop).map(|stop| stop.class))
}

/// Of several classes the one that a person has to see first.
pub fn class_to_see(classes: impl Iterator<Item = Class>) -> Option<Class> {
    classes.min_by_key(|class| match class {
        Class::Permission => 0,
        Class::Prerequisite => 1,
        Class::Approval => 2,
        Class::Drift | Class::Refused | Class::Bug | Class::Unreachable | Class::Overdue => 3,
        Class::Verification => 4,
    })
}
