//! Step 6 of the document: verify existing and incremental data.

mod existing;
mod incremental;
mod probe_removed;

pub use crate::verify::Probe;
pub use existing::{Existing, Verified, VerifiedIndex};
pub use incremental::Incremental;
pub use probe_removed::ProbeRemoved;
