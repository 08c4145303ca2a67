//! The nodes, one file each, in folders by documented step.

mod absent;
pub(crate) use absent::if_there;
pub mod prerequisites;
pub mod step1_network;
pub mod step2_leader_address;
pub mod step3_load_balancer;
pub mod step4_private_link;
pub mod step5_replication;
pub mod step6_verify;
