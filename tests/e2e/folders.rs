//! The home as the system gives it: what cannot be looked at is not empty, what others may write
//! to is refused, what is made is its owner's alone, and limits are no crash.

use crate::env::{Env, Output, bare, output};
use crate::store::{interrupted, store};
use std::fs::Permissions;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Commands that once took what they could not look at for nothing.
const COMMANDS: [&[&str]; 7] = [
    &["list"],
    &["status"],
    &["events"],
    &["store", "export"],
    &["store", "verify"],
    &["resume", "--sandbox=none.json"],
    &["rollback", "--yes", "--sandbox=none.json"],
];

/// The store cannot be looked at: every command says so, names the path, and claims nothing.
fn is_no_empty_home(run: &dyn Fn(&[&str]) -> Output, path: &Path) {
    for command in COMMANDS {
        let ended = run(command);
        assert_eq!(ended.code, Some(1), "{command:?}: {ended:?}");
        let told = ended.says("E0306").says(&path.display().to_string());
        assert!(!told.stderr.contains("escrr run") && told.stdout.is_empty(), "{told:?}");
    }
}

#[test]
fn what_cannot_be_looked_at_is_not_empty() {
    let env = interrupted();
    let store = store(&env);
    let aside = store.with_file_name("aside");
    let alone = |command: &[&str]| env.alone(command);
    std::fs::rename(&store, &aside).unwrap();
    symlink("store", &store).unwrap();
    is_no_empty_home(&alone, &store);
    std::fs::remove_file(&store).unwrap();
    // A disk that is not mounted.
    symlink("/nowhere/at/all", &store).unwrap();
    is_no_empty_home(&alone, &store);
    std::fs::remove_file(&store).unwrap();
    std::fs::rename(&aside, &store).unwrap();
    drop(env.escrr(&["resume"]).exits(0));
}

#[test]
fn a_home_of_somebody_else_is_not_empty() {
    let env = interrupted();
    let state = env.home.path().join("state");
    let root = rustix::process::geteuid().is_root();
    std::fs::set_permissions(env.home.path(), Permissions::from_mode(0o755)).unwrap();
    if !root {
        std::fs::set_permissions(&state, Permissions::from_mode(0o000)).unwrap();
    }
    let run = |arguments: &[&str]| {
        let mut command = bare(env.home.path());
        if root {
            command.uid(65_534);
        }
        output(command.args(arguments))
    };
    is_no_empty_home(&run, &state);
    drop(run(&["list"]).says("belongs to user").says("has mode"));
    std::fs::set_permissions(&state, Permissions::from_mode(0o700)).unwrap();
}

/// Everything below a folder, and the folder, with the modes.
fn modes(folder: &Path) -> Vec<(PathBuf, u32, bool)> {
    let about = std::fs::metadata(folder).unwrap();
    let mut all = vec![(folder.to_owned(), about.mode() & 0o777, about.is_dir())];
    if about.is_dir() {
        for entry in std::fs::read_dir(folder).unwrap() {
            all.extend(modes(&entry.unwrap().path()));
        }
    }
    all
}

/// The binary, started by a shell that says this first.
fn after(env: &Env, first: &str, inner: &Command) -> Output {
    let mut command = Command::new("sh");
    command.arg("-c").arg(format!("{first}; exec \"$0\" \"$@\"")).arg(inner.get_program());
    command.args(inner.get_args()).env_clear().current_dir(env.home.path());
    for (name, value) in inner.get_envs() {
        command.env(name, value.unwrap_or_default());
    }
    output(&mut command)
}

#[test]
fn a_home_is_its_owners_alone_whatever_the_mask() {
    for mask in ["000", "077", "0777"] {
        let env = Env::new();
        drop(after(&env, &format!("umask {mask}"), &env.command(&["run", "--yes"])).exits(0));
        for (path, mode, is_folder) in modes(&env.home.path().join("state")) {
            assert_eq!(mode, if is_folder { 0o700 } else { 0o600 }, "{mask}: {}", path.display());
        }
    }
}

#[test]
fn a_home_into_which_others_may_write_is_refused_and_what_is_in_it_is_tightened() {
    let env = interrupted();
    let state = env.home.path().join("state");
    let chmod = |path: &Path, mode| {
        std::fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    };
    for (place, mode) in [
        (state.clone(), 0o777),
        (state.clone(), 0o770),
        (store(&env), 0o1777),
        (store(&env).join("journal"), 0o702),
    ] {
        chmod(&place, mode);
        let advice = format!("chmod go-w {}", place.display());
        for command in [&["status"][..], &["list"], &["store", "export"]] {
            drop(env.alone(command).exits(1).says("E0306").says(&advice));
        }
        drop(env.escrr(&["resume"]).exits(1).says("E0306").says(&advice));
        chmod(&place, 0o700);
    }
    for (path, _, is_folder) in modes(&store(&env)) {
        chmod(&path, if is_folder { 0o755 } else { 0o644 });
    }
    drop(env.escrr(&["resume"]).exits(0));
    for folder in [store(&env), store(&env).join("journal")] {
        assert_eq!(std::fs::metadata(&folder).unwrap().mode() & 0o777, 0o700);
    }
}

#[test]
fn links_in_the_place_of_the_lock_and_the_log_are_not_written_through() {
    let env = interrupted();
    let state = env.home.path().join("state");
    let theirs = env.home.path().join("theirs");
    for name in ["lock", "logs/escrr.log"] {
        std::fs::write(&theirs, "theirs").unwrap();
        std::fs::remove_file(state.join(name)).unwrap();
        symlink(&theirs, state.join(name)).unwrap();
        let ended = env.escrr(&["resume"]);
        if name == "lock" {
            drop(ended.exits(1).says("state/lock").says("symbolic link"));
        } else {
            drop(ended.exits(0).says("nothing is logged"));
        }
        assert_eq!(std::fs::read_to_string(&theirs).unwrap(), "theirs", "{name}");
        std::fs::remove_file(state.join(name)).unwrap();
    }
}

#[test]
fn a_store_is_checked_where_nothing_can_be_written() {
    let env = interrupted();
    let mut verify = bare(env.home.path());
    verify.args(["store", "verify"]);
    let full = after(&env, "ulimit -f 0", &verify).exits(0);
    drop(full.says("nothing is wrong").says("without the lock"));
    let lock = env.home.path().join("state/lock");
    std::fs::remove_file(&lock).unwrap();
    std::fs::create_dir(&lock).unwrap();
    let json = env.alone(&["store", "verify", "--output", "json"]).exits(0).json();
    assert_eq!((&json["damaged"], &json["index"]), (&0.into(), &"unwritable".into()));
    std::fs::remove_dir(&lock).unwrap();
    // Damage is found there as well.
    std::fs::remove_file(crate::store::segment(&env)).unwrap();
    drop(after(&env, "ulimit -f 0", &verify).exits(10).says(".wal"));
}

#[test]
fn a_limit_on_the_length_of_files_is_a_full_disk() {
    let env = Env::new();
    // In blocks of 512 or of 1024 bytes, as the shell has it: less than a segment in both.
    let ended = after(&env, "ulimit -f 200", &env.command(&["run", "--yes"])).exits(1);
    drop(ended.says("E0305"));
    assert!(env.changes().is_empty(), "nothing is asked for that is not on disk first");
    drop(env.alone(&["store", "verify"]).exits(0));
    drop(env.escrr(&["run", "--yes"]).exits(0));
}
