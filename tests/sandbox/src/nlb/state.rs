//! What the product holds, and the refusals that all its calls share.

use crate::tagging::Tags;
use crate::{Course, Refusal};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::net::Ipv4Addr;

/// All load balancers of the account.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct State {
    /// By `sgp-…` id.
    pub(crate) groups: BTreeMap<String, Group>,
    /// By `nlb-…` id.
    pub(crate) balancers: BTreeMap<String, Balancer>,
    /// By `lsn-…` id.
    pub(crate) listeners: BTreeMap<String, Listener>,
    /// Job id to the moment at which it is done.
    pub(crate) jobs: BTreeMap<String, u64>,
    /// What the health checks last saw: `listener|server`.
    pub(crate) probes: BTreeMap<String, Probe>,
}

/// One server group.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Group {
    pub(crate) region: String,
    pub(crate) vpc: String,
    pub(crate) name: String,
    /// `Ip` or `Instance`.
    pub(crate) kind: String,
    pub(crate) protocol: String,
    pub(crate) any_port: bool,
    pub(crate) preserve_client_ip: bool,
    pub(crate) scheduler: String,
    pub(crate) drain: (bool, u32),
    pub(crate) check: HealthCheck,
    pub(crate) course: Course,
    pub(crate) servers: BTreeMap<String, Server>,
    pub(crate) since_ms: u64,
    pub(crate) tags: Tags,
}

/// How a group's servers are probed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct HealthCheck {
    pub(crate) enabled: bool,
    pub(crate) kind: String,
    /// 0 means the server's own port.
    pub(crate) port: u16,
    pub(crate) connect_timeout: u32,
    pub(crate) interval: u32,
    pub(crate) healthy: u32,
    pub(crate) unhealthy: u32,
}

/// One server of a group.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Server {
    pub(crate) id: String,
    pub(crate) ip: Ipv4Addr,
    pub(crate) kind: String,
    /// 0 means the port that the client asked for.
    pub(crate) port: u16,
    pub(crate) weight: u32,
    pub(crate) description: String,
    pub(crate) course: Course,
    pub(crate) since_ms: u64,
}

/// One zone of a load balancer.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Zone {
    pub(crate) id: String,
    pub(crate) vswitch: String,
    pub(crate) interface: String,
    pub(crate) address: Ipv4Addr,
    /// Where health checks, and connections of groups that hide the client, come from.
    pub(crate) local: Vec<Ipv4Addr>,
}

/// One load balancer.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Balancer {
    pub(crate) region: String,
    pub(crate) vpc: String,
    pub(crate) name: String,
    /// `Intranet` or `Internet`.
    pub(crate) address_type: String,
    pub(crate) zones: Vec<Zone>,
    pub(crate) cross_zone: bool,
    /// Deletion protection and why.
    pub(crate) protected: Option<String>,
    /// Modification protection and why.
    pub(crate) locked: Option<String>,
    pub(crate) course: Course,
    pub(crate) since_ms: u64,
    pub(crate) tags: Tags,
}

/// One listener.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Listener {
    pub(crate) region: String,
    pub(crate) balancer: String,
    pub(crate) protocol: String,
    /// First and last port.
    pub(crate) ports: (u16, u16),
    /// Made with port 0 and a range.
    pub(crate) is_range: bool,
    pub(crate) group: String,
    pub(crate) description: String,
    pub(crate) idle_timeout: u32,
    pub(crate) proxy_protocol: bool,
    pub(crate) course: Course,
    pub(crate) since_ms: u64,
    pub(crate) tags: Tags,
}

/// One health check of one server through one listener.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Probe {
    /// What the check meets now: empty, or a reason code.
    pub(crate) raw: String,
    /// Since when.
    pub(crate) since_ms: u64,
    /// What was reported before: `None` is `Initial`.
    pub(crate) before: Option<String>,
}

impl Listener {
    pub(crate) fn covers(&self, port: u16) -> bool {
        (self.ports.0..=self.ports.1).contains(&port)
    }
}

impl Server {
    /// Identity in a group: id, address and port.
    pub(crate) fn key(&self) -> String {
        format!("{}|{}|{}", self.id, self.ip, self.port)
    }
}

impl State {
    pub(crate) fn group(&self, id: &str) -> Result<&Group, Refusal> {
        self.groups.get(id).ok_or_else(|| missing("serverGroup", id))
    }

    pub(crate) fn balancer(&self, id: &str) -> Result<&Balancer, Refusal> {
        self.balancers.get(id).ok_or_else(|| missing("loadBalancer", id))
    }

    pub(crate) fn listener(&self, id: &str) -> Result<&Listener, Refusal> {
        self.listeners.get(id).ok_or_else(|| missing("listener", id))
    }

    /// The listeners of a load balancer.
    pub(crate) fn listeners_of<'a>(
        &'a self,
        balancer: &'a str,
    ) -> impl Iterator<Item = (&'a String, &'a Listener)> {
        self.listeners.iter().filter(move |(_, l)| l.balancer == balancer)
    }
}

pub(crate) fn missing(kind: &str, id: &str) -> Refusal {
    Refusal::missing(
        format!("ResourceNotFound.{kind}"),
        format!("The specified resource {id} is not found."),
    )
}

/// Something in transition refuses writes.
pub(crate) fn settled(kind: &str, course: &Course, now_ms: u64) -> Result<(), Refusal> {
    if !course.in_motion(now_ms) {
        return Ok(());
    }
    Err(Refusal::bad(
        format!("IncorrectStatus.{kind}"),
        format!("The status of {kind} {} does not support this operation.", course.status(now_ms)),
    ))
}

/// A group in motion: while it is made by its status, later by its lock.
pub(crate) fn group_settled(group: &Group, now_ms: u64) -> Result<(), Refusal> {
    settled("serverGroup", &group.course, now_ms)?;
    if group.servers.values().any(|s| s.course.in_motion(now_ms)) {
        return Err(Refusal::bad("Conflict.Lock", "The server group is locked by another task."));
    }
    Ok(())
}
