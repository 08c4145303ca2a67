//! Clusters as the world file describes them.

use super::ccr::AutoFollow;
use super::index::Index;
use super::mapping;
use super::model::{Cluster, State, Version};
use super::shard::Op;
use crate::ledger::Thing;
use crate::world_file::{IndexFile, InstanceFile};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};

/// Puts the cluster of one instance into the state.
pub(crate) fn seed(state: &mut State, id: &str, file: &InstanceFile, now_ms: u64) {
    let uuid = state.fresh_uuid();
    let mut indices = BTreeMap::new();
    for (name, index) in &file.indices {
        indices.insert(name.clone(), make(state, index, now_ms));
    }
    let cluster = Cluster {
        region: file.region.clone(),
        version: Version::parse(&file.version),
        license: file.license.clone(),
        plugins: file.plugins.clone(),
        name: id.to_owned(),
        uuid,
        since_ms: now_ms,
        users: file.users.clone(),
        grants: file.grants.clone(),
        api_keys: BTreeMap::new(),
        persistent: BTreeMap::new(),
        transient: BTreeMap::new(),
        links: BTreeMap::new(),
        indices,
        patterns: BTreeMap::new(),
        auto_follow: AutoFollow::default(),
        promoted: BTreeSet::new(),
    };
    state.clusters.insert(id.to_owned(), cluster);
    state.last_tick_ms = state.last_tick_ms.max(now_ms);
}

fn make(state: &mut State, file: &IndexFile, now_ms: u64) -> Index {
    let shards = file.shards.unwrap_or(1).max(1);
    let uuid = state.fresh_uuid();
    let histories = (0..shards).map(|_| state.fresh_uuid()).collect();
    let mut index = Index::new(uuid, histories, now_ms);
    if file.no_soft_deletes {
        index.settings.insert("index.soft_deletes.enabled".into(), json!("false"));
    }
    if file.hidden {
        index.settings.insert("index.hidden".into(), json!("true"));
    }
    index.settings.extend(file.settings.clone());
    if let Some(mapping) = &file.mapping {
        index.mapping = mapping.clone();
    }
    for n in 1..=file.documents {
        let id = n.to_string();
        let source = json!({"n": n});
        mapping::grow(&mut index.mapping, &source);
        let slot = index.shard_of(&id);
        if let Some(shard) = index.shards.get_mut(slot) {
            shard.write(Op { id, version: 1, at_ms: now_ms, source: Some(source), routing: None });
        }
    }
    index
}

/// What was set up in the clusters: remotes, patterns, followers.
pub(crate) fn inventory(state: &State) -> Vec<Thing> {
    let mut all = Vec::new();
    for (id, cluster) in &state.clusters {
        let thing = |kind: &str, name: &str, since_ms: u64| {
            Thing::new(kind, &format!("{id}/{name}"), &cluster.region, "", since_ms)
        };
        for (alias, link) in &cluster.links {
            all.push(thing("remote_cluster", alias, link.made_ms));
        }
        for (name, pattern) in &cluster.patterns {
            all.push(thing("auto_follow_pattern", name, pattern.since_ms));
        }
        for (name, index) in cluster.indices.iter().filter(|(_, i)| i.follow.is_some()) {
            all.push(thing("follower_index", name, index.created_ms));
        }
    }
    all
}
