//! How long operations take, in seconds of the world's time.
//!
//! The figures are the usual times that operators and the Terraform provider's
//! time-outs suggest; a world file may set others under `[durations]`.

use std::collections::BTreeMap;

/// Name and seconds.
pub const DEFAULTS: &[(&str, f64)] = &[
    ("Cbn.CreateCen", 4.0),
    ("Cbn.DeleteCen", 4.0),
    ("Cbn.CreateTransitRouter", 25.0),
    ("Cbn.DeleteTransitRouter", 20.0),
    ("Cbn.CreateTransitRouterVpcAttachment", 180.0),
    ("Cbn.DeleteTransitRouterVpcAttachment", 90.0),
    ("Cbn.CreateTransitRouterPeerAttachment", 60.0),
    ("Cbn.DeleteTransitRouterPeerAttachment", 40.0),
    ("Cbn.AssociateTransitRouterAttachmentWithRouteTable", 12.0),
    ("Cbn.DissociateTransitRouterAttachmentFromRouteTable", 10.0),
    ("Cbn.EnableTransitRouterRouteTablePropagation", 12.0),
    ("Cbn.DisableTransitRouterRouteTablePropagation", 10.0),
    ("Cbn.PublishRoute", 8.0),
    ("Cbn.UpdateTransitRouterVpcAttachmentAttribute", 5.0),
    ("Cbn.UpdateTransitRouterPeerAttachmentAttribute", 5.0),
    ("Cbn.CreateTransitRouterRouteTable", 5.0),
    ("Cbn.DeleteTransitRouterRouteTable", 5.0),
    ("Cbn.CreateTransitRouterRouteEntry", 4.0),
    ("Cbn.DeleteTransitRouterRouteEntry", 4.0),
    ("Vpc.CreateVSwitch", 5.0),
    ("Vpc.ReleaseInterface", 30.0),
    ("Vpc.CreateRouteEntry", 4.0),
    ("Vpc.DeleteRouteEntry", 4.0),
    ("Ecs.RunCommand", 3.0),
    ("Nlb.CreateServerGroup", 4.0),
    ("Nlb.DeleteServerGroup", 3.0),
    ("Nlb.AddServersToServerGroup", 5.0),
    ("Nlb.RemoveServersFromServerGroup", 5.0),
    ("Nlb.CreateLoadBalancer", 60.0),
    ("Nlb.DeleteLoadBalancer", 35.0),
    ("Nlb.CreateListener", 10.0),
    ("Nlb.DeleteListener", 8.0),
    ("Nlb.UpdateServerGroupAttribute", 3.0),
    ("Nlb.UpdateLoadBalancerAttribute", 3.0),
    ("Nlb.UpdateListenerAttribute", 5.0),
    ("Nlb.StartListener", 5.0),
    ("Nlb.StopListener", 5.0),
    ("Nlb.HealthCheck", 20.0),
    ("PrivateLink.CreateVpcEndpointService", 15.0),
    ("PrivateLink.AttachResourceToVpcEndpointService", 10.0),
    ("PrivateLink.DetachResourceFromVpcEndpointService", 10.0),
    ("PrivateLink.DeleteVpcEndpointService", 10.0),
    ("PrivateLink.UpdateVpcEndpointServiceAttribute", 3.0),
    ("PrivateLink.EnableVpcEndpointConnection", 10.0),
    ("PrivateLink.DisableVpcEndpointConnection", 10.0),
    ("Elasticsearch.ModifyWhiteIps", 120.0),
    ("Elasticsearch.TriggerNetwork", 90.0),
    ("Elasticsearch.CreateVpcEndpoint", 60.0),
    ("Elasticsearch.DeleteVpcEndpoint", 40.0),
    ("Es.Connect", 2.0),
    ("Es.Restore", 10.0),
    ("Es.AutoFollow", 1.5),
    ("Es.Replicate", 0.4),
];

/// The durations in force.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub struct Durations(BTreeMap<String, f64>);

impl Default for Durations {
    fn default() -> Self {
        Self(DEFAULTS.iter().map(|(n, s)| ((*n).to_owned(), *s)).collect())
    }
}

impl Durations {
    /// The defaults with some set otherwise; an unknown name is given back.
    pub fn with(changes: &BTreeMap<String, f64>) -> Result<Self, String> {
        let mut all = Self::default();
        for (name, seconds) in changes {
            match all.0.get_mut(name) {
                Some(slot) if *seconds >= 0.0 => *slot = *seconds,
                _ => return Err(name.clone()),
            }
        }
        Ok(all)
    }

    /// Every operation takes the same time: for those that are stuck by order.
    pub(crate) fn all_of(seconds: f64) -> Self {
        Self(DEFAULTS.iter().map(|(name, _)| ((*name).to_owned(), seconds)).collect())
    }

    /// Milliseconds that `name` takes; 0 for a name that is not listed.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "seconds are small and not negative"
    )]
    pub fn ms(&self, name: &str) -> u64 {
        self.0.get(name).map_or(0, |s| (s * 1000.0) as u64)
    }

    /// All of them, by name, in seconds.
    pub fn all(&self) -> &BTreeMap<String, f64> {
        &self.0
    }
}
