//! What the list calls of all products share: paging, tags, times.

use crate::{Answer, Call, Refusal, World};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// Tags of one thing.
pub(crate) type Tags = BTreeMap<String, String>;

/// A moment as the OpenAPI writes it.
pub(crate) fn when(ms: u64) -> String {
    i64::try_from(ms)
        .ok()
        .and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok())
        .map_or_else(String::new, |t| t.strftime("%Y-%m-%dT%H:%M:%SZ").to_string())
}

/// The moment at which an operation that starts now ends.
pub(crate) fn after(world: &World, operation: &str) -> u64 {
    world.now_ms + world.durations.ms(operation)
}

/// An action that the product does not have.
pub(crate) fn unknown_action(call: &Call) -> Answer {
    Err(Refusal::missing(
        "InvalidAction.NotFound",
        format!(
            "Specified api is not found, please check your url and method. Action: {}",
            call.action
        ),
    ))
}

/// A parameter with a value outside its limits.
pub(crate) fn invalid(name: &str) -> Refusal {
    Refusal::bad(
        format!("InvalidParameter.{name}"),
        format!("The specified parameter {name} is not valid."),
    )
}

/// Is the row in the region that the call names? A call without one means all.
pub(crate) fn in_region(call: &Call, region: &str) -> bool {
    call.get("RegionId").is_none_or(|r| r == region)
}

/// Does the call's filter `name`, when there, equal the value?
pub(crate) fn wants(call: &Call, name: &str, value: &str) -> bool {
    call.get(name).is_none_or(|v| v == value)
}

/// Does the call's list filter `name.N`, when there, hold the value?
pub(crate) fn lists(call: &Call, name: &str, value: &str) -> bool {
    let wanted = call.list(name);
    wanted.is_empty() || wanted.iter().any(|v| v == value)
}

/// Rows by `PageNumber` and `PageSize` (default 10, at most 50), under `shape`: one name or two.
pub(crate) fn numbered(call: &Call, rows: Vec<Value>, shape: &[&str]) -> Answer {
    let number: usize = call.number("PageNumber")?.unwrap_or(1);
    let size: usize = call.number("PageSize")?.unwrap_or(10);
    if number == 0 {
        return Err(invalid("PageNumber"));
    }
    if !(1..=50).contains(&size) {
        return Err(invalid("PageSize"));
    }
    let total = rows.len();
    let page: Vec<Value> = rows.into_iter().skip((number - 1) * size).take(size).collect();
    let mut answer = nest(shape, page);
    answer.insert("PageNumber".into(), json!(number));
    answer.insert("PageSize".into(), json!(size));
    answer.insert("TotalCount".into(), json!(total));
    Ok(Value::Object(answer))
}

/// Rows by `NextToken` and `MaxResults`, under `shape`; `limits` are the default and the maximum.
pub(crate) fn by_token(
    call: &Call,
    rows: Vec<Value>,
    shape: &[&str],
    limits: (usize, usize),
) -> Answer {
    // The tag call of Cbn names the size of its pages PageSize.
    let size: usize = call.number("MaxResults")?.or(call.number("PageSize")?).unwrap_or(limits.0);
    if size == 0 || size > limits.1 {
        return Err(invalid("MaxResults"));
    }
    let start = match call.get("NextToken") {
        None => 0,
        Some(token) => token
            .strip_prefix("next")
            .and_then(|t| usize::from_str_radix(t, 16).ok())
            .ok_or_else(|| invalid("NextToken"))?,
    };
    let total = rows.len();
    let page: Vec<Value> = rows.into_iter().skip(start).take(size).collect();
    let end = start + page.len();
    let mut answer = nest(shape, page);
    if end < total {
        answer.insert("NextToken".into(), json!(format!("next{end:08x}")));
    }
    answer.insert("MaxResults".into(), json!(size));
    answer.insert("TotalCount".into(), json!(total));
    Ok(Value::Object(answer))
}

fn nest(shape: &[&str], rows: Vec<Value>) -> Map<String, Value> {
    let mut value = Value::Array(rows);
    for name in shape.iter().rev() {
        value = json!({ *name: value });
    }
    match value {
        Value::Object(map) => map,
        other @ (Value::Null
        | Value::Bool(_)
        | Value::Number(_)
        | Value::String(_)
        | Value::Array(_)) => Map::from_iter([("Rows".to_owned(), other)]),
    }
}

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
    if tags.len() > 20 {
        return Err(Refusal::bad(
            "NumberExceed.Tags",
            "The maximum number of tags of a resource is exceeded.",
        ));
    }
    for (key, value) in &tags {
        let reserved = key.starts_with("aliyun") || key.starts_with("acs:");
        if key.is_empty() || key.len() > 128 || reserved || key.contains("://") {
            return Err(Refusal::bad("InvalidTagKey", "The tag key is not valid."));
        }
        if value.len() > 128 || value.contains("://") {
            return Err(Refusal::bad("InvalidTagValue", "The tag value is not valid."));
        }
    }
    Ok(tags)
}

/// Things of one type with their tags.
pub(crate) type TaggedThings = Vec<(String, Tags)>;

/// How one product finds the tags of its things.
pub(crate) struct Tagging {
    /// Tags of one thing by resource type and id.
    pub(crate) find: for<'a> fn(&'a mut World, &str, &str) -> Option<&'a mut Tags>,
    /// All things of a resource type; `None` for a type that the product does not tag.
    pub(crate) all: fn(&World, &str) -> Option<TaggedThings>,
    /// The code for an id that is not there.
    pub(crate) missing: &'static str,
    /// Where `ListTagResources` puts its rows.
    pub(crate) shape: &'static [&'static str],
    /// Rows on one of its pages, by default.
    pub(crate) page: usize,
}

impl Tagging {
    /// Answers the three tag calls; `None` for another action.
    pub(crate) fn handle(&self, world: &mut World, call: &Call) -> Option<Answer> {
        match call.action.as_str() {
            "TagResources" => Some(self.tag(world, call)),
            "UntagResources" => Some(self.untag(world, call)),
            "ListTagResources" => Some(self.list(world, call)),
            _ => None,
        }
    }

    fn check(&self, world: &mut World, call: &Call) -> Result<(String, Vec<String>), Refusal> {
        let kind = call.need("ResourceType")?.to_owned();
        if (self.all)(world, &kind).is_none() {
            return Err(invalid("ResourceType"));
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
        let things = (self.all)(world, kind).ok_or_else(|| invalid("ResourceType"))?;
        let rows = things
            .iter()
            .filter(|(id, tags)| lists(call, "ResourceId", id) && tagged(call, tags))
            .flat_map(|(id, tags)| {
                tags.iter().map(move |(k, v)| {
                    json!({"ResourceId": id, "ResourceType": kind, "TagKey": k, "TagValue": v})
                })
            })
            .collect();
        by_token(call, rows, self.shape, (self.page, 50))
    }
}
