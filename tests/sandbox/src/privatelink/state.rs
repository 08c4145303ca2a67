//! What the product holds, and the refusals that all its calls share.

use crate::tagging::Tags;
use crate::{Course, Refusal};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;

/// The account that owns the endpoints of Elasticsearch instances.
pub(crate) const ELASTICSEARCH_ACCOUNT: u64 = 1_000_000_000_000_099;

/// All endpoint services of the account, and the endpoints connected to them.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct State {
    /// By `epsrv-…` id.
    pub(crate) services: BTreeMap<String, Service>,
    /// By `ep-…` id.
    pub(crate) endpoints: BTreeMap<String, Endpoint>,
}

/// One endpoint service.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Service {
    pub(crate) region: String,
    pub(crate) description: String,
    pub(crate) auto_accept: bool,
    pub(crate) payer: String,
    pub(crate) zone_affinity: bool,
    pub(crate) resources: Vec<Resource>,
    pub(crate) users: BTreeSet<u64>,
    pub(crate) user_arns: BTreeSet<String>,
    pub(crate) course: Course,
    pub(crate) since_ms: u64,
    pub(crate) tags: Tags,
}

/// One load balancer of a service, in one zone.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Resource {
    pub(crate) id: String,
    pub(crate) zone: String,
    pub(crate) course: Course,
    pub(crate) since_ms: u64,
}

/// One endpoint that an Elasticsearch instance made.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Endpoint {
    pub(crate) service: String,
    pub(crate) region: String,
    pub(crate) zone: String,
    /// The Elasticsearch instance that it is for.
    pub(crate) instance: String,
    pub(crate) name: String,
    pub(crate) domain: String,
    /// Its interface in the network of the Elasticsearch service.
    pub(crate) address: Ipv4Addr,
    pub(crate) interface: String,
    /// `Creating`, `Active`, `Deleting`.
    pub(crate) course: Course,
    /// `Pending`, `Connecting`, `Connected`, `Disconnecting`, `Disconnected`, `Deleting`.
    pub(crate) connection: Course,
    pub(crate) since_ms: u64,
    pub(crate) modified_ms: u64,
}

impl State {
    /// A service, if it is in the region that the call names.
    pub(crate) fn service(&self, id: &str, region: &str) -> Result<&Service, Refusal> {
        self.services.get(id).filter(|s| s.region == region).ok_or_else(no_service)
    }

    pub(crate) fn service_mut(&mut self, id: &str) -> Result<&mut Service, Refusal> {
        self.services.get_mut(id).ok_or_else(no_service)
    }

    /// Is a load balancer a resource of any service?
    pub(crate) fn uses(&self, balancer: &str) -> bool {
        self.services.values().any(|s| s.resources.iter().any(|r| r.id == balancer))
    }

    /// The endpoints of a service.
    pub(crate) fn connected<'a>(
        &'a self,
        service: &'a str,
    ) -> impl Iterator<Item = (&'a String, &'a Endpoint)> {
        self.endpoints.iter().filter(move |(_, e)| e.service == service)
    }
}

pub(crate) fn no_service() -> Refusal {
    Refusal::missing("EndpointServiceNotFound", "The specified endpoint service does not exist.")
}

/// A service that is being made is locked; one that is being changed takes no second change.
pub(crate) fn at_rest(service: &Service, now_ms: u64) -> Result<(), Refusal> {
    if !service.course.in_motion(now_ms) {
        return Ok(());
    }
    if service.course.status(now_ms) == "Pending" {
        return Err(concurrent());
    }
    Err(Refusal::bad("EndpointServiceLocked", "The endpoint service is locked."))
}

pub(crate) fn concurrent() -> Refusal {
    Refusal::bad(
        "ConcurrentCallNotSupported",
        "The system is processing a previous call. Please try again later.",
    )
}

pub(crate) fn dependence() -> Refusal {
    Refusal::bad(
        "EndpointServiceConnectionDependence",
        "The endpoint service still has endpoint connections or resources.",
    )
}
