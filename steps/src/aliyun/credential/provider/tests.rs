use super::*;
use crate::aliyun::{Endpoints, Manner};
use crate::secret::Secret;
use escrr_engine::clock::Busy;
use escrr_engine::erased::BoxFuture;
use escrr_engine::{Clock, Report};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

const MINUTE: u64 = 60_000;

/// A clock that is set by hand.
#[derive(Default)]
struct Hand(AtomicU64);

impl Clock for Hand {
    fn now_ms(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
    fn busy(&self) -> Busy {
        Busy::default()
    }
    fn wait_until(&self, _: u64) -> BoxFuture<'static, Busy> {
        Box::pin(async { Busy::default() })
    }
}

/// A source that counts how often it is asked, and answers what a file says.
struct Counted {
    dir: tempfile::TempDir,
    clock: Arc<Hand>,
    provider: Provider,
}

impl Counted {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let clock = Arc::new(Hand::default());
        let (count, answer) = (dir.path().join("count"), dir.path().join("answer"));
        let command = format!("echo asked >> '{}'; cat '{}'", count.display(), answer.display());
        let means = Means {
            endpoints: Endpoints::default(),
            manner: Manner::default(),
            metadata: None,
            clock: Arc::clone(&clock) as _,
        };
        let source = Source::External(Secret::new(command));
        let provider = Provider::new(source, means).unwrap();
        Self { dir, clock, provider }
    }

    fn path(&self) -> &Path {
        self.dir.path()
    }

    /// What it answers from now on: a key that ends at a minute of the hour.
    fn answers(&self, id: &str, until: &str) {
        let text = format!(
            "{{\"mode\":\"StsToken\",\"access_key_id\":\"{id}\",\"access_key_secret\":\"s\",\
             \"sts_token\":\"t\",\"expiration\":\"1970-01-01T{until}Z\"}}"
        );
        std::fs::write(self.path().join("answer"), text).unwrap();
    }

    fn falls_silent(&self) {
        std::fs::remove_file(self.path().join("answer")).unwrap();
    }

    fn asked(&self) -> usize {
        std::fs::read_to_string(self.path().join("count")).unwrap_or_default().lines().count()
    }

    fn at(&self, minute: u64) {
        self.clock.0.store(minute * MINUTE, Ordering::Relaxed);
    }

    async fn id(&self) -> Result<String, Fault> {
        self.provider.held().await.map(|held| held.credentials.access_key_id)
    }
}

#[tokio::test]
async fn whoever_waits_waits_for_one_answer() {
    let source = Counted::new();
    source.answers("a", "01:00:00");
    let all: [Result<String, Fault>; 8] =
        futures_util::future::join_all((0..8).map(|_| source.id())).await.try_into().unwrap();
    assert!(all.iter().all(|id| id.as_ref().unwrap() == "a"));
    assert_eq!(source.asked(), 1);
}

#[tokio::test]
async fn it_is_asked_again_shortly_before_the_end() {
    let source = Counted::new();
    source.answers("a", "01:00:00");
    assert_eq!(source.id().await.unwrap(), "a");
    source.answers("b", "02:00:00");
    source.at(56);
    assert_eq!((source.id().await.unwrap().as_str(), source.asked()), ("a", 1));
    source.at(57);
    assert_eq!((source.id().await.unwrap().as_str(), source.asked()), ("b", 2));
}

#[tokio::test]
async fn old_credentials_serve_while_they_are_good_and_then_it_parks() {
    let source = Counted::new();
    source.answers("a", "01:00:00");
    source.id().await.unwrap();
    source.falls_silent();
    source.at(58);
    assert_eq!(source.id().await.unwrap(), "a");
    // Not at every call: the next try comes a minute later.
    assert_eq!((source.id().await.unwrap().as_str(), source.asked()), ("a", 2));
    source.at(60);
    for _ in 0..2 {
        let fault = source.id().await.unwrap_err();
        let Fault::Blocked { class: Class::Permission, report } = fault else { panic!() };
        assert!(report.help.is_some(), "{report:?}");
    }
    source.answers("b", "02:00:00");
    assert_eq!(source.id().await.unwrap(), "b");
}

#[tokio::test]
async fn an_answer_that_has_run_out_already_is_none() {
    let source = Counted::new();
    source.at(60);
    source.answers("a", "01:00:00");
    assert!(matches!(source.id().await, Err(Fault::Blocked { class: Class::Permission, .. })));
}

#[tokio::test]
async fn what_the_cloud_no_longer_takes_is_replaced_if_there_is_another() {
    let source = Counted::new();
    source.answers("a", "01:00:00");
    let used = source.provider.credentials().await.unwrap();
    assert!(source.provider.instead_of(&used).await.unwrap().is_none());
    source.answers("b", "01:00:00");
    let other = source.provider.instead_of(&used).await.unwrap().unwrap();
    assert_eq!((other.access_key_id.as_str(), source.asked()), ("b", 3));
    // Whoever comes later with the old ones gets these, and nobody is asked.
    let other = source.provider.instead_of(&used).await.unwrap().unwrap();
    assert_eq!((other.access_key_id.as_str(), source.asked()), ("b", 3));
    let fixed = Provider::fixed(used.clone());
    assert!(!fixed.renews() && fixed.instead_of(&used).await.unwrap().is_none());
}

#[test]
fn refusals_park_and_silence_may_pass() {
    let report = || Report::new("a", "b");
    assert!(matches!(parks(Fault::refused(report())), Fault::Blocked { .. }));
    assert!(matches!(parks(Fault::Bug(report())), Fault::Blocked { .. }));
    assert!(matches!(parks(Fault::Unknown(report())), Fault::Transient { .. }));
    assert!(matches!(parks(Fault::transient(report())), Fault::Transient { .. }));
}
