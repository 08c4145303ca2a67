//! A home that is lost, and a second home that meets what the first one created.

use crate::env::Env;

/// The home's store is gone; the sandbox and everything in it stays.
fn lose(env: &Env) {
    let store = env.home.path().join("state/store");
    std::fs::remove_dir_all(&store).unwrap();
}

#[test]
fn a_run_meets_a_run_of_a_lost_home_and_stops_before_anything_is_created() {
    let env = Env::new();
    drop(env.escrr(&["run", "--yes"]).exits(0));
    let before = env.inventory();
    lose(&env);
    let run = env.escrr(&["run", "--yes"]).exits(5);
    assert!(run.stderr.contains("resources belong to the run"), "{}", run.stderr);
    assert!(run.stderr.contains("escrr adopt"), "{}", run.stderr);
    assert_eq!(env.inventory(), before, "nothing was created, nothing deleted");
    let audit = env.escrr(&["audit", "--output", "json"]).exits(8);
    let document = audit.json();
    let left = document["leftovers"].as_array().unwrap();
    assert!(left.len() >= 10, "every kind, with its id: {left:?}");
    assert!(left.iter().any(|row| !row["cost"].is_null()), "what costs is said: {left:?}");
}

#[test]
fn a_lost_run_is_adopted_and_rolled_back_to_nothing() {
    let env = Env::new();
    let before = env.inventory();
    drop(env.escrr(&["run", "--yes"]).exits(0));
    lose(&env);
    let asked = env.escrr(&["adopt", "--no-input"]).exits(2);
    assert!(asked.stderr.contains("--yes"), "{}", asked.stderr);
    let adopted = env.escrr(&["adopt", "--yes"]).exits(0);
    assert!(adopted.stdout.contains("adopted"), "{}", adopted.stdout);
    drop(env.escrr(&["rollback", "--yes"]).exits(0));
    assert_eq!(env.inventory(), before);
    let again = env.escrr(&["adopt", "--yes"]).exits(0);
    assert!(again.stderr.contains("nothing carries the tags"), "{}", again.stderr);
}

#[test]
fn an_adopted_run_is_completed_by_a_resume() {
    let env = Env::new();
    env.fault(&["--refuse", "QuotaExceeded", "--action", "CreateListener"]);
    assert_ne!(env.escrr(&["run", "--yes"]).code, Some(0));
    env.fault(&["--clear"]);
    lose(&env);
    drop(env.escrr(&["adopt", "--yes"]).exits(0));
    drop(env.escrr(&["resume"]).exits(0));
    let verify = env.escrr(&["audit", "--output", "json"]).exits(0).json();
    assert_eq!(verify["leftovers"].as_array().map(Vec::len), Some(0), "{verify}");
}
