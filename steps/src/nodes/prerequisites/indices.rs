//! The indices that are to be replicated can be, and their names are free on the follower.

use super::cluster::known;
use super::{ClusterGate, Instance, InstanceFacts};
use crate::analysis::{Wanted, of_mapping, of_settings};
use crate::calls::{Calls, Declares};
use crate::elastic::Index;
use crate::nodes::step5_replication::{Choice, choose, follower_name};
use crate::rules::{self, Problems, Warning};
use crate::spec::Spec;
use crate::version::Version;
use crate::{Follower, Leader, Memory, Which, World};
use escrr_engine::{Cx, Fault, NodeId, Patience, Seen, Step};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Looks at the indices and plugins of both clusters.
pub struct Indices;

/// What others, and people, need to know of the indices.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct IndexFacts {
    /// How many indices of the leader are replicated as soon as the link is there.
    pub wanted: usize,
    /// What a person has to know.
    #[serde(default)]
    pub warnings: Vec<Warning>,
}

/// What was seen on both sides.
struct Sight<'a> {
    spec: &'a Spec,
    leader: Vec<Index>,
    mappings: BTreeMap<String, Value>,
    leader_plugins: BTreeSet<String>,
    follower: Vec<Index>,
    follower_plugins: BTreeSet<String>,
    follower_version: Version,
    /// Knows the copies that earlier rollbacks released.
    memory: &'a Memory,
    /// The follower has the alias of this link: its own nodes judge what it replicates.
    linked: bool,
}

impl Declares for Indices {
    const CALLS: Calls = Calls::NONE;
}

impl Step for Indices {
    type World = World;
    type Needs = (Instance<Leader>, Instance<Follower>, ClusterGate<Leader>, ClusterGate<Follower>);
    type Output = IndexFacts;
    const ID: NodeId = NodeId::new("link", "indices");
    const PHASE: u8 = 0;
    const TITLE: &'static str = "the leader's indices can be followed, and their names are free";
    const PATIENCE: Patience = Patience::new(2, 120);

    async fn observe(&self, cx: &Cx<'_, Self>) -> Result<Seen<IndexFacts>, Fault> {
        let (leader, follower, leader_cluster, follower_cluster) = &cx.needs;
        if leader_cluster.uuid == follower_cluster.uuid {
            // Its own indices are no obstacle to a cluster; the two sides are, and that is said
            // where they are compared.
            return Ok(Seen::Ready(IndexFacts::default()));
        }
        let of = |which, facts: &InstanceFacts| {
            Ok::<_, Fault>(cx.world.cluster(which, facts)?.for_saga(&cx.saga.to_string()))
        };
        let (one, two) = (of(Which::Leader, leader)?, of(Which::Follower, follower)?);
        let spec = &cx.world.spec;
        let sight = Sight {
            spec,
            memory: &cx.world.memory,
            leader: one.indices("_all").await?,
            mappings: one.field_types().await?,
            leader_plugins: one.plugins().await?,
            follower: two.indices("_all").await?,
            follower_plugins: two.plugins().await?,
            // Asked again: it may have been upgraded since a run stopped here.
            follower_version: known(&two).await?.version,
            linked: !two.remote_settings(spec.remote_alias()).await?.is_empty(),
        };
        judge(&sight, Problems::of(&cx.world.memory, Self::ID)).map(Seen::Ready)
    }
}

fn judge(sight: &Sight<'_>, mut problems: Problems<'_>) -> Result<IndexFacts, Fault> {
    let chosen: Vec<(&Index, Choice)> =
        sight.leader.iter().map(|index| (index, choose(sight.spec, index))).collect();
    let wanted: Vec<&Index> =
        chosen.iter().filter(|(_, c)| *c == Choice::Wanted).map(|(index, _)| *index).collect();
    impossible(sight, &chosen, &mut problems);
    taken(sight, &wanted, &mut problems);
    analysis(sight, &wanted, &mut problems);
    policies(&wanted, &mut problems);
    by_version(sight, &wanted, &mut problems);
    let warnings = problems.judged("comparing the indices of the two clusters")?;
    Ok(IndexFacts { wanted: wanted.len(), warnings })
}

/// Indices that the spec names or means, and that cannot be followed.
fn impossible(sight: &Sight<'_>, chosen: &[(&Index, Choice)], problems: &mut Problems<'_>) {
    let names = &sight.spec.replication.indices;
    for (index, choice) in chosen {
        let Choice::Impossible(why) = choice else { continue };
        let rule = if names.contains(&index.name) { &rules::FOLLOWABLE } else { &rules::LEFT_OUT };
        problems.add(rule, format!("{} cannot be followed: {why}", index.name));
    }
    let there: BTreeSet<&str> = sight.leader.iter().map(|index| index.name.as_str()).collect();
    let missing: Vec<&str> =
        names.iter().map(String::as_str).filter(|name| !there.contains(name)).collect();
    if !missing.is_empty() {
        problems.add(&rules::NAMED, format!("the leader has no {}", missing.join(", ")));
    }
}

fn taken(sight: &Sight<'_>, wanted: &[&Index], problems: &mut Problems<'_>) {
    if sight.linked {
        return;
    }
    let names: BTreeSet<String> =
        wanted.iter().map(|index| follower_name(sight.spec, &index.name)).collect();
    let taken = sight.follower.iter().filter(|i| !i.is_follower && names.contains(&i.name));
    let (own, others): (Vec<&Index>, Vec<&Index>) =
        taken.partition(|index| sight.memory.is_released(&index.name, &index.uuid));
    let listed =
        |all: &[&Index]| all.iter().map(|index| index.name.as_str()).collect::<Vec<_>>().join(", ");
    if !others.is_empty() {
        let said =
            format!("an ordinary index of this name is on the follower: {}", listed(&others));
        problems.add(&rules::NAME_TAKEN, said);
    }
    if !own.is_empty() {
        let said = format!("an earlier rollback of this link kept its copies: {}", listed(&own));
        problems.add(&rules::OWN_COPY, said);
    }
}

fn analysis(sight: &Sight<'_>, wanted: &[&Index], problems: &mut Problems<'_>) {
    let mut missing: BTreeSet<&str> = BTreeSet::new();
    for index in wanted {
        let (mut needs, own): (Wanted, _) = of_settings(&Value::Object(index.analysis.clone()));
        if let Some(mapping) = sight.mappings.get(&index.name) {
            of_mapping(mapping, &own, &mut needs);
        }
        for (plugin, names) in needs {
            if sight.follower_plugins.contains(plugin) {
                continue;
            }
            let names: Vec<String> = names.into_iter().collect();
            let said = format!(
                "{} uses {} of the plugin {plugin}, which the follower lacks",
                index.name,
                names.join(", ")
            );
            problems.add(&rules::ANALYSIS, said);
            missing.insert(plugin);
        }
    }
    let lacks = sight.leader_plugins.difference(&sight.follower_plugins);
    let others: Vec<&str> = lacks.map(String::as_str).filter(|p| !missing.contains(p)).collect();
    if !others.is_empty() {
        problems.add(
            &rules::PLUGINS,
            format!("the follower lacks plugins of the leader: {}", others.join(", ")),
        );
    }
}

fn policies(wanted: &[&Index], problems: &mut Problems<'_>) {
    let mut under: BTreeMap<&str, usize> = BTreeMap::new();
    for policy in wanted.iter().filter_map(|index| index.lifecycle.as_deref()) {
        *under.entry(policy).or_default() += 1;
    }
    let said = |(policy, count)| {
        let are = if count == 1 { "index is" } else { "indices are" };
        format!("{count} {are} under the lifecycle policy {policy}")
    };
    problems.add_all(&rules::LIFECYCLE, under.into_iter().map(said));
    let rolled = wanted.iter().filter_map(|index| {
        let (policy, alias) = (index.lifecycle.as_deref()?, index.rollover_alias.as_deref()?);
        let said = format!("{} is written through the alias {alias}", index.name);
        Some(format!("{said}, which the lifecycle policy {policy} rolls over"))
    });
    problems.add_all(&rules::ROLLOVER, rolled);
}

/// What older followers cannot do.
fn by_version(sight: &Sight<'_>, wanted: &[&Index], problems: &mut Problems<'_>) {
    let version = sight.follower_version;
    let stream = wanted.iter().find_map(|index| index.data_stream.as_deref());
    let renames =
        sight.spec.replication.follow_index_pattern.as_deref().filter(|p| *p != "{{leader_index}}");
    if let (Some(stream), Some(pattern), false) = (stream, renames, version.at_least(8, 1)) {
        problems.add(
            &rules::STREAMS,
            format!(
                "the data stream {stream} cannot be renamed by {pattern:?}: the follower runs {version}"
            ),
        );
    }
    let broad: Vec<String> = sight
        .spec
        .patterns()
        .into_iter()
        .filter(|pattern| pattern.starts_with('*') || pattern.starts_with('.'))
        .collect();
    if !broad.is_empty() && !version.at_least(7, 14) {
        let said = format!(
            "version {version} also follows the cluster's own new indices that match {}",
            broad.join(", ")
        );
        problems.add(&rules::SYSTEM, said);
    }
}
