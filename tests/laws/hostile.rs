//! Lives with random faults, random kills there and back, and a second actor who edits, removes
//! tags, creates look-alikes and promotes indices.
//!
//! `ESCRR_HOSTILE=300 cargo test --release -p escrr-tests --test laws hostile` takes so many lives.

use crate::lists::tagged_by;
use escrr_engine::{Actor, Event, News, Phase};
use escrr_tests::bench::{Bench, Error};
use escrr_tests::cases::all;
use escrr_tests::tape::{Clean, stops};
use reqwest::Method;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering};

/// The environment variable that says how many lives.
const LIVES: &str = "ESCRR_HOSTILE";
/// How many are lived with every change.
const USUAL: u64 = 6;
/// The follower that the second actor promotes.
const INDEX: &str = "logs-2026-10";
/// How often a saga is resumed before its state counts.
const PATIENCE: usize = 6;

/// How many of each kind a link creates at most.
const MOST: [(&str, usize); 8] = [
    ("cen", 1),
    ("transit_router", 2),
    ("vpc_attachment", 2),
    ("peer_attachment", 1),
    ("server_group", 1),
    ("load_balancer", 1),
    ("listener", 1),
    ("endpoint_service", 1),
];

/// What happened in all lives.
#[derive(Default)]
struct Tally {
    faults: AtomicU64,
    kills: AtomicU64,
    deeds: AtomicU64,
    stuck: AtomicU64,
}

/// Random numbers by a seed (splitmix64).
struct Dice(u64);

impl Dice {
    fn below(&mut self, most: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((z ^ (z >> 31)) % most.max(1) as u64).unwrap_or(0)
    }
}

/// One life.
struct Life {
    bench: Bench,
    dice: Dice,
    before: BTreeSet<String>,
    /// What the second actor created.
    foreign: BTreeSet<String>,
    /// What the run created and the second actor took the tags off.
    untagged: BTreeSet<String>,
    /// The second actor has made a follower an ordinary index.
    promoted: bool,
}

fn rows(inventory: &Value) -> Vec<Value> {
    inventory.as_array().cloned().unwrap_or_default()
}

fn text(row: &Value, name: &str) -> String {
    row[name].as_str().unwrap_or_default().to_owned()
}

fn ids(inventory: &Value) -> BTreeSet<String> {
    rows(inventory).iter().map(|row| format!("{} {}", text(row, "kind"), text(row, "id"))).collect()
}

impl Life {
    async fn begin(seed: u64) -> Result<Self, Error> {
        let bench = Bench::new().await?;
        let before = ids(&bench.inventory().await?);
        let dice = Dice(seed.wrapping_mul(0x2545_f491_4f6c_dd1d));
        let (foreign, untagged) = (BTreeSet::new(), BTreeSet::new());
        Ok(Self { bench, dice, before, foreign, untagged, promoted: false })
    }

    async fn order_faults(&mut self, clean: &Clean, tally: &Tally) -> Result<(), Error> {
        let asked: Vec<(String, String)> =
            clean.log.iter().map(|line| (line.product.clone(), line.action.clone())).collect();
        let effects = [
            json!("lost"),
            json!("cut"),
            json!("throttle"),
            json!("empty"),
            json!("partial"),
            json!({"lag_ms": 20_000}),
            json!({"fail": {"applied": true}}),
        ];
        for _ in 0..3 + self.dice.below(5) {
            let (product, action) = asked[self.dice.below(asked.len())].clone();
            let effect = effects[self.dice.below(effects.len())].clone();
            // What a cluster says of its own data is no list that lags.
            if product == "Es" && ["empty", "partial"].map(Value::from).contains(&effect) {
                continue;
            }
            let (nth, times) = (1 + self.dice.below(4), 1 + self.dice.below(2));
            let fault = json!({"product": product, "action": action, "nth": nth, "times": times,
                "effect": effect});
            self.bench.post("fault", &fault).await?;
            tally.faults.fetch_add(1, Ordering::Relaxed);
        }
        Ok(())
    }

    /// A process that is killed at one of its next entries.
    async fn killed(&mut self, tally: &Tally) -> Result<(), Error> {
        let nth = 1 + self.dice.below(40);
        let seen = AtomicU64::new(0);
        let moment = |news: &News| {
            matches!(news, News::Entry(_)) && seen.fetch_add(1, Ordering::Relaxed) + 1 == nth as u64
        };
        if self.bench.killed_at(moment).await? {
            tally.kills.fetch_add(1, Ordering::Relaxed);
        }
        Ok(())
    }

    /// The second actor does something.
    async fn deed(&mut self, tally: &Tally) -> Result<(), Error> {
        tally.deeds.fetch_add(1, Ordering::Relaxed);
        match self.dice.below(5) {
            0 => self.untag().await,
            1 => {
                let name = json!({"Name": format!("escrr-{}", self.bench.spec.link)});
                let made = self.bench.meddle("Cbn", "CreateCen", name).await?;
                self.foreign.insert(format!("cen {}", text(&made, "CenId")));
                Ok(())
            }
            2 => {
                let group = json!({"RegionId": "cn-hangzhou", "VpcId": "vpc-follower01",
                    "ServerGroupName": format!("escrr-{}", self.bench.spec.link),
                    "ServerGroupType": "Ip", "Protocol": "TCP",
                    "HealthCheckConfig.HealthCheckEnabled": "true"});
                let made = self.bench.meddle("Nlb", "CreateServerGroup", group).await?;
                self.foreign.insert(format!("server_group {}", text(&made, "ServerGroupId")));
                Ok(())
            }
            3 => self.edit().await,
            _ => {
                self.promote().await;
                Ok(())
            }
        }
    }

    async fn ours(&self) -> Result<Vec<Value>, Error> {
        let all = rows(&self.bench.inventory().await?);
        let link = self.bench.spec.link.as_str();
        Ok(all.into_iter().filter(|row| row["owner"] == link).collect())
    }

    async fn untag(&mut self) -> Result<(), Error> {
        let ours = self.ours().await?;
        let Some(row) = ours.get(self.dice.below(ours.len())) else { return Ok(()) };
        let (kind, id) = (text(row, "kind"), text(row, "id"));
        let Some((product, name)) = tagged_by(&kind) else { return Ok(()) };
        let action = if product == "Vpc" { "UnTagResources" } else { "UntagResources" };
        let all = json!({"RegionId": text(row, "region"), "ResourceType": name,
            "ResourceId.1": id, "All": "true"});
        self.bench.meddle(product, action, all).await?;
        self.untagged.insert(format!("{kind} {id}"));
        Ok(())
    }

    async fn edit(&mut self) -> Result<(), Error> {
        for row in self.ours().await? {
            let (id, region) = (text(&row, "id"), text(&row, "region"));
            let (product, action, params) = match text(&row, "kind").as_str() {
                "listener" => {
                    ("Nlb", "StopListener", json!({"RegionId": region, "ListenerId": id}))
                }
                "peer_attachment" => (
                    "Cbn",
                    "UpdateTransitRouterPeerAttachmentAttribute",
                    json!({"TransitRouterAttachmentId": id, "Bandwidth": "7"}),
                ),
                _ => continue,
            };
            // It may be in motion just now: then there is nothing to edit.
            drop(self.bench.meddle(product, action, params).await);
            break;
        }
        Ok(())
    }

    async fn promote(&mut self) {
        for path in ["_ccr/pause_follow", "_close", "_ccr/unfollow", "_open"] {
            let path = format!("/{INDEX}/{path}");
            let done = self.bench.meddle_with_follower(Method::POST, &path, &Value::Null).await;
            if done.is_err() {
                return;
            }
        }
        self.promoted = true;
    }

    /// Nothing was created twice.
    async fn once(&self) -> Result<(), Error> {
        let mut count: BTreeMap<String, usize> = BTreeMap::new();
        for row in self.ours().await? {
            *count.entry(text(&row, "kind")).or_insert(0) += 1;
        }
        for (kind, most) in MOST {
            if count.get(kind).copied().unwrap_or(0) > most {
                return Err(format!("{kind}: {count:?}").into());
            }
        }
        Ok(())
    }

    /// Everything of others is there, and nothing of ours is left in silence.
    async fn judge(&self, phase: Phase, said: &[String]) -> Result<(), Error> {
        let now = ids(&self.bench.inventory().await?);
        let missing = |all: &BTreeSet<String>| all.difference(&now).next().cloned();
        if let Some(gone) = missing(&self.before).or_else(|| missing(&self.foreign)) {
            return Err(format!("foreign and gone: {gone}").into());
        }
        if self.promoted {
            let path = format!("/{INDEX}/_count");
            let counted = self.bench.meddle_with_follower(Method::GET, &path, &Value::Null).await;
            counted.map_err(|error| format!("the promoted {INDEX} cannot be read: {error}"))?;
        }
        if phase != Phase::RolledBack {
            return if said.is_empty() { Err("it stopped in silence".into()) } else { Ok(()) };
        }
        let ours = self.ours().await?;
        let hidden: Vec<&String> = self.untagged.intersection(&now).collect();
        if !ours.is_empty() || !hidden.is_empty() {
            return Err(format!("rolled back, and left: {ours:?} {hidden:?}").into());
        }
        Ok(())
    }
}

async fn live(seed: u64, tally: &Tally) -> Result<(), Error> {
    let clean = Clean::recorded().await?;
    let mut life = Life::begin(seed).await?;
    life.order_faults(clean, tally).await?;
    for _ in 0..life.dice.below(3) {
        life.killed(tally).await?;
        life.once().await?;
        if life.dice.below(2) == 0 {
            life.deed(tally).await?;
        }
    }
    for _ in 0..PATIENCE {
        if life.bench.run().await?.saga.phase() == Phase::Succeeded {
            break;
        }
    }
    life.once().await?;
    life.deed(tally).await?;
    let engine = life.bench.engine().await?;
    engine.take_stock(life.bench.saga, &life.bench.world()?).await?;
    engine
        .say(life.bench.saga, Event::RollbackBegun { by: "bench".into(), actor: Actor::default() })
        .await?;
    drop(engine);
    for _ in 0..life.dice.below(3) {
        life.killed(tally).await?;
        if life.dice.below(3) == 0 {
            life.deed(tally).await?;
        }
    }
    life.bench.clear_faults().await?;
    let mut ending = life.bench.rollback().await?;
    for _ in 0..PATIENCE {
        if ending.saga.phase() == Phase::RolledBack {
            break;
        }
        ending = life.bench.rollback().await?;
    }
    let phase = ending.saga.phase();
    if phase != Phase::RolledBack {
        tally.stuck.fetch_add(1, Ordering::Relaxed);
    }
    life.judge(phase, &stops(&ending)).await
}

#[expect(clippy::disallowed_methods, reason = "a test is told by its environment how much to do")]
fn lives() -> u64 {
    std::env::var(LIVES).ok().and_then(|n| n.parse().ok()).unwrap_or(USUAL)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_twice_leaked_or_taken_from_others() -> Result<(), Error> {
    static TALLY: std::sync::OnceLock<Tally> = std::sync::OnceLock::new();
    let tally = TALLY.get_or_init(Tally::default);
    let count = all(1..=lives(), move |seed| async move {
        Box::pin(live(seed, tally)).await.map_err(|error| format!("life {seed}: {error}").into())
    });
    let count = count.await?;
    let of = |number: &AtomicU64| number.load(Ordering::Relaxed);
    println!(
        "hostile: {count} lives, {} faults, {} kills, {} deeds of a second actor, {} stuck and told: \
         0 lost, 0 twice, 0 leaked in silence, 0 foreign gone",
        of(&tally.faults),
        of(&tally.kills),
        of(&tally.deeds),
        of(&tally.stuck)
    );
    Ok(())
}
