use super::*;
use crate::{Product, WorldFile, route};
use serde_json::Value;

fn world() -> World {
    World::from_file(&WorldFile::default(), 1_790_000_000_000).unwrap()
}

fn ask(world: &mut World, action: &str, params: &[(&str, &str)]) -> Answer {
    let call = Call {
        product: Product::Vpc,
        action: action.into(),
        params: params.iter().map(|(k, v)| ((*k).into(), (*v).into())).collect(),
        path: BTreeMap::new(),
        body: Value::Null,
    };
    route::settle(world);
    route::answer(world, &call)
}

const CREATE: &[(&str, &str)] = &[
    ("RegionId", "cn-shanghai"),
    ("VpcId", "vpc-leader0001"),
    ("ZoneId", "cn-shanghai-g"),
    ("CidrBlock", "10.1.9.0/28"),
    ("Tag.1.Key", "escrr-link"),
    ("Tag.1.Value", "l"),
];

fn with<'a>(name: &'a str, value: &'a str) -> Vec<(&'a str, &'a str)> {
    let mut params: Vec<_> = CREATE.iter().copied().filter(|(k, _)| *k != name).collect();
    params.push((name, value));
    params
}

fn code(answer: Answer) -> String {
    answer.unwrap_err().code
}

#[test]
fn a_vswitch_is_pending_then_available_and_shows_in_filters() {
    let mut world = world();
    let id = ask(&mut world, "CreateVSwitch", CREATE).unwrap()["VSwitchId"].clone();
    let id = id.as_str().unwrap();
    let status = |world: &mut World| {
        ask(world, "DescribeVSwitchAttributes", &[("VSwitchId", id)]).unwrap()["Status"].clone()
    };
    assert_eq!(status(&mut world), "Pending");
    assert_eq!(
        code(ask(&mut world, "CreateVSwitch", &with("CidrBlock", "10.1.10.0/28"))),
        "TaskConflict"
    );
    world.now_ms += 5_000;
    assert_eq!(status(&mut world), "Available");
    let filters = [("Tag.1.Key", "escrr-link"), ("Tag.1.Value", "l")];
    let found = ask(&mut world, "DescribeVSwitches", &filters).unwrap();
    assert_eq!(found["TotalCount"], 1);
    let row = &found["VSwitches"]["VSwitch"][0];
    assert_eq!(row["AvailableIpAddressCount"], 12);
    assert_eq!(row["RouteTable"]["RouteTableType"], "System");
    let owner = inventory(&world).into_iter().find(|t| t.id == id).unwrap().owner;
    assert_eq!(owner, "l");
}

#[test]
fn blocks_have_rules() {
    let mut world = world();
    let mut create = |name, value| code(ask(&mut world, "CreateVSwitch", &with(name, value)));
    assert_eq!(create("CidrBlock", "10.1.1.128/28"), "InvalidCidrBlock.Overlapped");
    assert_eq!(create("CidrBlock", "10.9.0.0/24"), "InvalidCidrBlock.Mismatch");
    assert_eq!(create("CidrBlock", "10.1.9.0/30"), "InvalidCidrBlock.Malformed");
    assert_eq!(create("CidrBlock", "10.1.9.1/28"), "InvalidCidrBlock.Malformed");
    assert_eq!(create("ZoneId", "cn-hangzhou-h"), "InvalidZoneId.NotFound");
    assert_eq!(create("VpcId", "vpc-none"), "InvalidVpcId.NotFound");
    assert_eq!(create("RegionId", "mars-1"), "InvalidRegionId.NotFound");
}

#[test]
fn tags_are_letters_digits_dots_underscores_and_hyphens() {
    let mut world = world();
    let mut create = |name, value| ask(&mut world, "CreateVSwitch", &with(name, value));
    assert_eq!(code(create("Tag.1.Key", "escrr:link")), "InvalidTagKey");
    assert_eq!(code(create("Tag.1.Value", "a b")), "InvalidTagValue");
    assert!(create("Tag.1.Key", "escrr-link").is_ok());
}

#[test]
fn a_vswitch_in_use_or_with_lagging_addresses_stays() {
    let mut world = world();
    let made = ask(&mut world, "CreateVSwitch", CREATE).unwrap();
    let id = made["VSwitchId"].as_str().unwrap();
    assert_eq!(
        code(ask(&mut world, "DeleteVSwitch", &[("VSwitchId", id)])),
        "IncorrectVSwitchStatus"
    );
    world.now_ms += 5_000;
    let now = world.now_ms;
    world.vpc.vswitches.get_mut(id).unwrap().take_address("nlb-1", now).unwrap();
    assert_eq!(code(ask(&mut world, "DeleteVSwitch", &[("VSwitchId", id)])), "DependencyViolation");
    world.vpc.vswitches.get_mut(id).unwrap().release("nlb-1", now + 30_000);
    assert_eq!(code(ask(&mut world, "DeleteVSwitch", &[("VSwitchId", id)])), "DependencyViolation");
    world.now_ms += 30_000;
    let dry = ask(&mut world, "DeleteVSwitch", &[("VSwitchId", id), ("DryRun", "True")]);
    assert_eq!(code(dry), "DryRunOperation");
    ask(&mut world, "DeleteVSwitch", &[("VSwitchId", id)]).unwrap();
    assert_eq!(
        code(ask(&mut world, "DeleteVSwitch", &[("VSwitchId", id)])),
        "InvalidVswitchID.NotFound"
    );
}

#[test]
fn all_addresses_that_are_counted_free_can_be_taken() {
    let mut world = world();
    let vswitch = world.vpc.vswitches.get_mut("vsw-leader-f").unwrap();
    let free = vswitch.free_addresses(0);
    let taken = (0..300).filter(|_| vswitch.take_address("x", 0).is_some()).count();
    assert_eq!(taken, free);
    assert_eq!(vswitch.free_addresses(0), 0);
}

#[test]
fn a_vpc_shows_its_blocks_and_an_unknown_one_is_missing() {
    let mut world = world();
    let region = ("RegionId", "cn-shanghai");
    let vpc = ask(&mut world, "DescribeVpcAttribute", &[region, ("VpcId", "vpc-leader0001")]);
    let vpc = vpc.unwrap();
    assert_eq!(vpc["CidrBlock"], "10.1.0.0/16");
    assert_eq!(vpc["VSwitchIds"]["VSwitchId"][0], "vsw-leader-f");
    assert_eq!(vpc["AssociatedCens"]["AssociatedCen"], serde_json::json!([]));
    let none = ask(&mut world, "DescribeVpcAttribute", &[region, ("VpcId", "vpc-follower01")]);
    assert_eq!(code(none), "InvalidVpcID.NotFound");
    let all = ask(&mut world, "DescribeVpcs", &[region]).unwrap();
    assert_eq!(all["Vpcs"]["Vpc"].as_array().unwrap().len(), 1);
}

#[test]
fn route_tables_and_system_rows_are_listed() {
    let mut world = world();
    let region = ("RegionId", "cn-shanghai");
    let kind = ("RouteTableType", "System");
    let tables = ask(&mut world, "DescribeRouteTableList", &[region, kind]).unwrap();
    let table = &tables["RouterTableList"]["RouterTableListType"][0];
    let id = table["RouteTableId"].as_str().unwrap().to_owned();
    let rows = ask(&mut world, "DescribeRouteEntryList", &[region, ("RouteTableId", &id)]).unwrap();
    let rows = rows["RouteEntrys"]["RouteEntry"].as_array().unwrap();
    let to: Vec<_> = rows.iter().map(|r| r["DestinationCidrBlock"].as_str().unwrap()).collect();
    assert_eq!(to, ["10.1.1.0/24", "100.64.0.0/10"]);
    let create = [
        ("RouteTableId", id.as_str()),
        ("DestinationCidrBlock", "10.2.0.0/16"),
        ("NextHopType", "Attachment"),
        ("NextHopId", "tr-attach-none"),
    ];
    assert_eq!(code(ask(&mut world, "CreateRouteEntry", &create)), "InvalidNextHopId.NotFound");
    let delete = [("RouteTableId", id.as_str()), ("DestinationCidrBlock", "10.1.1.0/24")];
    assert_eq!(code(ask(&mut world, "DeleteRouteEntry", &delete)), "InvalidRouteEntry.Type");
}

#[test]
fn a_custom_route_is_deleting_for_a_while() {
    let mut world = world();
    let table = world.vpc.vpcs["vpc-leader0001"].system_route_table.clone();
    let entry = RouteEntry {
        id: "rte-x".into(),
        name: String::new(),
        kind: "Custom".into(),
        next_hop_kind: "Attachment".into(),
        next_hop: "tr-attach-x".into(),
        course: Course::settled("Available"),
        since_ms: 0,
    };
    let to = "10.2.0.0/16".parse().unwrap();
    world.vpc.route_tables.get_mut(&table).unwrap().entries.insert(to, entry);
    ask(&mut world, "DeleteRouteEntry", &[("RouteEntryId", "rte-x")]).unwrap();
    let list =
        [("RegionId", "cn-shanghai"), ("RouteTableId", &table), ("RouteEntryType", "Custom")];
    let rows = ask(&mut world, "DescribeRouteEntryList", &list).unwrap();
    assert_eq!(rows["RouteEntrys"]["RouteEntry"][0]["Status"], "Deleting");
    world.now_ms += 4_000;
    let rows = ask(&mut world, "DescribeRouteEntryList", &list).unwrap();
    assert_eq!(rows["TotalCount"], 0);
}

#[test]
fn tags_come_and_go() {
    let mut world = world();
    let on = [("RegionId", "r"), ("ResourceType", "VSWITCH"), ("ResourceId.1", "vsw-leader-f")];
    let mut tag = on.to_vec();
    tag.extend([("Tag.1.Key", "a"), ("Tag.1.Value", "1")]);
    ask(&mut world, "TagResources", &tag).unwrap();
    let listed = ask(&mut world, "ListTagResources", &on).unwrap();
    assert_eq!(listed["TagResources"]["TagResource"][0]["TagValue"], "1");
    let mut untag = on.to_vec();
    untag.push(("TagKey.1", "a"));
    ask(&mut world, "UnTagResources", &untag).unwrap();
    let listed = ask(&mut world, "ListTagResources", &on).unwrap();
    assert_eq!(listed["TagResources"]["TagResource"], serde_json::json!([]));
}
