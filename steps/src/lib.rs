//! The documented job: one node a documented act, and the clients they speak through.
//!
//! [`catalog`] is the list of nodes in documented order; `nodes/` has one file for each.
//! [`spec`] says what is wanted, [`World`] holds it together with the clients of
//! Alibaba Cloud ([`aliyun`]) and of the two clusters ([`elastic`]).

mod access;
mod again;
pub mod aliyun;
mod analysis;
pub mod billing;
pub mod calls;
pub mod catalog;
pub mod command;
mod dns;
pub mod doctor;
pub mod elastic;
pub mod inventory;
pub mod lag;
pub mod limited;
mod marks;
pub mod nodes;
mod own;
pub mod redact;
mod reserved;
mod resource;
pub mod rules;
pub mod secret;
mod sharing;
pub mod side;
pub mod spec;
mod tls;
pub mod verify;
pub mod version;
mod way;
mod world;
pub mod zones;

pub use access::{ClusterAccess, is_plain_http};
pub use again::Again;
pub use marks::{TAG_LINK, TAG_NODE, TAG_SAGA, mark, spellings};
pub use own::KnownSagas;
pub use reserved::Reserved;
pub use side::{Follower, Leader, Side, Which};
pub use tls::{install_tls, is_loopback};
pub use way::Way;
pub use world::{Memory, Resolution, World};
