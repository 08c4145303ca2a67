//! The leader's private addresses: from the spec, by DNS, or from inside its VPC.

use crate::aliyun::ecs::{Ecs, InvocationResult, RunCommand};
use crate::aliyun::{Action, Product};
use crate::calls::{Calls, Declares};
use crate::dns::resolve;
use crate::nodes::prerequisites::{InstanceFacts, Prerequisites};
use crate::world::Resolution;
use crate::{Leader, Side as _, World};
use escrr_engine::{Act, Clock, Cx, Fault, NodeId, Patience, Remains, Report, Reverse, Seen, Step};
use ipnet::Ipv4Net;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

/// Finds the addresses; every one has to lie inside the leader's VPC.
pub struct PrivateIp;

/// The addresses and how they were found.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Addresses {
    /// All addresses, in order.
    pub addresses: Vec<Ipv4Addr>,
    /// `spec`, `dns`, `dns server …` or `cloud assistant on i-…`.
    pub found_by: String,
}

/// How long the command may run on the ECS instance, in seconds.
const COMMAND_SECONDS: u32 = 60;
/// What an invocation is called that may still bring something.
const UNDER_WAY: [&str; 5] = ["Pending", "Scheduled", "Running", "Stopping", ""];
/// Between two looks at it, in milliseconds.
const PAUSE_MS: u64 = 2_000;

/// Only these characters ever meet a shell.
fn is_plain(domain: &str) -> bool {
    !domain.is_empty()
        && domain.len() <= 253
        && domain.chars().all(|c| c.is_ascii_alphanumeric() || c == '.' || c == '-')
        && !domain.starts_with('-')
}

fn inside(cx: &Cx<'_, PrivateIp>, address: Ipv4Addr) -> bool {
    cx.needs.0.leader.blocks.iter().any(|b| b.contains(&address))
}

fn judged(cx: &Cx<'_, PrivateIp>, found: BTreeSet<Ipv4Addr>, by: &str) -> Result<Addresses, Fault> {
    let outside: Vec<String> =
        found.iter().filter(|a| !inside(cx, **a)).map(ToString::to_string).collect();
    if found.is_empty() || !outside.is_empty() {
        let facts = &cx.needs.0.leader;
        let blocks: Vec<String> = facts.blocks.iter().map(ToString::to_string).collect();
        let said = if found.is_empty() {
            "no address came back".to_owned()
        } else {
            format!("{} not inside the leader's VPC ({})", outside.join(", "), blocks.join(", "))
        };
        let tried = format!("finding the private address of {} by {by}", facts.instance.domain);
        return Err(Fault::refused(Report::new(tried, said).help(
            "put the leader's private addresses into the spec: [leader_address] addresses = [\"…\"]",
        )));
    }
    Ok(Addresses { addresses: found.into_iter().collect(), found_by: by.to_owned() })
}

/// What the named DNS server says, else the system's resolver if all of it lies inside the VPC.
async fn by_dns(cx: &Cx<'_, PrivateIp>) -> Result<Option<Addresses>, Fault> {
    let domain = &cx.needs.0.leader.instance.domain;
    if let Some(server) = cx.world.spec.leader_address.dns_server {
        let id = u16::try_from(cx.now_ms & 0xffff).unwrap_or_default();
        let found = resolve(server, domain, id).await?;
        return judged(cx, found, &format!("dns server {server}")).map(Some);
    }
    if cx.world.resolution != Resolution::System {
        return Ok(None);
    }
    Ok(by_system(domain).await.and_then(|found| judged(cx, found, "dns").ok()))
}

/// What the system's resolver says.
async fn by_system(domain: &str) -> Option<BTreeSet<Ipv4Addr>> {
    let found = tokio::net::lookup_host((domain, 9300)).await.ok()?;
    let four = |address: SocketAddr| match address.ip() {
        IpAddr::V4(v4) => Some(v4),
        IpAddr::V6(_) => None,
    };
    Some(found.filter_map(four).collect())
}

/// An answer without an address, or with one outside the VPC, says nothing of the leader.
fn usable(
    found: BTreeSet<Ipv4Addr>,
    facts: &InstanceFacts,
    blocks: &[Ipv4Net],
) -> Result<BTreeSet<Ipv4Addr>, Fault> {
    let lies = |a: &Ipv4Addr| blocks.iter().any(|block| block.contains(a));
    if !found.is_empty() && found.iter().all(lies) {
        return Ok(found);
    }
    let tried = format!("resolving {}", facts.domain);
    Err(Fault::refused(Report::new(
        tried,
        format!("no address inside the VPC came back: {found:?}"),
    )))
}

/// The leader's addresses as they are now, asked for anew by the ways of the node; those that
/// the spec names are no answer.
///
/// Where only an ECS instance can tell, a command runs on it and is waited for, a minute at most.
pub(crate) async fn addresses_now(
    world: &World,
    (facts, blocks): (&InstanceFacts, &[Ipv4Net]),
    (clock, token): (&dyn Clock, &str),
) -> Result<BTreeSet<Ipv4Addr>, Fault> {
    if let Some(server) = world.spec.leader_address.dns_server {
        let id = u16::try_from(clock.now_ms() & 0xffff).unwrap_or_default();
        let found = resolve(server, &facts.domain, id).await?;
        return usable(found, facts, blocks);
    }
    if world.resolution == Resolution::System
        && let Some(found) = by_system(&facts.domain).await
        && let Ok(found) = usable(found, facts, blocks)
    {
        return Ok(found);
    }
    let instance = helper(world, facts).await?;
    let client = world.cloud.ecs(&facts.region);
    let invocation = start(world, facts, &instance, token).await?;
    let until_ms = clock.now_ms() + u64::from(COMMAND_SECONDS) * 1_000;
    loop {
        let result = client.describe_invocation_results(&invocation).await?.into_iter().next();
        match result {
            Some(result) if result.status == "Success" => {
                return usable(read(&result.output), facts, blocks);
            }
            Some(result) if !UNDER_WAY.contains(&result.status.as_str()) => {
                return Err(Fault::refused(failed(&instance, &result.status, &result)));
            }
            Some(_) | None if clock.now_ms() >= until_ms => {
                let tried = format!("resolving the leader's domain on {instance}");
                return Err(Fault::transient(Report::new(tried, "there is no answer yet")));
            }
            Some(_) | None => drop(clock.wait_until(clock.now_ms() + PAUSE_MS).await),
        }
    }
}

/// Instances whose agents one call may ask about.
const MOST_ASKED: usize = 50;

/// The instances of these that can run a shell script now, in order.
async fn able(client: &Ecs<'_>, ids: &[String]) -> Result<Vec<String>, Fault> {
    let mut able = Vec::new();
    for some in ids.chunks(MOST_ASKED) {
        let statuses = client.describe_assistant_status(some).await?;
        // A shell script does not run on Windows.
        let alive = statuses.into_iter().filter(|s| s.alive && s.os_type != "Windows");
        able.extend(alive.map(|s| s.instance_id));
    }
    able.sort();
    Ok(able)
}

/// The ECS instance in the leader's VPC that can run a command: the named one, or the first.
async fn helper(world: &World, facts: &InstanceFacts) -> Result<String, Fault> {
    let client = world.cloud.ecs(&facts.region);
    let running = client.describe_running_instances(&facts.vpc).await?;
    let ids: Vec<String> = running.into_iter().map(|i| i.instance_id).collect();
    let alive = able(&client, &ids).await?;
    let named = world.spec.leader_address.ecs_instance.as_ref();
    let chosen = match named {
        Some(id) => alive.iter().find(|i| *i == id),
        None => alive.first(),
    };
    chosen.cloned().ok_or_else(|| {
        let said = match named {
            Some(id) => format!("{id} does not run in {} with a working Cloud Assistant", facts.vpc),
            None => format!("no ECS instance in {} runs with a working Cloud Assistant", facts.vpc),
        };
        let tried = format!("finding the private address of {}", facts.domain);
        Fault::refused(Report::new(tried, said).meaning("the name does not resolve from here either").help(
            "resolve it on a machine in that VPC and put the result into the spec: [leader_address] addresses = [\"…\"]",
        ))
    })
}

/// Starts the command, or finds the one that was started with the same token.
async fn run(cx: &Cx<'_, PrivateIp>, instance: &str) -> Result<String, Fault> {
    let facts = &cx.needs.0.leader.instance;
    let invocation = start(cx.world, facts, instance, &cx.token(instance)).await?;
    cx.world.memory.remember_invocation(cx.saga, &invocation);
    Ok(invocation)
}

async fn start(
    world: &World,
    facts: &InstanceFacts,
    instance: &str,
    token: &str,
) -> Result<String, Fault> {
    if !is_plain(&facts.domain) {
        let tried = format!("resolving {:?}", facts.domain);
        return Err(Fault::refused(Report::new(tried, "this is not a plain domain name")));
    }
    let script = format!("getent ahostsv4 {0} || nslookup {0}", facts.domain);
    let ask = RunCommand {
        instance_id: instance,
        script: &script,
        name: "escrr-resolve-leader",
        timeout_s: COMMAND_SECONDS,
        token,
    };
    world.cloud.ecs(&facts.region).run_command(ask).await
}

/// The addresses in what `getent ahostsv4` wrote, or `nslookup` in its place.
fn read(output: &str) -> BTreeSet<Ipv4Addr> {
    // `nslookup` first names the server that it asks, which is no address of the leader.
    let answer = match output.find("Name:") {
        Some(at) => output.get(at..).unwrap_or_default(),
        None if output.contains("Server:") => "",
        None => output,
    };
    let words = answer.split(|c: char| c.is_whitespace() || c == '#');
    words.filter_map(|word| word.parse().ok()).collect()
}

impl Declares for PrivateIp {
    const CALLS: Calls = Calls {
        look: &[
            Action::new(Product::Ecs, "DescribeInstances"),
            Action::new(Product::Ecs, "DescribeCloudAssistantStatus"),
        ],
        act: &[
            Action::new(Product::Ecs, "RunCommand"),
            Action::new(Product::Ecs, "DescribeInvocationResults"),
        ],
        undo: &[],
    };
}

impl Step for PrivateIp {
    type World = World;
    type Needs = (Prerequisites,);
    type Output = Addresses;
    const ID: NodeId = NodeId::new(Leader::WHICH.name(), "private_ip");
    const PHASE: u8 = 2;
    const TITLE: &'static str = "the leader's private addresses";
    const PATIENCE: Patience = Patience::new(5, 180);

    async fn observe(&self, cx: &Cx<'_, Self>) -> Result<Seen<Addresses>, Fault> {
        let given = &cx.world.spec.leader_address.addresses;
        if !given.is_empty() {
            return judged(cx, given.iter().copied().collect(), "spec").map(Seen::Theirs);
        }
        if let Some(found) = by_dns(cx).await? {
            return Ok(Seen::Theirs(found));
        }
        // Once it is known, only a look at the whole link asks again, and that runs no command.
        if let Some(known) = &cx.output {
            return judged(cx, known.addresses.iter().copied().collect(), &known.found_by)
                .map(Seen::Ours);
        }
        let Some(instance) = cx.items.iter().next() else {
            return Ok(Seen::Absent(vec![helper(cx.world, &cx.needs.0.leader.instance).await?]));
        };
        let invocation = match cx.world.memory.invocation(cx.saga) {
            Some(invocation) => invocation,
            // The token makes this the invocation that was announced, not another one.
            None => run(cx, instance).await?,
        };
        let region = &cx.needs.0.leader.instance.region;
        let results = cx.world.cloud.ecs(region).describe_invocation_results(&invocation).await?;
        let Some(result) = results.into_iter().next() else {
            return Ok(Seen::Pending(format!("{instance} has not answered yet")));
        };
        match result.status.as_str() {
            "Success" if result.exit_code.unwrap_or(0) == 0 && result.dropped_bytes == 0 => {
                let found = read(&result.output);
                judged(cx, found, &format!("cloud assistant on {instance}")).map(Seen::Ours)
            }
            status if UNDER_WAY.contains(&status) => {
                Ok(Seen::Pending(format!("the command on {instance} is {}", result.status)))
            }
            status => Err(Fault::refused(failed(instance, status, &result))),
        }
    }
}

fn failed(instance: &str, status: &str, result: &InvocationResult) -> Report {
    // Where a part of the output is missing, an address may be.
    let cut = match result.dropped_bytes {
        0 => String::new(),
        bytes => format!("{bytes} bytes of its output were cut off"),
    };
    let details = [&cut, &result.error_code, &result.error_info, &result.output];
    let details: Vec<&str> = details.iter().map(|d| d.trim()).filter(|d| !d.is_empty()).collect();
    Report::new(
        format!("resolving the leader's domain on {instance}"),
        format!("the command ended as {status}: {}", details.join("; ")),
    )
    .help("put the leader's private addresses into the spec: [leader_address] addresses = [\"…\"]")
}

impl Act for PrivateIp {
    const REVERSE: Reverse = Reverse::Keep("a finished command on an ECS instance leaves nothing");

    async fn act(&self, cx: &Cx<'_, Self>, item: &str) -> Result<Option<String>, Fault> {
        run(cx, item).await.map(|_| None)
    }

    async fn remains(&self, _: &Cx<'_, Self>) -> Result<Remains, Fault> {
        Ok(Remains::Nothing)
    }

    async fn undo(&self, _: &Cx<'_, Self>, _: &str) -> Result<(), Fault> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_names_meet_a_shell() {
        assert!(is_plain("es-cn-1.elasticsearch.aliyuncs.com"));
        for bad in ["", "a b", "a;reboot", "$(x)", "-a", "a\n", "a`b"] {
            assert!(!is_plain(bad), "{bad:?}");
        }
    }

    #[test]
    fn addresses_are_read_from_getent_and_nslookup() {
        let both = ["10.1.1.5", "10.1.1.6"].map(|a| a.parse().unwrap()).into();
        assert_eq!(read("10.1.1.5 STREAM x\n10.1.1.5 DGRAM\n10.1.1.6 RAW\n"), both);
        let bind = "Server:\t\t10.1.0.2\nAddress:\t10.1.0.2#53\n\nNon-authoritative answer:\n\
                    Name:\tx\nAddress: 10.1.1.5\nName:\tx\nAddress: 10.1.1.6\n";
        assert_eq!(read(bind), both);
        let busybox = "Server:    10.1.0.2\nAddress 1: 10.1.0.2\n\nName:      x\n\
                       Address 1: 10.1.1.5\nAddress 2: 10.1.1.6\n";
        assert_eq!(read(busybox), both);
    }

    #[test]
    fn the_server_that_was_asked_is_no_address_of_the_leader() {
        let nothing = "Server:\t\t10.1.0.2\nAddress:\t10.1.0.2#53\n\n** server can't find x\n";
        assert!(read(nothing).is_empty());
    }
}
