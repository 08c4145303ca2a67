//! The load balancer reaches the leader: every server is healthy.

use super::{Backend, Listener, ServerGroup};
use crate::World;
use crate::aliyun::{Action, Product};
use crate::calls::{Calls, Declares};
use crate::nodes::prerequisites::Prerequisites;
use crate::nodes::step1_network::{AllowList, Routes};
use escrr_engine::{Cx, Fault, NodeId, Patience, Report, Seen, Step};

/// Waits until nobody is unhealthy.
pub struct BackendHealthy;

impl Declares for BackendHealthy {
    const CALLS: Calls = Calls::looking(&[Action::new(Product::Nlb, "GetListenerHealthStatus")]);
}

impl Step for BackendHealthy {
    type World = World;
    type Needs = (Prerequisites, Listener, ServerGroup, Backend, Routes, AllowList);
    type Output = ();
    const ID: NodeId = NodeId::new("follower", "backend_healthy");
    const PHASE: u8 = 3;
    const TITLE: &'static str = "the load balancer reaches the leader";
    const PATIENCE: Patience = Patience::new(30, 600);

    async fn observe(&self, cx: &Cx<'_, Self>) -> Result<Seen<()>, Fault> {
        let (site, listener, group, ..) = &cx.needs;
        let client = cx.world.cloud.nlb(&site.follower.instance.region);
        let health = client.get_listener_health(&listener.listener).await?;
        let Some(ours) = health.into_iter().find(|h| h.server_group_id == group.group) else {
            return Ok(Seen::Pending("the listener shows no health yet".to_owned()));
        };
        if !ours.check_enabled {
            let tried = format!("reading the health of {}", group.group);
            let report = Report::new(tried, "its health check is off")
                .help("switch the health check on (TCP, port 9300) in the NLB console");
            return Ok(Seen::Drifted(report));
        }
        if ours.non_normal.is_empty() {
            return Ok(Seen::Ready(()));
        }
        let states: Vec<String> = ours
            .non_normal
            .iter()
            .map(|s| {
                let reason =
                    if s.reason.is_empty() { String::new() } else { format!(", {}", s.reason) };
                format!("{} is {}{reason}", s.server_ip, s.status)
            })
            .collect();
        Ok(Seen::Pending(states.join("; ")))
    }
}
