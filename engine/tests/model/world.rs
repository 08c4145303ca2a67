//! The pretend world that steps look at and call, and its own faults.

use crate::clock::WorldClock;
use crate::ledger::Ledger;
use crate::plan::{Plan, name};
use crate::things::{Came, Key, Late, Sight, Things};
use crate::trouble::{At, Trouble};
use escrr_engine::clock::Clock as _;
use escrr_engine::store::{MemoryStore, Store as _};
use escrr_engine::{Fault, Remains, Report, SagaId, Seen};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard};
use tokio::sync::Notify;

/// More looks and calls than any saga needs from one rest to the next.
const MOST_ACCESSES: usize = 6_000;

/// The world; clones share it.
#[derive(Clone)]
pub(crate) struct World(Arc<Shared>);

struct Shared {
    plan: Plan,
    saga: SagaId,
    clock: Arc<WorldClock>,
    journal: MemoryStore,
    died: Notify,
    inside: Mutex<Inside>,
}

#[derive(Default)]
pub(crate) struct Inside {
    pub(crate) things: Things,
    pub(crate) orders: Vec<(usize, At, Trouble)>,
    /// Gates that are closed, and gates that are not as wanted.
    pub(crate) closed: BTreeSet<usize>,
    pub(crate) bent: BTreeSet<usize>,
    /// How often a look or a call of each node was answered with a definite no.
    pub(crate) refusals: BTreeMap<usize, usize>,
    dead: bool,
    accesses: usize,
    /// What the last look of a node said to be missing, and to be there: one call each.
    missing: BTreeSet<Key>,
    present: BTreeSet<Key>,
    lanes: BTreeMap<u8, usize>,
}

/// A call that is under way in a lane.
struct InLane<'w>(&'w World, Option<u8>);

impl Drop for InLane<'_> {
    fn drop(&mut self) {
        if let (Some(lane), mut inside) = (self.1, self.0.inside()) {
            *inside.lanes.entry(lane).or_default() -= 1;
        }
    }
}

impl World {
    pub(crate) fn new(
        plan: Plan,
        saga: SagaId,
        clock: Arc<WorldClock>,
        journal: MemoryStore,
    ) -> Self {
        let (died, inside) = (Notify::new(), Mutex::default());
        Self(Arc::new(Shared { plan, saga, clock, journal, died, inside }))
    }

    /// The inside, with every late call that is due by now taken into account.
    pub(crate) fn inside(&self) -> MutexGuard<'_, Inside> {
        let now_ms = self.0.clock.now_ms();
        let mut inside = self.0.inside.lock().unwrap();
        for (at_ms, late) in inside.things.due(now_ms) {
            match late {
                Late::Make(key, token) => {
                    inside.things.make(&key, &token, &self.0.plan[key.0], at_ms);
                }
                Late::Unmake(key, id) => {
                    inside.things.unmake(&key, id, &self.0.plan[key.0], at_ms);
                }
            }
        }
        inside
    }

    /// What the journal says by now.
    pub(crate) fn ledger(&self) -> Result<Ledger, String> {
        let entries = self.0.journal.entries(self.0.saga, 1).unwrap();
        Ledger::of(&self.0.plan, self.0.saga, &entries)
    }

    /// Waits until the process is dead.
    pub(crate) async fn death(&self) {
        self.0.died.notified().await;
    }

    /// A process begins: nothing is under way, and nothing was looked at.
    pub(crate) fn begin(&self) {
        let mut inside = self.inside();
        inside.dead = false;
        inside.missing.clear();
        inside.present.clear();
        inside.lanes.clear();
        inside.accesses = 0;
    }

    /// From here on nobody counts what came before.
    pub(crate) fn forgive(&self) {
        self.inside().accesses = 0;
    }

    fn kill(&self, inside: &mut Inside) {
        inside.dead = true;
        self.0.died.notify_one();
    }

    /// Something reaches the world: time passes, and whoever asks too often is stopped.
    async fn access(&self) {
        self.0.clock.spend();
        let dead = {
            let mut inside = self.inside();
            inside.accesses += 1;
            if inside.accesses > MOST_ACCESSES && !inside.dead {
                inside.things.breaches.push("it asks and asks and never ends".to_owned());
                self.kill(&mut inside);
            }
            inside.dead
        };
        if dead {
            // The answer never reaches a dead process.
            std::future::pending::<()>().await;
        }
    }

    fn trouble(inside: &mut Inside, node: usize, at: At) -> Option<Trouble> {
        let ordered = inside.orders.iter().position(|(n, a, _)| (*n, *a) == (node, at))?;
        let trouble = inside.orders.remove(ordered).2;
        *inside.refusals.entry(node).or_default() += usize::from(trouble.refuses());
        Some(trouble)
    }

    async fn troubled_look(&self, node: usize) -> Result<(), Fault> {
        self.access().await;
        {
            let mut inside = self.inside();
            let Some(trouble) = Self::trouble(&mut inside, node, At::Look) else { return Ok(()) };
            if !trouble.kills() {
                return Err(trouble.fault());
            }
            self.kill(&mut inside);
        }
        std::future::pending().await
    }

    /// A look at a node that only looks.
    pub(crate) async fn look_at_gate(
        &self,
        node: usize,
        _: SagaId,
    ) -> Result<Seen<Option<String>>, Fault> {
        self.troubled_look(node).await?;
        let inside = self.inside();
        Ok(if inside.bent.contains(&node) {
            Seen::Drifted(Report::new("looking", "not as wanted"))
        } else if inside.closed.contains(&node) {
            Seen::absent()
        } else {
            Seen::Ready(Some(name(node)))
        })
    }

    /// A look at everything that a node stands for.
    pub(crate) async fn look(&self, node: usize, _: SagaId) -> Result<Seen<Option<String>>, Fault> {
        self.troubled_look(node).await?;
        let now_ms = self.0.clock.now_ms();
        let mut inside = self.inside();
        let (mut missing, mut there) = (Vec::new(), Vec::new());
        let (mut sights, mut ours) = (Vec::new(), false);
        for item in self.0.plan[node].items() {
            match inside.things.sight(&(node, item.clone()), now_ms) {
                None => missing.push(item),
                Some((thing, sight)) => {
                    sights.push(sight);
                    ours |= thing.ours;
                    there.push(item);
                }
            }
        }
        inside.looked(node, &missing, &there);
        let output = Some(name(node));
        Ok(if sights.contains(&Sight::Changed) {
            Seen::Drifted(Report::new("looking", "somebody changed it"))
        } else if !missing.is_empty() {
            Seen::Absent(missing)
        } else if sights.iter().any(|sight| *sight != Sight::Ready) {
            Seen::Pending("it is on its way".to_owned())
        } else if !self.0.plan[node].marked {
            Seen::Ready(output)
        } else if ours {
            Seen::Ours(output)
        } else {
            Seen::Theirs(output)
        })
    }

    /// What is left of what a node announced, or of what carries its mark.
    pub(crate) async fn remains(
        &self,
        node: usize,
        announced: &BTreeSet<String>,
    ) -> Result<Remains, Fault> {
        self.troubled_look(node).await?;
        let now_ms = self.0.clock.now_ms();
        let plan = &self.0.plan[node];
        let mut inside = self.inside();
        let (mut there, mut sights) = (Vec::new(), Vec::new());
        for item in plan.items() {
            let Some((thing, sight)) = inside.things.sight(&(node, item.clone()), now_ms) else {
                continue;
            };
            if if plan.marked { thing.ours } else { announced.contains(&item) } {
                there.push(item);
                sights.push(sight);
            }
        }
        inside.looked(node, &[], &there);
        Ok(if there.is_empty() {
            Remains::Nothing
        } else if sights.contains(&Sight::Changed) {
            Remains::Drifted(Report::new("looking", "somebody changed it"))
        } else if sights.iter().any(|sight| *sight != Sight::Ready) {
            Remains::Pending("it is on its way".to_owned())
        } else {
            Remains::Items(there)
        })
    }

    /// The lane of a node's writes.
    pub(crate) fn lane(&self, node: usize) -> Option<String> {
        self.0.plan[node].lane.map(|lane| format!("lane {lane}"))
    }

    /// A call to make an item.
    pub(crate) async fn make(&self, node: usize, item: &str, token: &str) -> Result<(), Fault> {
        let key = (node, item.to_owned());
        self.check(&key, At::Make, Some(token));
        let _in_lane = self.enter(node);
        self.access().await;
        self.pause(node).await;
        let plan = &self.0.plan[node];
        let trouble = {
            let now_ms = self.0.clock.now_ms();
            let mut inside = self.inside();
            let trouble = Self::trouble(&mut inside, node, At::Make);
            let came = inside.things.tokens.get(token).copied();
            if plan.token && came == Some(Came::Refused) {
                *inside.refusals.entry(node).or_default() += 1;
                return Err(Trouble::Refuse.fault());
            }
            if plan.token && plan.burns && came.is_none() && trouble.is_some_and(Trouble::refuses) {
                inside.things.tokens.insert(token.to_owned(), Came::Refused);
            }
            if trouble.is_none_or(Trouble::applies) {
                inside.things.make(&key, token, plan, now_ms);
            }
            if let Some(late_ms) = trouble.and_then(Trouble::late_ms) {
                inside.things.put_late(now_ms + late_ms, Late::Make(key, token.to_owned()));
            }
            trouble
        };
        self.answer(node, trouble).await
    }

    /// A call to take an item back.
    pub(crate) async fn unmake(&self, node: usize, item: &str) -> Result<(), Fault> {
        let key = (node, item.to_owned());
        self.check(&key, At::Unmake, None);
        let _in_lane = self.enter(node);
        self.access().await;
        self.pause(node).await;
        let plan = &self.0.plan[node];
        let trouble = {
            let now_ms = self.0.clock.now_ms();
            let mut inside = self.inside();
            let trouble = Self::trouble(&mut inside, node, At::Unmake);
            // Where things carry marks, ours is named by its id; else there is only one.
            let target = inside.things.living(&key, now_ms).find(|t| t.ours || !plan.marked);
            let target = target.map(|thing| (thing.id, thing.ours));
            if let Some((id, ours)) = target {
                if !ours {
                    inside.things.breaches.push(format!("{key:?} of others is taken back"));
                }
                if trouble.is_none_or(Trouble::applies) {
                    inside.things.unmake(&key, id, plan, now_ms);
                }
                if let Some(late_ms) = trouble.and_then(Trouble::late_ms) {
                    inside.things.put_late(now_ms + late_ms, Late::Unmake(key, id));
                }
            }
            trouble
        };
        self.answer(node, trouble).await
    }

    async fn answer(&self, node: usize, trouble: Option<Trouble>) -> Result<(), Fault> {
        if trouble.is_some_and(Trouble::kills) {
            self.kill(&mut self.inside());
            std::future::pending::<()>().await;
        }
        self.pause(node).await;
        trouble.map_or(Ok(()), |trouble| Err(trouble.fault()))
    }

    /// Gives way to others.
    async fn pause(&self, node: usize) {
        for _ in 0..self.0.plan[node].pauses {
            tokio::task::yield_now().await;
        }
    }

    fn enter(&self, node: usize) -> InLane<'_> {
        let lane = self.0.plan[node].lane;
        if let (Some(lane), mut inside) = (lane, self.inside()) {
            let inside = &mut *inside;
            let calls = inside.lanes.entry(lane).or_default();
            *calls += 1;
            if *calls > 1 {
                inside.things.breaches.push(format!("{calls} calls at once in lane {lane}"));
            }
        }
        InLane(self, lane)
    }

    /// May this call be made, by what the journal says and by what was last seen?
    fn check(&self, key: &Key, at: At, token: Option<&str>) {
        let ledger = self.ledger();
        let mut inside = self.inside();
        let looks = if at == At::Make { &mut inside.missing } else { &mut inside.present };
        let looked = looks.remove(key);
        let breach = match ledger {
            Err(why) => Some(why),
            Ok(_) if !looked => Some("no look said so right before".to_owned()),
            Ok(ledger) => ledger.may_call(key, at, token).err(),
        };
        inside.things.breaches.extend(breach.map(|why| format!("{at:?} {key:?}: {why}")));
    }
}

impl Inside {
    /// One look allows one call an item.
    fn looked(&mut self, node: usize, missing: &[String], present: &[String]) {
        self.missing.retain(|key| key.0 != node);
        self.present.retain(|key| key.0 != node);
        self.missing.extend(missing.iter().map(|item| (node, item.clone())));
        self.present.extend(present.iter().map(|item| (node, item.clone())));
    }
}
