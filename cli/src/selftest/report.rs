//! The result of a self-test, for people and for programs.

use super::disk::Probe;
use super::point::{Commits, Way};
use super::verdict::Verdict;
use crate::exit::Exit;
use crate::ui::table::Table;
use crate::ui::words::count;
use serde_json::{Value, json};

/// Everything that a self-test found.
#[derive(Clone, Debug)]
pub struct Report {
    /// What a sync costs.
    pub probe: Probe,
    /// How many commits an undisturbed life makes.
    pub commits: Commits,
    /// What came of each point, in their order.
    pub verdicts: Vec<Verdict>,
}

/// How many of what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Totals {
    points: usize,
    resumed: usize,
    duplicates: usize,
    leaks: usize,
    missing: usize,
    lost: usize,
}

impl Totals {
    fn of<'a>(verdicts: impl Iterator<Item = &'a Verdict>) -> Self {
        verdicts.fold(Self::default(), |sum, verdict| Self {
            points: sum.points + 1,
            resumed: sum.resumed + usize::from(verdict.resumed),
            duplicates: sum.duplicates + verdict.differences.duplicates.len(),
            leaks: sum.leaks + verdict.differences.leaks.len(),
            missing: sum.missing + verdict.differences.missing.len(),
            lost: sum.lost + verdict.lost.len(),
        })
    }

    fn row(self, way: Way) -> Vec<String> {
        let Self { points, resumed, duplicates, leaks, missing, lost } = self;
        let numbers = [points, resumed, duplicates, leaks, missing, lost].map(|n| n.to_string());
        std::iter::once(way.name().to_owned()).chain(numbers).collect()
    }
}

impl Report {
    /// What the process ends with: a store that does not open outweighs everything else.
    pub fn exit(&self) -> Exit {
        if self.verdicts.iter().any(|verdict| verdict.unopened) {
            return Exit::StoreDamaged;
        }
        if self.verdicts.iter().all(Verdict::holds) { Exit::Done } else { Exit::Failed }
    }

    fn totals(&self, way: Option<Way>) -> Totals {
        let meant = |verdict: &&Verdict| way.is_none_or(|way| verdict.point.way == way);
        Totals::of(self.verdicts.iter().filter(meant))
    }

    /// For people.
    pub fn human(&self, columns: Option<usize>) -> String {
        let Commits { forward, backward } = self.commits;
        let heading = ["WAY", "KILLED", "RESUMED", "DUPLICATES", "LEAKS", "MISSING", "LOST"];
        let mut table = Table::new(&heading);
        for way in [Way::Forward, Way::Backward] {
            table.row(self.totals(Some(way)).row(way));
        }
        let Totals { points, resumed, duplicates, leaks, missing, lost } = self.totals(None);
        format!(
            "disk  {}\n      {}\n      {}\n\
             life  {} forward, {} backward; killed at {points} of {} points\n\n{}\n\n\
             {resumed} of {points} resumed: {}, {}, {missing} missing, {} lost.",
            self.probe.place(),
            self.probe.cost(),
            self.probe.judgement().words(),
            count(usize::try_from(forward).unwrap_or(usize::MAX), "commit"),
            backward,
            self.commits.total() * 2,
            table.render(columns),
            count(duplicates, "duplicate"),
            count(leaks, "leak"),
            entries(lost),
        )
    }

    /// The summary, for programs.
    pub fn summary(&self) -> Value {
        let Totals { points, resumed, duplicates, leaks, missing, lost } = self.totals(None);
        let exit = self.exit();
        json!({
            "type": "summary",
            "points": points,
            "points_there_are": self.commits.total() * 2,
            "commits": { "forward": self.commits.forward, "backward": self.commits.backward },
            "resumed": resumed,
            "duplicates": duplicates,
            "leaks": leaks,
            "missing": missing,
            "lost": lost,
            "exit_code": exit.code(),
            "class": exit.class(),
        })
    }

    /// Everything as one document.
    pub fn document(&self, kept: Option<&str>) -> Value {
        let mut document = self.summary();
        if let Some(fields) = document.as_object_mut() {
            fields.remove("type");
            fields.insert("disk".into(), self.probe.document());
            let verdicts: Vec<Value> = self.verdicts.iter().map(verdict).collect();
            fields.insert("killed_at".into(), verdicts.into());
            fields.insert("kept".into(), kept.into());
        }
        document
    }
}

fn entries(number: usize) -> String {
    if number == 1 { "1 entry".to_owned() } else { format!("{number} entries") }
}

/// What came of one point.
pub fn verdict(verdict: &Verdict) -> Value {
    json!({
        "point": verdict.point.to_string(),
        "holds": verdict.holds(),
        "resumed": verdict.resumed,
        "duplicates": verdict.differences.duplicates,
        "leaks": verdict.differences.leaks,
        "missing": verdict.differences.missing,
        "lost": verdict.lost,
        "trouble": verdict.trouble,
    })
}

/// The same as one line of a stream: `type` tells it from the others.
pub fn line(kind: &str, mut document: Value) -> Value {
    if let Some(fields) = document.as_object_mut() {
        fields.insert("type".into(), kind.into());
    }
    document
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::selftest::disk::Cost;
    use crate::selftest::mount::Mount;
    use crate::selftest::verdict::Differences;
    use std::path::Path;
    use std::time::Duration;

    fn report(more: Vec<Verdict>) -> Report {
        let cost = |us| Cost { p50: Duration::from_micros(us), p99: Duration::from_micros(us * 2) };
        let info = "22 1 254:1 / /var rw - ext4 /dev/vda1 rw";
        let mount = Mount::find(info, Path::new("/var/lib"));
        let good = ["forward:before:1", "forward:after:79", "backward:after:58"];
        let mut verdicts: Vec<Verdict> = good
            .iter()
            .map(|at| Verdict { resumed: true, ..Verdict::new(at.parse().unwrap()) })
            .collect();
        verdicts.extend(more);
        Report {
            probe: Probe { written: cost(4), synced: cost(850), mount },
            commits: Commits { forward: 79, backward: 58 },
            verdicts,
        }
    }

    fn bad() -> Verdict {
        let one = |what: &str| vec![what.to_owned()];
        Verdict {
            differences: Differences {
                duplicates: one("cen"),
                leaks: one("vsw"),
                missing: one("x"),
            },
            lost: one("5"),
            ..Verdict::new("backward:before:3".parse().unwrap())
        }
    }

    #[test]
    fn people_see_what_was_killed_and_what_came_of_it() {
        assert_eq!(
            report(Vec::new()).human(None),
            "\
disk  ext4 on /dev/vda1, mounted at /var
      512 bytes written and synced: 850 µs (p50), 1.7 ms (p99); only written: 4 µs (p50), 8 µs (p99)
      every sync is waited for
life  79 commits forward, 58 backward; killed at 3 of 274 points

WAY       KILLED  RESUMED  DUPLICATES  LEAKS  MISSING  LOST
forward   2       2        0           0      0        0
backward  1       1        0           0      0        0

3 of 3 resumed: 0 duplicates, 0 leaks, 0 missing, 0 entries lost."
        );
    }

    #[test]
    fn people_see_what_does_not_hold() {
        let text = report(vec![bad()]).human(None);
        assert!(text.ends_with(
            "\
WAY       KILLED  RESUMED  DUPLICATES  LEAKS  MISSING  LOST
forward   2       2        0           0      0        0
backward  2       1        1           1      1        1

3 of 4 resumed: 1 duplicate, 1 leak, 1 missing, 1 entry lost."
        ));
    }

    #[test]
    fn the_exit_code_is_of_the_worst() {
        assert_eq!(report(Vec::new()).exit(), Exit::Done);
        assert_eq!(report(vec![bad()]).exit(), Exit::Failed);
        let unopened = Verdict { unopened: true, ..bad() };
        assert_eq!(report(vec![bad(), unopened]).exit(), Exit::StoreDamaged);
        let never_died = Verdict { resumed: false, ..Verdict::new(bad().point) };
        assert_eq!(report(vec![never_died]).exit(), Exit::Failed);
    }

    #[test]
    fn programs_get_the_same_numbers() {
        let document = report(vec![bad()]).document(Some("/kept"));
        assert_eq!((&document["exit_code"], &document["class"]), (&json!(1), &json!("failed")));
        assert_eq!((&document["points"], &document["resumed"]), (&json!(4), &json!(3)));
        assert_eq!(document["disk"]["judgement"], "waits");
        assert_eq!(document["killed_at"][3]["duplicates"], json!(["cen"]));
        assert_eq!(document["kept"], "/kept");
        assert_eq!(line("point", verdict(&bad()))["type"], "point");
    }
}
