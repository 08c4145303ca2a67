//! The self-test, as an operator runs it; and the switch to die, which is not for them.

use crate::env::{Env, bare, output};
use escrr::selftest::Point;
use escrr::selftest::child::Binary;
use escrr::selftest::life::{Clean, live, undisturbed};
use escrr::selftest::verdict::Verdict;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::Stdio;

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
fn interrupted_it_leaves_neither_a_directory_nor_a_process() {
    let home = tempfile::tempdir().unwrap();
    let mut command = bare(home.path());
    let command = command.arg("selftest").stdout(Stdio::null()).stderr(Stdio::piped());
    let mut tested = command.spawn().unwrap();
    let mut lines = BufReader::new(tested.stderr.take().unwrap()).lines();
    lines.by_ref().find(|l| l.as_ref().is_ok_and(|l| l.contains("1/12"))).unwrap().unwrap();
    let pid = tested.id().to_string();
    drop(output(std::process::Command::new("kill").args(["-INT", &pid])).exits(0));
    let rest: Vec<String> = lines.map(Result::unwrap).collect();
    assert_eq!(tested.wait().unwrap().code(), Some(130), "{rest:?}");
    assert_eq!(rest.last().unwrap(), "stopped; nothing is kept");
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
        // The version line, and of the four entries before that one what was said by then.
        assert!(died.stdout.lines().count() <= 1 + 4, "{}", died.stdout);
        assert!(died.stderr.contains("kills itself"), "{}", died.stderr);
        died.dies_by_kill(moment);
        let events = env.alone(&["events", "--output", "ndjson"]).exits(0);
        assert_eq!(events.stdout.lines().count(), 1 + entries, "{moment}");
    }
}

/// A program that does to the real one what a broken store or engine would do.
fn broken(folder: &Path, name: &str, case: &str) -> Binary {
    let real = env!("CARGO_BIN_EXE_escrr_under_test");
    let script =
        format!("#!/bin/sh\nreal={real}\ncase \"$1\" in\n{case}\nesac\nexec $real \"$@\"\n");
    let (draft, path) = (folder.join(format!("{name}.draft")), folder.join(format!("{name}.sh")));
    std::fs::write(&draft, script).unwrap();
    // A file that this process has written cannot be run while another test's child, forked in
    // that moment, still holds it open: so another process writes it.
    let install = &mut std::process::Command::new("install");
    drop(output(install.args(["-m", "700"]).arg(&draft).arg(&path)).exits(0));
    Binary::at(path)
}

/// Whoever proves that nothing is lost has to notice it when something is.
#[test]
fn what_is_broken_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let dir = |name: &str| folder.path().join(name);
    let good = Binary::at(env!("CARGO_BIN_EXE_escrr_under_test"));
    let point: Point = "forward:after:20".parse().unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let clean = runtime.block_on(undisturbed(dir("undisturbed"), &good)).unwrap();
    let live = |clean: &Clean, name: &str, binary: &Binary| {
        let lived: Verdict = runtime.block_on(live(point, clean, dir(name), binary)).unwrap();
        assert!(!lived.holds() && dir(name).exists(), "{lived:?}");
        lived
    };

    // Held against a life that made one thing less, one is there twice; and the other way round.
    let mut less = clean.clone();
    let made = less.set_up.iter().position(|thing| thing.kind == "vpc_attachment").unwrap();
    let attachment = less.set_up.remove(made);
    let twice = live(&less, "twice", &good);
    let leaked = twice.differences.duplicates.len() + twice.differences.leaks.len();
    assert_eq!((leaked, twice.resumed), (1, true), "{twice:?}");
    let mut more = clean.clone();
    more.set_up.push(attachment);
    assert_eq!(live(&more, "missing", &good).differences.missing.len(), 1);

    // The fifth entry goes; the version line comes before the first.
    let forgets = broken(folder.path(), "forgets", "events) $real \"$@\" | sed 6d; exit 0;;");
    let lost = live(&clean, "lost", &forgets).lost;
    assert!(lost.len() == 1 && lost[0].starts_with("{\"seq\":5,"), "{lost:?}");

    let lazy = broken(folder.path(), "lazy", "resume) exit 1;;");
    let stuck = live(&clean, "stuck", &lazy);
    assert!(!stuck.resumed && !stuck.differences.missing.is_empty(), "{stuck:?}");

    let damages = broken(folder.path(), "damages", "resume) echo mince > store/meta;;");
    assert!(live(&clean, "damaged", &damages).unopened);

    // It drops the switch to die, which is the third and fourth of its arguments.
    let immortal = "run) a=$1 b=$2; shift 4; exec $real $a $b \"$@\";;";
    let immortal = live(&clean, "immortal", &broken(folder.path(), "immortal", immortal));
    assert!(immortal.trouble.concat().contains("was to be killed"), "{immortal:?}");
}
