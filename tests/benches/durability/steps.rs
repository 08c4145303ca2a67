//! Steps through the engine: thirty that do nothing, one after the other, in many sagas.
//!
//! Each step is what a real one is to the engine: absent at the first look, announced on
//! disk, absent at the second look, acted on, ready at the third, and written down as done.

use crate::Error;
use crate::floor;
use crate::measure::{cpu, median, micros, now, rate};
use crate::table::{Figure, Table, Wanted};
use escrr_engine::clock::{Clock, SystemClock};
use escrr_engine::lane::Lanes;
use escrr_engine::store::{Committer, Holder, Home, MemoryStore, Store};
use escrr_engine::{
    Act, Beginning, Catalog, CatalogError, Cx, Engine, Fault, Interrupt, NodeId, Outcome, Patience,
    Reverse, SagaId, Seen, Step,
};
use serde::{Deserialize, Serialize};
use std::path::Path;
use std::sync::Arc;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;
use tokio::sync::{mpsc, watch};

/// Steps of a saga.
const STEPS: usize = 30;
/// Sagas side by side, and how many follow each other in each place in a round.
const LOADS: [(usize, usize); 4] = [(1, 40), (16, 16), (64, 8), (256, 4)];

/// One step's world: is the thing there, and when was it first asked for?
#[derive(Debug, Default)]
struct Thing {
    made: AtomicBool,
    begun: OnceLock<Instant>,
}

/// One saga's world.
#[derive(Debug, Default)]
struct World {
    things: [Thing; STEPS],
}

/// What a step leaves for the next.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Made {
    id: String,
}

impl World {
    fn look(&self, at: usize, id: &str) -> Seen<Made> {
        match self.things.get(at) {
            Some(thing) if thing.made.load(Ordering::Relaxed) => {
                Seen::Ready(Made { id: id.into() })
            }
            Some(thing) => {
                thing.begun.get_or_init(now);
                Seen::absent()
            }
            None => Seen::Pending("a place for it".into()),
        }
    }

    fn make(&self, at: usize) {
        if let Some(thing) = self.things.get(at) {
            thing.made.store(true, Ordering::Relaxed);
        }
    }

    /// How long each step took, in µs: from its first look to the next one's.
    fn times(&self, ended: Instant) -> Vec<f64> {
        let begun = self.things.iter().filter_map(|thing| thing.begun.get().copied());
        let moments: Vec<Instant> = begun.chain([ended]).collect();
        let pairs = moments.windows(2);
        pairs.filter_map(|p| Some(micros(p.last()?.duration_since(*p.first()?)))).collect()
    }
}

/// Makes one step for each name, each needing the one before it, and adds them to a list.
macro_rules! chain {
    ($list:expr, $needs:ty, $at:expr,) => { $list };
    ($list:expr, $needs:ty, $at:expr, $step:ident $($rest:ident)*) => {{
        struct $step;
        impl Step for $step {
            type World = World;
            type Needs = $needs;
            type Output = Made;
            const ID: NodeId = NodeId::new("bench", stringify!($step));
            const PHASE: u8 = 1;
            const TITLE: &'static str = "nothing";
            const PATIENCE: Patience = Patience::new(1, 60);
            async fn observe(&self, cx: &Cx<'_, Self>) -> Result<Seen<Made>, Fault> {
                Ok(cx.world.look($at, stringify!($step)))
            }
        }
        impl Act for $step {
            const REVERSE: Reverse = Reverse::Undo("nothing is left");
            async fn act(&self, cx: &Cx<'_, Self>, _: &str) -> Result<Option<String>, Fault> {
                cx.world.make($at);
                Ok(None)
            }
            async fn undo(&self, _: &Cx<'_, Self>, _: &str) -> Result<(), Fault> {
                Ok(())
            }
        }
        chain!($list.act($step), ($step,), $at + 1, $($rest)*)
    }};
}

fn catalog() -> Result<Catalog<World>, CatalogError> {
    let list = chain!(Catalog::builder(), (), 0,
        S00 S01 S02 S03 S04 S05 S06 S07 S08 S09 S10 S11 S12 S13 S14
        S15 S16 S17 S18 S19 S20 S21 S22 S23 S24 S25 S26 S27 S28 S29);
    list.build()
}

/// Measures steps over a home on disk, for each number of sagas in one of its own.
pub(crate) fn over_home(folder: &Path, table: &mut Table) -> Result<(), Error> {
    for (sagas, each) in LOADS {
        let before = floor::measure(folder, table)?;
        let Found { p50, per_second, .. } = {
            let folder = tempfile::tempdir_in(folder)?;
            let home = Home::open(&folder.path().join("home"), &Holder::default())?;
            measure(home, sagas, each)?
        };
        let floors = before.mean(floor::measure(folder, table)?);
        let (alone, many) = match sagas {
            1 => (Wanted::RatioAtMost(1.6), Wanted::Nothing),
            64 => (Wanted::Nothing, Wanted::RatioAtLeast(0.5)),
            256 => (Wanted::Nothing, Wanted::AtLeast(25_000.0)),
            _ => (Wanted::Nothing, Wanted::Nothing),
        };
        let mut add = |name: String, unit, value, floor, wanted| {
            let part = "Steps over the store on disk";
            table.add(Figure { part, name, unit, value, floor: Some(floor), wanted });
        };
        let name = format!("{sagas} sagas: p50 of a step (floor: two syncs)");
        add(name, "µs", p50, floors.two_us, alone);
        let name = format!("{sagas} sagas (floor: group commit of 64)");
        add(name, "steps/s", per_second, floors.group / 2.0, many);
    }
    Ok(())
}

/// Measures steps over a store in memory: what the engine itself costs.
pub(crate) fn over_memory(table: &mut Table) -> Result<(), Error> {
    for (sagas, each) in LOADS {
        let found = measure(MemoryStore::default(), sagas, each * 4)?;
        let (fast, cheap) = if sagas == 256 {
            (Wanted::AtLeast(40_000.0), Wanted::AtMost(25.0))
        } else {
            (Wanted::Nothing, Wanted::Nothing)
        };
        let mut add = |name: String, unit, value, wanted| {
            let part = "Steps over a store in memory";
            table.add(Figure { part, name, unit, value, floor: None, wanted });
        };
        add(format!("{sagas} sagas: p50 of a step"), "µs", found.p50, Wanted::Nothing);
        add(format!("{sagas} sagas: processor time of a step"), "µs", found.cpu, cheap);
        add(format!("{sagas} sagas"), "steps/s", found.per_second, fast);
    }
    Ok(())
}

/// What one load found.
#[derive(Clone, Copy, Debug)]
struct Found {
    /// p50 of a step, in µs.
    p50: f64,
    /// Steps in a second.
    per_second: f64,
    /// Time of all processors that a step took, in µs.
    cpu: f64,
}

/// Drives `each` sagas one after the other in each of `sagas` places.
fn measure(store: impl Store, sagas: usize, each: usize) -> Result<Found, Error> {
    let (progress, mut said) = mpsc::unbounded_channel();
    let engine = Arc::new(Engine {
        catalog: Arc::new(catalog()?),
        committer: Committer::start(store)?,
        clock: Arc::new(SystemClock) as Arc<dyn Clock>,
        lanes: Arc::new(Lanes::default()),
        progress,
        random: 11.into(),
    });
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    // Somebody listens, as in a real run.
    runtime.spawn(async move { while said.recv().await.is_some() {} });
    runtime.block_on(async {
        let mut begun = Vec::new();
        for place in 0..sagas {
            let ids: Vec<SagaId> = (0..each).map(|n| id(place * each + n)).collect();
            begun.push(ids);
        }
        let with = Beginning {
            link: "bench",
            spec: "",
            digest: "",
            world: "bench",
            world_id: None,
            actor: &escrr_engine::Actor::default(),
        };
        for id in begun.iter().flatten() {
            engine.begin(*id, with).await?;
        }
        let (started, spent) = (now(), cpu()?);
        let mut places = tokio::task::JoinSet::new();
        for ids in begun {
            places.spawn(drive(Arc::clone(&engine), ids));
        }
        let mut all = Vec::new();
        for times in places.join_all().await {
            all.append(&mut times?);
        }
        let per_second = rate(all.len(), started.elapsed());
        // A rate of so many in so many microseconds, turned over.
        let cpu = 1e6 / rate(all.len(), cpu()?.saturating_sub(spent));
        Ok(Found { p50: median(all), per_second, cpu })
    })
}

fn id(number: usize) -> SagaId {
    SagaId::new(1_700_000_000_000 + number as u64, [4; 10])
}

/// Drives sagas one after the other; how long each of their steps took, in µs.
async fn drive(engine: Arc<Engine<World>>, ids: Vec<SagaId>) -> Result<Vec<f64>, Error> {
    let mut all = Vec::new();
    for id in ids {
        let (_keep, interrupt) = watch::channel(Interrupt::None);
        let world = Arc::new(World::default());
        let ending = engine.drive(id, Arc::clone(&world), interrupt).await?;
        if ending.saga.outcome != Some(Outcome::Succeeded) {
            return Err(format!("saga {id} ended as {:?}", ending.saga.phase()).into());
        }
        all.append(&mut world.times(now()));
    }
    Ok(all)
}
