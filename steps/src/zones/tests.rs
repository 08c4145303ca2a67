//! Tests of the solver, among them one against every choice that there is.

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
            network_acl: None,
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

#[test]
fn named_vswitches_are_used_or_said_to_be_unfit() {
    let mut named = layout();
    let other = |id: &str, zone: &str, at: u8| Existing {
        id: id.into(),
        zone: zone.into(),
        cidr: Ipv4Net::new([10, 0, at, 0].into(), 24).unwrap(),
        free: 9,
        system_table: true,
        network_acl: None,
    };
    named.vswitches.extend([
        other("vsw-2", "i", 2),
        other("vsw-3", "j", 3),
        other("vsw-4", "x", 4),
        other("vsw-5", "j", 5),
    ]);
    (named.vpc, named.region) = ("vpc-1".into(), "r".into());
    // All that are named are used, one more than is needed, and not the roomiest ones.
    named.asked_vswitches = ["vsw-2", "vsw-3", "vsw-1"].map(str::to_owned).into();
    assert_eq!(unfit(&named), Vec::<String>::new());
    let ids: BTreeSet<String> =
        solve(&named).unwrap().into_iter().filter_map(|c| c.vswitch).collect();
    assert_eq!(ids, ["vsw-1", "vsw-2", "vsw-3"].map(str::to_owned).into());

    named.vswitches[1].free = 1;
    named.vswitches[2].system_table = false;
    named.asked_zones = ["i".to_owned(), "j".to_owned()].into();
    named.elsewhere = [("vsw-8".to_owned(), "vpc-2".to_owned())].into();
    let all = ["vsw-1", "vsw-2", "vsw-3", "vsw-4", "vsw-5", "vsw-8", "vsw-9"];
    named.asked_vswitches = all.map(str::to_owned).into();
    let said = unfit(&named);
    let expected = [
        "the spec names vsw-1, but it lies in h, which is not one of the zones that the spec names",
        "the spec names vsw-2, but it has 1 free address of 9 needed",
        "the spec names vsw-3, but it uses a custom route table",
        "the spec names vsw-4, but it lies in x, which does not have transit routers",
        "the spec names vsw-5, but vsw-3 lies in j too, and each zone has one",
        "the spec names vsw-8, but it lies in vpc-2, not in vpc-1",
        "the spec names vsw-9, but there is no such vSwitch in r",
    ];
    assert_eq!(said, expected);
}

#[test]
fn what_was_chosen_before_is_chosen_again_though_its_own_things_filled_it() {
    let mut before = layout();
    before.earlier = solve(&before).unwrap();
    let made = before.earlier[1].clone();
    before.vswitches[0].free = 0;
    before.vswitches.push(Existing {
        id: "vsw-made".into(),
        zone: made.zone,
        cidr: made.cidr,
        free: 3,
        system_table: true,
        network_acl: None,
    });
    before.asked_vswitches = vec!["vsw-1".into()];
    assert_eq!(unfit(&before), Vec::<String>::new());
    assert_eq!(solve(&before).unwrap(), before.earlier);
}

#[test]
fn a_new_block_is_a_legal_one_below_a_smaller_vswitch_too() {
    let mut small = layout();
    small.blocks = vec![net("10.0.0.0/27")];
    small.zones = BTreeSet::from(["i".to_owned()]);
    small.vswitches[0].cidr = net("10.0.0.24/29");
    assert_eq!(solve(&small).unwrap()[0].cidr.to_string(), "10.0.0.0/28");
}

/// The most zones that can be used at once, by trying everything.
fn most(layout: &Layout, zones: &[&String], taken: &[Ipv4Net]) -> usize {
    let Some((zone, rest)) = zones.split_first() else { return 0 };
    let without = most(layout, rest, taken);
    let fit = layout
        .vswitches
        .iter()
        .any(|v| v.zone == **zone && v.free >= layout.addresses && v.system_table);
    let existing = if fit { 1 + most(layout, rest, taken) } else { 0 };
    let slots = layout
        .blocks
        .iter()
        .filter(|_| layout.may_create)
        .flat_map(|block| block.subnets(NEW_PREFIX).into_iter().flatten());
    let new = slots.filter(|slot| taken.iter().all(|t| !overlap(t, slot))).map(|slot| {
        let taken: Vec<Ipv4Net> = taken.iter().copied().chain([slot]).collect();
        1 + most(layout, rest, &taken)
    });
    new.chain([without, existing]).max().unwrap()
}

/// Can every named vSwitch be used?
fn all_named_fit(layout: &Layout) -> bool {
    let found = |id: &String| layout.vswitches.iter().find(|v| v.id == *id);
    let asked: Vec<_> = layout.asked_vswitches.iter().map(found).collect();
    let zones: BTreeSet<_> = asked.iter().flatten().map(|v| &v.zone).collect();
    zones.len() == asked.len()
        && asked.iter().flatten().all(|v| {
            layout.zones.contains(&v.zone)
                && (layout.asked_zones.is_empty() || layout.asked_zones.contains(&v.zone))
                && v.free >= layout.addresses
                && v.system_table
        })
}

fn layouts() -> impl Strategy<Value = Layout> {
    let vswitch = ("[a-e]", 0_u8..10, 28_u8..30, 7_u64..11, prop::bool::weighted(0.8));
    let spec = (
        prop::collection::vec("[a-e]", 0..3),
        prop::collection::vec("v[0-5]", 0..3),
        any::<bool>(),
        "[a-e]",
    );
    (
        prop::collection::btree_set("[a-d]", 0..5),
        prop::collection::vec(vswitch, 0..6),
        prop::collection::vec((0_u8..2, 26_u8..31), 1..3),
        spec,
    )
        .prop_map(|(zones, vswitches, blocks, (asked_zones, asked, may_create, home))| {
            Layout {
                zones,
                vswitches: vswitches
                    .into_iter()
                    .enumerate()
                    .map(|(n, (zone, at, prefix, free, system_table))| Existing {
                        id: format!("v{n}"),
                        zone,
                        cidr: Ipv4Net::new([10, 0, 0, at * 8].into(), prefix).unwrap().trunc(),
                        free,
                        system_table,
                        network_acl: None,
                    })
                    .collect(),
                blocks: blocks
                    .into_iter()
                    .map(|(at, prefix)| Ipv4Net::new([10, 0, at, 0].into(), prefix).unwrap())
                    .collect(),
                addresses: 9,
                asked_zones,
                asked_vswitches: BTreeSet::from_iter(asked).into_iter().collect(),
                home,
                may_create,
                ..Layout::default()
            }
        })
}

fn is_valid(layout: &Layout, chosen: &[Choice]) -> Result<(), TestCaseError> {
    let distinct: BTreeSet<&String> = chosen.iter().map(|c| &c.zone).collect();
    prop_assert_eq!(distinct.len(), chosen.len());
    for choice in chosen {
        prop_assert!(layout.zones.contains(&choice.zone));
        prop_assert!(layout.asked_zones.is_empty() || layout.asked_zones.contains(&choice.zone));
        if let Some(id) = &choice.vswitch {
            let v = layout.vswitches.iter().find(|v| v.id == *id).unwrap();
            prop_assert!(v.zone == choice.zone && v.free >= layout.addresses && v.system_table);
        } else {
            prop_assert!(layout.may_create && choice.cidr == choice.cidr.trunc());
            prop_assert!(layout.blocks.iter().any(|block| block.contains(&choice.cidr)));
            prop_assert!(layout.vswitches.iter().all(|v| !overlap(&v.cidr, &choice.cidr)));
            prop_assert!(chosen.iter().filter(|o| overlap(&o.cidr, &choice.cidr)).count() == 1);
        }
    }
    Ok(())
}

proptest! {
    #[test]
    fn a_choice_is_found_exactly_where_trying_everything_finds_one(layout in layouts()) {
        let named = unfit(&layout);
        prop_assert_eq!(named.is_empty(), all_named_fit(&layout), "{:?}", &named);
        let asked: BTreeSet<&String> = layout.asked_zones.iter().collect();
        let zones: Vec<&String> = if asked.is_empty() {
            layout.zones.iter().collect()
        } else {
            asked.iter().copied().filter(|z| layout.zones.contains(*z)).collect()
        };
        let taken: Vec<Ipv4Net> = layout.vswitches.iter().map(|v| v.cidr).collect();
        let (most, least) = (most(&layout, &zones, &taken), 2.min(layout.zones.len()));
        match solve(&layout) {
            Ok(chosen) => {
                is_valid(&layout, &chosen)?;
                prop_assert!(most >= least && chosen.len() >= least);
                let used = |id| chosen.iter().any(|c| c.vswitch.as_ref() == Some(id));
                prop_assert!(!named.is_empty() || layout.asked_vswitches.iter().all(used));
            }
            Err(why) if layout.zones.is_empty() => prop_assert!(why.starts_with("no zone"), "{}", why),
            Err(why) if asked.iter().any(|z| !layout.zones.contains(*z)) => {
                let wrong = asked.iter().filter(|z| !layout.zones.contains(**z));
                let head = why.split("have").next().unwrap();
                prop_assert!(wrong.clone().all(|z| head.contains(z.as_str())), "{}", why);
            }
            Err(why) if zones.len() < least => prop_assert!(why.starts_with("the spec names"), "{}", why),
            Err(why) => {
                // As few as there are, and of every other zone what is missing there.
                prop_assert!(most < least, "{}", why);
                let head = format!("only {most} of {least} zones can be used: ");
                let reasons: Vec<&str> = why.strip_prefix(head.as_str()).unwrap().split("; ").collect();
                prop_assert_eq!(reasons.len(), zones.len() - most);
                let of = |z: &&&String| reasons.iter().any(|r| r.starts_with(&format!("{z} has no ")));
                prop_assert_eq!(zones.iter().filter(of).count(), reasons.len());
                let missing = if layout.may_create { "no free /28" } else { "create_vswitches" };
                prop_assert!(reasons.iter().all(|r| r.contains(missing)), "{}", why);
            }
        }
    }
}
