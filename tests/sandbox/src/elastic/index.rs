//! Indices, their settings and their place in replication.

use super::ccr::Follow;
use super::shard::Shard;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Routing shards when an index has few primaries (`index.number_of_routing_shards`).
const ROUTING_SHARDS: u32 = 1024;

/// One index.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Index {
    pub(crate) uuid: String,
    pub(crate) created_ms: u64,
    /// Flat, with the prefix `index.`; scalars are strings.
    pub(crate) settings: BTreeMap<String, Value>,
    pub(crate) mapping: Value,
    pub(crate) aliases: BTreeMap<String, Value>,
    pub(crate) closed: bool,
    pub(crate) mapping_version: u64,
    pub(crate) settings_version: u64,
    pub(crate) aliases_version: u64,
    pub(crate) shards: Vec<Shard>,
    /// What it follows, while it is a follower.
    pub(crate) follow: Option<Follow>,
}

impl Index {
    /// An empty index with as many shards as history ids are given.
    pub(crate) fn new(uuid: String, histories: Vec<String>, now_ms: u64) -> Self {
        Self {
            uuid,
            created_ms: now_ms,
            settings: BTreeMap::new(),
            mapping: json!({}),
            aliases: BTreeMap::new(),
            closed: false,
            mapping_version: 1,
            settings_version: 1,
            aliases_version: 1,
            shards: histories.into_iter().map(Shard::new).collect(),
            follow: None,
        }
    }

    /// A setting of the index as text.
    pub(crate) fn setting(&self, key: &str) -> Option<&str> {
        self.settings.get(key).and_then(Value::as_str)
    }

    /// Is it left out of wildcards?
    pub(crate) fn hidden(&self) -> bool {
        self.setting("index.hidden") == Some("true")
    }

    /// Does it keep the history of operations?
    pub(crate) fn soft_deletes(&self) -> bool {
        self.setting("index.soft_deletes.enabled") != Some("false")
    }

    /// How long a follower may be away.
    pub(crate) fn lease_period_ms(&self) -> u64 {
        self.setting("index.soft_deletes.retention_lease.period")
            .and_then(parse_time)
            .unwrap_or(12 * 60 * 60 * 1000)
    }

    /// Replica copies of each primary.
    pub(crate) fn replicas(&self) -> usize {
        self.setting("index.number_of_replicas").and_then(|t| t.parse().ok()).unwrap_or(1)
    }

    /// Are its primaries still being copied from the leader?
    pub(crate) fn restoring(&self) -> bool {
        self.follow.as_ref().is_some_and(Follow::restoring)
    }

    /// Documents that a search sees.
    pub(crate) fn count(&self) -> usize {
        self.shards.iter().map(Shard::count).sum()
    }

    /// The shard of a routing value (the id unless given): Elasticsearch's own function.
    pub(crate) fn shard_of(&self, routing: &str) -> usize {
        let shards = u32::try_from(self.shards.len()).unwrap_or(1).max(1);
        let mut routing_shards = shards;
        while routing_shards * 2 <= ROUTING_SHARDS {
            routing_shards *= 2;
        }
        let hash = murmur3(routing).cast_signed();
        let slot = hash.rem_euclid(routing_shards.cast_signed()).cast_unsigned();
        (slot / (routing_shards / shards)) as usize
    }

    /// `green`, `yellow` or `red`: three data nodes hold up to two replicas.
    pub(crate) fn health(&self) -> &'static str {
        if self.restoring() {
            "red"
        } else if self.replicas() > 2 {
            "yellow"
        } else {
            "green"
        }
    }
}

/// Milliseconds of `12h`, `30s`, `500ms`, `1d`, `2m`.
pub(crate) fn parse_time(text: &str) -> Option<u64> {
    let split = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = text.split_at(split);
    let scale = match unit {
        "ms" => 1,
        "s" => 1000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(scale)
}

/// `Murmur3HashFunction` of Elasticsearch: x86, 32 bits, seed 0, over UTF-16 little endian.
pub(crate) fn murmur3(text: &str) -> u32 {
    let bytes: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let mut hash = 0_u32;
    let scramble = |k: u32| k.wrapping_mul(0xcc9e_2d51).rotate_left(15).wrapping_mul(0x1b87_3593);
    let mut chunks = bytes.chunks_exact(4);
    for chunk in &mut chunks {
        let word = chunk.iter().rev().fold(0_u32, |k, b| (k << 8) | u32::from(*b));
        hash = (hash ^ scramble(word)).rotate_left(13).wrapping_mul(5).wrapping_add(0xe654_6b64);
    }
    let tail = chunks.remainder().iter().rev().fold(0_u32, |k, b| (k << 8) | u32::from(*b));
    hash ^= scramble(tail);
    hash ^= u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    hash = (hash ^ (hash >> 16)).wrapping_mul(0x85eb_ca6b);
    hash = (hash ^ (hash >> 13)).wrapping_mul(0xc2b2_ae35);
    hash ^ (hash >> 16)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_as_elasticsearch_does() {
        // Vectors of Elasticsearch's Murmur3HashFunctionTests.
        assert_eq!(murmur3("hell"), 0x5a0c_b7c3);
        assert_eq!(murmur3("hello"), 0xd7c3_1989);
        assert_eq!(murmur3("hello w"), 0x22ab_2984);
        assert_eq!(murmur3("hello wo"), 0xdf0c_a123);
        assert_eq!(murmur3("hello wor"), 0xe7d6_1d61);
    }

    #[test]
    fn reads_times() {
        assert_eq!(parse_time("12h"), Some(43_200_000));
        assert_eq!(parse_time("500ms"), Some(500));
        assert_eq!(parse_time("soon"), None);
    }
}
