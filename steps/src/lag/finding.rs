//! What is wrong with a link: the evidence, what it means, what comes next.

use serde::Serialize;

/// Something that is not as it should be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What kind of thing.
    pub kind: Kind,
    /// The leader index that it is about, if it is about one.
    pub leader: Option<String>,
    /// The follower index that it is about, if it is about one.
    pub follower: Option<String>,
    /// What was seen.
    pub evidence: String,
    /// What that means.
    pub meaning: String,
    /// What to do: a command, or a request to a cluster.
    pub next: String,
}

/// The kinds of findings; scripts rely on the names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A leader index that is wanted has no follower.
    FollowerMissing,
    /// An ordinary index has the follower's name.
    NotAFollower,
    /// The index follows something else.
    FollowsAnother,
    /// The leader index of a follower, or of the spec's list, is not there.
    LeaderMissing,
    /// The first copy is still being made.
    Copying,
    /// The follower is paused.
    Paused,
    /// A task has ended for good with a fatal exception.
    Dead,
    /// A task has ended because the leader no longer has what comes next.
    HistoryLost,
    /// A shard has no task.
    TaskMissing,
    /// Reads fail and are tried again.
    ReadsFail,
    /// The leader has not answered for too long.
    Unheard,
    /// More operations behind than the limit.
    LagOperations,
    /// Longer behind than the limit.
    LagTime,
    /// The leader soon forgets the follower.
    LeaseAtRisk,
    /// The leader keeps no history for a follower that does not read.
    LeaseGone,
    /// The auto-follow pattern is not there.
    AutoFollowMissing,
    /// The auto-follow pattern is paused.
    AutoFollowPaused,
    /// The auto-follow pattern reports errors.
    AutoFollowError,
    /// The numbers of documents differ.
    CountDiffers,
    /// Documents differ.
    DocumentsDiffer,
    /// What was written for a test did not arrive.
    ProbeFailed,
    /// What was written for a test could not be removed.
    ProbeLeft,
}

impl Kind {
    /// The kind in a few words.
    pub const fn title(self) -> &'static str {
        match self {
            Self::FollowerMissing => "no follower",
            Self::NotAFollower => "not a follower",
            Self::FollowsAnother => "follows something else",
            Self::LeaderMissing => "no leader index",
            Self::Copying => "still being copied",
            Self::Paused => "paused",
            Self::Dead => "replication has died",
            Self::HistoryLost => "the leader's history is lost",
            Self::TaskMissing => "a shard is not replicated",
            Self::ReadsFail => "reads fail",
            Self::Unheard => "the leader is silent",
            Self::LagOperations => "too many operations behind",
            Self::LagTime => "too long behind",
            Self::LeaseAtRisk => "the leader's history is at risk",
            Self::LeaseGone => "the leader keeps no history",
            Self::AutoFollowMissing => "no auto-follow pattern",
            Self::AutoFollowPaused => "auto-follow is paused",
            Self::AutoFollowError => "auto-follow reports errors",
            Self::CountDiffers => "document counts differ",
            Self::DocumentsDiffer => "documents differ",
            Self::ProbeFailed => "new data does not arrive",
            Self::ProbeLeft => "the probe is left behind",
        }
    }
}

impl Finding {
    /// A finding about a pair of indices.
    pub(crate) fn of_pair(
        kind: Kind,
        (leader, follower): (&str, &str),
        evidence: impl Into<String>,
        (meaning, next): (impl Into<String>, impl Into<String>),
    ) -> Self {
        Self {
            kind,
            leader: Some(leader.to_owned()),
            follower: Some(follower.to_owned()),
            evidence: evidence.into(),
            meaning: meaning.into(),
            next: next.into(),
        }
    }

    /// A finding about the link as a whole.
    pub(crate) fn of_link(
        kind: Kind,
        evidence: impl Into<String>,
        (meaning, next): (impl Into<String>, impl Into<String>),
    ) -> Self {
        Self {
            kind,
            leader: None,
            follower: None,
            evidence: evidence.into(),
            meaning: meaning.into(),
            next: next.into(),
        }
    }
}

/// How a follower is made anew: what is left when its history or its contents are lost.
pub(crate) fn anew(alias: &str, leader: &str, follower: &str) -> String {
    format!(
        "on the follower: DELETE /{follower}, then PUT /{follower}/_ccr/follow \
         {{\"remote_cluster\": \"{alias}\", \"leader_index\": \"{leader}\"}}"
    )
}
