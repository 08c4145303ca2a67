//! The two sides of a link.

use serde::{Deserialize, Serialize};
use std::fmt;

/// One side of a link, as a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Which {
    /// The cluster that is written to.
    Leader,
    /// The cluster that the data is replicated to.
    Follower,
}

impl Which {
    /// `leader` or `follower`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Leader => "leader",
            Self::Follower => "follower",
        }
    }

    /// The side opposite.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::Leader => Self::Follower,
            Self::Follower => Self::Leader,
        }
    }
}

impl fmt::Display for Which {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// One side of a link, as a type: a step that exists on both sides takes it as its parameter.
pub trait Side: Clone + Copy + Default + Send + Sync + 'static {
    /// Which side it is.
    const WHICH: Which;
    /// The other side.
    type Other: Side;
}

/// The leader's side.
#[derive(Clone, Copy, Debug, Default)]
pub struct Leader;

/// The follower's side.
#[derive(Clone, Copy, Debug, Default)]
pub struct Follower;

impl Side for Leader {
    const WHICH: Which = Which::Leader;
    type Other = Follower;
}

impl Side for Follower {
    const WHICH: Which = Which::Follower;
    type Other = Leader;
}
