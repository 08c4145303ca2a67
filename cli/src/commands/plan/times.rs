//! How long it takes: the longest path through the graph, and what earlier runs took.

use super::Plan;
use super::verdicts::Row;
use escrr_engine::{Entry, Event, Origin};
use std::collections::BTreeMap;

/// A way through the graph and how long it takes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Path {
    /// In milliseconds.
    pub(super) total_ms: u64,
    /// The nodes on it that take time, first to last.
    pub(super) nodes: Vec<usize>,
}

/// The longest path through a graph whose nodes stand below all that they need.
pub(super) fn longest<'a>(own_ms: &[u64], needs: impl Fn(usize) -> &'a [usize]) -> Path {
    // For each node: when it ends, and which need it begins after.
    let mut ends: Vec<(u64, Option<usize>)> = Vec::with_capacity(own_ms.len());
    for (at, own) in own_ms.iter().enumerate() {
        let end_of = |need: &usize| Some((ends.get(*need)?.0, Some(*need)));
        // Of two that end together the one that stands first is named.
        let last = needs(at).iter().filter_map(end_of).reduce(|a, b| if b.0 > a.0 { b } else { a });
        let (begins, after) = last.unwrap_or_default();
        ends.push((begins.saturating_add(*own), after));
    }
    let first_longest = |a: usize, b: usize| {
        let end = |at: usize| ends.get(at).map_or(0, |end| end.0);
        if end(b) > end(a) { b } else { a }
    };
    let Some(last) = (0..ends.len()).reduce(first_longest) else { return Path::default() };
    let mut path = Path { total_ms: ends.get(last).map_or(0, |end| end.0), nodes: Vec::new() };
    let mut next = Some(last);
    while let Some(at) = next {
        if own_ms.get(at).is_some_and(|own| *own > 0) {
            path.nodes.push(at);
        }
        next = ends.get(at).and_then(|end| end.1);
    }
    path.nodes.reverse();
    path
}

/// How long making took in earlier runs of this home, by node.
#[derive(Clone, Debug, Default)]
pub(in crate::commands) struct Learnt {
    taken_ms: BTreeMap<String, Vec<u64>>,
}

impl Learnt {
    /// Adds what a journal says: from the first intent to the completion of what was made.
    ///
    /// What a person was waited for in between does not count, nor what came after a rollback
    /// was begun. The time in which no process was at it does; the median bears that.
    pub(in crate::commands) fn add(&mut self, entries: &[Entry]) {
        let mut begun: BTreeMap<&str, u64> = BTreeMap::new();
        for entry in entries {
            match &entry.event {
                Event::Intended { node, .. } => {
                    begun.entry(node).or_insert(entry.at_ms);
                }
                Event::Completed { node, origin, .. } => {
                    let since = begun.remove(node.as_str());
                    if let (Some(since), Origin::Made) = (since, *origin) {
                        let taken = entry.at_ms.saturating_sub(since);
                        self.taken_ms.entry(node.clone()).or_default().push(taken);
                    }
                }
                Event::Failed { node, .. }
                | Event::Parked { node, .. }
                | Event::Decided { node, .. } => {
                    begun.remove(node.as_str());
                }
                Event::Resumed { .. } => begun.clear(),
                Event::RollbackBegun { .. } => break,
                Event::Created { .. }
                | Event::UndoIntended { .. }
                | Event::Undone { .. }
                | Event::Stuck { .. }
                | Event::Finished { .. }
                | Event::Interrupted { .. }
                | Event::Acknowledged { .. }
                | Event::Vanished { .. }
                | Event::Inherited { .. }
                | Event::Adopted { .. }
                | Event::HistoryLost { .. } => {}
            }
        }
    }

    /// The median in milliseconds, and of how many runs.
    pub(super) fn usual_ms(&self, node: &str) -> Option<(u64, usize)> {
        let mut taken = self.taken_ms.get(node)?.clone();
        taken.sort_unstable();
        let upper = taken.get(taken.len() / 2)?;
        let lower = taken.get(taken.len().saturating_sub(1) / 2)?;
        Some((u64::midpoint(*lower, *upper), taken.len()))
    }
}

impl Plan {
    /// How long a node usually takes, in milliseconds: as learnt, else as it is expected.
    pub(super) fn usual_ms(&self, at: usize) -> u64 {
        let expected = self.catalog.about().get(at).map_or(0, |about| about.patience.usual_s);
        let learnt = self.learnt.usual_ms(self.catalog.name(at));
        learnt.map_or(u64::from(expected) * 1000, |(ms, _)| ms)
    }

    /// How long a node usually takes, and after how long it is overdue, in milliseconds.
    pub(super) fn own_ms(&self, row: Row<'_>) -> (u64, u64) {
        let usual = self.usual_ms(row.at);
        (usual, usual.max(u64::from(row.about.patience.limit_s) * 1000))
    }

    /// The longest path over the nodes that are still to do, among those that count.
    fn path(&self, own: impl Fn((u64, u64)) -> u64, counts: impl Fn(&Row<'_>) -> bool) -> Path {
        let times = |row: Row<'_>| {
            let takes = self.has_changes() && row.takes_time() && counts(&row);
            if takes { own(self.own_ms(row)) } else { 0 }
        };
        let own: Vec<u64> = self.rows().map(times).collect();
        longest(&own, |at| self.catalog.needs(at))
    }

    /// The path that a run usually takes longest for.
    pub(super) fn usual(&self) -> Path {
        self.path(|own| own.0, |_| true)
    }

    /// The path that a run may take longest for.
    pub(super) fn most(&self) -> Path {
        self.path(|own| own.1, |_| true)
    }

    /// How long one documented step alone usually takes, and at most, in milliseconds.
    pub(super) fn times_of(&self, phase: u8) -> (u64, u64) {
        let within = |row: &Row<'_>| row.about.phase == phase;
        (self.path(|own| own.0, within).total_ms, self.path(|own| own.1, within).total_ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use escrr_engine::Class;
    use serde_json::Value;

    /// `longest` over a hand-made graph: own times, and needs by position.
    fn path(graph: &[(u64, &[usize])]) -> Path {
        let own: Vec<u64> = graph.iter().map(|node| node.0).collect();
        longest(&own, |at| graph[at].1)
    }

    #[test]
    fn the_longest_path_is_the_slowest_chain_and_not_the_longest_list() {
        //  a 5 ─ b 1 ─ c 1 ─ d 1 ─┐
        //  └──── e 10 ────────────┴─ f 2      g 16, alone
        let graph: [(u64, &[usize]); 7] =
            [(5, &[]), (1, &[0]), (1, &[1]), (1, &[2]), (10, &[0]), (2, &[3, 4]), (16, &[])];
        assert_eq!(path(&graph), Path { total_ms: 17, nodes: vec![0, 4, 5] });
        let alone: [(u64, &[usize]); 3] = [(5, &[]), (10, &[0]), (16, &[])];
        assert_eq!(path(&alone), Path { total_ms: 16, nodes: vec![2] });
        // What takes no time is passed through and not named.
        let through: [(u64, &[usize]); 3] = [(5, &[]), (0, &[0]), (3, &[1])];
        assert_eq!(path(&through), Path { total_ms: 8, nodes: vec![0, 2] });
        assert_eq!(path(&[]), Path::default());
        assert_eq!(path(&[(0, &[])]), Path::default());
    }

    fn journal(events: Vec<(u64, Event)>) -> Vec<Entry> {
        let entry =
            |(version, (at_ms, event))| Entry { version, at_ms, previous: String::new(), event };
        (1..).zip(events).map(entry).collect()
    }

    fn intended() -> Event {
        Event::Intended { node: "a.b".into(), generation: 1, token: String::new(), items: vec![] }
    }

    fn completed(origin: Origin) -> Event {
        Event::Completed { node: "a.b".into(), origin, output: Value::Null, attempts: 1 }
    }

    #[test]
    fn the_median_of_what_making_took_is_learnt() {
        let mut learnt = Learnt::default();
        assert_eq!(learnt.usual_ms("a.b"), None);
        for taken in [900, 1_000, 90_000] {
            let made = completed(Origin::Made);
            learnt.add(&journal(vec![(50, intended()), (60, intended()), (50 + taken, made)]));
        }
        assert_eq!(learnt.usual_ms("a.b"), Some((1_000, 3)));
        learnt.add(&journal(vec![(0, intended()), (2_000, completed(Origin::Made))]));
        assert_eq!(learnt.usual_ms("a.b"), Some((1_500, 4)));
    }

    #[test]
    fn what_was_found_or_waited_for_a_person_or_came_after_a_rollback_teaches_nothing() {
        let mut learnt = Learnt::default();
        learnt.add(&journal(vec![(0, completed(Origin::Found))]));
        let report = escrr_engine::Report::default();
        let parked = Event::Parked { node: "a.b".into(), class: Class::Approval, report };
        let resumed = Event::Resumed { by: "me".into(), actor: escrr_engine::Actor::default() };
        let rollback =
            Event::RollbackBegun { by: "me".into(), actor: escrr_engine::Actor::default() };
        let made = || completed(Origin::Made);
        learnt.add(&journal(vec![(0, intended()), (1, parked), (2, resumed.clone()), (9, made())]));
        learnt.add(&journal(vec![(0, intended()), (2, resumed), (9, made())]));
        learnt.add(&journal(vec![(0, intended()), (2, rollback), (9, made())]));
        assert_eq!(learnt.usual_ms("a.b"), None);
    }
}
