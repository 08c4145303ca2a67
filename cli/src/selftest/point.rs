//! Where a process is killed: on the way there or back, before or after a commit.

use escrr_engine::store::Moment;
use std::fmt;
use std::str::FromStr;

/// Which of the two commands is killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Way {
    /// `escrr run`
    Forward,
    /// `escrr rollback`
    Backward,
}

impl Way {
    /// Its name in a point, and in what is shown.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Forward => "forward",
            Self::Backward => "backward",
        }
    }
}

/// One place to kill at; as text `forward:before:17`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Point {
    /// Which command.
    pub way: Way,
    /// At which of its commits.
    pub moment: Moment,
}

/// A text is no [`Point`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a point is, for example, `forward:before:17` or `backward:after:3`")]
pub struct NoPoint;

impl fmt::Display for Point {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.way.name(), self.moment)
    }
}

impl FromStr for Point {
    type Err = NoPoint;

    fn from_str(text: &str) -> Result<Self, NoPoint> {
        let (way, moment) = text.split_once(':').ok_or(NoPoint)?;
        let way = [Way::Forward, Way::Backward].into_iter().find(|known| known.name() == way);
        let moment = moment.parse().map_err(|_| NoPoint)?;
        Ok(Self { way: way.ok_or(NoPoint)?, moment })
    }
}

/// How many commits an undisturbed run and its rollback make.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Commits {
    /// Of the run.
    pub forward: u64,
    /// Of the rollback.
    pub backward: u64,
}

impl Commits {
    /// Both together.
    pub const fn total(self) -> u64 {
        self.forward + self.backward
    }

    /// The point before or after a commit, counted from 0 over run and rollback.
    const fn at(self, commit: u64, before: bool) -> Point {
        let (way, commit) = if commit < self.forward {
            (Way::Forward, commit + 1)
        } else {
            (Way::Backward, commit - self.forward + 1)
        };
        let moment = if before { Moment::Before(commit) } else { Moment::After(commit) };
        Point { way, moment }
    }

    /// Every point there is, in the order in which a life passes them.
    pub fn all(self) -> Vec<Point> {
        (0..self.total())
            .flat_map(|commit| [self.at(commit, true), self.at(commit, false)])
            .collect()
    }

    /// Some points, evenly spread from the first commit to the last, before and after in turn;
    /// never one twice.
    pub fn sample(self, points: u64) -> Vec<Point> {
        let all = self.total();
        if points == 0 || all == 0 {
            return Vec::new();
        }
        if points > all {
            let each = self.all().into_iter().enumerate();
            // Of every commit the first moment, and the second of as many as are still wanted.
            let more = points - all;
            return each
                .filter(|(at, _)| at % 2 == 0 || u64::try_from(at / 2).is_ok_and(|c| c < more))
                .map(|(_, point)| point)
                .collect();
        }
        if points == 1 {
            return vec![self.at((all - 1) / 2, false)];
        }
        (0..points).map(|at| self.at(at * (all - 1) / (points - 1), at % 2 == 0)).collect()
    }

    /// Is there such a point?
    pub const fn has(self, point: Point) -> bool {
        let commits = match point.way {
            Way::Forward => self.forward,
            Way::Backward => self.backward,
        };
        let (Moment::Before(commit) | Moment::After(commit)) = point.moment;
        commit >= 1 && commit <= commits
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    const COMMITS: Commits = Commits { forward: 5, backward: 3 };

    fn texts(points: &[Point]) -> Vec<String> {
        points.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn all_points_are_before_and_after_each_commit_of_both_ways() {
        let all = COMMITS.all();
        assert_eq!(all.len(), 16);
        let told = texts(&all);
        assert_eq!(told[..3], ["forward:before:1", "forward:after:1", "forward:before:2"]);
        assert_eq!(told[9..11], ["forward:after:5", "backward:before:1"]);
        assert_eq!(told[15], "backward:after:3");
        assert!(all.iter().all(|point| COMMITS.has(*point)));
    }

    #[test]
    fn a_sample_spans_the_whole_and_mixes_before_and_after() {
        assert_eq!(
            texts(&COMMITS.sample(4)),
            ["forward:before:1", "forward:after:3", "forward:before:5", "backward:after:3"]
        );
        assert_eq!(texts(&COMMITS.sample(1)), ["forward:after:4"]);
        let usual = Commits { forward: 79, backward: 58 }.sample(12);
        assert_eq!(usual.iter().filter(|point| point.way == Way::Backward).count(), 5);
    }

    #[test]
    fn a_sample_has_as_many_points_as_were_asked_for_and_none_twice() {
        for points in 0..=16 {
            let sample = COMMITS.sample(points);
            let distinct: BTreeSet<Point> = sample.iter().copied().collect();
            assert_eq!((distinct.len() as u64, sample.len() as u64), (points, points));
        }
        assert_eq!(COMMITS.sample(1_000), COMMITS.all());
        assert_eq!(Commits { forward: 0, backward: 0 }.sample(3), []);
    }

    #[test]
    fn a_point_is_read_as_it_is_written_and_known_or_not() {
        for point in COMMITS.all() {
            assert_eq!(point.to_string().parse(), Ok(point));
        }
        for wrong in ["", "forward", "forward:17", "sideways:before:1", "forward:before:0"] {
            assert_eq!(wrong.parse::<Point>(), Err(NoPoint), "{wrong}");
        }
        assert!(!COMMITS.has("forward:before:6".parse().unwrap()));
        assert!(!COMMITS.has("backward:after:4".parse().unwrap()));
    }
}
