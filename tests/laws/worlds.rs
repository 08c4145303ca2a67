//! Other worlds than the document's example: one region, one VPC, release 8.

use escrr_engine::Phase;
use escrr_sandbox::WorldFile;
use escrr_steps::spec::Spec;
use escrr_tests::bench::{Bench, Error};

fn world(name: &str) -> Result<WorldFile, Error> {
    let path = format!("{}/sandbox/worlds/{name}.toml", env!("CARGO_MANIFEST_DIR"));
    Ok(toml::from_str(&std::fs::read_to_string(path)?)?)
}

fn spec(world: &WorldFile, more: &str) -> Result<Spec, Error> {
    let side = |name: &str, instance: &str| {
        let region = world.instances.get(instance).map_or("", |i| i.region.as_str());
        format!("[{name}]\nregion = \"{region}\"\ninstance = \"{instance}\"\n")
    };
    let text = format!(
        "link = \"other-world\"\n{}{}[replication]\npatterns = [\"logs-*\"]\n{more}",
        side("leader", &world.leader),
        side("follower", &world.follower),
    );
    Ok(Spec::parse(&text, "other.toml")?)
}

async fn there_and_back(name: &str, more: &str) -> Result<Bench, Error> {
    let world = world(name)?;
    let spec = spec(&world, more)?;
    let mut bench = Bench::with(world, spec).await?;
    let before = bench.inventory().await?;
    let ending = bench.run().await?;
    let stops: Vec<String> =
        ending.saga.nodes.iter().filter_map(|n| n.stop()).map(|s| s.report.to_string()).collect();
    assert_eq!(ending.saga.phase(), Phase::Succeeded, "{name}: {stops:?}");
    let changes = bench.changes().await?;
    let ending = bench.rollback().await?;
    let stops: Vec<String> =
        ending.saga.nodes.iter().filter_map(|n| n.stop()).map(|s| s.report.to_string()).collect();
    assert_eq!(ending.saga.phase(), Phase::RolledBack, "{name}: {stops:?}");
    assert_eq!(bench.inventory().await?, before, "{name}");
    let peer = changes.iter().any(|c| c.contains("PeerAttachment"));
    assert_eq!(peer, name == "version-8", "{name}: a peer link only between regions");
    Ok(bench)
}

#[tokio::test]
async fn one_region_needs_no_peer_link() -> Result<(), Error> {
    there_and_back("same-region", "").await.map(drop)
}

#[tokio::test]
async fn one_vpc_needs_no_cen() -> Result<(), Error> {
    let bench = there_and_back("one-vpc", "").await?;
    let changes = bench.changes().await?;
    assert!(!changes.iter().any(|c| c.starts_with("Cbn ")), "{changes:?}");
    Ok(())
}

#[tokio::test]
async fn release_8_with_exclusions() -> Result<(), Error> {
    there_and_back("version-8", "exclusions = [\"logs-secret-*\"]\n").await.map(drop)
}
