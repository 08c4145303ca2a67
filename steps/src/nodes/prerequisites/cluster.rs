//! One cluster answers, and lets the user do what steps 5 and 6 need: looking at its indices
//! takes that.
//!
//! What it can do is judged by [`License`](super::License), so that a missing license hides
//! nothing else.

use super::Instance;
use crate::calls::{Calls, Declares};
use crate::elastic::{Cluster, WantedPrivileges};
use crate::rules::{self, Problems};
use crate::version::Version;
use crate::{Side, Which, World};
use escrr_engine::{Cx, Fault, NodeId, Patience, Seen, Step};
use serde::{Deserialize, Serialize};

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
        let mut problems = Problems::default();
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
    let names = world.spec.patterns();
    let wanted = match which {
        Which::Leader => WantedPrivileges {
            cluster: &["monitor", "read_ccr"],
            index_names: &names,
            index: &["monitor", "read", "write", "create_index", "delete_index"],
        },
        Which::Follower => WantedPrivileges {
            cluster: &["monitor", "manage", "manage_ccr"],
            index_names: &names,
            index: &["monitor", "read", "write", "manage", "manage_follow_index"],
        },
    };
    let has = cluster.has_privileges(wanted).await?;
    Ok((!has.all).then(|| format!("the user lacks {}", has.missing.join(", "))))
}
