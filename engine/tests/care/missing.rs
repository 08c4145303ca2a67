//! A file of the journal that is missing, of another home, or of another time is damage that names
//! it: never an empty store, and never somebody else's sagas.

use crate::{Growing, everything, files, is_sound, large, lock, open, restore, small, verified};
use escrr_engine::store::care;
use escrr_engine::store::{Holder, Home, Reading, Store as _, StoreError};
use std::path::{Path, PathBuf};

/// Every way into a store refuses it, names this file, and changes nothing.
fn is_refused(home: &Path, file: &Path) {
    let name = file.file_name().unwrap().to_string_lossy().into_owned();
    let before = everything(home);
    let sound = |error: StoreError| {
        assert!(matches!(error, StoreError::Damaged { .. }), "{error}");
        assert!(error.to_string().contains(&name), "{name} is not in {error}");
    };
    sound(Reading::open(home).unwrap_err());
    sound(Home::open(home, &Holder::default()).unwrap_err());
    sound(care::rebuild(home, &lock(home)).unwrap_err());
    let findings = verified(home).findings;
    assert!(findings.iter().any(|one| one.file == file), "{name}: {findings:#?}");
    assert_eq!(everything(home), before, "{name}");
}

fn all_files(home: &Path) -> Vec<PathBuf> {
    [files(home, ".arc"), files(home, ".wal")].concat()
}

#[test]
fn every_missing_file_is_named_also_the_last_and_the_only_one() {
    for (folder, growing) in [small(), large()] {
        let home = folder.path();
        let sound = everything(home);
        let index = home.join("store/sled");
        for path in all_files(home) {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            let first: u64 = name[..10].parse().unwrap();
            let named = path.with_file_name(format!("{first:010}.wal"));
            for indexed in [true, false] {
                std::fs::remove_file(&path).unwrap();
                if !indexed {
                    std::fs::remove_dir_all(&index).unwrap();
                }
                is_refused(home, &named);
                restore(home, &sound);
            }
        }
        std::fs::remove_dir_all(home.join("store/journal")).unwrap();
        std::fs::remove_dir_all(&index).unwrap();
        let before = everything(home);
        assert!(matches!(
            Reading::open(home),
            Err(StoreError::Damaged { .. } | StoreError::Io { .. })
        ));
        assert!(Home::open(home, &Holder::default()).is_err());
        assert!(!verified(home).findings.is_empty());
        assert_eq!(everything(home), before);
        restore(home, &sound);
        std::fs::remove_file(home.join("store/meta")).unwrap();
        is_refused(home, &home.join("store/meta"));
        restore(home, &sound);
        is_sound(home);
        growing.check(home);
    }
}

#[test]
fn a_file_of_another_home_is_refused_and_nothing_of_it_is_salvaged() {
    let (folder, growing) = small();
    let (other, _) = small();
    let home = folder.path();
    let sound = everything(home);
    let (own, foreign) = (files(home, ".wal"), files(other.path(), ".wal"));
    std::fs::copy(&foreign[0], &own[0]).unwrap();
    is_refused(home, &own[0]);
    std::fs::remove_dir_all(home.join("store/sled")).unwrap();
    is_refused(home, &own[0]);
    let told = care::salvage(home, &lock(home), 9_000).unwrap().unwrap();
    assert_eq!(told.sagas, [], "it has the same sagas, and they are not of this home");
    restore(home, &sound);
    growing.check(home);
}

#[test]
fn an_archive_of_another_home_is_refused() {
    let ((folder, _), (other, _)) = (large(), large());
    let home = folder.path();
    let (own, foreign) = (files(home, ".arc"), files(other.path(), ".arc"));
    let last = own.last().unwrap();
    let same = foreign.iter().find(|path| path.file_name() == last.file_name()).unwrap();
    std::fs::copy(same, last).unwrap();
    is_refused(home, last);
}

#[test]
fn a_meta_of_another_home_makes_every_file_a_stranger() {
    let ((folder, growing), (other, _)) = (small(), small());
    let meta = folder.path().join("store/meta");
    let own = std::fs::read(&meta).unwrap();
    std::fs::copy(other.path().join("store/meta"), &meta).unwrap();
    is_refused(folder.path(), &files(folder.path(), ".wal")[0]);
    std::fs::write(&meta, own).unwrap();
    growing.check(folder.path());
}

#[test]
fn a_meta_that_is_older_than_the_journal_is_named() {
    let (folder, _) = large();
    let meta = folder.path().join("store/meta");
    let text = std::fs::read_to_string(&meta).unwrap();
    let (before, _) = text.split_once("last segment").unwrap();
    std::fs::write(&meta, format!("{before}last segment = 1\n")).unwrap();
    is_refused(folder.path(), &meta);
}

#[test]
fn a_segment_that_could_not_be_noted_is_taken_as_it_is() {
    let (folder, growing) = small();
    let meta = folder.path().join("store/meta");
    let text = std::fs::read_to_string(&meta).unwrap();
    assert!(text.contains("last segment = 1\n"), "{text}");
    std::fs::write(&meta, text.replace("last segment = 1\n", "last segment = 0\n")).unwrap();
    growing.check(folder.path());
    assert_eq!(std::fs::read_to_string(&meta).unwrap(), text);
}

#[test]
fn a_home_of_format_2_gets_its_identity_when_it_is_opened_to_write() {
    let (golden, folder) = (golden(), tempfile::tempdir().unwrap());
    let home = folder.path();
    let all = everything(&golden);
    restore(home, &all.into_iter().filter(|(path, _)| path.starts_with("store")).collect());
    let read = Reading::open(home).unwrap().heads().unwrap();
    let meta = || std::fs::read_to_string(home.join("store/meta")).unwrap();
    assert!(read.len() == 2 && meta().starts_with("format = 2\n"), "a reader changes nothing");
    assert_eq!(open(home).heads().unwrap(), read);
    assert!(
        meta().contains("\nlast segment = 2\nwithout identity up to segment = 2\n"),
        "{}",
        meta()
    );
    is_sound(home);
    let mut growing = Growing::default();
    growing.grow(&mut open(home), 0..12, 70);
    is_sound(home);
    assert!(files(home, ".wal").iter().all(|path| !path.ends_with("0000000002.wal")));
    let newest = files(home, ".wal").pop().unwrap();
    std::fs::remove_file(&newest).unwrap();
    is_refused(home, &newest);
}

fn golden() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/golden/0.1.0")
}
