//! Resources that several links use: each user pins what another link created, and a rollback of
//! the owner hands over what is pinned instead of deleting it under its user.
//!
//! A pin is a tag: its key names the link that uses the resource, its value that link's saga and
//! node. Tags are seen by every home, so links of different homes can share as well.

use crate::aliyun::Tags;
use crate::marks::{TAG_LINK, TAG_NODE, TAG_SAGA, mark};
use escrr_engine::{NodeId, SagaId};

/// How the key of a pin begins; the link follows, and both fit into the 64 characters of a key.
const USED_BY: &str = "escrr-used-by-";
/// How the item of a pin begins, before the id.
const PIN: &str = "pin ";
/// How the item of taking it off begins.
const UNPIN: &str = "unpin ";
/// How the item of handing over begins.
const HAND_OVER: &str = "hand over ";

/// An item of an undo that deletes nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Share<'a> {
    /// Our pin is taken off this resource.
    Unpin(&'a str),
    /// This resource becomes the property of its user.
    HandOver(&'a str),
}

/// Another link that uses a resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct User {
    /// Its name.
    pub(crate) link: String,
    /// Its saga.
    pub(crate) saga: String,
    /// Its node.
    pub(crate) node: String,
}

impl User {
    /// The tags that make a resource its property.
    pub(crate) fn tags(&self) -> Tags {
        let tags = [(TAG_LINK, &self.link), (TAG_SAGA, &self.saga), (TAG_NODE, &self.node)];
        tags.map(|(key, value)| (key.to_owned(), value.clone())).into()
    }
}

/// The key of a link's pin.
pub(crate) fn pin_key(link: &str) -> String {
    format!("{USED_BY}{link}")
}

/// The tag that pins a resource for a node.
pub(crate) fn pin(link: &str, saga: SagaId, node: NodeId) -> Tags {
    Tags::from([(pin_key(link), format!("{saga}.{node}"))])
}

/// Does the resource carry our pin?
pub(crate) fn has_pin(tags: &Tags, (saga, link): (SagaId, &str)) -> bool {
    tags.get(&pin_key(link)).is_some_and(|value| value.starts_with(&saga.to_string()))
}

/// The item that pins a resource of another link, if that is missing.
pub(crate) fn missing_pin(tags: &Tags, id: &str, who: (SagaId, &str)) -> Option<String> {
    let owner = mark(tags, TAG_LINK)?;
    (owner != who.1 && !has_pin(tags, who)).then(|| format!("{PIN}{id}"))
}

/// The resource that an item pins.
pub(crate) fn pinned(item: &str) -> Option<&str> {
    item.strip_prefix(PIN)
}

/// The item that takes our pin off.
pub(crate) fn unpin_item(id: &str) -> String {
    format!("{UNPIN}{id}")
}

/// The item that hands a resource over.
pub(crate) fn hand_over_item(id: &str) -> String {
    format!("{HAND_OVER}{id}")
}

/// What an item of an undo stands for; `None` for the id of what is deleted.
pub(crate) fn read(item: &str) -> Option<Share<'_>> {
    let unpin = item.strip_prefix(UNPIN).map(Share::Unpin);
    unpin.or_else(|| item.strip_prefix(HAND_OVER).map(Share::HandOver))
}

/// Another link that has pinned the resource; the first one by name.
pub(crate) fn user(tags: &Tags, link: &str) -> Option<User> {
    tags.iter().filter(|(key, _)| **key != pin_key(link)).find_map(|(key, value)| {
        let name = key.strip_prefix(USED_BY)?;
        let (saga, node) = value.split_once('.')?;
        Some(User { link: name.to_owned(), saga: saga.to_owned(), node: node.to_owned() })
    })
}

/// The link that a resource was handed over to: its tags and its pin agree.
pub(crate) fn handed_over_to(tags: &Tags, link: &str) -> Option<String> {
    let owner = mark(tags, TAG_LINK)?;
    (owner != link && tags.contains_key(&pin_key(owner))).then(|| owner.to_owned())
}

/// Who else uses the resource with these tags, as a sentence; `None` if nobody does.
pub(crate) fn kept(tags: &Tags, link: &str) -> Option<String> {
    let name = user(tags, link).map(|user| user.link).or_else(|| handed_over_to(tags, link))?;
    Some(format!("the link {name} uses it"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NODE: NodeId = NodeId::new("leader", "vpc_attachment");

    #[test]
    fn what_another_link_created_is_pinned_and_then_handed_over() {
        let (east, west) = (SagaId::new(1, [1; 10]), SagaId::new(2, [2; 10]));
        let made = User { link: "east".into(), saga: east.to_string(), node: NODE.to_string() };
        let mut tags = made.tags();
        assert_eq!(missing_pin(&tags, "a-1", (east, "east")), None);
        let item = missing_pin(&tags, "a-1", (west, "west")).unwrap();
        assert_eq!(pinned(&item), Some("a-1"));
        tags.extend(pin("west", west, NODE));
        assert!(has_pin(&tags, (west, "west")) && !has_pin(&tags, (east, "west")));
        let user = user(&tags, "east").unwrap();
        assert_eq!((user.link.as_str(), user.saga), ("west", west.to_string()));
        assert_eq!(handed_over_to(&tags, "east"), None);
        tags.extend(super::user(&tags, "east").unwrap().tags());
        assert_eq!(handed_over_to(&tags, "east").as_deref(), Some("west"));
        assert_eq!(super::user(&tags, "west"), None, "its own pin is nobody else's");
    }

    #[test]
    fn items_tell_what_they_stand_for() {
        assert_eq!(read("cen-1"), None);
        assert_eq!(read(&unpin_item("cen-1")), Some(Share::Unpin("cen-1")));
        assert_eq!(read(&hand_over_item("cen-1")), Some(Share::HandOver("cen-1")));
        assert!(pin_key(&"x".repeat(40)).len() <= 64, "the longest name of a link");
    }
}
