//! VPCs, vSwitches and VPC route tables (Vpc 2016-04-28): state shared by all products.

use crate::Course;
use ipnet::Ipv4Net;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::net::Ipv4Addr;

/// All VPCs of the account.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct State {
    /// By `vpc-…` id.
    pub vpcs: BTreeMap<String, Vpc>,
    /// By `vsw-…` id.
    pub vswitches: BTreeMap<String, VSwitch>,
    /// By `vtb-…` id.
    pub route_tables: BTreeMap<String, RouteTable>,
}

/// One virtual private cloud.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Vpc {
    /// Region id.
    pub region: String,
    /// Name.
    pub name: String,
    /// Primary block.
    pub cidr: Ipv4Net,
    /// Secondary blocks.
    pub secondary: Vec<Ipv4Net>,
    /// User blocks.
    pub user: Vec<Ipv4Net>,
    /// The system route table.
    pub system_route_table: String,
    /// Since when.
    pub since_ms: u64,
    /// Tags.
    pub tags: BTreeMap<String, String>,
}

/// One vSwitch.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct VSwitch {
    /// The VPC it lies in.
    pub vpc: String,
    /// Region id.
    pub region: String,
    /// Zone id.
    pub zone: String,
    /// Name.
    pub name: String,
    /// Its block.
    pub cidr: Ipv4Net,
    /// The route table it uses.
    pub route_table: String,
    /// Addresses in use: address to the id of the owner (an attachment, an NLB, an instance).
    pub used: BTreeMap<Ipv4Addr, String>,
    /// Addresses that lag behind after their owner was deleted: free again at the moment named.
    pub lagging: BTreeMap<Ipv4Addr, u64>,
    /// `Pending`, `Available`.
    pub course: Course,
    /// Since when.
    pub since_ms: u64,
    /// Tags.
    pub tags: BTreeMap<String, String>,
}

/// One route table of a VPC.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RouteTable {
    /// The VPC it belongs to.
    pub vpc: String,
    /// Region id.
    pub region: String,
    /// `System` or `Custom`.
    pub kind: String,
    /// By destination.
    pub entries: BTreeMap<Ipv4Net, RouteEntry>,
}

/// One row of a route table.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RouteEntry {
    /// `rte-…` id.
    pub id: String,
    /// Name.
    pub name: String,
    /// `System`, `Custom`, or `CEN` for a row that a transit router published.
    pub kind: String,
    /// `local`, `Attachment`, …
    pub next_hop_kind: String,
    /// Id of the next hop: a `tr-attach-…` id for `Attachment`.
    pub next_hop: String,
    /// `Pending`, `Available`, `Deleting`.
    pub course: Course,
    /// Since when.
    pub since_ms: u64,
}

impl VSwitch {
    /// Addresses that can still be taken: the first three and the last of a block are reserved.
    pub fn free_addresses(&self, now_ms: u64) -> usize {
        let lagging = self.lagging.values().filter(|until| now_ms < **until).count();
        let hosts =
            2_usize.saturating_pow(u32::from(32 - self.cidr.prefix_len())).saturating_sub(4);
        hosts.saturating_sub(self.used.len() + lagging)
    }

    /// Takes one free address for `owner`.
    pub fn take_address(&mut self, owner: &str, now_ms: u64) -> Option<Ipv4Addr> {
        self.lagging.retain(|_, until| now_ms < *until);
        let first = u32::from(self.cidr.network()) + 3;
        let last = u32::from(self.cidr.broadcast()).saturating_sub(1);
        let address = (first..last)
            .map(Ipv4Addr::from)
            .find(|a| !self.used.contains_key(a) && !self.lagging.contains_key(a))?;
        self.used.insert(address, owner.to_owned());
        Some(address)
    }

    /// Gives back all addresses of `owner`; they lag behind until `until_ms`.
    pub fn release(&mut self, owner: &str, until_ms: u64) {
        let freed: Vec<Ipv4Addr> =
            self.used.iter().filter(|(_, o)| *o == owner).map(|(a, _)| *a).collect();
        for address in freed {
            self.used.remove(&address);
            self.lagging.insert(address, until_ms);
        }
    }
}

impl Vpc {
    /// Primary and secondary blocks.
    pub fn blocks(&self) -> impl Iterator<Item = Ipv4Net> + '_ {
        std::iter::once(self.cidr).chain(self.secondary.iter().copied())
    }
}
