//! The index made again, and a damaged store made into a sound one with all that can be had.

use crate::{
    Growing, everything, files, frames, is_sound, large, lock, open, restore, saga, small, verified,
};
use escrr_engine::Event;
use escrr_engine::store::care::{self, Salvaged, Saved};
use escrr_engine::store::{Holder, Home, Reading, StoreError};
use std::path::Path;

fn rebuilt(home: &Path) -> Result<care::Rebuilt, StoreError> {
    care::rebuild(home, &lock(home))
}

fn salvaged(home: &Path) -> Salvaged {
    care::salvage(home, &lock(home), 9_000).unwrap().unwrap()
}

#[test]
fn an_index_is_made_again_and_the_old_one_kept() {
    let (folder, growing) = large();
    let sled = folder.path().join("store/sled");
    let told = rebuilt(folder.path()).unwrap();
    assert_eq!((told.sagas, told.kept.clone()), (20, Some(sled.with_file_name("sled.broken-1"))));
    is_sound(folder.path());
    std::fs::write(sled.join("db"), vec![0xA5; 70_000]).unwrap();
    assert!(rebuilt(folder.path()).unwrap().kept.unwrap().ends_with("sled.broken-2"));
    std::fs::remove_dir_all(&sled).unwrap();
    assert_eq!(rebuilt(folder.path()).unwrap().kept, None);
    is_sound(folder.path());
    assert_eq!(open(folder.path()).notices(), []);
    growing.check(folder.path());
}

/// Spoils a frame of a file, counted from its first.
fn spoil(file: &Path, frame: usize) {
    let mut bytes = std::fs::read(file).unwrap();
    let at = frames(&bytes)[frame];
    bytes[at + 40] ^= 1;
    std::fs::write(file, bytes).unwrap();
}

#[test]
fn a_damaged_journal_is_refused_and_nothing_is_changed() {
    let (folder, _) = small();
    spoil(&files(folder.path(), ".wal")[0], 4);
    let before = everything(folder.path());
    let error = rebuilt(folder.path()).unwrap_err().to_string();
    assert!(error.contains("0000000001.wal, byte ") && error.contains("frame 4"), "{error}");
    assert_eq!(everything(folder.path()), before);
}

/// The old journal behind an index that knows more.
fn behind() -> (tempfile::TempDir, Growing) {
    let (folder, mut growing) = small();
    let segment = files(folder.path(), ".wal")[0].clone();
    let old = std::fs::read(&segment).unwrap();
    growing.grow(&mut open(folder.path()), 2..5, 4);
    std::fs::write(&segment, old).unwrap();
    (folder, growing)
}

#[test]
fn an_index_that_knows_more_is_not_thrown_away_but_salvaged() {
    let (folder, growing) = behind();
    let error = rebuilt(folder.path()).unwrap_err().to_string();
    assert!(error.contains("the index has seen"), "{error}");
    let told = salvaged(folder.path());
    assert!(told.sagas.iter().all(|saved| saved.kept == saved.known));
    assert_eq!(told.sagas.iter().map(|saved| saved.from_index).sum::<u64>(), 12);
    // The index may have been behind: where the journal ended, nobody knows.
    assert!(told.sagas.iter().all(|saved| saved.incomplete), "{:?}", told.sagas);
    holds(folder.path(), &growing, &told.sagas);
}

#[test]
fn there_is_nothing_to_salvage_of_a_sound_store() {
    let (folder, _) = large();
    let before = everything(folder.path());
    assert!(care::salvage(folder.path(), &lock(folder.path()), 9_000).unwrap().is_none());
    let sled = |(path, _): &(&std::path::PathBuf, _)| !path.starts_with("store/sled");
    assert!(everything(folder.path()).iter().filter(sled).eq(before.iter().filter(sled)));
}

/// What is there of each saga are the first entries of what there was, as many as was said.
fn holds(home: &Path, growing: &Growing, told: &[Saved]) {
    is_sound(home);
    let reading = Reading::open(home).unwrap();
    assert_eq!(open(home).notices(), []);
    for saved in told {
        let number = growing.0.keys().find(|number| saga(**number) == saved.saga).unwrap();
        let kept = usize::try_from(saved.kept).unwrap();
        let found = reading.sealed(saved.saga, 1).unwrap();
        assert_eq!(found[..kept], growing.0[number][..kept]);
        let more = usize::from(saved.incomplete) + usize::from(kept == 0);
        assert_eq!(found.len(), kept + more, "{saved:?}");
        assert!(saved.incomplete || saved.kept == saved.known, "{saved:?}");
        let said = found.iter().any(|entry| matches!(entry.event, Event::HistoryLost { .. }));
        assert_eq!(said, saved.incomplete, "{saved:?}");
        assert!(saved.kept <= saved.known && saved.known <= growing.0[number].len() as u64);
        assert!(saved.kept == 0 || saved.link == format!("link-{number}"));
    }
}

#[test]
fn what_the_journal_lost_comes_out_of_the_index() {
    let (folder, growing) = small();
    for frame in [3, 5] {
        spoil(&files(folder.path(), ".wal")[0], frame);
    }
    let whole = everything(&folder.path().join("store"));
    let told = salvaged(folder.path());
    assert_eq!(everything(&told.aside), whole, "the old store is kept as it was");
    assert_eq!(told.index, None);
    assert!(told.sagas.iter().all(|one| (one.kept, one.known, one.from_index) == (8, 8, 2)));
    holds(folder.path(), &growing, &told.sagas);
    growing.check(folder.path());
}

#[test]
fn without_the_index_a_chain_is_kept_up_to_its_first_gap() {
    let (folder, mut growing) = small();
    spoil(&files(folder.path(), ".wal")[0], 5);
    std::fs::remove_dir_all(folder.path().join("store/sled")).unwrap();
    let told = salvaged(folder.path());
    assert_eq!(told.aside, folder.path().join("store.damaged-1"));
    assert!(told.index.is_some() && !told.findings.is_empty());
    let versions: Vec<(u64, u64)> = told.sagas.iter().map(|one| (one.kept, one.known)).collect();
    // Frame 1 is a claim: frame 5 held the fourth entries.
    assert_eq!(versions, [(3, 8); 3]);
    holds(folder.path(), &growing, &told.sagas);
    let reading = Reading::open(folder.path()).unwrap();
    for (number, entries) in &mut growing.0 {
        *entries = reading.sealed(saga(*number), 1).unwrap();
    }
    growing.grow(&mut open(folder.path()), 0..4, 5);
    growing.check(folder.path());
}

#[test]
fn archives_and_directories_that_are_damaged_are_read_as_far_as_they_go() {
    let (folder, growing) = large();
    let sound = everything(folder.path());
    let archives = files(folder.path(), ".arc");
    let segment = files(folder.path(), ".wal")[0].clone();
    for (file, frame) in
        [(&archives[0], 0), (&archives[0], 7), (&archives[1], 0), (&archives[1], 3), (&segment, 0)]
    {
        spoil(file, frame);
        let told = salvaged(folder.path());
        holds(folder.path(), &growing, &told.sagas);
        let kept = told.sagas.iter().filter(|one| one.kept == one.known).count();
        let name = file.file_name().unwrap().to_string_lossy();
        println!("{name}, frame {frame}: {kept} of {} sagas whole", told.sagas.len());
        // A directory can be done without; an extent is one saga's alone.
        assert_eq!(kept, if frame == 0 { 20 } else { 19 }, "{name}, frame {frame}");
        restore(folder.path(), &sound);
    }
    std::fs::remove_file(&archives[1]).unwrap();
    let told = salvaged(folder.path());
    holds(folder.path(), &growing, &told.sagas);
    assert!(told.sagas.iter().any(|one| one.kept < one.known));
}

#[test]
fn any_spoiled_frame_leaves_a_store_that_is_sound() {
    let (folder, growing) = small();
    let sound = everything(folder.path());
    let segment = files(folder.path(), ".wal")[0].clone();
    let all = frames(&std::fs::read(&segment).unwrap()).len();
    for frame in 0..all {
        for index in [true, false] {
            restore(folder.path(), &sound);
            spoil(&segment, frame);
            if !index {
                std::fs::write(folder.path().join("store/sled/db"), vec![0xA5; 70_000]).unwrap();
            }
            let told = salvaged(folder.path());
            holds(folder.path(), &growing, &told.sagas);
            let whole = told.sagas.iter().filter(|one| one.kept == 8).count();
            assert!(!index || whole == 3, "frame {frame}: {:?}", told.sagas);
        }
    }
}

#[test]
fn between_its_two_names_a_salvaged_store_is_found() {
    let (folder, growing) = small();
    let home = folder.path();
    spoil(&files(home, ".wal")[0], 3);
    let damaged = everything(home);
    let told = salvaged(home);
    // As an interruption between the two renames leaves it.
    std::fs::rename(home.join("store"), home.join("store.salvaged")).unwrap();
    assert!(care::is_there(home).unwrap());
    assert_eq!(Reading::open(home).unwrap().heads().unwrap().len(), told.sagas.len());
    growing.check(home);
    assert!(home.join("store").exists() && !home.join("store.salvaged").exists());
    // And before the first one: what was made is made again.
    restore(home, &damaged);
    let salvage = home.join("store.salvaged/journal");
    std::fs::create_dir_all(&salvage).unwrap();
    std::fs::create_dir_all(home.join("store.salvaging")).unwrap();
    std::fs::write(salvage.join("0000000001.wal"), "half").unwrap();
    assert!(!verified(home).findings.is_empty());
    assert_eq!(salvaged(home).sagas.len(), 3);
    growing.check(home);
}

#[test]
fn a_lost_journal_or_meta_is_not_the_end() {
    let (folder, growing) = small();
    let home = folder.path();
    std::fs::write(home.join("store/meta"), "mince").unwrap();
    assert!(Home::open(home, &Holder::default()).is_err());
    drop(salvaged(home));
    growing.check(home);
    std::fs::remove_dir_all(home.join("store/journal")).unwrap();
    assert!(!verified(home).findings.is_empty());
    let told = salvaged(home);
    assert!(told.sagas.iter().all(|saved| saved.from_index == saved.known && saved.incomplete));
    holds(home, &growing, &told.sagas);
}

#[test]
fn what_cannot_be_shown_to_be_whole_is_said_to_be_incomplete() {
    let (folder, mut growing) = small();
    let home = folder.path();
    growing.grow(&mut open(home), 2..4, 2);
    let sound = everything(home);
    let segment = files(home, ".wal")[0].clone();
    let whole = std::fs::read(&segment).unwrap();
    let incomplete = |frame: usize| {
        restore(home, &sound);
        let mut bytes = whole.clone();
        bytes[frames(&whole)[frame] + 32] ^= 1;
        std::fs::write(&segment, bytes).unwrap();
        std::fs::remove_dir_all(home.join("store/sled")).unwrap();
        let told = salvaged(home);
        holds(home, &growing, &told.sagas);
        let lost = told.sagas.iter().filter(|saved| saved.incomplete);
        lost.map(|saved| saved.saga).collect::<Vec<_>>()
    };
    let last = frames(&whole).len() - 1;
    // Nothing speaks of the last frame any more: it may have been anybody's.
    assert_eq!(incomplete(last), [saga(0), saga(1), saga(2), saga(3)]);
    // A claim is told from entries by its checksum alone; who goes on behind it has lost nothing.
    assert_eq!(incomplete(last - 2), [saga(0), saga(1)]);
}
