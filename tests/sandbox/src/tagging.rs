//! Tags, and the three calls that every product has for them.

use crate::listing::{invalid, lists};
use crate::paging::{Size, by_token, without};
use crate::{Answer, Call, Product, Refusal, World};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Tags of one thing.
pub(crate) type Tags = BTreeMap<String, String>;

/// Tags as `[{"Key", "Value"}]`, with the two member names that the call uses.
pub(crate) fn tag_rows(tags: &Tags, key: &str, value: &str) -> Value {
    tags.iter().map(|(k, v)| json!({ key: k, value: v })).collect()
}

/// Does a thing carry all tags that a list call asks for? A tag without a value asks for its key.
pub(crate) fn tagged(call: &Call, tags: &Tags) -> bool {
    call.tags().iter().all(|(k, v)| tags.get(k).is_some_and(|have| v.is_empty() || have == v))
}

/// The tags of a create or a tag call, checked.
pub(crate) fn new_tags(call: &Call) -> Result<Tags, Refusal> {
    let tags = call.tags();
    check_tags(call.product, &tags)?;
    Ok(tags)
}

/// Refuses tags that the product does not take.
pub(crate) fn check_tags(product: Product, tags: &Tags) -> Result<(), Refusal> {
    if tags.len() > 20 {
        return Err(Refusal::bad(
            "NumberExceed.Tags",
            "The maximum number of tags of a resource is exceeded.",
        ));
    }
    for (key, value) in tags {
        if !legal_key(product, key) {
            return Err(Refusal::bad("InvalidTagKey", "The tag key is not valid."));
        }
        if !legal_value(product, value) {
            return Err(Refusal::bad("InvalidTagValue", "The tag value is not valid."));
        }
    }
    Ok(())
}

/// No product takes these.
fn reserved(text: &str) -> bool {
    let lower = text.to_lowercase();
    ["aliyun", "acs:"].iter().any(|prefix| lower.starts_with(prefix))
        || ["http://", "https://"].iter().any(|part| lower.contains(part))
}

fn only(text: &str, marks: &str) -> bool {
    text.chars().all(|c| c.is_alphanumeric() || marks.contains(c))
}

/// Vpc and PrivateLink document letters, digits, `.`, `_` and `-`, a letter first; Nlb takes a few
/// more, Cbn and Elasticsearch anything.
fn legal_key(product: Product, key: &str) -> bool {
    let most = if product == Product::Elasticsearch { 128 } else { 64 };
    (1..=most).contains(&key.chars().count())
        && !reserved(key)
        && match product {
            Product::Vpc | Product::PrivateLink => {
                key.starts_with(char::is_alphabetic) && only(key, "._-")
            }
            Product::Nlb => only(key, "_.:/=+-@"),
            Product::Cbn | Product::Ecs | Product::Elasticsearch | Product::Sts => true,
        }
}

fn legal_value(product: Product, value: &str) -> bool {
    value.chars().count() <= 128
        && !reserved(value)
        && match product {
            Product::Vpc => only(value, "._-"),
            Product::Nlb => only(value, "_.:/=+-@"),
            Product::Cbn
            | Product::Ecs
            | Product::Elasticsearch
            | Product::PrivateLink
            | Product::Sts => true,
        }
}

/// The usual refusal for a resource type that a product does not tag.
pub(crate) fn unknown_kind() -> Refusal {
    invalid("ResourceType")
}

/// Things of one type with their tags.
pub(crate) type TaggedThings = Vec<(String, Tags)>;

/// How one product finds the tags of its things.
pub(crate) struct Tagging {
    /// Tags of one thing by resource type and id.
    pub(crate) find: for<'a> fn(&'a mut World, &str, &str) -> Option<&'a mut Tags>,
    /// All things of a resource type; `None` for a type that the product does not tag.
    pub(crate) all: fn(&World, &str) -> Option<TaggedThings>,
    /// The name of its call that takes tags off: `UntagResources`, but in Vpc.
    pub(crate) untag: &'static str,
    /// The refusal for a resource type that it does not tag.
    pub(crate) unknown_kind: fn() -> Refusal,
    /// The code for an id that is not there.
    pub(crate) missing: &'static str,
    /// Where `ListTagResources` puts its rows.
    pub(crate) shape: &'static [&'static str],
    /// How many rows a page of that has.
    pub(crate) size: Size,
}

impl Tagging {
    /// Answers the three tag calls; `None` for another action.
    pub(crate) fn handle(&self, world: &mut World, call: &Call) -> Option<Answer> {
        match call.action.as_str() {
            "TagResources" => Some(self.tag(world, call)),
            action if action == self.untag => Some(self.untag(world, call)),
            "ListTagResources" => Some(self.list(world, call)),
            _ => None,
        }
    }

    fn check(&self, world: &mut World, call: &Call) -> Result<(String, Vec<String>), Refusal> {
        let kind = call.need("ResourceType")?.to_owned();
        if (self.all)(world, &kind).is_none() {
            return Err((self.unknown_kind)());
        }
        call.need("ResourceId.1")?;
        let ids = call.list("ResourceId");
        for id in &ids {
            if (self.find)(world, &kind, id).is_none() {
                return Err(Refusal::missing(
                    self.missing,
                    format!("The specified resource {id} is not found."),
                ));
            }
        }
        Ok((kind, ids))
    }

    fn tag(&self, world: &mut World, call: &Call) -> Answer {
        let new = new_tags(call)?;
        if new.is_empty() {
            call.need("Tag.1.Key")?;
        }
        let (kind, ids) = self.check(world, call)?;
        for id in ids {
            if let Some(tags) = (self.find)(world, &kind, &id) {
                tags.extend(new.clone());
            }
        }
        Ok(json!({}))
    }

    fn untag(&self, world: &mut World, call: &Call) -> Answer {
        let (kind, ids) = self.check(world, call)?;
        let keys = call.list("TagKey");
        let all = call.flag("All", false) && keys.is_empty();
        for id in ids {
            if let Some(tags) = (self.find)(world, &kind, &id) {
                tags.retain(|k, _| !all && !keys.contains(k));
            }
        }
        Ok(json!({}))
    }

    fn list(&self, world: &World, call: &Call) -> Answer {
        let kind = call.need("ResourceType")?;
        let things = (self.all)(world, kind).ok_or_else(self.unknown_kind)?;
        let rows = things
            .iter()
            .filter(|(id, tags)| lists(call, "ResourceId", id) && tagged(call, tags))
            .flat_map(|(id, tags)| {
                tags.iter().map(move |(k, v)| {
                    json!({"ResourceId": id, "ResourceType": kind, "TagKey": k, "TagValue": v})
                })
            })
            .collect();
        let answer = by_token(call, rows, self.shape, self.size);
        // Nlb alone counts.
        let counts = call.product == Product::Nlb;
        without(answer, if counts { &[] } else { &["MaxResults", "TotalCount"] })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_product_has_its_own_tags() {
        use Product::{Cbn, Elasticsearch, Nlb, PrivateLink, Vpc};
        let takes = |product, key: &str| legal_key(product, key);
        for product in [Vpc, PrivateLink, Nlb, Cbn, Elasticsearch] {
            assert!(takes(product, "escrr-link"), "{product:?}");
            for bad in ["", "aliyun-x", "acs:x", "see https://x"] {
                assert!(!takes(product, bad), "{product:?} {bad}");
            }
        }
        let colon = [Vpc, PrivateLink, Nlb, Cbn, Elasticsearch].map(|p| takes(p, "escrr:link"));
        assert_eq!(colon, [false, false, true, true, true]);
        let digit = [Vpc, PrivateLink, Nlb, Cbn, Elasticsearch].map(|p| takes(p, "1a"));
        assert_eq!(digit, [false, false, true, true, true]);
        let long = [Vpc, Cbn, Elasticsearch].map(|p| takes(p, &"a".repeat(65)));
        assert_eq!(long, [false, false, true]);
        let blank = [Vpc, PrivateLink, Nlb, Cbn].map(|p| legal_value(p, "a b"));
        assert_eq!(blank, [false, true, false, true]);
        assert!(!legal_value(Cbn, &"a".repeat(129)) && legal_value(Vpc, ""));
    }
}
