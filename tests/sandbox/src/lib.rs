//! A pretend Alibaba Cloud and pretend Elasticsearch clusters behind real HTTP.
//!
//! One port answers the OpenAPI of seven products, one port each cluster answers
//! the Elasticsearch REST API. Requests are signed and verified, everything made
//! takes its time, rules that refuse in the real cloud refuse here, and whether
//! two clusters reach each other is computed from what was built between them.
//!
//! The crate imports nothing of the product: it is the other side of a double entry.
//!
//! - [`World`] is the whole state; every handler is a function from a world and a
//!   call to an answer, so that tests need no socket.
//! - `server` owns the sockets, the lock around the world, time and persistence.

pub mod call;
pub mod course;
pub mod durations;
pub mod elastic;
pub mod instances;
pub mod ledger;
pub mod vpc;
pub mod world;
pub mod world_file;

pub use call::{Answer, Call, Product, Refusal};
pub use course::Course;
pub use durations::Durations;
pub use world::World;
pub use world_file::WorldFile;
