//! Homes that released versions left in the middle of a run: this version opens them, goes on,
//! and takes everything back.
//!
//! `UPDATE_GOLDEN=1 cargo test -p escrr-tests --test e2e golden` makes the home of this version
//! anew. The home of a version that was released is never made again.

use crate::env::{Cloud, Env, Output, bare, output, shape};
use crate::together::{two_links, world};
use serde_json::Value;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

/// Every golden home holds one link that was set up and archived, and one whose run was killed
/// right after this change took effect.
const KILLED_AFTER: &str = "20";

pub(crate) fn golden() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("golden")
}

fn copy(from: &Path, to: &Path) {
    // A home into which others may write is refused, whatever mask the tests run under.
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        if from.is_dir() {
            copy(&from, &to);
        } else {
            std::fs::copy(&from, &to).unwrap();
        }
    }
}

/// A copy of a golden home; its pretend cloud lies in it.
pub(crate) struct Home(pub(crate) tempfile::TempDir);

impl Home {
    pub(crate) fn of(version: &Path) -> Self {
        let home = Self(tempfile::tempdir().unwrap());
        copy(&version.join("store"), &home.0.path().join("state/store"));
        copy(&version.join("world"), &home.0.path().join("state/sandbox/world"));
        home
    }

    pub(crate) fn escrr(&self, arguments: &[&str]) -> Output {
        output(bare(self.0.path()).args(arguments))
    }

    fn inventory(&self) -> Value {
        self.escrr(&["sandbox", "inventory", "--output", "json"]).exits(0).json()["things"].clone()
    }
}

#[expect(clippy::disallowed_methods, reason = "whoever makes a golden home says so")]
fn is_asked_for() -> bool {
    std::env::var_os("UPDATE_GOLDEN").is_some()
}

/// Makes the golden home of this version.
fn make(target: &Path) {
    let env = Env::over(Cloud::start(&["--world", &world()]));
    let (one, two) = two_links(&env);
    std::fs::remove_dir_all(target).ok();
    std::fs::create_dir_all(target).unwrap();
    let before = env.inventory();
    drop(env.escrr(&["run", &one, "--yes"]).exits(0));
    drop(env.alone(&["store", "compact"]).exits(0));
    env.fault(&["--mutating", "--nth", KILLED_AFTER, "--kill", "after"]);
    env.escrr(&["run", &two, "--yes"]).dies_by_kill("the golden run");
    drop(env.escrr(&["sandbox", "fault", "--clear"]).exits(0));
    let exported = env.alone(&["store", "export", "-"]).exits(0).stdout;
    std::fs::write(target.join("export.jsonl"), exported).unwrap();
    std::fs::write(target.join("before.json"), format!("{before:#}\n")).unwrap();
    copy(&env.home.path().join("state/store"), &target.join("store"));
    // Nobody asks it any more, and what it has answered is on disk.
    copy(&env.cloud.world(), &target.join("world"));
    // Whoever opens a world writes it down in short; the requests so far are not wanted.
    let home = Home::of(target);
    drop(home.inventory());
    std::fs::remove_dir_all(target.join("world")).unwrap();
    copy(&home.0.path().join("state/sandbox/world"), &target.join("world"));
    std::fs::remove_file(target.join("world/log.ndjson")).unwrap();
}

#[test]
fn a_home_of_every_version_is_opened_carried_on_and_taken_back() {
    let own = golden().join(env!("CARGO_PKG_VERSION"));
    if is_asked_for() {
        make(&own);
    }
    let mut versions = Vec::new();
    for version in std::fs::read_dir(golden()).unwrap() {
        let version = version.unwrap().path();
        let home = Home::of(&version);
        let before = std::fs::read_to_string(version.join("before.json")).unwrap();
        let before: Value = serde_json::from_str(&before).unwrap();
        let exported = std::fs::read_to_string(version.join("export.jsonl")).unwrap();
        assert_eq!(home.escrr(&["store", "export", "-"]).exits(0).stdout, exported);
        drop(home.escrr(&["store", "verify"]).exits(0));
        drop(home.escrr(&["list"]).exits(0).says("succeeded").says("interrupted"));
        drop(home.escrr(&["resume", "two", "--sandbox"]).exits(0));
        let made = shape(&home.inventory());
        drop(home.escrr(&["rollback", "two", "--yes", "--sandbox"]).exits(0));
        drop(home.escrr(&["rollback", "one", "--yes", "--sandbox"]).exits(0));
        assert_ne!(made, shape(&before));
        assert_eq!(home.inventory(), before, "{}", version.display());
        versions.push(version);
    }
    assert!(versions.contains(&own), "there is no golden home of this version");
}
