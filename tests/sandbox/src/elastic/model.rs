//! Clusters, their users and settings.

use super::ccr::{AutoFollow, Pattern};
use super::failure::{Failure, Outcome};
use super::grants::Grants;
use super::index::Index;
use super::remote::Link;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// All clusters, by instance id.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct State {
    pub(crate) clusters: BTreeMap<String, Cluster>,
    /// Source of ids: they repeat from run to run of the same calls.
    pub(crate) next: u64,
    /// When time last passed.
    pub(crate) last_tick_ms: u64,
}

/// One cluster.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Cluster {
    pub(crate) region: String,
    pub(crate) version: Version,
    pub(crate) license: String,
    #[serde(default)]
    pub(crate) plugins: Vec<String>,
    /// `cluster_name`: on the managed service it is the instance id.
    pub(crate) name: String,
    pub(crate) uuid: String,
    pub(crate) since_ms: u64,
    pub(crate) users: BTreeMap<String, String>,
    /// What users may do; one that is not in it may read.
    #[serde(default)]
    pub(crate) grants: BTreeMap<String, Grants>,
    pub(crate) api_keys: BTreeMap<String, ApiKey>,
    pub(crate) persistent: BTreeMap<String, Value>,
    pub(crate) transient: BTreeMap<String, Value>,
    pub(crate) links: BTreeMap<String, Link>,
    pub(crate) indices: BTreeMap<String, Index>,
    pub(crate) patterns: BTreeMap<String, Pattern>,
    pub(crate) auto_follow: AutoFollow,
    /// Replicated data streams that were promoted.
    #[serde(default)]
    pub(crate) promoted: BTreeSet<String>,
}

/// A key made by `POST /_security/api_key`; it acts with its owner's rights.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct ApiKey {
    pub(crate) secret: String,
    pub(crate) owner: String,
}

/// A release of Elasticsearch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Version(pub(crate) u32, pub(crate) u32, pub(crate) u32);

impl Version {
    /// The release of an instance, as the world's file says it.
    pub(crate) fn of_instance(world: &crate::World, instance: &str) -> Self {
        Self::parse(world.file.instances.get(instance).map_or("", |file| &file.version))
    }

    /// Reads `7.10.0`; anything after the digits of a part is left out.
    pub(crate) fn parse(text: &str) -> Self {
        let mut parts = text.split('.').map(|part| {
            let digits: String = part.chars().take_while(char::is_ascii_digit).collect();
            digits.parse().unwrap_or(0)
        });
        let mut next = || parts.next().unwrap_or(0);
        Self(next(), next(), next())
    }

    /// Is it this release or a later one?
    pub(crate) fn since(self, major: u32, minor: u32) -> bool {
        (self.0, self.1) >= (major, minor)
    }

    /// The oldest release that it talks to.
    pub(crate) fn oldest_peer(self) -> Self {
        match self.0 {
            8 => Self(7, 17, 0),
            9 => Self(8, 18, 0),
            major => Self(major, 0, 0).max(if major == 7 { Self(6, 8, 0) } else { Self(0, 0, 0) }),
        }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.0, self.1, self.2)
    }
}

impl State {
    fn mix(&mut self) -> u64 {
        self.next += 1;
        let mut z = self.next.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A fresh id of 22 characters, as Elasticsearch writes its UUIDs.
    pub(crate) fn fresh_uuid(&mut self) -> String {
        let mut bytes = self.mix().to_be_bytes().to_vec();
        bytes.extend(self.mix().to_be_bytes());
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// A fresh document id of 20 characters.
    pub(crate) fn fresh_id(&mut self) -> String {
        self.fresh_uuid().chars().take(20).collect()
    }

    /// One cluster.
    pub(crate) fn cluster(&self, id: &str) -> Outcome<&Cluster> {
        self.clusters.get(id).ok_or_else(Failure::no_cluster)
    }

    /// One cluster, to change it.
    pub(crate) fn cluster_mut(&mut self, id: &str) -> Outcome<&mut Cluster> {
        self.clusters.get_mut(id).ok_or_else(Failure::no_cluster)
    }
}

impl Cluster {
    /// Does the license enable cross-cluster replication?
    pub(crate) fn licensed(&self) -> bool {
        matches!(self.license.as_str(), "platinum" | "enterprise" | "trial")
    }

    /// Refuses when the license does not enable cross-cluster replication.
    pub(crate) fn need_license(&self) -> Outcome<()> {
        if self.licensed() {
            return Ok(());
        }
        Err(Failure::new(403, "security_exception", "current license is non-compliant for [ccr]")
            .with("license.expired.feature", "ccr"))
    }

    /// A cluster setting: transient wins over persistent.
    pub(crate) fn setting(&self, key: &str) -> Option<&Value> {
        self.transient.get(key).or_else(|| self.persistent.get(key))
    }

    /// A cluster setting as text.
    pub(crate) fn setting_text(&self, key: &str) -> Option<&str> {
        self.setting(key).and_then(Value::as_str)
    }

    /// One index.
    pub(crate) fn index(&self, name: &str) -> Outcome<&Index> {
        self.indices.get(name).ok_or_else(|| Failure::no_index(name))
    }

    /// One index, to change it.
    pub(crate) fn index_mut(&mut self, name: &str) -> Outcome<&mut Index> {
        self.indices.get_mut(name).ok_or_else(|| Failure::no_index(name))
    }
}
