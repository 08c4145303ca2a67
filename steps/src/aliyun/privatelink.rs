//! PrivateLink 2020-04-15: the endpoint service in front of the load balancer.

use super::answer::Row;
use super::call::{Paging, given, opened, tag_list};
use super::cloud::Caller;
use super::types::Tags;
use escrr_engine::{Class, Fault};
use serde_json::json;

/// PrivateLink; made by [`Cloud::privatelink`](super::Cloud::privatelink).
#[derive(Clone, Copy, Debug)]
pub struct PrivateLink<'a>(pub(super) Caller<'a>);

/// One endpoint service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndpointService {
    /// The endpoint service's id, `epsrv-…`.
    pub service_id: String,
    /// Its name, made by the system.
    pub service_name: String,
    /// `Creating`, `Pending`, `Active` or `Deleting`.
    pub status: String,
    /// `nlb`, for example.
    pub resource_type: String,
    /// Whether connections are accepted without a person.
    pub auto_accept: bool,
    /// `Endpoint` or `EndpointService`.
    pub payer: String,
    /// Does its domain lead to the nearest zone first?
    pub zone_affinity: bool,
    /// Free text.
    pub description: String,
    /// `Normal` or `FinancialLocked`.
    pub business_status: String,
    /// Zones that an endpoint may use; a list of services does not tell them.
    pub zones: Vec<String>,
    /// Its tags; the attributes of one service do not tell them.
    pub tags: Tags,
}

/// What an endpoint service is made from: one load balancer, one resource a zone.
#[derive(Clone, Copy, Debug)]
pub struct CreateEndpointService<'a> {
    /// The NLB instance.
    pub load_balancer_id: &'a str,
    /// Its zones, at most ten.
    pub zones: &'a [String],
    /// Free text; the name is made by the system.
    pub description: &'a str,
    /// `Endpoint` or `EndpointService`; cannot be changed later. Empty for the default.
    pub payer: &'a str,
    /// Does its domain lead to the nearest zone first?
    pub zone_affinity: bool,
    /// Its tags.
    pub tags: &'a Tags,
    /// The idempotency token.
    pub token: &'a str,
}

/// Which endpoint services are wanted; empty fields do not filter.
#[derive(Clone, Copy, Debug, Default)]
pub struct ServiceFilter<'a> {
    /// Only this one.
    pub service_id: &'a str,
    /// That serve this NLB instance.
    pub resource_id: &'a str,
    /// With all of these tags.
    pub tags: Option<&'a Tags>,
}

/// One load balancer in one zone behind an endpoint service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceResource {
    /// The NLB instance.
    pub resource_id: String,
    /// `nlb`, for example.
    pub resource_type: String,
    /// The zone.
    pub zone_id: String,
}

/// One endpoint that is connected to an endpoint service, or wants to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connection {
    /// The endpoint's id, `ep-…`.
    pub endpoint_id: String,
    /// `Pending`, `Connecting`, `Connected`, `Disconnected`, …
    pub status: String,
    /// The VPC of the endpoint.
    pub endpoint_vpc_id: String,
    /// The account of the endpoint.
    pub endpoint_owner_id: String,
    /// Its zones.
    pub zones: Vec<ConnectionZone>,
}

/// One zone of a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectionZone {
    /// The zone.
    pub zone_id: String,
    /// `Connected`, for example.
    pub status: String,
    /// The name that resolves to this zone's address.
    pub domain: String,
    /// The NLB instance that serves it.
    pub resource_id: String,
}

impl PrivateLink<'_> {
    /// Asks whether the account has activated PrivateLink (`CheckProductOpen`).
    ///
    /// "Not activated" may come as an answer or as a refusal; both give false.
    pub async fn check_product_open(&self) -> Result<bool, Fault> {
        match self.0.read("CheckProductOpen", json!({})).await {
            Ok(answer) => Ok(answer.row().flag("Success")),
            Err(Fault::Refused { .. } | Fault::Blocked { class: Class::Approval, .. }) => Ok(false),
            Err(fault) => Err(fault),
        }
    }

    /// Activates PrivateLink for the account (`OpenPrivateLinkService`): accepts terms of sale.
    ///
    /// A service that is active already is fine.
    pub async fn open_service(&self) -> Result<(), Fault> {
        opened(self.0.write_only("OpenPrivateLinkService", json!({})).await)
    }

    /// Lists the zones where an NLB can stand behind an endpoint service (`DescribeZones`).
    pub async fn describe_nlb_zones(&self) -> Result<Vec<String>, Fault> {
        let answer = self.0.read("DescribeZones", json!({"ServiceResourceType": "nlb"})).await?;
        answer.row().rows("Zones.Zone").iter().map(|row| row.need("ZoneId")).collect()
    }

    /// Creates an endpoint service that accepts by itself, and gives its id
    /// (`CreateVpcEndpointService`).
    pub async fn create_service(&self, ask: CreateEndpointService<'_>) -> Result<String, Fault> {
        let resource = |zone: &String| json!({"ResourceId": ask.load_balancer_id, "ResourceType": "nlb", "ZoneId": zone});
        let params = json!({
            "ServiceResourceType": "nlb",
            "AutoAcceptEnabled": true,
            "Payer": given(ask.payer),
            "ZoneAffinityEnabled": ask.zone_affinity,
            "ServiceDescription": given(ask.description),
            "Resource": ask.zones.iter().map(resource).collect::<Vec<_>>(),
            "Tag": tag_list(ask.tags),
            "ClientToken": given(ask.token),
        });
        self.0.write("CreateVpcEndpointService", params).await?.row().need("ServiceId")
    }

    /// Describes one endpoint service (`GetVpcEndpointServiceAttribute`); gone when it does
    /// not exist.
    pub async fn get_service(&self, service_id: &str) -> Result<EndpointService, Fault> {
        let params = json!({"ServiceId": service_id});
        let answer = self.0.read("GetVpcEndpointServiceAttribute", params).await?;
        service(&answer.row())
    }

    /// Lists endpoint services (`ListVpcEndpointServices`).
    pub async fn list_services(
        &self,
        filter: ServiceFilter<'_>,
    ) -> Result<Vec<EndpointService>, Fault> {
        let params = json!({
            "ServiceId": given(filter.service_id),
            "ResourceId": given(filter.resource_id),
            "Tag": filter.tags.map(tag_list),
        });
        let at = (Paging::Token("MaxResults", 100), "Services");
        self.0.list("ListVpcEndpointServices", params, at, service).await
    }

    /// Deletes an endpoint service without connections and resources
    /// (`DeleteVpcEndpointService`).
    pub async fn delete_service(&self, service_id: &str, token: &str) -> Result<(), Fault> {
        let params = json!({"ServiceId": service_id, "ClientToken": given(token)});
        self.0.write("DeleteVpcEndpointService", params).await.map(drop)
    }

    /// Puts a load balancer's zone behind an endpoint service
    /// (`AttachResourceToVpcEndpointService`).
    pub async fn attach_resource(
        &self,
        service_id: &str,
        resource: &ServiceResource,
        token: &str,
    ) -> Result<(), Fault> {
        let params = resource_params(service_id, resource, token);
        self.0.write("AttachResourceToVpcEndpointService", params).await.map(drop)
    }

    /// Takes a load balancer's zone from behind an endpoint service
    /// (`DetachResourceFromVpcEndpointService`).
    pub async fn detach_resource(
        &self,
        service_id: &str,
        resource: &ServiceResource,
        token: &str,
    ) -> Result<(), Fault> {
        let params = resource_params(service_id, resource, token);
        self.0.write("DetachResourceFromVpcEndpointService", params).await.map(drop)
    }

    /// Lists what stands behind an endpoint service (`ListVpcEndpointServiceResources`).
    pub async fn list_resources(&self, service_id: &str) -> Result<Vec<ServiceResource>, Fault> {
        let params = json!({"ServiceId": service_id});
        let at = (Paging::Token("MaxResults", 50), "Resources");
        self.0.list("ListVpcEndpointServiceResources", params, at, service_resource).await
    }

    /// Lists the connections of an endpoint service (`ListVpcEndpointConnections`).
    pub async fn list_connections(&self, service_id: &str) -> Result<Vec<Connection>, Fault> {
        let params = json!({"ServiceId": service_id});
        let at = (Paging::Token("MaxResults", 100), "Connections");
        self.0.list("ListVpcEndpointConnections", params, at, connection).await
    }
}

fn resource_params(service_id: &str, of: &ServiceResource, token: &str) -> serde_json::Value {
    json!({
        "ServiceId": service_id,
        "ResourceId": of.resource_id,
        "ResourceType": of.resource_type,
        // An empty zone is refused; it must be left out.
        "ZoneId": given(&of.zone_id),
        "ClientToken": given(token),
    })
}

fn service(row: &Row<'_>) -> Result<EndpointService, Fault> {
    Ok(EndpointService {
        service_id: row.need("ServiceId")?,
        service_name: row.text("ServiceName"),
        status: row.text("ServiceStatus"),
        resource_type: row.text("ServiceResourceType"),
        auto_accept: row.flag("AutoAcceptEnabled"),
        payer: row.text("Payer"),
        zone_affinity: row.flag("ZoneAffinityEnabled"),
        description: row.text("ServiceDescription"),
        business_status: row.text("ServiceBusinessStatus"),
        zones: row.texts("Zones"),
        tags: row.tags("Tags"),
    })
}

fn service_resource(row: &Row<'_>) -> Result<ServiceResource, Fault> {
    Ok(ServiceResource {
        resource_id: row.need("ResourceId")?,
        resource_type: row.text("ResourceType"),
        zone_id: row.text("ZoneId"),
    })
}

fn connection(row: &Row<'_>) -> Result<Connection, Fault> {
    let zones = row.rows("Zones");
    let zone = |row: &Row<'_>| ConnectionZone {
        zone_id: row.text("ZoneId"),
        status: row.text("ZoneStatus"),
        domain: row.text("ZoneDomain"),
        resource_id: row.text("ResourceId"),
    };
    Ok(Connection {
        endpoint_id: row.need("EndpointId")?,
        status: row.text("ConnectionStatus"),
        endpoint_vpc_id: row.text("EndpointVpcId"),
        endpoint_owner_id: row.text("EndpointOwnerId"),
        zones: zones.iter().map(zone).collect(),
    })
}
