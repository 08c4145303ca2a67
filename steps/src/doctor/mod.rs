//! The document's FAQ as nine checks: what keeps a link from working, the innermost cause first.
//!
//! [`gather`] reads, and changes nothing; [`judge`] is pure and makes findings of what was read.
//! It names causes only: what follows from another finding (a backend that is unhealthy because
//! the allow list is closed) is told as such. [`repair`] carries out what is safe.
//!
//! Everything is found by following the link itself, from the alias on the follower to the
//! leader's address: it works for links that somebody built by hand, and a journal that is out of
//! date cannot lie to it.
//!
//! | file | what |
//! |---|---|
//! | `finding` | the checks F1 to F9, and what one of them finds |
//! | `facts` | what is read of a link |
//! | `gather` | the calls |
//! | `network` | F1, F2: allow list, peer link, routes |
//! | `balancer` | F3, F4, F5: listener, address, health |
//! | `clusters` | F6, F7, F9: endpoint, versions, the alias |
//! | `judge` | all checks, and which finding is only a consequence |
//! | `repair` | what `--fix` does |

mod balancer;
mod clusters;
mod facts;
mod finding;
mod gather;
mod judge;
mod network;
mod repair;

pub use facts::Facts;
pub use finding::{Check, Diagnosis, Finding, Remedy};
pub use gather::{Patient, gather};
pub use judge::judge;
pub use repair::repair;
