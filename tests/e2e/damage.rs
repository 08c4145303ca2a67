//! A journal of which something is missing or belongs to another home, through every command: it
//! is named, and nothing is begun, carried on or written out.

use crate::env::{Env, output};
use crate::store::{everything, interrupted, segment, store};
use std::path::Path;

/// Every command that reads or writes a store, with the pretend cloud or without.
const COMMANDS: [(&[&str], bool); 17] = [
    (&["status"], false),
    (&["list"], false),
    (&["events"], false),
    (&["show", "network.cen"], false),
    (&["graph"], false),
    (&["report", "--out", "report.html"], false),
    (&["store", "export"], false),
    (&["store", "verify"], false),
    (&["store", "rebuild"], false),
    (&["store", "compact"], false),
    (&["retry", "network.cen", "--reason", "x"], false),
    (&["audit"], true),
    (&["plan"], true),
    (&["verify"], true),
    (&["run", "--yes"], true),
    (&["resume"], true),
    (&["rollback", "--yes"], true),
];

/// Every command ends with 10 and names this file, and neither the home nor the cloud changes.
fn is_refused_by_all(env: &Env, file: &Path) {
    let name = file.file_name().unwrap().to_string_lossy().into_owned();
    let (before, changes) = (everything(&store(env)), env.changes());
    for (command, sandbox) in COMMANDS {
        let ended = if sandbox { env.escrr(command) } else { env.alone(command) };
        assert_eq!(ended.code, Some(10), "{command:?}: {ended:?}");
        drop(ended.says(&name));
        assert_eq!(everything(&store(env)), before, "{command:?}");
    }
    assert_eq!(env.changes(), changes);
}

#[test]
fn a_missing_journal_file_is_damage_in_every_command() {
    let env = interrupted();
    let segment = segment(&env);
    let whole = std::fs::read(&segment).unwrap();
    for indexed in [true, false] {
        std::fs::remove_file(&segment).unwrap();
        if !indexed {
            std::fs::remove_dir_all(store(&env).join("sled")).unwrap();
        }
        is_refused_by_all(&env, &segment);
        std::fs::write(&segment, &whole).unwrap();
    }
    drop(env.escrr(&["resume"]).exits(0));
}

#[test]
fn a_journal_file_of_another_home_is_damage_in_every_command() {
    let (env, other) = (interrupted(), interrupted());
    let own = segment(&env);
    let whole = std::fs::read(&own).unwrap();
    std::fs::copy(segment(&other), &own).unwrap();
    std::fs::remove_dir_all(store(&env).join("sled")).unwrap();
    is_refused_by_all(&env, &own);
    drop(env.alone(&["status"]).exits(10).says("belongs to another home"));
    std::fs::write(&own, whole).unwrap();
    drop(env.escrr(&["resume"]).exits(0));
}

#[test]
fn a_lost_meta_is_damage_in_every_command() {
    let env = interrupted();
    std::fs::remove_file(store(&env).join("meta")).unwrap();
    std::fs::remove_dir_all(store(&env).join("journal")).unwrap();
    is_refused_by_all(&env, &store(&env).join("meta"));
}

#[test]
fn an_older_program_is_told_that_the_store_is_newer() {
    let env = interrupted();
    let meta = std::fs::read_to_string(store(&env).join("meta")).unwrap();
    // Version 0.1.0 reads up to format 2, and looks at this line first.
    assert!(meta.contains("\nsmallest reader = 3\n"), "{meta}");
}

#[test]
fn the_state_of_a_newer_program_is_left_alone() {
    let env = interrupted();
    let meta = store(&env).join("meta");
    std::fs::write(&meta, "format = 4\nsmallest reader = 4\n").unwrap();
    let mut command = crate::env::bare(env.home.path());
    drop(output(command.args(["status"])).exits(10).says("format 4; this version reads up to 3"));
}
