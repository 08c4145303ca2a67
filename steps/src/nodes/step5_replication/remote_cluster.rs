//! The leader as a remote cluster of the follower, in proxy mode.

use super::release::{release, unreleased};
use crate::calls::{Calls, Declares};
use crate::elastic::{Cluster, Nudge, RemoteProxy};
use crate::nodes::prerequisites::{Prerequisites, Site};
use crate::nodes::step3_load_balancer::BackendHealthy;
use crate::nodes::step4_private_link::PrivateLinkDomain;
use crate::{Which, World};
use escrr_engine::{Act, Cx, Fault, NodeId, Patience, Remains, Report, Reverse, Seen, Step};
use serde::{Deserialize, Serialize};

/// Sets the alias and waits until it is connected.
pub struct RemoteCluster;

/// The remote cluster.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Remote {
    /// The alias.
    pub alias: String,
    /// Where it connects to.
    pub address: String,
}

/// The transport port of Elasticsearch, which the document names.
const TRANSPORT_PORT: u16 = 9300;
/// How many answers in a row have to say connected: each may come from another node.
const CONFIRMATIONS: u8 = 3;
/// Idle connections are kept alive across load balancers by this.
const PING: &str = "30s";
/// The item that stands for the alias; every other item is an index.
const ALIAS: &str = "alias of the remote cluster";

pub(super) fn follower(world: &World, site: &Site) -> Result<Cluster, Fault> {
    world.cluster(Which::Follower, &site.follower.instance)
}

impl Declares for RemoteCluster {
    const CALLS: Calls = Calls::NONE;
}

impl Step for RemoteCluster {
    type World = World;
    type Needs = (Prerequisites, PrivateLinkDomain, BackendHealthy);
    type Output = Remote;
    const ID: NodeId = NodeId::new("follower", "remote_cluster");
    const PHASE: u8 = 5;
    const TITLE: &'static str = "the leader as a remote cluster of the follower, connected";
    const PATIENCE: Patience = Patience::new(15, 900);

    async fn observe(&self, cx: &Cx<'_, Self>) -> Result<Seen<Remote>, Fault> {
        let (site, domain, ()) = &cx.needs;
        let cluster = follower(cx.world, site)?;
        let alias = cx.world.spec.remote_alias();
        let wanted =
            Remote { alias: alias.to_owned(), address: format!("{domain}:{TRANSPORT_PORT}") };
        let settings = cluster.remote_settings(alias).await?;
        if settings.is_empty() {
            return Ok(Seen::Absent(vec![ALIAS.to_owned()]));
        }
        let address = settings.get("proxy_address").unwrap_or_default();
        if settings.get("mode") != Some("proxy") || address != wanted.address {
            let tried = format!("checking the remote cluster {alias}");
            let said = format!(
                "it leads to {} in mode {}, not to {} in mode proxy",
                if address.is_empty() { "nothing" } else { address },
                settings.get("mode").unwrap_or("sniff"),
                wanted.address
            );
            return Ok(Seen::Drifted(Report::new(tried, said).help(
                "remove it, or choose another remote_alias in the spec, then `escrr resume`",
            )));
        }
        for _ in 0..CONFIRMATIONS {
            let info = cluster.remote_info().await?;
            if !info.get(alias).is_some_and(|remote| remote.connected) {
                return Ok(Seen::Pending(cause(&cluster, alias).await?));
            }
        }
        Ok(Seen::Ready(wanted))
    }
}

/// Makes the cluster try again, and says why it could not connect.
async fn cause(cluster: &Cluster, alias: &str) -> Result<String, Fault> {
    Ok(match cluster.nudge(alias).await? {
        Nudge::Reached => format!("{alias} is connecting"),
        Nudge::Failed(why) => format!("{alias} is not connected: {why}"),
    })
}

impl Act for RemoteCluster {
    const REVERSE: Reverse = Reverse::Undo(
        "releases every follower that still uses the alias, then removes the alias with all its settings",
    );

    async fn act(&self, cx: &Cx<'_, Self>, _: &str) -> Result<(), Fault> {
        let (site, domain, ()) = &cx.needs;
        let replication = &cx.world.spec.replication;
        let address = format!("{domain}:{TRANSPORT_PORT}");
        let remote = RemoteProxy {
            alias: cx.world.spec.remote_alias(),
            proxy_address: &address,
            socket_connections: Some(replication.proxy_socket_connections),
            skip_unavailable: replication.skip_unavailable,
            ping_schedule: Some(PING),
        };
        follower(cx.world, site)?.put_remote(remote).await
    }

    async fn remains(&self, cx: &Cx<'_, Self>) -> Result<Remains, Fault> {
        let cluster = follower(cx.world, &cx.needs.0)?;
        let alias = cx.world.spec.remote_alias();
        if cluster.remote_settings(alias).await?.is_empty() {
            return Ok(Remains::Nothing);
        }
        let patterns = cluster.auto_follows().await?;
        let others: Vec<String> =
            patterns.into_iter().filter(|p| p.remote_cluster == alias).map(|p| p.name).collect();
        if !others.is_empty() {
            let tried = format!("removing the remote cluster {alias}");
            let said = format!("auto-follow patterns still use it: {}", others.join(", "));
            return Ok(Remains::Drifted(
                Report::new(tried, said)
                    .help("delete these patterns if they are not needed, then `escrr rollback`"),
            ));
        }
        // What the auto-follow pattern made since is released here: without the alias it would break.
        let left = unreleased(&cluster, alias, None, cx.world.spec.replication.on_rollback).await?;
        Ok(Remains::Items(if left.is_empty() { vec![ALIAS.to_owned()] } else { left }))
    }

    async fn undo(&self, cx: &Cx<'_, Self>, item: &str) -> Result<(), Fault> {
        let cluster = follower(cx.world, &cx.needs.0)?;
        if item != ALIAS {
            return release(&cluster, item, cx.world.spec.replication.on_rollback).await;
        }
        let settings = cluster.remote_settings(cx.world.spec.remote_alias()).await?;
        cluster.remove_remote(&settings).await
    }
}
