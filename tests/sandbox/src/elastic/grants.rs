//! What users other than the superuser may do: privileges, and the actions that they cover.
//!
//! An index that a user may not see is not hidden from wildcards: a call with one is let through
//! when the user may do it on any index.

use super::model::Cluster;
use super::names::matches;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The privileges of one user.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Grants {
    /// On the cluster: `monitor`, `manage_ccr`, …
    pub cluster: Vec<String>,
    /// On indices, by name or pattern: `read`, `monitor`, …
    pub indices: BTreeMap<String, Vec<String>>,
}

/// What every user may ask about itself.
const OWN: [&str; 2] = [
    "cluster:admin/xpack/security/user/authenticate",
    "cluster:admin/xpack/security/user/has_privileges",
];

/// Cluster privileges: how the actions that they cover begin, and which others they include.
const CLUSTER: &[(&str, &[&str], &[&str])] = &[
    ("all", &["cluster:"], &["manage", "manage_ccr", "monitor", "read_ccr"]),
    (
        "manage",
        &["cluster:admin/settings", "cluster:admin/xpack/ccr/", "cluster:monitor/"],
        &["manage_ccr", "monitor", "read_ccr"],
    ),
    ("manage_ccr", &["cluster:admin/xpack/ccr/", "cluster:monitor/state"], &["read_ccr"]),
    ("monitor", &["cluster:monitor/"], &[]),
    ("read_ccr", &["cluster:monitor/state"], &[]),
];

/// The same for index privileges.
const INDEX: &[(&str, &[&str], &[&str])] = &[
    (
        "all",
        &["indices:"],
        &[
            "create_index",
            "delete_index",
            "maintenance",
            "manage",
            "manage_follow_index",
            "monitor",
            "read",
            "view_index_metadata",
            "write",
        ],
    ),
    (
        "manage",
        &["indices:admin/", "indices:monitor/"],
        &[
            "create_index",
            "delete_index",
            "maintenance",
            "manage_follow_index",
            "monitor",
            "view_index_metadata",
        ],
    ),
    ("manage_follow_index", &["indices:admin/xpack/ccr/", "indices:admin/close"], &[]),
    ("create_index", &["indices:admin/create"], &[]),
    ("delete_index", &["indices:admin/delete"], &[]),
    ("maintenance", &["indices:admin/refresh"], &[]),
    ("monitor", &["indices:monitor/"], &[]),
    ("read", &["indices:data/read/"], &[]),
    (
        "view_index_metadata",
        &[
            "indices:admin/aliases/get",
            "indices:admin/get",
            "indices:admin/mappings/get",
            "indices:admin/resolve/",
            "indices:monitor/settings/get",
        ],
        &[],
    ),
    ("write", &["indices:data/write/"], &[]),
];

/// What following an index takes on the leader.
const FOLLOWING: [&str; 2] = ["indices:data/read/xpack/ccr/shard_changes", "indices:monitor/stats"];

type Table = [(&'static str, &'static [&'static str], &'static [&'static str])];

/// Does one of these privileges cover the action?
fn covers(table: &Table, held: &[String], action: &str) -> bool {
    let of = table.iter().filter(|(name, ..)| held.iter().any(|h| h == name));
    of.flat_map(|(_, heads, _)| *heads).any(|head| action.starts_with(head))
}

/// Is the privilege one of these, or included in one?
fn includes(table: &Table, held: &[String], wanted: &str) -> bool {
    held.iter().any(|h| h == wanted)
        || table
            .iter()
            .any(|(name, _, others)| held.iter().any(|h| h == name) && others.contains(&wanted))
}

fn is_wild(name: &str) -> bool {
    name == "_all" || name.contains('*')
}

impl Grants {
    /// May the user do this, on these indices if it is done on indices?
    pub(crate) fn allow(&self, action: &str, expression: &str) -> bool {
        if OWN.contains(&action) {
            return true;
        }
        if action.starts_with("cluster:") {
            return covers(CLUSTER, &self.cluster, action);
        }
        // What lies on another cluster is judged there.
        let own = expression.split(',').filter(|name| !name.contains(':'));
        own.into_iter().all(|name| {
            let about = self.indices.iter().filter(|(p, _)| is_wild(name) || matches(p, name));
            about.into_iter().any(|(_, held)| covers(INDEX, held, action))
        })
    }

    /// Does the user have the cluster privilege?
    pub(crate) fn has(&self, privilege: &str) -> bool {
        includes(CLUSTER, &self.cluster, privilege)
    }

    /// Does the user have the privilege on all that the name or pattern means?
    pub(crate) fn has_on(&self, name: &str, privilege: &str) -> bool {
        let mut about = self.indices.iter().filter(|(pattern, _)| matches(pattern, name));
        about.any(|(_, held)| includes(INDEX, held, privilege))
    }

    /// The actions that following needs on the leader, and that the user may not do there.
    fn lacks(&self, name: &str) -> Vec<&'static str> {
        let may = |action: &&str| {
            let mut about = self.indices.iter().filter(|(pattern, _)| matches(pattern, name));
            about.any(|(_, held)| covers(INDEX, held, action))
        };
        FOLLOWING.into_iter().filter(|action| !may(action)).collect()
    }
}

/// Why a user of a follower may not follow these on the leader's cluster, if it may not.
///
/// The two clusters know a user by its name and roles; one without roles on the leader may do
/// nothing there.
pub(crate) fn may_not_follow(leader: &Cluster, user: &str, names: &[String]) -> Option<String> {
    if user == super::auth::SUPERUSER {
        return None;
    }
    let nothing = Grants::default();
    let grants = leader.grants.get(user).unwrap_or(&nothing);
    let noun = if let [_] = names { "index" } else { "indices" };
    let lacking: Vec<&str> = names.iter().flat_map(|name| grants.lacks(name)).collect();
    let mut missing: Vec<String> = FOLLOWING
        .iter()
        .filter(|action| lacking.contains(action))
        .map(|action| format!(", privilege for action [{action}] is missing"))
        .collect();
    if !grants.has("read_ccr") {
        missing.push(", privilege for action [cluster:monitor/state] is missing".to_owned());
    }
    (!missing.is_empty()).then(|| {
        format!(
            "insufficient privileges to follow {noun} [{}]{}",
            names.join(","),
            missing.concat()
        )
    })
}
