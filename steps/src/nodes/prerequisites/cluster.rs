//! One cluster answers, is licensed, and lets the user do what steps 5 and 6 need.

use super::{Instance, InstanceFacts};
use crate::calls::{Calls, Declares};
use crate::elastic::{Cluster, WantedPrivileges};
use crate::rules::{self, Problems};
use crate::version::Version;
use crate::{Side, Which, World};
use escrr_engine::{Cx, Fault, NodeId, Patience, Report, Seen, Step};
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

/// Licenses that include replication.
const LICENSED: [&str; 3] = ["platinum", "enterprise", "trial"];

impl<S: Side> Declares for ClusterGate<S> {
    const CALLS: Calls = Calls::NONE;
}

impl<S: Side> Step for ClusterGate<S> {
    type World = World;
    type Needs = (Instance<S>,);
    type Output = ClusterFacts;
    const ID: NodeId = NodeId::new(S::WHICH.name(), "cluster");
    const PHASE: u8 = 0;
    const TITLE: &'static str = "the cluster answers, is licensed, and the user may replicate";
    const PATIENCE: Patience = Patience::new(1, 20);

    async fn observe(&self, cx: &Cx<'_, Self>) -> Result<Seen<ClusterFacts>, Fault> {
        let (facts,) = &cx.needs;
        let cluster = cx.world.cluster(S::WHICH, facts)?.for_saga(&cx.saga.to_string());
        let info = cluster.info().await?;
        let mut problems = Problems::default();
        let version = Version::parse(&info.version);
        let late = version.filter(|v| v.at_least(7, 10));
        if late.is_none() {
            let said = format!("it runs version {:?}, and 7.10.0 or later is needed", info.version);
            problems.add(&rules::VERSION, said);
        }
        problems.add_all(&rules::LICENSE, unlicensed(&cluster).await?);
        problems.add_all(&rules::PRIVILEGES, unprivileged(&cluster, S::WHICH, cx.world).await?);
        if S::WHICH == Which::Follower {
            let unknown = version.and_then(|v| exclusions(cx.world, v));
            problems.add_all(&rules::EXCLUSIONS, unknown);
        }
        problems.judged(format!("checking the {} cluster {}", S::WHICH, facts.instance))?;
        let Some(version) = late else {
            let said = "a version that was judged is there";
            return Err(Fault::Bug(Report::new("checking the version of a cluster", said)));
        };
        let access = cluster.way().map(|(way, place)| format!("{way} ({place})"));
        Ok(Seen::Ready(ClusterFacts {
            name: info.cluster_name,
            uuid: info.cluster_uuid,
            version,
            access: access.unwrap_or_default(),
        }))
    }
}

async fn unlicensed(cluster: &Cluster) -> Result<Option<String>, Fault> {
    let license = cluster.license().await?;
    if license.status == "active" && LICENSED.contains(&license.license_type.as_str()) {
        return Ok(None);
    }
    let feature = cluster.ccr_feature().await?;
    if feature.is_some_and(|f| f.available && f.enabled) {
        return Ok(None);
    }
    Ok(Some(format!(
        "its license ({}, {}) does not include replication",
        license.license_type, license.status
    )))
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

/// Exclusions that this version does not know.
fn exclusions(world: &World, version: Version) -> Option<String> {
    let exclusions = world.spec.exclusions();
    (!exclusions.is_empty() && !version.at_least(7, 14)).then(|| {
        format!(
            "version {version} knows no exclusions in auto-follow patterns ({}), only 7.14 and later do",
            exclusions.join(", ")
        )
    })
}

/// Can the follower's cluster replicate from the leader's, by what they say themselves?
pub(super) fn compatible(
    (leader, leader_cluster): (&InstanceFacts, &ClusterFacts),
    (follower, follower_cluster): (&InstanceFacts, &ClusterFacts),
) -> Result<(), Fault> {
    let mut problems = Problems::default();
    if leader_cluster.uuid == follower_cluster.uuid {
        // Addresses stand in the spec, and one of them may lead to the other side.
        let said = format!("both ways lead to the same cluster ({})", leader_cluster.uuid);
        problems.add(&rules::TWO, said);
    }
    let fits = follower_cluster.version.can_follow(leader_cluster.version);
    problems.add_all(&rules::PAIR, fits.err());
    let tried = format!("comparing the clusters of {} and {}", leader.instance, follower.instance);
    problems.judged(tried).map(drop)
}
