//! Time that nobody watched: after a gap a node is looked at once more before it is given up.

#![expect(clippy::unwrap_used, reason = "a test says what it expects by failing")]

mod said;

use escrr_engine::clock::{Busy, Clock};
use escrr_engine::erased::BoxFuture;
use escrr_engine::lane::Lanes;
use escrr_engine::store::{Committer, MemoryStore};
use escrr_engine::{
    Act, Actor, Catalog, Cx, Engine, Fault, Interrupt, NodeId, Outcome, Patience, Remains, Report,
    Reverse, SagaId, Seen, Step,
};
use said::{beginning, said};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use tokio::sync::{mpsc, watch};

/// Time that passes only where somebody waits for it, or is taken out.
struct Hands(Arc<AtomicU64>);

impl Clock for Hands {
    fn now_ms(&self) -> u64 {
        self.0.load(SeqCst)
    }

    fn busy(&self) -> Busy {
        Busy::default()
    }

    fn wait_until(&self, at_ms: u64) -> BoxFuture<'static, Busy> {
        self.0.fetch_max(at_ms, SeqCst);
        Box::pin(async { Busy::default() })
    }
}

/// A world in which one look takes very long, and tells what was so before.
struct World {
    now_ms: Arc<AtomicU64>,
    looks: AtomicU64,
    /// From which look on the gap lies behind, and how long it is.
    gap: (u64, u64),
    made: AtomicU64,
    fails: bool,
}

impl World {
    /// Is it so by now? What was asked before the gap says no.
    fn look(&self) -> Result<bool, Fault> {
        let look = self.looks.fetch_add(1, SeqCst) + 1;
        if look == self.gap.0 {
            self.now_ms.fetch_add(self.gap.1, SeqCst);
        }
        if look <= self.gap.0 && self.fails {
            return Err(Fault::transient(Report::new("a look", "no network")));
        }
        Ok(look > self.gap.0)
    }
}

struct Gate;

impl Step for Gate {
    type World = World;
    type Needs = ();
    type Output = ();
    const ID: NodeId = NodeId::new("test", "gate");
    const PHASE: u8 = 0;
    const TITLE: &'static str = "looks";
    const PATIENCE: Patience = Patience::new(1, 20);

    async fn observe(&self, cx: &Cx<'_, Self>) -> Result<Seen<()>, Fault> {
        let yes = cx.world.look()?;
        Ok(if yes { Seen::Ready(()) } else { Seen::Pending("not yet".into()) })
    }
}

struct Thing;

impl Step for Thing {
    type World = World;
    type Needs = ();
    type Output = ();
    const ID: NodeId = NodeId::new("test", "thing");
    const PHASE: u8 = 1;
    const TITLE: &'static str = "a thing";
    const PATIENCE: Patience = Patience::new(1, 20);

    async fn observe(&self, cx: &Cx<'_, Self>) -> Result<Seen<()>, Fault> {
        if cx.world.made.load(SeqCst) == 0 {
            return Ok(Seen::absent());
        }
        let yes = cx.world.look()?;
        Ok(if yes { Seen::Ready(()) } else { Seen::Pending("not yet".into()) })
    }
}

impl Act for Thing {
    const REVERSE: Reverse = Reverse::Undo("nothing is left");

    async fn act(&self, cx: &Cx<'_, Self>, _: &str) -> Result<Option<String>, Fault> {
        cx.world.made.store(1, SeqCst);
        Ok(None)
    }

    async fn remains(&self, cx: &Cx<'_, Self>) -> Result<Remains, Fault> {
        if cx.world.made.load(SeqCst) == 1 {
            return Ok(Remains::Items(vec![String::new()]));
        }
        let gone = cx.world.look()?;
        Ok(if gone { Remains::Nothing } else { Remains::Pending("going".into()) })
    }

    async fn undo(&self, cx: &Cx<'_, Self>, _: &str) -> Result<(), Fault> {
        cx.world.made.store(2, SeqCst);
        cx.world.looks.store(0, SeqCst);
        Ok(())
    }
}

/// Carries a saga on through a gap at a look; how it ended.
async fn through(
    catalog: Catalog<World>,
    (gap, fails): ((u64, u64), bool),
    back: bool,
) -> Option<Outcome> {
    let now_ms = Arc::new(AtomicU64::new(1_000_000));
    let world = Arc::new(World {
        now_ms: Arc::clone(&now_ms),
        looks: AtomicU64::new(0),
        gap,
        made: AtomicU64::new(0),
        fails,
    });
    let engine = Engine {
        catalog: Arc::new(catalog),
        committer: Committer::start(MemoryStore::default()).unwrap(),
        clock: Arc::new(Hands(now_ms)),
        lanes: Arc::new(Lanes::default()),
        progress: mpsc::unbounded_channel().0,
        random: 7.into(),
    };
    let (id, actor) = (SagaId::new(1, [3; 10]), &Actor::default());
    engine.begin(id, beginning(actor)).await.unwrap();
    let (_keep, interrupt) = watch::channel(Interrupt::None);
    let ended = engine.drive(id, Arc::clone(&world), interrupt.clone()).await.unwrap();
    if !back {
        return ended.saga.outcome;
    }
    engine.say(id, said(true)).await.unwrap();
    engine.drive(id, world, interrupt).await.unwrap().saga.outcome
}

fn gate() -> Catalog<World> {
    Catalog::builder().look(Gate).build().unwrap()
}

fn thing() -> Catalog<World> {
    Catalog::builder().act(Thing).build().unwrap()
}

const HALF_A_MINUTE: u64 = 30_000;
const A_NIGHT: u64 = 8 * 3_600_000;

#[tokio::test]
async fn what_was_seen_before_a_gap_gives_no_check_up() {
    for length in [HALF_A_MINUTE, A_NIGHT] {
        for at in 1..5 {
            for fails in [false, true] {
                let ended = through(gate(), ((at, length), fails), false).await;
                assert_eq!(ended, Some(Outcome::Succeeded), "{length} ms at look {at}, {fails}");
            }
        }
    }
}

#[tokio::test]
async fn what_was_seen_before_a_gap_gives_nothing_up_that_was_made() {
    for length in [HALF_A_MINUTE, 2 * HALF_A_MINUTE, A_NIGHT] {
        for at in 1..5 {
            let ended = through(thing(), ((at, length), false), false).await;
            assert_eq!(ended, Some(Outcome::Succeeded), "{length} ms at look {at}");
            let ended = through(thing(), ((at, length), false), true).await;
            assert_eq!(ended, Some(Outcome::RolledBack), "{length} ms at look {at} back");
        }
    }
}
