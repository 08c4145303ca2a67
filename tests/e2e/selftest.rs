//! The self-test, as an operator runs it; and the switch to die, which is not for them.

use crate::env::{Env, bare, output};
use std::path::Path;

/// What is left of self-tests in a home.
fn left(home: &Path) -> Vec<String> {
    let names = std::fs::read_dir(home.join("state")).unwrap().map(|entry| {
        let name = entry.unwrap().file_name();
        name.to_string_lossy().into_owned()
    });
    names.filter(|name| name.starts_with("selftest")).collect()
}

#[test]
fn a_sample_is_killed_resumed_and_leaves_nothing() {
    let home = tempfile::tempdir().unwrap();
    let mut command = bare(home.path());
    // What is in the environment is the operator's own and must not reach the children.
    command.env("ESCRR_DIE", "before:2").env("ESCRR_ON_FAILURE", "rollback");
    let ran = output(command.args(["selftest", "--points", "4", "--output", "json"])).exits(0);
    let found = ran.json();
    for (what, count) in [
        ("points", 4),
        ("resumed", 4),
        ("duplicates", 0),
        ("leaks", 0),
        ("missing", 0),
        ("lost", 0),
    ] {
        assert_eq!(found[what], count, "{what} in {found}");
    }
    let killed: Vec<&str> = found["killed_at"]
        .as_array()
        .unwrap()
        .iter()
        .map(|p| p["point"].as_str().unwrap())
        .collect();
    assert_eq!(killed[0], "forward:before:1");
    assert!(killed[3].starts_with("backward:after:"), "{killed:?}");
    assert!(found["disk"]["synced"]["p50_us"].is_u64() && found["kept"].is_null(), "{found}");
    assert_eq!(ran.stderr.matches("killed and resumed").count(), 4, "{}", ran.stderr);
    assert_eq!(left(home.path()), Vec::<String>::new());
}

#[test]
fn one_point_is_repeated_by_its_name_and_shown_to_people() {
    let home = tempfile::tempdir().unwrap();
    let mut command = bare(home.path());
    let ran = output(command.args(["selftest", "--only", "forward:after:20", "-q"])).exits(0);
    let tail = "\
WAY       KILLED  RESUMED  DUPLICATES  LEAKS  MISSING  LOST
forward   1       1        0           0      0        0
backward  0       0        0           0      0        0

1 of 1 resumed: 0 duplicates, 0 leaks, 0 missing, 0 entries lost.
";
    assert!(ran.stdout.starts_with("disk  ") && ran.stdout.ends_with(tail), "{}", ran.stdout);
    let odd = output(bare(home.path()).args(["selftest", "--only", "forward:after:9999"]));
    drop(odd.exits(2).says("there is no point forward:after:9999"));
    assert_eq!(left(home.path()), Vec::<String>::new());
}

#[test]
fn a_home_without_room_for_it_is_said() {
    let home = tempfile::tempdir().unwrap();
    std::fs::write(home.path().join("file"), "not a folder").unwrap();
    let state = home.path().join("file/state");
    let refused = output(bare(home.path()).env("ESCRR_HOME", &state).arg("selftest"));
    drop(refused.exits(1).says("file/state"));
}

#[test]
fn nothing_dies_on_purpose_in_the_real_cloud() {
    let env = Env::new();
    let spec = "link = \"a-link\"\n[leader]\nregion = \"cn-shanghai\"\ninstance = \"es-cn-a\"\n\
                [follower]\nregion = \"cn-hangzhou\"\ninstance = \"es-cn-b\"\n\
                [replication]\npatterns = [\"logs-*\"]\n";
    let spec = env.write("escrr.toml", spec);
    let refused = env.alone(&["run", &spec, "--yes", "--die", "before:1"]).exits(2);
    drop(refused.says("only in a sandbox").says("ESCRR_DIE"));
    // Nothing was begun, not even the store.
    assert!(!env.home.path().join("state/store").exists());
}

#[test]
fn before_and_after_a_commit_differ_by_its_entry() {
    for (moment, entries) in [("before:5", 4), ("after:5", 5)] {
        let env = Env::new();
        let died = env.escrr(&["run", "--yes", "--output", "ndjson", "--die", moment]);
        // The version line, and the four entries that were acknowledged.
        assert_eq!(died.stdout.lines().count(), 1 + 4, "{}", died.stdout);
        assert!(died.stderr.contains("kills itself"), "{}", died.stderr);
        died.dies_by_kill(moment);
        let events = env.alone(&["events", "--output", "ndjson"]).exits(0);
        assert_eq!(events.stdout.lines().count(), 1 + entries, "{moment}");
    }
}
