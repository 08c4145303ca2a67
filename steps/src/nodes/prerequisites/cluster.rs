//! One cluster answers, and lets the user do what steps 5 and 6 need: looking at its indices
//! takes that.
//!
//! What it can do is judged by [`License`](super::License), so that a missing license hides
//! nothing else.

use super::Instance;
use crate::calls::{Calls, Declares};
use crate::elastic::{Cluster, WantedPrivileges};
use crate::nodes::step5_replication::follower_name;
use crate::rules::{self, Problems};
use crate::spec::Spec;
use crate::version::Version;
use crate::{Side, Which, World};
use escrr_engine::{Cx, Fault, NodeId, Patience, Seen, Step};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Asks the cluster on one side.
#[derive(Default)]
pub struct ClusterGate<S>(pub S);

/// What others need to know of a cluster.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ClusterFacts {
    /// Its name.
    pub name: String,
    /// Its UUID.
    pub uuid: String,
    /// Its version, as it says itself.
    pub version: Version,
    /// The way in that answered, for example `kibana (es-cn-….kibana.…:5601)`.
    #[serde(default)]
    pub access: String,
}

impl<S: Side> Declares for ClusterGate<S> {
    const CALLS: Calls = Calls::NONE;
}

impl<S: Side> Step for ClusterGate<S> {
    type World = World;
    type Needs = (Instance<S>,);
    type Output = ClusterFacts;
    const ID: NodeId = NodeId::new(S::WHICH.name(), "cluster");
    const PHASE: u8 = 0;
    const TITLE: &'static str = "the cluster answers, and the user may replicate";
    const PATIENCE: Patience = Patience::new(1, 20);

    async fn observe(&self, cx: &Cx<'_, Self>) -> Result<Seen<ClusterFacts>, Fault> {
        let (facts,) = &cx.needs;
        let cluster = cx.world.cluster(S::WHICH, facts)?.for_saga(&cx.saga.to_string());
        let mut problems = Problems::of(&cx.world.memory, Self::ID);
        let found = known(&cluster).await?;
        problems.add_all(&rules::PRIVILEGES, unprivileged(&cluster, S::WHICH, cx.world).await?);
        problems.judged(format!("checking the {} cluster {}", S::WHICH, facts.instance))?;
        Ok(Seen::Ready(found))
    }
}

/// What the cluster says of itself now; version 0.0.0 where that is no version.
pub(super) async fn known(cluster: &Cluster) -> Result<ClusterFacts, Fault> {
    let info = cluster.info().await?;
    let access = cluster.way().map(|(way, place)| format!("{way} ({place})"));
    Ok(ClusterFacts {
        name: info.cluster_name,
        uuid: info.cluster_uuid,
        version: Version::parse(&info.version).unwrap_or_default(),
        access: access.unwrap_or_default(),
    })
}

async fn unprivileged(
    cluster: &Cluster,
    which: Which,
    world: &World,
) -> Result<Option<String>, Fault> {
    let (privileges, index) = wanted(&world.spec, which);
    let has =
        cluster.has_privileges(WantedPrivileges { cluster: privileges, index: &index }).await?;
    Ok((!has.all).then(|| format!("the user lacks {}", has.missing.join(", "))))
}

/// Names of indices, and what is needed on each of them.
type OnIndices = Vec<(Vec<String>, &'static [&'static str])>;

/// What steps 5 and 6 need on one side: privileges on the cluster, and on indices.
fn wanted(spec: &Spec, which: Which) -> (&'static [&'static str], OnIndices) {
    let meant = spec.patterns().into_iter().chain(spec.replication.indices.iter().cloned());
    // Verification refreshes what it counts, and makes an index of its own that a pattern catches.
    match which {
        Which::Leader => {
            let probes = if spec.verify.probe { spec.patterns() } else { Vec::new() };
            let index: OnIndices = vec![
                (distinct(meant), &["read", "monitor", "view_index_metadata", "maintenance"]),
                (distinct(probes.into_iter()), &["create_index", "write", "delete_index"]),
            ];
            (&["monitor", "read_ccr"], index)
        }
        Which::Follower => {
            let names = meant.map(|name| follower_name(spec, &name));
            let index: OnIndices = vec![(
                distinct(names),
                &["read", "monitor", "write", "manage", "manage_follow_index"],
            )];
            (&["monitor", "manage", "manage_ccr"], index)
        }
    }
}

fn distinct(names: impl Iterator<Item = String>) -> Vec<String> {
    names.collect::<BTreeSet<_>>().into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(replication: &str) -> Spec {
        let text = format!("{}{replication}\n", crate::spec::defaults::SANDBOX);
        Spec::parse(&text, "a test").unwrap()
    }

    #[test]
    fn privileges_are_asked_for_on_every_name_that_is_read_or_made() {
        let spec = spec("indices = [\"orders\"]\nfollow_index_pattern = \"{{leader_index}}-copy\"");
        let (cluster, index) = wanted(&spec, Which::Leader);
        assert_eq!(cluster, ["monitor", "read_ccr"]);
        assert_eq!(index[0].0, ["logs-*", "orders"]);
        assert!(["read", "monitor", "view_index_metadata"].iter().all(|p| index[0].1.contains(p)));
        // The probe alone is written, and only where it can be.
        assert_eq!(index[1].0, ["logs-*"]);
        assert!(index[1].1.contains(&"write") && !index[0].1.contains(&"write"));
        let (_, index) = wanted(&spec, Which::Follower);
        assert_eq!(index[0].0, ["logs-*-copy", "orders-copy"]);
        assert!(index[0].1.contains(&"manage_follow_index"));
    }

    #[test]
    fn nothing_is_written_on_the_leader_without_a_probe() {
        let spec = spec("\n[verify]\nprobe = false");
        let (_, index) = wanted(&spec, Which::Leader);
        assert!(index.iter().all(|(names, p)| names.is_empty() || !p.contains(&"write")));
    }
}
