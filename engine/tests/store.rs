//! What every store promises, and what the store on disk adds to it.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test says what it expects by failing"
)]

use escrr_engine::store::{
    Append, Committer, Holder, Home, MemoryStore, Reading, Store, StoreError, chain,
};
use escrr_engine::{Entry, Event, Outcome, SagaId};
use std::path::Path;

fn journal(saga: SagaId, note: &str) -> Vec<Append> {
    let events = [
        Event::Created {
            link: "link".into(),
            spec: note.into(),
            spec_digest: "d".into(),
            edition: "e".into(),
            world: "cloud".into(),
            world_id: None,
            actor: escrr_engine::Actor::default(),
            program: "p".into(),
        },
        Event::UndoIntended { node: "a.b".into(), items: Vec::new() },
        Event::Finished { outcome: Outcome::Succeeded },
    ];
    let mut previous = String::new();
    let mut all = Vec::new();
    for (version, event) in (1..).zip(events) {
        let entry = Entry { version, at_ms: 1_000 + version, previous, event };
        previous = chain(&entry);
        all.push(Append::new(saga, entry));
    }
    all
}

fn saga(number: u8) -> SagaId {
    SagaId::new(u64::from(number), [number; 10])
}

/// The promises of the trait; `again` opens the same store a second time.
fn keeps_its_promises<S: Store>(mut store: S, again: impl FnOnce(S) -> S) {
    let fence = store.claim().unwrap();
    let (one, two) = (journal(saga(1), "one"), journal(saga(2), &"x".repeat(200_000)));
    store.commit(fence, &one[..2]).unwrap();
    // A batch is all or nothing: its second append expects the wrong version.
    let mixed = [two[0].clone(), one[0].clone()];
    assert!(matches!(store.commit(fence, &mixed), Err(StoreError::Conflict { .. })));
    assert_eq!(store.entries(saga(2), 1).unwrap(), []);
    store.commit(fence, &[two[0].clone(), one[2].clone()]).unwrap();

    let mut store = again(store);
    let found = store.entries(saga(1), 1).unwrap();
    assert_eq!(found, one.iter().map(|a| a.entry.entry().clone()).collect::<Vec<_>>());
    assert_eq!(store.entries(saga(1), 3).unwrap().len(), 1);
    assert_eq!(store.entries(saga(2), 1).unwrap(), [two[0].entry.entry().clone()]);
    assert_eq!(store.entries(saga(9), 1).unwrap(), []);
    let heads = store.heads().unwrap();
    assert_eq!(heads.len(), 2);
    assert_eq!((heads[0].version, heads[0].outcome), (3, Some(Outcome::Succeeded)));
    assert_eq!((heads[1].version, heads[1].outcome), (1, None));
    assert_eq!(heads[0].last, chain(&one[2].entry));

    // A younger holder shuts the older one out.
    let younger = store.claim().unwrap();
    assert!(matches!(store.commit(fence, &two[1..2]), Err(StoreError::Fenced)));
    store.commit(younger, &two[1..2]).unwrap();
}

#[test]
fn memory_keeps_its_promises() {
    keeps_its_promises(MemoryStore::default(), |store| store);
}

fn open(home: &Path) -> Home {
    Home::open(home, &Holder::default()).unwrap()
}

#[test]
fn a_home_keeps_its_promises() {
    let folder = tempfile::tempdir().unwrap();
    keeps_its_promises(open(folder.path()), |store| {
        drop(store);
        open(folder.path())
    });
}

#[test]
fn a_newer_format_and_a_broken_meta_are_named() {
    let folder = tempfile::tempdir().unwrap();
    drop(open(folder.path()));
    let meta = |text: &str| {
        std::fs::write(folder.path().join("store/meta"), text).unwrap();
        Home::open(folder.path(), &Holder::default()).unwrap_err()
    };
    let newer = meta("format = 9\n");
    assert!(matches!(newer, StoreError::Newer { found: 9, .. }), "{newer}");
    let broken = meta("nothing");
    assert!(matches!(broken, StoreError::Damaged { .. }), "{broken}");
}

#[test]
fn an_unfinished_snapshot_does_not_keep_the_index_from_opening() {
    let folder = tempfile::tempdir().unwrap();
    drop(open(folder.path()));
    let left = folder.path().join("store/sled/snap.0000000000000042.generating");
    std::fs::write(&left, b"half").unwrap();
    assert_eq!(open(folder.path()).notices(), []);
    assert!(!left.exists());
}

#[test]
fn another_process_reads_while_the_home_is_held() {
    let folder = tempfile::tempdir().unwrap();
    let holder = Holder { pid: 7, doing: "run".into(), ..Holder::default() };
    let mut home = Home::open(folder.path(), &holder).unwrap();
    let fence = home.claim().unwrap();
    home.commit(fence, &journal(saga(1), "one")).unwrap();
    let reading = Reading::open(folder.path()).unwrap();
    assert_eq!(reading.holder().map(|holder| holder.pid), Some(7));
    assert_eq!(reading.entries(saga(1), 1).unwrap(), home.entries(saga(1), 1).unwrap());
    assert_eq!(reading.heads().unwrap(), home.heads().unwrap());
    drop(home);
    assert_eq!(Reading::open(folder.path()).unwrap().holder(), None);
}

#[test]
fn reading_where_nothing_is_makes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path().join("home");
    assert!(Reading::open(&home).unwrap().heads().unwrap().is_empty());
    assert!(!home.exists());
}

#[tokio::test]
async fn the_committer_acknowledges_many_at_once_and_stops_after_an_error() {
    let store = MemoryStore::default();
    let committer = Committer::start(store.clone()).unwrap();
    let tasks: Vec<_> = (1..=50)
        .map(|number| {
            let committer = committer.clone();
            tokio::spawn(async move {
                for append in journal(saga(number), "n") {
                    committer.append(append.saga, append.entry).await.unwrap();
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(committer.heads().await.unwrap().len(), 50);
    store.die_after(Some(0));
    let late = journal(saga(60), "late");
    for _ in 0..2 {
        let refused = committer.append(late[0].saga, late[0].entry.clone()).await;
        assert!(matches!(refused, Err(StoreError::Stopped(_))));
    }
}
