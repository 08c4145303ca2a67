//! Connections to remote clusters.

use super::context::Ctx;
use super::failure::{Failure, Outcome};
use super::model::{Cluster, State};
use super::{Reply, Unreachable, Wire};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// The connection behind one alias.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Link {
    pub(crate) phase: Phase,
    /// Since when the phase holds.
    pub(crate) since_ms: u64,
    /// When the alias was made.
    pub(crate) made_ms: u64,
    /// The cluster that answered first: another one later is refused.
    pub(crate) peer: Option<String>,
    /// Why the last attempt failed: type and reason.
    pub(crate) error: Option<(String, String)>,
}

/// How a connection stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Phase {
    /// Not connected; nothing tries.
    Idle,
    /// An attempt is under way and succeeds at the moment named.
    Connecting {
        /// The moment.
        until_ms: u64,
    },
    /// Connected.
    Connected,
}

impl Link {
    /// A connection that was not tried yet.
    pub(crate) fn new(now_ms: u64) -> Self {
        Self { phase: Phase::Idle, since_ms: now_ms, made_ms: now_ms, peer: None, error: None }
    }

    fn set(&mut self, phase: Phase, since_ms: u64) {
        self.phase = phase;
        self.since_ms = since_ms;
    }

    fn fail(&mut self, failure: &Failure, now_ms: u64) {
        self.error = Some((failure.kind.clone(), failure.reason.clone()));
        self.set(Phase::Idle, now_ms);
    }
}

/// `cluster.remote.<alias>.<leaf>` of a cluster.
pub(crate) fn remote_setting<'a>(
    cluster: &'a Cluster,
    alias: &str,
    leaf: &str,
) -> Option<&'a Value> {
    cluster.setting(&format!("cluster.remote.{alias}.{leaf}"))
}

fn remote_text<'a>(cluster: &'a Cluster, alias: &str, leaf: &str) -> Option<&'a str> {
    remote_setting(cluster, alias, leaf).and_then(Value::as_str)
}

/// Is the alias in proxy mode?
pub(crate) fn proxy_mode(cluster: &Cluster, alias: &str) -> bool {
    remote_text(cluster, alias, "mode").is_some_and(|m| m.eq_ignore_ascii_case("proxy"))
}

/// The seeds of a sniffing alias.
fn seeds(cluster: &Cluster, alias: &str) -> Vec<String> {
    match remote_setting(cluster, alias, "seeds") {
        Some(Value::Array(list)) => {
            list.iter().filter_map(Value::as_str).map(str::to_owned).collect()
        }
        Some(Value::String(text)) => {
            text.split(',').map(str::trim).filter(|s| !s.is_empty()).map(str::to_owned).collect()
        }
        _ => Vec::new(),
    }
}

/// Where the alias points to; `None` when it is not enabled.
pub(crate) fn address(cluster: &Cluster, alias: &str) -> Option<String> {
    if proxy_mode(cluster, alias) {
        remote_text(cluster, alias, "proxy_address").filter(|a| !a.is_empty()).map(str::to_owned)
    } else {
        seeds(cluster, alias).into_iter().next()
    }
}

/// Does a search go on without the alias when it cannot be reached?
pub(crate) fn skip_unavailable(cluster: &Cluster, alias: &str) -> bool {
    remote_text(cluster, alias, "skip_unavailable")
        .map_or(cluster.version.since(8, 15), |v| v == "true")
}

fn exception(why: &Unreachable) -> Failure {
    let status = if why.kind == "illegal_argument_exception" { 400 } else { 500 };
    Failure::new(status, &why.kind, why.reason.clone())
}

/// Goes through the whole path, the handshake too; gives the instance at its end.
pub(crate) fn probe(state: &State, wire: &dyn Wire, me: &str, alias: &str) -> Outcome<String> {
    let cluster = state.cluster(me)?;
    let link = cluster.links.get(alias).ok_or_else(|| Failure::no_remote(alias))?;
    let address = address(cluster, alias).ok_or_else(|| Failure::no_remote(alias))?;
    let peer = wire.connect(me, &address).map_err(|why| exception(&why))?;
    let shaken = |reason: String| {
        Failure::new(
            500,
            "connect_transport_exception",
            format!("[][{address}] handshake failed. {reason}"),
        )
    };
    let Some(other) = state.clusters.get(&peer) else {
        return Err(Failure::new(
            500,
            "connect_transport_exception",
            format!("[][{address}] connect_exception"),
        ));
    };
    if other.version < cluster.version.oldest_peer()
        || cluster.version < other.version.oldest_peer()
    {
        let (old, new) = if other.version < cluster.version {
            (other.version, cluster.version)
        } else {
            (cluster.version, other.version)
        };
        let reason = format!(
            "Received handshake message from unsupported version: [{old}] minimal compatible version is: [{}]",
            new.oldest_peer()
        );
        return Err(shaken(reason.clone()).because(Failure::new(
            500,
            "illegal_state_exception",
            reason,
        )));
    }
    if link.peer.as_ref().is_some_and(|known| *known != peer) {
        return Err(shaken(format!("unexpected remote cluster name [{}]", other.name)));
    }
    Ok(peer)
}

/// Starts an attempt when none is under way.
pub(crate) fn attempt(state: &mut State, wire: &dyn Wire, now_ms: u64, me: &str, alias: &str) {
    let seen = probe(state, wire, me, alias);
    let wait = wire.duration_ms("Es.Connect");
    let Some(link) = state.clusters.get_mut(me).and_then(|c| c.links.get_mut(alias)) else {
        return;
    };
    if link.phase != Phase::Idle {
        return;
    }
    match seen {
        Ok(peer) => {
            link.peer = Some(peer);
            link.error = None;
            let phase = if wait == 0 {
                Phase::Connected
            } else {
                Phase::Connecting { until_ms: now_ms + wait }
            };
            link.set(phase, now_ms);
        }
        Err(failure) => link.fail(&failure, now_ms),
    }
}

/// Uses the connection: gives the instance behind it, or why there is none.
///
/// An idle connection is tried again, which is all that ever re-opens it.
pub(crate) fn reach(
    state: &mut State,
    wire: &dyn Wire,
    now_ms: u64,
    me: &str,
    alias: &str,
) -> Outcome<String> {
    if !state.cluster(me)?.links.contains_key(alias) {
        return Err(Failure::no_remote(alias));
    }
    attempt(state, wire, now_ms, me, alias);
    let peer = probe(state, wire, me, alias)?;
    match state.cluster(me)?.links.get(alias).map(|l| l.phase) {
        Some(Phase::Connected) => Ok(peer),
        Some(Phase::Connecting { .. } | Phase::Idle) | None => Err(Failure::new(
            500,
            "connect_transport_exception",
            format!("Unable to connect to [{alias}]"),
        )),
    }
}

/// How many links the longest chain of clusters has; 0 if none is linked to another.
pub(crate) fn longest_chain(state: &State, wire: &dyn Wire) -> usize {
    let mut leaders: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for (me, cluster) in &state.clusters {
        let peers = cluster.links.keys().filter_map(|alias| probe(state, wire, me, alias).ok());
        let peers: Vec<String> = peers.collect();
        if !cluster.links.is_empty() {
            leaders.insert(me, peers);
        }
    }
    let (mut ends, mut length) = (leaders.keys().copied().collect::<BTreeSet<_>>(), 0);
    // A ring has no end: more rounds than clusters change nothing.
    while !ends.is_empty() && length < leaders.len() {
        length += 1;
        let above = ends.iter().filter_map(|me| leaders.get(me)).flatten();
        ends = above
            .filter_map(|peer| leaders.get_key_value(peer.as_str()))
            .map(|(k, _)| *k)
            .collect();
    }
    length
}

/// Lets the connections of all clusters follow the network, from `last_ms` to `now_ms`.
pub(crate) fn tick(state: &mut State, wire: &dyn Wire, last_ms: u64, now_ms: u64) {
    let all: Vec<(String, String, bool)> = state
        .clusters
        .iter()
        .flat_map(|(me, c)| c.links.keys().map(move |a| (me.clone(), a.clone(), in_use(c, a))))
        .collect();
    for (me, alias, used) in all {
        // The shard tasks and the auto-follower use the remote all the time, and so re-open it.
        if used {
            attempt(state, wire, last_ms, &me, &alias);
        }
        let seen = probe(state, wire, &me, &alias);
        let Some(link) = state.clusters.get_mut(&me).and_then(|c| c.links.get_mut(&alias)) else {
            continue;
        };
        match (link.phase, seen) {
            (Phase::Idle, _) | (Phase::Connected, Ok(_)) => {}
            (Phase::Connecting { until_ms }, Ok(_)) => {
                if until_ms <= now_ms {
                    link.set(Phase::Connected, until_ms);
                }
            }
            (Phase::Connecting { .. } | Phase::Connected, Err(failure)) => {
                link.fail(&failure, last_ms);
            }
        }
    }
}

/// Do tasks of the cluster itself use the alias?
fn in_use(cluster: &Cluster, alias: &str) -> bool {
    cluster.patterns.values().any(|p| p.active && p.remote == alias)
        || cluster
            .indices
            .values()
            .filter_map(|i| i.follow.as_ref())
            .any(|f| f.remote == alias && f.running())
}

/// `GET /_remote/info`.
pub(crate) fn info(ctx: &mut Ctx<'_>) -> Outcome {
    let cluster = ctx.cluster()?;
    let timeout = "30s";
    let mut all = Map::new();
    for (alias, link) in &cluster.links {
        let connected = link.phase == Phase::Connected;
        let skip = skip_unavailable(cluster, alias);
        let number = |leaf: &str, default: u64| {
            remote_text(cluster, alias, leaf).and_then(|t| t.parse().ok()).unwrap_or(default)
        };
        let entry = if proxy_mode(cluster, alias) {
            let sockets = number("proxy_socket_connections", 18);
            json!({
                "connected": connected,
                "mode": "proxy",
                "proxy_address": remote_text(cluster, alias, "proxy_address").unwrap_or(""),
                "server_name": remote_text(cluster, alias, "server_name").unwrap_or(""),
                "num_proxy_sockets_connected": if connected { sockets } else { 0 },
                "max_proxy_socket_connections": sockets,
                "initial_connect_timeout": timeout,
                "skip_unavailable": skip,
            })
        } else {
            let most = number("node_connections", 3);
            json!({
                "connected": connected,
                "mode": "sniff",
                "seeds": seeds(cluster, alias),
                "num_nodes_connected": if connected { most.min(3) } else { 0 },
                "max_connections_per_cluster": most,
                "initial_connect_timeout": timeout,
                "skip_unavailable": skip,
            })
        };
        all.insert(alias.clone(), entry);
    }
    Ok(Reply::ok(Value::Object(all)))
}
