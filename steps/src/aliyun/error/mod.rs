//! The vendor's answers as faults.
//!
//! `table` is data: one row a code, with its verdict and its reason. `judge` reads an
//! answer, finds its row, and says what may follow. A code that has no row is judged by a code
//! in its message, if that only asks for a wait, and else by its HTTP status alone.

mod hint;
mod judge;
mod meaning;
mod said;
pub(super) mod table;

pub(super) use judge::{broken, clock_is_off, has_run_out, judge};
pub use judge::{dry_run_passed, is_gone};
pub use meaning::{Meaning, meaning};
pub(super) use table::DRY_RUN_PASSED;
