//! The ledger: every thing that exists, for proofs that nothing leaked or doubled.

use crate::listing::{Tags, when};
use serde::{Deserialize, Serialize};

/// The tag that says which link a thing was made for.
const OWNER_TAG: &str = "escrr:link";

/// One thing that exists.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Thing {
    /// What it is, for example `vpc_attachment`.
    pub kind: String,
    /// Its id; a thing without one is named by what it joins.
    pub id: String,
    /// Region id; empty for global things.
    pub region: String,
    /// Value of its tag `escrr:link`, or empty.
    pub owner: String,
    /// Since when, RFC 3339.
    pub since: String,
}

impl Thing {
    /// A thing that exists since `since_ms` (milliseconds of the world's time).
    pub fn new(kind: &str, id: &str, region: &str, owner: &str, since_ms: u64) -> Self {
        Self {
            kind: kind.to_owned(),
            id: id.to_owned(),
            region: region.to_owned(),
            owner: owner.to_owned(),
            since: when(since_ms),
        }
    }
}

/// The owner that tags name, or nothing.
pub(crate) fn owner(tags: &Tags) -> &str {
    tags.get(OWNER_TAG).map_or("", String::as_str)
}
