//! Auto-follow: followers for new leader indices.

use super::follow::{Wish, start};
use super::leader::Asker;
use crate::elastic::Wire;
use crate::elastic::failure::Failure;
use crate::elastic::index_settings;
use crate::elastic::model::{Cluster, State};
use crate::elastic::names::matches;
use crate::elastic::remote;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Errors that are kept.
const RECENT: usize = 256;

/// One auto-follow pattern.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Pattern {
    pub(crate) active: bool,
    pub(crate) remote: String,
    pub(crate) leaders: Vec<String>,
    pub(crate) exclusions: Vec<String>,
    pub(crate) follower_template: Option<String>,
    /// Overrides on followers, as they were given.
    pub(crate) settings: Value,
    pub(crate) params: BTreeMap<String, Value>,
    /// When it was made.
    pub(crate) since_ms: u64,
    /// When it was last put or resumed.
    pub(crate) ready_ms: u64,
    /// Leader indices that are dealt with, by UUID.
    pub(crate) seen: BTreeSet<String>,
}

/// Counters and errors of the auto-follow coordinator.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct AutoFollow {
    pub(crate) failed: u64,
    pub(crate) failed_states: u64,
    pub(crate) succeeded: u64,
    /// By `<pattern>` or `<pattern>:<index>`.
    pub(crate) errors: BTreeMap<String, Recent>,
}

/// One recent error.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Recent {
    pub(crate) at_ms: u64,
    pub(crate) exception: Value,
}

impl Pattern {
    /// Does it want an index of that name?
    pub(crate) fn wants(&self, name: &str) -> bool {
        self.leaders.iter().any(|p| matches(p, name))
            && !self.exclusions.iter().any(|p| matches(p, name))
    }

    fn follower_name(&self, leader: &str) -> String {
        let template = self.follower_template.as_deref().unwrap_or("{{leader_index}}");
        template.replace("{{leader_index}}", leader)
    }
}

impl AutoFollow {
    /// Keeps an error; says whether it is a new one.
    fn note(&mut self, key: String, failure: &Failure, at_ms: u64) -> bool {
        let exception = failure.body();
        if self.errors.get(&key).is_some_and(|e| e.exception == exception) {
            return false;
        }
        self.errors.insert(key, Recent { at_ms, exception });
        while self.errors.len() > RECENT {
            let oldest = self.errors.iter().min_by_key(|(_, e)| e.at_ms).map(|(k, _)| k.clone());
            match oldest {
                Some(key) => self.errors.remove(&key),
                None => break,
            };
        }
        true
    }
}

/// Names that belong to system indices: not matched since 7.13.
const SYSTEM: &[&str] = &[
    ".apm-agent-configuration*",
    ".async-search*",
    ".fleet-*",
    ".kibana*",
    ".ml-*",
    ".security*",
    ".tasks",
    ".transform-*",
    ".triggered_watches",
    ".watches",
];

/// Lets every active pattern follow what is new.
pub(crate) fn tick(state: &mut State, wire: &dyn Wire, last_ms: u64, now_ms: u64) {
    let instances: Vec<String> = state.clusters.keys().cloned().collect();
    for me in instances {
        let remotes: BTreeSet<String> = state
            .clusters
            .get(&me)
            .map(|c| c.patterns.values().filter(|p| p.active).map(|p| p.remote.clone()).collect())
            .unwrap_or_default();
        for alias in remotes {
            tick_remote(state, wire, (&me, &alias), last_ms, now_ms);
        }
    }
}

/// One new leader index and who wants it.
struct News {
    name: String,
    uuid: String,
    wanted_by: Vec<String>,
    due_ms: u64,
}

fn tick_remote(
    state: &mut State,
    wire: &dyn Wire,
    (me, alias): (&str, &str),
    last_ms: u64,
    now_ms: u64,
) {
    let Some(cluster) = state.clusters.get(me) else { return };
    let Some(link) = cluster.links.get(alias) else {
        return note_unreachable(state, me, alias, &Failure::no_remote(alias), last_ms);
    };
    if link.phase != remote::Phase::Connected {
        if let Err(failure) = remote::probe(state, wire, me, alias) {
            note_unreachable(state, me, alias, &failure, last_ms);
        }
        return;
    }
    let since_ms = link.since_ms;
    let Ok(peer) = remote::probe(state, wire, me, alias) else { return };
    let Some(leader) = state.clusters.get(&peer) else { return };
    let delay_ms = wire.duration_ms("Es.AutoFollow");
    for news in find_news(cluster, leader, alias, since_ms + delay_ms, delay_ms) {
        if news.due_ms <= now_ms {
            handle_news(state, wire, (me, alias), &news, now_ms);
        }
    }
}

fn find_news(
    cluster: &Cluster,
    leader: &Cluster,
    alias: &str,
    connected_ms: u64,
    delay_ms: u64,
) -> Vec<News> {
    let guarded = cluster.version.since(7, 13);
    let mut all = Vec::new();
    for (name, index) in &leader.indices {
        let system = guarded && SYSTEM.iter().any(|p| matches(p, name));
        if index.closed || index.restoring() || system {
            continue;
        }
        let patterns =
            cluster.patterns.iter().filter(|(_, p)| p.active && p.remote == alias && p.wants(name));
        let wanted: Vec<(&String, &Pattern)> = patterns.collect();
        let fresh = wanted.iter().any(|(_, p)| !p.seen.contains(&index.uuid));
        let ready = wanted.iter().map(|(_, p)| p.ready_ms).max();
        if let (true, Some(ready)) = (fresh, ready) {
            all.push(News {
                name: name.clone(),
                uuid: index.uuid.clone(),
                wanted_by: wanted.iter().map(|(p, _)| (*p).clone()).collect(),
                due_ms: connected_ms.max(index.created_ms.max(ready) + delay_ms),
            });
        }
    }
    all
}

fn handle_news(
    state: &mut State,
    wire: &dyn Wire,
    (me, alias): (&str, &str),
    news: &News,
    now_ms: u64,
) {
    let Some(cluster) = state.clusters.get(me) else { return };
    let [name] = news.wanted_by.as_slice() else { return note_overlap(state, me, news) };
    let Some(pattern) = cluster.patterns.get(name) else { return };
    let follower = pattern.follower_name(&news.name);
    let already = cluster.indices.get(&follower).and_then(|i| i.follow.as_ref());
    let done = already.is_some_and(|f| f.leader_uuid == news.uuid);
    let wish = Wish {
        follower,
        remote: alias.to_owned(),
        leader: news.name.clone(),
        settings: index_settings::read(&pattern.settings),
        params: pattern.params.clone(),
    };
    let result = if done {
        Ok(())
    } else {
        start(&mut Asker { state, wire, now_ms, me }, &wish, news.due_ms)
    };
    let Some(cluster) = state.clusters.get_mut(me) else { return };
    let key = format!("{name}:{}", news.name);
    // An index without history never becomes one that can be followed: it is tried once.
    let hopeless = result.as_ref().is_err_and(|f| f.reason.contains("soft deletes"));
    if let Some(pattern) = cluster.patterns.get_mut(name)
        && (result.is_ok() || hopeless)
    {
        pattern.seen.insert(news.uuid.clone());
    }
    match result {
        Ok(()) => {
            cluster.auto_follow.errors.remove(&key);
            cluster.auto_follow.succeeded += u64::from(!done);
        }
        Err(failure) => {
            let new = cluster.auto_follow.note(key, &failure, news.due_ms);
            cluster.auto_follow.failed += u64::from(new);
        }
    }
}

/// Two patterns want the same index: neither gets it.
fn note_overlap(state: &mut State, me: &str, news: &News) {
    let Some(cluster) = state.clusters.get_mut(me) else { return };
    for name in &news.wanted_by {
        let others: Vec<&str> =
            news.wanted_by.iter().filter(|o| *o != name).map(String::as_str).collect();
        let failure = Failure::new(
            500,
            "exception",
            format!(
                "index to follow [{}] for pattern [{name}] matches with other patterns [{}]",
                news.name,
                others.join(", ")
            ),
        );
        let key = format!("{name}:{}", news.name);
        let new = cluster.auto_follow.note(key, &failure, news.due_ms);
        cluster.auto_follow.failed += u64::from(new);
    }
}

fn note_unreachable(state: &mut State, me: &str, alias: &str, failure: &Failure, at_ms: u64) {
    let Some(cluster) = state.clusters.get_mut(me) else { return };
    let Cluster { patterns, auto_follow, .. } = cluster;
    for (name, _) in patterns.iter().filter(|(_, p)| p.active && p.remote == alias) {
        let new = auto_follow.note(name.clone(), failure, at_ms);
        auto_follow.failed_states += u64::from(new);
    }
}
