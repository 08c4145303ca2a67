//! What is read of a link.

use crate::aliyun::cbn::{PeerAttachment, RouterRoute, VpcAttachment};
use crate::aliyun::elasticsearch::{Instance, VpcEndpoint};
use crate::aliyun::nlb::{GroupHealth, Listener, LoadBalancer, Server, ServerGroup};
use crate::aliyun::privatelink::{EndpointService, ServiceResource};
use crate::aliyun::vpc::{RouteEntry, VSwitch};
use crate::elastic::RemoteSettings;
use crate::lag;
use std::collections::BTreeSet;
use std::net::Ipv4Addr;

/// What is read of a link, as far as it could be.
#[derive(Clone, Debug)]
pub struct Facts {
    /// The link's name.
    pub link: String,
    /// The alias of the leader's cluster.
    pub alias: String,
    /// Both instances.
    pub leader: Instance,
    /// The follower's.
    pub follower: Instance,
    /// Both regions: the leader's, the follower's.
    pub regions: (String, String),
    /// The bandwidth between the regions that the spec asks for, in Mbit/s.
    pub bandwidth_mbps: u64,
    /// The ports that the listener is to take, first and last, and the one that is probed.
    pub ports: (u64, u64, u64),
    /// The leader's addresses as they are now; or why nobody can tell.
    pub addresses: Result<BTreeSet<Ipv4Addr>, String>,
    /// The addresses that the spec names.
    pub named: BTreeSet<Ipv4Addr>,
    /// The alias and its connection; or why the follower could not be asked.
    pub remote: Result<Remote, String>,
    /// The private connection that the alias leads to, or the link's.
    pub endpoint: Option<VpcEndpoint>,
    /// The service that it leads to, with its resources.
    pub service: Option<(EndpointService, Vec<ServiceResource>)>,
    /// The load balancer behind it.
    pub balancer: Option<Balancer>,
    /// Whether both instances are in one VPC, so that there is no way to look at.
    pub one_vpc: bool,
    /// The ways between the VPCs: one for each CEN that both hang on.
    pub networks: Vec<Network>,
    /// What is wrong with followers; or why nobody can tell.
    pub followers: Result<Vec<lag::Finding>, String>,
}

/// The alias, as the follower's cluster has it.
#[derive(Clone, Debug, Default)]
pub struct Remote {
    /// Its settings.
    pub settings: RemoteSettings,
    /// Did every answer say that it is connected?
    pub connected: bool,
    /// Why it is not, as Elasticsearch puts it.
    pub cause: Option<String>,
    /// The versions that the clusters say themselves: leader's, follower's.
    pub versions: Option<(String, String)>,
}

/// The load balancer and what hangs on it.
#[derive(Clone, Debug)]
pub struct Balancer {
    /// The load balancer.
    pub nlb: LoadBalancer,
    /// Its vSwitches.
    pub vswitches: Vec<VSwitch>,
    /// Its listeners.
    pub listeners: Vec<Listener>,
    /// The group of the listener that is meant.
    pub group: Option<ServerGroup>,
    /// The servers in it.
    pub servers: Vec<Server>,
    /// How it is.
    pub health: Option<GroupHealth>,
}

/// The way between the two VPCs.
#[derive(Clone, Debug, Default)]
pub struct Network {
    /// The CEN that both VPCs hang on.
    pub cen: String,
    /// The link between the regions; not asked for within one region.
    pub peer: Option<PeerAttachment>,
    /// The leader's end.
    pub leader: End,
    /// The follower's end.
    pub follower: End,
}

/// One end of the way.
#[derive(Clone, Debug, Default)]
pub struct End {
    /// The transit router, if there is one.
    pub transit_router: Option<String>,
    /// The VPC's attachment, if there is one.
    pub attachment: Option<VpcAttachment>,
    /// Attachments that a route table of the transit router routes for.
    pub associated: BTreeSet<String>,
    /// The transit router's routes.
    pub routes: Vec<RouterRoute>,
    /// The VPC's routes.
    pub vpc_routes: Vec<RouteEntry>,
}
