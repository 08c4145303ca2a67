//! A command that carries sagas on: the store, the place, the engine, and who watches.

use crate::Context;
use crate::actor::actor;
use crate::args::{DieArg, OutputForm, SandboxArg};
use crate::blocks;
use crate::codes;
use crate::error::CommandError;
use crate::exit::Exit;
use crate::history::History;
use crate::place::{self, Place};
use crate::pretend::Publicity;
use crate::store;
use crate::ui::document;
use crate::ui::progress::{Board, Screen};
use crate::worlds::{self, Sorted};
use escrr_engine::lane::Lanes;
use escrr_engine::store::Moment;
use escrr_engine::{
    Actor, Catalog, Ending, Engine, EngineError, Event, Interrupt, News, Progress, Saga, SagaId,
};
use escrr_steps::spec::Spec;
use escrr_steps::{Reserved, World};
use std::collections::BTreeMap;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::Arc;
use std::time::Duration;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

/// Between two frames of what is drawn.
const TICK: Duration = Duration::from_millis(100);
/// After a first interrupt, calls in flight have this many ticks to end: ten seconds.
const GRACE_TICKS: u32 = 100;

/// A saga to carry on, and the clients for it.
#[derive(Clone)]
pub struct Job {
    /// The saga.
    pub saga: SagaId,
    /// Its clients.
    pub world: Arc<World>,
    /// The cloud identity that the clients have, where it is known.
    pub cloud: Option<String>,
}

/// What came of carrying sagas on.
pub struct Driven {
    /// Where they are now, as the journals say, in the order of the jobs.
    pub sagas: Vec<Saga>,
    /// Why some could not be carried on.
    pub errors: Vec<CommandError>,
    /// The exit code of the signal that stopped them, if one did.
    pub stopped: Option<Exit>,
}

/// What a command that carries sagas on works with.
pub struct Session<'a> {
    /// The engine over the home's store.
    pub engine: Arc<Engine<World>>,
    /// Where the sagas work.
    pub place: Place,
    /// The kind of that place, as journals name it.
    pub kind: &'static str,
    /// What the links of this home have chosen.
    pub reserved: Reserved,
    /// The flag that leads there again, with a space before it.
    pub flag: String,
    /// Who works.
    actor: Actor,
    /// The links that it works on.
    links: Vec<String>,
    news: mpsc::UnboundedReceiver<Progress>,
    board: Board,
    screen: Screen,
    context: Context<'a>,
}

/// The list of nodes.
///
/// # Errors
/// It is no graph: a mistake in the program.
pub fn catalog() -> Result<Arc<Catalog<World>>, CommandError> {
    let catalog = escrr_steps::catalog::catalog();
    catalog.map(Arc::new).map_err(|error| CommandError::new(codes::BUG, error.to_string()))
}

/// Random bits, from the operating system by way of the standard library's hash keys.
pub fn random() -> u64 {
    RandomState::new().hash_one(std::process::id())
}

/// A new saga's id.
pub fn new_id() -> SagaId {
    let mut bytes = [0; 10];
    let random = [random().to_le_bytes(), random().to_le_bytes()].concat();
    bytes.iter_mut().zip(random).for_each(|(byte, random)| *byte = random);
    // Real time, also in a sandbox: ids sort by the time of their making in one home.
    SagaId::new(crate::clock::real_ms(), bytes)
}

/// The moment at which this process kills itself, if it is to: in a sandbox alone, and not
/// without saying so, for a variable that somebody forgot is read too.
fn mortal(
    arg: &SandboxArg,
    die: &DieArg,
    context: Context<'_>,
) -> Result<Option<Moment>, CommandError> {
    let Some(moment) = die.die else { return Ok(None) };
    if arg.choice().is_none() {
        let said = "--die (or ESCRR_DIE) kills the process on purpose, and only in a sandbox";
        return Err(CommandError::new(codes::USAGE, said)
            .meaning("it belongs to `escrr selftest`; nothing was done")
            .hint("unset ESCRR_DIE"));
    }
    context.ui.warning(&format!("this process kills itself {moment} (--die or ESCRR_DIE)"));
    Ok(Some(moment))
}

impl<'a> Session<'a> {
    /// Takes the store, reaches the place and makes the engine.
    ///
    /// # Errors
    /// The store is in use or cannot be opened, the sandbox cannot be had, or the process
    /// is to kill itself while it works in the real cloud.
    pub async fn open(
        doing: &str,
        links: &[String],
        (arg, die): (&SandboxArg, &DieArg),
        context: Context<'a>,
    ) -> Result<Self, CommandError> {
        let catalog = catalog()?;
        let committer = match mortal(arg, die, context)? {
            None => store::write(context, doing, links).await?,
            Some(moment) => store::write_until(moment, context, doing, links).await?,
        };
        let place = Place::reach(arg, Publicity::Announced, context).await?;
        let clock = place.clock().await?;
        let (progress, news) = mpsc::unbounded_channel();
        let flag = place::flag(arg.choice());
        let kind = place::kind(arg.choice());
        let history = History::of_writer(&committer, &catalog, kind).await?;
        let reserved = blocks::of_writer(&committer, kind).await?;
        let board = Board::new(Arc::clone(&catalog), flag.clone(), history);
        let lanes = Arc::new(Lanes::default());
        let engine = Engine { catalog, committer, clock, lanes, progress, random: random().into() };
        if context.ui.form() == OutputForm::Ndjson {
            context.ui.line(&document::VERSION_LINE);
        }
        Ok(Self {
            engine: Arc::new(engine),
            place,
            kind,
            reserved,
            flag,
            actor: actor(arg.choice(), context),
            links: links.to_vec(),
            news,
            board,
            screen: Screen::new(context.settings),
            context,
        })
    }

    /// Carries sagas on side by side until all are at rest or somebody interrupts.
    ///
    /// # Errors
    /// A saga cannot be loaded, or signals cannot be heard.
    pub async fn drive(&mut self, jobs: &[Job]) -> Result<Driven, CommandError> {
        let mut signals = Signals::listen()?;
        let (wish, heard) = watch::channel(Interrupt::None);
        let mut drives = JoinSet::new();
        for job in jobs {
            let (saga, _) = self.engine.load(job.saga).await?;
            self.board.put(saga, self.engine.clock.now_ms());
            let (engine, heard) = (Arc::clone(&self.engine), heard.clone());
            let Job { saga, world, .. } = job.clone();
            drives.spawn(async move { (saga, engine.drive(saga, world, heard).await) });
        }
        let mut ends = BTreeMap::new();
        let mut stop = Stop::default();
        let mut tick = tokio::time::interval(TICK);
        loop {
            tokio::select! {
                Some(progress) = self.news.recv() => self.show(&progress),
                ended = drives.join_next() => match ended {
                    Some(Ok((saga, end))) => { ends.insert(saga, end); }
                    // Aborted; what it came to is in the journal.
                    Some(Err(_)) => {}
                    None => break,
                },
                _ = tick.tick() => {
                    self.screen.tick(&self.board, self.engine.clock.now_ms());
                    if stop.is_over() {
                        drives.abort_all();
                    }
                }
                by = signals.heard() => self.interrupted(by, &mut stop, &wish),
            }
        }
        let gathered = self.gather(jobs, ends, stop).await;
        while let Ok(progress) = self.news.try_recv() {
            self.show(&progress);
        }
        self.screen.end(&self.board, self.engine.clock.now_ms());
        gathered
    }

    /// Who does what is done with a job's clients.
    pub fn actor(&self, cloud: Option<&String>) -> Actor {
        Actor { cloud: cloud.cloned(), ..self.actor.clone() }
    }

    /// The sagas of this session's links, by whether they were begun in the world it works in.
    ///
    /// # Errors
    /// A journal cannot be read.
    pub async fn sorted(&self) -> Result<Sorted, CommandError> {
        worlds::of_writer(&self.engine.committer, &self.links, &self.place).await
    }

    /// Writes down that a person said go on.
    ///
    /// # Errors
    /// The journal does not take it.
    pub async fn resumed(&self, job: &Job) -> Result<(), CommandError> {
        let actor = self.actor(job.cloud.as_ref());
        self.engine.say(job.saga, Event::Resumed { by: by(&actor), actor }).await?;
        Ok(())
    }

    /// Writes down that a person wants back what was made.
    ///
    /// # Errors
    /// The journal does not take it.
    pub async fn rollback_begun(&self, job: &Job) -> Result<(), CommandError> {
        // The journal may be older than the cloud: what is the run's own is written down first.
        self.engine.take_stock(job.saga, &job.world).await?;
        let actor = self.actor(job.cloud.as_ref());
        self.engine.say(job.saga, Event::RollbackBegun { by: by(&actor), actor }).await?;
        Ok(())
    }

    /// Writes down that a saga was stopped by a signal; without that it is known by its having
    /// neither an end nor a process.
    async fn stopped(&self, job: &Job, saga: Saga, stop: &Stop) -> Saga {
        let (Some((_, signal)), None) = (stop.by, saga.outcome) else { return saga };
        let actor = self.actor(job.cloud.as_ref());
        match self.engine.say(job.saga, Event::Interrupted { by: signal.to_owned(), actor }).await {
            Ok(saga) => saga,
            Err(error) => {
                self.context.ui.warning(&format!("the interruption is not written down: {error}"));
                saga
            }
        }
    }

    /// The first signal asks to stop, the second does not wait for it.
    fn interrupted(
        &mut self,
        by: (Exit, &'static str),
        stop: &mut Stop,
        wish: &watch::Sender<Interrupt>,
    ) {
        stop.signals += 1;
        stop.by.get_or_insert(by);
        if stop.signals == 1 {
            wish.send_replace(Interrupt::Gently);
            let text =
                "stopping: nothing new is begun, calls on their way may end (once more: at once)";
            self.screen.say(self.context.ui, text);
        }
    }

    async fn gather(
        &self,
        jobs: &[Job],
        mut ends: BTreeMap<SagaId, Result<Ending, EngineError>>,
        stop: Stop,
    ) -> Result<Driven, CommandError> {
        let mut driven = Driven { sagas: Vec::new(), errors: Vec::new(), stopped: None };
        let exit = stop.by.map(|(exit, _)| exit);
        for job in jobs {
            let saga = match ends.remove(&job.saga) {
                Some(Ok(ending)) => {
                    if ending.interrupted {
                        driven.stopped = exit;
                        self.stopped(job, ending.saga, &stop).await
                    } else {
                        ending.saga
                    }
                }
                Some(Err(error)) => {
                    driven.errors.push(error.into());
                    self.last_known(job.saga).await?
                }
                None => {
                    driven.stopped = exit;
                    let saga = self.last_known(job.saga).await?;
                    self.stopped(job, saga, &stop).await
                }
            };
            driven.sagas.push(saga);
        }
        Ok(driven)
    }

    /// A saga as the journal says, or as it was last seen where the journal cannot be read.
    async fn last_known(&self, saga: SagaId) -> Result<Saga, CommandError> {
        match self.engine.load(saga).await {
            Ok((saga, _)) => Ok(saga),
            Err(error) => {
                self.board.view(saga).map(|view| view.saga.clone()).ok_or_else(|| error.into())
            }
        }
    }

    fn show(&mut self, progress: &Progress) {
        self.board.take(progress);
        self.screen.news(&self.board, progress, self.context.ui);
        if let (OutputForm::Ndjson, News::Entry(entry)) = (self.context.ui.form(), &progress.news) {
            let link = self.board.view(progress.saga).map(|view| view.saga.link.as_str());
            let saga = progress.saga.to_string();
            let about = self.board.about();
            let event = document::event_line(&saga, link.unwrap_or_default(), about, entry);
            self.context.ui.line(&event);
        }
    }

    /// The clients for a spec, which know what the other links of this home have chosen.
    ///
    /// # Errors
    /// Credentials or secrets cannot be had.
    pub async fn world(&self, spec: Spec) -> Result<World, CommandError> {
        let mut world = self.place.world(spec, self.context).await?;
        world.memory.share(&self.reserved);
        Ok(world)
    }

    /// Leaves the place; the store is closed when the engine is gone.
    pub async fn leave(self) {
        self.place.leave().await;
    }
}

/// What was asked for by signals.
#[derive(Debug, Default)]
struct Stop {
    signals: u32,
    ticks: u32,
    /// The first one: its exit code and its name.
    by: Option<(Exit, &'static str)>,
}

impl Stop {
    /// Called at every tick: is the time over that calls in flight were given?
    fn is_over(&mut self) -> bool {
        if self.signals > 0 {
            self.ticks += 1;
        }
        self.signals > 1 || self.ticks > GRACE_TICKS
    }
}

/// The signals that end a run: of the keyboard, of whoever ends processes, and of a terminal
/// that goes away.
pub struct Signals {
    interrupt: Signal,
    terminate: Signal,
    hangup: Option<Signal>,
}

impl Signals {
    /// Begins to hear them; from now on they do not end the process by themselves.
    ///
    /// # Errors
    /// The system lets nobody listen.
    pub fn listen() -> Result<Self, CommandError> {
        let listen = |kind| {
            signal(kind)
                .map_err(|error| CommandError::new(codes::BUG, format!("no signals: {error}")))
        };
        Ok(Self {
            interrupt: listen(SignalKind::interrupt())?,
            terminate: listen(SignalKind::terminate())?,
            hangup: if hangup_is_ignored() { None } else { Some(listen(SignalKind::hangup())?) },
        })
    }

    /// Waits for the next one, and gives the exit code that it stands for.
    pub async fn next(&mut self) -> Exit {
        self.heard().await.0
    }

    /// The same with the signal's name.
    pub async fn heard(&mut self) -> (Exit, &'static str) {
        let hangup = async {
            match &mut self.hangup {
                Some(hangup) => hangup.recv().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = self.interrupt.recv() => (Exit::Interrupted, "SIGINT"),
            _ = self.terminate.recv() => (Exit::Terminated, "SIGTERM"),
            _ = hangup => (Exit::Terminated, "SIGHUP"),
        }
    }
}

/// Was this process begun so that it outlives its terminal (`nohup`)? Then that is to stay so.
fn hangup_is_ignored() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    // The lowest bit is the first signal.
    ignored.is_some_and(|mask| mask.trim().ends_with(['1', '3', '5', '7', '9', 'b', 'd', 'f']))
}

/// The name of a person, as entries say it.
pub fn by(actor: &Actor) -> String {
    actor.user.clone().unwrap_or_default()
}
