//! The follower instance's private connection to the endpoint service.

use super::EndpointService;
use crate::World;
use crate::aliyun::elasticsearch::VpcEndpoint;
use crate::aliyun::{Action, Product};
use crate::calls::{Calls, Declares};
use crate::nodes::absent::{gone_is_fine, if_there};
use crate::nodes::prerequisites::Prerequisites;
use crate::nodes::step3_load_balancer::Listener;
use escrr_engine::{Act, Cx, Fault, NodeId, Patience, Remains, Report, Reverse, Seen, Step};
use serde::{Deserialize, Serialize};

/// Lets the follower instance make an endpoint of its own.
pub struct PrivateConnection;

/// The endpoint; it belongs to the Elasticsearch service, not to the user's account.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Endpoint {
    /// Its id.
    pub endpoint: String,
    /// Its domain.
    pub domain: String,
}

async fn find(cx: &Cx<'_, PrivateConnection>) -> Result<Option<VpcEndpoint>, Fault> {
    let facts = &cx.needs.0.follower.instance;
    let client = cx.world.cloud.elasticsearch(&facts.region);
    let all = client.list_vpc_endpoints(&facts.instance).await?;
    let known = cx.ids.get("");
    Ok(all.into_iter().find(|e| match known {
        Some(id) => e.endpoint_id == *id,
        None => e.service_id == cx.needs.1.service,
    }))
}

fn broken(found: &VpcEndpoint) -> Option<Report> {
    let tried = format!("checking the private connection {}", found.endpoint_id);
    match found.connection_status.as_str() {
        "ServiceDeleted" => Some(
            Report::new(tried, "its endpoint service was deleted")
                .help("`escrr rollback` takes the rest back; then `escrr run` builds it anew"),
        ),
        "Disconnected" => Some(
            Report::new(tried, "it is Disconnected")
                .meaning("the endpoint service does not accept it, or somebody cut it")
                .help("accept the endpoint connection in the PrivateLink console, then `escrr resume`"),
        ),
        _ => None,
    }
}

impl Declares for PrivateConnection {
    const CALLS: Calls = Calls {
        look: &[Action::new(Product::Elasticsearch, "ListVpcEndpoints")],
        act: &[Action::new(Product::Elasticsearch, "CreateVpcEndpoint")],
        undo: &[
            Action::new(Product::Elasticsearch, "ListVpcEndpoints"),
            Action::new(Product::PrivateLink, "ListVpcEndpointConnections"),
            Action::new(Product::Elasticsearch, "DeleteVpcEndpoint"),
        ],
    };
}

impl Step for PrivateConnection {
    type World = World;
    type Needs = (Prerequisites, EndpointService, Listener);
    type Output = Endpoint;
    const ID: NodeId = NodeId::new("follower", "private_connection");
    const PHASE: u8 = 4;
    const TITLE: &'static str = "a private connection of the follower instance, connected";
    const PATIENCE: Patience = Patience::new(60, 1200);

    async fn observe(&self, cx: &Cx<'_, Self>) -> Result<Seen<Endpoint>, Fault> {
        let Some(found) = find(cx).await? else { return Ok(Seen::absent()) };
        if let Some(report) = broken(&found) {
            return Ok(Seen::Drifted(report));
        }
        if found.endpoint_status != "Active" || found.connection_status != "Connected" {
            return Ok(Seen::Pending(format!(
                "{} is {}, {}",
                found.endpoint_id, found.endpoint_status, found.connection_status
            )));
        }
        let endpoint = Endpoint { endpoint: found.endpoint_id, domain: found.endpoint_domain };
        // It hangs on the endpoint service.
        Ok(if cx.owns::<EndpointService>() { Seen::Ours(endpoint) } else { Seen::Ready(endpoint) })
    }
}

impl Act for PrivateConnection {
    const REVERSE: Reverse = Reverse::Undo("deletes the private connection that was made");
    const COST: Option<&'static str> =
        Some("PrivateLink endpoint, by the hour of each zone and by GB");

    fn lane(&self, cx: &Cx<'_, Self>) -> Option<String> {
        Some(format!("instance {}", cx.needs.0.follower.instance.instance))
    }

    async fn act(&self, cx: &Cx<'_, Self>, item: &str) -> Result<Option<String>, Fault> {
        let (site, service, _) = &cx.needs;
        let facts = &site.follower.instance;
        let zone = if service.zones.contains(&site.endpoint_zone) {
            &site.endpoint_zone
        } else {
            service.zones.first().unwrap_or(&site.endpoint_zone)
        };
        let client = cx.world.cloud.elasticsearch(&facts.region);
        let token = cx.token(item);
        client
            .create_vpc_endpoint(&facts.instance, &service.service, zone, &token)
            .await
            .map(|made| Some(made.endpoint_id))
    }

    async fn remains(&self, cx: &Cx<'_, Self>) -> Result<Remains, Fault> {
        if let Some(found) = find(cx).await? {
            return Ok(
                if found.endpoint_status == "Deleting" || found.endpoint_status == "Creating" {
                    Remains::Pending(format!("{} is {}", found.endpoint_id, found.endpoint_status))
                } else {
                    Remains::whole()
                },
            );
        }
        // The endpoint service cannot be deleted while it still shows the connection.
        let client = cx.world.cloud.privatelink(&cx.needs.0.follower.instance.region);
        let rows =
            if_there(client.list_connections(&cx.needs.1.service).await)?.unwrap_or_default();
        let own = cx.output.as_ref().map(|e| e.endpoint.as_str());
        Ok(match rows.iter().find(|r| own.is_none_or(|id| id == r.endpoint_id)) {
            Some(row) => Remains::Pending(format!("{} is {}", row.endpoint_id, row.status)),
            None => Remains::Nothing,
        })
    }

    async fn undo(&self, cx: &Cx<'_, Self>, item: &str) -> Result<(), Fault> {
        let Some(found) = find(cx).await? else { return Ok(()) };
        let facts = &cx.needs.0.follower.instance;
        let client = cx.world.cloud.elasticsearch(&facts.region);
        let token = cx.undo_token(item);
        gone_is_fine(client.delete_vpc_endpoint(&facts.instance, &found.endpoint_id, &token).await)
    }
}
