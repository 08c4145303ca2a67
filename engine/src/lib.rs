//! Durable sagas over any world.
//!
//! A [`Catalog`] is a list of typed steps checked into a graph. A [`Saga`] is one run of
//! it: the fold of an append-only journal. The [`Engine`] drives sagas: it looks at a
//! node, decides purely what comes next, writes that down, and only then acts. It knows
//! no cloud and no terminal; time, randomness and the store are handed in.
//!
//! Where to read first: [`step`] is what a step's author meets, [`node`] is the machine,
//! `run.rs` is the loop, [`store`] is what "durable" means.

mod absence;
pub mod backoff;
pub mod catalog;
pub mod clock;
pub mod decide;
pub mod engine;
pub mod erased;
pub mod event;
pub mod fault;
mod flight;
pub mod id;
pub mod lane;
pub mod node;
mod patience;
pub mod progress;
mod run;
pub mod saga;
mod sealed;
pub mod step;
mod stock;
pub mod store;
pub mod survey;
mod task;

pub use catalog::{Catalog, CatalogError};
pub use clock::{Clock, SystemClock, VirtualClock};
pub use engine::{Beginning, Ending, Engine, EngineError, Interrupt};
pub use erased::About;
pub use event::{Actor, Entry, Event, Origin, Outcome, Verb};
pub use fault::{Class, Fault, Report};
pub use id::{NodeId, SagaId};
pub use node::NodeState;
pub use progress::{News, Progress};
pub use saga::{Direction, Phase, Saga};
pub use sealed::{Sealed, chain};
pub use step::{Act, Cx, Needs, Patience, Remains, Reverse, Seen, Step};
