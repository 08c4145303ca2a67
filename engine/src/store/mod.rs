//! Where journals are kept.
//!
//! An entry that [`Store::commit`] has acknowledged is durable; a batch is all or
//! nothing; an append names the version that it expects, so the loser of a race learns it.

pub mod care;
mod commit;
mod dying;
mod follow;
mod home;
mod identity;
mod index;
mod journal;
mod lock;
mod memory;
mod meta;
mod reading;
mod system;
mod truth;

pub use crate::sealed::chain;
pub use commit::Committer;
pub use dying::{Dying, Moment, NoMoment};
pub use home::Home;
pub(crate) use journal::records::record;
pub use lock::{Holder, Lock, Place as ProcessPlace, Writer};
pub use memory::MemoryStore;
pub use reading::Reading;

use crate::event::{Entry, Outcome};
use crate::id::SagaId;
use crate::sealed::Sealed;
use journal::archive::Archive;
use journal::records::ExtentV1;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// The newest format of the store that this version reads and the one it writes.
pub const FORMAT: u32 = 3;
/// The oldest one that it reads.
const OLDEST: u32 = 2;

/// Where things are in a home.
mod paths {
    use super::StoreError;
    use super::system::{is_there, sync_folder};
    use std::path::{Path, PathBuf};

    /// Everything that the store keeps.
    ///
    /// A salvaged store that is whole takes the place of the damaged one; between the two
    /// renames that this takes it is found under its own name.
    pub(super) fn store(home: &Path) -> Result<PathBuf, StoreError> {
        let (store, salvaged) = (home.join("store"), salvaged(home));
        Ok(if !is_there(&store)? && is_there(&salvaged)? { salvaged } else { store })
    }

    /// What was salvaged out of a damaged store, when it is whole.
    pub(super) fn salvaged(home: &Path) -> PathBuf {
        home.join("store.salvaged")
    }

    /// Gives the store its own name, if only the second rename is missing.
    pub(super) fn settle(home: &Path) -> Result<PathBuf, StoreError> {
        let (found, store) = (self::store(home)?, home.join("store"));
        if found != store {
            std::fs::rename(&found, &store).map_err(|e| StoreError::io("renaming", &found, &e))?;
            sync_folder(home)?;
        }
        Ok(store)
    }

    /// The journal: the truth.
    pub(super) fn journal(store: &Path) -> PathBuf {
        store.join("journal")
    }

    /// The index in sled.
    pub(super) fn index(store: &Path) -> PathBuf {
        store.join("sled")
    }
}

/// The number that shuts out an older holder of the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fence(pub u64);

/// One entry to add.
#[derive(Clone, Debug)]
pub struct Append {
    /// The saga.
    pub saga: SagaId,
    /// The entry; its version is the head's plus one.
    pub entry: Sealed,
}

impl Append {
    /// An entry of a saga.
    pub fn new(saga: SagaId, entry: impl Into<Sealed>) -> Self {
        Self { saga, entry: entry.into() }
    }
}

/// What is known of a saga without reading its journal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Head {
    /// The saga.
    pub saga: SagaId,
    /// The link that it sets up.
    pub link: String,
    /// How many entries its journal has.
    pub version: u64,
    /// The chain's last link: SHA-256 of the last entry, in hexadecimal.
    pub last: String,
    /// When it was begun, in milliseconds since the Unix epoch.
    pub created_ms: u64,
    /// When its last entry was written.
    pub updated_ms: u64,
    /// How it ended, if it did.
    pub outcome: Option<Outcome>,
    /// The kind of world that it was begun in.
    #[serde(default)]
    pub world: String,
}

/// What is known of a saga, and where its archived entries are.
#[derive(Clone, Debug, PartialEq)]
struct Known {
    head: Head,
    places: Vec<Place>,
}

/// Entries of one saga in one archive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Place {
    /// The archive, by the number of its first segment.
    archive: u64,
    /// Where, in bytes behind the archive's directory.
    offset: u64,
    /// The first version.
    from: u64,
    /// The last version.
    to: u64,
}

impl Place {
    fn new(archive: &Archive, extent: &ExtentV1, head: &Head) -> Self {
        let (offset, from) = (extent.offset, extent.from);
        Self { archive: archive.number(), offset, from, to: head.version }
    }
}

/// Something that was met while opening, and was dealt with; the user should know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// The index could not be used and was made again of the journal.
    Rebuilt {
        /// What was wrong with it.
        why: String,
        /// Where the old one is kept, if there was one.
        kept: Option<PathBuf>,
        /// How many sagas the journal has.
        sagas: usize,
    },
    /// The journal's last file is shorter than it was made: what stood behind its end is gone.
    Cut {
        /// The file.
        path: PathBuf,
        /// Its length in bytes.
        found: u64,
        /// The length that it was made with, in bytes.
        made: u64,
    },
}

/// A store of journals. It blocks; [`Committer`] says who is blocked by it.
pub trait Store: Send + 'static {
    /// Shuts out every earlier holder.
    fn claim(&mut self) -> Result<Fence, StoreError>;
    /// Adds a batch, all or nothing, durable when it returns.
    fn commit(&mut self, fence: Fence, batch: &[Append]) -> Result<(), StoreError>;
    /// The entries of a saga from a version on; none for a saga that is not there.
    fn entries(&self, saga: SagaId, from: u64) -> Result<Vec<Entry>, StoreError>;
    /// All heads, oldest saga first.
    fn heads(&self) -> Result<Vec<Head>, StoreError>;
}

/// The store cannot do what was asked.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StoreError {
    /// Another process holds it.
    #[error("the store in {} is in use by process {}", path.display(), holder.pid)]
    InUse {
        /// The store's folder.
        path: PathBuf,
        /// Who.
        holder: Box<Holder>,
    },
    /// Other processes look at it just now, and hold nothing.
    #[error("other processes look at the store in {} just now", path.display())]
    LookedAt {
        /// The store's folder.
        path: PathBuf,
    },
    /// What is on disk cannot be right.
    #[error("the store in {} is damaged: {what}", path.display())]
    Damaged {
        /// The store's folder.
        path: PathBuf,
        /// What and where.
        what: String,
    },
    /// A newer version of the program wrote it.
    #[error("the store in {} has format {found}; this version reads up to {known}", path.display())]
    Newer {
        /// The store's folder.
        path: PathBuf,
        /// The format found.
        found: u32,
        /// The newest format that this version reads.
        known: u32,
    },
    /// The disk is full.
    #[error("no space left for the store in {}", path.display())]
    Full {
        /// The store's folder.
        path: PathBuf,
    },
    /// Somebody else may write into it.
    #[error("others may write into {} (its mode is {mode:04o})", path.display())]
    Writable {
        /// The folder.
        path: PathBuf,
        /// Its mode.
        mode: u32,
    },
    /// The file system cannot do what durability needs.
    #[error("{} cannot be {cannot}: {error} (file system: {system})", path.display())]
    Unfit {
        /// The folder or file.
        path: PathBuf,
        /// What it cannot be: `synced` or `locked`.
        cannot: &'static str,
        /// The kind of file system, and where it is mounted.
        system: String,
        /// What the system said.
        error: String,
    },
    /// The system refused.
    #[error("{doing} {}: {error}", path.display())]
    Io {
        /// What was being done.
        doing: &'static str,
        /// With what.
        path: PathBuf,
        /// What the system said.
        error: String,
    },
    /// Somebody else appended first.
    #[error("saga {saga} is at version {found}, not at {expected}")]
    Conflict {
        /// The saga.
        saga: SagaId,
        /// The version that the append expected.
        expected: u64,
        /// The version it is at.
        found: u64,
    },
    /// A younger holder has claimed the store.
    #[error("the store was claimed by another process meanwhile")]
    Fenced,
    /// An entry is larger than the store keeps safely.
    #[error("an entry of {size} bytes is larger than the {limit} that are kept safely")]
    TooLarge {
        /// Its size.
        size: usize,
        /// The limit.
        limit: usize,
    },
    /// The committer has stopped after an earlier error.
    #[error("the store takes no more entries after an earlier error: {0}")]
    Stopped(String),
}

impl StoreError {
    /// Says what an operation of the system met.
    pub(crate) fn io(doing: &'static str, path: &std::path::Path, error: &std::io::Error) -> Self {
        use std::io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
        // A limit on the length of files ends the same way as a disk without room.
        if [StorageFull, QuotaExceeded, FileTooLarge].contains(&error.kind()) {
            return Self::Full { path: path.to_owned() };
        }
        Self::Io { doing, path: path.to_owned(), error: system::told(path, error) }
    }
}

/// Does an entry follow the version that its saga has?
fn check_follows(version: u64, append: &Append) -> Result<(), StoreError> {
    let expected = append.entry.version.saturating_sub(1);
    if expected == version {
        return Ok(());
    }
    Err(StoreError::Conflict { saga: append.saga, expected, found: version })
}

/// The head after one more entry.
pub(crate) fn advance(head: Option<&Head>, append: &Append) -> Result<Head, StoreError> {
    check_follows(head.map_or(0, |h| h.version), append)?;
    let mut next = head.cloned().unwrap_or_else(|| Head::before(append));
    next.follow(&append.entry);
    Ok(next)
}

impl Head {
    /// The head of a saga whose first entry this is, before it.
    fn before(first: &Append) -> Self {
        Self {
            saga: first.saga,
            link: String::new(),
            version: 0,
            last: String::new(),
            created_ms: first.entry.at_ms,
            updated_ms: first.entry.at_ms,
            outcome: None,
            world: String::new(),
        }
    }

    /// Becomes the head after an entry that was checked to follow.
    fn follow(&mut self, entry: &Sealed) {
        use crate::event::Event;
        match &entry.event {
            Event::Created { link, world, .. } => {
                link.clone_into(&mut self.link);
                world.clone_into(&mut self.world);
            }
            Event::RollbackBegun { .. } | Event::HistoryLost { .. } => self.outcome = None,
            Event::Finished { outcome } => self.outcome = Some(*outcome),
            Event::Intended { .. }
            | Event::Completed { .. }
            | Event::Failed { .. }
            | Event::Parked { .. }
            | Event::UndoIntended { .. }
            | Event::Undone { .. }
            | Event::Stuck { .. }
            | Event::Resumed { .. }
            | Event::Decided { .. }
            | Event::Interrupted { .. }
            | Event::Acknowledged { .. }
            | Event::Vanished { .. }
            | Event::Inherited { .. }
            | Event::Adopted { .. } => {}
        }
        self.version = entry.version;
        self.updated_ms = entry.at_ms;
        self.last = entry.hash();
    }
}
