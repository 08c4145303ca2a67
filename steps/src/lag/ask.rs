//! The calls: what both clusters say of a link.

use crate::elastic::{AutoFollow, CcrStats, Cluster, FollowerInfo, Index, ShardLeases, ShardSeq};
use crate::nodes::step5_replication::{Choice, Pair, choose, follower_name};
use crate::spec::Spec;
use crate::verify::is_probe;
use escrr_engine::{Clock, Fault};
use std::collections::{BTreeMap, BTreeSet};

/// How often a look is tried again after a fault that passes, and the pause after the first of
/// them, in milliseconds; each further one is twice as long: half a minute in all.
const TRIES: u32 = 6;
const PAUSE_MS: u64 = 500;

/// A link that is looked at: its spec, its clusters, the time.
pub struct Link<'a> {
    /// What is wanted.
    pub spec: &'a Spec,
    /// The leader's cluster.
    pub leader: Cluster,
    /// The follower's cluster.
    pub follower: Cluster,
    /// The time where the clusters are.
    pub clock: &'a dyn Clock,
}

/// What both clusters said of a link, before anybody judges it.
#[derive(Clone, Debug, Default)]
pub struct Said {
    /// The alias under which the follower's cluster knows the leader's.
    pub alias: String,
    /// When the last answer was there, in milliseconds since 1970.
    pub at_ms: u64,
    /// When the leader's checkpoints were asked for, in milliseconds since 1970.
    pub leader_at_ms: u64,
    /// The indices of the link: those that the spec wants, and those that follow its leader.
    pub pairs: Vec<Pair>,
    /// Leader indices that the patterns match and that cannot be replicated: index and reason.
    pub left_out: BTreeMap<String, String>,
    /// Leader indices that the spec names and that are not there.
    pub not_there: Vec<String>,
    /// The leader's indices by name.
    pub leader_indices: BTreeMap<String, Index>,
    /// The follower's indices by name.
    pub follower_indices: BTreeMap<String, Index>,
    /// The leader's checkpoints by index, asked for before the follower's.
    pub leader_shards: BTreeMap<String, Vec<ShardSeq>>,
    /// The follower's checkpoints by index.
    pub follower_shards: BTreeMap<String, Vec<ShardSeq>>,
    /// Leases on the leader's indices.
    pub leases: BTreeMap<String, Vec<ShardLeases>>,
    /// The follower's followers (`GET /_all/_ccr/info`).
    pub infos: Vec<FollowerInfo>,
    /// The state of replication (`GET /_ccr/stats`, on the follower).
    pub stats: CcrStats,
    /// The link's auto-follow pattern, if it is there.
    pub auto_follow: Option<AutoFollow>,
}

/// Asks both clusters; faults that pass are borne for half a minute.
///
/// The leader's checkpoints come before the follower's: what the follower lacks of them it really
/// lacks, however fast the leader writes.
///
/// # Errors
/// A cluster does not answer, or refuses.
pub async fn ask(link: &Link<'_>) -> Result<Said, Fault> {
    let (leader, follower) = (&link.leader, &link.follower);
    let by_name = |all: Vec<Index>| all.into_iter().map(|i| (i.name.clone(), i)).collect();
    let leader_indices: BTreeMap<String, Index> =
        by_name(patiently(link.clock, async || leader.indices("_all").await).await?);
    let leader_at_ms = link.clock.now_ms();
    let leader_shards = patiently(link.clock, async || leader.shard_stats("_all").await).await?;
    let leases = patiently(link.clock, async || leader.leases("_all").await).await?;
    let infos = patiently(link.clock, async || follower.follow_info("_all").await).await?;
    let stats = patiently(link.clock, async || follower.ccr_stats().await).await?;
    let follower_indices =
        by_name(patiently(link.clock, async || follower.indices("_all").await).await?);
    let follower_shards =
        patiently(link.clock, async || follower.shard_stats("_all").await).await?;
    let name = link.spec.auto_follow_name();
    let auto_follow = patiently(link.clock, async || follower.auto_follow(&name).await).await?;
    let mut said = Said {
        alias: link.spec.remote_alias().to_owned(),
        at_ms: link.clock.now_ms(),
        leader_at_ms,
        leader_indices,
        follower_indices,
        leader_shards,
        follower_shards,
        leases,
        infos,
        stats,
        auto_follow,
        ..Said::default()
    };
    said.find_pairs(link.spec);
    Ok(said)
}

impl Said {
    /// Which indices belong to the link: wanted by the spec, or followers of its leader already.
    ///
    /// Probes of a verification that goes on beside this one come and go and are passed over.
    fn find_pairs(&mut self, spec: &Spec) {
        let mut pairs = BTreeSet::new();
        for index in self.leader_indices.values().filter(|index| !is_probe(&index.name)) {
            match choose(spec, index) {
                Choice::Wanted => {
                    let follower = follower_name(spec, &index.name);
                    pairs.insert(Pair { leader: index.name.clone(), follower });
                }
                Choice::Impossible(why) => {
                    self.left_out.insert(index.name.clone(), why.to_owned());
                }
                Choice::NotAsked => {}
            }
        }
        let known: BTreeSet<String> = pairs.iter().map(|pair| pair.follower.clone()).collect();
        let ours = self.infos.iter().filter(|info| info.remote_cluster == self.alias);
        let more = ours.filter(|info| !known.contains(&info.follower_index));
        pairs.extend(more.filter(|info| !is_probe(&info.leader_index)).map(|info| Pair {
            leader: info.leader_index.clone(),
            follower: info.follower_index.clone(),
        }));
        let named = spec.replication.indices.iter();
        self.not_there = named
            .filter(|name| !self.leader_indices.contains_key(*name))
            // A follower of it says so itself.
            .filter(|name| !pairs.iter().any(|pair| pair.leader == **name))
            .cloned()
            .collect();
        self.pairs = pairs.into_iter().collect();
    }
}

/// Tries again what failed in passing.
///
/// # Errors
/// It failed for good, or for longer than half a minute.
pub(crate) async fn patiently<T>(
    clock: &dyn Clock,
    look: impl AsyncFn() -> Result<T, Fault>,
) -> Result<T, Fault> {
    let mut pause_ms = PAUSE_MS;
    for _ in 1..TRIES {
        let hint_ms = match look().await {
            Err(Fault::Transient { retry_after_ms, .. }) => retry_after_ms,
            // A look changes nothing, so a lost answer costs nothing either.
            Err(Fault::Busy(_) | Fault::Unknown(_)) => None,
            done => return done,
        };
        drop(clock.wait_until(clock.now_ms() + hint_ms.unwrap_or(pause_ms).min(15_000)).await);
        pause_ms = pause_ms.saturating_mul(2);
    }
    look().await
}
