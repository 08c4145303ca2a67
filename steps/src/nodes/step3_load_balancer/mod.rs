//! Step 3 of the document: a network load balancer in the follower's VPC.

mod backend;
mod backend_healthy;
mod listener;
mod load_balancer;
mod server_group;

pub use backend::Backend;
pub use backend_healthy::BackendHealthy;
pub use listener::{Listener, ListenerId};
pub use load_balancer::{Balancer, LoadBalancer};
pub use server_group::{GroupId, ServerGroup};
