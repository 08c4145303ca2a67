//! Types that several products share.

use std::collections::BTreeMap;

/// Tags by key.
pub type Tags = BTreeMap<String, String>;

/// A zone, and the vSwitch to use in it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ZoneMapping {
    /// The zone.
    pub zone_id: String,
    /// The vSwitch in it.
    pub vswitch_id: String,
}
