//! What the product holds, and the refusals that all its calls share.

use crate::tagging::Tags;
use crate::{Call, Course, Refusal};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::net::Ipv4Addr;

/// All instances of the account.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct State {
    /// By `es-cn-…` id.
    pub(crate) instances: BTreeMap<String, Instance>,
}

/// One instance.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Instance {
    pub(crate) region: String,
    pub(crate) vpc: String,
    pub(crate) vswitch: String,
    pub(crate) zone: String,
    pub(crate) version: String,
    pub(crate) arch_type: String,
    pub(crate) category: String,
    pub(crate) description: String,
    /// Private addresses that its domain leads to.
    pub(crate) addresses: Vec<Ipv4Addr>,
    pub(crate) public_network: bool,
    /// Is the public network access of its Kibana on?
    #[serde(default = "yes")]
    pub(crate) kibana_public: bool,
    pub(crate) groups: Vec<AllowGroup>,
    /// `active`, `activating`, `inactive`, `invalid`.
    pub(crate) course: Course,
    pub(crate) since_ms: u64,
    pub(crate) updated_ms: u64,
    pub(crate) tags: Tags,
}

/// The access is on in a new instance, and was in worlds that did not know of it.
fn yes() -> bool {
    true
}

/// One group of addresses that may connect.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct AllowGroup {
    pub(crate) name: String,
    /// `PRIVATE_ES`, `PUBLIC_ES`, `PRIVATE_KIBANA`, `PUBLIC_KIBANA`.
    pub(crate) kind: String,
    pub(crate) ips: Vec<String>,
    pub(crate) since_ms: u64,
}

impl Instance {
    /// The addresses of one kind, all groups together or one.
    pub(crate) fn allowed<'a>(
        &'a self,
        kind: &'a str,
        group: Option<&'a str>,
    ) -> impl Iterator<Item = &'a String> {
        self.groups
            .iter()
            .filter(move |g| g.kind == kind && group.is_none_or(|n| n == g.name))
            .flat_map(|g| &g.ips)
    }
}

impl State {
    /// The instance that the call's path names.
    pub(crate) fn of<'a>(&self, call: &'a Call) -> Result<(&'a str, &Instance), Refusal> {
        let id = call.path.get("InstanceId").map_or("", String::as_str);
        let found = self.instances.get(id).ok_or_else(no_instance)?;
        Ok((id, found))
    }

    pub(crate) fn get_mut(&mut self, id: &str) -> Result<&mut Instance, Refusal> {
        self.instances.get_mut(id).ok_or_else(no_instance)
    }
}

fn no_instance() -> Refusal {
    Refusal::missing("InstanceNotFound", "The instance is not found.")
}

/// Changes are accepted by an active instance only.
pub(crate) fn accepts_changes(instance: &Instance, now_ms: u64) -> Result<(), Refusal> {
    if instance.course.status(now_ms) == "active" {
        return Ok(());
    }
    Err(Refusal::bad(
        "InstanceStatusNotSupportCurrentAction",
        "The instance status does not support the current action.",
    ))
}
