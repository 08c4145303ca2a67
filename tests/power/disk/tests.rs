use super::{Disk, Luck, Tree};
use crate::random::Random;
use crate::record::Act;
use std::collections::BTreeSet;

fn create(path: &str, inode: u64) -> Act {
    Act::Create { path: path.to_owned(), inode }
}

fn write(inode: u64, offset: usize, data: &[u8]) -> Act {
    Act::Write { path: "/f".to_owned(), inode, offset, data: data.to_vec() }
}

fn sync(path: &str, inode: u64) -> Act {
    Act::Sync { path: path.to_owned(), inode }
}

fn rename(from: &str, to: &str) -> Act {
    Act::Rename { from: from.to_owned(), to: to.to_owned() }
}

/// Everything that many cuts leave behind.
fn outcomes(acts: &[Act]) -> BTreeSet<Vec<(String, Option<Vec<u8>>)>> {
    let disk = Disk::after(acts);
    let mut random = Random::new(7);
    (0..2000)
        .map(|_| {
            let luck = Luck::any(&mut random);
            disk.image(&mut random, luck).tree.into_iter().collect()
        })
        .collect()
}

/// What many cuts leave of one file.
fn contents(acts: &[Act], path: &str) -> BTreeSet<Option<Vec<u8>>> {
    let of = |tree: Vec<(String, Option<Vec<u8>>)>| {
        tree.into_iter().collect::<Tree>().remove(path).flatten()
    };
    outcomes(acts).into_iter().map(of).collect()
}

fn file(name_synced: bool) -> Vec<Act> {
    let mut acts = vec![create("/f", 5)];
    acts.extend(name_synced.then(|| sync("", 1)));
    acts
}

#[test]
fn what_was_synced_is_there_and_what_was_not_may_be() {
    let mut acts = file(true);
    acts.extend([write(5, 0, b"aaaa"), sync("/f", 5), write(5, 4, b"bb")]);
    let left = contents(&acts, "/f");
    // The length may be there without the data, the data without the length.
    let known = [&b"aaaa"[..], b"aaaa\0\0", b"aaaabb"].map(|bytes| Some(bytes.to_vec()));
    assert_eq!(left, BTreeSet::from(known));
}

#[test]
fn a_file_whose_folder_was_not_synced_may_be_gone_whatever_was_synced_in_it() {
    let mut acts = file(false);
    acts.extend([write(5, 0, b"a"), sync("/f", 5)]);
    assert_eq!(contents(&acts, "/f"), BTreeSet::from([None, Some(b"a".to_vec())]));
    acts.push(sync("", 1));
    assert_eq!(contents(&acts, "/f"), BTreeSet::from([Some(b"a".to_vec())]));
}

#[test]
fn a_write_is_torn_between_sectors_and_never_inside_one() {
    let mut acts = file(true);
    acts.extend([write(5, 0, &[1; 1536]), sync("/f", 5), write(5, 100, &[2; 1300])]);
    let left = contents(&acts, "/f");
    assert_eq!(left.len(), 8, "three sectors, each old or new");
    for bytes in left.into_iter().flatten() {
        assert!(bytes[..100].iter().all(|b| *b == 1) && bytes[1400..].iter().all(|b| *b == 1));
        for (from, to) in [(100, 512), (512, 1024), (1024, 1400)] {
            assert!(bytes[from..to].windows(2).all(|pair| pair[0] == pair[1]), "{from}..{to}");
        }
    }
    let disk = Disk::after(&acts);
    assert!((0..50).any(|seed| disk.image(&mut Random::new(seed), Luck(4)).torn));
    assert!(!disk.image(&mut Random::new(1), Luck(0)).torn);
    assert!(!disk.image(&mut Random::new(1), Luck(8)).torn);
}

#[test]
fn a_sector_holds_a_state_that_it_had() {
    let mut acts = file(true);
    acts.extend([write(5, 0, b"...."), sync("/f", 5), write(5, 0, b"a"), write(5, 1, b"b")]);
    let known = [&b"...."[..], b"a...", b"ab.."].map(|bytes| Some(bytes.to_vec()));
    assert_eq!(contents(&acts, "/f"), BTreeSet::from(known), "b without a never was");
}

#[test]
fn a_rename_is_there_or_not() {
    let mut acts = vec![create("/f", 5), create("/f.new", 6)];
    acts.extend([write(5, 0, b"old"), write(6, 0, b"new"), sync("/f", 5), sync("/f.new", 6)]);
    acts.extend([sync("", 1), rename("/f.new", "/f")]);
    let before: Tree = [("/f", b"old"), ("/f.new", b"new")]
        .map(|(path, bytes)| (path.to_owned(), Some(bytes.to_vec())))
        .into();
    let after: Tree = [("/f".to_owned(), Some(b"new".to_vec()))].into();
    let both = [before, after.clone()].map(|tree| tree.into_iter().collect());
    assert_eq!(outcomes(&acts), BTreeSet::from(both));
    acts.push(sync("", 1));
    assert_eq!(outcomes(&acts), BTreeSet::from([after.into_iter().collect()]));
}

#[test]
fn a_removed_file_may_be_back_with_what_was_synced() {
    let mut acts = file(true);
    acts.extend([write(5, 0, b"a"), sync("/f", 5), Act::Remove { path: "/f".to_owned() }]);
    assert_eq!(contents(&acts, "/f"), BTreeSet::from([None, Some(b"a".to_vec())]));
    // The number of a file that is gone is given to another one.
    acts.extend([create("/f", 5), write(5, 0, b"b"), sync("/f", 5)]);
    let known = [None, Some(b"a".to_vec()), Some(b"b".to_vec())];
    assert_eq!(contents(&acts, "/f"), BTreeSet::from(known));
}

#[test]
fn what_was_cut_off_does_not_come_back() {
    let mut acts = file(true);
    acts.extend([write(5, 0, b"abcd"), sync("/f", 5)]);
    acts.extend([Act::Resize { inode: 5, size: 2 }, Act::Resize { inode: 5, size: 4 }]);
    let left = contents(&acts, "/f");
    let known = [&b"abcd"[..], b"ab", b"ab\0\0"].map(|bytes| Some(bytes.to_vec()));
    assert_eq!(left, BTreeSet::from(known));
    acts.push(sync("/f", 5));
    assert_eq!(contents(&acts, "/f"), BTreeSet::from([Some(b"ab\0\0".to_vec())]));
}

#[test]
fn space_that_is_allocated_reads_as_zeros() {
    let mut acts = file(true);
    acts.extend([
        write(5, 0, b"ab"),
        Act::Allocate { inode: 5, offset: 0, size: 4, mode: 0 },
        Act::Allocate { inode: 5, offset: 0, size: 9, mode: 1 },
        Act::Allocate { inode: 5, offset: 0, size: 1, mode: 3 },
    ]);
    assert_eq!(Disk::after(&acts).now()["/f"], Some(b"\0b\0\0".to_vec()));
}

#[test]
fn without_a_cut_everything_is_there() {
    let mut acts = vec![Act::MakeFolder { path: "/d".to_owned(), inode: 9 }, create("/d/f", 5)];
    acts.extend([write(5, 600, b"a"), rename("/d/f", "/g")]);
    let now = Disk::after(&acts).now();
    assert_eq!(now["/d"], None);
    assert_eq!(now["/g"].as_ref().map(Vec::len), Some(601));
    assert_eq!(now.len(), 2);
}
