//! The endpoint service in front of the load balancer, with a resource in each of its zones.

use crate::World;
use crate::aliyun::privatelink::{
    CreateEndpointService, EndpointService as Listed, ServiceFilter, ServiceResource,
};
use crate::aliyun::{Action, Product, TagKind, Tags};
use crate::calls::{Calls, Declares};
use crate::marks::by_marks;
use crate::nodes::absent::{gone_is_fine, if_there};
use crate::nodes::prerequisites::Prerequisites;
use crate::nodes::step3_load_balancer::LoadBalancer;
use crate::own::{Found, Owner, not_there};
use crate::resource::{Resource, find, left, one, ours, shared, undo};
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
/// Between a service and the zone that is detached from it.
const IN_ZONE: &str = " in ";

fn payer(cx: &Cx<'_, EndpointService>) -> &'static str {
    match cx.world.spec.private_link.payer {
        Payer::Endpoint => "Endpoint",
        Payer::EndpointService => "EndpointService",
    }
}

async fn look(cx: &Cx<'_, EndpointService>) -> Result<Found<Listed>, Fault> {
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
    find(cx, ITSELF).await
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
        (
            cx.world.spec.private_link.zone_affinity && !found.zone_affinity,
            "zone affinity is off, the spec says on".to_owned(),
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
            Action::new(Product::PrivateLink, "TagResources"),
        ],
        undo: &[
            Action::new(Product::PrivateLink, "ListVpcEndpointServices"),
            Action::new(Product::PrivateLink, "GetVpcEndpointServiceAttribute"),
            Action::new(Product::PrivateLink, "ListVpcEndpointServiceResources"),
            Action::new(Product::PrivateLink, "DetachResourceFromVpcEndpointService"),
            Action::new(Product::PrivateLink, "DeleteVpcEndpointService"),
            Action::new(Product::PrivateLink, "TagResources"),
            Action::new(Product::PrivateLink, "UntagResources"),
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
        let (found, owner) = match one::<Self, _>(cx, look(cx).await?) {
            Ok(found) => found,
            Err(Seen::Absent(_)) => return Ok(Seen::Absent(vec![ITSELF.to_owned()])),
            Err(seen) => return Ok(seen),
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
    const MARKED: bool = true;
    const REVERSE: Reverse = Reverse::Undo(
        "detaches the load balancer zone by zone and deletes the endpoint service that was made",
    );

    fn lane(&self, cx: &Cx<'_, Self>) -> Option<String> {
        Some(format!("endpoint service of {}", cx.needs.1.balancer))
    }

    async fn act(&self, cx: &Cx<'_, Self>, item: &str) -> Result<Option<String>, Fault> {
        if let Some(done) = shared(cx, item).await {
            return done;
        }
        let (site, balancer) = &cx.needs;
        let client = cx.world.cloud.privatelink(&site.follower.instance.region);
        if item == ITSELF {
            let name = cx.world.name();
            let ask = CreateEndpointService {
                load_balancer_id: &balancer.balancer,
                zones: &balancer.zones,
                description: &name,
                payer: payer(cx),
                zone_affinity: cx.world.spec.private_link.zone_affinity,
                tags: &cx.world.tags(cx.saga, Self::ID),
                token: &cx.token(item),
            };
            return client.create_service(ask).await.map(Some);
        }
        let Found::One(found, _) = look(cx).await? else { return Ok(None) };
        let resource = resource(&balancer.balancer, item);
        let answer = client.attach_resource(&found.service_id, &resource, &cx.token(item)).await;
        attached(answer).map(|()| None)
    }

    async fn remains(&self, cx: &Cx<'_, Self>) -> Result<Remains, Fault> {
        let ours = ours(cx).await?;
        if !ours.unmarked.is_empty() {
            return Ok(left(cx, &ours));
        }
        let balancer = &cx.needs.1.balancer;
        if let Some(found) = ours.things.first() {
            // One zone at a time: the service is in motion after each.
            let mut zones = resources(cx, &found.service_id).await?.into_iter();
            let zone = zones.find(|r| r.resource_id == *balancer).map(|r| r.zone_id);
            return Ok(match (left(cx, &ours), zone) {
                (Remains::Items(_), Some(zone)) => {
                    Remains::Items(vec![format!("{}{IN_ZONE}{zone}", found.service_id)])
                }
                (Remains::Items(_), None) => Remains::Items(vec![found.service_id.clone()]),
                (left, _) => left,
            });
        }
        // Of somebody else's service only the zones that were announced are ours.
        let Some(id) = named_or_output(cx) else { return Ok(Remains::Nothing) };
        let Some(found) = Self::by_id(cx, &id).await? else { return Ok(Remains::Nothing) };
        let mut zones = resources(cx, &id).await?.into_iter();
        let zone = zones.find(|r| r.resource_id == *balancer && cx.items.contains(&r.zone_id));
        Ok(match zone {
            None => Remains::Nothing,
            Some(_) if found.status != "Active" => {
                Remains::Pending(format!("{id} is {}", found.status))
            }
            Some(zone) => Remains::Items(vec![format!("{id}{IN_ZONE}{}", zone.zone_id)]),
        })
    }

    async fn undo(&self, cx: &Cx<'_, Self>, item: &str) -> Result<(), Fault> {
        let Some((id, zone)) = item.split_once(IN_ZONE) else { return undo(cx, item).await };
        let client = cx.world.cloud.privatelink(&cx.needs.0.follower.instance.region);
        let resource = resource(&cx.needs.1.balancer, zone);
        gone_is_fine(client.detach_resource(id, &resource, &cx.undo_token(item)).await)
    }
}

/// The service that the spec names, or the one that was found.
fn named_or_output(cx: &Cx<'_, EndpointService>) -> Option<String> {
    let output = cx.output.as_ref().map(|service| service.service.clone());
    cx.world.spec.private_link.service_id.clone().or(output)
}

impl Resource for EndpointService {
    type Thing = Listed;
    const KIND: TagKind = TagKind::EndpointService;

    fn region<'a>(cx: &'a Cx<'_, Self>) -> &'a str {
        &cx.needs.0.follower.instance.region
    }

    fn id(thing: &Listed) -> &str {
        &thing.service_id
    }
    fn tags(thing: &Listed) -> &Tags {
        &thing.tags
    }
    fn status(thing: &Listed) -> (&str, bool) {
        (&thing.status, thing.status == "Active")
    }
    fn ids(output: &Service) -> Vec<String> {
        vec![output.service.clone()]
    }

    async fn by_id(cx: &Cx<'_, Self>, id: &str) -> Result<Option<Listed>, Fault> {
        let client = cx.world.cloud.privatelink(&cx.needs.0.follower.instance.region);
        let Some(mut found) = if_there(client.get_service(id).await)? else { return Ok(None) };
        // Only the list tells the tags; where it does not show the service yet, the id decides.
        let filter = ServiceFilter { service_id: id, ..ServiceFilter::default() };
        let listed = client.list_services(filter).await?.into_iter().find(|s| s.service_id == id);
        found.tags = listed.map_or_else(|| cx.world.tags(cx.saga, Self::ID), |listed| listed.tags);
        Ok(Some(found))
    }

    async fn by_tags(cx: &Cx<'_, Self>) -> Result<Vec<Listed>, Fault> {
        let client = cx.world.cloud.privatelink(&cx.needs.0.follower.instance.region);
        by_marks(cx.world.marks(Self::ID), |marks| async move {
            let filter = ServiceFilter { tags: Some(&marks), ..ServiceFilter::default() };
            client.list_services(filter).await
        })
        .await
    }

    async fn delete(cx: &Cx<'_, Self>, id: &str, token: &str) -> Result<(), Fault> {
        let client = cx.world.cloud.privatelink(&cx.needs.0.follower.instance.region);
        client.delete_service(id, token).await
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
