//! Which nodes start to cost, and by which unit: a table. What a unit costs stands in the spec.
//!
//! Source: the vendor's billing pages of Cloud Enterprise Network and Cloud Data Transfer,
//! Network Load Balancer and `PrivateLink`. Hours are billed from making to deleting, and a
//! part of an hour as a whole one.

use crate::nodes::step1_network::{PeerAttachment, VpcAttachment};
use crate::nodes::step3_load_balancer::LoadBalancer;
use crate::nodes::step4_private_link::PrivateConnection;
use crate::side::{Follower, Leader};
use crate::spec::{BandwidthType, Payer, Price, PricesSpec, Spec};
use escrr_engine::{NodeId, Step as _};

/// Hours of the month that monthly sums are for: thirty days.
pub const HOURS_A_MONTH: u64 = 720;

/// What something is billed by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Every hour that it is there, used or not.
    Hour,
    /// The data that flows.
    Gb,
    /// Load balancer capacity units, for each hour.
    LcuHour,
}

impl Unit {
    /// The name as it is shown.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Hour => "hour",
            Self::Gb => "GB",
            Self::LcuHour => "LCU-hour",
        }
    }
}

/// One item of the vendor's price lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tariff {
    /// A connection to a transit router.
    TransitRouterConnection,
    /// Data that enters a transit router from a VPC.
    TransitRouterData,
    /// Data between the regions.
    InterRegionData,
    /// A network load balancer.
    LoadBalancer,
    /// Its capacity units.
    LoadBalancerCapacity,
    /// An endpoint in one zone.
    EndpointZone,
    /// Data through an endpoint.
    EndpointData,
}

impl Tariff {
    /// Every item there is.
    pub const ALL: [Self; 7] = [
        Self::TransitRouterConnection,
        Self::TransitRouterData,
        Self::InterRegionData,
        Self::LoadBalancer,
        Self::LoadBalancerCapacity,
        Self::EndpointZone,
        Self::EndpointData,
    ];

    /// Its key in the spec's `[prices]`.
    pub const fn key(self) -> &'static str {
        match self {
            Self::TransitRouterConnection => "transit_router_connection_hour",
            Self::TransitRouterData => "transit_router_data_gb",
            Self::InterRegionData => "inter_region_data_gb",
            Self::LoadBalancer => "load_balancer_hour",
            Self::LoadBalancerCapacity => "load_balancer_lcu_hour",
            Self::EndpointZone => "endpoint_zone_hour",
            Self::EndpointData => "endpoint_data_gb",
        }
    }

    /// What is billed, for people.
    pub const fn title(self) -> &'static str {
        match self {
            Self::TransitRouterConnection => "transit router connection",
            Self::TransitRouterData => "data into the transit router",
            Self::InterRegionData => "data between the regions",
            Self::LoadBalancer => "load balancer",
            Self::LoadBalancerCapacity => "its capacity units",
            Self::EndpointZone => "endpoint in one zone",
            Self::EndpointData => "data through the endpoint",
        }
    }

    /// What it is billed by.
    pub const fn unit(self) -> Unit {
        match self {
            Self::TransitRouterConnection | Self::LoadBalancer | Self::EndpointZone => Unit::Hour,
            Self::TransitRouterData | Self::InterRegionData | Self::EndpointData => Unit::Gb,
            Self::LoadBalancerCapacity => Unit::LcuHour,
        }
    }

    /// Its price, where the spec names one.
    pub const fn price(self, prices: &PricesSpec) -> Option<Price> {
        match self {
            Self::TransitRouterConnection => prices.transit_router_connection_hour,
            Self::TransitRouterData => prices.transit_router_data_gb,
            Self::InterRegionData => prices.inter_region_data_gb,
            Self::LoadBalancer => prices.load_balancer_hour,
            Self::LoadBalancerCapacity => prices.load_balancer_lcu_hour,
            Self::EndpointZone => prices.endpoint_zone_hour,
            Self::EndpointData => prices.endpoint_data_gb,
        }
    }
}

/// One thing that is billed from the moment on in which a node makes what it stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Charge {
    /// The node.
    pub node: NodeId,
    /// What is billed.
    pub tariff: Tariff,
}

const fn charge(node: NodeId, tariff: Tariff) -> Charge {
    Charge { node, tariff }
}

/// Every node that starts to cost. A CEN, transit routers without a connection, server groups
/// and endpoint services without an endpoint cost nothing.
const TABLE: [Charge; 9] = [
    charge(VpcAttachment::<Leader>::ID, Tariff::TransitRouterConnection),
    charge(VpcAttachment::<Leader>::ID, Tariff::TransitRouterData),
    charge(VpcAttachment::<Follower>::ID, Tariff::TransitRouterConnection),
    charge(VpcAttachment::<Follower>::ID, Tariff::TransitRouterData),
    charge(PeerAttachment::ID, Tariff::InterRegionData),
    charge(LoadBalancer::ID, Tariff::LoadBalancer),
    charge(LoadBalancer::ID, Tariff::LoadBalancerCapacity),
    // The private connection is made in one zone.
    charge(PrivateConnection::ID, Tariff::EndpointZone),
    charge(PrivateConnection::ID, Tariff::EndpointData),
];

/// What is billed for the link of a spec, in the order of the nodes.
pub fn charges(spec: &Spec) -> Vec<Charge> {
    let package = spec.network.bandwidth_type == BandwidthType::BandwidthPackage;
    let paid = |charge: &Charge| charge.tariff == Tariff::InterRegionData && package;
    TABLE.into_iter().filter(|charge| !paid(charge)).collect()
}

/// What has to be known of the charges of one node beyond their prices.
pub fn remark(node: NodeId, spec: &Spec) -> Option<String> {
    if node == PrivateConnection::ID {
        return Some(match spec.private_link.payer {
            Payer::Endpoint => "the endpoint is billed to its owner, which is the Elasticsearch \
                service; the vendor does not say whether it passes that on"
                .to_owned(),
            Payer::EndpointService => {
                "the endpoint is billed to the owner of its service, which is this account"
                    .to_owned()
            }
        });
    }
    let package = spec.network.bandwidth_package_id.as_ref()?;
    (node == PeerAttachment::ID)
        .then(|| format!("data between the regions is paid with the bandwidth package {package}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::catalog;
    use crate::spec::defaults;

    #[test]
    fn the_table_and_the_nodes_say_the_same() {
        let list = catalog().unwrap();
        for about in list.about() {
            let billed = TABLE.iter().any(|charge| charge.node == about.id);
            assert_eq!(about.cost.is_some(), billed, "{}", about.id);
        }
        let order = TABLE.map(|charge| list.position(charge.node));
        assert!(order.iter().all(Option::is_some) && order.is_sorted());
    }

    #[test]
    fn every_tariff_has_a_key_of_its_own_in_the_spec_and_is_billed_somewhere() {
        let spec = defaults::SANDBOX;
        for (at, tariff) in Tariff::ALL.into_iter().enumerate() {
            let price = format!("0.0{}", at + 1);
            let text = format!("{spec}[prices]\n{} = {price}\n", tariff.key());
            let prices = Spec::parse(&text, "t").unwrap().prices;
            assert_eq!(tariff.price(&prices), Price::parse(&price));
            let others = Tariff::ALL.into_iter().filter(|other| *other != tariff);
            assert_eq!(others.filter_map(|other| other.price(&prices)).count(), 0);
            assert!(TABLE.iter().any(|charge| charge.tariff == tariff), "{tariff:?}");
            let unit = tariff.unit().name().to_lowercase().replace('-', "_");
            assert!(tariff.key().ends_with(&unit), "{tariff:?}");
        }
    }

    #[test]
    fn a_bandwidth_package_is_paid_already() {
        let package = "[network]\nbandwidth_type = \"bandwidth-package\"\n\
                       bandwidth_package_id = \"cenbwp-1\"\n";
        let spec = Spec::parse(&format!("{}{package}", defaults::SANDBOX), "t").unwrap();
        assert!(charges(&spec).iter().all(|charge| charge.tariff != Tariff::InterRegionData));
        assert!(remark(PeerAttachment::ID, &spec).unwrap().contains("cenbwp-1"));
        assert_eq!(charges(&defaults::sandbox().unwrap()).len(), TABLE.len());
    }
}
