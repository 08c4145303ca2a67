//! The world files that tests of the product start from: each parses and starts.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a helper of a test may fail it")]

use escrr_sandbox::{Options, Sandbox, World, WorldFile};
use std::collections::BTreeSet;
use std::net::TcpStream;
use std::path::Path;

fn file(name: &str) -> WorldFile {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("worlds").join(name);
    let text = std::fs::read_to_string(&path).unwrap();
    toml::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn names() -> BTreeSet<String> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("worlds");
    let entries = std::fs::read_dir(dir).unwrap();
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

fn host(url: &str) -> &str {
    url.strip_prefix("http://").unwrap()
}

#[tokio::test]
async fn every_world_starts_with_all_its_clusters() {
    let names = names();
    let wanted = [
        "one-vpc.toml",
        "open-list.toml",
        "same-region.toml",
        "shared-vpc.toml",
        "two-links.toml",
        "version-8.toml",
    ];
    assert!(wanted.iter().all(|name| names.contains(*name)), "{names:?}");
    for name in names {
        let world = file(&name);
        let options = Options { world: Some(world.clone()), ..Options::default() };
        let sandbox = Sandbox::start(options).await.unwrap_or_else(|e| panic!("{name}: {e}"));
        let addresses = sandbox.addresses().clone();
        assert!(addresses.instances.keys().eq(world.instances.keys()), "{name}");
        assert_eq!(addresses.leader, addresses.instances[&world.leader], "{name}");
        assert_eq!(addresses.follower, addresses.instances[&world.follower], "{name}");
        assert!(!addresses.elastic_password.is_empty(), "{name}");
        for url in addresses.instances.values().chain([&addresses.openapi]) {
            TcpStream::connect(host(url)).unwrap();
        }
        sandbox.stop().await;
    }
}

#[test]
fn no_two_vpcs_of_a_world_overlap() {
    for name in names() {
        let world = file(&name);
        let blocks: Vec<_> = world.vpcs.values().map(|vpc| vpc.cidr).collect();
        for (n, a) in blocks.iter().enumerate() {
            let clash = blocks.iter().skip(n + 1).any(|b| a.contains(b) || b.contains(a));
            assert!(!clash, "{name}: {a}");
        }
    }
}

#[test]
fn two_links_have_a_shell_in_every_vpc() {
    let file = file("two-links.toml");
    let world = World::from_file(&file, 0).unwrap();
    let with_shell: BTreeSet<&str> = file
        .servers
        .values()
        .map(|server| world.vpc.vswitches[&server.vswitch].vpc.as_str())
        .collect();
    assert_eq!(with_shell.len(), 4);
    assert!(file.vpcs.keys().all(|id| with_shell.contains(id.as_str())));
}

#[test]
fn the_worlds_are_what_their_names_say() {
    let regions = |name: &str| {
        let file = file(name);
        file.instances.values().map(|i| i.region.clone()).collect::<BTreeSet<_>>().len()
    };
    assert_eq!((regions("same-region.toml"), regions("one-vpc.toml")), (1, 1));
    assert_eq!(file("same-region.toml").vpcs.len(), 2);
    assert_eq!(file("one-vpc.toml").vpcs.len(), 1);
    assert!(file("version-8.toml").instances.values().all(|i| i.version.starts_with("8.")));
}
