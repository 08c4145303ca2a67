//! The documented job: one node a documented act, and the clients they speak through.

pub mod secret;
pub mod side;
pub mod spec;

pub use side::{Follower, Leader, Side, Which};
