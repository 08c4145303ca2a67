//! Followers of the leader indices that were there before the auto-follow pattern.

use super::copies::{Fate, IndexFate, Sight, copies};
use super::release::{release, unlisted, unreleased};
use super::remote_cluster::follower;
use super::wanted::{Choice, choose, follower_name};
use super::{AutoFollow, RemoteCluster};
use crate::calls::{Calls, Declares};
use crate::elastic::{CcrStats, Follow, FollowerInfo, Index};
use crate::nodes::prerequisites::Prerequisites;
use crate::spec::Spec;
use crate::verify::is_probe;
use crate::{Which, World};
use escrr_engine::{Act, Cx, Fault, NodeId, Patience, Remains, Report, Reverse, Seen, Step};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Makes one follower for each leader index that is wanted and has none.
pub struct ExistingIndices;

/// A leader index and its follower.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Pair {
    /// On the leader.
    pub leader: String,
    /// On the follower.
    pub follower: String,
}

/// All followers that the link is about.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Followers {
    /// Pairs that replicate.
    pub pairs: Vec<Pair>,
    /// Leader indices that the patterns match and that cannot be replicated: index and reason.
    pub left_out: BTreeMap<String, String>,
    /// What each follower was when it was seen to follow, by its name; a run of 0.1.0 kept none.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub followed: BTreeMap<String, Followed>,
}

/// What a follower was when it was seen to follow: an index that was made anew has another UUID.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Followed {
    /// UUID of the follower index.
    pub uuid: String,
    /// The leader index.
    pub leader: String,
    /// UUID of the leader index.
    pub leader_uuid: String,
}

/// The leader's side of it: what is wanted, what cannot be.
async fn wanted(cx: &Cx<'_, ExistingIndices>) -> Result<Followers, Fault> {
    let spec = &cx.world.spec;
    let leader = cx.world.cluster(Which::Leader, &cx.needs.0.leader.instance)?;
    let mut all = Followers::default();
    let mut seen = BTreeSet::new();
    // The probe of a verification beside this run comes and goes, and its pattern is enough for it.
    let indices = leader.indices("_all").await?.into_iter().filter(|i| !is_probe(&i.name));
    for index in indices {
        seen.insert(index.name.clone());
        match choose(spec, &index) {
            Choice::NotAsked => {}
            Choice::Wanted => {
                let name = follower_name(spec, &index.name);
                let copy = Followed {
                    uuid: String::new(),
                    leader: index.name.clone(),
                    leader_uuid: index.uuid,
                };
                all.followed.insert(name.clone(), copy);
                all.pairs.push(Pair { leader: index.name, follower: name });
            }
            Choice::Impossible(why) => {
                if spec.replication.indices.contains(&index.name) {
                    let tried = format!("following {}", index.name);
                    return Err(Fault::refused(
                        Report::new(tried, why).help(
                            "reindex it on the leader, or take it out of replication.indices",
                        ),
                    ));
                }
                all.left_out.insert(index.name, why.to_owned());
            }
        }
    }
    let missing: Vec<String> =
        spec.replication.indices.iter().filter(|i| !seen.contains(*i)).cloned().collect();
    if !missing.is_empty() {
        let said = format!("the leader has no {}", missing.join(", "));
        return Err(Fault::refused(
            Report::new("following the named indices", said)
                .help("correct replication.indices in the spec"),
        ));
    }
    Ok(all)
}

/// How far one follower is.
enum Progress {
    Missing,
    Copying,
    Following,
}

fn progress(
    pair: &Pair,
    alias: &str,
    infos: &BTreeMap<String, FollowerInfo>,
    stats: &CcrStats,
) -> Result<Progress, Report> {
    let tried = || format!("checking the follower {}", pair.follower);
    let Some(info) = infos.get(&pair.follower) else { return Ok(Progress::Missing) };
    if info.leader_index != pair.leader || info.remote_cluster != alias {
        let said = format!("it follows {} of {}", info.leader_index, info.remote_cluster);
        return Err(Report::new(tried(), said).help("delete it or rename it, then `escrr resume`"));
    }
    let shards = stats.followers.iter().find(|f| f.index == pair.follower).map(|f| &f.shards);
    if let Some(fatal) = shards.into_iter().flatten().find_map(|s| s.fatal_exception.as_ref()) {
        return Err(Report::new(tried(), format!("its replication died: {fatal}"))
            .help("mend the cause, pause and resume the follower in Kibana, then `escrr resume`"));
    }
    let running = info.active && shards.is_some_and(|s| !s.is_empty());
    Ok(if running { Progress::Following } else { Progress::Copying })
}

impl Declares for ExistingIndices {
    const CALLS: Calls = Calls::NONE;
}

impl Step for ExistingIndices {
    type World = World;
    type Needs = (Prerequisites, RemoteCluster, AutoFollow);
    type Output = Followers;
    const ID: NodeId = NodeId::new("follower", "existing_indices");
    const PHASE: u8 = 5;
    const TITLE: &'static str = "a follower for each existing leader index that is wanted";
    const PATIENCE: Patience = Patience::new(60, 86_400);

    async fn observe(&self, cx: &Cx<'_, Self>) -> Result<Seen<Followers>, Fault> {
        let mut all = wanted(cx).await?;
        let cluster = follower(cx.world, &cx.needs.0)?;
        let infos: BTreeMap<String, FollowerInfo> = cluster
            .follow_info("_all")
            .await?
            .into_iter()
            .map(|f| (f.follower_index.clone(), f))
            .collect();
        let stats = cluster.ccr_stats().await?;
        let (mut missing, mut copying) = (Vec::new(), Vec::new());
        for pair in &all.pairs {
            match progress(pair, &cx.needs.1.alias, &infos, &stats) {
                Err(report) => return Ok(Seen::Drifted(report)),
                Ok(Progress::Missing) => missing.push(pair),
                Ok(Progress::Copying) => copying.push(pair.follower.as_str()),
                Ok(Progress::Following) => {}
            }
        }
        if !missing.is_empty() {
            let present: BTreeMap<String, Index> = cluster
                .indices("_all")
                .await?
                .into_iter()
                .map(|index| (index.name.clone(), index))
                .collect();
            let ordinary = |pair: &&&Pair| present.get(&pair.follower).filter(|i| !i.is_follower);
            if let Some(index) = missing.iter().find_map(|pair| ordinary(&pair)) {
                let own = cx.world.memory.is_released(&index.name, &index.uuid);
                return Ok(Seen::Drifted(in_the_way(&index.name, own)));
            }
            // The auto-follow pattern may have been quicker than our two questions.
            if let Some(pair) = missing.iter().find(|p| present.contains_key(&p.follower)) {
                return Ok(Seen::Pending(format!("{} is being followed", pair.follower)));
            }
        }
        Ok(if !missing.is_empty() {
            Seen::Absent(missing.into_iter().map(|p| p.leader.clone()).collect())
        } else if !copying.is_empty() {
            Seen::Pending(format!("copying {}", copying.join(", ")))
        } else {
            for index in cluster.indices("_all").await? {
                if let Some(followed) = all.followed.get_mut(&index.name) {
                    followed.uuid = index.uuid;
                }
            }
            // They hang on the alias.
            if cx.owns::<RemoteCluster>() { Seen::Ours(all) } else { Seen::Ready(all) }
        })
    }
}

/// The auto-follow pattern, or an earlier call of ours, made the index since the look: the
/// next look says whose it is.
fn quicker(answer: Result<(), Fault>) -> Result<(), Fault> {
    match answer {
        Err(Fault::Refused { report, .. })
            if report.code.as_deref() == Some("snapshot_restore_exception")
                && report.said.contains("already exists") =>
        {
            Err(Fault::Busy(report))
        }
        other => other,
    }
}

fn in_the_way(name: &str, own: bool) -> Report {
    let whose = if own { "a copy that an earlier rollback of this link kept" } else { "an index" };
    Report::new(
        format!("following into {name}"),
        format!("{whose} of this name is on the follower, an ordinary index"),
    )
    .meaning("an index cannot become a follower afterwards; this one may hold data that is needed")
    .help("delete or rename it, or set follow_index_pattern in the spec, then `escrr resume`")
}

impl Act for ExistingIndices {
    const REVERSE: Reverse = Reverse::Undo(
        "makes each follower of its own an ordinary index, or deletes it with on_rollback = \
         \"delete\"; other indices are left alone",
    );

    async fn act(&self, cx: &Cx<'_, Self>, item: &str) -> Result<Option<String>, Fault> {
        let ask = Follow {
            follower_index: &follower_name(&cx.world.spec, item),
            remote_cluster: &cx.needs.1.alias,
            leader_index: item,
        };
        quicker(follower(cx.world, &cx.needs.0)?.follow(ask).await).map(|()| None)
    }

    async fn remains(&self, cx: &Cx<'_, Self>) -> Result<Remains, Fault> {
        let spec = &cx.world.spec;
        let cluster = follower(cx.world, &cx.needs.0)?;
        let sight = Sight::of(&cluster).await?;
        if let Some(why) = sight.unclear() {
            return Ok(Remains::Pending(why));
        }
        let (ours, begun) = (sight.announced(spec, cx.items), copies(cx.undo_items));
        let rule = spec.replication.on_rollback;
        if let Some(remains) = unreleased(&sight, (&ours, &begun), rule) {
            return Ok(remains);
        }
        if let Some(why) = unlisted(&cluster, &sight, &begun).await? {
            return Ok(Remains::Pending(why));
        }
        let mut account: Vec<IndexFate> =
            begun.iter().map(|copy| again(sight.ended(copy, rule), cx.output.as_ref())).collect();
        account.extend(left(spec, &sight, (cx.items, cx.output.as_ref()), &account));
        accounted(&account)
    }

    async fn undo(&self, cx: &Cx<'_, Self>, item: &str) -> Result<(), Fault> {
        let cluster = follower(cx.world, &cx.needs.0)?;
        release(&cluster, &cx.world.spec.link, item).await
    }
}

/// Tells that a follower is not the one that the run saw: somebody created it again.
pub(super) fn again(mut fate: IndexFate, output: Option<&Followers>) -> IndexFate {
    let seen = output.and_then(|all| all.followed.get(&fate.index)).map(|f| f.uuid.as_str());
    if seen.is_some_and(|seen| !seen.is_empty() && fate.uuid.as_deref() != Some(seen)) {
        fate.why = format!("{}; somebody had deleted it and followed again", fate.why);
    }
    fate
}

/// Of what was announced: what is somebody's by now, or gone.
pub(super) fn left(
    spec: &Spec,
    sight: &Sight,
    (announced, output): (&BTreeSet<String>, Option<&Followers>),
    known: &[IndexFate],
) -> Vec<IndexFate> {
    let names = announced.iter().map(|leader| (leader, follower_name(spec, leader)));
    let others = names.filter(|(_, name)| !known.iter().any(|fate| fate.index == *name));
    others
        .filter_map(|(leader, name)| {
            let followed = output.and_then(|all| all.followed.get(&name));
            let uuid = followed.map(|f| f.uuid.as_str()).filter(|uuid| !uuid.is_empty());
            if let Some(fate) = sight.whose(&name, uuid) {
                return Some(IndexFate { leader: Some(leader.clone()), ..fate });
            }
            // What was never seen to follow may never have been created.
            followed.map(|followed| IndexFate {
                index: name,
                uuid: Some(followed.uuid.clone()).filter(|uuid| !uuid.is_empty()),
                leader: Some(leader.clone()),
                fate: Fate::Gone,
                why: "somebody deleted it".to_owned(),
                needs_alias: false,
            })
        })
        .collect()
}

/// Nothing is left to take back; what became of each index is journaled.
pub(super) fn accounted(account: &[IndexFate]) -> Result<Remains, Fault> {
    if account.is_empty() {
        return Ok(Remains::Nothing);
    }
    serde_json::to_value(account).map(Remains::Accounted).map_err(|error| {
        Fault::Bug(Report::new("writing down what became of the indices", error.to_string()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_index_that_came_since_the_look_is_looked_at_again() {
        let refused = |code: &str, said: &str| {
            Err(Fault::refused(Report::new("PUT /a/_ccr/follow", said).code(code)))
        };
        let said = "cannot restore index [a] because an open index with same name already exists";
        let answer = quicker(refused("snapshot_restore_exception", said));
        assert!(matches!(answer, Err(Fault::Busy(_))));
        let answer = quicker(refused("snapshot_restore_exception", "the disk is full"));
        assert!(matches!(answer, Err(Fault::Refused { .. })));
        let answer = quicker(refused("illegal_argument_exception", said));
        assert!(matches!(answer, Err(Fault::Refused { .. })));
    }
}
