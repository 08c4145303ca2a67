//! First the announcement, on the disk, then the call: for every change that was asked for.
//!
//! An entry names its node and the hash of the entry before it, so the write that brings it to
//! the disk is known by these bytes, whatever the format; it is certain after the next sync of
//! that file.

use crate::acknowledged::{sent, token};
use crate::cut::{Recorded, there_and_back};
use crate::record::{Act, line};
use escrr_engine::store::Reading;
use serde_json::Value;
use std::collections::BTreeMap;

/// Which nodes a change may belong to; `@` is the side whose region it names.
struct Rule {
    /// The name in the sandbox's log.
    action: &'static str,
    /// Method, and a part of the path; empty for calls that carry their action's name.
    request: (&'static str, &'static str),
    nodes: &'static [&'static str],
}

const fn rpc(action: &'static str, nodes: &'static [&'static str]) -> Rule {
    Rule { action, request: ("", ""), nodes }
}

const fn path(
    action: &'static str,
    request: (&'static str, &'static str),
    nodes: &'static [&'static str],
) -> Rule {
    Rule { action, request, nodes }
}

const INDICES: &[&str] = &["follower.existing_indices", "verify.probe_removed"];
const PROBE: &[&str] = &["verify.incremental", "verify.probe_removed"];

const RULES: &[Rule] = &[
    rpc("CreateCen", &["network.cen"]),
    rpc("DeleteCen", &["network.cen"]),
    rpc("CreateTransitRouter", &["@.transit_router"]),
    rpc("DeleteTransitRouter", &["@.transit_router"]),
    rpc("CreateTransitRouterPeerAttachment", &["network.peer_attachment"]),
    rpc("DeleteTransitRouterPeerAttachment", &["network.peer_attachment"]),
    rpc("CreateTransitRouterVpcAttachment", &["@.vpc_attachment"]),
    rpc("DeleteTransitRouterVpcAttachment", &["@.vpc_attachment"]),
    rpc("AssociateTransitRouterAttachmentWithRouteTable", &["@.associate_vpc", "@.associate_peer"]),
    rpc(
        "DissociateTransitRouterAttachmentFromRouteTable",
        &["@.associate_vpc", "@.associate_peer"],
    ),
    rpc("EnableTransitRouterRouteTablePropagation", &["@.propagate_vpc", "@.propagate_peer"]),
    rpc("DisableTransitRouterRouteTablePropagation", &["@.propagate_vpc", "@.propagate_peer"]),
    rpc("RunCommand", &["leader.private_ip"]),
    rpc("AddServersToServerGroup", &["follower.backend"]),
    rpc("RemoveServersFromServerGroup", &["follower.backend"]),
    rpc("CreateListener", &["follower.listener"]),
    rpc("DeleteListener", &["follower.listener"]),
    rpc("CreateLoadBalancer", &["follower.load_balancer"]),
    rpc("DeleteLoadBalancer", &["follower.load_balancer"]),
    rpc("CreateServerGroup", &["follower.server_group"]),
    rpc("DeleteServerGroup", &["follower.server_group"]),
    rpc("CreateVpcEndpointService", &["follower.endpoint_service"]),
    rpc("DeleteVpcEndpointService", &["follower.endpoint_service"]),
    rpc("DetachResourceFromVpcEndpointService", &["follower.endpoint_service"]),
    rpc("CreateVSwitch", &["@.vswitches"]),
    rpc("DeleteVSwitch", &["@.vswitches"]),
    path("ModifyWhiteIps", ("POST", "/actions/modify-white-ips"), &["leader.allow_list"]),
    path("CreateVpcEndpoint", ("POST", "/vpc-endpoints"), &["follower.private_connection"]),
    path("DeleteVpcEndpoint", ("DELETE", "/vpc-endpoints"), &["follower.private_connection"]),
    path("PutSettings", ("PUT", "/_cluster/settings"), &["follower.remote_cluster"]),
    path("PutAutoFollow", ("PUT", "/_ccr/auto_follow/"), &["follower.auto_follow"]),
    path("DeleteAutoFollow", ("DELETE", "/_ccr/auto_follow/"), &["follower.auto_follow"]),
    path("PutFollow", ("PUT", "/_ccr/follow"), INDICES),
    path("PauseFollow", ("POST", "/_ccr/pause_follow"), INDICES),
    path("CloseIndex", ("POST", "/_close"), INDICES),
    path("Unfollow", ("POST", "/_ccr/unfollow"), INDICES),
    path("OpenIndex", ("POST", "/_open"), INDICES),
    path("IndexDocument", ("PUT", "/_doc/"), PROBE),
    path("DeleteDocument", ("DELETE", "/_doc/"), PROBE),
    path("Update", ("POST", "/_update/"), PROBE),
    path("CreateIndex", ("PUT", "/logs-escrr_probe_"), PROBE),
    path("DeleteIndex", ("DELETE", "/logs-escrr_probe_"), PROBE),
];

impl Rule {
    /// The first rule that a request answers to; more special paths stand first.
    fn of(text: &str) -> Option<&'static Self> {
        let mut words = text.lines().next().unwrap_or_default().split(' ');
        let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let body = text.split("\r\n\r\n").nth(1).unwrap_or_default();
        let action = body.split('&').find_map(|pair| pair.strip_prefix("Action="));
        RULES.iter().find(|rule| match rule.request {
            ("", _) => action == Some(rule.action),
            (wanted, part) => method == wanted && target.contains(part),
        })
    }

    /// The nodes that may have asked for it.
    fn nodes(&self, text: &str) -> Vec<String> {
        let side = if text.contains("RegionId=cn-shanghai") { "leader" } else { "follower" };
        self.nodes.iter().map(|node| node.replace('@', side)).collect()
    }
}

/// An entry, and what its process did with it.
struct Durable {
    node: String,
    kind: String,
    token: Option<String>,
    /// The sync that made it certain; none, if there was none.
    certain: Option<usize>,
    /// When it was told on stdout.
    told: Option<usize>,
}

impl Durable {
    fn announces(&self) -> bool {
        self.kind.ends_with("intended")
    }
}

/// The entries of every journal, in order, with the acts that made them certain.
fn durable(recorded: &Recorded) -> Vec<Durable> {
    let state = recorded.env.home.path().join("state");
    let reading = Reading::open(&state).unwrap();
    let mut found = Vec::new();
    for head in reading.heads().unwrap() {
        let entries = reading.entries(head.saga, 1).unwrap();
        for (entry, line) in entries.iter().zip(&recorded.journals.0[&head.link]).skip(1) {
            let line: Value = serde_json::from_str(line).unwrap();
            let text = |key: &str| line[key].as_str().map(str::to_owned);
            let seq = usize::try_from(entry.version).unwrap();
            let told = recorded.promises.iter().find(|promise| {
                let said = matches!(recorded.acts[promise.act], Act::Say { .. });
                said && promise.seq == seq && promise.link == head.link
            });
            let node = text("node").unwrap_or_default();
            found.push(Durable {
                kind: text("type").unwrap_or_default(),
                token: text("token"),
                certain: certain(&recorded.acts, &entry.previous, &node),
                told: told.map(|promise| promise.act),
                node,
            });
        }
    }
    found
}

/// The first sync of a file after an entry was written to it: the hash, as text or as it is,
/// and the node.
fn certain(acts: &[Act], hash: &str, node: &str) -> Option<usize> {
    let bytes = (0..hash.len() / 2).map(|at| u8::from_str_radix(&hash[2 * at..2 * at + 2], 16));
    let bytes: Vec<u8> = bytes.map(Result::unwrap).collect();
    let hashed = |data: &[u8]| contains(data, &bytes) || contains(data, hash.as_bytes());
    let written = |act: &Act| {
        let Act::Write { path, inode, data, .. } = act else { return None };
        let holds = path.contains("/store/") && hashed(data) && contains(data, node.as_bytes());
        holds.then_some(*inode)
    };
    let (at, file) = acts.iter().enumerate().find_map(|(at, act)| Some((at, written(act)?)))?;
    let synced = |act: &Act| matches!(act, Act::Sync { inode, .. } if *inode == file);
    acts[at..].iter().position(synced).map(|after| at + after)
}

/// Does a text stand in some bytes? Its first byte is looked for first: records are long.
fn contains(mut bytes: &[u8], text: &[u8]) -> bool {
    if text.is_empty() {
        return true;
    }
    while let Some(at) = bytes.iter().position(|byte| *byte == text[0]) {
        if bytes[at..].starts_with(text) {
            return true;
        }
        bytes = &bytes[at + 1..];
    }
    false
}

/// Changes without an intent that was certain before; and how many had one, by token and by node.
fn unannounced(acts: &[Act], entries: &[Durable]) -> (Vec<String>, BTreeMap<&'static str, usize>) {
    let (mut breaches, mut checked) = (Vec::new(), BTreeMap::new());
    for (at, act) in acts.iter().enumerate() {
        let Some(request) = sent(act) else { continue };
        let text = String::from_utf8_lossy(request);
        let Some(rule) = Rule::of(&text) else { continue };
        let before = |entry: &&Durable| entry.certain.is_some_and(|sync| sync < at);
        let named = token(request)
            .and_then(|token| entries.iter().find(|entry| entry.token.as_deref() == Some(&token)));
        let open = |node: &String| {
            let known = |entry: &&Durable| {
                let told = entry.told.is_some_and(|told| told < at);
                entry.node == *node && (told || entry.announces() && before(entry))
            };
            entries.iter().rfind(known).is_some_and(|e| e.announces() && before(&e))
        };
        let (how, announced) = match named {
            Some(entry) => ("by token", before(&entry)),
            None => ("by node", rule.nodes(&text).iter().any(open)),
        };
        *checked.entry(how).or_insert(0) += 1;
        if !announced {
            breaches.push(format!("act {at}, {}: {}", rule.action, line(act)));
        }
    }
    (breaches, checked)
}

/// The changes that the sandbox has seen, and those that the rules find in the record.
fn same_changes(recorded: &Recorded) {
    let log =
        recorded.env.escrr(&["sandbox", "log", "--output", "json"]).exits(0).json()["requests"]
            .clone();
    let mut seen = BTreeMap::new();
    for row in log.as_array().unwrap().iter().filter(|row| row["mutating"] == true) {
        *seen.entry(row["action"].as_str().unwrap().to_owned()).or_insert(0) += 1;
    }
    let mut found = BTreeMap::new();
    for request in recorded.acts.iter().filter_map(sent) {
        if let Some(rule) = Rule::of(&String::from_utf8_lossy(request)) {
            *found.entry(rule.action.to_owned()).or_insert(0) += 1;
        }
    }
    assert_eq!(found, seen, "the rules above have to find every change that the sandbox saw");
}

#[test]
fn every_change_was_announced_on_the_disk_before_it_was_asked_for() {
    let Some(recorder) = crate::recorder() else { return };
    let whole = there_and_back(&recorder);
    same_changes(&whole);
    let entries = durable(&whole);
    assert!(entries.iter().all(|entry| entry.certain.is_some()), "an entry was never synced");
    let (breaches, checked) = unannounced(&whole.acts, &entries);
    println!("changes that were announced before, found {checked:?}");
    assert!(breaches.is_empty(), "not announced before:\n{}", breaches.join("\n"));
    assert!(checked["by token"] > 20 && checked["by node"] > 20, "{checked:?}");
    // And the test sees it if the order is another one.
    let late = entries.into_iter().map(|entry| Durable {
        certain: entry.certain.map(|sync| sync + whole.acts.len()),
        ..entry
    });
    let (breaches, _) = unannounced(&whole.acts, &late.collect::<Vec<_>>());
    assert_eq!(breaches.len(), checked.values().sum::<usize>());
}
