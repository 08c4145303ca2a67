//! The self-test: real processes, killed at exact commits on the operator's own disk.
//!
//! Every [`Point`] is a life of its own: a fresh pretend cloud in this process, a fresh home
//! on the disk that is tested, and this very binary as a child that dies by SIGKILL right
//! before or right after a commit. Then another child goes on, and what exists and what
//! stands in the journal is held against a life that nobody disturbed.
//!
//! - [`point`] says where to kill; [`child`] runs the binary; [`life`] is one life;
//! - [`verdict`] compares; [`report`] says the result;
//! - [`disk`] measures what a sync costs, on the file system that [`mount`] finds;
//! - [`workshop`] is the directory that all of it happens in.

pub mod child;
pub mod disk;
pub mod life;
pub mod mount;
pub mod point;
pub mod report;
pub mod verdict;
pub mod workshop;

pub use point::{Commits, Point, Way};
