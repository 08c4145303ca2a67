//! The engine's laws over a small pretend world: nothing twice, nothing left, whatever is lost.

#![expect(
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm,
    reason = "a test says what it expects by failing"
)]

mod said;

use escrr_engine::clock::{Clock, VirtualClock};
use escrr_engine::lane::Lanes;
use escrr_engine::store::{Committer, MemoryStore};
use escrr_engine::survey::{Known, Verdict, leftovers, survey};
use escrr_engine::{
    About, Act, Actor, Catalog, Cx, Ending, Engine, EngineError, Fault, Interrupt, NodeId,
    NodeState, Origin, Patience, Phase, Remains, Report, Reverse, SagaId, Seen, Step,
};
use said::{beginning, said};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use tokio::sync::{mpsc, watch};

/// What a call of the pretend world does instead of working.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Mischief {
    /// The process dies before the call takes effect.
    DieBefore,
    /// The process dies after it took effect.
    DieAfter,
    /// It takes effect and the answer is lost.
    Lose,
    /// It is refused for good.
    Refuse,
    /// It is throttled.
    Throttle,
}

#[derive(Debug, Default)]
struct Inside {
    /// Name to (token, the time from which it is ready).
    things: BTreeMap<String, (String, u64)>,
    calls: usize,
    at_call: Option<(usize, Mischief)>,
    /// Every name ever made with more than one token at the same time.
    twice: Vec<String>,
    dead: bool,
}

#[derive(Clone)]
struct World {
    inside: Arc<Mutex<Inside>>,
    clock: Arc<VirtualClock>,
}

impl World {
    /// In a process that is dead nothing goes on.
    async fn live(&self) {
        let dead = self.inside.lock().unwrap().dead;
        if dead {
            std::future::pending::<()>().await;
        }
    }

    async fn call(&self, what: &str, effect: impl FnOnce(&mut Inside, u64)) -> Result<(), Fault> {
        self.live().await;
        let done = self.answer(what, effect);
        self.live().await;
        done
    }

    fn answer(&self, what: &str, effect: impl FnOnce(&mut Inside, u64)) -> Result<(), Fault> {
        let now_ms = self.clock.now_ms();
        let mut inside = self.inside.lock().unwrap();
        inside.calls += 1;
        let mischief = inside.at_call.filter(|(n, _)| *n == inside.calls).map(|(_, m)| m);
        let report = || Report::new(what, format!("{mischief:?}"));
        match mischief {
            None => effect(&mut inside, now_ms),
            Some(Mischief::Refuse) => return Err(Fault::refused(report())),
            Some(Mischief::Throttle) => return Err(Fault::transient(report())),
            Some(Mischief::DieBefore) => inside.dead = true,
            Some(Mischief::DieAfter) => {
                effect(&mut inside, now_ms);
                inside.dead = true;
            }
            Some(Mischief::Lose) => {
                effect(&mut inside, now_ms);
                return Err(Fault::Unknown(report()));
            }
        }
        Ok(())
    }

    async fn make(&self, name: &str, token: &str) -> Result<(), Fault> {
        self.call(name, |inside, now_ms| {
            if inside.things.get(name).is_some_and(|(t, _)| t != token) {
                inside.twice.push(name.to_owned());
            }
            inside.things.entry(name.to_owned()).or_insert((token.to_owned(), now_ms + 30_000));
        })
        .await
    }

    async fn unmake(&self, name: &str) -> Result<(), Fault> {
        self.call(name, |inside, _| {
            inside.things.remove(name);
        })
        .await
    }

    async fn look(&self, name: &str) -> Result<Seen<String>, Fault> {
        self.live().await;
        let inside = self.inside.lock().unwrap();
        Ok(match inside.things.get(name) {
            None => Seen::absent(),
            Some((_, ready)) if *ready > self.clock.now_ms() => Seen::Pending("making".into()),
            Some(_) => Seen::Ready(name.to_owned()),
        })
    }
}

macro_rules! thing {
    ($step:ident, $name:literal, $needs:ty) => {
        struct $step;
        impl Step for $step {
            type World = World;
            type Needs = $needs;
            type Output = String;
            const ID: NodeId = NodeId::new("test", $name);
            const PHASE: u8 = 1;
            const TITLE: &'static str = $name;
            const PATIENCE: Patience = Patience::new(30, 300);
            async fn observe(&self, cx: &Cx<'_, Self>) -> Result<Seen<String>, Fault> {
                cx.world.look($name).await
            }
        }
        impl Act for $step {
            const REVERSE: Reverse = Reverse::Undo("nothing is left");
            fn lane(&self, _: &Cx<'_, Self>) -> Option<String> {
                ($name != "c").then(|| "lane".to_owned())
            }
            async fn act(&self, cx: &Cx<'_, Self>, item: &str) -> Result<Option<String>, Fault> {
                cx.world.make($name, &cx.token(item)).await.map(|()| None)
            }
            async fn undo(&self, cx: &Cx<'_, Self>, _: &str) -> Result<(), Fault> {
                cx.world.unmake($name).await
            }
        }
    };
}

thing!(A, "a", ());
thing!(B, "b", (A,));
thing!(C, "c", (A,));
thing!(D, "d", (B, C, Parts));

/// A node of three items.
struct Parts;

const PARTS: [&str; 3] = ["p1", "p2", "p3"];

impl Step for Parts {
    type World = World;
    type Needs = (A,);
    type Output = Vec<String>;
    const ID: NodeId = NodeId::new("test", "parts");
    const PHASE: u8 = 1;
    const TITLE: &'static str = "three parts";
    const PATIENCE: Patience = Patience::new(30, 300);
    async fn observe(&self, cx: &Cx<'_, Self>) -> Result<Seen<Vec<String>>, Fault> {
        let (mut missing, mut pending) = (Vec::new(), false);
        for part in PARTS {
            match cx.world.look(part).await? {
                Seen::Absent(_) => missing.push(part.to_owned()),
                Seen::Pending(_) => pending = true,
                _ => {}
            }
        }
        Ok(match (missing.is_empty(), pending) {
            (false, _) => Seen::Absent(missing),
            (true, true) => Seen::Pending("making parts".into()),
            (true, false) => Seen::Ready(PARTS.map(str::to_owned).to_vec()),
        })
    }
}

impl Act for Parts {
    const REVERSE: Reverse = Reverse::Undo("nothing is left");
    async fn act(&self, cx: &Cx<'_, Self>, item: &str) -> Result<Option<String>, Fault> {
        cx.world.make(item, &cx.token(item)).await.map(|()| None)
    }
    async fn remains(&self, cx: &Cx<'_, Self>) -> Result<Remains, Fault> {
        let mut left = Vec::new();
        for part in cx.items {
            match cx.world.look(part).await? {
                Seen::Absent(_) => {}
                Seen::Pending(why) => return Ok(Remains::Pending(why)),
                _ => left.push(part.clone()),
            }
        }
        Ok(if left.is_empty() { Remains::Nothing } else { Remains::Items(left) })
    }
    async fn undo(&self, cx: &Cx<'_, Self>, item: &str) -> Result<(), Fault> {
        cx.world.unmake(item).await
    }
}

/// A step that only looks.
struct Gate;

impl Step for Gate {
    type World = World;
    type Needs = (D,);
    type Output = ();
    const ID: NodeId = NodeId::new("test", "gate");
    const PHASE: u8 = 2;
    const TITLE: &'static str = "looks";
    const PATIENCE: Patience = Patience::new(1, 60);
    async fn observe(&self, cx: &Cx<'_, Self>) -> Result<Seen<()>, Fault> {
        assert_eq!(cx.needs.0, "d");
        Ok(Seen::Ready(()))
    }
}

fn catalog() -> Arc<Catalog<World>> {
    let list = Catalog::builder().act(A).act(B).act(C).act(Parts).act(D).look(Gate);
    Arc::new(list.build().unwrap())
}

/// One pretend machine: a disk and a cloud, on which processes live and die.
struct Bench {
    store: MemoryStore,
    world: World,
    saga: SagaId,
}

impl Bench {
    fn new() -> Self {
        let clock = Arc::new(VirtualClock::new(1_000_000));
        let world = World { inside: Arc::default(), clock };
        Self { store: MemoryStore::default(), world, saga: SagaId::new(1, [3; 10]) }
    }

    fn engine(&self) -> Engine<World> {
        Engine {
            catalog: catalog(),
            committer: Committer::start(self.store.clone()).unwrap(),
            clock: Arc::clone(&self.world.clock) as Arc<dyn Clock>,
            lanes: Arc::new(Lanes::default()),
            progress: mpsc::unbounded_channel().0,
            random: 7.into(),
        }
    }

    /// One process: begins the saga if need be, says what a person says, drives.
    async fn process(&self, rollback: bool) -> Result<Ending, EngineError> {
        self.world.inside.lock().unwrap().dead = false;
        let engine = self.engine();
        if engine.load(self.saga).await.is_err() {
            engine.begin(self.saga, beginning(&Actor::default())).await?;
        }
        let (saga, _) = engine.load(self.saga).await?;
        if rollback && saga.phase() != Phase::RollingBack && saga.outcome.is_none() {
            engine.say(self.saga, said(true)).await?;
        } else if saga.stopped() {
            engine.say(self.saga, said(false)).await?;
        }
        let (_keep, interrupt) = watch::channel(Interrupt::None);
        let (saga, world) = (self.saga, Arc::new(self.world.clone()));
        let drive = tokio::spawn(async move { engine.drive(saga, world, interrupt).await });
        // A dead process makes no progress: it is taken away as soon as it died.
        loop {
            tokio::task::yield_now().await;
            if drive.is_finished() {
                return drive.await.unwrap();
            }
            if self.world.inside.lock().unwrap().dead {
                drive.abort();
                let ended = drive.await;
                return match ended {
                    Ok(ending) => ending,
                    Err(_) => Err(EngineError::Store(escrr_engine::store::StoreError::Stopped(
                        "died".into(),
                    ))),
                };
            }
        }
    }

    fn things(&self) -> BTreeSet<String> {
        self.world.inside.lock().unwrap().things.keys().cloned().collect()
    }

    fn twice(&self) -> Vec<String> {
        self.world.inside.lock().unwrap().twice.clone()
    }

    fn order(&self, at_call: usize, mischief: Mischief) {
        let mut inside = self.world.inside.lock().unwrap();
        inside.at_call = Some((inside.calls + at_call, mischief));
    }
}

fn everything() -> BTreeSet<String> {
    ["a", "b", "c", "d", "p1", "p2", "p3"].map(str::to_owned).into()
}

const CALLS: usize = 7;

async fn clean() -> Bench {
    let bench = Bench::new();
    let ending = bench.process(false).await.unwrap();
    assert_eq!(ending.saga.phase(), Phase::Succeeded);
    assert_eq!(bench.things(), everything());
    bench
}

#[tokio::test]
async fn a_clean_run_makes_everything_once_and_a_second_makes_nothing() {
    let bench = clean().await;
    assert_eq!(bench.world.inside.lock().unwrap().calls, CALLS);
    assert_eq!(bench.process(false).await.unwrap().saga.phase(), Phase::Succeeded);
    assert_eq!(bench.world.inside.lock().unwrap().calls, CALLS);
}

#[tokio::test]
async fn rollback_takes_everything_back() {
    let bench = clean().await;
    let engine = bench.engine();
    engine.say(bench.saga, said(true)).await.unwrap();
    let ending = bench.process(true).await.unwrap();
    assert_eq!(ending.saga.phase(), Phase::RolledBack);
    assert_eq!(bench.things(), BTreeSet::new());
}

#[tokio::test]
async fn a_death_or_a_lost_answer_at_any_call_changes_nothing() {
    use Mischief::{DieAfter, DieBefore, Lose, Throttle};
    for mischief in [DieBefore, DieAfter, Lose, Throttle] {
        for call in 1..=CALLS {
            let bench = Bench::new();
            bench.order(call, mischief);
            let first = bench.process(false).await;
            let ending = match first {
                Ok(ending) if ending.saga.phase() == Phase::Succeeded => ending,
                _ => bench.process(false).await.unwrap(),
            };
            assert_eq!(ending.saga.phase(), Phase::Succeeded, "{mischief:?} at {call}");
            assert_eq!(bench.things(), everything(), "{mischief:?} at {call}");
            assert_eq!(bench.twice(), Vec::<String>::new(), "{mischief:?} at {call}");

            let engine = bench.engine();
            engine.say(bench.saga, said(true)).await.unwrap();
            bench.order(call, mischief);
            let ending = match bench.process(true).await {
                Ok(ending) if ending.saga.phase() == Phase::RolledBack => ending,
                _ => bench.process(true).await.unwrap(),
            };
            assert_eq!(ending.saga.phase(), Phase::RolledBack, "{mischief:?} at undo {call}");
            assert_eq!(bench.things(), BTreeSet::new(), "{mischief:?} at undo {call}");
        }
    }
}

#[tokio::test]
async fn a_store_that_dies_after_any_commit_loses_nothing() {
    for commits in 1..40 {
        let bench = Bench::new();
        bench.store.die_after(Some(commits));
        let first = bench.process(false).await;
        bench.store.die_after(None);
        if first.is_ok_and(|e| e.saga.phase() == Phase::Succeeded) {
            assert!(commits > 10, "the whole run fits in {commits} commits");
            return;
        }
        let ending = bench.process(false).await.unwrap();
        assert_eq!(ending.saga.phase(), Phase::Succeeded, "after {commits} commits");
        assert_eq!(bench.things(), everything());
        assert_eq!(bench.twice(), Vec::<String>::new());
    }
    panic!("forty commits were not enough");
}

#[tokio::test]
async fn a_refusal_at_any_call_stops_and_unwinds_to_nothing() {
    for call in 1..=CALLS {
        let bench = Bench::new();
        bench.order(call, Mischief::Refuse);
        let ending = bench.process(false).await.unwrap();
        assert_eq!(ending.saga.phase(), Phase::Failed, "refused at {call}");
        let ending = bench.process(true).await.unwrap();
        assert_eq!(ending.saga.phase(), Phase::RolledBack, "refused at {call}");
        assert_eq!(bench.things(), BTreeSet::new(), "refused at {call}");
    }
}

#[tokio::test]
async fn a_refusal_is_got_over_by_resume_with_a_new_generation() {
    let bench = Bench::new();
    bench.order(2, Mischief::Refuse);
    assert_eq!(bench.process(false).await.unwrap().saga.phase(), Phase::Failed);
    let ending = bench.process(false).await.unwrap();
    assert_eq!(ending.saga.phase(), Phase::Succeeded);
    assert_eq!(bench.things(), everything());
    let generations = ending.saga.nodes.iter().filter_map(NodeState::intent).map(|i| i.generation);
    assert_eq!(generations.max(), Some(2));
}

#[tokio::test]
async fn what_was_there_before_is_found_and_stays() {
    let bench = Bench::new();
    bench.world.inside.lock().unwrap().things.insert("b".into(), ("theirs".into(), 0));
    let ending = bench.process(false).await.unwrap();
    let b = catalog().find("test.b").unwrap();
    assert!(matches!(ending.saga.node(b), NodeState::Done { origin: Origin::Found, .. }));
    let engine = bench.engine();
    engine.say(bench.saga, said(true)).await.unwrap();
    bench.process(true).await.unwrap();
    assert_eq!(bench.things(), BTreeSet::from(["b".to_owned()]));
}

#[tokio::test]
async fn independent_branches_run_side_by_side() {
    let bench = Bench::new();
    bench.process(false).await.unwrap();
    // a, then b, c and the parts together, then d: three times thirty seconds, and looks.
    let took_ms = bench.world.clock.now_ms() - 1_000_000;
    assert!(took_ms <= 99_000, "{took_ms} ms of the clock for a path of 90 s");
}

#[tokio::test]
async fn a_survey_before_and_after_a_run_calls_nothing() {
    let bench = Bench::new();
    let look = async |known: &Known| {
        let gate = |about: &About| about.phase == 2;
        survey(&catalog(), &bench.world, known, &*bench.world.clock, &gate).await
    };
    let all = vec![String::new()];
    let before = look(&Known::nothing(bench.saga)).await;
    assert_eq!(before[0], Verdict::Make(all));
    let after = |names: &[&'static str]| {
        Verdict::After(names.iter().map(|name| NodeId::new("test", name)).collect())
    };
    assert_eq!(before[1..4], [after(&["a"]), after(&["a"]), after(&["a"])]);
    assert_eq!(before[4..], [after(&["b", "c", "parts"]), Verdict::Unlooked]);
    bench.process(false).await.unwrap();
    let entries = bench.engine().committer.entries(bench.saga, 1).await.unwrap();
    let known = Known::of_journal(bench.saga, &entries);
    let found = look(&known).await;
    assert!(found[..5].iter().all(|v| matches!(v, Verdict::Found(_))), "{found:?}");
    // What is gone is missed, and what stands on it is still looked at.
    bench.world.inside.lock().unwrap().things.remove("a");
    let gone = look(&known).await;
    assert!(matches!(&gone[..2], [Verdict::Make(_), Verdict::Found(_)]), "{gone:?}");
    let left = leftovers(&catalog(), &bench.world, &known, &*bench.world.clock).await;
    assert_eq!(left[0], Some(Ok(Remains::Nothing)));
    assert_eq!(left[3], Some(Ok(Remains::Items(PARTS.map(str::to_owned).to_vec()))));
    assert_eq!(left[5], None);
    assert_eq!(bench.world.inside.lock().unwrap().calls, CALLS);
}

/// Nobody answers it.
struct Unreachable<const AREA: u8>;

impl<const AREA: u8> Step for Unreachable<AREA> {
    type World = World;
    type Needs = ();
    type Output = ();
    const ID: NodeId = NodeId::new(if AREA == 0 { "near" } else { "far" }, "gate");
    const PHASE: u8 = 0;
    const TITLE: &'static str = "nobody answers";
    const PATIENCE: Patience = Patience::new(1, if AREA == 0 { 20 } else { 3600 });
    async fn observe(&self, _: &Cx<'_, Self>) -> Result<Seen<()>, Fault> {
        Err(Fault::transient(Report::new("asking", "nobody answers")))
    }
}

#[tokio::test]
async fn when_one_gate_gives_up_the_others_do_not_go_on_for_their_own_patience() {
    let bench = Bench::new();
    let list = Catalog::builder().look(Unreachable::<0>).look(Unreachable::<1>);
    let mut engine = bench.engine();
    engine.catalog = Arc::new(list.build().unwrap());
    engine.begin(bench.saga, beginning(&Actor::default())).await.unwrap();
    let begun_ms = bench.world.clock.now_ms();
    let (_keep, interrupt) = watch::channel(Interrupt::None);
    let ending = engine.drive(bench.saga, Arc::new(bench.world.clone()), interrupt).await.unwrap();
    assert_eq!(ending.saga.phase(), Phase::Failed);
    let took_ms = bench.world.clock.now_ms() - begun_ms;
    assert!((20_000..=30_000).contains(&took_ms), "gave up after {took_ms} ms");
}

#[test]
fn a_list_out_of_order_or_with_a_name_twice_is_refused() {
    let out_of_order = Catalog::<World>::builder().act(B).act(A).build();
    assert!(out_of_order.err().unwrap().to_string().contains("does not stand above"));
    let twice = Catalog::<World>::builder().act(A).act(A).build();
    assert!(twice.err().unwrap().to_string().contains("twice"));
}
