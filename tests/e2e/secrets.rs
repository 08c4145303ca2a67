//! Secrets are nowhere: not in the home, not in what is printed, not in the log.

use crate::env::Env;
use std::path::Path;

fn files(folder: &Path, found: &mut Vec<std::path::PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
        if entry.path().is_dir() {
            files(&entry.path(), found);
        } else {
            found.push(entry.path());
        }
    }
}

#[test]
fn no_secret_is_found_in_the_home_or_in_the_output() {
    let env = Env::new();
    let line = env.cloud.line();
    let secrets =
        ["access_key_secret", "elastic_password"].map(|k| line[k].as_str().unwrap().to_owned());
    let mut said = String::new();
    for arguments in [
        &["run", "--yes", "-v"][..],
        &["status", "--output", "json"],
        &["events", "--output", "ndjson"],
        &["show", "network.cen"],
        &["rollback", "--yes", "-v"],
    ] {
        let sandboxed = ["run", "rollback"].contains(&arguments[0]);
        let ran = if sandboxed { env.escrr(arguments) } else { env.alone(arguments) }.exits(0);
        said.push_str(&ran.stdout);
        said.push_str(&ran.stderr);
    }
    let mut all = Vec::new();
    files(&env.home.path().join("state"), &mut all);
    assert!(all.len() > 3, "the home holds a store and a log: {all:?}");
    for secret in secrets {
        assert!(!said.contains(&secret), "a secret was printed");
        for path in &all {
            let bytes = std::fs::read(path).unwrap();
            let held = bytes.windows(secret.len()).any(|w| w == secret.as_bytes());
            assert!(!held, "{} holds a secret", path.display());
        }
    }
}
