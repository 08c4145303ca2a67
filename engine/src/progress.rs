//! What the outside is told while a saga runs. No text is made here.

use crate::fault::Report;
use crate::id::SagaId;
use crate::sealed::Sealed;

/// Something that happened.
#[derive(Clone, Debug)]
pub struct Progress {
    /// The saga.
    pub saga: SagaId,
    /// When, in milliseconds since the Unix epoch.
    pub at_ms: u64,
    /// What.
    pub news: News,
}

/// What happened. Only [`News::Entry`] is durable; the rest can happen again.
#[derive(Clone, Debug)]
pub enum News {
    /// An entry is on disk.
    Entry(Sealed),
    /// A node is being waited for.
    Waiting {
        /// The node's position in the catalog.
        node: usize,
        /// What is waited for.
        why: String,
        /// Since when, in milliseconds since the Unix epoch.
        since_ms: u64,
        /// When the next look comes.
        next_ms: u64,
    },
    /// A call did not go through and will be made again.
    Retrying {
        /// The node's position in the catalog.
        node: usize,
        /// How often it has been tried in a row.
        attempt: u32,
        /// What came back.
        report: Report,
        /// When it is tried again.
        next_ms: u64,
    },
    /// A node takes longer than it should; it is still waited for.
    Overdue {
        /// The node's position in the catalog.
        node: usize,
        /// What is waited for.
        why: String,
        /// For how long already, in milliseconds.
        waited_ms: u64,
    },
    /// A call was made.
    Called {
        /// The node's position in the catalog.
        node: usize,
        /// The item; empty for a thing without parts.
        item: String,
        /// Was it to take the item back?
        undo: bool,
    },
}
