//! What the product holds, and the refusals that all its calls share.

use crate::tagging::Tags;
use crate::{Course, Refusal};
use ipnet::Ipv4Net;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;

/// All networks of the account, and what is in them.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct State {
    /// By `cen-…` id.
    pub(crate) cens: BTreeMap<String, Cen>,
    /// By `tr-…` id.
    pub(crate) routers: BTreeMap<String, Router>,
    /// By `tr-attach-…` id.
    pub(crate) vpc_attachments: BTreeMap<String, VpcAttachment>,
    /// By `tr-attach-…` id.
    pub(crate) peer_attachments: BTreeMap<String, PeerAttachment>,
    /// By `vtb-…` id.
    pub(crate) tables: BTreeMap<String, Table>,
    /// By `cenbwp-…` id.
    pub(crate) plans: BTreeMap<String, Plan>,
}

/// One cloud enterprise network.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Cen {
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) course: Course,
    pub(crate) since_ms: u64,
    pub(crate) tags: Tags,
}

/// One transit router.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Router {
    pub(crate) cen: String,
    pub(crate) region: String,
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) course: Course,
    pub(crate) since_ms: u64,
    pub(crate) tags: Tags,
}

/// One vSwitch of an attachment and the interface in it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct ZoneMapping {
    pub(crate) zone: String,
    pub(crate) vswitch: String,
    pub(crate) interface: String,
    pub(crate) address: Ipv4Addr,
}

/// One VPC on a transit router.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct VpcAttachment {
    pub(crate) cen: String,
    pub(crate) router: String,
    pub(crate) region: String,
    pub(crate) vpc: String,
    pub(crate) zones: Vec<ZoneMapping>,
    pub(crate) auto_publish: bool,
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) course: Course,
    pub(crate) since_ms: u64,
    pub(crate) tags: Tags,
}

/// One link between two transit routers.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct PeerAttachment {
    pub(crate) cen: String,
    pub(crate) router: String,
    pub(crate) region: String,
    pub(crate) peer_router: String,
    pub(crate) peer_region: String,
    /// Mbit/s; 0 is the test bandwidth of 1 kbit/s.
    pub(crate) bandwidth: u32,
    pub(crate) bandwidth_type: String,
    pub(crate) plan: String,
    /// `Gold` or `Platinum`.
    #[serde(default = "gold")]
    pub(crate) link_type: String,
    pub(crate) auto_publish: bool,
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) course: Course,
    pub(crate) since_ms: u64,
    pub(crate) tags: Tags,
}

/// What lines are of that say nothing else.
pub(crate) fn gold() -> String {
    "Gold".to_owned()
}

/// One route table of a transit router.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Table {
    pub(crate) router: String,
    /// `System` or `Custom`.
    pub(crate) kind: String,
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) course: Course,
    pub(crate) since_ms: u64,
    pub(crate) tags: Tags,
    /// By attachment id.
    pub(crate) associations: BTreeMap<String, Link>,
    /// By attachment id.
    pub(crate) propagations: BTreeMap<String, Link>,
    pub(crate) statics: BTreeMap<Ipv4Net, StaticRoute>,
}

/// One association or propagation.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Link {
    pub(crate) course: Course,
    pub(crate) since_ms: u64,
}

/// One route that was made by hand.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct StaticRoute {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) description: String,
    /// Attachment id; empty for a black hole.
    pub(crate) next_hop: String,
    pub(crate) course: Course,
    pub(crate) since_ms: u64,
}

/// One bandwidth plan.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Plan {
    pub(crate) name: String,
    pub(crate) description: String,
    /// Mbit/s.
    pub(crate) bandwidth: u32,
    pub(crate) areas: (String, String),
    pub(crate) charge_type: String,
    pub(crate) cens: BTreeSet<String>,
    pub(crate) since_ms: u64,
    pub(crate) tags: Tags,
}

/// Something in transition refuses writes; something that is being deleted says so.
pub(crate) fn at_rest(course: &Course, now_ms: u64) -> Result<(), Refusal> {
    match course.status(now_ms) {
        _ if !course.in_motion(now_ms) => Ok(()),
        "Deleting" => Err(Refusal::bad(
            "IncorrectStatus.Status",
            "The status of the resource does not support this operation.",
        )),
        _ => Err(blocking()),
    }
}

pub(crate) fn blocking() -> Refusal {
    Refusal::bad("Operation.Blocking", "The operation is blocked. Please try again later.")
}

impl State {
    pub(crate) fn cen(&self, id: &str) -> Result<&Cen, Refusal> {
        self.cens.get(id).ok_or_else(|| {
            Refusal::bad("ParameterCenInstanceId", "The specified CEN instance ID is illegal.")
        })
    }

    pub(crate) fn router(&self, id: &str) -> Result<&Router, Refusal> {
        self.routers.get(id).ok_or_else(|| {
            Refusal::missing(
                "InvalidTransitRouterId.NotFound",
                "The specified TransitRouterId is not found.",
            )
        })
    }

    pub(crate) fn table(&self, id: &str) -> Result<&Table, Refusal> {
        self.tables.get(id).ok_or_else(no_table)
    }

    pub(crate) fn table_mut(&mut self, id: &str) -> Result<&mut Table, Refusal> {
        self.tables.get_mut(id).ok_or_else(no_table)
    }

    /// The transit router of a CEN in a region.
    pub(crate) fn router_in(&self, cen: &str, region: &str) -> Option<(&String, &Router)> {
        self.routers.iter().find(|(_, r)| r.cen == cen && r.region == region)
    }

    /// The course of an attachment of either kind, if it is on the router.
    pub(crate) fn attachment_on(&self, id: &str, router: &str) -> Option<&Course> {
        let vpc = self.vpc_attachments.get(id).filter(|a| a.router == router).map(|a| &a.course);
        let peer = || {
            self.peer_attachments
                .get(id)
                .filter(|a| a.router == router || a.peer_router == router)
                .map(|a| &a.course)
        };
        vpc.or_else(peer)
    }

    /// All associations and propagations of an attachment, with their tables.
    pub(crate) fn links_of<'a>(
        &'a self,
        attachment: &'a str,
    ) -> impl Iterator<Item = (&'a str, &'a Link)> {
        self.tables.iter().flat_map(move |(id, table)| {
            let both = [table.associations.get(attachment), table.propagations.get(attachment)];
            both.into_iter().flatten().map(move |link| (id.as_str(), link))
        })
    }

    /// Do static routes point to the attachment?
    pub(crate) fn routed(&self, attachment: &str) -> bool {
        self.tables.values().any(|t| t.statics.values().any(|s| s.next_hop == attachment))
    }

    /// The table of `router` that `attachment` forwards by.
    pub(crate) fn forwards_by(
        &self,
        attachment: &str,
        router: &str,
        now_ms: u64,
    ) -> Option<&String> {
        self.tables
            .iter()
            .find(|(_, t)| {
                t.router == router
                    && t.associations
                        .get(attachment)
                        .is_some_and(|l| l.course.status(now_ms) == "Active")
            })
            .map(|(id, _)| id)
    }
}

fn no_table() -> Refusal {
    Refusal::missing(
        "InvalidTransitRouterRouteTableId.NotFound",
        "The specified TransitRouterRouteTableId is not found.",
    )
}

pub(crate) fn no_attachment() -> Refusal {
    Refusal::missing(
        "InvalidTransitRouterAttachmentId.NotFound",
        "The specified TransitRouterAttachmentId is not found.",
    )
}
