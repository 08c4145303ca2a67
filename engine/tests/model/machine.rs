//! One pretend machine: a disk and a world, on which one process after another lives and dies.

use crate::clock::WorldClock;
use crate::gate::{Gate, GatedStore, Gates, runtime};
use crate::plan::{Kind, Plan, name};
use crate::steps::catalog;
use crate::things::Key;
use crate::world::World;
use escrr_engine::clock::{Busy, Clock};
use escrr_engine::lane::Lanes;
use escrr_engine::store::{Committer, MemoryStore, Store as _, StoreError};
use escrr_engine::{
    Beginning, Catalog, Direction, Ending, Engine, EngineError, Event, Interrupt, News, Outcome,
    Progress, Saga, SagaId, Verb,
};
use std::sync::{Arc, Mutex};
use tokio::runtime::Runtime;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

/// What somebody else does to a thing or a gate.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Deed {
    /// Makes the thing, opens the gate.
    Make,
    /// Removes the thing, closes the gate.
    Remove,
    Change,
    Restore,
}

/// How a process is begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wish {
    /// Goes on without a word.
    Run,
    Resume,
    Rollback,
}

type Drive = JoinHandle<Result<Ending, EngineError>>;

/// A process that carries the saga on.
struct Process {
    engine: Arc<Engine<World>>,
    gate: Arc<Gate>,
    news: mpsc::UnboundedReceiver<Progress>,
    wish: watch::Sender<Interrupt>,
    drive: Option<Drive>,
}

enum Next {
    Entries,
    Ended(Result<(), EngineError>),
    Died,
}

pub(crate) struct Machine {
    pub(crate) plan: Plan,
    pub(crate) world: World,
    pub(crate) clock: Arc<WorldClock>,
    pub(crate) saga: SagaId,
    pub(crate) store: MemoryStore,
    pub(crate) catalog: Arc<Catalog<World>>,
    gates: Gates,
    process: Option<Process>,
    /// Time stands still while no process is let go on.
    hold: Busy,
    runtime: Runtime,
}

impl Machine {
    pub(crate) fn new(plan: Plan) -> Self {
        let (saga, store) = (SagaId::new(1, [5; 10]), MemoryStore::default());
        let clock = Arc::new(WorldClock::new(1_000_000));
        let world = World::new(plan.clone(), saga, Arc::clone(&clock), store.clone());
        let gates: Gates = Arc::new(Mutex::new(Arc::default()));
        Self {
            world,
            saga,
            store,
            catalog: catalog(&plan),
            plan,
            hold: clock.busy(),
            clock,
            runtime: runtime(&gates),
            gates,
            process: None,
        }
    }

    pub(crate) fn alive(&self) -> bool {
        self.process.is_some()
    }

    /// The saga as the engine folds it; `None` before it was begun.
    pub(crate) fn folded(&self) -> Option<Saga> {
        let entries = self.store.entries(self.saga, 1).unwrap();
        let folded = Saga::fold(self.saga, &self.catalog, &entries);
        (!entries.is_empty()).then(|| folded.unwrap())
    }

    /// Begins a process: the saga, if need be, and what a person says; `None` if it dies of it.
    fn open(&mut self, say: impl AsyncFnOnce(&Engine<World>) -> Result<(), EngineError>) -> bool {
        let gate = Arc::new(Gate::default());
        *self.gates.lock().unwrap() = Arc::clone(&gate);
        let store = GatedStore { inner: self.store.clone(), gate: Arc::clone(&gate) };
        let (progress, news) = mpsc::unbounded_channel();
        let engine = Arc::new(Engine {
            catalog: Arc::clone(&self.catalog),
            committer: Committer::start(store).unwrap(),
            clock: Arc::clone(&self.clock) as Arc<dyn Clock>,
            lanes: Arc::new(Lanes::default()),
            progress,
            random: 7.into(),
        });
        self.world.begin();
        let begun = self.folded().is_some();
        let said = self.runtime.block_on(async {
            if !begun {
                let with = Beginning {
                    link: "l",
                    spec: "s",
                    digest: "d",
                    world: "w",
                    world_id: None,
                    actor: &escrr_engine::Actor::default(),
                };
                engine.begin(self.saga, with).await?;
            }
            say(&engine).await
        });
        let wish = watch::channel(Interrupt::None).0;
        self.process = Some(Process { engine, gate, news, wish, drive: None });
        if let Err(error) = &said {
            self.only_the_store(error);
            self.close(true);
        }
        said.is_ok()
    }

    /// A process may only end in an error when its store was told to die.
    fn only_the_store(&self, error: &EngineError) {
        let died = matches!(error, EngineError::Store(StoreError::Stopped(_)));
        assert!(died, "a process ended with: {error}");
        self.store.die_after(None);
    }

    /// One process of the command line.
    pub(crate) fn start(&mut self, wish: Wish) {
        assert!(!self.alive(), "two processes");
        let saga = self.saga;
        let going = self.open(async |engine| {
            let (now, _) = engine.load(saga).await?;
            let by = || "model".to_owned();
            match (wish, now.direction, now.outcome) {
                (_, _, Some(Outcome::RolledBack)) | (Wish::Run, _, _) => {}
                (Wish::Rollback, Direction::Forward, _) => {
                    engine
                        .say(
                            saga,
                            Event::RollbackBegun {
                                by: by(),
                                actor: escrr_engine::Actor::default(),
                            },
                        )
                        .await?;
                }
                _ if now.stopped() => drop(
                    engine
                        .say(
                            saga,
                            Event::Resumed { by: by(), actor: escrr_engine::Actor::default() },
                        )
                        .await?,
                ),
                _ => {}
            }
            Ok(())
        });
        if let (true, Some(process)) = (going, self.process.as_mut()) {
            let (engine, world) = (Arc::clone(&process.engine), Arc::new(self.world.clone()));
            let wish = process.wish.subscribe();
            let drive = async move { engine.drive(saga, world, wish).await };
            process.drive = Some(self.runtime.spawn(drive));
        }
    }

    /// Lets the process go on for so many entries, or to its end.
    pub(crate) fn go_on(&mut self, entries: usize) {
        let Some(process) = self.process.as_mut() else { return };
        let Some(mut drive) = process.drive.take() else { return };
        self.world.forgive();
        let hold = std::mem::take(&mut self.hold);
        let (clock, world, news) = (&self.clock, &self.world, &mut process.news);
        let next = self.runtime.block_on(async {
            drop(hold);
            let mut left = entries;
            let next = loop {
                tokio::select! {
                    biased;
                    () = world.death() => break Next::Died,
                    ended = &mut drive => break Next::Ended(ended.unwrap().map(drop)),
                    Some(said) = news.recv() => {
                        left -= usize::from(matches!(said.news, News::Entry(_)));
                        if left == 0 {
                            break Next::Entries;
                        }
                    }
                }
            };
            (next, clock.busy())
        });
        self.hold = next.1;
        process.drive = Some(drive);
        match next.0 {
            Next::Entries => {}
            Next::Died => self.close(false),
            Next::Ended(ended) => {
                process.drive = None;
                if let Err(error) = ended {
                    self.only_the_store(&error);
                }
                self.close(true);
            }
        }
    }

    /// The process goes away, however it does; `lands` says whether what it was just writing
    /// reaches the disk.
    pub(crate) fn close(&mut self, lands: bool) {
        let Some(process) = self.process.take() else { return };
        let Process { engine, gate, drive, .. } = process;
        gate.kill(lands);
        if let Some(drive) = drive {
            drive.abort();
            drop(self.runtime.block_on(drive));
        }
        drop(engine);
        self.settle_tasks();
        gate.closed();
    }

    /// Tasks that were taken away are only gone once the runtime has come to them.
    fn settle_tasks(&self) {
        self.runtime.block_on(async {
            for _ in 0..8 {
                tokio::task::yield_now().await;
            }
        });
    }

    pub(crate) fn interrupt(&mut self) {
        if let Some(process) = &self.process {
            process.wish.send_replace(Interrupt::Gently);
        }
        self.go_on(usize::MAX);
    }

    /// A person decides over one node; says whether the engine took it.
    pub(crate) fn decide(&mut self, at: usize, verb: Verb) -> bool {
        let (saga, mut taken) = (self.saga, false);
        let opened = self.open(async |engine| {
            match engine
                .decide(
                    saga,
                    &name(at),
                    verb,
                    ("a reason", "model", &escrr_engine::Actor::default()),
                )
                .await
            {
                Err(EngineError::Node { .. }) => Ok(()),
                other => {
                    taken = other.is_ok();
                    other.map(drop)
                }
            }
        });
        if opened {
            self.close(true);
        }
        taken
    }

    /// Time passes while nobody does anything.
    pub(crate) fn pass(&mut self, ms: u64) {
        let hold = std::mem::take(&mut self.hold);
        let until_ms = self.clock.now_ms() + ms;
        self.hold = self.runtime.block_on(async {
            drop(hold);
            self.clock.wait_until(until_ms).await
        });
    }

    /// Somebody else does something to a thing or a gate, where that can be told from ours.
    pub(crate) fn others(&self, key: &Key, deed: Deed) {
        let now_ms = self.clock.now_ms();
        let node = &self.plan[key.0];
        let announced = self.world.ledger().unwrap().pages[key.0].announced.contains(&key.1);
        let mut inside = self.world.inside();
        if node.kind == Kind::Gate {
            match deed {
                Deed::Make => drop(inside.closed.remove(&key.0)),
                Deed::Remove => drop(inside.closed.insert(key.0)),
                Deed::Change => drop(inside.bent.insert(key.0)),
                Deed::Restore => drop(inside.bent.remove(&key.0)),
            }
            return;
        }
        let living = inside.things.living(key, now_ms).map(|thing| (thing.id, thing.ours));
        let living: Vec<_> = living.collect();
        match deed {
            Deed::Make if node.marked => {
                let free = living.iter().all(|(_, ours)| *ours && node.token);
                if free {
                    inside.things.make_theirs(key, now_ms);
                }
            }
            // Without a mark nobody can tell whose a thing is that came after our intent.
            Deed::Make => {
                if living.is_empty() && !announced && !self.alive() {
                    inside.things.make_theirs(key, now_ms);
                }
            }
            Deed::Remove => {
                if let Some((id, _)) = living.first() {
                    inside.things.remove(key, *id, node.burns);
                }
            }
            Deed::Change => inside.things.change(key, true, now_ms),
            Deed::Restore => inside.things.change(key, false, now_ms),
        }
    }
}
