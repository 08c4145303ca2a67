//! Two links in opposite directions share a network: rolling back one leaves the other whole.

use escrr_engine::store::Store as _;
use escrr_engine::survey::{Known, Verdict, survey};
use escrr_engine::{Actor, Event, News, Phase, SagaId};
use escrr_sandbox::WorldFile;
use escrr_steps::catalog::catalog;
use escrr_steps::spec::{Spec, defaults};
use escrr_tests::bench::{Bench, Error};
use escrr_tests::cases::all;
use escrr_tests::tape::stops;
use serde_json::Value;

/// The link in the other direction.
fn west() -> Result<Spec, Error> {
    let east = defaults::sandbox()?;
    let side = |name: &str, region: &str, instance: &str| {
        format!("[{name}]\nregion = \"{region}\"\ninstance = \"{instance}\"\n")
    };
    let text = format!(
        "link = \"hangzhou-shanghai\"\n{}{}[replication]\npatterns = [\"metrics-*\"]\n",
        side("leader", &east.follower.region, &east.follower.instance),
        side("follower", &east.leader.region, &east.leader.instance),
    );
    Ok(Spec::parse(&text, "west.toml")?)
}

/// One of the two links.
struct Link {
    spec: Spec,
    saga: SagaId,
}

/// Both links, set up one after the other.
struct Pair {
    bench: Bench,
    before: Value,
    links: [Link; 2],
}

impl Pair {
    async fn set_up() -> Result<Self, Error> {
        // Each leads in one direction, so neither may be older than the other.
        let mut world = WorldFile::default();
        for instance in world.instances.values_mut() {
            "7.16.2".clone_into(&mut instance.version);
        }
        // The other direction asks for an address in the other VPC as well.
        let mut twin = world.servers.values().next().cloned().ok_or("no server")?;
        "cn-hangzhou".clone_into(&mut twin.region);
        "vsw-follower-h".clone_into(&mut twin.vswitch);
        world.servers.insert("i-follower001".to_owned(), twin);
        let bench = Bench::with(world, defaults::sandbox()?).await?;
        let before = bench.inventory().await?;
        let east = Link { spec: bench.spec.clone(), saga: bench.saga };
        let west = Link { spec: west()?, saga: SagaId::new(1_800_000_000_000, [7; 10]) };
        let mut pair = Self { bench, before, links: [east, west] };
        for at in [0, 1] {
            pair.turn_to(at);
            let ending = pair.bench.run().await?;
            if ending.saga.phase() != Phase::Succeeded {
                return Err(format!("link {at}: {:?}", stops(&ending)).into());
            }
        }
        Ok(pair)
    }

    fn turn_to(&mut self, at: usize) {
        let (here, there) = (&self.links[at], &self.links[1 - at]);
        self.bench.spec = here.spec.clone();
        self.bench.saga = here.saga;
        self.bench.known = [there.saga.to_string()].into();
    }

    /// Fails unless every node of the link is as it should be.
    async fn is_whole(&mut self, at: usize) -> Result<(), Error> {
        self.turn_to(at);
        let catalog = catalog()?;
        let entries = self.bench.store.entries(self.bench.saga, 1)?;
        let known = Known::of_journal(self.bench.saga, &entries);
        let engine = self.bench.engine().await?;
        let world = self.bench.world()?;
        let verdicts = survey(&catalog, &world, &known, &*engine.clock, &|_| false).await;
        let wrong: Vec<String> = catalog
            .about()
            .iter()
            .zip(&verdicts)
            .filter(|(about, _)| !about.id.to_string().starts_with("verify."))
            .filter(|(_, verdict)| {
                !matches!(verdict, Verdict::Found(_) | Verdict::Checked(_) | Verdict::Unneeded(_))
            })
            .map(|(about, verdict)| format!("{}: {verdict:?}", about.id))
            .collect();
        if wrong.is_empty() { Ok(()) } else { Err(format!("link {at}: {wrong:?}").into()) }
    }

    async fn roll_back(&mut self, at: usize) -> Result<(), Error> {
        self.turn_to(at);
        let ending = self.bench.rollback().await?;
        let phase = ending.saga.phase();
        if phase != Phase::RolledBack {
            return Err(format!("link {at}: {phase:?}: {:?}", stops(&ending)).into());
        }
        Ok(())
    }
}

/// Whichever goes first, the other one stays whole; when both are gone, nothing is left.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn either_link_goes_and_the_other_stays_whole() -> Result<(), Error> {
    for first in [0, 1] {
        let mut pair = Pair::set_up().await?;
        pair.is_whole(1 - first).await?;
        pair.roll_back(first).await?;
        pair.is_whole(1 - first).await?;
        pair.roll_back(1 - first).await?;
        let left = pair.bench.inventory().await?;
        assert_eq!(left, pair.before, "{first} first: nothing is left when both are gone");
    }
    Ok(())
}

/// The same with the process killed at its n-th entry of the first rollback.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kill_anywhere_changes_nothing_of_that() -> Result<(), Error> {
    let kills = [(0, 3), (0, 17), (0, 29), (0, 41), (1, 8), (1, 22)];
    let cases = all(crate::some(kills, 2), |(first, nth)| async move {
        let mut pair = Pair::set_up().await?;
        pair.turn_to(first);
        let engine = pair.bench.engine().await?;
        engine.take_stock(pair.bench.saga, &pair.bench.world()?).await?;
        let by = "bench".to_owned();
        let begun = Event::RollbackBegun { by, actor: Actor::default() };
        engine.say(pair.bench.saga, begun).await?;
        drop(engine);
        let seen = std::sync::atomic::AtomicUsize::new(0);
        let nth_entry = |news: &News| {
            matches!(news, News::Entry(_))
                && seen.fetch_add(1, std::sync::atomic::Ordering::Relaxed) + 1 == nth
        };
        pair.bench.killed_at(nth_entry).await?;
        pair.roll_back(first).await?;
        pair.is_whole(1 - first).await?;
        pair.roll_back(1 - first).await?;
        let left = pair.bench.inventory().await?;
        if left != pair.before {
            return Err(format!("{first} first, killed at {nth}: something is left").into());
        }
        Ok(())
    });
    println!("two links, killed in between: {}", cases.await?);
    Ok(())
}
