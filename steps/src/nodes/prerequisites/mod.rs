//! The document's prerequisites: gates that read and judge, and one that activates services
//! where the spec allows it. Nothing else is made before all of them hold.

mod all;
mod cluster;
mod compatible;
mod identity;
mod indices;
mod instance;
mod services;
mod zones;

pub use all::{Prerequisites, SideFacts, Site};
pub use cluster::{ClusterFacts, ClusterGate};
pub use compatible::{Compatible, Networks};
pub use identity::{Account, Identity};
pub use indices::{IndexFacts, Indices};
pub(crate) use instance::facts;
pub use instance::{Instance, InstanceFacts};
pub use services::Services;
pub use zones::{ZonePlan, Zones};
