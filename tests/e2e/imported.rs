//! What an import takes in can be driven: sagas that cannot are refused before anything is written,
//! and so are specs that run commands here.

use crate::env::{Env, bare, output};
use escrr_engine::{Entry, Event, Outcome, SagaId, Sealed};
use sha2::{Digest as _, Sha256};
use std::fmt::Write as _;

const SPEC: &str = "link = \"a-link\"\n[leader]\nregion = \"cn-shanghai\"\ninstance = \"es-cn-leader000001\"\n\
                    [follower]\nregion = \"cn-hangzhou\"\ninstance = \"es-cn-follower0001\"\n\
                    [replication]\npatterns = [\"logs-*\"]\n";

fn saga(number: u8) -> SagaId {
    SagaId::new(1_000 + u64::from(number), [number; 10])
}

/// An event as a journal keeps it.
fn event(json: &serde_json::Value) -> Event {
    serde_json::from_value(json.clone()).unwrap()
}

fn created(spec: &str) -> Event {
    event(&serde_json::json!({
        "type": "created", "link": "a-link", "spec": spec, "spec_digest": "d", "edition": "e",
        "program": "p", "world": "cloud",
    }))
}

/// An export that holds these sagas.
fn file(sagas: &[(SagaId, Vec<Event>)]) -> String {
    let mut text = "{\"type\":\"escrr.store\",\"schema\":1}\n".to_owned();
    let mut entries = 0;
    for (saga, events) in sagas {
        let mut previous = String::new();
        for (version, event) in (1..).zip(events) {
            let event = event.clone();
            let entry = Sealed::new(Entry { version, at_ms: 5_000 + version, previous, event });
            previous = entry.hash();
            let line = String::from_utf8(entry.line()).unwrap();
            writeln!(text, "{{\"saga\":\"{saga}\",{}", &line[1..]).unwrap();
            entries += 1;
        }
    }
    let sum = Sha256::digest(text.as_bytes()).iter().fold(String::new(), |mut sum, byte| {
        write!(sum, "{byte:02x}").unwrap();
        sum
    });
    let sagas = sagas.len();
    writeln!(
        text,
        "{{\"type\":\"escrr.store.end\",\"sagas\":{sagas},\"entries\":{entries},\"sha256\":\"{sum}\"}}"
    )
    .unwrap();
    text
}

/// Imports into an empty home; the home stays empty if it is refused.
fn imports(sagas: &[(SagaId, Vec<Event>)], more: &[&str]) -> crate::env::Output {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("sagas.jsonl");
    std::fs::write(&path, file(sagas)).unwrap();
    let path = path.display().to_string();
    let arguments = [&["store", "import", path.as_str()], more].concat();
    let told = output(bare(home.path()).args(arguments));
    let listed = output(bare(home.path()).args(["list", "--output", "json"])).exits(0).json();
    let there = listed["links"].as_array().unwrap().len();
    assert_eq!(there, if told.code == Some(0) { sagas.len() } else { 0 }, "{told:?}");
    if told.code == Some(0) {
        drop(output(bare(home.path()).args(["status"])).exits(0));
    }
    told
}

#[test]
fn a_journal_that_cannot_be_folded_is_refused_with_its_line() {
    let fine = vec![created(SPEC)];
    drop(imports(&[(saga(1), fine.clone())], &[]).exits(0));
    let undone = |node: &str| {
        event(&serde_json::json!({"type": "undone", "node": node, "kept": null, "attempts": 1}))
    };
    for (events, what) in [
        (vec![created(SPEC), undone("network.cen")], "network.cen"),
        (vec![created(SPEC), undone("nobody.knows")], "nobody.knows"),
        (vec![created(SPEC), created(SPEC)], "created"),
    ] {
        let refused = imports(&[(saga(1), events)], &[]).exits(2);
        drop(refused.says("E0310").says("line 2").says("cannot be driven").says(what));
    }
}

#[test]
fn two_live_sagas_of_one_link_are_refused() {
    let live = vec![created(SPEC)];
    let ended = vec![created(SPEC), Event::Finished { outcome: Outcome::RolledBack }];
    let both = |one: &Vec<Event>, two: &Vec<Event>| {
        imports(&[(saga(1), one.clone()), (saga(2), two.clone())], &[])
    };
    drop(both(&live, &live).exits(2).says("E0310").says("live"));
    drop(both(&live, &ended).exits(2).says("E0310").says("live"));
    drop(both(&ended, &live).exits(0));
    drop(both(&ended, &ended).exits(0));
}

#[test]
fn a_spec_that_runs_commands_is_refused_unless_they_are_allowed() {
    let access = "[leader.access]\npassword = \"cmd:touch /tmp/never\"\n[follower]";
    let spec = SPEC.replace("[follower]", access);
    let sagas = [(saga(1), vec![created(&spec)])];
    let refused = imports(&sagas, &[]).exits(2).says("leader.access.password = cmd:touch");
    drop(refused.says("E0310").says("--allow-commands"));
    drop(imports(&sagas, &["--allow-commands"]).exits(0).says("cmd:touch"));
}

#[test]
fn what_is_exported_is_imported() {
    let env = Env::new();
    drop(env.escrr(&["run", "--yes"]).exits(0));
    let path = env.write("all.jsonl", &env.alone(&["store", "export"]).exits(0).stdout);
    let home = tempfile::tempdir().unwrap();
    drop(output(bare(home.path()).args(["store", "import", &path])).exits(0));
}
