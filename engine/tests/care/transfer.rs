//! Out and in again: complete, byte by byte, and nothing that does not fit.

use crate::{Growing, everything, is_sound, large, open, small};
use escrr_engine::store::care::{Imported, TransferError, export, import};
use escrr_engine::store::{Reading, Store as _};
use proptest::prelude::*;
use std::io::Cursor;
use std::path::Path;

fn exported(home: &Path, link: Option<&str>) -> Vec<u8> {
    let mut bytes = Vec::new();
    let told = export(&Reading::open(home).unwrap(), link, &mut bytes).unwrap();
    assert_eq!(told.bytes, bytes.len() as u64);
    bytes
}

fn imported(home: &Path, lines: &[u8]) -> Result<Imported, TransferError> {
    import(&mut open(home), &mut |_, _, _| Ok(()), || Ok(Cursor::new(lines)))
}

/// Refused, with the number of the line, and the store is as it was.
fn refused(home: &Path, lines: &[u8]) -> (u64, String) {
    drop(open(home));
    let before = everything(&home.join("store/journal"));
    let error = imported(home, lines).unwrap_err();
    assert_eq!(everything(&home.join("store/journal")), before, "{error}");
    let text = error.to_string();
    let TransferError::Line { line, what } = error else { unreachable!("{text}") };
    (line, what)
}

#[test]
fn an_export_is_complete_and_comes_back_byte_by_byte() {
    for (folder, growing) in [small(), large()] {
        let bytes = exported(folder.path(), None);
        let fresh = tempfile::tempdir().unwrap();
        let told = imported(fresh.path(), &bytes).unwrap();
        assert_eq!(told.new, growing.0.len() as u64);
        assert_eq!(exported(fresh.path(), None), bytes);
        growing.check(fresh.path());
        is_sound(fresh.path());
        let again = imported(fresh.path(), &bytes).unwrap();
        assert_eq!(again, Imported { skipped: told.new, ..Imported::default() });
    }
}

#[test]
fn the_sagas_of_one_link_alone() {
    let (folder, _) = small();
    let text = String::from_utf8(exported(folder.path(), Some("link-1"))).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 10);
    assert_eq!(lines[0], r#"{"type":"escrr.store","schema":1}"#);
    assert!(lines[9].contains(r#""sagas":1,"entries":8,"#), "{}", lines[9]);
    assert!(lines[2].contains(r#""added":{"later":"\u00fc"}"#), "{}", lines[2]);
}

fn config() -> ProptestConfig {
    ProptestConfig { cases: 8, failure_persistence: None, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(config())]

    /// Journals of any shape, committed in any order, survive the way there and back.
    #[test]
    fn any_journals_come_back(steps in prop::collection::vec((0_u64..9, 1_u64..7, any::<bool>()), 1..40)) {
        let (here, there) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let mut growing = Growing::default();
        let mut home = open(here.path());
        let fence = home.claim().unwrap();
        for (number, entries, last) in steps {
            let batch: Vec<_> =
                (1..=entries).map(|at| growing.next(number, last && at == entries)).collect();
            home.commit(fence, &batch).unwrap();
        }
        drop(home);
        let bytes = exported(here.path(), None);
        imported(there.path(), &bytes).unwrap();
        prop_assert_eq!(exported(there.path(), None), bytes);
        growing.check(there.path());
    }
}

#[test]
fn a_line_that_is_wrong_refuses_the_whole_file() {
    let (folder, _) = small();
    let whole = exported(folder.path(), None);
    let fresh = tempfile::tempdir().unwrap();
    let text = String::from_utf8(whole.clone()).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let with = |at: usize, line: &str| {
        let mut lines = lines.clone();
        lines[at] = line;
        lines.join("\n") + "\n"
    };
    let says = |bytes: &str, line: u64, text: &str| {
        let (found, what) = refused(fresh.path(), bytes.as_bytes());
        assert_eq!(found, line, "{what}");
        assert!(what.contains(text), "{text:?} is not in {what:?}");
    };
    says("", 1, "empty");
    says("{}\n", 1, "not what");
    says(&with(0, r#"{"type":"escrr.store","schema":2}"#), 1, "schema 2");
    says(&with(3, &lines[3].replacen("bbb", "bab", 1)), 5, "does not follow");
    says(&with(3, &lines[3].replacen(':', ": ", 1)), 4, "rewritten");
    says(&with(3, lines[4]), 4, "does not follow");
    says(&with(3, &lines[3].replace("undo_intended", "danced")), 4, "cannot be read");
    says(&with(3, "mince"), 4, "neither");
    says(&with(1, lines[2]), 2, "does not begin with its first");
    says(&with(1, lines[9]), 3, "out of its order");
    // The last entry of a saga is in nobody's chain: the checksum has it.
    says(&with(24, &lines[24].replace("5008", "5009")), 26, "checksum");
    says(&with(25, &lines[25].replace("\"entries\":24", "\"entries\":25")), 26, "counts 3 sagas");
    says(&lines[..25].join("\n"), 25, "cut short");
    says(&(lines[..25].join("\n") + "\n"), 26, "cut short");
    says(&(text.clone() + "\n"), 27, "something follows");
    assert!(Reading::open(fresh.path()).unwrap().heads().unwrap().is_empty());
    assert_eq!(imported(fresh.path(), &whole).unwrap().new, 3);
}

/// A home that holds the first entries of another one's journals.
fn part(growing: &Growing, entries: usize) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let mut home = open(folder.path());
    let fence = home.claim().unwrap();
    for (number, all) in &growing.0 {
        let appends: Vec<_> = all[..entries]
            .iter()
            .map(|entry| escrr_engine::store::Append::new(crate::saga(*number), entry.clone()))
            .collect();
        home.commit(fence, &appends).unwrap();
    }
    folder
}

#[test]
fn what_is_here_is_carried_on_or_refused() {
    let (folder, growing) = small();
    let short = exported(folder.path(), None);
    // What ended here after eight entries went on elsewhere.
    let mut longer = growing.clone();
    longer.grow(&mut open(folder.path()), 0..2, 4);
    let bytes = exported(folder.path(), None);
    let ended = part(&longer, 8);
    let told = imported(ended.path(), &bytes).unwrap();
    assert_eq!(told, Imported { new: 0, extended: 2, skipped: 1, entries: 8 });
    assert_eq!(exported(ended.path(), None), bytes);
    // Less than is here changes nothing.
    assert_eq!(imported(ended.path(), &short).unwrap().skipped, 3);
    // A saga that is live here does not go on twice.
    let running = part(&longer, 5);
    let (line, what) = refused(running.path(), &bytes);
    assert!(line == 7 && what.contains("is live here"), "{line}: {what}");
    // Another journal of the same saga.
    let other = tempfile::tempdir().unwrap();
    let mut strange = Growing::default();
    strange.grow(&mut open(other.path()), 0..1, 2);
    let (line, what) = refused(other.path(), &bytes);
    assert!(line == 3 && what.contains("another one"), "{line}: {what}");
}

#[test]
fn a_live_saga_is_not_hidden_by_a_younger_one_of_its_link() {
    let home = tempfile::tempdir().unwrap();
    let mut growing = Growing::default();
    let begin = growing.next(1, false);
    let mut here = open(home.path());
    let fence = here.claim().unwrap();
    here.commit(fence, std::slice::from_ref(&begin)).unwrap();
    drop(here);
    let elsewhere = tempfile::tempdir().unwrap();
    let mut there = open(elsewhere.path());
    let fence = there.claim().unwrap();
    let younger = escrr_engine::store::Append::new(crate::saga(9), begin.entry);
    there.commit(fence, &[younger]).unwrap();
    drop(there);
    let (line, what) = refused(home.path(), &exported(elsewhere.path(), None));
    assert!(line == 2 && what.contains("is live here"), "{line}: {what}");
}
