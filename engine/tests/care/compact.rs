//! A small store holds what the large one held, and may be interrupted anywhere on the way.

use crate::{everything, files, is_sound, large, lock, open, restore, small};
use escrr_engine::store::care::{self, Compacted};
use escrr_engine::store::{Holder, Home, Lock, Reading, StoreError, Writer};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

fn compacted(home: &Path, purge: bool) -> Compacted {
    care::compact(home, lock(home), purge).unwrap()
}

#[test]
fn everything_comes_into_one_archive_and_stays_readable() {
    for (folder, mut growing) in [small(), large()] {
        let home = folder.path();
        let told = compacted(home, false);
        println!("{} bytes before, {} after", told.before, told.after);
        assert!(told.after < told.before && told.files_after <= told.files_before);
        assert_eq!((files(home, ".arc").len(), files(home, ".wal").len()), (1, 0));
        is_sound(home);
        growing.check(home);
        assert_eq!(open(home).notices(), []);
        growing.grow(&mut open(home), 1..3, 70);
        growing.check(home);
        let again = compacted(home, false);
        assert!(again.after < again.before);
        is_sound(home);
        growing.check(home);
    }
}

#[test]
fn what_is_small_already_stays_as_it_is() {
    let (folder, growing) = large();
    compacted(folder.path(), false);
    let journal = folder.path().join("store/journal");
    let before = everything(&journal);
    compacted(folder.path(), false);
    let archive = |(path, _): &(&PathBuf, _)| path.extension().is_some_and(|e| e == "arc");
    assert!(everything(&journal).iter().filter(archive).eq(before.iter().filter(archive)));
    growing.check(folder.path());
}

#[test]
fn broken_indices_go_only_when_asked() {
    let (folder, growing) = small();
    let home = folder.path();
    std::fs::remove_dir_all(home.join("store/sled")).unwrap();
    std::fs::write(home.join("store/sled"), "not a folder").unwrap();
    drop(open(home));
    let kept = home.join("store/sled.broken-1");
    assert_eq!(compacted(home, false).aside, std::slice::from_ref(&kept));
    assert!(kept.exists());
    assert_eq!(compacted(home, true).aside, std::slice::from_ref(&kept));
    assert!(!kept.exists());
    growing.check(home);
}

/// The files of a store at one moment.
type Files = BTreeMap<PathBuf, Vec<u8>>;

/// Every state that an interruption may leave between `before` and `after`: the new archive
/// half written, then whole, then the old files gone one by one, then the index.
fn between(before: &Files, after: &Files) -> Vec<Files> {
    let is_new = |path: &Path| !before.contains_key(path);
    let (path, archive) = after
        .iter()
        .find(|(path, _)| path.extension().is_some_and(|e| e == "arc") && is_new(path))
        .unwrap();
    let mut half = before.clone();
    half.insert("store/journal/unfinished-archive".into(), archive[..archive.len() / 2].to_vec());
    let mut now = before.clone();
    now.insert(path.clone(), archive.clone());
    let mut states = vec![before.clone(), half, now.clone()];
    let journal = Path::new("store/journal");
    let gone: Vec<&PathBuf> = before
        .keys()
        .filter(|path| path.starts_with(journal) && !after.contains_key(*path))
        .collect();
    for path in gone {
        now.remove(path);
        states.push(now.clone());
    }
    let sled: Vec<PathBuf> =
        now.keys().filter(|path| path.starts_with("store/sled")).cloned().collect();
    for path in sled {
        now.remove(&path);
        states.push(now.clone());
    }
    states.push(after.clone());
    states
}

#[test]
fn an_interruption_anywhere_loses_nothing() {
    let (mut states, mut journals) = (0, Vec::new());
    let (folder, growing) = large();
    let home = folder.path();
    // Archives alone, so that only the merge is between the two states.
    drop(open(home));
    let before = everything(home);
    compacted(home, false);
    journals.push((between(&before, &everything(home)), growing));
    let (segments, growing) = small();
    let before = everything(segments.path());
    compacted(segments.path(), false);
    journals.push((between(&before, &everything(segments.path())), growing));
    for (all, growing) in &journals {
        for state in all {
            restore(home, state);
            // Whoever only reads sees everything, and whoever writes too.
            assert_eq!(Reading::open(home).unwrap().heads().unwrap().len(), growing.0.len());
            growing.check(home);
            if states % 3 == 0 {
                compacted(home, false);
                is_sound(home);
                growing.check(home);
            }
            states += 1;
        }
    }
    println!("{states} states between before and after");
    assert!(states > 10);
}

#[test]
fn a_damaged_store_is_not_touched() {
    let (folder, _) = large();
    let archive = files(folder.path(), ".arc")[0].clone();
    let mut bytes = std::fs::read(&archive).unwrap();
    let last = bytes.len() - 100;
    bytes[last] ^= 1;
    std::fs::write(&archive, bytes).unwrap();
    let before: Vec<PathBuf> = files(folder.path(), ".arc");
    let error = care::compact(folder.path(), lock(folder.path()), true).unwrap_err();
    assert!(matches!(&error, StoreError::Damaged { .. }), "{error}");
    let kept = files(folder.path(), ".arc");
    assert!(before.iter().all(|path| kept.contains(path)), "{kept:?}");
}

#[test]
fn the_lock_is_held_and_then_released() {
    let (folder, _) = small();
    let held = lock(folder.path());
    assert!(Home::open(folder.path(), &Holder::default()).is_err());
    care::compact(folder.path(), held, false).unwrap();
    assert_eq!(Lock::writer(folder.path()), Writer::Nobody);
}
