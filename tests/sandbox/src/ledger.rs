//! What exists in the world, one row a thing.

use serde::{Deserialize, Serialize};

/// One thing that exists.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Thing {
    /// Kind, for example `follower_index`.
    pub kind: String,
    /// Id, unique within the kind.
    pub id: String,
    /// Region id; may be empty.
    pub region: String,
    /// Who made it.
    pub owner: String,
    /// Since when, in milliseconds since the Unix epoch.
    pub since: String,
}

impl Thing {
    /// One row.
    pub fn new(kind: &str, id: &str, region: &str, owner: &str, since_ms: u64) -> Self {
        Self {
            kind: kind.to_owned(),
            id: id.to_owned(),
            region: region.to_owned(),
            owner: owner.to_owned(),
            since: since_ms.to_string(),
        }
    }
}
