//! Tags of instances; ids, keys and filters travel as JSON.

use crate::listing::invalid;
use crate::tagging::{Tags, check_tags};
use crate::{Answer, Call, Refusal, World};
use serde_json::{Value, json};

pub(super) fn handle(world: &mut World, call: &Call) -> Option<Answer> {
    Some(match call.action.as_str() {
        "TagResources" => tag(world, call),
        "UntagResources" => untag(world, call),
        "ListTagResources" => list(world, call),
        _ => return None,
    })
}

fn strings(value: Option<&Value>, name: &str) -> Result<Vec<String>, Refusal> {
    let rows = value.and_then(Value::as_array).ok_or_else(|| invalid(name))?;
    rows.iter().map(|v| v.as_str().map(str::to_owned).ok_or_else(|| invalid(name))).collect()
}

/// A query parameter that holds a JSON list.
fn json_list(call: &Call, name: &str) -> Result<Option<Value>, Refusal> {
    call.get(name).map(|t| serde_json::from_str(t).map_err(|_| invalid(name))).transpose()
}

fn pairs(value: Option<&Value>) -> Result<Tags, Refusal> {
    let rows = value.and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let member = |row: &Value, name: &str| row.get(name).and_then(Value::as_str).map(str::to_owned);
    rows.iter()
        .map(|r| Some((member(r, "key")?, member(r, "value").unwrap_or_default())))
        .collect::<Option<_>>()
        .ok_or_else(|| invalid("Tags"))
}

fn known(world: &World, ids: &[String]) -> Result<(), Refusal> {
    if ids.iter().all(|id| world.instances.instances.contains_key(id)) {
        return Ok(());
    }
    Err(Refusal::missing("InstanceNotFound", "The instance is not found."))
}

fn tag(world: &mut World, call: &Call) -> Answer {
    let ids = strings(call.body.get("ResourceIds"), "ResourceIds")?;
    let tags = pairs(call.body.get("Tags"))?;
    check_tags(call.product, &tags)?;
    known(world, &ids)?;
    for id in ids {
        world.instances.get_mut(&id)?.tags.extend(tags.clone());
    }
    Ok(json!({"Result": true}))
}

fn untag(world: &mut World, call: &Call) -> Answer {
    let ids = strings(json_list(call, "ResourceIds")?.as_ref(), "ResourceIds")?;
    let keys = match json_list(call, "TagKeys")? {
        None => Vec::new(),
        keys @ Some(_) => strings(keys.as_ref(), "TagKeys")?,
    };
    let all = call.flag("All", false) && keys.is_empty();
    known(world, &ids)?;
    for id in ids {
        world.instances.get_mut(&id)?.tags.retain(|k, _| !all && !keys.contains(k));
    }
    Ok(json!({"Result": true}))
}

fn list(world: &World, call: &Call) -> Answer {
    let ids = match json_list(call, "ResourceIds")? {
        None => None,
        ids @ Some(_) => Some(strings(ids.as_ref(), "ResourceIds")?),
    };
    let wanted = pairs(json_list(call, "Tags")?.as_ref())?;
    let rows: Vec<Value> = world
        .instances
        .instances
        .iter()
        .filter(|(id, _)| ids.as_ref().is_none_or(|ids| ids.contains(id)))
        .filter(|(_, i)| wanted.iter().all(|(k, v)| i.tags.get(k) == Some(v)))
        .flat_map(|(id, i)| {
            i.tags.iter().map(move |(k, v)| {
                json!({
                    "ResourceId": id, "ResourceType": "INSTANCE", "TagKey": k, "TagValue": v,
                })
            })
        })
        .collect();
    Ok(json!({
        "Headers": {"X-Total-Count": rows.len()},
        "PageSize": rows.len(),
        "TagResources": {"TagResource": rows},
    }))
}
