//! The zone solver: one choice of zones and vSwitches for the transit routers, the load
//! balancer, the endpoint service and the private connection together.

use ipnet::{IpNet, Ipv4Net};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Free addresses that a transit router takes of a vSwitch.
pub const ROUTER_ADDRESSES: u64 = 1;
/// Free addresses that a network load balancer wants in a vSwitch.
pub const BALANCER_ADDRESSES: u64 = 8;
/// The block of a vSwitch that is made: twelve usable addresses.
const NEW_PREFIX: u8 = 28;
/// How many zones are chosen where the region has as many.
const WANTED: usize = 2;

/// A vSwitch that is there already.
#[derive(Clone, Debug)]
pub struct Existing {
    /// Its id.
    pub id: String,
    /// Its zone.
    pub zone: String,
    /// Its block.
    pub cidr: Ipv4Net,
    /// Addresses that can still be taken.
    pub free: u64,
    /// Does it use the VPC's system route table?
    pub system_table: bool,
    /// The network ACL that guards it.
    pub network_acl: Option<String>,
}

/// One side's layout.
#[derive(Clone, Debug, Default)]
pub struct Layout {
    /// The VPC's id, for messages.
    pub vpc: String,
    /// Its region, for messages.
    pub region: String,
    /// Zones that every product needed on this side has.
    pub zones: BTreeSet<String>,
    /// What `zones` is made of, for messages: `transit routers, NLB and PrivateLink`.
    pub products: String,
    /// vSwitches of the VPC.
    pub vswitches: Vec<Existing>,
    /// vSwitches that the spec asks for and that lie in another VPC: id to VPC.
    pub elsewhere: BTreeMap<String, String>,
    /// Blocks that other links have chosen for vSwitches that may not be there yet.
    pub reserved: Vec<Ipv4Net>,
    /// The VPC's blocks.
    pub blocks: Vec<Ipv4Net>,
    /// Free addresses that a vSwitch must have.
    pub addresses: u64,
    /// Zones that the spec asks for; empty: any.
    pub asked_zones: Vec<String>,
    /// vSwitches that the spec asks for; all of them are used.
    pub asked_vswitches: Vec<String>,
    /// What was chosen before for this link: its own things may have filled these vSwitches.
    pub earlier: Vec<Choice>,
    /// The zone that is liked best: the instance's own.
    pub home: String,
    /// May vSwitches be made?
    pub may_create: bool,
}

/// One chosen zone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Choice {
    /// The zone.
    pub zone: String,
    /// The vSwitch to use; absent: one has to be made.
    pub vswitch: Option<String>,
    /// Its block.
    pub cidr: Ipv4Net,
}

/// Says of every vSwitch that the spec names, and that cannot be used, why.
pub fn unfit(layout: &Layout) -> Vec<String> {
    let mut used: BTreeMap<&str, &str> = BTreeMap::new();
    let mut problems = Vec::new();
    for id in &layout.asked_vswitches {
        let mut why = Vec::new();
        if let Some(vswitch) = layout.vswitches.iter().find(|v| v.id == *id) {
            why.extend(wrong_zone(layout, &vswitch.zone));
            why.extend(lacks(layout, vswitch).map(|why| format!("it {why}")));
            if let Some(other) = used.insert(&vswitch.zone, id) {
                why.push(format!("{other} lies in {} too, and each zone has one", vswitch.zone));
            }
        } else if let Some(vpc) = layout.elsewhere.get(id) {
            why.push(format!("it lies in {vpc}, not in {}", layout.vpc));
        } else {
            why.push(format!("there is no such vSwitch in {}", layout.region));
        }
        if !why.is_empty() {
            problems.push(format!("the spec names {id}, but {}", why.join(", and ")));
        }
    }
    problems
}

/// Why a vSwitch cannot be used for the zone that it lies in.
fn wrong_zone(layout: &Layout, zone: &str) -> Option<String> {
    if !layout.zones.contains(zone) {
        return Some(format!("it lies in {zone}, which does not have {}", layout.products));
    }
    let named = layout.asked_zones.is_empty() || layout.asked_zones.iter().any(|z| z == zone);
    (!named)
        .then(|| format!("it lies in {zone}, which is not one of the zones that the spec names"))
}

/// Why a vSwitch is no use, if it is not.
fn lacks(layout: &Layout, vswitch: &Existing) -> Option<String> {
    if !vswitch.system_table {
        return Some("uses a custom route table".to_owned());
    }
    let enough = vswitch.free >= layout.addresses || chosen_before(layout, vswitch).is_some();
    (!enough).then(|| {
        let (free, needed) = (vswitch.free, layout.addresses);
        let addresses = if free == 1 { "address" } else { "addresses" };
        format!("has {free} free {addresses} of {needed} needed")
    })
}

/// The earlier choice of this vSwitch.
fn chosen_before<'a>(layout: &'a Layout, vswitch: &Existing) -> Option<&'a Choice> {
    layout.earlier.iter().find(|c| c.zone == vswitch.zone && c.cidr == vswitch.cidr)
}

/// The zones that may be chosen, or why the spec's are wrong.
fn candidates(layout: &Layout) -> Result<BTreeSet<&String>, String> {
    if layout.asked_zones.is_empty() {
        return Ok(layout.zones.iter().collect());
    }
    let asked: BTreeSet<&String> = layout.asked_zones.iter().collect();
    let bad: Vec<&str> =
        asked.iter().filter(|z| !layout.zones.contains(**z)).map(|z| z.as_str()).collect();
    if bad.is_empty() {
        return Ok(asked);
    }
    let have: Vec<&str> = layout.zones.iter().map(String::as_str).collect();
    let (zones, have_not) = match bad.as_slice() {
        [_] => ("zone", "does not"),
        _ => ("zones", "do not"),
    };
    Err(format!(
        "{zones} {} {have_not} have {}; these do: {}",
        bad.join(", "),
        layout.products,
        have.join(", ")
    ))
}

/// Chooses zones on one side, or says exactly why it cannot.
///
/// A vSwitch that the spec names and that is [`unfit`] is passed over: that is said there.
pub fn solve(layout: &Layout) -> Result<Vec<Choice>, String> {
    let least = WANTED.min(layout.zones.len());
    if least == 0 {
        return Err(format!("no zone of this region has {}", layout.products));
    }
    let zones = candidates(layout)?;
    if zones.len() < least {
        let is = if zones.len() == 1 { "zone" } else { "zones" };
        return Err(format!("the spec names {} {is}, and {least} are needed", zones.len()));
    }
    let mut ranked: Vec<(u8, &String, Option<&Existing>)> = zones
        .into_iter()
        .map(|zone| {
            let best = best_vswitch(layout, zone);
            (rank(layout, zone, best), zone, best)
        })
        .collect();
    ranked.sort_by_key(|(rank, zone, _)| (*rank, (*zone).clone()));
    let named = ranked.iter().filter(|(rank, ..)| *rank == ASKED).count();
    let wanted = least.max(named);
    let mut taken: Vec<Ipv4Net> = layout.vswitches.iter().map(|v| v.cidr).collect();
    taken.extend(&layout.reserved);
    let mut chosen = Vec::new();
    let mut reasons = Vec::new();
    for (_, zone, best) in ranked {
        if chosen.len() == wanted {
            break;
        }
        match choose(layout, zone, best, &taken) {
            Ok(choice) => {
                taken.push(choice.cidr);
                chosen.push(choice);
            }
            Err(why) => reasons.push(why),
        }
    }
    if chosen.len() < wanted {
        return Err(format!(
            "only {} of {wanted} zones can be used: {}",
            chosen.len(),
            reasons.join("; ")
        ));
    }
    Ok(chosen)
}

fn asked(layout: &Layout, vswitch: &Existing) -> bool {
    layout.asked_vswitches.contains(&vswitch.id)
}

/// The vSwitch to use in a zone: one that the spec asks for, else the one that was chosen before,
/// else the one with most room.
fn best_vswitch<'a>(layout: &'a Layout, zone: &str) -> Option<&'a Existing> {
    let here = layout.vswitches.iter().filter(|v| v.zone == zone && lacks(layout, v).is_none());
    here.max_by_key(|v| {
        let before = chosen_before(layout, v).is_some();
        (asked(layout, v), before, v.free, std::cmp::Reverse(v.id.clone()))
    })
}

/// The rank of a zone whose vSwitch the spec asks for.
const ASKED: u8 = 0;

/// Smaller is better: asked for, then chosen before, then the instance's own zone, then nothing
/// to make.
fn rank(layout: &Layout, zone: &str, best: Option<&Existing>) -> u8 {
    match best {
        Some(vswitch) if asked(layout, vswitch) => ASKED,
        Some(vswitch) if chosen_before(layout, vswitch).is_some() => 1,
        Some(_) if zone == layout.home => 2,
        Some(_) => 3,
        None if zone == layout.home => 4,
        None => 5,
    }
}

fn choose(
    layout: &Layout,
    zone: &str,
    best: Option<&Existing>,
    taken: &[Ipv4Net],
) -> Result<Choice, String> {
    if let Some(vswitch) = best {
        // What was made for this link is still to be found as its own.
        let before = chosen_before(layout, vswitch).filter(|_| !asked(layout, vswitch));
        let (zone, cidr) = (zone.to_owned(), vswitch.cidr);
        let now = || Choice { zone, vswitch: Some(vswitch.id.clone()), cidr };
        return Ok(before.cloned().unwrap_or_else(now));
    }
    let why = unsuitable(layout, zone);
    if !layout.may_create {
        return Err(format!("{why}, and the spec forbids making one (create_vswitches = false)"));
    }
    let cidr = free_block(&layout.blocks, taken)
        .ok_or_else(|| format!("{why}, and the VPC has no free /{NEW_PREFIX} for a new one"))?;
    Ok(Choice { zone: zone.to_owned(), vswitch: None, cidr })
}

fn unsuitable(layout: &Layout, zone: &str) -> String {
    let here = layout.vswitches.iter().filter(|v| v.zone == zone);
    let reason = |v: &Existing| lacks(layout, v).map(|why| format!("{} {why}", v.id));
    let reasons: Vec<String> = here.filter_map(reason).collect();
    if reasons.is_empty() {
        return format!("{zone} has no vSwitch");
    }
    format!("{zone} has no suitable vSwitch ({})", reasons.join(", "))
}

/// The highest free block: plans made by people mostly count upwards from the lowest.
pub(crate) fn free_block(blocks: &[Ipv4Net], taken: &[Ipv4Net]) -> Option<Ipv4Net> {
    blocks.iter().find_map(|block| {
        let size = 1_u32 << (32 - NEW_PREFIX);
        let mut end = u32::from(block.broadcast());
        loop {
            // A vSwitch may be smaller than a new one: below it, only a whole block counts.
            let start = end.checked_sub(size - 1)? & !(size - 1);
            let candidate = Ipv4Net::new(start.into(), NEW_PREFIX).ok()?;
            if !block.contains(&candidate) {
                return None;
            }
            match taken.iter().find(|t| overlap(t, &candidate)) {
                None => return Some(candidate),
                // Jump below the block in the way: a large VPC is not walked step by step.
                Some(t) => end = u32::from(t.network()).min(start).checked_sub(1)?,
            }
        }
    })
}

/// Do two blocks share an address?
pub fn overlap(a: &Ipv4Net, b: &Ipv4Net) -> bool {
    let (a, b) = (IpNet::V4(*a), IpNet::V4(*b));
    a.contains(&b) || b.contains(&a)
}

#[cfg(test)]
mod tests;
