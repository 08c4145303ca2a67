//! Nlb 2022-04-30: server groups, load balancers and listeners.
//!
//! Every write is asynchronous. Deletes give a job id, which is not followed: jobs expire,
//! the object itself tells more.

mod balancer;
mod group;
mod listener;

use super::cloud::Caller;
use escrr_engine::Fault;
use serde_json::json;

pub use balancer::{CreateLoadBalancer, LoadBalancer, LoadBalancerZone};
pub use group::{CreateServerGroup, GroupFilter, HealthCheck, Server, ServerGroup};
pub use listener::{CreateListener, GroupHealth, Listener, NonNormalServer};

/// Network Load Balancer; made by [`Cloud::nlb`](super::Cloud::nlb).
#[derive(Clone, Copy, Debug)]
pub struct Nlb<'a>(pub(super) Caller<'a>);

impl Nlb<'_> {
    /// Lists the zones where load balancers can be (`DescribeZones`).
    pub async fn describe_zones(&self) -> Result<Vec<String>, Fault> {
        let answer = self.0.read("DescribeZones", json!({})).await?;
        answer.row().rows("Zones").iter().map(|row| row.need("ZoneId")).collect()
    }
}
