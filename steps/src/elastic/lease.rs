//! Retention leases: how long a leader keeps its history for a follower that is away.

use super::client::{Cluster, count, encode_expression, flag, list, members, number, text};
use super::error::not_found;
use escrr_engine::Fault;
use reqwest::Method;
use serde_json::Value;
use std::collections::BTreeMap;

/// The leases of followers on one primary shard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShardLeases {
    /// The shard's number.
    pub shard: u64,
    /// Those that followers hold; what the cluster keeps for itself is left out.
    pub leases: Vec<Lease>,
}

/// One lease of a follower.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    /// `<cluster>/<follower>/<uuid>-following-<alias>/<leader>/<uuid>`.
    pub id: String,
    /// Operations from this number on are kept.
    pub retaining_seq_no: i64,
    /// When it was renewed, in milliseconds since 1970, by the leader's clock.
    pub renewed_ms: u64,
}

impl Cluster {
    /// Reads the leases that followers hold, by index name (`GET /<name>/_stats`, on the
    /// leader's cluster).
    ///
    /// An index that does not exist, or that says nothing of leases, is missing from the map.
    pub async fn leases(
        &self,
        expression: &str,
    ) -> Result<BTreeMap<String, Vec<ShardLeases>>, Fault> {
        let path = format!("/{}/_stats", encode_expression(expression));
        let query = [
            ("level", "shards"),
            // Left out, `_all` passes over hidden indices, and these can be followed too.
            ("expand_wildcards", "open,hidden"),
            ("filter_path", "indices.*.shards.*.routing,indices.*.shards.*.retention_leases"),
        ];
        match self.ask(Method::GET, &path, &query, None).await {
            Ok(value) => Ok(leases(&value)),
            Err(fault) if not_found(&fault) => Ok(BTreeMap::new()),
            Err(fault) => Err(fault),
        }
    }
}

fn leases(value: &Value) -> BTreeMap<String, Vec<ShardLeases>> {
    let of_index = |index: &Value| -> Vec<ShardLeases> {
        let mut found: Vec<ShardLeases> = members(index, "/shards")
            .filter_map(|(shard, copies)| of_shard(shard.parse().ok()?, copies))
            .collect();
        found.sort_by_key(|at| at.shard);
        found
    };
    members(value, "/indices")
        .map(|(name, index)| (name.clone(), of_index(index)))
        .filter(|(_, shards)| !shards.is_empty())
        .collect()
}

fn of_shard(shard: u64, copies: &Value) -> Option<ShardLeases> {
    let is_primary = |copy: &&Value| flag(copy, "/routing/primary") == Some(true);
    let told = list(copies, "").iter().find(is_primary)?.get("retention_leases")?;
    let of_follower = |row: &&Value| text(row, "/source").as_deref() == Some("ccr");
    let lease = |row: &Value| {
        Some(Lease {
            id: text(row, "/id")?,
            retaining_seq_no: number(row, "/retaining_seq_no").unwrap_or(-1),
            renewed_ms: count(row, "/timestamp")?,
        })
    };
    let leases = list(told, "/leases").iter().filter(of_follower).filter_map(lease).collect();
    Some(ShardLeases { shard, leases })
}

/// Reads a span of time as Elasticsearch writes it, for example `12h`, in milliseconds.
pub(super) fn span_ms(text: &str) -> Option<u64> {
    const UNITS: [(&str, u64); 5] =
        [("ms", 1), ("s", 1000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000)];
    let text = text.trim().to_ascii_lowercase();
    let (_, unit) = UNITS.iter().find(|(name, _)| {
        let number = text.strip_suffix(name).unwrap_or_default();
        !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
    })?;
    let digits = text.trim_end_matches(|letter: char| letter.is_ascii_alphabetic());
    digits.parse::<u64>().ok()?.checked_mul(*unit)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn spans_have_one_unit() {
        let all =
            ["12h", "500ms", "90s", " 5M ", "2d", "-1", "h", "1.5h", "", "99999999999999999d"]
                .map(span_ms);
        let (h, d) = (3_600_000, 86_400_000);
        let none = None;
        assert_eq!(
            all,
            [
                Some(12 * h),
                Some(500),
                Some(90_000),
                Some(300_000),
                Some(2 * d),
                none,
                none,
                none,
                none,
                none
            ]
        );
    }

    #[test]
    fn only_followers_leases_of_primaries_count() {
        let lease = |id: &str, source: &str| json!({"id": id, "retaining_seq_no": 4, "timestamp": 9, "source": source});
        let told =
            json!({"leases": [lease("peer_recovery/n", "peer recovery"), lease("f", "ccr")]});
        let value = json!({"indices": {
            "a": {"shards": {
                "10": [{"routing": {"primary": true}, "retention_leases": told}],
                "2": [{"routing": {"primary": false}},
                      {"routing": {"primary": true}, "retention_leases": {"leases": []}}],
            }},
            "silent": {"shards": {"0": [{"routing": {"primary": true}}]}},
        }});
        let found = leases(&value);
        assert_eq!(found.keys().collect::<Vec<_>>(), ["a"]);
        let shards: Vec<(u64, usize)> =
            found["a"].iter().map(|shard| (shard.shard, shard.leases.len())).collect();
        assert_eq!(shards, [(2, 0), (10, 1)]);
        assert_eq!(found["a"][1].leases[0].renewed_ms, 9);
    }
}
