//! Step 4 of the document: PrivateLink from the follower to the load balancer.

mod domain;
mod endpoint_service;
mod private_connection;

pub use domain::PrivateLinkDomain;
pub use endpoint_service::{EndpointService, Service};
pub use private_connection::{Endpoint, PrivateConnection};
