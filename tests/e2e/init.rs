//! `escrr init`: the clusters of an account are found, chosen, and the spec that is written holds.

use crate::env::{Cloud, Env, bare, output};

const WORLD: &str = include_str!("../sandbox/src/default_world.toml");

/// The default world with two more instances in the leader's region, one of which is of the
/// control plane that cannot be connected.
fn several() -> Env {
    let vswitch = WORLD.lines().find(|line| line.starts_with("vswitch = ")).unwrap();
    let more = |id: &str, arch: &str| {
        format!(
            "[instances.{id}]\nregion = \"cn-shanghai\"\n{vswitch}\nversion = \"7.10.0\"\n\
             arch_type = \"{arch}\"\n"
        )
    };
    let world =
        [WORLD, &more("es-cn-second00001", "public"), &more("es-cn-basic000001", "exclusive")];
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("world.toml");
    std::fs::write(&file, world.join("\n")).unwrap();
    Env::over(Cloud::start(&["--world", &file.display().to_string()]))
}

#[test]
fn the_spec_that_is_written_is_one_that_plan_and_run_take() {
    let env = Env::new();
    drop(env.escrr(&["init"]).exits(0).says("the only one in cn-hangzhou").says("escrr plan"));
    let written = std::fs::read_to_string(env.home.path().join("escrr.toml")).unwrap();
    assert!(written.starts_with("#:schema "), "{written}");
    let plan = env.escrr(&["plan", "escrr.toml", "--output", "json"]).exits(0).json();
    assert_eq!(plan["link"], "shanghai-hangzhou");
    drop(env.escrr(&["run", "escrr.toml", "--yes"]).exits(0));
    drop(env.escrr(&["init"]).exits(2).says("E0006").says("--force"));
    assert_eq!(std::fs::read_to_string(env.home.path().join("escrr.toml")).unwrap(), written);
}

#[test]
fn several_instances_are_listed_with_the_flags_that_choose() {
    let env = several();
    let asked = env.escrr(&["init"]).exits(2).says("E0002").says("--leader ID");
    for id in ["es-cn-leader000001", "es-cn-second00001", "es-cn-basic000001"] {
        assert!(asked.stdout.contains(id), "{id}: {asked:?}");
    }
    assert!(!asked.stderr.contains("--follower ID"), "{asked:?}");
    assert!(asked.stdout.lines().all(|line| line.chars().count() <= 80), "{asked:?}");
    assert!(!env.home.path().join("escrr.toml").exists());
    let listed = env.escrr(&["init", "--output", "json"]).exits(2).json();
    assert_eq!(listed["instances"]["leader"].as_array().unwrap().len(), 3);
    assert_eq!(listed["error"]["code"], "E0002");
    let usable = listed["instances"]["leader"].as_array().unwrap().iter();
    assert_eq!(usable.filter(|row| row["usable"] == true).count(), 2);
    drop(env.escrr(&["init", "--leader", "es-cn-second00001"]).exits(0));
    let written = std::fs::read_to_string(env.home.path().join("escrr.toml")).unwrap();
    assert!(written.contains("instance = \"es-cn-second00001\""), "{written}");
    assert!(written.contains("instance = \"es-cn-follower0001\""), "{written}");
}

#[test]
fn two_clusters_of_one_region_are_told_apart() {
    let env = several();
    let region = ["--leader-region", "cn-shanghai", "--follower-region", "cn-shanghai"];
    let words = [&["init", "-", "--leader", "es-cn-second00001"][..], &region].concat();
    // Of the two that can be connected one is the leader, so the other follows.
    let spec = env.escrr(&words).exits(0).stdout;
    assert!(
        spec.contains("[follower]\nregion = \"cn-shanghai\"\ninstance = \"es-cn-leader000001\"")
    );
}

#[test]
fn a_key_that_is_refused_ends_like_everywhere() {
    let env = Env::new();
    let mut line = env.cloud.line();
    line["access_key_secret"] = "wrong-secret-wrong-secret".into();
    let wrong = env.write("wrong.json", &line.to_string());
    let refused = env.alone(&["init", &format!("--sandbox={wrong}")]).exits(4);
    drop(refused.says("E1003").says("ListInstance"));
    assert!(!env.home.path().join("escrr.toml").exists());
    let regions = ["--leader-region", "cn-shanghai", "--follower-region", "cn-hangzhou"];
    let mut without = bare(env.home.path());
    without.env("ALIBABA_CLOUD_ECS_METADATA_DISABLED", "true").arg("init").args(regions);
    drop(output(&mut without).exits(4).says("E0202"));
}
