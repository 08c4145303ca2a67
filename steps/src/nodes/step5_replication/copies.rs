//! What stands on the follower, and what becomes of it when the link is taken back.
//!
//! An index is ours only while it follows, over our alias, the leader index that we recorded, and
//! was announced by us or made by our pattern. Everything else is somebody's: named, left alone.

use super::wanted::{asked, follower_name};
use crate::elastic::{Cluster, FollowerInfo, Index};
use crate::spec::{OnRollback, Spec};
use escrr_engine::Fault;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// What becomes, or became, of one index of the follower.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct IndexFate {
    /// The index.
    pub index: String,
    /// Its UUID, where it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uuid: Option<String>,
    /// The leader index that it follows, or followed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub leader: Option<String>,
    /// What becomes of it.
    pub fate: Fate,
    /// Why, in a few words.
    pub why: String,
    /// It is not ours and uses the remote cluster, which has to stay for it.
    #[serde(default, skip_serializing_if = "is_false")]
    pub needs_alias: bool,
}

/// What becomes of an index.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fate {
    /// Deleted by escrr.
    Deleted,
    /// An ordinary index that keeps its data and follows nothing.
    Released,
    /// Not ours, and not touched.
    Left,
    /// Somebody else removed it.
    Gone,
}

impl Fate {
    /// The word that it is shown with.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Deleted => "deleted",
            Self::Released => "released",
            Self::Left => "left",
            Self::Gone => "gone",
        }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference")]
const fn is_false(flag: &bool) -> bool {
    !*flag
}

/// A follower that is taken back; its text is journaled before the first call.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct CopyItem {
    pub(super) index: String,
    pub(super) uuid: String,
    pub(super) leader: String,
    /// Somebody else made it, and a person said that it is to be released all the same.
    pub(super) foreign: bool,
}

/// What ends the text of a copy that somebody else made.
const FOREIGN: &str = "foreign";

impl CopyItem {
    pub(super) fn of(index: &Index, info: &FollowerInfo) -> Self {
        Self {
            index: index.name.clone(),
            uuid: index.uuid.clone(),
            leader: info.leader_index.clone(),
            foreign: false,
        }
    }

    /// Names of indices hold no space.
    pub(super) fn text(&self) -> String {
        let foreign = if self.foreign { " foreign" } else { "" };
        format!("{} {} {}{foreign}", self.index, self.uuid, self.leader)
    }

    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut words = text.split(' ').map(str::to_owned);
        let (index, uuid, leader) = (words.next()?, words.next()?, words.next()?);
        Some(Self { index, uuid, leader, foreign: words.next().as_deref() == Some(FOREIGN) })
    }

    fn is(&self, other: &Self) -> bool {
        self.index == other.index && self.uuid == other.uuid
    }
}

/// The items that a journal announced, as copies.
pub(super) fn copies(items: &BTreeSet<String>) -> Vec<CopyItem> {
    items.iter().filter_map(|text| CopyItem::parse(text)).collect()
}

/// The indices of the follower's cluster, and what they follow.
#[derive(Debug, Default)]
pub(super) struct Sight {
    pub(super) indices: BTreeMap<String, Index>,
    infos: BTreeMap<String, FollowerInfo>,
}

impl Sight {
    pub(super) async fn of(cluster: &Cluster) -> Result<Self, Fault> {
        let indices = cluster.indices("_all").await?.into_iter();
        let infos = cluster.follow_info("_all").await?.into_iter();
        Ok(Self {
            indices: indices.map(|index| (index.name.clone(), index)).collect(),
            infos: infos.map(|info| (info.follower_index.clone(), info)).collect(),
        })
    }

    /// An index of which the two answers do not say the same: it changed in between.
    pub(super) fn unclear(&self) -> Option<String> {
        let flagged = |name: &String| self.indices.get(name).is_some_and(|i| i.is_follower);
        let told = self.infos.keys().find(|name| !flagged(name));
        let untold = || {
            let followers = self.indices.values().filter(|index| index.is_follower);
            followers.map(|index| &index.name).find(|name| !self.infos.contains_key(*name))
        };
        told.or_else(untold)
            .map(|name| format!("{name} is changing: whether it follows is unclear"))
    }

    /// The index of a name and what it follows, while it follows.
    pub(super) fn follower(&self, name: &str) -> Option<(&Index, &FollowerInfo)> {
        Some((self.indices.get(name).filter(|index| index.is_follower)?, self.infos.get(name)?))
    }

    /// Every follower over an alias.
    pub(super) fn over<'a>(
        &'a self,
        alias: &'a str,
    ) -> impl Iterator<Item = (&'a Index, &'a FollowerInfo)> {
        let all = self.infos.values().filter(move |info| info.remote_cluster == alias);
        all.filter_map(|info| Some((self.indices.get(&info.follower_index)?, info)))
    }

    /// Of what was announced: the copies that follow what they were made to follow.
    pub(super) fn announced(&self, spec: &Spec, leaders: &BTreeSet<String>) -> Vec<CopyItem> {
        let follows = |leader: &String| {
            let (index, info) = self.follower(&follower_name(spec, leader))?;
            let ours = info.remote_cluster == spec.remote_alias() && info.leader_index == *leader;
            ours.then(|| CopyItem::of(index, info))
        };
        leaders.iter().filter_map(follows).collect()
    }

    /// The other followers over our alias: what our pattern made, and what somebody else did.
    ///
    /// What stood there `before` our pattern is somebody else's, and without a connected alias
    /// our pattern never was.
    pub(super) fn others(
        &self,
        spec: &Spec,
        before: Option<&BTreeSet<String>>,
    ) -> (Vec<CopyItem>, Vec<CopyItem>) {
        let all = self.over(spec.remote_alias());
        all.map(|(index, info)| CopyItem::of(index, info)).partition(|copy| {
            asked(spec, &copy.leader)
                && copy.index == follower_name(spec, &copy.leader)
                && before.is_some_and(|before| !before.contains(&copy.index))
        })
    }

    /// Whose an index is that is left alone; `uuid` is that of the copy that was made.
    pub(super) fn whose(&self, name: &str, uuid: Option<&str>) -> Option<IndexFate> {
        let index = self.indices.get(name)?;
        let why = match (self.follower(name), uuid) {
            (Some((_, info)), _) => {
                format!("somebody's: it follows {} of {}", info.leader_index, info.remote_cluster)
            }
            (None, Some(uuid)) if uuid == index.uuid => {
                "promoted by somebody: it follows nothing".to_owned()
            }
            (None, Some(_)) => "somebody's: it was deleted and created again".to_owned(),
            (None, None) => "somebody's: it follows nothing".to_owned(),
        };
        let why = if index.closed { format!("{why}, and it is closed") } else { why };
        Some(IndexFate {
            index: name.to_owned(),
            uuid: Some(index.uuid.clone()),
            leader: None,
            fate: Fate::Left,
            why,
            needs_alias: false,
        })
    }

    /// What became of a copy whose undo was begun.
    pub(super) fn ended(&self, copy: &CopyItem, on_rollback: OnRollback) -> IndexFate {
        let there = self.indices.get(&copy.index).filter(|index| index.uuid == copy.uuid);
        let (fate, why) = match there {
            Some(_) if copy.foreign => {
                (Fate::Released, "somebody's, released on purpose: its data stays readable")
            }
            Some(_) => (Fate::Released, "an ordinary index now; its data stays readable"),
            None if on_rollback == OnRollback::Delete && !copy.foreign => {
                (Fate::Deleted, "on_rollback = \"delete\"")
            }
            None => (Fate::Gone, "somebody deleted it"),
        };
        copy.fated(fate, why)
    }
}

impl CopyItem {
    pub(super) fn fated(&self, fate: Fate, why: &str) -> IndexFate {
        IndexFate {
            index: self.index.clone(),
            uuid: Some(self.uuid.clone()),
            leader: Some(self.leader.clone()),
            fate,
            why: why.to_owned(),
            needs_alias: false,
        }
    }

    /// A copy of somebody else that keeps the alias in use.
    pub(super) fn left(&self, alias: &str) -> IndexFate {
        let why = format!("somebody's: it follows {} of {alias}", self.leader);
        IndexFate { needs_alias: true, ..self.fated(Fate::Left, &why) }
    }
}

/// The announced copies that are not in `begun` yet.
pub(super) fn unannounced(ours: &[CopyItem], begun: &[CopyItem]) -> Vec<String> {
    let known = |copy: &&CopyItem| !begun.iter().any(|other| other.is(copy));
    ours.iter().filter(known).map(CopyItem::text).collect()
}

/// Of followers that somebody else made: those of which nobody said that they are to go.
pub(super) fn not_released(foreign: Vec<CopyItem>, begun: &[CopyItem]) -> Vec<CopyItem> {
    foreign.into_iter().filter(|copy| !begun.iter().any(|other| other.is(copy))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_is_read_back_from_the_journal_as_it_was_announced() {
        for foreign in [false, true] {
            let copy = CopyItem {
                index: "copy-of-logs".into(),
                uuid: "u-1_x".into(),
                leader: "logs".into(),
                foreign,
            };
            assert_eq!(CopyItem::parse(&copy.text()), Some(copy));
        }
        assert_eq!(CopyItem::parse("alias of"), None);
    }
}
