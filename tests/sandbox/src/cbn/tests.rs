//! The rules that bite.

use crate::Product::Cbn;
use crate::network::stage::{
    FOLLOWER_REGION, FOLLOWER_VPC, LEADER_REGION, LEADER_VPC, Link, Stage, attach_params,
    put_vswitch, system_table, text,
};
use serde_json::Value;

fn cen(stage: &mut Stage) -> String {
    let id = text(
        &stage.cbn("CreateCen", &[("Tag.1.Key", "escrr-link"), ("Tag.1.Value", "a")]),
        "CenId",
    );
    stage.step(10);
    id
}

fn router(stage: &mut Stage, cen: &str, region: &str) -> String {
    let params = [("CenId", cen), ("RegionId", region)];
    let id = text(&stage.cbn("CreateTransitRouter", &params), "TransitRouterId");
    stage.step(30);
    id
}

fn code(stage: &mut Stage, action: &str, params: &[(&str, &str)]) -> String {
    stage.refusal(Cbn, action, params).code
}

fn rows<'a>(answer: &'a Value, name: &str) -> &'a Vec<Value> {
    answer[name].as_array().unwrap()
}

/// The blocks of a list of route entries.
fn destinations(shown: &Value) -> Vec<&str> {
    rows(shown, "TransitRouterRouteEntries")
        .iter()
        .map(|r| r["TransitRouterRouteEntryDestinationCidrBlock"].as_str().unwrap())
        .collect()
}

#[test]
fn a_cen_in_motion_blocks_and_is_found_by_filter_and_tag() {
    let mut stage = Stage::new();
    let id = text(&stage.cbn("CreateCen", &[("Name", "one"), ("Tag.1.Key", "k")]), "CenId");
    let params = [("CenId", id.as_str()), ("RegionId", LEADER_REGION)];
    assert_eq!(code(&mut stage, "CreateTransitRouter", &params), "Operation.Blocking");
    assert_eq!(code(&mut stage, "DeleteCen", &[("CenId", &id)]), "Operation.Blocking");
    let by_id = [("Filter.1.Key", "CenId"), ("Filter.1.Value.1", id.as_str())];
    let found = stage.cbn("DescribeCens", &by_id);
    assert_eq!(found["Cens"]["Cen"][0]["Status"], "Creating");
    assert_eq!(found["Cens"]["Cen"][0]["Tags"]["Tag"][0]["Key"], "k");
    stage.step(5);
    assert_eq!(stage.cbn("DescribeCens", &by_id)["Cens"]["Cen"][0]["Status"], "Active");
    let other = stage.cbn("DescribeCens", &[("Tag.1.Key", "k"), ("Tag.1.Value", "no")]);
    assert_eq!(other["TotalCount"], 0);
    stage.cbn("DeleteCen", &[("CenId", &id)]);
    assert_eq!(code(&mut stage, "CreateTransitRouter", &params), "IncorrectStatus.Status");
    let again = code(&mut stage, "DeleteCen", &[("CenId", &id)]);
    assert_eq!(again, "InvalidOperation.CenInstanceStatus");
    stage.step(5);
    assert_eq!(stage.cbn("DescribeCens", &by_id)["TotalCount"], 0);
    assert_eq!(code(&mut stage, "DeleteCen", &[("CenId", &id)]), "ParameterCenInstanceId");
}

#[test]
fn lists_come_in_pages() {
    let mut stage = Stage::new();
    for _ in 0..12 {
        stage.cbn("CreateCen", &[]);
    }
    let second = stage.cbn("DescribeCens", &[("PageNumber", "2")]);
    assert_eq!(second["Cens"]["Cen"].as_array().unwrap().len(), 2);
    assert_eq!(second["TotalCount"], 12);
    assert_eq!(
        code(&mut stage, "DescribeCens", &[("PageSize", "51")]),
        "InvalidParameter.PageSize"
    );

    let link = Stage::new().build();
    let mut stage = Stage::new();
    assert_eq!(stage.build().cen, link.cen, "ids repeat from run to run");
    let table = link.tables[0].as_str();
    let list = "ListTransitRouterRouteTableAssociations";
    let first = stage.cbn(list, &[("TransitRouterRouteTableId", table), ("MaxResults", "1")]);
    assert_eq!(rows(&first, "TransitRouterAssociations").len(), 1);
    let next = text(&first, "NextToken");
    let params =
        [("TransitRouterRouteTableId", table), ("MaxResults", "1"), ("NextToken", next.as_str())];
    let second = stage.cbn(list, &params);
    assert_ne!(
        first["TransitRouterAssociations"][0]["TransitRouterAttachmentId"],
        second["TransitRouterAssociations"][0]["TransitRouterAttachmentId"]
    );
    assert_eq!(second.get("NextToken"), None);
    assert_eq!(second["TotalCount"], 2);
}

#[test]
fn one_router_a_region_and_only_with_the_service_open() {
    let mut stage = Stage::new();
    stage.world.file.account.transit_router_service = false;
    assert_eq!(stage.cbn("CheckTransitRouterService", &[]).get("Enabled"), None);
    let id = cen(&mut stage);
    let params = [("CenId", id.as_str()), ("RegionId", LEADER_REGION)];
    let refused = code(&mut stage, "CreateTransitRouter", &params);
    assert_eq!(refused, "Forbidden.TransitRouterServiceNotOpen");
    stage.cbn("OpenTransitRouterService", &[]);
    assert_eq!(stage.cbn("CheckTransitRouterService", &[])["Enabled"], "true");
    router(&mut stage, &id, LEADER_REGION);
    let refused = code(&mut stage, "CreateTransitRouter", &params);
    assert_eq!(refused, "InvalidOperation.TransitRouterExist");
}

#[test]
fn an_attachment_needs_two_zones_the_right_vswitch_and_an_address() {
    let mut stage = Stage::new();
    let id = cen(&mut stage);
    let router = router(&mut stage, &id, LEADER_REGION);
    let action = "CreateTransitRouterVpcAttachment";
    let all = attach_params(0, &router, LEADER_REGION);
    assert_eq!(code(&mut stage, action, &all[..6]), "InvalidParameter.ZoneMappings");
    let mut wrong = all.clone();
    wrong[6].1 = "cn-shanghai-m";
    assert_eq!(code(&mut stage, action, &wrong), "InvalidParameter.ZoneMappings");
    wrong[6].1 = "cn-shanghai-z";
    assert_eq!(code(&mut stage, action, &wrong), "InvalidParameter.ZoneMappings");
    put_vswitch(&mut stage.world, LEADER_VPC, ("vsw-small", "cn-shanghai-g", "10.1.9.0/29"));
    let small = stage.world.vpc.vswitches.get_mut("vsw-small").unwrap();
    while small.take_address("others", 0).is_some() {}
    let mut full = all.clone();
    full[7].1 = "vsw-small";
    assert_eq!(code(&mut stage, action, &full), "InvalidOperation.NoAvailableIp");
    let attachment = text(&stage.cbn(action, &all), "TransitRouterAttachmentId");
    let taken = |s: &Stage| {
        s.world.vpc.vswitches["vsw-leader-g"].used.values().filter(|o| **o == attachment).count()
    };
    assert_eq!(taken(&stage), 1);
    assert!(super::vpc_in_motion(&stage.world, LEADER_VPC));
    assert_eq!(super::associated_cens(&stage.world, LEADER_VPC), [(id, "Attaching".to_owned())]);
    assert!(super::attachment_exists(&stage.world, &attachment));

    let by_id = [("TransitRouterAttachmentId", attachment.as_str())];
    let delete = "DeleteTransitRouterVpcAttachment";
    assert_eq!(code(&mut stage, delete, &by_id), "Operation.Blocking");
    stage.step(200);
    assert!(!super::vpc_in_motion(&stage.world, LEADER_VPC));
    stage.cbn(delete, &by_id);
    stage.step(100);
    assert!(!super::attachment_exists(&stage.world, &attachment));
    assert_eq!(taken(&stage), 0);
    let vswitch = &stage.world.vpc.vswitches["vsw-leader-g"];
    assert_eq!(vswitch.lagging.len(), 1, "the interface outlives the attachment");
    assert_eq!(vswitch.free_addresses(stage.world.now_ms + 30_000), 252);
}

#[test]
fn a_vpc_is_on_one_network() {
    let mut stage = Stage::new();
    let mut link = Link::default();
    stage.build_network(&mut link);
    let other = cen(&mut stage);
    let router = router(&mut stage, &other, LEADER_REGION);
    let params = attach_params(0, &router, LEADER_REGION);
    let refused = code(&mut stage, "CreateTransitRouterVpcAttachment", &params);
    assert_eq!(refused, "InvalidOperation.VpcAlreadyAttached");
}

#[test]
fn an_attachment_without_a_router_makes_one_that_nobody_owns() {
    let mut stage = Stage::new();
    let id = cen(&mut stage);
    let mut params = attach_params(0, "", LEADER_REGION);
    params[0] = ("CenId", &id);
    params.push(("Tag.1.Key", "escrr-link"));
    params.push(("Tag.1.Value", "a"));
    stage.cbn("CreateTransitRouterVpcAttachment", &params);
    let routers = stage.cbn("ListTransitRouters", &[("CenId", &id)]);
    assert_eq!(rows(&routers, "TransitRouters").len(), 1);
    assert_eq!(routers["TransitRouters"][0]["Tags"], Value::Array(vec![]));
    let things = super::inventory(&stage.world);
    let owner = |kind: &str| things.iter().find(|t| t.kind == kind).unwrap().owner.clone();
    assert_eq!((owner("transit_router").as_str(), owner("vpc_attachment").as_str()), ("", "a"));
}

#[test]
fn links_of_one_attachment_wait_for_each_other() {
    let mut stage = Stage::new();
    let id = cen(&mut stage);
    let router = router(&mut stage, &id, LEADER_REGION);
    let attachment = stage.attach(0, &router, LEADER_REGION);
    let tables = stage.cbn("ListTransitRouterRouteTables", &[("TransitRouterId", &router)]);
    let table = text(&tables["TransitRouterRouteTables"][0], "TransitRouterRouteTableId");
    let both = [
        ("TransitRouterAttachmentId", attachment.as_str()),
        ("TransitRouterRouteTableId", table.as_str()),
    ];
    let associate = "AssociateTransitRouterAttachmentWithRouteTable";
    let propagate = "EnableTransitRouterRouteTablePropagation";
    assert_eq!(code(&mut stage, associate, &both), "Operation.Blocking");
    stage.step(200);
    stage.cbn(associate, &both);
    assert_eq!(code(&mut stage, propagate, &both), "Operation.Blocking");
    stage.step(15);
    assert_eq!(code(&mut stage, associate, &both), "InvalidOperation.AssociationExist");
    stage.cbn(propagate, &both);
    stage.step(15);
    let list = [("TransitRouterRouteTableId", table.as_str())];
    let shown = stage.cbn("ListTransitRouterRouteEntries", &list);
    assert_eq!(destinations(&shown), ["10.1.1.0/24", "10.1.2.0/24"], "one a vSwitch");
    let route = &shown["TransitRouterRouteEntries"][0];
    assert_eq!(route["TransitRouterRouteEntryStatus"], "Active");
    assert_eq!(route["TransitRouterRouteEntryOriginResourceId"], LEADER_VPC);

    let by_id = [("TransitRouterAttachmentId", attachment.as_str())];
    let delete = "DeleteTransitRouterVpcAttachment";
    assert_eq!(code(&mut stage, delete, &by_id), "IncorrectStatus.Attachment");
    let refused = code(&mut stage, "DeleteTransitRouter", &[("TransitRouterId", &router)]);
    assert_eq!(refused, "InvalidOperation.AttachedChildInstanceExist");
    let refused = code(&mut stage, "DeleteCen", &[("CenId", &id)]);
    assert_eq!(refused, "InvalidOperation.CenInstanceStatus");
    stage.cbn(delete, &[by_id[0], ("Force", "true")]);
    stage.step(100);
    let gone = stage.cbn("ListTransitRouterRouteTableAssociations", &list);
    assert_eq!(gone["TotalCount"], 0);
}

#[test]
fn routes_are_published_into_the_vpc_and_withdrawn() {
    let mut stage = Stage::new();
    let mut link = Link::default();
    stage.build_network(&mut link);
    let table = system_table(&stage, FOLLOWER_VPC).to_owned();
    let rows = |s: &Stage| {
        let mut rows = s.world.vpc.route_tables[&table].entries.clone();
        rows.retain(|_, entry| entry.kind != "System");
        rows
    };
    let blocks = |s: &Stage| rows(s).keys().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(blocks(&stage), ["10.1.1.0/24", "10.1.2.0/24"], "one a vSwitch of the leader");
    let statuses = |s: &Stage| {
        let now = s.world.now_ms;
        rows(s).values().map(|e| e.course.status(now).to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(statuses(&stage), ["Available", "Available"]);
    for entry in rows(&stage).values() {
        let row = (entry.kind.as_str(), entry.next_hop.as_str());
        assert_eq!(row, ("CEN", link.attachments[1].as_str()));
    }
    // A vSwitch that comes later brings its row with it.
    put_vswitch(&mut stage.world, LEADER_VPC, ("vsw-late", "cn-shanghai-m", "10.1.3.0/24"));
    stage.step(1);
    assert_eq!(blocks(&stage), ["10.1.1.0/24", "10.1.2.0/24", "10.1.3.0/24"]);
    let disable = "DisableTransitRouterRouteTablePropagation";
    stage.link(disable, &link.peer, &link.tables[1]);
    assert_eq!(statuses(&stage), ["Deleting"; 3]);
    stage.step(10);
    assert_eq!(blocks(&stage), Vec::<String>::new());
    stage.link("EnableTransitRouterRouteTablePropagation", &link.peer, &link.tables[1]);
    assert_eq!(statuses(&stage), ["Pending"; 3]);
}

#[test]
fn overlapping_blocks_are_rejected_and_shown_only_when_asked_for() {
    let mut stage = Stage::new();
    stage.world.vpc.vpcs.get_mut(FOLLOWER_VPC).unwrap().cidr = "10.1.0.0/17".parse().unwrap();
    let overlapping = stage.world.vpc.vswitches.get_mut("vsw-follower-h").unwrap();
    overlapping.cidr = "10.1.1.0/25".parse().unwrap();
    let mut link = Link::default();
    stage.build_network(&mut link);
    let list = "ListTransitRouterRouteEntries";
    let table = ("TransitRouterRouteTableId", link.tables[0].as_str());
    let active = stage.cbn(list, &[table]);
    assert_eq!(destinations(&active), ["10.1.1.0/24", "10.1.2.0/24", "10.2.2.0/24"]);
    let all = stage.cbn(list, &[table, ("TransitRouterRouteEntryStatus", "All")]);
    let rejected: Vec<&Value> = rows(&all, "TransitRouterRouteEntries")
        .iter()
        .filter(|r| r["TransitRouterRouteEntryStatus"] == "Rejected")
        .map(|r| &r["TransitRouterRouteEntryDestinationCidrBlock"])
        .collect();
    assert_eq!(rejected, ["10.1.1.0/25"]);
    let table = system_table(&stage, LEADER_VPC).to_owned();
    let params = [
        ("ChildInstanceId", LEADER_VPC),
        ("ChildInstanceRegionId", LEADER_REGION),
        ("ChildInstanceRouteTableId", table.as_str()),
        ("ChildInstanceType", "VPC"),
    ];
    let conflicts = stage.cbn("DescribeRouteConflict", &params);
    assert_eq!(conflicts["RouteConflicts"]["RouteConflict"][0]["InstanceId"], FOLLOWER_VPC);
}

#[test]
fn bandwidth_comes_from_a_plan_or_from_data_transfer() {
    let mut stage = Stage::new();
    let id = cen(&mut stage);
    let near = router(&mut stage, &id, FOLLOWER_REGION);
    let far = router(&mut stage, &id, LEADER_REGION);
    let create = "CreateTransitRouterPeerAttachment";
    let base = [("TransitRouterId", near.as_str()), ("PeerTransitRouterId", far.as_str())];
    let with = |more: &[(&'static str, &'static str)]| [&base[..], more].concat();
    let refused = code(&mut stage, create, &with(&[("Bandwidth", "5")]));
    assert_eq!(refused, "InvalidOperation.BwpInstanceStatus");
    let peer = text(&stage.cbn(create, &base), "TransitRouterAttachmentId");
    stage.step(70);
    let refused = code(&mut stage, create, &base);
    assert_eq!(refused, "InvalidOperation.PeerAttachmentExist");
    let shown = stage.cbn("ListTransitRouterPeerAttachments", &[("TransitRouterId", &far)]);
    assert_eq!(shown["TransitRouterAttachments"][0]["Bandwidth"], 0);
    assert_eq!(shown["TransitRouterAttachments"][0]["Status"], "Attached");

    let plan =
        [("Bandwidth", "4"), ("GeographicRegionAId", "China"), ("GeographicRegionBId", "China")];
    let plan = text(&stage.cbn("CreateCenBandwidthPackage", &plan), "CenBandwidthPackageId");
    let both = [("CenId", id.as_str()), ("CenBandwidthPackageId", plan.as_str())];
    stage.cbn("AssociateCenBandwidthPackage", &both);
    let update = "UpdateTransitRouterPeerAttachmentAttribute";
    let mut params = [("TransitRouterAttachmentId", peer.as_str()), both[1], ("Bandwidth", "5")];
    assert_eq!(code(&mut stage, update, &params), "InvalidOperation.BandwidthExceed");
    params[2].1 = "4";
    stage.cbn(update, &params);
    let refused = code(&mut stage, "UnassociateCenBandwidthPackage", &both);
    assert_eq!(refused, "InvalidOperation.CenBandwidthLimitsNotZero");
}

#[test]
fn tags_are_set_listed_and_taken_off() {
    let mut stage = Stage::new();
    let id = cen(&mut stage);
    let thing = [("ResourceType", "cen"), ("ResourceId.1", id.as_str())];
    let params = [thing[0], thing[1], ("Tag.1.Key", "a"), ("Tag.1.Value", "1")];
    stage.cbn("TagResources", &params);
    let listed = stage.cbn("ListTagResources", &thing);
    assert_eq!(listed["TagResources"]["TagResource"].as_array().unwrap().len(), 2);
    stage.cbn("UntagResources", &[thing[0], thing[1], ("TagKey.1", "a")]);
    let listed = stage.cbn("ListTagResources", &thing);
    assert_eq!(listed["TagResources"]["TagResource"][0]["TagKey"], "escrr-link");
    let params = [thing[0], ("ResourceId.1", "cen-none"), params[2]];
    assert_eq!(code(&mut stage, "TagResources", &params), "InvalidResourceId.NotFound");
}
