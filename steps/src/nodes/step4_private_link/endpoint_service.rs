//! The endpoint service in front of the load balancer, with a resource in each of its zones.

use crate::World;
use crate::aliyun::privatelink::{
    CreateEndpointService, EndpointService as Listed, ServiceFilter, ServiceResource,
};
use crate::aliyun::{Action, Product};
use crate::calls::{Calls, Declares};
use crate::marks::by_marks;
use crate::nodes::absent::{gone_is_fine, if_there};
use crate::nodes::prerequisites::Prerequisites;
use crate::nodes::step3_load_balancer::LoadBalancer;
use crate::own::{Found, Owner, not_there, pick, several};
use crate::spec::Payer;
use escrr_engine::{Act, Cx, Fault, NodeId, Patience, Remains, Report, Reverse, Seen, Step};
use serde::{Deserialize, Serialize};

/// Makes the endpoint service, or uses the named one.
pub struct EndpointService;

/// The endpoint service.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Service {
    /// Its id.
    pub service: String,
    /// Zones in which it has a resource.
    pub zones: Vec<String>,
}

/// The item that stands for the service itself; every other item is a zone.
const ITSELF: &str = "service";

fn payer(cx: &Cx<'_, EndpointService>) -> &'static str {
    match cx.world.spec.private_link.payer {
        Payer::Endpoint => "Endpoint",
        Payer::EndpointService => "EndpointService",
    }
}

async fn find(cx: &Cx<'_, EndpointService>) -> Result<Found<Listed>, Fault> {
    let client = cx.world.cloud.privatelink(&cx.needs.0.follower.instance.region);
    if let Some(id) = &cx.world.spec.private_link.service_id {
        return match if_there(client.get_service(id).await)? {
            Some(service) => {
                let owner = Owner::of(&service.tags, cx.saga);
                Ok(Found::One(service, owner))
            }
            None => Err(Fault::prerequisite(not_there(
                "endpoint service",
                id,
                "private_link.service_id",
            ))),
        };
    }
    let all = by_marks(cx.world.marks(EndpointService::ID), |marks| async move {
        let filter = ServiceFilter { tags: Some(&marks), ..ServiceFilter::default() };
        client.list_services(filter).await
    })
    .await?;
    let who = (EndpointService::ID, cx.saga, cx.world.spec.link.as_str());
    Ok(pick(all, who, |s| &s.tags, |s| &s.service_id))
}

async fn resources(
    cx: &Cx<'_, EndpointService>,
    service: &str,
) -> Result<Vec<ServiceResource>, Fault> {
    let client = cx.world.cloud.privatelink(&cx.needs.0.follower.instance.region);
    Ok(if_there(client.list_resources(service).await)?.unwrap_or_default())
}

fn drift(cx: &Cx<'_, EndpointService>, found: &Listed) -> Option<Report> {
    let checks = [
        (!found.auto_accept, "it does not accept endpoint connections by itself".to_owned()),
        (
            !found.resource_type.is_empty() && found.resource_type != "nlb",
            format!("its resources are of type {}, not nlb", found.resource_type),
        ),
        (
            !found.payer.is_empty() && found.payer != payer(cx),
            format!("its payer is {}, the spec says {}", found.payer, payer(cx)),
        ),
    ];
    let wrong: Vec<String> =
        checks.into_iter().filter(|(bad, _)| *bad).map(|(_, what)| what).collect();
    (!wrong.is_empty()).then(|| {
        Report::new(format!("checking the endpoint service {}", found.service_id), wrong.join("; "))
            .help("set it right in the PrivateLink console or in the spec, then `escrr resume`")
    })
}

impl Declares for EndpointService {
    const CALLS: Calls = Calls {
        look: &[
            Action::new(Product::PrivateLink, "ListVpcEndpointServices"),
            Action::new(Product::PrivateLink, "GetVpcEndpointServiceAttribute"),
            Action::new(Product::PrivateLink, "ListVpcEndpointServiceResources"),
        ],
        act: &[
            Action::new(Product::PrivateLink, "CreateVpcEndpointService"),
            Action::new(Product::PrivateLink, "AttachResourceToVpcEndpointService"),
        ],
        undo: &[
            Action::new(Product::PrivateLink, "ListVpcEndpointServices"),
            Action::new(Product::PrivateLink, "GetVpcEndpointServiceAttribute"),
            Action::new(Product::PrivateLink, "ListVpcEndpointServiceResources"),
            Action::new(Product::PrivateLink, "DetachResourceFromVpcEndpointService"),
            Action::new(Product::PrivateLink, "DeleteVpcEndpointService"),
        ],
    };
}

impl Step for EndpointService {
    type World = World;
    type Needs = (Prerequisites, LoadBalancer);
    type Output = Service;
    const ID: NodeId = NodeId::new("follower", "endpoint_service");
    const PHASE: u8 = 4;
    const TITLE: &'static str = "an endpoint service with the load balancer in every zone";
    const PATIENCE: Patience = Patience::new(15, 600);

    async fn observe(&self, cx: &Cx<'_, Self>) -> Result<Seen<Service>, Fault> {
        let (found, owner) = match find(cx).await? {
            Found::None => return Ok(Seen::Absent(vec![ITSELF.to_owned()])),
            Found::Several(ids) => return Ok(Seen::Drifted(several("endpoint service", &ids))),
            Found::One(found, owner) => (found, owner),
        };
        if let Some(report) = drift(cx, &found) {
            return Ok(Seen::Drifted(report));
        }
        if found.status != "Active" {
            return Ok(Seen::Pending(format!("{} is {}", found.service_id, found.status)));
        }
        let balancer = &cx.needs.1;
        let held = resources(cx, &found.service_id).await?;
        let has = |zone: &String| {
            held.iter().any(|r| r.resource_id == balancer.balancer && r.zone_id == *zone)
        };
        let missing: Vec<String> = balancer.zones.iter().filter(|z| !has(z)).cloned().collect();
        if !missing.is_empty() {
            return Ok(Seen::Absent(missing));
        }
        Ok(owner.ready(Service { service: found.service_id, zones: balancer.zones.clone() }))
    }
}

/// The list of resources may lag behind: what is attached already is looked at again. The
/// vendor's list of codes does not name this one.
fn attached(answer: Result<(), Fault>) -> Result<(), Fault> {
    match answer {
        Err(Fault::Refused { report, .. })
            if report.code.as_deref().is_some_and(|code| code.contains("Already")) =>
        {
            Err(Fault::Busy(report))
        }
        other => other,
    }
}

impl Act for EndpointService {
    const REVERSE: Reverse = Reverse::Undo(
        "detaches the load balancer zone by zone and deletes the endpoint service that was made",
    );

    fn lane(&self, cx: &Cx<'_, Self>) -> Option<String> {
        Some(format!("endpoint service of {}", cx.needs.1.balancer))
    }

    async fn act(&self, cx: &Cx<'_, Self>, item: &str) -> Result<(), Fault> {
        let (site, balancer) = &cx.needs;
        let client = cx.world.cloud.privatelink(&site.follower.instance.region);
        if item == ITSELF {
            let name = cx.world.name();
            let ask = CreateEndpointService {
                load_balancer_id: &balancer.balancer,
                zones: &balancer.zones,
                description: &name,
                payer: payer(cx),
                tags: &cx.world.tags(cx.saga, Self::ID),
                token: &cx.token(item),
            };
            return client.create_service(ask).await.map(drop);
        }
        let Found::One(found, _) = find(cx).await? else { return Ok(()) };
        let resource = resource(&balancer.balancer, item);
        attached(client.attach_resource(&found.service_id, &resource, &cx.token(item)).await)
    }

    async fn remains(&self, cx: &Cx<'_, Self>) -> Result<Remains, Fault> {
        let (found, owner) = match find(cx).await? {
            Found::None => return Ok(Remains::Nothing),
            Found::Several(ids) => return Ok(Remains::Drifted(several("endpoint service", &ids))),
            Found::One(found, owner) => (found, owner),
        };
        let balancer = &cx.needs.1.balancer;
        let zones = resources(cx, &found.service_id).await?;
        let ours: Vec<String> = zones
            .into_iter()
            .filter(|r| r.resource_id == *balancer)
            .map(|r| r.zone_id)
            .filter(|zone| owner == Owner::Us || cx.items.contains(zone))
            .collect();
        if owner == Owner::Others && ours.is_empty() {
            return Ok(Remains::Nothing);
        }
        if found.status != "Active" {
            return Ok(Remains::Pending(format!("{} is {}", found.service_id, found.status)));
        }
        // One zone at a time: the service is in motion after each.
        Ok(Remains::Items(vec![ours.into_iter().next().unwrap_or_else(|| ITSELF.to_owned())]))
    }

    async fn undo(&self, cx: &Cx<'_, Self>, item: &str) -> Result<(), Fault> {
        let Found::One(found, _) = find(cx).await? else { return Ok(()) };
        let client = cx.world.cloud.privatelink(&cx.needs.0.follower.instance.region);
        let token = cx.undo_token(item);
        let answer = if item == ITSELF {
            client.delete_service(&found.service_id, &token).await
        } else {
            let resource = resource(&cx.needs.1.balancer, item);
            client.detach_resource(&found.service_id, &resource, &token).await
        };
        gone_is_fine(answer)
    }
}

fn resource(balancer: &str, zone: &str) -> ServiceResource {
    ServiceResource {
        resource_id: balancer.to_owned(),
        resource_type: "nlb".to_owned(),
        zone_id: zone.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_attached_already_is_looked_at_again() {
        let refused = |code: &str| Err(Fault::refused(Report::new("attaching", "no").code(code)));
        assert!(matches!(attached(refused("ResourceAlreadyAttached")), Err(Fault::Busy(_))));
        assert!(matches!(attached(refused("InvalidParameter")), Err(Fault::Refused { .. })));
    }
}
