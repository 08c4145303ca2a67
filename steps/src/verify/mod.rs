//! Step 6 of the document as functions: existing data compared, incremental data proved.
//!
//! The nodes of step 6 and `escrr verify` share what is here. A run compares once and stops at the
//! first difference; [`existing`] goes on and gives all of them as [`Finding`](crate::lag::Finding)s.
//!
//! | file | what |
//! |---|---|
//! | `existing` | every index: how it stands, how far it is, what is in it |
//! | `contents` | one index: counts, and documents held against their copies |
//! | `compare` | one document and its copy |
//! | `probe` | the probe's names, and one look at it or one act |
//! | `incremental` | the probe written, awaited and removed |

mod compare;
mod contents;
mod existing;
mod incremental;
mod probe;

pub use contents::{Contents, Documents};
pub use existing::{Index, Options, Verified, existing};
pub use incremental::{Probed, incremental, remove_probe};
pub use probe::{Probe, is_probe, probe_of};

pub(crate) use compare::{Likeness, liken};
pub(crate) use probe::{DELETION, Look, act, left, look, remove};
