//! Many sagas in one process: one store, the real steps and clients, each saga a link of its
//! own in a pretend cloud, all at once. Prints the peak of memory.
//!
//! `ESCRR_SCALE=1000 cargo test --release -p escrr-tests --test scale -- --nocapture` drives a
//! thousand. The pretend clouds are processes of their own, with a few links each: what is
//! measured is the process that drives.

#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test says what it expects by failing"
)]

mod clouds;

use clouds::{Clouds, Link};
use escrr_engine::lane::Lanes;
use escrr_engine::store::{Committer, Holder, Home, Reading};
use escrr_engine::{Beginning, Catalog, Ending, Engine, Event, Interrupt, Phase, SagaId};
use escrr_steps::World;
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

/// Sagas where the environment does not say how many.
const SAGAS: usize = 12;

#[expect(clippy::disallowed_methods, reason = "how much a test does is for who runs it")]
fn sagas() -> usize {
    std::env::var("ESCRR_SCALE").map_or(SAGAS, |text| text.parse().unwrap())
}

/// A figure of this process that Linux tells, in its own words: `VmHWM`, `Threads`.
fn of_this_process(name: &str) -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    line.trim_matches(|c: char| !c.is_ascii_digit()).parse().ok()
}

fn files() -> usize {
    std::fs::read_dir("/proc/self/fd").map_or(0, Iterator::count)
}

/// As many files as the system allows: each saga keeps a few connections.
fn allow_files() {
    let mut limit = rustix::process::getrlimit(rustix::process::Resource::Nofile);
    limit.current = limit.maximum;
    rustix::process::setrlimit(rustix::process::Resource::Nofile, limit).unwrap();
}

/// How many things of each kind there are.
fn kinds(inventory: &Value) -> BTreeMap<&str, usize> {
    let mut kinds = BTreeMap::new();
    for thing in inventory.as_array().unwrap() {
        *kinds.entry(thing["kind"].as_str().unwrap()).or_default() += 1;
    }
    kinds
}

/// Every link made exactly what every other one made: nothing is missing and nothing twice.
fn assert_each_made_the_same(clouds: &Clouds, after: &[Value], before: &[Value]) {
    let mut one_link: Option<BTreeMap<&str, usize>> = None;
    for ((links, after), before) in clouds.sizes().zip(after).zip(before) {
        let (mut made, there) = (kinds(after), kinds(before));
        for (kind, count) in &mut made {
            let new = *count - there.get(kind).copied().unwrap_or(0);
            assert_eq!(new % links, 0, "{new} of {kind} by {links} links");
            *count = new / links;
        }
        made.retain(|_, count| *count > 0);
        assert!(made.len() > 10, "{made:?}");
        assert_eq!(*one_link.get_or_insert_with(|| made.clone()), made);
    }
}

/// The engines of one process: each pretend cloud has its own time, the store is everybody's.
struct Process {
    engines: Vec<Arc<Engine<World>>>,
}

impl Process {
    fn start(clouds: &Clouds, home: &std::path::Path) -> Self {
        let committer = Committer::start(Home::open(home, &Holder::default()).unwrap()).unwrap();
        let catalog: Arc<Catalog<World>> = Arc::new(escrr_steps::catalog::catalog().unwrap());
        let engine = |(number, clock): (u64, _)| {
            let (progress, mut said) = mpsc::unbounded_channel();
            tokio::spawn(async move { while said.recv().await.is_some() {} });
            Arc::new(Engine {
                catalog: Arc::clone(&catalog),
                committer: committer.clone(),
                clock,
                lanes: Arc::new(Lanes::default()),
                progress,
                random: number.into(),
            })
        };
        Self { engines: (1..).zip(clouds.clocks()).map(engine).collect() }
    }

    /// Carries all sagas on at once.
    async fn drive(&self, links: &[Link]) -> Vec<Ending> {
        let (_keep, interrupt) = watch::channel(Interrupt::None);
        let mut drives = JoinSet::new();
        for link in links {
            let engine = Arc::clone(&self.engines[link.cloud]);
            let (saga, world, heard) = (link.saga, Arc::clone(&link.world), interrupt.clone());
            drives.spawn(async move { engine.drive(saga, world, heard).await.unwrap() });
        }
        drives.join_all().await
    }

    async fn begin(&self, links: &[Link]) {
        for link in links {
            let spec = &link.world.spec;
            let (text, digest) = (spec.text(), spec.digest());
            let beginning = Beginning {
                link: &spec.link,
                spec: text,
                digest: &digest,
                world: "sandbox",
                world_id: None,
                actor: &escrr_engine::Actor::default(),
            };
            self.engines[link.cloud].begin(link.saga, beginning).await.unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn many_sagas_at_once_need_little_memory_each() {
    let number = sagas();
    allow_files();
    let clouds = Clouds::start(number).await;
    let before = clouds.inventories().await;
    let links = clouds.links();
    assert_eq!(links.len(), number);
    let folder = tempfile::tempdir().unwrap();
    let process = Process::start(&clouds, folder.path());
    let idle_kib = of_this_process("VmHWM:");
    process.begin(&links).await;
    let ends = process.drive(&links).await;
    let done = ends.iter().filter(|end| end.saga.phase() == Phase::Succeeded).count();
    let stops: Vec<String> = ends
        .iter()
        .flat_map(|end| &end.saga.nodes)
        .filter_map(|node| Some(node.stop()?.report.to_string()))
        .collect();
    assert_eq!(done, number, "{stops:?}");
    let peak_kib = of_this_process("VmHWM:");
    if let (Some(idle), Some(peak)) = (idle_kib, peak_kib) {
        println!(
            "{number} sagas at once: peak {} MiB, {} MiB before; {} KiB a saga, {} threads, {} files",
            peak / 1024,
            idle / 1024,
            (peak - idle) / number as u64,
            of_this_process("Threads:").unwrap_or(0),
            files()
        );
    } else {
        println!("skipped: this system does not tell how much memory a process has");
    }
    assert_each_made_the_same(&clouds, &clouds.inventories().await, &before);
    for link in &links {
        let engine = &process.engines[link.cloud];
        engine
            .say(
                link.saga,
                Event::RollbackBegun { by: "scale".into(), actor: escrr_engine::Actor::default() },
            )
            .await
            .unwrap();
    }
    let ends = process.drive(&links).await;
    assert!(ends.iter().all(|end| end.saga.phase() == Phase::RolledBack));
    assert_eq!(clouds.inventories().await, before);
    drop(process);
    let heads = Reading::open(folder.path()).unwrap().heads().unwrap();
    assert_eq!(heads.len(), number);
    if let Some(peak) = of_this_process("VmHWM:") {
        println!("and with all of them taken back: peak {} MiB", peak / 1024);
    }
}

/// A saga's id from a number.
pub(crate) fn saga(number: usize) -> SagaId {
    SagaId::new(1_700_000_000_000 + number as u64, [3; 10])
}
