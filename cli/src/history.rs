//! How long nodes took in earlier sagas of a home: the median of those that ended.

use crate::error::CommandError;
use escrr_engine::store::{Committer, Head, Reading};
use escrr_engine::{About, Catalog, Entry, Event, Origin};
use escrr_steps::World;
use std::collections::BTreeMap;

/// So many of the newest sagas are asked; what is older tells of another cloud.
const MOST_SAGAS: usize = 20;

/// The usual durations of nodes, learnt from journals.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct History {
    medians: BTreeMap<usize, u64>,
}

impl History {
    /// Learns from whole journals.
    pub fn learn<'a>(
        catalog: &Catalog<World>,
        journals: impl IntoIterator<Item = &'a [Entry]>,
    ) -> Self {
        let mut all: BTreeMap<usize, Vec<u64>> = BTreeMap::new();
        for journal in journals {
            for (node, took_ms) in durations(journal) {
                if let Some(at) = catalog.find(node) {
                    all.entry(at).or_default().push(took_ms);
                }
            }
        }
        let medians = all.into_iter().filter_map(|(at, times)| Some((at, median(times)?)));
        Self { medians: medians.collect() }
    }

    /// Learns from the sagas of one kind of world that ended; a sandbox says nothing of a cloud.
    ///
    /// # Errors
    /// The journals cannot be read.
    pub fn read(
        reading: &Reading,
        catalog: &Catalog<World>,
        world: &str,
    ) -> Result<Self, CommandError> {
        let mut journals = Vec::new();
        for head in telling(&reading.heads()?, world) {
            journals.push(reading.entries(head.saga, 1)?);
        }
        Ok(Self::learn(catalog, journals.iter().map(Vec::as_slice)))
    }

    /// The same in the process that writes.
    ///
    /// # Errors
    /// The journals cannot be read.
    pub async fn of_writer(
        committer: &Committer,
        catalog: &Catalog<World>,
        world: &str,
    ) -> Result<Self, CommandError> {
        let mut journals = Vec::new();
        for head in telling(&committer.heads().await?, world) {
            journals.push(committer.entries(head.saga, 1).await?);
        }
        Ok(Self::learn(catalog, journals.iter().map(Vec::as_slice)))
    }

    /// How long a node usually takes, in milliseconds: as it did here, or as its author says.
    pub fn usual_ms(&self, at: usize, about: &About) -> u64 {
        let learnt = self.medians.get(&at).copied();
        learnt.unwrap_or_else(|| u64::from(about.patience.usual_s) * 1000)
    }

    /// How long a node took here, in milliseconds, if it was ever made here.
    pub fn learnt_ms(&self, at: usize) -> Option<u64> {
        self.medians.get(&at).copied()
    }
}

/// The newest sagas of a kind of world that ended.
fn telling(heads: &[Head], world: &str) -> Vec<Head> {
    let ended = heads.iter().filter(|head| head.outcome.is_some() && head.world == world);
    let mut ended: Vec<Head> = ended.cloned().collect();
    ended.sort_by_key(|head| std::cmp::Reverse(head.saga));
    ended.truncate(MOST_SAGAS);
    ended
}

/// From announcement to completion, in milliseconds, for each node that was made without a stop.
fn durations(journal: &[Entry]) -> Vec<(&str, u64)> {
    let mut begun: BTreeMap<&str, u64> = BTreeMap::new();
    let mut all = Vec::new();
    for entry in journal {
        let Some(node) = entry.event.node() else { continue };
        match &entry.event {
            Event::Intended { .. } => {
                begun.entry(node).or_insert(entry.at_ms);
            }
            Event::Completed { origin: Origin::Made, .. } => {
                let since = begun.remove(node);
                all.extend(since.map(|since| (node, entry.at_ms.saturating_sub(since))));
            }
            // A stop is a person's time, and what was found took none.
            Event::Completed { .. }
            | Event::Failed { .. }
            | Event::Parked { .. }
            | Event::Decided { .. }
            | Event::UndoIntended { .. }
            | Event::Undone { .. }
            | Event::Stuck { .. } => {
                begun.remove(node);
            }
            Event::Created { .. }
            | Event::RollbackBegun { .. }
            | Event::Resumed { .. }
            | Event::Finished { .. }
            | Event::Interrupted { .. }
            | Event::Acknowledged { .. }
            | Event::Vanished { .. }
            | Event::Inherited { .. }
            | Event::Adopted { .. }
            | Event::HistoryLost { .. } => {}
        }
    }
    all
}

/// The middle one; of two in the middle the longer.
fn median(mut times: Vec<u64>) -> Option<u64> {
    times.sort_unstable();
    times.get(times.len() / 2).copied()
}

#[cfg(test)]
mod tests {
    use super::*;
    use escrr_engine::{Class, Report};

    fn journal(events: Vec<(u64, Event)>) -> Vec<Entry> {
        let entry =
            |(version, (at_ms, event))| Entry { version, at_ms, previous: String::new(), event };
        (1..).zip(events).map(entry).collect()
    }

    fn intended() -> Event {
        let (node, token) = ("network.cen".into(), String::new());
        Event::Intended { node, generation: 1, token, items: Vec::new() }
    }

    fn completed(origin: Origin) -> Event {
        let (node, output) = ("network.cen".into(), serde_json::Value::Null);
        Event::Completed { node, origin, output, attempts: 1 }
    }

    fn made_in(ms: u64) -> Vec<Entry> {
        journal(vec![(1_000, intended()), (1_000 + ms, completed(Origin::Made))])
    }

    #[test]
    fn what_is_usual_is_the_median_or_the_authors_word() {
        let catalog = escrr_steps::catalog::catalog().unwrap();
        let at = catalog.find("network.cen").unwrap();
        let about = &catalog.about()[at];
        let authors = u64::from(about.patience.usual_s) * 1000;
        assert_eq!(History::default().usual_ms(at, about), authors);
        let all = [made_in(9_000), made_in(40_000), made_in(500_000)];
        let history = History::learn(&catalog, all.iter().map(Vec::as_slice));
        assert_eq!((history.usual_ms(at, about), history.learnt_ms(at)), (40_000, Some(40_000)));
        assert_eq!(history.learnt_ms(at + 1), None);
        assert_eq!(median(vec![1, 3]), Some(3));
        assert_eq!(median(Vec::new()), None);
    }

    #[test]
    fn an_intent_that_grew_counts_from_its_beginning() {
        let grown = journal(vec![(1, intended()), (5, intended()), (9, completed(Origin::Made))]);
        assert_eq!(durations(&grown), [("network.cen", 8)]);
    }

    #[test]
    fn stops_and_what_was_found_say_nothing() {
        let failed = Event::Failed {
            node: "network.cen".into(),
            class: Class::Refused,
            report: Report::new("x", "no"),
            attempts: 1,
        };
        let stopped = journal(vec![(1, intended()), (5, failed), (9_000, completed(Origin::Made))]);
        assert_eq!(durations(&stopped), []);
        let found = journal(vec![(1, intended()), (9, completed(Origin::Found))]);
        assert_eq!(durations(&found), []);
    }
}
