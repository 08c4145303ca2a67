//! The pattern by which new leader indices are followed by themselves.

use super::RemoteCluster;
use super::remote_cluster::follower;
use crate::World;
use crate::calls::{Calls, Declares};
use crate::elastic::{AutoFollow as Listed, PutAutoFollow, not_found};
use crate::nodes::prerequisites::Prerequisites;
use escrr_engine::{Act, Cx, Fault, NodeId, Patience, Remains, Report, Reverse, Seen, Step};

/// Puts the auto-follow pattern.
pub struct AutoFollow;

/// What differs from the spec, if anything does.
fn drift(cx: &Cx<'_, AutoFollow>, found: &Listed) -> Option<Report> {
    let spec = &cx.world.spec;
    let alias = spec.remote_alias();
    let name = spec.replication.follow_index_pattern.as_deref().unwrap_or("{{leader_index}}");
    let found_name = if found.follow_index_pattern.is_empty() {
        "{{leader_index}}"
    } else {
        &found.follow_index_pattern
    };
    let checks = [
        (
            found.remote_cluster != alias,
            format!("it follows {}, not {alias}", found.remote_cluster),
        ),
        (
            found.leader_index_patterns != spec.patterns(),
            format!(
                "its patterns are {}, not {}",
                found.leader_index_patterns.join(", "),
                spec.patterns().join(", ")
            ),
        ),
        (
            found.leader_index_exclusion_patterns != spec.exclusions(),
            format!(
                "its exclusions are [{}], not [{}]",
                found.leader_index_exclusion_patterns.join(", "),
                spec.exclusions().join(", ")
            ),
        ),
        (found_name != name, format!("it names followers {found_name}, not {name}")),
        (!found.active, "it is paused".to_owned()),
    ];
    let wrong: Vec<String> =
        checks.into_iter().filter(|(bad, _)| *bad).map(|(_, what)| what).collect();
    (!wrong.is_empty()).then(|| {
        Report::new(format!("checking the auto-follow pattern {}", found.name), wrong.join("; "))
            .help("change it in Kibana or the spec, or choose another auto_follow_name, then `escrr resume`")
    })
}

impl Declares for AutoFollow {
    const CALLS: Calls = Calls::NONE;
}

impl Step for AutoFollow {
    type World = World;
    type Needs = (Prerequisites, RemoteCluster);
    type Output = ();
    const ID: NodeId = NodeId::new("follower", "auto_follow");
    const PHASE: u8 = 5;
    const TITLE: &'static str = "an auto-follow pattern for new leader indices";
    const PATIENCE: Patience = Patience::new(2, 300);

    async fn observe(&self, cx: &Cx<'_, Self>) -> Result<Seen<()>, Fault> {
        let cluster = follower(cx.world, &cx.needs.0)?;
        Ok(match cluster.auto_follow(&cx.world.spec.auto_follow_name()).await? {
            None => Seen::absent(),
            Some(found) => match drift(cx, &found) {
                Some(report) => Seen::Drifted(report),
                None if cx.owns::<RemoteCluster>() => Seen::Ours(()),
                None => Seen::Ready(()),
            },
        })
    }
}

impl Act for AutoFollow {
    const REVERSE: Reverse = Reverse::Undo("deletes the auto-follow pattern that was made");

    async fn act(&self, cx: &Cx<'_, Self>, _: &str) -> Result<Option<String>, Fault> {
        let spec = &cx.world.spec;
        let ask = PutAutoFollow {
            name: &spec.auto_follow_name(),
            remote_cluster: spec.remote_alias(),
            leader_index_patterns: &spec.patterns(),
            leader_index_exclusion_patterns: &spec.exclusions(),
            follow_index_pattern: spec.replication.follow_index_pattern.as_deref(),
        };
        follower(cx.world, &cx.needs.0)?.put_auto_follow(ask).await.map(|()| None)
    }

    async fn remains(&self, cx: &Cx<'_, Self>) -> Result<Remains, Fault> {
        let cluster = follower(cx.world, &cx.needs.0)?;
        let found = cluster.auto_follow(&cx.world.spec.auto_follow_name()).await?;
        // A pattern that leads elsewhere by now is somebody else's.
        let ours = found.is_some_and(|f| f.remote_cluster == cx.world.spec.remote_alias());
        Ok(if ours { Remains::whole() } else { Remains::Nothing })
    }

    async fn undo(&self, cx: &Cx<'_, Self>, _: &str) -> Result<(), Fault> {
        let cluster = follower(cx.world, &cx.needs.0)?;
        match cluster.delete_auto_follow(&cx.world.spec.auto_follow_name()).await {
            Err(fault) if not_found(&fault) => Ok(()),
            other => other,
        }
    }
}
