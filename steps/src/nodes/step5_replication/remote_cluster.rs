//! The leader as a remote cluster of the follower, in proxy mode.

use super::copies::{IndexFate, Sight, copies, not_released};
use super::existing_indices::accounted;
use super::release::{in_use, release, unlisted, unreleased};
use crate::calls::{Calls, Declares};
use crate::elastic::{Cluster, Nudge, RemoteProxy};
use crate::nodes::prerequisites::{Prerequisites, Site};
use crate::nodes::step3_load_balancer::BackendHealthy;
use crate::nodes::step4_private_link::PrivateLinkDomain;
use crate::spec::Spec;
use crate::{Which, World};
use escrr_engine::{Act, Cx, Fault, NodeId, Patience, Remains, Report, Reverse, Seen, Step};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Sets the alias and waits until it is connected.
pub struct RemoteCluster;

/// The remote cluster.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Remote {
    /// The alias.
    pub alias: String,
    /// Where it connects to.
    pub address: String,
    /// Followers over the alias that were there before anything followed for this link.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub before: BTreeSet<String>,
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
        let mut wanted = Remote {
            alias: alias.to_owned(),
            address: format!("{domain}:{TRANSPORT_PORT}"),
            before: BTreeSet::new(),
        };
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
        let owned = cx.owns::<PrivateLinkDomain>();
        let followers = cluster.follow_info("_all").await?.into_iter();
        // Where the journal lost its intent, the alias hangs on our own private connection all the
        // same, and so do the followers over it.
        let over = followers
            .filter(|info| info.remote_cluster == alias && !(owned && cx.items.is_empty()));
        wanted.before = over.map(|info| info.follower_index).collect();
        Ok(if owned { Seen::Ours(wanted) } else { Seen::Ready(wanted) })
    }
}

/// Makes the cluster try again, and says why it could not connect.
async fn cause(cluster: &Cluster, alias: &str) -> Result<String, Fault> {
    Ok(match cluster.nudge(alias).await? {
        Nudge::Reached => format!("{alias} is connecting"),
        Nudge::Failed(why) => format!("{alias} is not connected: {why}"),
    })
}

/// Patterns that still use the alias: without it they would break.
async fn patterns(cluster: &Cluster, spec: &Spec) -> Result<Option<Report>, Fault> {
    let (alias, link) = (spec.remote_alias(), &spec.link);
    let all = cluster.auto_follows().await?.into_iter();
    let others: Vec<String> = all.filter(|p| p.remote_cluster == alias).map(|p| p.name).collect();
    if others.is_empty() {
        return Ok(None);
    }
    let deletes: Vec<String> =
        others.iter().map(|name| format!("DELETE /_ccr/auto_follow/{name}")).collect();
    Ok(Some(
        Report::new(
            format!("removing the remote cluster {alias}"),
            format!("auto-follow patterns still use it: {}", others.join(", ")),
        )
        .meaning(
            "escrr did not create them: the remote cluster is kept, with the network that it \
             needs and its cost",
        )
        .help(format!(
            "if they are not needed, on the follower: {}; then `escrr rollback {link}`",
            deletes.join(", ")
        )),
    ))
}

/// Another remote cluster over our network: it would go dead with it.
async fn same_address(
    cluster: &Cluster,
    spec: &Spec,
    domain: &str,
) -> Result<Option<Report>, Fault> {
    let (alias, link) = (spec.remote_alias(), &spec.link);
    let address = format!("{domain}:{TRANSPORT_PORT}");
    let all = cluster.remote_info().await?.into_iter();
    let others: Vec<String> = all
        .filter(|(name, info)| name != alias && info.proxy_address == address)
        .map(|(name, _)| name)
        .collect();
    Ok((!others.is_empty()).then(|| {
        Report::new(
            format!("removing the remote cluster {alias}"),
            format!("other remote clusters use its address {address}: {}", others.join(", ")),
        )
        .meaning("escrr did not create them: the network that they need is kept, with its cost")
        .help(format!(
            "if they are not needed, release their followers and remove them in Kibana (Remote \
             Clusters); then `escrr rollback {link}`"
        ))
    }))
}

impl Act for RemoteCluster {
    const REVERSE: Reverse = Reverse::Undo(
        "releases every follower that still uses the alias, then removes the alias with all its settings",
    );

    async fn act(&self, cx: &Cx<'_, Self>, _: &str) -> Result<Option<String>, Fault> {
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
        follower(cx.world, site)?.put_remote(remote).await.map(|()| None)
    }

    async fn remains(&self, cx: &Cx<'_, Self>) -> Result<Remains, Fault> {
        let cluster = follower(cx.world, &cx.needs.0)?;
        let spec = &cx.world.spec;
        let (alias, rule) = (spec.remote_alias(), spec.replication.on_rollback);
        let there = !cluster.remote_settings(alias).await?.is_empty();
        if let Some(report) = patterns(&cluster, spec).await?.filter(|_| there) {
            return Ok(Remains::Drifted(report));
        }
        if let Some(report) = same_address(&cluster, spec, &cx.needs.1).await? {
            return Ok(Remains::Drifted(report));
        }
        let sight = Sight::of(&cluster).await?;
        if let Some(why) = sight.unclear() {
            return Ok(Remains::Pending(why));
        }
        // What the auto-follow pattern made since the run is released here.
        let begun = copies(cx.undo_items);
        let (ours, foreign) = sight.others(spec, cx.output.as_ref().map(|remote| &remote.before));
        let (ours, foreign) = (not_released(ours, &begun), not_released(foreign, &begun));
        if let Some(remains) = unreleased(&sight, (&ours, &begun), rule) {
            return Ok(remains);
        }
        if let Some(why) = unlisted(&cluster, &sight, &begun).await? {
            return Ok(Remains::Pending(why));
        }
        if !there {
            let ended = begun.iter().map(|copy| sight.ended(copy, rule));
            let account: Vec<IndexFate> =
                ended.chain(foreign.iter().map(|copy| copy.left(alias))).collect();
            return accounted(&account);
        }
        if foreign.is_empty() {
            return Ok(Remains::Items(vec![ALIAS.to_owned()]));
        }
        Ok(Remains::Drifted(in_use(&spec.link, alias, &foreign)))
    }

    async fn undo(&self, cx: &Cx<'_, Self>, item: &str) -> Result<(), Fault> {
        let cluster = follower(cx.world, &cx.needs.0)?;
        if item != ALIAS {
            return release(&cluster, &cx.world.spec.link, item).await;
        }
        let settings = cluster.remote_settings(cx.world.spec.remote_alias()).await?;
        cluster.remove_remote(&settings).await
    }
}
