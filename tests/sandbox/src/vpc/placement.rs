//! Which vSwitches a thing puts its interfaces into: `ZoneMappings.N.ZoneId`, `.VSwitchId`.

use crate::{Call, Refusal, World};
use std::collections::BTreeSet;

/// What a product asks of the vSwitches, and the codes that it refuses with.
pub(crate) struct Placement<'a> {
    /// The VPC that all of them must lie in.
    pub(crate) vpc: &'a str,
    /// Zones in which the region has the product.
    pub(crate) offered: &'a [String],
    /// Addresses that must be free in each.
    pub(crate) free: usize,
    /// Code for a vSwitch that the VPC does not have.
    pub(crate) missing: &'static str,
    /// Code for a vSwitch in transition.
    pub(crate) not_available: &'static str,
    /// Code for a vSwitch without enough free addresses.
    pub(crate) full: &'static str,
}

impl Placement<'_> {
    /// The zones and vSwitches that a call names: one vSwitch a zone, two zones at least
    /// where the region has two.
    pub(crate) fn of(&self, world: &World, call: &Call) -> Result<Vec<(String, String)>, Refusal> {
        let mut wanted = Vec::new();
        for mapping in call.objects("ZoneMappings") {
            let (Some(zone), Some(id)) = (mapping.get("ZoneId"), mapping.get("VSwitchId")) else {
                return refused("Each zone mapping needs ZoneId and VSwitchId.".into());
            };
            self.check(world, zone, id)?;
            wanted.push((zone.clone(), id.clone()));
        }
        let distinct: BTreeSet<&String> = wanted.iter().map(|(zone, _)| zone).collect();
        if wanted.is_empty() || wanted.len() > 10 || distinct.len() != wanted.len() {
            return refused("One vSwitch a zone is needed, at most ten.".into());
        }
        if distinct.len() < self.offered.len().min(2) {
            return refused("vSwitches in at least two zones are needed.".into());
        }
        Ok(wanted)
    }

    fn check(&self, world: &World, zone: &String, id: &String) -> Result<(), Refusal> {
        if !self.offered.contains(zone) {
            return refused(format!("The zone {zone} is not supported."));
        }
        let vswitch =
            world.vpc.vswitches.get(id).filter(|s| s.vpc == self.vpc).ok_or_else(|| {
                Refusal::missing(self.missing, format!("The vSwitch {id} is not in the VPC."))
            })?;
        if vswitch.zone != *zone {
            return refused(format!("The vSwitch {id} is not in the zone {zone}."));
        }
        if vswitch.course.status(world.now_ms) != "Available" {
            return Err(Refusal::bad(self.not_available, "The vSwitch is not available."));
        }
        if vswitch.free_addresses(world.now_ms) < self.free {
            let text = format!("The vSwitch {id} has not enough idle IP addresses.");
            return Err(Refusal::bad(self.full, text));
        }
        Ok(())
    }
}

fn refused<T>(text: String) -> Result<T, Refusal> {
    Err(Refusal::bad("InvalidParameter.ZoneMappings", text))
}
