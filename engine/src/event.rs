//! What a journal says.
//!
//! An entry is durable before the act that it announces and before anybody is told.
//! Attempts, looks and waits are not journaled: they can be made again.

use crate::fault::{Class, Report};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// One record of a saga's journal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// Its number, from 1 without gaps.
    pub version: u64,
    /// When it was written, in milliseconds since the Unix epoch.
    pub at_ms: u64,
    /// SHA-256 of the entry before it, in hexadecimal; empty for the first.
    pub previous: String,
    /// What it says.
    #[serde(flatten)]
    pub event: Event,
}

/// Who caused an entry, as far as it is known.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Actor {
    /// The cloud identity that the calls are made with, by its resource name (ARN).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cloud: Option<String>,
    /// The user on this machine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// The machine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// The file with the addresses of the world, where one was named, as a word for the shell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sandbox: Option<String>,
}

impl Actor {
    /// Is nothing known?
    pub fn is_unknown(&self) -> bool {
        *self == Self::default()
    }
}

/// What an entry says. Variants are only ever appended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Event {
    /// The saga was begun.
    Created {
        /// The link that it sets up.
        link: String,
        /// The spec's own text; secrets stand in it by reference only.
        spec: String,
        /// SHA-256 of that text.
        spec_digest: String,
        /// The catalog's edition.
        edition: String,
        /// The version of the program.
        program: String,
        /// The kind of world it was begun in, in a word of the caller's.
        world: String,
        /// Which of the worlds of that kind, where they have an identity.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        world_id: Option<String>,
        /// Who began it.
        #[serde(default, skip_serializing_if = "Actor::is_unknown")]
        actor: Actor,
    },
    /// The node is about to make these items.
    Intended {
        /// The node.
        node: String,
        /// Counts definite refusals.
        generation: u32,
        /// The idempotency token of the first item.
        token: String,
        /// What was missing, by natural key.
        items: Vec<String>,
    },
    /// The node is as wanted.
    Completed {
        /// The node.
        node: String,
        /// Who made it.
        origin: Origin,
        /// What it leaves for others.
        output: Value,
        /// Calls made for it by this process.
        attempts: u32,
    },
    /// The node cannot be brought about as asked.
    Failed {
        /// The node.
        node: String,
        /// The kind of failure.
        class: Class,
        /// Evidence and help.
        report: Report,
        /// Calls made for it by this process.
        attempts: u32,
    },
    /// The node waits for a person.
    Parked {
        /// The node.
        node: String,
        /// The kind of obstacle.
        class: Class,
        /// Evidence and help.
        report: Report,
    },
    /// From here on the saga goes backwards.
    RollbackBegun {
        /// Who asked for it.
        by: String,
        /// Who, in full.
        #[serde(default, skip_serializing_if = "Actor::is_unknown")]
        actor: Actor,
    },
    /// The node is about to be taken back.
    UndoIntended {
        /// The node.
        node: String,
        /// What is about to be taken back, where a half-done undo cannot be recognised without.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        items: Vec<String>,
    },
    /// Nothing that the node made is left, or it was said to stay.
    Undone {
        /// The node.
        node: String,
        /// What was left in place, when something was.
        kept: Option<String>,
        /// Calls made for it by this process.
        attempts: u32,
        /// What became of each thing, as the node's own data; null where it has none.
        #[serde(default, skip_serializing_if = "Value::is_null")]
        account: Value,
    },
    /// The node could not be taken back: a person decides.
    Stuck {
        /// The node.
        node: String,
        /// The kind of failure.
        class: Class,
        /// Evidence and help.
        report: Report,
    },
    /// A person said go on: failed, parked and stuck nodes are tried again.
    Resumed {
        /// Who.
        by: String,
        /// Who, in full.
        #[serde(default, skip_serializing_if = "Actor::is_unknown")]
        actor: Actor,
    },
    /// A person decided over one node.
    Decided {
        /// The node.
        node: String,
        /// What.
        verb: Verb,
        /// Why.
        reason: String,
        /// Who.
        by: String,
        /// Who, in full.
        #[serde(default, skip_serializing_if = "Actor::is_unknown")]
        actor: Actor,
    },
    /// The saga reached an end.
    Finished {
        /// Which.
        outcome: Outcome,
    },
    /// The process that carried the saga on was asked to stop, and did.
    Interrupted {
        /// The signal that asked for it, for example `SIGTERM`.
        by: String,
        /// Whose process it was.
        #[serde(default, skip_serializing_if = "Actor::is_unknown")]
        actor: Actor,
    },
    /// A call that creates an item was answered with the new resource's id.
    Acknowledged {
        /// The node.
        node: String,
        /// The item.
        item: String,
        /// The id.
        id: String,
    },
    /// A resource that a call had acknowledged does not exist any more: its token is used up.
    Vanished {
        /// The node.
        node: String,
        /// The item.
        item: String,
        /// The id of the resource that is gone.
        id: String,
    },
    /// What the node found has become this saga's own: it is taken back as if it were made.
    Inherited {
        /// The node.
        node: String,
        /// The resources, by id.
        ids: Vec<String>,
    },
    /// The saga was taken over by this home from one that lost it, by its id.
    Adopted {
        /// Who took it over, in one word.
        by: String,
        /// Who took it over.
        #[serde(default, skip_serializing_if = "Actor::is_unknown")]
        actor: Actor,
        /// The resources that carried the saga's tags, by id.
        ids: Vec<String>,
    },
    /// Entries that followed here were lost with a damaged store: what the saga did since is not
    /// known, and it is not driven any further.
    HistoryLost {
        /// The saga had come to this version at least.
        known: u64,
        /// What was lost, in words.
        reason: String,
    },
}

/// Who made what a node stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// We did; rollback takes it back.
    Made,
    /// It was there before; never undone.
    Found,
    /// The node only looks.
    Checked,
    /// This link does not need it.
    Unneeded,
}

/// A person's decision over one node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verb {
    /// Try it again.
    Retry,
    /// Go on without it.
    Skip,
    /// A person did it.
    MarkDone,
}

/// How a saga ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Every node is as wanted.
    Succeeded,
    /// Everything that was made has been taken back.
    RolledBack,
}

impl Event {
    /// The node that the event is about.
    pub fn node(&self) -> Option<&str> {
        match self {
            Self::Intended { node, .. }
            | Self::Completed { node, .. }
            | Self::Failed { node, .. }
            | Self::Parked { node, .. }
            | Self::UndoIntended { node, .. }
            | Self::Undone { node, .. }
            | Self::Stuck { node, .. }
            | Self::Decided { node, .. }
            | Self::Acknowledged { node, .. }
            | Self::Vanished { node, .. }
            | Self::Inherited { node, .. } => Some(node),
            Self::Created { .. }
            | Self::RollbackBegun { .. }
            | Self::Resumed { .. }
            | Self::Finished { .. }
            | Self::Interrupted { .. }
            | Self::Adopted { .. }
            | Self::HistoryLost { .. } => None,
        }
    }

    /// Calls that the entry accounts for.
    pub fn attempts(&self) -> u32 {
        match self {
            Self::Completed { attempts, .. }
            | Self::Failed { attempts, .. }
            | Self::Undone { attempts, .. } => *attempts,
            Self::Created { .. }
            | Self::Intended { .. }
            | Self::Parked { .. }
            | Self::RollbackBegun { .. }
            | Self::UndoIntended { .. }
            | Self::Stuck { .. }
            | Self::Resumed { .. }
            | Self::Decided { .. }
            | Self::Finished { .. }
            | Self::Interrupted { .. }
            | Self::Acknowledged { .. }
            | Self::Vanished { .. }
            | Self::Inherited { .. }
            | Self::Adopted { .. }
            | Self::HistoryLost { .. } => 0,
        }
    }
}
