//! Elastic Compute Service (Ecs 2014-05-26): instances, and Cloud Assistant on them.
//!
//! The one command that is understood is the resolution of a domain name: what a
//! shell on an instance in the leader's VPC is needed for.

mod command;

use crate::clock::{rfc3339, to_the_minute};
use crate::ledger::Thing;
use crate::listing::{unknown_action, wants};
use crate::paging::{Size, by_number, by_token};
use crate::world_file::WorldFile;
use crate::{Answer, Call, Refusal, World, vpc};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::net::Ipv4Addr;

/// Instances and invocations.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct State {
    /// By `i-…` id.
    pub servers: BTreeMap<String, Server>,
    /// By `t-…` id.
    pub invocations: BTreeMap<String, command::Invocation>,
}

/// One instance.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Server {
    /// Region id.
    pub region: String,
    /// vSwitch it lies in.
    pub vswitch: String,
    /// Its private address.
    pub address: Option<Ipv4Addr>,
    /// `Running`, `Stopped`.
    pub status: String,
    /// Is its Cloud Assistant running?
    pub cloud_assistant: bool,
    /// Since when.
    pub since_ms: u64,
}

/// Puts the instances of the file into the world.
pub fn seed(world: &mut World, file: &WorldFile) {
    let now = world.now_ms;
    for (id, server) in &file.servers {
        let vswitch = world.vpc.vswitches.get_mut(&server.vswitch);
        let address = vswitch.and_then(|v| v.take_address(id, now));
        let server = Server {
            region: server.region.clone(),
            vswitch: server.vswitch.clone(),
            address,
            status: "Running".into(),
            cloud_assistant: server.cloud_assistant,
            since_ms: now,
        };
        world.ecs.servers.insert(id.clone(), server);
    }
}

/// The ECS instances.
pub fn inventory(world: &World) -> Vec<Thing> {
    let thing = |(id, server): (&String, &Server)| {
        Thing::new("ecs_instance", id, &server.region, "", server.since_ms)
    };
    world.ecs.servers.iter().map(thing).collect()
}

/// Answers one call.
pub fn handle(world: &mut World, call: &Call) -> Answer {
    match call.action.as_str() {
        "DescribeRegions" => Ok(regions(world)),
        "DescribeInstances" => instances(world, call),
        "DescribeCloudAssistantStatus" => assistants(world, call),
        "RunCommand" => command::run(world, call),
        "DescribeInvocations" => command::invocations(world, call),
        "DescribeInvocationResults" => command::results(world, call),
        _ => unknown_action(call),
    }
}

fn regions(world: &World) -> Value {
    let mut rows = vpc::region_rows(world, "ecs");
    for row in rows.iter_mut().filter_map(Value::as_object_mut) {
        row.insert("Status".into(), "available".into());
    }
    json!({"Regions": {"Region": rows}})
}

/// Pages as Ecs does: by number when asked for, else by token.
fn page(call: &Call, rows: Vec<Value>, shape: &[&str], max: usize) -> Answer {
    if call.get("PageNumber").is_some() || call.get("PageSize").is_some() {
        return by_number(call, rows, shape, max);
    }
    let mut answer = by_token(call, rows, shape, Size::new(10, max))?;
    if let Value::Object(fields) = &mut answer {
        fields.insert("PageNumber".into(), 1.into());
        fields.insert("PageSize".into(), 10.into());
    }
    Ok(answer)
}

fn instances(world: &World, call: &Call) -> Answer {
    let region = call.need("RegionId")?;
    let ids: Option<Vec<String>> = match call.get("InstanceIds") {
        None => None,
        Some(text) => Some(serde_json::from_str(text).map_err(|_| {
            Refusal::bad("InvalidInstanceIds.Malformed", "The specified InstanceIds are not valid.")
        })?),
    };
    let rows = world
        .ecs
        .servers
        .iter()
        .filter(|(id, server)| {
            let vswitch = world.vpc.vswitches.get(&server.vswitch);
            let vpc = vswitch.map_or("", |v| v.vpc.as_str());
            let zone = vswitch.map_or("", |v| v.zone.as_str());
            server.region == region
                && ids.as_ref().is_none_or(|ids| ids.contains(id))
                && wants(call, "VpcId", vpc)
                && wants(call, "VSwitchId", &server.vswitch)
                && wants(call, "ZoneId", zone)
                && wants(call, "Status", &server.status)
                // Instances of a world file have no tags.
                && call.tags().is_empty()
        })
        .map(|(id, server)| instance_row(world, id, server))
        .collect();
    page(call, rows, &["Instances", "Instance"], 100)
}

fn instance_row(world: &World, id: &str, server: &Server) -> Value {
    let vswitch = world.vpc.vswitches.get(&server.vswitch);
    let addresses: Vec<String> = server.address.iter().map(ToString::to_string).collect();
    json!({
        "InstanceId": id,
        "InstanceName": id,
        "HostName": id,
        "RegionId": server.region,
        "ZoneId": vswitch.map(|v| &v.zone),
        "Status": server.status,
        "InstanceNetworkType": "vpc",
        "InstanceType": "ecs.t6-c1m1.large",
        "InstanceChargeType": "PostPaid",
        "OSType": "linux",
        "OSName": "Alibaba Cloud Linux 3",
        "CreationTime": to_the_minute(server.since_ms),
        "StartTime": to_the_minute(server.since_ms),
        "Tags": {"Tag": []},
        "PublicIpAddress": {"IpAddress": []},
        "SecurityGroupIds": {"SecurityGroupId": []},
        "VpcAttributes": {
            "VpcId": vswitch.map(|v| &v.vpc),
            "VSwitchId": server.vswitch,
            "NatIpAddress": "",
            "PrivateIpAddress": {"IpAddress": addresses},
        },
    })
}

fn assistants(world: &World, call: &Call) -> Answer {
    let region = call.need("RegionId")?;
    let ids = call.list("InstanceId");
    let rows = world
        .ecs
        .servers
        .iter()
        .filter(|(id, s)| s.region == region && (ids.is_empty() || ids.contains(id)))
        .map(|(id, server)| {
            let beat = if server.cloud_assistant { world.now_ms } else { server.since_ms };
            json!({
                "InstanceId": id,
                "CloudAssistantStatus": server.cloud_assistant.to_string(),
                "CloudAssistantVersion": "2.2.4.900",
                "LastHeartbeatTime": rfc3339(beat),
                "LastInvokedTime": "",
                "OSType": "Linux",
                "ActiveTaskCount": 0,
                "InvocationCount": 0,
                "SupportSessionManager": true,
            })
        })
        .collect();
    let shape = ["InstanceCloudAssistantStatusSet", "InstanceCloudAssistantStatus"];
    page(call, rows, &shape, 50)
}

#[cfg(test)]
mod tests;
