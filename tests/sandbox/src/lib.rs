//! A pretend Alibaba Cloud and pretend Elasticsearch clusters behind real HTTP.
//!
//! One port answers the OpenAPI of seven products, one port each cluster answers
//! the Elasticsearch REST API, and one each Kibana. Requests are signed and verified, everything made
//! takes its time, rules that refuse in the real cloud refuse here, and whether
//! two clusters reach each other is computed from what was built between them.
//!
//! The crate imports nothing of the product: it is the other side of a double entry.
//!
//! - [`World`] is the whole state; every handler is a function from a world and a
//!   call to an answer, so that tests need no socket.
//! - [`Sandbox`] owns the sockets; `desk` the lock around the world, time and disk.
//! - A request goes `server` → `desk` (`wire`, `verify`, `fault`, the log) → `route`
//!   (dry run, client token) → the product's handler.

pub mod actions;
pub mod call;
pub mod cbn;
pub mod clock;
mod control;
pub mod course;
mod desk;
mod doorkeeper;
pub mod durations;
pub mod ecs;
pub mod elastic;
pub mod error;
pub mod fault;
pub mod idempotency;
pub mod instances;
pub mod kibana;
pub mod ledger;
mod listing;
mod metadata;
pub mod network;
pub mod nlb;
mod oidc;
mod paging;
pub mod peer;
pub mod persist;
pub mod privatelink;
pub mod route;
pub mod server;
pub mod sts;
mod tagging;
pub mod verify;
pub mod vpc;
pub mod wire;
pub mod world;
pub mod world_file;

pub use call::{Answer, Call, Product, Refusal};
pub use course::Course;
pub use durations::Durations;
pub use error::Error;
pub use fault::Fault;
pub use ledger::{LogLine, Thing};
pub use persist::{Offline, offline};
pub use server::{Addresses, Options, Sandbox};
pub use world::World;
pub use world_file::WorldFile;
