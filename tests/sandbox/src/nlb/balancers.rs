//! Load balancers.

use super::groups::{name, one_of};
use super::jobs::job;
use super::state::{Balancer, Zone, settled};
use crate::clock::rfc3339;
use crate::listing::{in_region, lists, wants};
use crate::paging::{Size, by_token};
use crate::tagging::{new_tags, tag_rows, tagged};
use crate::vpc::Placement;
use crate::{Answer, Call, Course, Refusal, World};
use serde_json::{Value, json};

/// Addresses that must be free in a vSwitch before a load balancer goes in.
const FREE_NEEDED: usize = 8;

pub(super) fn handle(world: &mut World, call: &Call) -> Option<Answer> {
    Some(match call.action.as_str() {
        "CreateLoadBalancer" => create(world, call),
        "GetLoadBalancerAttribute" => get(world, call),
        "ListLoadBalancers" => list(world, call),
        "UpdateLoadBalancerAttribute" => update(world, call),
        "UpdateLoadBalancerProtection" => protect(world, call),
        "DeleteLoadBalancer" => delete(world, call),
        _ => return None,
    })
}

/// The region of a VPC, if it is the one that the call asks in.
pub(super) fn region_of_vpc(world: &World, call: &Call, vpc: &str) -> Result<String, Refusal> {
    let found = world.vpc.vpcs.get(vpc).filter(|v| in_region(call, &v.region));
    found
        .map(|v| v.region.clone())
        .ok_or_else(|| Refusal::missing("ResourceNotFound.Vpc", "The VPC is not found."))
}

fn create(world: &mut World, call: &Call) -> Answer {
    call.need("AddressType")?;
    let address_type = one_of(call, "AddressType", &["Internet", "Intranet"])?;
    let vpc = call.need("VpcId")?.to_owned();
    let region = region_of_vpc(world, call, &vpc)?;
    let name = name(call, "LoadBalancerName")?.unwrap_or_default().to_owned();
    let tags = new_tags(call)?;
    let wanted = zones(world, call, &region, &vpc)?;
    let id = world.fresh_id("nlb");
    let zones = take(world, &id, wanted)?;
    let reason = |param: &str| call.get(param).unwrap_or_default().to_owned();
    let locked = call.get("ModificationProtectionConfig.Status") == Some("ConsoleProtection");
    let balancer = Balancer {
        region,
        vpc,
        name,
        address_type,
        zones,
        cross_zone: true,
        protected: call
            .flag("DeletionProtectionConfig.Enabled", false)
            .then(|| reason("DeletionProtectionConfig.Reason")),
        locked: locked.then(|| reason("ModificationProtectionConfig.Reason")),
        course: Course::moving("Provisioning", world.after("Nlb.CreateLoadBalancer"), "Active"),
        since_ms: world.now_ms,
        tags,
    };
    world.nlb.balancers.insert(id.clone(), balancer);
    Ok(json!({"LoadbalancerId": id, "OrderId": world.next_id}))
}

fn zones(
    world: &World,
    call: &Call,
    region: &str,
    vpc: &str,
) -> Result<Vec<(String, String)>, Refusal> {
    let offered = world.file.regions.get(region).map(|r| r.nlb_zones.as_slice());
    Placement {
        vpc,
        offered: offered.unwrap_or_default(),
        free: FREE_NEEDED,
        missing: "ResourceNotFound.VSwitch",
        not_available: "IncorrectStatus.vSwitch",
        full: "OperationDenied.VSwitchIpNotEnough",
    }
    .of(world, call)
}

/// Takes one service address and two local addresses in each vSwitch.
fn take(
    world: &mut World,
    owner: &str,
    wanted: Vec<(String, String)>,
) -> Result<Vec<Zone>, Refusal> {
    let mut taken = Vec::new();
    for (zone, vswitch) in wanted {
        let interface = world.fresh_id("eni");
        let now = world.now_ms;
        let three = world.vpc.vswitches.get_mut(&vswitch).and_then(|s| {
            let address = s.take_address(owner, now)?;
            Some((address, vec![s.take_address(owner, now)?, s.take_address(owner, now)?]))
        });
        let (address, local) = three.ok_or_else(|| {
            Refusal::bad("OperationDenied.VSwitchIpNotEnough", "Not enough idle IP addresses.")
        })?;
        taken.push(Zone { id: zone, vswitch, interface, address, local });
    }
    Ok(taken)
}

fn get(world: &World, call: &Call) -> Answer {
    let id = call.need("LoadBalancerId")?;
    let balancer = world.nlb.balancer(id)?;
    let mut row = row(world, id, balancer);
    if let Some(fields) = row.as_object_mut() {
        // This call alone names the members of a tag TagKey and TagValue.
        fields.insert("Tags".into(), tag_rows(&balancer.tags, "TagKey", "TagValue"));
        fields.insert("Cps".into(), json!(0));
        // And it alone shows the addresses that connections come from.
        fields.insert("ZoneMappings".into(), zone_rows(balancer, true));
    }
    Ok(row)
}

fn list(world: &World, call: &Call) -> Answer {
    let rows = world
        .nlb
        .balancers
        .iter()
        .filter(|(id, b)| {
            in_region(call, &b.region)
                && lists(call, "LoadBalancerIds", id)
                && lists(call, "LoadBalancerNames", &b.name)
                && lists(call, "VpcIds", &b.vpc)
                && wants(call, "AddressType", &b.address_type)
                && wants(call, "LoadBalancerStatus", b.course.status(world.now_ms))
                && call.get("ZoneId").is_none_or(|z| b.zones.iter().any(|have| have.id == z))
                && tagged(call, &b.tags)
        })
        .map(|(id, b)| row(world, id, b))
        .collect();
    by_token(call, rows, &["LoadBalancers"], Size::new(20, 100))
}

fn zone_rows(b: &Balancer, with_local: bool) -> Value {
    b.zones
        .iter()
        .map(|z| {
            let mut addresses = json!({
                "EniId": z.interface,
                "PrivateIPv4Address": z.address,
                "PrivateIPv4HcStatus": "Healthy",
            });
            if let Some(fields) = addresses.as_object_mut().filter(|_| with_local) {
                fields.insert("Ipv4LocalAddresses".into(), json!(z.local));
            }
            json!({
                "LoadBalancerAddresses": [addresses],
                "Status": "Active",
                "VSwitchId": z.vswitch,
                "ZoneId": z.id,
            })
        })
        .collect()
}

fn row(world: &World, id: &str, b: &Balancer) -> Value {
    let status = if b.locked.is_some() { "ConsoleProtection" } else { "NonProtection" };
    json!({
        "AddressIpVersion": "ipv4",
        "AddressType": b.address_type,
        "CreateTime": rfc3339(b.since_ms),
        "CrossZoneEnabled": b.cross_zone,
        "DNSName": format!("{id}.{}.nlb.aliyuncsslb.com", b.region),
        "DeletionProtectionConfig": {
            "Enabled": b.protected.is_some(), "Reason": b.protected.as_deref().unwrap_or(""),
        },
        "LoadBalancerBillingConfig": {"PayType": "PostPay"},
        "LoadBalancerBusinessStatus": "Normal",
        "LoadBalancerId": id,
        "LoadBalancerName": b.name,
        "LoadBalancerStatus": b.course.status(world.now_ms),
        "LoadBalancerType": "Network",
        "ModificationProtectionConfig": {
            "Status": status, "Reason": b.locked.as_deref().unwrap_or(""),
        },
        "OperationLocks": [],
        "RegionId": b.region,
        "SecurityGroupIds": [],
        "Tags": tag_rows(&b.tags, "Key", "Value"),
        "VpcId": b.vpc,
        "ZoneMappings": zone_rows(b, false),
    })
}

fn update(world: &mut World, call: &Call) -> Answer {
    let id = call.need("LoadBalancerId")?;
    settled("loadbalancer", &world.nlb.balancer(id)?.course, world.now_ms)?;
    let name = name(call, "LoadBalancerName")?;
    let until = world.after("Nlb.UpdateLoadBalancerAttribute");
    if let Some(balancer) = world.nlb.balancers.get_mut(id) {
        if let Some(name) = name {
            name.clone_into(&mut balancer.name);
        }
        balancer.cross_zone = call.flag("CrossZoneEnabled", balancer.cross_zone);
        balancer.course = Course::moving("Configuring", until, "Active");
    }
    Ok(json!({"JobId": job(world, "Nlb.UpdateLoadBalancerAttribute")}))
}

fn protect(world: &mut World, call: &Call) -> Answer {
    let id = call.need("LoadBalancerId")?;
    settled("loadbalancer", &world.nlb.balancer(id)?.course, world.now_ms)?;
    let reason = |param: &str| call.get(param).unwrap_or_default().to_owned();
    if let Some(balancer) = world.nlb.balancers.get_mut(id) {
        if call.get("DeletionProtectionEnabled").is_some() {
            let on = call.flag("DeletionProtectionEnabled", false);
            balancer.protected = on.then(|| reason("DeletionProtectionReason"));
        }
        if let Some(status) = call.get("ModificationProtectionStatus") {
            let on = status == "ConsoleProtection";
            balancer.locked = on.then(|| reason("ModificationProtectionReason"));
        }
    }
    Ok(json!({}))
}

fn delete(world: &mut World, call: &Call) -> Answer {
    let id = call.need("LoadBalancerId")?;
    let balancer = world.nlb.balancer(id)?;
    settled("loadbalancer", &balancer.course, world.now_ms)?;
    let refused = |code: &str, text: &str| Err(Refusal::bad(code, text));
    if balancer.protected.is_some() {
        return refused("OperationDenied.DeletionProtection", "Deletion protection is enabled.");
    }
    if world.privatelink.uses(id) {
        return refused(
            "OperationDenied.PrivateLinkServiceResource",
            "The load balancer is a service resource of an endpoint service.",
        );
    }
    if world.nlb.listeners_of(id).next().is_some() {
        return refused("OperationDenied.ListenerExist", "The load balancer still has listeners.");
    }
    let until = world.after("Nlb.DeleteLoadBalancer");
    if let Some(balancer) = world.nlb.balancers.get_mut(id) {
        balancer.course = Course::leaving("Deleting", until);
    }
    Ok(json!({"JobId": job(world, "Nlb.DeleteLoadBalancer")}))
}
