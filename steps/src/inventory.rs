//! Everything in the account that carries a link's tags, of whatever run.
//!
//! It is asked for by tag over all kinds and both regions, apart from what any journal says, so
//! it finds what a lost home, an old backup or another person's run left behind.

use crate::World;
use crate::aliyun::{TagKind, Tags};
use crate::marks::{TAG_NODE, TAG_SAGA, by_marks, mark};
use escrr_engine::Fault;
use futures_util::future::try_join_all;
use std::collections::BTreeSet;

/// One resource that carries the link's tags.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Tagged {
    /// The run that it belongs to, as its tag says; empty without that tag.
    pub saga: String,
    /// What it is.
    pub kind: TagKind,
    /// Its region.
    pub region: String,
    /// Its id.
    pub id: String,
    /// The node that it was created for, as its tag says; empty without that tag.
    pub node: String,
}

/// Everything that carries the tags of the world's link.
///
/// # Errors
/// A list cannot be read: nothing is known then, not even of the other kinds.
pub async fn inventory(world: &World) -> Result<Vec<Tagged>, Fault> {
    let regions: BTreeSet<&str> =
        [&world.spec.leader.region, &world.spec.follower.region].map(String::as_str).into();
    let places = TagKind::ALL.into_iter().flat_map(|kind| {
        // A CEN instance belongs to no region; the first one's list has it as well.
        let regions = regions.iter().take(if kind == TagKind::Cen { 1 } else { regions.len() });
        regions.map(move |region| (*region, kind)).collect::<Vec<_>>()
    });
    let found = try_join_all(places.map(|place| listed(world, place))).await?;
    let mut all: BTreeSet<Tagged> = found.into_iter().flatten().collect();
    // An inter-region connection may show in both regions.
    let mut seen = BTreeSet::new();
    all.retain(|tagged| seen.insert(tagged.id.clone()));
    Ok(all.into_iter().collect())
}

async fn listed(world: &World, (region, kind): (&str, TagKind)) -> Result<Vec<Tagged>, Fault> {
    let found = by_marks(world.link_mark(), |marks| async move {
        let found = world.again.part(|| world.cloud.tagged((region, kind), &marks)).await?;
        Ok(found.into_iter().collect())
    });
    let text = |tags: &Tags, key| mark(tags, key).unwrap_or_default().to_owned();
    let row = |(id, tags): (String, Tags)| Tagged {
        saga: text(&tags, TAG_SAGA),
        kind,
        region: region.to_owned(),
        id,
        node: text(&tags, TAG_NODE),
    };
    Ok(found.await?.into_iter().map(row).collect())
}
