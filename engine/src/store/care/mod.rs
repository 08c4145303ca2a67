//! The care of a store: checking it, making its index again, carrying it elsewhere, and
//! making it small.
//!
//! Whoever changes something holds the home's lock; [`verify`] and [`export`] change nothing.

mod chains;
mod compact;
mod export;
mod finding;
mod gathered;
mod import;
mod lines;
mod rebuild;
mod salvage;
mod verify;
mod walk;

pub use compact::{Compacted, compact};
pub use export::{Exported, export};
pub use finding::{Finding, Remark};
pub use import::{Imported, Judge, import};
pub use lines::{SCHEMA, TYPE, TransferError};
pub use rebuild::{Rebuilt, rebuild};
pub use salvage::{Salvaged, Saved, salvage};
pub use verify::{Counts, IndexSeen, Verified, verify};

use super::meta::Meta;
use super::{StoreError, paths};
use std::path::Path;

/// Is there a store in a home? A damaged one is there.
///
/// # Errors
/// It cannot be looked at.
pub fn is_there(home: &Path) -> Result<bool, StoreError> {
    match Meta::read(&paths::store(home)?) {
        Ok(meta) => Ok(meta.is_some()),
        Err(StoreError::Damaged { .. } | StoreError::Newer { .. }) => Ok(true),
        Err(other) => Err(other),
    }
}
