//! The committer under a scheduler that tries one order of events after another.
//!
//! Channels and threads are shuttle's here, so that each send, each receipt and each commit is a
//! point at which anybody else may go on. `ESCRR_INTERLEAVINGS=200000` tries more of them.

use super::Committer;
use crate::event::{Entry, Event};
use crate::id::SagaId;
use crate::store::{Append, Fence, Head, MemoryStore, Store, StoreError, chain};
use futures_util::FutureExt as _;
use shuttle::future::block_on;
use shuttle::thread;

/// Orders of events that each scheduler tries where the environment does not say how many.
const ORDERS: usize = 1_000;
/// How often the directed scheduler changes its mind in one order.
const CHANGES: usize = 3;

/// A store on which others can go on in the middle of every call.
#[derive(Clone, Debug, Default)]
struct Slow(MemoryStore);

impl Store for Slow {
    fn claim(&mut self) -> Result<Fence, StoreError> {
        thread::yield_now();
        let fence = self.0.claim();
        thread::yield_now();
        fence
    }

    fn commit(&mut self, fence: Fence, batch: &[Append]) -> Result<(), StoreError> {
        thread::yield_now();
        let done = self.0.commit(fence, batch);
        thread::yield_now();
        done
    }

    fn entries(&self, saga: SagaId, from: u64) -> Result<Vec<Entry>, StoreError> {
        self.0.entries(saga, from)
    }

    fn heads(&self) -> Result<Vec<Head>, StoreError> {
        self.0.heads()
    }
}

#[expect(clippy::disallowed_methods, reason = "how long a test tries is for who runs it")]
fn in_any_order(test: fn()) {
    let told = std::env::var("ESCRR_INTERLEAVINGS").ok();
    let orders = told.map_or(ORDERS, |orders| orders.parse().unwrap());
    shuttle::check_random(test, orders);
    shuttle::check_pct(test, orders, CHANGES);
}

fn saga(number: u8) -> SagaId {
    SagaId::new(u64::from(number), [number; 10])
}

/// A journal of so many entries, told apart by `note`.
fn journal(length: u64, note: &str) -> Vec<Entry> {
    let mut previous = String::new();
    let entry = |version| {
        let event = Event::UndoIntended { node: format!("{note}.{version}"), items: Vec::new() };
        let entry = Entry { version, at_ms: version, previous: previous.clone(), event };
        previous = chain(&entry);
        entry
    };
    (1..=length).map(entry).collect()
}

/// Appends entries one after another up to the first that is refused; what was acknowledged
/// is in the store at that moment.
fn append_all(
    committer: &Committer,
    store: &Slow,
    saga: SagaId,
    entries: &[Entry],
) -> (usize, Option<StoreError>) {
    for (at, entry) in entries.iter().enumerate() {
        if let Err(error) = block_on(committer.append(saga, entry.clone())) {
            return (at, Some(error));
        }
        assert_eq!(store.entries(saga, 1).unwrap(), entries[..=at]);
    }
    (entries.len(), None)
}

#[test]
fn what_is_acknowledged_is_there_and_in_order() {
    in_any_order(|| {
        let store = Slow::default();
        let committer = Committer::start(store.clone()).unwrap();
        let writers = (1..=3).map(|number| {
            let (committer, store) = (committer.clone(), store.clone());
            thread::spawn(move || {
                let entries = journal(3, "n");
                assert_eq!(append_all(&committer, &store, saga(number), &entries).0, 3);
                assert_eq!(block_on(committer.entries(saga(number), 2)).unwrap(), entries[1..]);
            })
        });
        writers.collect::<Vec<_>>().into_iter().for_each(|writer| writer.join().unwrap());
        assert_eq!(block_on(committer.heads()).unwrap().len(), 3);
    });
}

#[test]
fn nothing_is_acknowledged_after_the_store_died() {
    in_any_order(|| {
        let store = Slow::default();
        store.0.die_after(Some(2));
        let committer = Committer::start(store.clone()).unwrap();
        let writers = (1..=3).map(|number| {
            let (committer, store) = (committer.clone(), store.clone());
            thread::spawn(move || {
                let entries = journal(3, "n");
                let (there, error) = append_all(&committer, &store, saga(number), &entries);
                if error.is_some() {
                    // It comes back to life, but what it wrote last nobody knows.
                    store.0.die_after(None);
                    let late = block_on(committer.append(saga(number), entries[there].clone()));
                    assert!(matches!(late, Err(StoreError::Stopped(_))), "{late:?}");
                }
                assert!(matches!(error, None | Some(StoreError::Stopped(_))), "{error:?}");
                assert_eq!(store.entries(saga(number), 1).unwrap(), entries[..there]);
            })
        });
        writers.collect::<Vec<_>>().into_iter().for_each(|writer| writer.join().unwrap());
    });
}

#[test]
fn of_two_that_append_the_same_version_one_wins_and_others_do_not_feel_it() {
    in_any_order(|| {
        let store = Slow::default();
        let committer = Committer::start(store.clone()).unwrap();
        let race = ["one", "two"].map(|note| {
            let committer = committer.clone();
            thread::spawn(move || {
                let entry = journal(1, note).remove(0);
                block_on(committer.append(saga(1), entry.clone())).map(|()| entry)
            })
        });
        let beside = {
            let (committer, store) = (committer.clone(), store.clone());
            thread::spawn(move || append_all(&committer, &store, saga(2), &journal(3, "beside")).0)
        };
        let ends = race.map(|racer| racer.join().unwrap());
        assert_eq!(beside.join().unwrap(), 3);
        let won: Vec<&Entry> = ends.iter().filter_map(|end| end.as_ref().ok()).collect();
        assert_eq!(store.entries(saga(1), 1).unwrap().iter().collect::<Vec<_>>(), won);
        assert_eq!(won.len(), 1);
        let lost = ends.iter().filter_map(|end| end.as_ref().err());
        assert!(lost.into_iter().all(|e| matches!(e, StoreError::Conflict { .. })), "{ends:?}");
        // Whoever lost reads what stands there and goes on from it.
        block_on(committer.append(saga(1), journal(2, "on").remove(1))).unwrap();
    });
}

#[test]
fn who_leaves_with_asks_in_the_queue_stops_nobody() {
    in_any_order(|| {
        let store = Slow::default();
        let committer = Committer::start(store.clone()).unwrap();
        let leaver = {
            let (committer, store) = (committer.clone(), store.clone());
            thread::spawn(move || {
                let entries = journal(2, "left");
                let asked = entries.iter().map(|entry| {
                    let append = committer.append(saga(1), entry.clone());
                    // Asked, and not waited for.
                    append.now_or_never()
                });
                let asked = asked.filter(|done| matches!(done, Some(Ok(())))).count();
                drop(committer);
                assert!(store.entries(saga(1), 1).unwrap().len() >= asked);
            })
        };
        assert_eq!(append_all(&committer, &store, saga(2), &journal(2, "stays")).0, 2);
        leaver.join().unwrap();
        // The queue is served in order: when this is answered, so is everything before it.
        block_on(committer.heads()).unwrap();
        let last = journal(3, "left").remove(2);
        block_on(committer.append(saga(1), last)).unwrap();
        assert_eq!(store.entries(saga(1), 1).unwrap().len(), 3);
    });
}

#[test]
fn a_holder_that_is_shut_out_acknowledges_nothing() {
    in_any_order(|| {
        let store = Slow::default();
        let older = Committer::start(store.clone()).unwrap();
        let writer = {
            let (older, store) = (older.clone(), store.clone());
            thread::spawn(move || append_all(&older, &store, saga(1), &journal(4, "n")))
        };
        let younger = Committer::start(store.clone()).unwrap();
        let before = store.entries(saga(1), 1).unwrap().len();
        // From here on the store is the younger one's alone.
        let late = block_on(older.append(saga(2), journal(1, "late").remove(0)));
        assert!(matches!(late, Err(StoreError::Fenced | StoreError::Stopped(_))), "{late:?}");
        assert_eq!(append_all(&younger, &store, saga(3), &journal(2, "n")).0, 2);
        let (there, error) = writer.join().unwrap();
        assert_eq!(store.entries(saga(1), 1).unwrap(), journal(4, "n")[..there]);
        assert_eq!(there, before);
        assert_eq!(there == 4, error.is_none());
        assert_eq!(store.entries(saga(2), 1).unwrap(), []);
    });
}
