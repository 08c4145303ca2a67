//! The zone solver: one choice of zones and vSwitches for the transit routers, the load
//! balancer, the endpoint service and the private connection together.

use ipnet::{IpNet, Ipv4Net};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

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
}

/// One side's layout.
#[derive(Clone, Debug, Default)]
pub struct Layout {
    /// Zones that every product needed on this side has.
    pub zones: BTreeSet<String>,
    /// What `zones` is made of, for messages: `transit routers, NLB and PrivateLink`.
    pub products: String,
    /// vSwitches of the VPC.
    pub vswitches: Vec<Existing>,
    /// The VPC's blocks.
    pub blocks: Vec<Ipv4Net>,
    /// Free addresses that a vSwitch must have.
    pub addresses: u64,
    /// Zones that the spec asks for; empty: any.
    pub asked_zones: Vec<String>,
    /// vSwitches that the spec asks for; empty: any.
    pub asked_vswitches: Vec<String>,
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

/// Chooses zones on one side, or says exactly why it cannot.
pub fn solve(layout: &Layout) -> Result<Vec<Choice>, String> {
    let wanted = WANTED.min(layout.zones.len());
    if wanted == 0 {
        return Err(format!("no zone of this region has {}", layout.products));
    }
    let mut zones: Vec<&String> = layout.zones.iter().collect();
    if !layout.asked_zones.is_empty() {
        if let Some(bad) = layout.asked_zones.iter().find(|z| !layout.zones.contains(*z)) {
            let have: Vec<&str> = layout.zones.iter().map(String::as_str).collect();
            return Err(format!(
                "zone {bad} does not have {}; these do: {}",
                layout.products,
                have.join(", ")
            ));
        }
        zones = layout.asked_zones.iter().collect();
        if zones.len() < wanted {
            return Err(format!("the spec names {} zone(s), but {wanted} are needed", zones.len()));
        }
    }
    let mut ranked: Vec<(u8, &String, Option<&Existing>)> = zones
        .into_iter()
        .map(|zone| {
            let best = best_vswitch(layout, zone);
            (rank(layout, zone, best), zone, best)
        })
        .collect();
    ranked.sort_by_key(|(rank, zone, _)| (*rank, (*zone).clone()));
    let mut taken: Vec<Ipv4Net> = layout.vswitches.iter().map(|v| v.cidr).collect();
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

fn suits(layout: &Layout, vswitch: &Existing) -> bool {
    vswitch.free >= layout.addresses && vswitch.system_table
}

fn asked(layout: &Layout, vswitch: &Existing) -> bool {
    layout.asked_vswitches.contains(&vswitch.id)
}

/// The vSwitch to use in a zone: one that the spec asks for, else the one with most room.
fn best_vswitch<'a>(layout: &'a Layout, zone: &str) -> Option<&'a Existing> {
    let here = layout.vswitches.iter().filter(|v| v.zone == zone && suits(layout, v));
    here.max_by_key(|v| (asked(layout, v), v.free, std::cmp::Reverse(v.id.clone())))
}

/// Smaller is better: asked for, then the instance's own zone, then nothing to make.
fn rank(layout: &Layout, zone: &str, best: Option<&Existing>) -> u8 {
    match best {
        Some(vswitch) if asked(layout, vswitch) => 0,
        Some(_) if zone == layout.home => 1,
        Some(_) => 2,
        None if zone == layout.home => 3,
        None => 4,
    }
}

fn choose(
    layout: &Layout,
    zone: &str,
    best: Option<&Existing>,
    taken: &[Ipv4Net],
) -> Result<Choice, String> {
    if let Some(vswitch) = best {
        return Ok(Choice {
            zone: zone.to_owned(),
            vswitch: Some(vswitch.id.clone()),
            cidr: vswitch.cidr,
        });
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
    let here: Vec<&Existing> = layout.vswitches.iter().filter(|v| v.zone == zone).collect();
    if here.is_empty() {
        return format!("{zone} has no vSwitch");
    }
    let reasons: Vec<String> = here
        .iter()
        .map(|v| {
            if v.system_table {
                format!("{} has {} free addresses of {} needed", v.id, v.free, layout.addresses)
            } else {
                format!("{} uses a custom route table", v.id)
            }
        })
        .collect();
    format!("{zone} has no suitable vSwitch ({})", reasons.join(", "))
}

/// The highest free block: plans made by people mostly count upwards from the lowest.
fn free_block(blocks: &[Ipv4Net], taken: &[Ipv4Net]) -> Option<Ipv4Net> {
    blocks.iter().find_map(|block| {
        let size = 1_u32 << (32 - NEW_PREFIX);
        let mut end = u32::from(block.broadcast());
        loop {
            let start = end.checked_sub(size - 1)?;
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
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn net(text: &str) -> Ipv4Net {
        text.parse().unwrap()
    }

    fn layout() -> Layout {
        Layout {
            zones: ["h", "i", "j"].map(str::to_owned).into(),
            products: "transit routers".into(),
            vswitches: vec![Existing {
                id: "vsw-1".into(),
                zone: "h".into(),
                cidr: net("10.0.0.0/24"),
                free: 200,
                system_table: true,
            }],
            blocks: vec![net("10.0.0.0/16")],
            addresses: 9,
            home: "h".into(),
            may_create: true,
            ..Layout::default()
        }
    }

    #[test]
    fn an_existing_vswitch_is_used_and_a_missing_one_planned_at_the_top() {
        let chosen = solve(&layout()).unwrap();
        assert_eq!(chosen[0].vswitch.as_deref(), Some("vsw-1"));
        assert_eq!((chosen[1].vswitch.as_deref(), chosen[1].cidr), (None, net("10.0.255.240/28")));
    }

    #[test]
    fn every_reason_is_said() {
        let mut no_room = layout();
        no_room.blocks = vec![net("10.0.0.0/24")];
        assert!(solve(&no_room).unwrap_err().contains("no free /28"));
        let mut forbidden = layout();
        forbidden.may_create = false;
        assert!(solve(&forbidden).unwrap_err().contains("create_vswitches"));
        let mut full = layout();
        full.vswitches[0].free = 3;
        full.may_create = false;
        assert!(solve(&full).unwrap_err().contains("3 free addresses of 9"));
        let mut custom = layout();
        custom.vswitches[0].system_table = false;
        custom.may_create = false;
        assert!(solve(&custom).unwrap_err().contains("custom route table"));
        let mut wrong = layout();
        wrong.asked_zones = vec!["h".into(), "x".into()];
        assert!(solve(&wrong).unwrap_err().contains("zone x does not have transit routers"));
        let mut none = layout();
        none.zones.clear();
        assert!(solve(&none).unwrap_err().contains("no zone"));
    }

    #[test]
    fn one_zone_is_enough_where_the_region_has_one() {
        let mut single = layout();
        single.zones = BTreeSet::from(["h".to_owned()]);
        assert_eq!(solve(&single).unwrap().len(), 1);
    }

    proptest! {
        #[test]
        fn a_choice_is_valid_or_there_is_a_reason(
            zones in prop::collection::btree_set("[a-e]", 0..5),
            vswitches in prop::collection::vec(("[a-f]", 0_u8..16, 0_u64..20, any::<bool>()), 0..8),
            prefix in 24_u8..29, may_create in any::<bool>(), addresses in 1_u64..10,
        ) {
            let block = Ipv4Net::new([10, 0, 0, 0].into(), prefix).unwrap();
            let existing: Vec<Existing> = vswitches.into_iter().enumerate().map(|(n, (zone, at, free, table))| Existing {
                id: format!("v{n}"), zone, cidr: Ipv4Net::new([10, 0, 0, at * 16].into(), 28).unwrap(), free, system_table: table,
            }).collect();
            let layout = Layout { zones, vswitches: existing, blocks: vec![block], addresses, may_create, ..Layout::default() };
            match solve(&layout) {
                Err(why) => prop_assert!(!why.is_empty()),
                Ok(chosen) => {
                    prop_assert_eq!(chosen.len(), 2.min(layout.zones.len()));
                    let distinct: BTreeSet<&String> = chosen.iter().map(|c| &c.zone).collect();
                    prop_assert_eq!(distinct.len(), chosen.len());
                    for choice in &chosen {
                        prop_assert!(layout.zones.contains(&choice.zone));
                        if let Some(id) = &choice.vswitch {
                            let v = layout.vswitches.iter().find(|v| v.id == *id).unwrap();
                            prop_assert!(v.zone == choice.zone && v.free >= addresses && v.system_table);
                        } else {
                            prop_assert!(may_create && block.contains(&choice.cidr));
                            prop_assert!(layout.vswitches.iter().all(|v| !overlap(&v.cidr, &choice.cidr)));
                            prop_assert!(chosen.iter().filter(|o| overlap(&o.cidr, &choice.cidr)).count() == 1);
                        }
                    }
                }
            }
        }
    }
}
