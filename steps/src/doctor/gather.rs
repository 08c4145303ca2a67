//! The calls: everything that is read of a link, and nothing that is changed.

use super::balancer::takes_transport;
use super::facts::{Balancer, End, Facts, Network, Remote};
use crate::aliyun::cbn::{AttachmentFilter, LinkKind, PeerAttachment};
use crate::aliyun::elasticsearch::{Instance, VpcEndpoint};
use crate::aliyun::privatelink::{EndpointService, ServiceFilter, ServiceResource};
use crate::aliyun::vpc::{VSwitchFilter, VpcAttribute};
use crate::elastic::{Cluster, Nudge};
use crate::lag::{Limits, Link};
use crate::marks::by_marks;
use crate::nodes::prerequisites::{InstanceFacts, facts};
use crate::nodes::step2_leader_address::addresses_now;
use crate::verify::{Options, existing};
use crate::version::Version;
use crate::{Which, World};
use escrr_engine::{Clock, Fault, SagaId};
use std::collections::BTreeSet;

/// How many answers in a row have to say connected: each may come from another node.
const CONFIRMATIONS: u8 = 3;

/// Who is looked at, and with what.
pub struct Patient<'a> {
    /// The spec and the clients.
    pub(super) world: &'a World,
    /// Both instances.
    pub(super) instances: (InstanceFacts, InstanceFacts),
    /// The time where they are.
    pub(super) clock: &'a dyn Clock,
    /// Makes what is asked one's own: a command on an ECS instance, a change.
    pub(super) token: String,
    /// The saga that made the link, if it is known here.
    pub(super) saga: Option<SagaId>,
    described: (Instance, Instance),
}

impl<'a> Patient<'a> {
    /// Meets both instances, whatever is wrong with them.
    ///
    /// # Errors
    /// The cloud does not answer, refuses, or knows no such instance.
    pub async fn meet(
        world: &'a World,
        clock: &'a dyn Clock,
        token: String,
    ) -> Result<Self, Fault> {
        let meet = async |which: Which| {
            let side = world.spec.side(which);
            let client = world.cloud.elasticsearch(&side.region);
            let found = client.describe_instance(&side.instance).await?;
            // What it cannot say of its version is a finding, not a reason to look no further.
            let version = Version::parse(&found.es_version).unwrap_or_default();
            Ok::<_, Fault>((facts(&found, &side.region, version), found))
        };
        let (leads, leader) = meet(Which::Leader).await?;
        let (follows, follower) = meet(Which::Follower).await?;
        let (instances, described) = ((leads, follows), (leader, follower));
        Ok(Self { world, instances, clock, token, saga: None, described })
    }

    /// The same link, and the saga that made it.
    #[must_use]
    pub fn of_saga(self, saga: Option<SagaId>) -> Self {
        Self { saga, ..self }
    }
}

/// Reads a link.
///
/// # Errors
/// The cloud does not answer, or refuses. A cluster that does not answer is a fact.
pub async fn gather(patient: &Patient<'_>) -> Result<Facts, Fault> {
    let world = patient.world;
    let (leads, follows) = &patient.instances;
    let spec = &world.spec;
    let vpc = async |facts: &InstanceFacts| {
        world.cloud.vpc(&facts.region).describe_vpc_attribute(&facts.vpc).await
    };
    let vpcs = (vpc(leads).await?, vpc(follows).await?);
    let blocks = [&vpcs.0.cidr_block].into_iter().chain(&vpcs.0.secondary_cidr_blocks);
    let blocks: Vec<_> = blocks.filter_map(|block| block.parse().ok()).collect();
    let addresses = addresses_now(world, (leads, &blocks), (patient.clock, &patient.token)).await;
    let remote = remote(patient).await;
    let (endpoint, service) = private_link(patient, remote.as_ref().ok()).await?;
    let balancer = match &service {
        Some((_, resources)) => balancer(patient, resources).await?,
        None => None,
    };
    let one_vpc = leads.vpc == follows.vpc;
    let networks = if one_vpc { Vec::new() } else { networks(patient, &vpcs).await? };
    let (leader, follower) = patient.described.clone();
    Ok(Facts {
        bandwidth_mbps: u64::from(patient.world.spec.network.bandwidth_mbps),
        link: spec.link.clone(),
        alias: spec.remote_alias().to_owned(),
        leader,
        follower,
        regions: (leads.region.clone(), follows.region.clone()),
        ports: (
            spec.load_balancer.start_port.into(),
            spec.load_balancer.end_port.into(),
            spec.load_balancer.health_check_port.into(),
        ),
        addresses: addresses.map_err(|fault| said(&fault)),
        named: spec.leader_address.addresses.iter().copied().collect(),
        followers: followers(patient).await.map_err(|fault| said(&fault)),
        remote: remote.map_err(|fault| said(&fault)),
        endpoint,
        service,
        balancer,
        one_vpc,
        networks,
    })
}

fn said(fault: &Fault) -> String {
    let report = fault.report();
    format!("{}: {}", report.tried, report.said)
}

fn clusters(patient: &Patient<'_>) -> Result<(Cluster, Cluster), Fault> {
    let (leads, follows) = &patient.instances;
    let cluster = |which, facts| patient.world.cluster(which, facts);
    Ok((cluster(Which::Leader, leads)?, cluster(Which::Follower, follows)?))
}

async fn remote(patient: &Patient<'_>) -> Result<Remote, Fault> {
    let (leader, follower) = clusters(patient)?;
    let alias = patient.world.spec.remote_alias();
    let settings = follower.remote_settings(alias).await?;
    let own = follower.info().await?.version;
    let versions = leader.info().await.ok().map(|info| (info.version, own));
    if settings.is_empty() {
        return Ok(Remote { settings, versions, ..Remote::default() });
    }
    // Elasticsearch does not connect again by itself; a search makes it, and only that says why not.
    let cause = match follower.nudge(alias).await? {
        Nudge::Reached => None,
        Nudge::Failed(why) => Some(why),
    };
    let mut connected = cause.is_none();
    for _ in 0..CONFIRMATIONS {
        connected &= follower.remote_info().await?.get(alias).is_some_and(|r| r.connected);
    }
    Ok(Remote { settings, connected, cause, versions })
}

async fn followers(patient: &Patient<'_>) -> Result<Vec<crate::lag::Finding>, Fault> {
    let (leader, follower) = clusters(patient)?;
    let spec = &patient.world.spec;
    let link = Link { spec, leader, follower, clock: patient.clock };
    let options = Options { documents: None, limits: Limits::of(spec) };
    Ok(existing(&link, &options).await?.findings)
}

type Service = (EndpointService, Vec<ServiceResource>);

/// The private connection that the alias leads to, else the link's; and the service behind it.
async fn private_link(
    patient: &Patient<'_>,
    remote: Option<&Remote>,
) -> Result<(Option<VpcEndpoint>, Option<Service>), Fault> {
    let follows = &patient.instances.1;
    let spec = &patient.world.spec;
    let client = patient.world.cloud.privatelink(&follows.region);
    let tagged = by_marks(patient.world.link_mark(), |marks| async move {
        client.list_services(ServiceFilter { tags: Some(&marks), ..ServiceFilter::default() }).await
    });
    let tagged = tagged.await?.into_iter().next();
    let named = spec.private_link.service_id.clone().or(tagged.map(|service| service.service_id));
    let all = patient.world.cloud.elasticsearch(&follows.region);
    let all = all.list_vpc_endpoints(&follows.instance).await?;
    let address = remote.and_then(|r| r.settings.get("proxy_address")).unwrap_or_default();
    let domain = address.rsplit_once(':').map_or(address, |(host, _)| host);
    let led = all.iter().find(|e| !domain.is_empty() && e.endpoint_domain == domain);
    let own = all.iter().find(|e| named.as_ref() == Some(&e.service_id));
    let endpoint = led.or(own).cloned();
    let id = endpoint.as_ref().map(|e| e.service_id.clone()).or(named);
    let Some(id) = id.filter(|id| !id.is_empty()) else { return Ok((endpoint, None)) };
    let service = there(client.get_service(&id).await)?;
    let resources = there(client.list_resources(&id).await)?.unwrap_or_default();
    Ok((endpoint, service.map(|service| (service, resources))))
}

/// What is not there is a fact, not a fault.
fn there<T>(outcome: Result<T, Fault>) -> Result<Option<T>, Fault> {
    crate::nodes::if_there(outcome)
}

async fn balancer(
    patient: &Patient<'_>,
    resources: &[ServiceResource],
) -> Result<Option<Balancer>, Fault> {
    let region = &patient.instances.1.region;
    let client = patient.world.cloud.nlb(region);
    let Some(id) = resources.first().map(|resource| &resource.resource_id) else { return Ok(None) };
    let Some(load_balancer) = there(client.get_load_balancer(id).await)? else { return Ok(None) };
    let vpc = patient.world.cloud.vpc(region);
    let mut vswitches = Vec::new();
    for zone in &load_balancer.zones {
        let filter = VSwitchFilter { vswitch_id: &zone.vswitch_id, ..VSwitchFilter::default() };
        vswitches.extend(vpc.describe_vswitches(filter).await?);
    }
    let listeners = client.list_listeners(id).await?;
    let meant = listeners.iter().find(|l| takes_transport(l)).or(listeners.first());
    let mut found = Balancer {
        nlb: load_balancer,
        vswitches,
        listeners: listeners.clone(),
        group: None,
        servers: Vec::new(),
        health: None,
    };
    if let Some(listener) = meant {
        let group = &listener.server_group_id;
        found.group = client.get_server_group(group).await?;
        found.servers = there(client.list_servers(group).await)?.unwrap_or_default();
        let health = there(client.get_listener_health(&listener.listener_id).await)?;
        let health = health.unwrap_or_default();
        found.health = health.into_iter().find(|h| h.server_group_id == *group);
    }
    Ok(Some(found))
}

async fn networks(
    patient: &Patient<'_>,
    vpcs: &(VpcAttribute, VpcAttribute),
) -> Result<Vec<Network>, Fault> {
    let cens = |vpc: &VpcAttribute| -> BTreeSet<String> {
        vpc.associated_cens.iter().map(|cen| cen.cen_id.clone()).collect()
    };
    let mut all = Vec::new();
    for cen in cens(&vpcs.0).intersection(&cens(&vpcs.1)) {
        all.push(network(patient, cen).await?);
    }
    Ok(all)
}

async fn network(patient: &Patient<'_>, cen: &str) -> Result<Network, Fault> {
    let (leads, follows) = &patient.instances;
    let mut network = Network {
        cen: cen.to_owned(),
        peer: None,
        leader: end(patient.world, cen, leads).await?,
        follower: end(patient.world, cen, follows).await?,
    };
    if leads.region != follows.region {
        for (region, router) in [
            (&leads.region, &network.leader.transit_router),
            (&follows.region, &network.follower.transit_router),
        ] {
            let filter = AttachmentFilter {
                cen_id: cen,
                transit_router_id: router.as_deref().unwrap_or_default(),
                ..AttachmentFilter::default()
            };
            let all = patient.world.cloud.cbn(region).list_peer_attachments(filter).await?;
            let ours = |p: &PeerAttachment| {
                let ends = [p.region_id.as_str(), p.peer_region_id.as_str()];
                ends.contains(&leads.region.as_str()) && ends.contains(&follows.region.as_str())
            };
            network.peer = network.peer.or(all.into_iter().find(ours));
        }
    }
    Ok(network)
}

async fn end(world: &World, cen: &str, facts: &InstanceFacts) -> Result<End, Fault> {
    let client = world.cloud.cbn(&facts.region);
    let routers = client.list_transit_routers(cen, "").await?;
    let router = routers.into_iter().find(|router| router.region_id == facts.region);
    let Some(router) = router.map(|router| router.transit_router_id) else {
        return Ok(End::default());
    };
    let filter =
        AttachmentFilter { cen_id: cen, transit_router_id: &router, ..AttachmentFilter::default() };
    let attachments = client.list_vpc_attachments(filter, &facts.vpc).await?;
    let mut end = End {
        attachment: attachments.into_iter().find(|a| a.vpc_id == facts.vpc),
        ..End::default()
    };
    for table in client.list_route_tables(&router, "").await? {
        let id = &table.route_table_id;
        let links = client.list_links(LinkKind::Association, id, "").await?;
        let active = links.into_iter().filter(|link| link.status == "Active");
        end.associated.extend(active.map(|link| link.attachment_id));
        end.routes.extend(client.list_route_entries(id).await?);
    }
    end.transit_router = Some(router);
    let vpc = world.cloud.vpc(&facts.region);
    for table in vpc.describe_route_tables(&facts.vpc, "").await? {
        end.vpc_routes.extend(vpc.describe_route_entries(&table.route_table_id).await?);
    }
    Ok(end)
}
