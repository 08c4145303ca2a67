//! One index: counts, and documents held against their copies.

use super::compare::{Likeness, liken};
use crate::elastic::{Cluster, DocKey, Document, ShardSeq};
use crate::lag::{Link, caught_up, patiently};
use crate::nodes::step5_replication::Pair;
use escrr_engine::Fault;
use serde::Serialize;

/// Documents of one page; two pages are held at a time, and an answer by the OpenAPI is read up to
/// 8 MiB only.
const PAGE: u64 = 200;
/// Differences that are named; the others are counted.
const MOST_NAMED: usize = 10;
/// How often counting is tried while the leader is written to.
const COUNTS: u32 = 3;
/// Pauses between two looks at a follower that has to get somewhere, in milliseconds.
const PAUSE_MS: u64 = 500;

/// Which documents are compared one by one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Documents {
    /// So many, drawn at random over the whole index with this seed.
    Sample(u64, u64),
    /// Every one.
    All,
}

/// What was compared of one index.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Contents {
    /// Documents on the leader and on the follower at the same checkpoints; none when the leader
    /// was written to whenever they were counted.
    pub counts: Option<(u64, u64)>,
    /// Documents that were held against their copies.
    pub compared: u64,
    /// Documents that changed while they were looked at; no conclusion was drawn.
    pub changing: u64,
    /// Documents that differ.
    pub different: u64,
    /// The first of them: id and how.
    pub named: Vec<(String, &'static str)>,
}

/// Compares counts and documents of a pair; what is on its way is waited for, at most for so
/// many milliseconds.
///
/// # Errors
/// A cluster does not answer, or refuses.
pub(super) async fn contents(
    link: &Link<'_>,
    pair: &Pair,
    (documents, limit_ms): (Documents, u64),
) -> Result<Contents, Fault> {
    let mut found = Contents { counts: counts(link, pair).await?, ..Contents::default() };
    let ends = Ends { link, pair, backwards: false, limit_ms };
    match documents {
        Documents::Sample(0, _) => {}
        Documents::Sample(size, seed) => {
            let sample = patiently(link.clock, async || {
                link.leader.sample_docs(&pair.leader, seed, size).await
            })
            .await?;
            ends.hold(&sample, &mut found).await?;
        }
        Documents::All => {
            ends.hold_all(&mut found).await?;
            // Everything that the leader has was looked for; what only the follower has is not.
            if found.counts.is_some_and(|(theirs, own)| theirs != own) {
                let mut back = Contents::default();
                Ends { backwards: true, ..ends }.hold_all(&mut back).await?;
                found.add_extra(back);
            }
        }
    }
    Ok(found)
}

/// Counts both sides at the same checkpoints, if the leader holds still for long enough.
async fn counts(link: &Link<'_>, pair: &Pair) -> Result<Option<(u64, u64)>, Fault> {
    let (leader, follower) = (&link.leader, &link.follower);
    let shards = async |cluster: &Cluster, name: &str| {
        let mut all = patiently(link.clock, async || cluster.shard_stats(name).await).await?;
        Ok::<Vec<ShardSeq>, Fault>(all.remove(name).unwrap_or_default())
    };
    for _ in 0..COUNTS {
        let before = shards(leader, &pair.leader).await?;
        let reached = shards(follower, &pair.follower).await?;
        if caught_up(&before, &reached) {
            // Searches see what was there at the last refresh.
            patiently(link.clock, async || leader.refresh(&pair.leader).await).await?;
            patiently(link.clock, async || follower.refresh(&pair.follower).await).await?;
            let theirs =
                patiently(link.clock, async || leader.count_docs(&pair.leader).await).await?;
            let own =
                patiently(link.clock, async || follower.count_docs(&pair.follower).await).await?;
            if shards(leader, &pair.leader).await? == before {
                return Ok(Some((theirs, own)));
            }
        }
        drop(link.clock.wait_until(link.clock.now_ms() + PAUSE_MS).await);
    }
    Ok(None)
}

/// Which side the documents are read from, and which side the copies.
#[derive(Clone, Copy)]
struct Ends<'a> {
    link: &'a Link<'a>,
    pair: &'a Pair,
    backwards: bool,
    limit_ms: u64,
}

impl<'a> Ends<'a> {
    fn from(&self) -> (&'a Cluster, &'a str) {
        if self.backwards {
            (&self.link.follower, &self.pair.follower)
        } else {
            (&self.link.leader, &self.pair.leader)
        }
    }

    fn to(&self) -> (&'a Cluster, &'a str) {
        Self { backwards: !self.backwards, ..*self }.from()
    }

    /// Holds every document against its copy, shard by shard, page by page.
    async fn hold_all(&self, found: &mut Contents) -> Result<(), Fault> {
        let clock = self.link.clock;
        let (cluster, index) = self.from();
        let shards = patiently(clock, async || cluster.shard_stats(index).await).await?;
        for shard in shards.get(index).into_iter().flatten() {
            let mut after = None;
            loop {
                let number = shard.shard;
                let page = patiently(clock, async || {
                    cluster.page_docs(index, number, (after, PAGE)).await
                })
                .await?;
                let Some(last) = page.last() else { break };
                after = Some(last.seq_no);
                self.hold(&page, found).await?;
            }
        }
        Ok(())
    }

    /// Holds documents against their copies.
    async fn hold(&self, documents: &[Document], found: &mut Contents) -> Result<(), Fault> {
        let (cluster, index) = self.to();
        let mut doubtful = Vec::new();
        for part in documents.chunks(usize::try_from(PAGE).unwrap_or(1)) {
            let keys: Vec<DocKey> = part.iter().map(|document| document.key.clone()).collect();
            let copies =
                patiently(self.link.clock, async || cluster.get_docs(index, &keys).await).await?;
            for (document, copy) in part.iter().zip(&copies) {
                match liken(document, copy.as_ref()) {
                    Likeness::Same => found.compared += 1,
                    Likeness::Altered => found.differs(&document.key, ALTERED),
                    Likeness::Newer | Likeness::Older | Likeness::Absent => {
                        doubtful.push(document.key.clone());
                    }
                }
            }
        }
        self.settle(&doubtful, found).await
    }

    /// What is not the same may be on its way: the follower gets time to have all that the leader
    /// has now, and a document that the leader did not touch meanwhile has to be the same then.
    async fn settle(&self, keys: &[DocKey], found: &mut Contents) -> Result<(), Fault> {
        if keys.is_empty() {
            return Ok(());
        }
        let (clock, pair) = (self.link.clock, self.pair);
        let (leader, follower) = (&self.link.leader, &self.link.follower);
        let before = patiently(clock, async || leader.get_docs(&pair.leader, keys).await).await?;
        let reached = self.reached().await?;
        let copies =
            patiently(clock, async || follower.get_docs(&pair.follower, keys).await).await?;
        let after = patiently(clock, async || leader.get_docs(&pair.leader, keys).await).await?;
        for (key, ((before, after), copy)) in keys.iter().zip(before.iter().zip(after).zip(copies))
        {
            let untouched = before.as_ref().map(|d| d.seq_no) == after.as_ref().map(|d| d.seq_no);
            match (&after, &copy) {
                _ if !reached || !untouched => found.changing += 1,
                (None, None) => found.compared += 1,
                (None, Some(_)) => found.differs(key, EXTRA),
                (Some(document), copy) => match liken(document, copy.as_ref()) {
                    Likeness::Same => found.compared += 1,
                    Likeness::Altered => found.differs(key, ALTERED),
                    Likeness::Newer => found.differs(key, NEWER),
                    Likeness::Older => found.differs(key, OLDER),
                    Likeness::Absent => found.differs(key, ABSENT),
                },
            }
        }
        Ok(())
    }

    /// Waits until the follower has what the leader has now; says whether it came to that.
    async fn reached(&self) -> Result<bool, Fault> {
        let (clock, pair) = (self.link.clock, self.pair);
        let end_ms = clock.now_ms().saturating_add(self.limit_ms);
        let leader = &self.link.leader;
        let want = patiently(clock, async || leader.shard_stats(&pair.leader).await).await?;
        let want = want.get(&pair.leader).cloned().unwrap_or_default();
        loop {
            let follower = &self.link.follower;
            let have =
                patiently(clock, async || follower.shard_stats(&pair.follower).await).await?;
            if have.get(&pair.follower).is_some_and(|have| caught_up(&want, have)) {
                return Ok(true);
            }
            if clock.now_ms() >= end_ms {
                return Ok(false);
            }
            drop(clock.wait_until(clock.now_ms() + PAUSE_MS).await);
        }
    }
}

const ALTERED: &str = "other content under the same sequence number";
const ABSENT: &str = "not on the follower";
const EXTRA: &str = "only on the follower";
const OLDER: &str = "an older state on the follower";
const NEWER: &str = "a state on the follower that the leader never had";

impl Contents {
    fn differs(&mut self, key: &DocKey, how: &'static str) {
        self.compared += 1;
        self.different += 1;
        if self.named.len() < MOST_NAMED {
            self.named.push((key.id.clone(), how));
        }
    }

    /// Takes over what only the way back showed.
    fn add_extra(&mut self, back: Contents) {
        let extra: Vec<_> = back.named.into_iter().filter(|(_, how)| *how == EXTRA).collect();
        self.different += u64::try_from(extra.len()).unwrap_or_default();
        self.named.extend(extra);
        self.named.truncate(MOST_NAMED);
    }
}
