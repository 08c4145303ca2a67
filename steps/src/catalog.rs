//! The list: one line a node, in documented order.

use crate::World;
use crate::calls::{Calls, Listing};
use crate::nodes::prerequisites::{
    ClusterGate, Compatible, Edition, Identity, Indices, Instance, License, Prerequisites,
    Services, Zones,
};
use crate::nodes::step1_network::{
    AllowList, Associate, CenInstance, PeerAttachment, PeerEnd, Propagate, Routes, Tie,
    TransitRouter, VSwitches, VpcAttachment, VpcEnd, VpcRoute,
};
use crate::nodes::step2_leader_address::PrivateIp;
use crate::nodes::step3_load_balancer::{
    Backend, BackendHealthy, Listener, LoadBalancer, ServerGroup,
};
use crate::nodes::step4_private_link::{EndpointService, PrivateConnection, PrivateLinkDomain};
use crate::nodes::step5_replication::{AutoFollow, ExistingIndices, RemoteCluster};
use crate::nodes::step6_verify::{Existing, Incremental, ProbeRemoved};
use crate::side::{Follower, Leader};
use escrr_engine::{Catalog, CatalogError, NodeId};

/// The documented steps by number; 0 is the prerequisites.
pub const PHASES: [&str; 7] = [
    "Prerequisites",
    "Connect the VPCs",
    "The leader's private address",
    "Network load balancer",
    "PrivateLink",
    "Cross-cluster replication",
    "Verify",
];

/// All nodes of the documented job.
pub fn catalog() -> Result<Catalog<World>, CatalogError> {
    list().build()
}

/// The calls of the cloud that each node makes.
pub fn declared() -> Vec<(NodeId, Calls)> {
    list().into_calls()
}

#[rustfmt::skip]
fn list() -> Listing {
    Listing::new()
        .look(Identity)
        .look(Instance(Leader))
        .look(Instance(Follower))
        .look(Edition(Leader))
        .look(Edition(Follower))
        .look(Compatible)
        .act(Services)
        .look(Zones)
        .look(ClusterGate(Leader))
        .look(ClusterGate(Follower))
        .look(License(Leader))
        .look(License(Follower))
        .look(Indices)
        .look(Prerequisites)
        .act(CenInstance)
        .act(TransitRouter(Leader))
        .act(TransitRouter(Follower))
        .act(VSwitches(Leader))
        .act(VSwitches(Follower))
        .act(VpcAttachment(Leader))
        .act(VpcAttachment(Follower))
        .act(PeerAttachment)
        .act(Tie(Leader, Associate, VpcEnd))
        .act(Tie(Leader, Propagate, VpcEnd))
        .act(Tie(Leader, Associate, PeerEnd))
        .act(Tie(Leader, Propagate, PeerEnd))
        .act(Tie(Follower, Associate, VpcEnd))
        .act(Tie(Follower, Propagate, VpcEnd))
        .act(Tie(Follower, Associate, PeerEnd))
        .act(Tie(Follower, Propagate, PeerEnd))
        .act(PrivateIp)
        .act(VpcRoute(Leader))
        .act(VpcRoute(Follower))
        .look(Routes)
        .act(AllowList)
        .act(ServerGroup)
        .act(Backend)
        .act(LoadBalancer)
        .act(Listener)
        .look(BackendHealthy)
        .act(EndpointService)
        .act(PrivateConnection)
        .look(PrivateLinkDomain)
        .act(RemoteCluster)
        .act(AutoFollow)
        .act(ExistingIndices)
        .look(Existing)
        .act(Incremental)
        .act(ProbeRemoved)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_a_graph() {
        let list = catalog().unwrap();
        assert!(list.len() > 40);
        assert!(list.about().iter().all(|a| usize::from(a.phase) < PHASES.len()));
        assert!(list.about().iter().all(|a| a.patience.usual_s <= a.patience.limit_s));
    }
}
