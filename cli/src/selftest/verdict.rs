//! What came of a kill: what is there twice, left over or gone, and what the journal lost.

use super::point::{Point, Way};
use escrr_sandbox::Thing;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// What came of one point.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// Where it was killed.
    pub point: Point,
    /// Was it killed there, and did it go on to its end?
    pub resumed: bool,
    /// What exists and should not, or does not and should.
    pub differences: Differences,
    /// Entries that were acknowledged, or durable, and are not in the journal.
    pub lost: Vec<String>,
    /// What else was not as it should be.
    pub trouble: Vec<String>,
    /// Could a store not be opened?
    pub unopened: bool,
}

/// How what exists differs from what should.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Differences {
    /// Made once more than an undisturbed run makes them.
    pub duplicates: Vec<String>,
    /// There, although nothing of the kind should be.
    pub leaks: Vec<String>,
    /// Not there, although it should be.
    pub missing: Vec<String>,
}

impl Verdict {
    /// A verdict before anything is known.
    pub fn new(point: Point) -> Self {
        Self {
            point,
            resumed: false,
            differences: Differences::default(),
            lost: Vec::new(),
            trouble: Vec::new(),
            unopened: false,
        }
    }

    /// Does everything hold?
    pub fn holds(&self) -> bool {
        let Differences { duplicates, leaks, missing } = &self.differences;
        let found = [duplicates, leaks, missing, &self.lost, &self.trouble];
        self.resumed && !self.unopened && found.iter().all(|list| list.is_empty())
    }

    /// Everything that does not hold, one line each.
    pub fn evidence(&self) -> Vec<String> {
        let Differences { duplicates, leaks, missing } = &self.differences;
        let all = [
            ("twice", duplicates),
            ("left over", leaks),
            ("missing", missing),
            ("lost entry", &self.lost),
        ];
        let mut lines = self.trouble.clone();
        for (what, list) in all {
            lines.extend(list.iter().map(|one| format!("{what}: {one}")));
        }
        lines
    }
}

/// Holds what exists against what should.
///
/// After a run two lives are compared, whose ids differ: kind, region and owner count. After a
/// rollback a life is compared with its own beginning: everything counts.
pub fn compare(way: Way, wanted: &[Thing], found: &[Thing]) -> Differences {
    let shape = |thing: &Thing| match way {
        Way::Forward => format!("{} in {} of {}", thing.kind, thing.region, thing.owner),
        Way::Backward => format!("{} {} since {}", thing.kind, thing.id, thing.since),
    };
    let wanted = counted(wanted.iter().map(shape));
    let found = counted(found.iter().map(shape));
    let mut differences = Differences::default();
    for (what, count) in &found {
        let due = wanted.get(what).copied().unwrap_or_default();
        // What is made twice has its like; what nobody made on purpose has none.
        let into = if due > 0 { &mut differences.duplicates } else { &mut differences.leaks };
        into.extend((due..*count).map(|_| what.clone()));
    }
    for (what, due) in &wanted {
        let count = found.get(what).copied().unwrap_or_default();
        differences.missing.extend((count..*due).map(|_| what.clone()));
    }
    differences
}

fn counted(shapes: impl Iterator<Item = String>) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for shape in shapes {
        *counts.entry(shape).or_insert(0) += 1;
    }
    counts
}

/// The acknowledged entries that a journal does not have.
pub fn lost(acknowledged: &[String], journal: &[String]) -> Vec<String> {
    let journal: BTreeSet<&String> = journal.iter().collect();
    acknowledged.iter().filter(|entry| !journal.contains(entry)).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn thing(kind: &str, id: &str) -> Thing {
        Thing::new(kind, id, "cn-shanghai", "a-link", 0)
    }

    fn verdict() -> Verdict {
        let point = "forward:before:17".parse().unwrap();
        Verdict { resumed: true, ..Verdict::new(point) }
    }

    #[test]
    fn the_same_shape_with_other_ids_is_no_difference_after_a_run() {
        let wanted = [thing("cen", "cen-1"), thing("vswitch", "vsw-1")];
        let found = [thing("vswitch", "vsw-9"), thing("cen", "cen-9")];
        assert_eq!(compare(Way::Forward, &wanted, &found), Differences::default());
        let back = compare(Way::Backward, &wanted, &found);
        assert_eq!((back.leaks.len(), back.missing.len()), (2, 2));
    }

    #[test]
    fn what_is_there_twice_left_over_or_gone_is_found() {
        let wanted = [thing("cen", "cen-1"), thing("vswitch", "vsw-1")];
        let doubled = [thing("cen", "cen-8"), thing("cen", "cen-9"), thing("vswitch", "vsw-9")];
        let found = compare(Way::Forward, &wanted, &doubled);
        assert_eq!(found.duplicates, ["cen in cn-shanghai of a-link"]);
        assert!(found.leaks.is_empty() && found.missing.is_empty());
        let odd = [thing("cen", "cen-1"), thing("vswitch", "vsw-1"), thing("instance", "i-1")];
        assert_eq!(compare(Way::Forward, &wanted, &odd).leaks.len(), 1);
        assert_eq!(compare(Way::Forward, &wanted, &wanted[..1]).missing.len(), 1);
        let left = compare(Way::Backward, &wanted[..1], &wanted);
        assert_eq!(left.leaks, ["vswitch vsw-1 since 1970-01-01T00:00:00Z"]);
    }

    #[test]
    fn taken_away_and_made_anew_is_a_difference_after_a_rollback() {
        let mut anew = thing("cen", "cen-1");
        anew.since = "2026-11-23T00:00:00Z".to_owned();
        let found = compare(Way::Backward, &[thing("cen", "cen-1")], &[anew]);
        assert_eq!((found.leaks.len(), found.missing.len()), (1, 1));
    }

    #[test]
    fn a_lost_entry_is_found() {
        let lines = |all: &[&str]| all.iter().map(|l| (*l).to_owned()).collect::<Vec<_>>();
        let acknowledged = lines(&["1", "2", "3"]);
        assert_eq!(lost(&acknowledged, &lines(&["1", "2", "3", "4"])), Vec::<String>::new());
        assert_eq!(lost(&acknowledged, &lines(&["1", "3"])), ["2"]);
    }

    #[test]
    fn each_finding_alone_is_a_failure() {
        assert!(verdict().holds());
        let one = || vec!["x".to_owned()];
        let with = |differences| Verdict { differences, ..verdict() };
        for (bad, said) in [
            (with(Differences { duplicates: one(), ..Differences::default() }), "twice: x"),
            (with(Differences { leaks: one(), ..Differences::default() }), "left over: x"),
            (with(Differences { missing: one(), ..Differences::default() }), "missing: x"),
            (Verdict { lost: one(), ..verdict() }, "lost entry: x"),
            (Verdict { trouble: one(), ..verdict() }, "x"),
        ] {
            assert!(!bad.holds(), "{bad:?}");
            assert_eq!(bad.evidence(), [said]);
        }
        assert!(!Verdict { resumed: false, ..verdict() }.holds());
        assert!(!Verdict { unopened: true, ..verdict() }.holds());
    }
}
