//! What is known of the sagas at work: the fold of the news.

use crate::history::History;
use escrr_engine::{About, Catalog, News, NodeState, Progress, Saga, SagaId};
use escrr_steps::World;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The sagas at work.
pub struct Board {
    catalog: Arc<Catalog<World>>,
    views: BTreeMap<SagaId, View>,
    /// The flag that leads to the same world again, with a space before it.
    pub flag: String,
    /// How long nodes took before.
    pub history: History,
}

/// One saga at work.
pub struct View {
    /// Where it is, as its journal says.
    pub saga: Saga,
    /// When this process began to carry it on.
    pub begun_ms: u64,
    /// What its nodes wait for.
    pub waits: BTreeMap<usize, Wait>,
}

/// What a node waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wait {
    /// In a few words.
    pub why: String,
    /// Since when.
    pub since_ms: u64,
    /// It takes longer than it should.
    pub overdue: bool,
    /// A call did not go through, this often in a row.
    pub attempt: u32,
}

impl Board {
    /// A board without sagas.
    pub fn new(catalog: Arc<Catalog<World>>, flag: String, history: History) -> Self {
        Self { catalog, views: BTreeMap::new(), flag, history }
    }

    /// Puts a saga on the board, as it is when this process begins to carry it on.
    pub fn put(&mut self, saga: Saga, now_ms: u64) {
        let view = View { saga, begun_ms: now_ms, waits: BTreeMap::new() };
        self.views.insert(view.saga.id, view);
    }

    /// What is known of every node.
    pub fn about(&self) -> &[About] {
        self.catalog.about()
    }

    /// A node's place in the list.
    pub fn find(&self, node: &str) -> Option<usize> {
        self.catalog.find(node)
    }

    /// The sagas, oldest first.
    pub fn views(&self) -> impl Iterator<Item = &View> {
        self.views.values()
    }

    /// One saga.
    pub fn view(&self, saga: SagaId) -> Option<&View> {
        self.views.get(&saga)
    }

    /// Is there more than one, so that lines have to say which they mean?
    pub fn has_many(&self) -> bool {
        self.views.len() > 1
    }

    /// Takes news in.
    pub fn take(&mut self, progress: &Progress) {
        let Some(view) = self.views.get_mut(&progress.saga) else { return };
        match &progress.news {
            // What was said before the saga was put here is in it already.
            News::Entry(entry) if entry.version <= view.saga.version => {}
            News::Entry(entry) => {
                // The engine folded it before it told us: it cannot be illegal.
                view.saga.apply(&self.catalog, entry).ok();
                if let Some(at) = entry.event.node().and_then(|node| self.catalog.find(node)) {
                    view.waits.remove(&at);
                }
            }
            News::Waiting { node, why, since_ms, .. } => {
                let overdue = view.waits.get(node).is_some_and(|wait| wait.overdue);
                let (why, since_ms) = (why.clone(), *since_ms);
                view.waits.insert(*node, Wait { why, since_ms, overdue, attempt: 0 });
            }
            News::Retrying { node, attempt, report, .. } => {
                let earlier = view.waits.get(node);
                let since_ms = earlier.map_or(progress.at_ms, |wait| wait.since_ms);
                let overdue = earlier.is_some_and(|wait| wait.overdue);
                let why = report.to_string();
                view.waits.insert(*node, Wait { why, since_ms, overdue, attempt: *attempt });
            }
            News::Overdue { node, .. } => {
                if let Some(wait) = view.waits.get_mut(node) {
                    wait.overdue = true;
                }
            }
            News::Called { node, .. } => {
                view.waits.remove(node);
            }
        }
    }
}

impl View {
    /// The nodes that are being made, taken back or waited for.
    pub fn active(&self) -> Vec<usize> {
        (0..self.saga.nodes.len())
            .filter(|at| {
                matches!(self.saga.node(*at), NodeState::Intended(_) | NodeState::Undoing { .. })
                    || self.waits.contains_key(at)
            })
            .collect()
    }

    /// Since when a node is at what it is at.
    pub fn since_ms(&self, at: usize) -> u64 {
        let waited = self.waits.get(&at).map(|wait| wait.since_ms);
        let begun = match self.saga.node(at) {
            NodeState::Intended(intent) => Some(intent.at_ms),
            NodeState::Undoing { since_ms, .. } => Some(*since_ms),
            NodeState::Idle { .. }
            | NodeState::Done { .. }
            | NodeState::Failed { .. }
            | NodeState::Parked { .. }
            | NodeState::Skipped
            | NodeState::Undone { .. }
            | NodeState::Stuck { .. } => None,
        };
        begun.or(waited).unwrap_or(self.begun_ms)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use escrr_engine::{Entry, Event};

    pub(in crate::ui::progress) fn entry(version: u64, at_ms: u64, event: Event) -> Entry {
        Entry { version, at_ms, previous: String::new(), event }
    }

    pub(in crate::ui::progress) fn intended(node: &str) -> Event {
        let items = vec![String::new()];
        Event::Intended { node: node.into(), generation: 1, token: "t".into(), items }
    }

    /// Sagas that were begun at 1 s.
    pub(in crate::ui::progress) fn at_work(links: &[&str]) -> Board {
        let catalog = Arc::new(escrr_steps::catalog::catalog().unwrap());
        let mut board = Board::new(Arc::clone(&catalog), String::new(), History::default());
        for (at, link) in (1..).zip(links) {
            let created = Event::Created {
                link: (*link).to_owned(),
                spec: String::new(),
                spec_digest: String::new(),
                edition: catalog.edition(),
                program: String::new(),
                world: "cloud".into(),
                world_id: None,
                actor: escrr_engine::Actor::default(),
            };
            let id = SagaId::new(at, [0; 10]);
            let saga = Saga::fold(id, &catalog, &[entry(1, 1_000, created)]).unwrap();
            board.put(saga, 1_000);
        }
        board
    }

    /// The first saga's news.
    pub(in crate::ui::progress) fn news(board: &mut Board, at_ms: u64, news: News) -> Progress {
        let saga = board.views().next().unwrap().saga.id;
        let progress = Progress { saga, at_ms, news };
        board.take(&progress);
        progress
    }

    /// The first saga makes a node and waits for it.
    pub(in crate::ui::progress) fn waiting(board: &mut Board, node: &str, why: &str) {
        let version = board.views().next().unwrap().saga.version + 1;
        news(board, 2_000, News::Entry(entry(version, 2_000, intended(node)).into()));
        let node = board.find(node).unwrap();
        let (why, since_ms) = (why.to_owned(), 3_000);
        news(board, 3_000, News::Waiting { node, why, since_ms, next_ms: 4_000 });
    }

    #[test]
    fn what_is_waited_for_is_forgotten_once_it_is_there() {
        let mut board = at_work(&["a"]);
        waiting(&mut board, "network.cen", "it is Creating");
        let at = board.find("network.cen").unwrap();
        let view = board.views().next().unwrap();
        assert_eq!((view.active(), view.since_ms(at)), (vec![at], 2_000));
        let waited_ms = 9_000;
        news(&mut board, 9_000, News::Overdue { node: at, why: "w".into(), waited_ms });
        assert!(board.views().next().unwrap().waits[&at].overdue);
        let event = Event::Completed {
            node: "network.cen".into(),
            origin: escrr_engine::Origin::Made,
            output: serde_json::Value::Null,
            attempts: 1,
        };
        news(&mut board, 10_000, News::Entry(entry(3, 10_000, event).into()));
        assert_eq!(board.views().next().unwrap().active(), Vec::<usize>::new());
    }
}
