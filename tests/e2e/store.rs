//! The store through the real binary: its index lost, its journal torn or damaged, checked,
//! repaired, carried to another home and made small.

use crate::env::{Env, Output};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// A home with an interrupted run: some nodes are made, some are not.
pub(crate) fn interrupted() -> Env {
    let env = Env::new();
    env.fault(&["--mutating", "--nth", "6", "--kill", "after"]);
    env.escrr(&["run", "--yes"]).dies_by_kill("change 6");
    env
}

pub(crate) fn store(env: &Env) -> PathBuf {
    env.home.path().join("state/store")
}

/// The journal's newest segment.
pub(crate) fn segment(env: &Env) -> PathBuf {
    let listed = std::fs::read_dir(store(env).join("journal")).unwrap();
    let paths = listed.map(|entry| entry.unwrap().path());
    paths.filter(|path| path.extension().is_some_and(|e| e == "wal")).max().unwrap()
}

/// Everything below a folder, as bytes.
pub(crate) fn everything(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut all = BTreeMap::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            all.extend(everything(&path));
        } else {
            all.insert(path.clone(), std::fs::read(&path).unwrap());
        }
    }
    all
}

/// Where frames begin.
fn frames(bytes: &[u8]) -> Vec<usize> {
    (0..bytes.len()).step_by(8).filter(|at| bytes[*at..].starts_with(b"EJF1")).collect()
}

/// The link's state as the journal has it.
fn state(env: &Env) -> String {
    env.alone(&["status", "--output", "json"]).exits_any(&[0, 1]).stdout
}

/// What an export says, as one text.
fn export(env: &Env) -> String {
    env.alone(&["store", "export"]).exits(0).stdout
}

impl Output {
    /// Asserts that the exit code is one of some.
    pub(crate) fn exits_any(self, codes: &[i32]) -> Self {
        assert!(self.code.is_some_and(|code| codes.contains(&code)), "{self:?}");
        self
    }
}

#[test]
fn an_index_lost_in_any_way_is_made_again_and_nothing_changes() {
    let env = interrupted();
    let sled = store(&env).join("sled");
    drop(env.alone(&["store", "rebuild"]).exits(0));
    let (before, journal) = (state(&env), export(&env));
    // Opens the store as every command does that writes, and has nothing to add.
    let file = env.write("journal.jsonl", &journal);
    let touch = || env.alone(&["store", "import", &file]).exits(0);
    let db = sled.join("db");
    let length = std::fs::metadata(&db).unwrap().len();
    let cut = |length: u64| {
        std::fs::OpenOptions::new().write(true).open(&db).unwrap().set_len(length).unwrap();
    };
    let mut said = 0;
    let gone = || std::fs::remove_dir_all(&sled).unwrap();
    let garbage = || std::fs::write(&db, vec![0xA5; 70_000]).unwrap();
    let not_a_folder = || {
        std::fs::remove_dir_all(&sled).unwrap();
        std::fs::write(&sled, "not a folder").unwrap();
    };
    let ways: [&dyn Fn(); 7] = [
        &gone,
        &garbage,
        &not_a_folder,
        &|| cut(0),
        &|| cut(length / 3),
        &|| cut(length / 2 + 7),
        &|| cut(length - 1),
    ];
    for (way, meddle) in ways.iter().enumerate() {
        meddle();
        assert_eq!(state(&env), before, "way {way}: a reader needs no index");
        let told = touch().stderr.contains("made again of the journal");
        said += usize::from(told);
        assert!(told || way > 3, "way {way} was not said");
        assert_eq!((state(&env), export(&env)), (before.clone(), journal.clone()), "way {way}");
        drop(env.alone(&["store", "verify"]).exits(0).says("nothing is wrong"));
    }
    println!("{said} of {} lost indices were made again", ways.len());
    drop(env.escrr(&["resume"]).exits(0));
    gone();
    drop(env.escrr(&["rollback", "--yes"]).exits(0).says("made again of the journal"));
}

#[test]
fn a_torn_last_frame_is_dropped_and_the_run_goes_on() {
    let whole = interrupted();
    let bytes = std::fs::read(segment(&whole)).unwrap();
    let last = *frames(&bytes).last().unwrap();
    let end = bytes.iter().rposition(|byte| *byte != 0).unwrap() + 1;
    let mut torn = 0;
    for sector in (last / 512 * 512..end).step_by(512) {
        let mut cut = bytes.clone();
        cut[sector.max(last)..(sector + 512).min(end)].fill(0);
        std::fs::write(segment(&whole), cut).unwrap();
        // The index may have seen the frame; a power cut that tears it lets nobody see it.
        // Readers do not make it again, so from the second time on there is none.
        let index = store(&whole).join("sled");
        if index.exists() {
            std::fs::remove_dir_all(index).unwrap();
        }
        drop(whole.alone(&["store", "verify"]).exits(0).says("nothing is wrong"));
        drop(whole.alone(&["status"]).exits_any(&[0, 1]));
        torn += 1;
    }
    assert!(torn > 0);
    drop(whole.escrr(&["resume"]).exits(0));
    drop(whole.alone(&["store", "verify"]).exits(0).says("nothing is wrong"));
    drop(whole.escrr(&["rollback", "--yes"]).exits(0));
}

#[test]
fn a_flipped_bit_ends_with_its_place_and_nothing_is_overwritten() {
    let env = interrupted();
    let segment = segment(&env);
    let whole = std::fs::read(&segment).unwrap();
    let end = whole.iter().rposition(|byte| *byte != 0).unwrap() + 1;
    let begins = frames(&whole[..end]);
    let name = segment.file_name().unwrap().to_string_lossy().into_owned();
    let mut flips = 0;
    for bit in (3..end * 8).step_by((end * 8 / 25) | 1) {
        let mut bytes = whole.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        std::fs::write(&segment, bytes).unwrap();
        let before = everything(&store(&env));
        let at = begins.iter().rfind(|at| **at <= bit / 8).unwrap();
        let place = format!("{name}, byte {at}");
        for command in [&["status"][..], &["store", "verify"], &["store", "rebuild"]] {
            drop(env.alone(command).exits(10).says(&place).says("escrr store rebuild"));
        }
        drop(env.escrr(&["resume"]).exits(10).says(&place).says("escrr store verify"));
        assert_eq!(everything(&store(&env)), before, "bit {bit}");
        flips += 1;
    }
    println!("{flips} flipped bits, each named with its place by four commands");
    std::fs::write(&segment, whole).unwrap();
    drop(env.escrr(&["resume"]).exits(0));
}

#[test]
fn a_finding_is_a_document_too() {
    let env = interrupted();
    let begins = frames(&std::fs::read(segment(&env)).unwrap());
    for frame in [2, 4] {
        spoil(&env, frame);
    }
    let json = env.alone(&["store", "verify", "--output", "json"]).exits(10).json();
    assert_eq!((&json["exit_code"], &json["index"]), (&10.into(), &"not_checked".into()));
    let places: Vec<u64> =
        json["findings"].as_array().unwrap().iter().filter_map(|f| f["byte"].as_u64()).collect();
    for frame in [2, 4] {
        assert!(places.contains(&(begins[frame] as u64)), "{json}");
    }
    let lines = env.alone(&["store", "verify", "--output", "ndjson"]).exits(10).stdout;
    let last: serde_json::Value = serde_json::from_str(lines.lines().last().unwrap()).unwrap();
    assert_eq!((&last["type"], &last["damaged"]), (&"summary".into(), &places.len().into()));
}

/// Spoils a frame of the journal.
fn spoil(env: &Env, frame: usize) {
    let mut bytes = std::fs::read(segment(env)).unwrap();
    let at = frames(&bytes)[frame];
    bytes[at + 40] ^= 1;
    std::fs::write(segment(env), bytes).unwrap();
}

#[test]
fn a_salvaged_store_goes_on_from_what_was_kept() {
    let env = interrupted();
    // The index knows everything: nothing is lost.
    drop(env.alone(&["store", "rebuild"]).exits(0));
    let (before, journal) = (state(&env), export(&env));
    spoil(&env, 4);
    drop(env.escrr(&["resume"]).exits(10));
    let told = env.alone(&["store", "rebuild", "--salvage"]).exits(0);
    drop(told.says("none known to be lost").says("store.damaged-1").says("escrr audit"));
    assert_eq!((state(&env), export(&env)), (before, journal));
    drop(env.escrr(&["resume"]).exits(0));
}

#[test]
fn a_saga_of_which_entries_are_lost_is_neither_carried_on_nor_taken_back() {
    let env = Env::new();
    let before = env.inventory();
    env.fault(&["--mutating", "--nth", "6", "--kill", "after"]);
    env.escrr(&["run", "--yes"]).dies_by_kill("change 6");
    spoil(&env, 8);
    std::fs::remove_dir_all(store(&env).join("sled")).unwrap();
    drop(env.escrr(&["resume"]).exits(10).says("--salvage"));
    let json = env.alone(&["store", "rebuild", "--salvage", "--output", "json"]).exits(0).json();
    let saga = &json["sagas"][0];
    assert!(saga["kept"].as_u64().unwrap() > 1 && saga["lost"].is_array(), "{json}");
    assert!(env.home.path().join("state/store.damaged-1").is_dir());
    drop(env.alone(&["store", "verify"]).exits(0).says("nothing is wrong"));
    assert_eq!(saga["incomplete"], true);
    let changes = env.changes();
    drop(env.alone(&["status"]).exits(0).says("history incomplete").says("escrr audit"));
    let state = env.alone(&["status", "--output", "json"]).exits(0).json();
    assert_eq!(state["state"], "history_incomplete");
    drop(env.alone(&["list"]).exits(0).says("history incomplete"));
    drop(env.alone(&["events"]).exits(0).says("the history is incomplete"));
    for command in [&["resume"][..], &["rollback", "--yes"], &["run", "--yes"]] {
        drop(env.escrr(command).exits(10).says("E0311").says("escrr audit"));
    }
    let decided = env.alone(&["retry", "network.cen", "--reason", "x"]).exits(10);
    drop(decided.says("E0311"));
    // Whatever an audit finds, it does not end with 0.
    drop(env.escrr(&["audit"]).exits_any(&[8, 10]).says("is incomplete"));
    assert_eq!(env.changes(), changes);
    // It goes along with an export.
    let file = env.write("carried.jsonl", &export(&env));
    std::fs::rename(env.home.path().join("state"), env.home.path().join("elsewhere")).unwrap();
    drop(env.alone(&["store", "import", &file]).exits(0));
    drop(env.escrr(&["rollback", "--yes"]).exits(10).says("E0311"));
    // A person decides that the run goes on by what the cloud shows of it, once that is at rest.
    env.cloud.pass(3_600);
    drop(env.escrr(&["adopt", "--yes"]).exits(0).says("adopted"));
    drop(env.escrr(&["rollback", "--yes"]).exits(0));
    assert_eq!(env.inventory(), before, "what entries were lost of is rolled back too");
}

#[test]
fn a_saga_is_carried_to_another_home_and_goes_on_there() {
    let env = interrupted();
    let file = env.home.path().join("out/sagas.jsonl").display().to_string();
    drop(env.alone(&["store", "export", &file]).exits(1).says("cannot write"));
    std::fs::create_dir(env.home.path().join("out")).unwrap();
    drop(env.alone(&["store", "export", &file]).exits(0).says("1 saga"));
    let mode = std::os::unix::fs::MetadataExt::mode(&std::fs::metadata(&file).unwrap());
    assert_eq!(mode & 0o777, 0o600);
    let text = std::fs::read_to_string(&file).unwrap();
    assert_eq!(text, export(&env));
    drop(env.alone(&["store", "export", &file]).exits(2).says("--force"));
    drop(env.alone(&["store", "export", &file, "--force"]).exits(0));
    drop(env.alone(&["store", "export", "--link", "nobody"]).exits(2).says("nobody"));
    assert_eq!(std::fs::read_dir(env.home.path().join("out")).unwrap().count(), 1);
    let wrong = env.write("wrong.jsonl", &text.replacen("\"previous\":\"", "\"previous\":\"0", 3));
    drop(env.alone(&["store", "import", &wrong]).exits(2).says("line "));
    let before = state(&env);
    std::fs::rename(env.home.path().join("state"), env.home.path().join("elsewhere")).unwrap();
    drop(env.alone(&["store", "verify"]).exits(0).says("no store"));
    drop(env.alone(&["store", "import", &wrong]).exits(2).says("line "));
    drop(env.alone(&["store", "import", &file]).exits(0).says("1 saga new"));
    assert_eq!((state(&env), export(&env)), (before, text));
    drop(env.alone(&["store", "import", &file]).exits(0).says("1 here already"));
    drop(env.escrr(&["resume"]).exits(0));
    drop(env.escrr(&["rollback", "--yes"]).exits(0));
}

#[test]
fn a_small_store_goes_on() {
    let env = interrupted();
    let before = (state(&env), export(&env));
    let json = env.alone(&["store", "compact", "--output", "json"]).exits(0).json();
    let bytes = |when: &str| json[format!("bytes_{when}")].as_u64().unwrap();
    assert!(bytes("after") < bytes("before"), "{json}");
    drop(env.alone(&["store", "verify"]).exits(0).says("nothing is wrong"));
    assert_eq!((state(&env), export(&env)), before);
    drop(env.alone(&["store", "rebuild"]).exits(0).says("sled.broken-1"));
    drop(env.alone(&["store", "compact"]).exits(0).says("kept a broken index"));
    drop(env.alone(&["store", "compact", "--purge"]).exits(0).says("removed a broken index"));
    drop(env.escrr(&["resume"]).exits(0));
}
