//! How far the primary shards of an index have come.

use super::client::{Cluster, encode_expression, flag, list, members, number, text};
use super::error::not_found;
use escrr_engine::Fault;
use reqwest::Method;
use serde_json::Value;
use std::collections::BTreeMap;

/// The sequence numbers of one primary shard; -1 before the first operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShardSeq {
    /// The shard's number.
    pub shard: u64,
    /// The highest number that was given to an operation.
    pub max_seq_no: i64,
    /// Every operation up to this is on all copies that are in sync.
    pub global_checkpoint: i64,
    /// Changes when the history was rewritten, for example by a restore.
    pub history_uuid: String,
}

impl Cluster {
    /// Reads the primary shards of indices, by index name (`GET /<name>/_stats`).
    ///
    /// An index that does not exist is missing from the map.
    pub async fn shard_stats(
        &self,
        expression: &str,
    ) -> Result<BTreeMap<String, Vec<ShardSeq>>, Fault> {
        let path = format!("/{}/_stats", encode_expression(expression));
        let query = [
            ("level", "shards"),
            // Left out, `_all` passes over hidden indices, and these can be followed too.
            ("expand_wildcards", "open,hidden"),
            (
                "filter_path",
                "indices.*.shards.*.routing,indices.*.shards.*.seq_no,\
                 indices.*.shards.*.commit.user_data.history_uuid",
            ),
        ];
        match self.ask(Method::GET, &path, &query, None).await {
            Ok(value) => Ok(shard_stats(&value)),
            Err(fault) if not_found(&fault) => Ok(BTreeMap::new()),
            Err(fault) => Err(fault),
        }
    }
}

fn shard_stats(value: &Value) -> BTreeMap<String, Vec<ShardSeq>> {
    let primaries = |index: &Value| {
        let mut found: Vec<ShardSeq> = members(index, "/shards")
            .filter_map(|(shard, copies)| primary(shard.parse().ok()?, copies))
            .collect();
        // The keys are texts: 10 would come before 2.
        found.sort_by_key(|at| at.shard);
        found
    };
    members(value, "/indices").map(|(name, index)| (name.clone(), primaries(index))).collect()
}

fn primary(shard: u64, copies: &Value) -> Option<ShardSeq> {
    let is_primary = |copy: &&Value| flag(copy, "/routing/primary") == Some(true);
    let copy = list(copies, "").iter().find(is_primary)?;
    Some(ShardSeq {
        shard,
        max_seq_no: number(copy, "/seq_no/max_seq_no")?,
        global_checkpoint: number(copy, "/seq_no/global_checkpoint")?,
        history_uuid: text(copy, "/commit/user_data/history_uuid").unwrap_or_default(),
    })
}
