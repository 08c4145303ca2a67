//! The numbers against their limits.

use super::ask::Said;
use super::finding::{Finding, Kind, anew};
use super::measure::{IndexLag, State};
use crate::elastic::{AutoFollow, AutoFollowError, cause};
use crate::nodes::step5_replication::matches;
use crate::spec::Spec;

/// How long a read of a quiet index waits for news (`read_poll_timeout`), in milliseconds.
const POLL_MS: u64 = 60_000;
/// A lease that was not renewed for this share of its period is at risk, in percent: renewed every
/// 30 seconds, it is then long since alone.
const LEASE_PERCENT: u64 = 50;
/// An error of a pattern as a whole says something about now for this long, in milliseconds; the
/// cluster keeps it until another master is elected.
const RECENT_MS: u64 = 15 * 60_000;

/// What a link is held against.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Operations that a follower may be behind; none for any number.
    pub operations: Option<u64>,
    /// The longest that a follower may be behind, in seconds.
    pub seconds: u64,
}

impl Limits {
    /// The limits of a spec.
    pub fn of(spec: &Spec) -> Self {
        Self { operations: spec.verify.max_lag_operations, seconds: spec.verify.max_lag_seconds }
    }

    /// The limit of time in milliseconds.
    pub fn ms(&self) -> u64 {
        self.seconds.saturating_mul(1000)
    }
}

/// Everything that is wrong with one index.
pub fn judge(lag: &IndexLag, limits: &Limits) -> Vec<Finding> {
    let mut found: Vec<Finding> = standing(lag).into_iter().collect();
    if lag.state == State::Following {
        found.extend(reading(lag, limits));
    }
    found.extend(distance(lag, limits));
    found.extend(lease(lag));
    found
}

fn pair(lag: &IndexLag) -> (&str, &str) {
    (&lag.leader, &lag.follower)
}

/// What the state alone says.
fn standing(lag: &IndexLag) -> Option<Finding> {
    let (leader, follower, alias) = (&lag.leader, &lag.follower, &lag.alias);
    let finding = |kind, evidence: String, meaning: &str, next: String| {
        Some(Finding::of_pair(kind, pair(lag), evidence, (meaning, next)))
    };
    let follow = format!(
        "PUT /{follower}/_ccr/follow \
         {{\"remote_cluster\": \"{alias}\", \"leader_index\": \"{leader}\"}}"
    );
    match &lag.state {
        State::Following => None,
        State::Copying => finding(
            Kind::Copying,
            format!("{follower} has no shard that answers yet"),
            "its first copy is on the way; nothing can be compared before it is there",
            format!("see how far it is, on the follower: GET /{follower}/_recovery"),
        ),
        State::Paused => finding(
            Kind::Paused,
            format!("GET /{follower}/_ccr/info says paused"),
            "nothing new arrives, and the leader keeps its history for a limited time only",
            format!("on the follower: POST /{follower}/_ccr/resume_follow"),
        ),
        State::Dead(why) => finding(
            if lost(why) { Kind::HistoryLost } else { Kind::Dead },
            format!("GET /_ccr/stats names a fatal exception: {why}"),
            if lost(why) {
                "the leader no longer has what the follower needs next; only a new copy helps"
            } else {
                "the task has ended and does not begin again by itself, although the follower is \
                 still called active"
            },
            if lost(why) {
                anew(alias, leader, follower)
            } else {
                format!(
                    "on the follower: POST /{follower}/_ccr/pause_follow, then \
                     POST /{follower}/_ccr/resume_follow"
                )
            },
        ),
        State::Missing => finding(
            Kind::FollowerMissing,
            format!("the follower has no index {follower}"),
            "the spec wants this leader index to be replicated, and it is not",
            format!("on the follower: {follow}"),
        ),
        State::Ordinary => finding(
            Kind::NotAFollower,
            format!("{follower} is there and follows nothing"),
            "an ordinary index is in the way; it cannot become a follower afterwards, and it may \
             hold data that is needed",
            format!("delete or rename it; then, on the follower: {follow}"),
        ),
        State::Another(what) => finding(
            Kind::FollowsAnother,
            format!("{follower} follows {what}"),
            "it replicates something else than the spec says",
            "correct the spec, or delete the follower and follow the right index".to_owned(),
        ),
        State::LeaderMissing => finding(
            Kind::LeaderMissing,
            format!("the leader has no index {leader}"),
            "its follower keeps what it had and gets nothing more",
            format!("restore {leader} on the leader, or delete {follower} on the follower"),
        ),
    }
}

/// Is there nothing left to go on with? The history is gone, or the index is another one.
fn lost(why: &str) -> bool {
    const KINDS: [&str; 3] = [
        "resource_not_found_exception",
        "missing_history_operations_exception",
        "index_not_found_exception",
    ];
    KINDS.iter().any(|kind| why.starts_with(kind)) || why.contains("should reference")
}

/// What the tasks of a follower that replicates say.
fn reading(lag: &IndexLag, limits: &Limits) -> Vec<Finding> {
    let (follower, mut found) = (&lag.follower, Vec::new());
    if !lag.shards_without_task.is_empty() {
        let shards = numbers(&lag.shards_without_task);
        found.push(Finding::of_pair(
            Kind::TaskMissing,
            pair(lag),
            format!("GET /_ccr/stats names no task for shard {shards} of {follower}"),
            (
                "what is written to these shards does not arrive",
                format!(
                    "look again in a minute: tasks move between nodes; then, on the follower: \
                     POST /{follower}/_ccr/pause_follow and POST /{follower}/_ccr/resume_follow"
                ),
            ),
        ));
    }
    if !lag.read_exceptions.is_empty() {
        found.push(Finding::of_pair(
            Kind::ReadsFail,
            pair(lag),
            format!("GET /_ccr/stats names read exceptions: {}", lag.read_exceptions.join("; ")),
            (
                "reads from the leader fail; they are tried again until they succeed",
                format!(
                    "see the connection, on the follower: GET /_remote/info and the alias {}",
                    lag.alias
                ),
            ),
        ));
    }
    let silent_ms = POLL_MS.saturating_add(limits.ms());
    if let Some(since_ms) = lag.since_read_ms.filter(|since_ms| *since_ms > silent_ms)
        && lag.read_exceptions.is_empty()
    {
        found.push(Finding::of_pair(
            Kind::Unheard,
            pair(lag),
            format!("the leader last answered {} s ago", since_ms / 1000),
            (
                "even a quiet leader answers every minute; what it wrote since is not known here",
                "see the connection, on the follower: GET /_remote/info",
            ),
        ));
    }
    found
}

/// How far behind it is.
fn distance(lag: &IndexLag, limits: &Limits) -> Vec<Finding> {
    let next = format!(
        "see whether it comes nearer: `escrr lag` again; if not, on the follower: \
         GET /{}/_ccr/stats",
        lag.follower
    );
    let mut found = Vec::new();
    if let (Some(limit), Some(operations)) = (limits.operations, lag.lag_operations)
        && operations > limit
    {
        found.push(Finding::of_pair(
            Kind::LagOperations,
            pair(lag),
            format!("{operations} operations behind; the limit is {limit}"),
            ("that much is lost if the leader is lost now", next.clone()),
        ));
    }
    // Who cannot come nearer has a finding of its own.
    let moves = lag.state == State::Following;
    if let Some(least_ms) = lag.lag_at_least_ms.filter(|least| moves && *least >= limits.ms()) {
        let still = lag.lag_operations.unwrap_or_default();
        found.push(Finding::of_pair(
            Kind::LagTime,
            pair(lag),
            format!(
                "after {} s it still lacks operations that the leader had before ({still} at \
                 first); the limit is {} s",
                least_ms / 1000,
                limits.seconds
            ),
            ("the follower shows the past, and it does not keep up", next),
        ));
    }
    found
}

/// Whether the leader still keeps the history that this follower needs.
fn lease(lag: &IndexLag) -> Option<Finding> {
    let (leader, follower) = (&lag.leader, &lag.follower);
    let period_ms = lag.lease_period_ms?;
    let at_risk_ms = (period_ms / 100).saturating_mul(LEASE_PERCENT);
    if let Some(age_ms) = lag.lease_age_ms.filter(|age_ms| *age_ms > at_risk_ms) {
        return Some(Finding::of_pair(
            Kind::LeaseAtRisk,
            pair(lag),
            format!(
                "the lease on {leader} was renewed {} ago and holds {}",
                words(age_ms),
                words(period_ms)
            ),
            (
                "when it ends, the leader drops history that the follower has not read, and only \
                 a new copy helps",
                format!(
                    "let {follower} read again soon, or give it time, on the leader: \
                     PUT /{leader}/_settings \
                     {{\"index.soft_deletes.retention_lease.period\": \"24h\"}}"
                ),
            ),
        ));
    }
    // Who reads takes a new lease by itself; a dead task has a finding of its own.
    let waits = lag.state == State::Paused || !lag.read_exceptions.is_empty();
    (waits && !lag.shards_without_lease.is_empty()).then(|| {
        let shards = numbers(&lag.shards_without_lease);
        Finding::of_pair(
            Kind::LeaseGone,
            pair(lag),
            format!("no lease of {follower} on shard {shards} of {leader}"),
            (
                "the leader may have dropped history that the follower has not read",
                format!(
                    "let it read again; if it dies of missing operations, {}",
                    anew(&lag.alias, leader, follower)
                ),
            ),
        )
    })
}

/// Everything that is wrong with the auto-follow pattern of a link.
///
/// An error about one index counts while that index has no follower; one about the pattern as a
/// whole while it is young and nobody has read over the same connection since, for clusters keep
/// errors that are long over.
pub fn auto_follow(said: &Said, name: &str, pattern: Option<&AutoFollow>) -> Vec<Finding> {
    let Some(pattern) = pattern else {
        return vec![Finding::of_link(
            Kind::AutoFollowMissing,
            format!("GET /_ccr/auto_follow/{name}: there is no such pattern"),
            ("leader indices that are made from now on are not replicated", "`escrr plan`"),
        )];
    };
    let mut found = Vec::new();
    if !pattern.active {
        found.push(Finding::of_link(
            Kind::AutoFollowPaused,
            format!("GET /_ccr/auto_follow/{name}: active is false"),
            (
                "leader indices that are made meanwhile wait until it goes on",
                format!("on the follower: POST /_ccr/auto_follow/{name}/resume"),
            ),
        ));
    }
    let tasks = said.stats.followers.iter().flat_map(|follower| &follower.shards);
    let reads = tasks.filter(|s| s.remote_cluster == said.alias && s.read_exceptions.is_empty());
    let heard_ms =
        reads.filter_map(|s| Some(said.at_ms.saturating_sub(s.time_since_last_read_ms?)));
    let heard_ms = heard_ms.max().unwrap_or_default();
    let over = |error: &AutoFollowError| {
        error.leader_index == name
            && heard_ms > error.timestamp_ms
            && cause::is_known(&error.reason)
    };
    let followed = |leader: &str| said.infos.iter().any(|info| info.leader_index == leader);
    let counts = |what: &str, at_ms: u64| match what.strip_prefix(name) {
        Some("") => said.at_ms.saturating_sub(at_ms) < RECENT_MS,
        Some(rest) => rest.strip_prefix(':').is_some_and(|leader| {
            !followed(leader)
                && said.leader_indices.contains_key(leader)
                && pattern.leader_index_patterns.iter().any(|p| matches(p, leader))
        }),
        None => false,
    };
    let errors = said.stats.recent_auto_follow_errors.iter();
    let now = |e: &&AutoFollowError| counts(&e.leader_index, e.timestamp_ms) && !over(e);
    found.extend(errors.filter(now).map(|error| {
        Finding::of_link(
            Kind::AutoFollowError,
            format!("{}: {}", error.leader_index, error.reason),
            (
                "a leader index that the pattern matches could not be followed",
                "mend the cause; the pattern tries again by itself",
            ),
        )
    }));
    found
}

fn numbers(shards: &[u64]) -> String {
    shards.iter().map(u64::to_string).collect::<Vec<_>>().join(", ")
}

/// A long time in the largest unit that says enough of it.
fn words(ms: u64) -> String {
    let seconds = ms / 1000;
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7200 => format!("{} min", seconds / 60),
        _ => format!("{} h", seconds / 3600),
    }
}
