//! The journal on disk: segments, archives, the index behind them, readers beside them, and
//! everything that can happen to the files.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test says what it expects by failing"
)]

use escrr_engine::store::{
    Append, Fence, Head, Holder, Home, Notice, Reading, Store as _, StoreError, chain,
};
use escrr_engine::{Entry, Event, Outcome, SagaId};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

fn saga(number: u64) -> SagaId {
    SagaId::new(1_000 + number, [7; 10])
}

fn open(home: &Path) -> Home {
    Home::open(home, &Holder::default()).unwrap()
}

/// Journals that grow, side by side.
#[derive(Default)]
struct Growing(BTreeMap<u64, Vec<Entry>>);

impl Growing {
    fn next(&mut self, number: u64, last: bool) -> Append {
        let entries = self.0.entry(number).or_default();
        let previous = entries.last().map(chain).unwrap_or_default();
        let version = entries.len() as u64 + 1;
        let event = match version {
            1 => Event::Created {
                link: format!("link-{number}"),
                spec: "x".repeat(2_500),
                spec_digest: "d".into(),
                edition: "e".into(),
                world: "cloud".into(),
                world_id: None,
                actor: escrr_engine::Actor::default(),
                program: "p".into(),
            },
            _ if last => Event::Finished { outcome: Outcome::Succeeded },
            _ => Event::UndoIntended { node: format!("a.{}", "b".repeat(200)), items: Vec::new() },
        };
        let entry = Entry { version, at_ms: 5_000 + version, previous, event };
        entries.push(entry.clone());
        Append::new(saga(number), entry)
    }

    /// Commits so many entries of each of so many sagas, all sagas side by side.
    fn grow(&mut self, home: &mut Home, sagas: std::ops::Range<u64>, entries: u64) {
        let fence = home.claim().unwrap();
        for entry in 1..=entries {
            let batch: Vec<Append> =
                sagas.clone().map(|number| self.next(number, entry == entries)).collect();
            home.commit(fence, &batch).unwrap();
        }
    }

    fn heads(&self) -> Vec<(SagaId, u64, String)> {
        let last = |entries: &[Entry]| entries.last().map(chain).unwrap();
        self.0.iter().map(|(n, e)| (saga(*n), e.len() as u64, last(e))).collect()
    }

    fn check(&self, heads: &[Head], read: impl Fn(SagaId, u64) -> Vec<Entry>) {
        let found: Vec<_> = heads.iter().map(|h| (h.saga, h.version, h.last.clone())).collect();
        assert_eq!(found, self.heads());
        for (number, entries) in &self.0 {
            assert_eq!(read(saga(*number), 1), *entries, "saga {number}");
            let middle = entries.len() / 2;
            assert_eq!(read(saga(*number), middle as u64 + 1), entries[middle..]);
        }
    }

    fn check_home(&self, home: &Home) {
        self.check(&home.heads().unwrap(), |saga, from| home.entries(saga, from).unwrap());
    }

    fn check_reading(&self, path: &Path) {
        let reading = Reading::open(path).unwrap();
        self.check(&reading.heads().unwrap(), |saga, from| reading.entries(saga, from).unwrap());
    }
}

fn files(home: &Path, ending: &str) -> Vec<PathBuf> {
    let folder = std::fs::read_dir(home.join("store/journal")).unwrap();
    let mut files: Vec<PathBuf> = folder
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.to_string_lossy().ends_with(ending))
        .collect();
    files.sort();
    files
}

/// A home with a few sagas in segments only, closed.
fn small() -> (tempfile::TempDir, Growing) {
    let folder = tempfile::tempdir().unwrap();
    let mut growing = Growing::default();
    let mut home = open(folder.path());
    growing.grow(&mut home, 0..3, 8);
    drop(home);
    (folder, growing)
}

#[test]
fn what_one_process_wrote_is_archived_whole_also_when_it_claims_again() {
    let folder = tempfile::tempdir().unwrap();
    let mut growing = Growing::default();
    let mut home = open(folder.path());
    growing.grow(&mut home, 0..40, 120);
    growing.grow(&mut home, 40..80, 120);
    let last = home.claim().unwrap();
    drop(home);
    assert!(files(folder.path(), ".arc").len() >= 3);
    growing.check_reading(folder.path());
    let mut home = open(folder.path());
    growing.check_home(&home);
    assert!(home.claim().unwrap() > last);
}

/// A home with archives and segments, closed.
fn large() -> (tempfile::TempDir, Growing) {
    let folder = tempfile::tempdir().unwrap();
    let mut growing = Growing::default();
    let mut home = open(folder.path());
    growing.grow(&mut home, 0..40, 60);
    growing.grow(&mut home, 20..60, 20);
    drop(home);
    assert!(files(folder.path(), ".arc").len() > 1 && !files(folder.path(), ".wal").is_empty());
    (folder, growing)
}

#[test]
fn segments_become_archives_and_everything_reads_back() {
    let folder = tempfile::tempdir().unwrap();
    let mut growing = Growing::default();
    for round in 0..3 {
        let mut home = open(folder.path());
        assert_eq!(home.notices(), []);
        growing.check_home(&home);
        growing.grow(&mut home, round * 10..round * 10 + 12, 60);
        growing.check_home(&home);
        growing.check_reading(folder.path());
        drop(home);
        growing.check_reading(folder.path());
    }
    let archived = files(folder.path(), ".arc").len();
    assert!(archived > 0, "{archived} archives");
    assert!(files(folder.path(), ".wal").len() < 3, "segments are used again");
}

#[test]
fn a_reader_beside_a_writer_sees_whole_journals_that_only_grow() {
    let folder = tempfile::tempdir().unwrap();
    let mut home = open(folder.path());
    let mut growing = Growing::default();
    growing.grow(&mut home, 0..2, 2);
    let over = AtomicBool::new(false);
    let looks = std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let (mut looks, mut seen) = (0, 0);
            while !over.load(Ordering::Relaxed) || looks == 0 {
                let reading = Reading::open(folder.path()).unwrap();
                let heads = reading.heads().unwrap();
                for head in &heads {
                    let entries = reading.entries(head.saga, 1).unwrap();
                    assert_eq!(entries.len() as u64, head.version);
                }
                let all: u64 = heads.iter().map(|head| head.version).sum();
                assert!(all >= seen, "{all} entries after {seen}");
                (looks, seen) = (looks + 1, all);
            }
            looks
        });
        for round in 1..6 {
            growing.grow(&mut home, round * 30..round * 30 + 30, 40);
        }
        over.store(true, Ordering::Relaxed);
        reader.join().unwrap()
    });
    println!("{looks} looks beside the writer");
    growing.check_home(&home);
}

/// Does something to the index and says what opening tells of it.
fn after((folder, growing): &(tempfile::TempDir, Growing), meddle: impl Fn(&Path)) -> Vec<Notice> {
    meddle(&folder.path().join("store/sled"));
    let home = open(folder.path());
    growing.check_home(&home);
    let notices = home.notices().to_vec();
    drop(home);
    assert_eq!(open(folder.path()).notices(), [], "rebuilt once and for all");
    notices
}

#[test]
fn an_index_that_is_gone_or_garbage_is_made_again_and_that_is_said() {
    let home = large();
    let gone = after(&home, |sled| std::fs::remove_dir_all(sled).unwrap());
    assert!(matches!(&gone[..], [Notice::Rebuilt { kept: None, sagas: 60, .. }]), "{gone:?}");
    let garbage = after(&home, |sled| std::fs::write(sled.join("db"), vec![0xA5; 70_000]).unwrap());
    assert!(matches!(&garbage[..], [Notice::Rebuilt { kept: Some(_), .. }]), "{garbage:?}");
    let file = after(&home, |sled| {
        std::fs::remove_dir_all(sled).unwrap();
        std::fs::write(sled, "not a folder").unwrap();
    });
    assert!(matches!(&file[..], [Notice::Rebuilt { kept: Some(_), .. }]), "{file:?}");
}

#[test]
fn an_index_cut_anywhere_costs_nothing() {
    let (mut rebuilt, mut cuts) = (0, 0);
    let home = large();
    for part in 0..12 {
        let notices = after(&home, |sled| {
            let db = std::fs::OpenOptions::new().write(true).open(sled.join("db")).unwrap();
            let length = db.metadata().unwrap().len();
            db.set_len(length * part / 12).unwrap();
        });
        cuts += 1;
        rebuilt += notices.len();
    }
    println!("{rebuilt} of {cuts} cut indices were made again");
    assert!(rebuilt > 0);
}

#[test]
fn an_index_that_has_seen_more_than_the_journal_holds_is_damage() {
    let (folder, mut growing) = small();
    let kept = tempfile::tempdir().unwrap();
    let segment = files(folder.path(), ".wal")[0].clone();
    std::fs::copy(&segment, kept.path().join("segment")).unwrap();
    let mut home = open(folder.path());
    growing.grow(&mut home, 5..7, 3);
    drop(home);
    std::fs::copy(kept.path().join("segment"), &segment).unwrap();
    let error = Home::open(folder.path(), &Holder::default()).unwrap_err();
    assert!(error.to_string().contains("the index has seen"), "{error}");
}

/// The bytes of a segment that hold its last frame.
fn last_frame(bytes: &[u8]) -> std::ops::Range<usize> {
    let end = bytes.iter().rposition(|byte| *byte != 0).unwrap() + 1;
    let begin = (0..end - 4).rev().find(|at| at % 8 == 0 && bytes[*at..].starts_with(b"EJF1"));
    begin.unwrap()..end
}

#[test]
fn a_torn_last_frame_was_never_acknowledged_and_the_rest_is_there() {
    let (folder, growing) = small();
    let segment = files(folder.path(), ".wal")[0].clone();
    let whole = std::fs::read(&segment).unwrap();
    let last = last_frame(&whole);
    let mut torn = 0;
    for sector in (last.start / 512 * 512..last.end).step_by(512) {
        let mut bytes = whole.clone();
        bytes[sector.max(last.start)..(sector + 512).min(last.end)].fill(0);
        std::fs::write(&segment, &bytes).unwrap();
        // The index saw the frame, so it would know better: it is gone with it.
        std::fs::remove_dir_all(folder.path().join("store/sled")).unwrap();
        let mut home = open(folder.path());
        let fence = home.claim().unwrap();
        for (number, entries) in &growing.0 {
            let found = home.entries(saga(*number), 1).unwrap();
            assert_eq!(found, entries[..entries.len() - 1]);
            let again = Append::new(saga(*number), entries[entries.len() - 1].clone());
            home.commit(fence, &[again]).unwrap();
        }
        growing.check_home(&home);
        torn += 1;
    }
    assert!(torn > 0);
}

/// Everything below a folder but the lock, as bytes.
fn everything(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut all = BTreeMap::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            all.extend(everything(&path));
        } else if !path.ends_with("lock") {
            all.insert(path.clone(), std::fs::read(&path).unwrap());
        }
    }
    all
}

/// Flips bits of a file and says how opening and reading everything end.
fn flipped(home: &Path, file: &Path, growing: &Growing, steps: usize) -> (usize, usize) {
    let whole = std::fs::read(file).unwrap();
    let used = whole.iter().rposition(|byte| *byte != 0).unwrap() + 1;
    let (mut damaged, mut flips) = (0, 0);
    for bit in (0..used * 8).step_by((used * 8 / steps) | 1) {
        let mut bytes = whole.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        std::fs::write(file, &bytes).unwrap();
        let before = everything(&home.join("store/journal"));
        let read = || -> Result<(), StoreError> {
            let reading = Reading::open(home)?;
            for head in reading.heads()? {
                reading.entries(head.saga, 1)?;
            }
            Ok(())
        };
        let error = read().unwrap_err();
        assert!(matches!(&error, StoreError::Damaged { .. }), "bit {bit}: {error}");
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        assert!(error.to_string().contains(&name), "bit {bit}: {error}");
        if let Err(error) = Home::open(home, &Holder::default()) {
            assert!(matches!(&error, StoreError::Damaged { .. }), "bit {bit}: {error}");
            assert_eq!(everything(&home.join("store/journal")), before, "nothing overwritten");
            damaged += 1;
        }
        flips += 1;
    }
    std::fs::write(file, &whole).unwrap();
    growing.check_reading(home);
    (damaged, flips)
}

#[test]
fn a_flipped_bit_is_said_with_its_place_and_nothing_is_overwritten() {
    let (folder, growing) = small();
    let segment = files(folder.path(), ".wal")[0].clone();
    let (damaged, flips) = flipped(folder.path(), &segment, &growing, 400);
    println!("{damaged} of {flips} flips in a segment: refused to open");
    assert_eq!(damaged, flips);
}

#[test]
fn a_flipped_bit_in_an_archive_is_said_by_whoever_reads_it() {
    let (folder, growing) = large();
    let archive = files(folder.path(), ".arc")[0].clone();
    let whole = std::fs::read(&archive).unwrap();
    let (mut damaged, mut flips) = (0, 0);
    for bit in (0..whole.len() * 8).step_by((whole.len() * 8 / 60) | 1) {
        let mut bytes = whole.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        std::fs::write(&archive, &bytes).unwrap();
        let read = || -> Result<(), StoreError> {
            let reading = Reading::open(folder.path())?;
            for head in reading.heads()? {
                reading.entries(head.saga, 1)?;
            }
            Ok(())
        };
        let said = read().unwrap_err().to_string();
        damaged += usize::from(said.contains(".arc, byte "));
        flips += 1;
    }
    assert_eq!(damaged, flips);
    std::fs::write(&archive, &whole).unwrap();
    growing.check_reading(folder.path());
}

#[test]
fn a_journal_without_its_format_is_not_taken_for_nothing() {
    let (folder, growing) = small();
    let meta = folder.path().join("store/meta");
    let text = std::fs::read(&meta).unwrap();
    std::fs::remove_file(&meta).unwrap();
    let before = everything(&folder.path().join("store"));
    let read = Reading::open(folder.path()).unwrap_err();
    let opened = Home::open(folder.path(), &Holder::default()).unwrap_err();
    for error in [read, opened] {
        assert!(matches!(&error, StoreError::Damaged { what, .. } if what.contains("meta")));
    }
    assert_eq!(everything(&folder.path().join("store")), before);
    std::fs::write(&meta, text).unwrap();
    growing.check_reading(folder.path());
}

#[test]
fn a_missing_file_of_the_journal_is_named() {
    let (folder, _) = large();
    for ending in [".arc", ".wal"] {
        let file = files(folder.path(), ending)[0].clone();
        let aside = folder.path().join("aside");
        std::fs::rename(&file, &aside).unwrap();
        let error = Home::open(folder.path(), &Holder::default()).unwrap_err();
        assert!(matches!(error, StoreError::Damaged { .. }), "{error}");
        assert!(!file.exists(), "nothing is begun in its place");
        std::fs::rename(&aside, &file).unwrap();
        assert!(Home::open(folder.path(), &Holder::default()).is_ok());
    }
}

#[test]
fn a_cut_segment_is_said_and_what_stands_before_the_cut_is_there() {
    let (folder, growing) = small();
    let segment = files(folder.path(), ".wal")[0].clone();
    let whole = std::fs::read(&segment).unwrap();
    let last = last_frame(&whole);
    for end in (last.start..last.end).step_by(97).chain([last.end]) {
        std::fs::write(&segment, &whole[..end]).unwrap();
        std::fs::remove_dir_all(folder.path().join("store/sled")).unwrap();
        let home = open(folder.path());
        assert!(home.notices().iter().any(|notice| matches!(notice, Notice::Cut { .. })));
        for (number, entries) in &growing.0 {
            let kept = if end == last.end { entries.len() } else { entries.len() - 1 };
            assert_eq!(home.entries(saga(*number), 1).unwrap(), entries[..kept], "cut at {end}");
        }
    }
}

#[test]
fn a_fence_outlives_archives_and_reopening() {
    let folder = tempfile::tempdir().unwrap();
    let mut growing = Growing::default();
    let mut last = Fence(0);
    for round in 0..6 {
        let mut home = open(folder.path());
        growing.grow(&mut home, round * 40..round * 40 + 40, 30);
        let fence = home.claim().unwrap();
        assert!(fence > last, "{fence:?} after {last:?}");
        last = fence;
    }
}
