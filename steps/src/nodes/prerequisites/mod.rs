//! The document's prerequisites: gates that read and judge, and one that activates services
//! where the spec allows it. Nothing else is made before all of them hold.
//!
//! What is found out and what is judged are two nodes where others need what is found out
//! ([`Instance`] and [`Edition`], [`ClusterGate`] and [`License`]): one problem must not hide the
//! next.

mod all;
mod cluster;
mod compatible;
mod edition;
mod identity;
mod indices;
mod instance;
mod license;
mod quotas;
mod services;
mod zones;

pub use all::{Prerequisites, SideFacts, Site};
pub use cluster::{ClusterFacts, ClusterGate};
pub use compatible::{Compatible, Networks};
pub use edition::Edition;
pub use identity::{Account, Identity};
pub use indices::{IndexFacts, Indices};
pub(crate) use instance::facts;
pub use instance::{Instance, InstanceFacts};
pub use license::License;
pub use services::Services;
pub use zones::{ZonePlan, Zones};
