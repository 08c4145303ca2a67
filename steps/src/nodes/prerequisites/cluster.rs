//! One cluster answers, is licensed, and lets the user do what steps 5 and 6 need.

use super::{Instance, InstanceFacts};
use crate::calls::{Calls, Declares};
use crate::elastic::{Cluster, WantedPrivileges};
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
        let mut problems = Vec::new();
        let mut help = Vec::new();
        let version = Version::parse(&info.version);
        if !version.is_some_and(|v| v.at_least(7, 10)) {
            problems
                .push(format!("it runs version {:?}, and 7.10.0 or later is needed", info.version));
            help.push("upgrade it");
        }
        if let Some(problem) = unlicensed(&cluster).await? {
            problems.push(problem);
            help.push("replication needs the commercial edition on both sides");
        }
        if let Some(problem) = unprivileged(&cluster, S::WHICH, cx.world).await? {
            problems.push(problem);
            help.push("use a user with these privileges, for example elastic");
        }
        if S::WHICH == Which::Follower
            && let Some(problem) = version.and_then(|v| exclusions(cx.world, v))
        {
            problems.push(problem);
            help.push(
                "name patterns under [replication] that need no exclusions, for example \"logs-*\"",
            );
        }
        let (Some(version), true) = (version, problems.is_empty()) else {
            let tried = format!("checking the {} cluster {}", S::WHICH, facts.instance);
            let report = Report::new(tried, problems.join("; ")).help(help.join("; "));
            return Err(Fault::prerequisite(report));
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
    let tried = format!("comparing the clusters of {} and {}", leader.instance, follower.instance);
    if leader_cluster.uuid == follower_cluster.uuid {
        // Addresses stand in the spec, and one of them may lead to the other side.
        let said = format!("both ways lead to the same cluster ({})", leader_cluster.uuid);
        return Err(Fault::prerequisite(Report::new(tried, said).help(
            "check url and kibana_url under [leader.access] and [follower.access] in the spec",
        )));
    }
    follower_cluster.version.can_follow(leader_cluster.version).map_err(|why| {
        Fault::prerequisite(Report::new(tried, why).help("upgrade the follower first"))
    })
}
