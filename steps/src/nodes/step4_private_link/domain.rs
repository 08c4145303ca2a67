//! The PrivateLink domain that the follower connects to.

use super::{EndpointService, PrivateConnection};
use crate::World;
use crate::aliyun::{Action, Product};
use crate::calls::{Calls, Declares};
use crate::nodes::prerequisites::Prerequisites;
use escrr_engine::{Cx, Fault, NodeId, Patience, Report, Seen, Step};

/// Takes the endpoint's domain and checks it with the endpoint service's own view.
pub struct PrivateLinkDomain;

impl Declares for PrivateLinkDomain {
    const CALLS: Calls =
        Calls::looking(&[Action::new(Product::PrivateLink, "ListVpcEndpointConnections")]);
}

impl Step for PrivateLinkDomain {
    type World = World;
    type Needs = (Prerequisites, EndpointService, PrivateConnection);
    type Output = String;
    const ID: NodeId = NodeId::new("follower", "privatelink_domain");
    const PHASE: u8 = 4;
    const TITLE: &'static str = "the PrivateLink domain, confirmed by the endpoint service";
    const PATIENCE: Patience = Patience::new(2, 300);

    async fn observe(&self, cx: &Cx<'_, Self>) -> Result<Seen<String>, Fault> {
        let (site, service, endpoint) = &cx.needs;
        let client = cx.world.cloud.privatelink(&site.follower.instance.region);
        let rows = client.list_connections(&service.service).await?;
        let Some(row) = rows.into_iter().find(|r| r.endpoint_id == endpoint.endpoint) else {
            return Ok(Seen::Pending(format!(
                "{} does not show {} yet",
                service.service, endpoint.endpoint
            )));
        };
        if row.status != "Connected" {
            return Ok(Seen::Pending(format!("{} is {}", endpoint.endpoint, row.status)));
        }
        if endpoint.domain.is_empty() {
            let tried = format!("reading the domain of {}", endpoint.endpoint);
            return Err(Fault::Bug(Report::new(tried, "the endpoint shows none")));
        }
        Ok(Seen::Ready(endpoint.domain.clone()))
    }
}
