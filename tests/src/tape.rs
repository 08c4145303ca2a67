//! What a process leaves behind that dies at any of its commits.
//!
//! One clean run and rollback is recorded: the world and the journal right before and right
//! after each commit. From there the laws go on, so that no case repeats what came before.

use crate::bench::{Bench, Error};
use escrr_engine::store::{Append, Fence, Head, MemoryStore, Store, StoreError};
use escrr_engine::{Ending, Entry, Event, NodeState, Phase, SagaId};
use escrr_sandbox::{LogLine, Sandbox, World};
use serde_json::Value;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::OnceCell;

/// A world and a disk as a process left them.
#[derive(Clone, Debug)]
pub struct Cut {
    /// The world.
    pub world: World,
    /// The journal.
    pub entries: Vec<Entry>,
    /// The saga.
    pub saga: SagaId,
    /// What was being written.
    pub event: Event,
    /// Is it on disk already?
    pub written: bool,
    /// Requests that the world had answered.
    pub requests: u64,
}

impl Cut {
    /// The disk.
    pub fn store(&self) -> Result<MemoryStore, Error> {
        let mut store = MemoryStore::default();
        let fence = store.claim()?;
        for entry in &self.entries {
            store.commit(fence, &[Append::new(self.saga, entry.clone())])?;
        }
        Ok(store)
    }

    /// Where it is, for people.
    pub fn place(&self) -> String {
        let side = if self.written { "after" } else { "before" };
        let node = self.event.node().unwrap_or("the saga");
        let kind = serde_json::to_value(&self.event).unwrap_or_default();
        let kind = kind.get("type").and_then(Value::as_str).unwrap_or("entry").to_owned();
        format!("{side} entry {} ({node} {kind})", self.entries.len() + usize::from(!self.written))
    }
}

/// Takes down every commit of a store.
#[derive(Clone, Debug, Default)]
pub struct Tape(Arc<Mutex<Vec<Cut>>>);

impl Tape {
    /// A store that is taken down.
    pub fn recorder(&self, sandbox: &Arc<Sandbox>, store: &MemoryStore) -> Recorder {
        Recorder { sandbox: Arc::clone(sandbox), store: store.clone(), tape: self.clone() }
    }

    fn cuts(&self) -> Vec<Cut> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// See [`Tape::recorder`].
pub struct Recorder {
    sandbox: Arc<Sandbox>,
    store: MemoryStore,
    tape: Tape,
}

impl Recorder {
    fn take_down(&self, append: &Append, written: bool) -> Result<(), StoreError> {
        let cut = Cut {
            requests: self.sandbox.requests(),
            world: self.sandbox.world(),
            entries: self.store.entries(append.saga, 1)?,
            saga: append.saga,
            event: append.entry.event.clone(),
            written,
        };
        self.tape.0.lock().unwrap_or_else(PoisonError::into_inner).push(cut);
        Ok(())
    }
}

impl Store for Recorder {
    fn claim(&mut self) -> Result<Fence, StoreError> {
        self.store.claim()
    }

    fn commit(&mut self, fence: Fence, batch: &[Append]) -> Result<(), StoreError> {
        for append in batch {
            self.take_down(append, false)?;
        }
        self.store.commit(fence, batch)?;
        for append in batch {
            self.take_down(append, true)?;
        }
        Ok(())
    }

    fn entries(&self, saga: SagaId, from: u64) -> Result<Vec<Entry>, StoreError> {
        self.store.entries(saga, from)
    }

    fn heads(&self) -> Result<Vec<Head>, StoreError> {
        self.store.heads()
    }
}

/// A clean run and its rollback.
#[derive(Debug)]
pub struct Clean {
    /// Everything that existed before.
    pub before: Value,
    /// Cuts of the run, in order; the last one is after its end.
    pub forward: Vec<Cut>,
    /// Cuts of the rollback, in order.
    pub backward: Vec<Cut>,
    /// The requests of both.
    pub log: Vec<LogLine>,
    /// What existed in between, by [`shape`].
    pub shape: Vec<String>,
    /// Who made what each node stands for, by [`origins`].
    pub origins: Vec<String>,
}

impl Clean {
    /// The recording, made once for all laws.
    pub async fn recorded() -> Result<&'static Self, Error> {
        static RECORDED: OnceCell<Clean> = OnceCell::const_new();
        RECORDED.get_or_try_init(Self::record).await
    }

    async fn record() -> Result<Self, Error> {
        let mut bench = Bench::new().await?;
        let before = bench.inventory().await?;
        let tape = Tape::default();
        bench.tape = Some(tape.clone());
        let ending = bench.run().await?;
        if ending.saga.phase() != Phase::Succeeded {
            return Err(format!(
                "a clean run ended as {:?}: {:?}",
                ending.saga.phase(),
                stops(&ending)
            )
            .into());
        }
        let shape = shape(&bench.inventory().await?);
        let forward = tape.cuts();
        let ending_back = bench.rollback().await?;
        if ending_back.saga.phase() != Phase::RolledBack || bench.inventory().await? != before {
            return Err(
                format!("a clean rollback left something: {:?}", stops(&ending_back)).into()
            );
        }
        let backward = tape.cuts().split_off(forward.len());
        let log = bench.log().await?;
        Ok(Self { before, forward, backward, log, shape, origins: origins(&ending) })
    }

    /// What the run left when it had succeeded.
    pub fn end(&self) -> Result<&Cut, Error> {
        self.forward.last().ok_or_else(|| "nothing was recorded".into())
    }

    /// For each change that the run, or the rollback, made: the last cut before it, and which
    /// one of the mutating requests after that cut it is, counted from 1.
    pub fn changes(&self, backward: bool) -> Vec<Change<'_>> {
        let cuts = if backward { &self.backward } else { &self.forward };
        let end = self.forward.last().map_or(0, |cut| cut.requests);
        let mutating = self.log.iter().filter(|line| line.mutating);
        let made = mutating.clone().filter(|l| l.outcome == "ok" && (l.seq > end) == backward);
        // A rollback is only carried on once its beginning is on disk.
        let begun = cuts.iter().skip(usize::from(backward));
        made.filter_map(|line| {
            let cut = begun.clone().rfind(|cut| cut.requests < line.seq)?;
            let since = |other: &&LogLine| other.seq > cut.requests && other.seq <= line.seq;
            let nth = mutating.clone().filter(since).count();
            Some(Change { name: format!("{} {}", line.product, line.action), cut, nth })
        })
        .collect()
    }
}

/// One change of the clean run or rollback.
#[derive(Clone, Debug)]
pub struct Change<'a> {
    /// Product and action.
    pub name: String,
    /// What a process would have left that died right before it.
    pub cut: &'a Cut,
    /// Which mutating request after that cut it is, from 1.
    pub nth: usize,
}

/// What exists, without the ids that differ from run to run.
pub fn shape(inventory: &Value) -> Vec<String> {
    let rows = inventory.as_array().cloned().unwrap_or_default();
    let text = |row: &Value, name: &str| row.get(name).map(Value::to_string).unwrap_or_default();
    let of = |row| format!("{} {} {}", text(row, "kind"), text(row, "region"), text(row, "owner"));
    let mut all: Vec<String> = rows.iter().map(of).collect();
    all.sort();
    all
}

/// Of each node: who made what it stands for, which decides what a rollback takes back.
pub fn origins(ending: &Ending) -> Vec<String> {
    let origin = |node: &NodeState| {
        if let NodeState::Done { origin, .. } = node {
            format!("{origin:?}")
        } else {
            node.name().to_owned()
        }
    };
    ending.saga.nodes.iter().map(origin).collect()
}

/// Why the nodes of a saga stopped.
pub fn stops(ending: &Ending) -> Vec<String> {
    ending.saga.nodes.iter().filter_map(|n| n.stop()).map(|s| s.report.to_string()).collect()
}
