//! What exists and what was asked: the two lists that a test proves things with.

use crate::clock::rfc3339;
use crate::{World, cbn, ecs, elastic, instances, nlb, privatelink, vpc};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One thing that exists and costs or clutters.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Thing {
    /// What it is, for example `vswitch`.
    pub kind: String,
    /// Its id, or a natural key where the cloud gives none.
    pub id: String,
    /// Region id, empty for things without one.
    pub region: String,
    /// Value of its tag `escrr-link`, empty without one.
    pub owner: String,
    /// Since when, RFC 3339.
    pub since: String,
}

/// The tag that says which link a thing was made for, and how version 0.1.0 wrote it.
const OWNER_TAGS: [&str; 2] = ["escrr-link", "escrr:link"];

impl Thing {
    /// A thing that exists since `since_ms`, milliseconds of the world's time.
    pub fn new(kind: &str, id: &str, region: &str, owner: &str, since_ms: u64) -> Self {
        Self {
            kind: kind.to_owned(),
            id: id.to_owned(),
            region: region.to_owned(),
            owner: owner.to_owned(),
            since: rfc3339(since_ms),
        }
    }
}

/// The owner that tags name, or nothing.
pub(crate) fn owner(tags: &BTreeMap<String, String>) -> &str {
    OWNER_TAGS.iter().find_map(|key| tags.get(*key)).map_or("", String::as_str)
}

/// One request that came in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogLine {
    /// Counts from 1.
    pub seq: u64,
    /// The world's time, milliseconds since the Unix epoch.
    pub at_ms: u64,
    /// `Cbn`, …, `Es` for a cluster's REST API, or `Kibana`; empty if it could not be told.
    pub product: String,
    /// The action; for a cluster the name by [`es_action`].
    pub action: String,
    /// Region id, empty where the request names none.
    pub region: String,
    /// Would it change the world?
    pub mutating: bool,
    /// The caller's client token.
    pub token: Option<String>,
    /// For a request that is carried to a cluster, by its Kibana or by `InvokeEsRequest`: the
    /// action there, by [`es_action`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub carries: Option<String>,
    /// How it was signed, for the OpenAPI: `rpc-v1`, `roa-v1` or `v3`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scheme: Option<String>,
    /// `ok`, a vendor code, or `lost`, `cut`, `killed`.
    pub outcome: String,
    /// The process that was stopped at this request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pid: Option<u32>,
}

#[cfg(test)]
impl LogLine {
    /// A line for tests of the log.
    pub(crate) fn sample(seq: u64) -> Self {
        Self {
            seq,
            at_ms: 1,
            product: "Cbn".into(),
            action: "CreateCen".into(),
            region: String::new(),
            mutating: true,
            token: Some("t".into()),
            carries: None,
            scheme: Some("rpc-v1".into()),
            outcome: "ok".into(),
            pid: None,
        }
    }
}

/// Everything that exists, by kind and id.
pub fn inventory(world: &World) -> Vec<Thing> {
    let mut all = vpc::inventory(world);
    all.extend(ecs::inventory(world));
    all.extend(cbn::inventory(world));
    all.extend(nlb::inventory(world));
    all.extend(privatelink::inventory(world));
    all.extend(instances::inventory(world));
    all.extend(elastic::inventory(&world.elastic));
    all.sort();
    all
}

/// A stable name for a request to a cluster's REST API, for the log and for faults.
pub fn es_action(method: &str, path: &str) -> String {
    let parts: Vec<&str> = path.split('/').filter(|p| !p.is_empty()).collect();
    let verb = match method {
        "GET" | "HEAD" => "Get",
        "DELETE" => "Delete",
        _ => "Put",
    };
    match parts.as_slice() {
        [] => "Root".to_owned(),
        ["_cluster", "settings"] => format!("{verb}Settings"),
        ["_cluster", "health", ..] => "Health".to_owned(),
        ["_remote", "info"] => "RemoteInfo".to_owned(),
        ["_ccr", "auto_follow", _, "pause"] => "PauseAutoFollow".to_owned(),
        ["_ccr", "auto_follow", _, "resume"] => "ResumeAutoFollow".to_owned(),
        ["_ccr", "auto_follow", ..] => format!("{verb}AutoFollow"),
        ["_ccr", "stats"] => "CcrStats".to_owned(),
        [_, "_ccr", "follow"] => "PutFollow".to_owned(),
        [_, "_ccr", "info"] => "FollowInfo".to_owned(),
        [_, "_ccr", "stats"] => "FollowStats".to_owned(),
        [_, "_ccr", rest] => camel(rest),
        [_, "_close"] => "CloseIndex".to_owned(),
        [_, "_open"] => "OpenIndex".to_owned(),
        [_, "_create", _] => "IndexDocument".to_owned(),
        [_, "_doc", ..] if verb == "Put" => "IndexDocument".to_owned(),
        [_, "_doc", ..] => format!("{verb}Document"),
        [_, "_settings", ..] => format!("{verb}IndexSettings"),
        ["_security", "user", "_has_privileges"] | ["_security", "user", _, "_has_privileges"] => {
            "HasPrivileges".to_owned()
        }
        ["_cat", ..] => "Cat".to_owned(),
        [index] if !index.starts_with('_') => match method {
            "PUT" => "CreateIndex".to_owned(),
            "HEAD" => "IndexExists".to_owned(),
            _ => format!("{verb}Index"),
        },
        // `_search`, `_count`, `_refresh`, `_license`, …: named after themselves.
        all => all.iter().find(|p| p.starts_with('_')).map_or("Other".to_owned(), |p| camel(p)),
    }
}

fn camel(word: &str) -> String {
    word.split('_')
        .filter(|w| !w.is_empty())
        .map(|w| {
            let mut chars = w.chars();
            chars.next().map_or(String::new(), |c| c.to_ascii_uppercase().to_string())
                + chars.as_str()
        })
        .collect()
}

/// Does a request to a cluster's REST API change the cluster?
pub fn es_mutating(method: &str, path: &str) -> bool {
    /// Reads that clients also send by POST, to have a body; what a read holds open is let
    /// go of by DELETE.
    const READS: &[&str] = &[
        "_search",
        "_pit",
        "_msearch",
        "_count",
        "_refresh",
        "_mget",
        "_has_privileges",
        "_stats",
        "_field_caps",
        "_validate",
        "_explain",
        "_analyze",
    ];
    match method {
        "PUT" => true,
        "POST" | "DELETE" => !path.split('/').any(|p| READS.contains(&p)),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_to_a_cluster_have_stable_names() {
        let cases = [
            ("GET", "/", "Root"),
            ("PUT", "/_cluster/settings", "PutSettings"),
            ("GET", "/_cluster/settings", "GetSettings"),
            ("GET", "/_remote/info", "RemoteInfo"),
            ("PUT", "/logs/_ccr/follow", "PutFollow"),
            ("POST", "/logs/_ccr/pause_follow", "PauseFollow"),
            ("POST", "/logs/_ccr/unfollow", "Unfollow"),
            ("PUT", "/_ccr/auto_follow/p", "PutAutoFollow"),
            ("DELETE", "/_ccr/auto_follow/p", "DeleteAutoFollow"),
            ("POST", "/logs/_close", "CloseIndex"),
            ("POST", "/logs/_open", "OpenIndex"),
            ("PUT", "/logs", "CreateIndex"),
            ("DELETE", "/logs", "DeleteIndex"),
            ("POST", "/logs/_doc", "IndexDocument"),
            ("PUT", "/logs/_doc/1", "IndexDocument"),
            ("GET", "/logs/_doc/1", "GetDocument"),
            ("POST", "/logs/_search", "Search"),
            ("GET", "/_license", "License"),
            ("POST", "/_security/user/_has_privileges", "HasPrivileges"),
        ];
        for (method, path, name) in cases {
            assert_eq!(es_action(method, path), name, "{method} {path}");
        }
    }

    #[test]
    fn reads_by_post_change_nothing() {
        assert!(!es_mutating("POST", "/logs/_search"));
        assert!(!es_mutating("POST", "/logs/_refresh"));
        assert!(!es_mutating("GET", "/logs"));
        assert!(!es_mutating("DELETE", "/_search/scroll"));
        assert!(!es_mutating("DELETE", "/_pit"));
        assert!(es_mutating("POST", "/logs/_doc"));
        assert!(es_mutating("POST", "/logs/_ccr/unfollow"));
        assert!(es_mutating("DELETE", "/logs"));
    }
}
