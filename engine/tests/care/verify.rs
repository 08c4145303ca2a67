//! Everything that is wrong is found, with its place, and nothing is changed by looking.

use crate::{Growing, everything, files, frames, is_sound, large, open, saga, small, verified};
use escrr_engine::store::care::{self, IndexSeen, Remark};
use escrr_engine::store::{Reading, StoreError};
use std::path::Path;

#[test]
fn a_sound_store_is_counted_and_its_journal_stays_as_it_is() {
    for (folder, growing) in [small(), large()] {
        let journal = folder.path().join("store/journal");
        let before = everything(&journal);
        let counts = is_sound(folder.path()).counts;
        assert_eq!(everything(&journal), before);
        assert_eq!(counts.sagas, growing.0.len() as u64);
        assert_eq!(counts.entries, growing.0.values().map(|e| e.len() as u64).sum::<u64>());
        let spare = std::path::PathBuf::from("spare");
        let bytes = before.iter().filter(|(name, _)| **name != spare).map(|(_, b)| b.len() as u64);
        assert_eq!(counts.bytes, bytes.sum::<u64>());
        assert!(counts.frames > counts.files && counts.files >= 1);
    }
}

/// Flips bits all over a file: each is found, in this file, and the bytes stay.
fn flips(home: &Path, file: &Path, steps: usize) -> usize {
    let whole = std::fs::read(file).unwrap();
    let used = whole.iter().rposition(|byte| *byte != 0).unwrap() + 1;
    let begins = frames(&whole[..used]);
    let mut flips = 0;
    for bit in (0..used * 8).step_by((used * 8 / steps) | 1) {
        let mut bytes = whole.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        std::fs::write(file, &bytes).unwrap();
        let before = everything(&home.join("store"));
        let verified = verified(home);
        assert_eq!(everything(&home.join("store")), before, "bit {bit}: something was written");
        let place = begins.iter().rfind(|at| **at <= bit / 8).map(|at| *at as u64);
        let named = verified.findings.iter().any(|one| one.file == file && one.at == place);
        assert!(named, "bit {bit} in the frame at {place:?}: {:#?}", verified.findings);
        assert_eq!(verified.index, IndexSeen::NoJournal);
        flips += 1;
    }
    std::fs::write(file, whole).unwrap();
    flips
}

#[test]
fn every_flipped_bit_is_found_in_its_frame() {
    let (folder, _) = small();
    let done = flips(folder.path(), &files(folder.path(), ".wal")[0], 150);
    let (folder, _) = large();
    let archive = &files(folder.path(), ".arc")[0];
    println!("{} flips found", done + flips(folder.path(), archive, 25));
    is_sound(folder.path());
}

#[test]
fn all_findings_are_told_and_not_the_first_alone() {
    let (folder, _) = large();
    let (archive, segment) =
        (files(folder.path(), ".arc")[0].clone(), files(folder.path(), ".wal")[0].clone());
    let mut wanted = Vec::new();
    for (file, hurt) in [(&archive, [2, 5]), (&segment, [1, 3])] {
        let mut bytes = std::fs::read(file).unwrap();
        let begins = frames(&bytes);
        for frame in hurt {
            bytes[begins[frame] + 40] ^= 1;
            wanted.push((file.clone(), begins[frame] as u64));
        }
        std::fs::write(file, bytes).unwrap();
    }
    let findings = verified(folder.path()).findings;
    for (file, at) in wanted {
        let here: Vec<_> = findings.iter().filter(|f| f.file == file && f.at == Some(at)).collect();
        assert!(!here.is_empty(), "{} at {at}: {findings:#?}", file.display());
        // An archive's directory knows whose entries stood there.
        assert_eq!(here[0].saga.is_some(), file == archive);
    }
    let said = findings.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
    assert!(said.contains("entries 1 to ") && said.contains("saga "), "{said}");
}

#[test]
fn a_missing_file_and_missing_entries_are_named() {
    let (folder, _) = large();
    let archives = files(folder.path(), ".arc");
    let aside = folder.path().join("aside");
    std::fs::rename(&archives[0], &aside).unwrap();
    let findings = verified(folder.path()).findings;
    assert!(findings[0].file.ends_with("0000000001.wal"), "{findings:#?}");
    assert!(findings[0].what.contains("is missing"), "{findings:#?}");
    assert!(findings.iter().any(|one| one.saga == Some(saga(3))), "{findings:#?}");
    std::fs::rename(&aside, &archives[0]).unwrap();
    std::fs::remove_file(folder.path().join("store/meta")).unwrap();
    let findings = verified(folder.path()).findings;
    assert_eq!(findings.len(), 1);
    assert!(findings[0].file.ends_with("store/meta"));
}

#[test]
fn a_torn_tail_is_mentioned_and_is_no_finding() {
    let (folder, _) = small();
    let segment = files(folder.path(), ".wal")[0].clone();
    let mut bytes = std::fs::read(&segment).unwrap();
    let last = *frames(&bytes).last().unwrap();
    bytes[last..(last + 1).next_multiple_of(512)].fill(0);
    std::fs::write(&segment, &bytes).unwrap();
    std::fs::remove_dir_all(folder.path().join("store/sled")).unwrap();
    let verified = verified(folder.path());
    assert_eq!(verified.findings, []);
    assert_eq!(verified.remarks, [Remark::Torn { file: segment, at: last as u64 }]);
    assert_eq!(verified.index, IndexSeen::Absent);
}

#[test]
fn an_index_that_contradicts_the_journal_is_a_finding() {
    let (folder, mut growing) = small();
    let segment = files(folder.path(), ".wal")[0].clone();
    let old = std::fs::read(&segment).unwrap();
    growing.grow(&mut open(folder.path()), 5..7, 3);
    std::fs::write(&segment, old).unwrap();
    let ahead = verified(folder.path());
    assert_eq!(ahead.index, IndexSeen::Disagrees);
    assert!(ahead.findings[0].what.contains("it has seen frame"), "{:?}", ahead.findings);
    let (other, _) = small();
    let sled = folder.path().join("store/sled");
    std::fs::write(sled.join("db"), vec![0xA5; 70_000]).unwrap();
    assert_eq!(verified(folder.path()).index, IndexSeen::Disagrees);
    std::fs::remove_dir_all(&sled).unwrap();
    std::fs::rename(large().0.path().join("store/sled"), &sled).unwrap();
    assert!(!verified(folder.path()).findings.is_empty());
    is_sound(other.path());
}

#[test]
fn beside_a_writer_everything_but_the_index_is_checked() {
    let folder = tempfile::tempdir().unwrap();
    let mut home = open(folder.path());
    let mut growing = Growing::default();
    for round in 0..10 {
        growing.grow(&mut home, round * 3..round * 3 + 4, 60);
        let verified = care::verify(folder.path(), None).unwrap();
        assert_eq!(verified.findings, []);
        assert_eq!(verified.index, IndexSeen::Held);
        assert_eq!(verified.counts.sagas, growing.0.len() as u64);
    }
}

#[test]
fn a_newer_store_is_not_judged() {
    let (folder, _) = small();
    std::fs::write(folder.path().join("store/meta"), "format = 99\n").unwrap();
    let refused = care::verify(folder.path(), None).unwrap_err();
    assert!(matches!(refused, StoreError::Newer { .. }));
    assert!(Reading::open(folder.path()).is_err());
}
