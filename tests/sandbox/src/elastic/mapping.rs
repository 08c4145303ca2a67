//! Mappings: merged from requests and grown from documents.

use super::failure::{Failure, Outcome};
use serde_json::{Map, Value, json};

/// Merges one mapping into another; says whether anything changed.
pub(crate) fn merge(into: &mut Value, from: &Value) -> Outcome<bool> {
    let Some(from) = from.as_object() else { return Ok(false) };
    if !into.is_object() {
        *into = json!({});
    }
    let Some(map) = into.as_object_mut() else { return Ok(false) };
    let mut changed = false;
    for (key, value) in from {
        if key == "properties" {
            let slot = map.entry("properties").or_insert_with(|| json!({}));
            changed |= merge_fields(slot, value)?;
        } else if map.get(key) != Some(value) {
            map.insert(key.clone(), value.clone());
            changed = true;
        }
    }
    Ok(changed)
}

fn merge_fields(into: &mut Value, from: &Value) -> Outcome<bool> {
    let (Some(into), Some(from)) = (into.as_object_mut(), from.as_object()) else {
        return Ok(false);
    };
    let mut changed = false;
    for (name, field) in from {
        let Some(known) = into.get_mut(name) else {
            into.insert(name.clone(), field.clone());
            changed = true;
            continue;
        };
        let kind = |f: &Value| f.get("type").and_then(Value::as_str).unwrap_or("object").to_owned();
        let (old, new) = (kind(known), kind(field));
        if old != new {
            return Err(Failure::illegal(format!(
                "mapper [{name}] cannot be changed from type [{old}] to [{new}]"
            )));
        }
        changed |= merge(known, field)?;
    }
    Ok(changed)
}

/// Adds the fields of a document that the mapping lacks; says whether it did.
pub(crate) fn grow(mapping: &mut Value, source: &Value) -> bool {
    let Some(source) = source.as_object() else { return false };
    if mapping.get("dynamic").is_some_and(|d| *d == json!(false) || *d == json!("false")) {
        return false;
    }
    let Some(map) = mapping.as_object_mut() else { return false };
    let mut changed = false;
    for (name, value) in source {
        let known = map.get("properties").and_then(|p| p.get(name)).is_some();
        if known {
            if value.is_object()
                && let Some(field) = map.get_mut("properties").and_then(|p| p.get_mut(name))
                && field.get("properties").is_some()
            {
                changed |= grow(field, value);
            }
            continue;
        }
        if let Some(field) = infer(value)
            && let Some(fields) =
                map.entry("properties").or_insert_with(|| json!({})).as_object_mut()
        {
            fields.insert(name.clone(), field);
            changed = true;
        }
    }
    changed
}

/// The dynamic mapping of a value; `None` where nothing can be told yet.
fn infer(value: &Value) -> Option<Value> {
    match value {
        Value::Null => None,
        Value::Bool(_) => Some(json!({"type": "boolean"})),
        Value::Number(n) if n.is_f64() => Some(json!({"type": "float"})),
        Value::Number(_) => Some(json!({"type": "long"})),
        Value::String(text) if is_date(text) => Some(json!({"type": "date"})),
        Value::String(_) => Some(json!({
            "type": "text", "fields": {"keyword": {"type": "keyword", "ignore_above": 256}},
        })),
        Value::Array(list) => list.iter().find_map(infer),
        Value::Object(_) => {
            let mut field = Value::Object(Map::new());
            grow(&mut field, value);
            Some(field)
        }
    }
}

/// `2026-10-01` and `2026-10-01T10:00:00Z`: what date detection takes.
fn is_date(text: &str) -> bool {
    let day = text.get(..10).unwrap_or("");
    let shape = day.bytes().enumerate().all(|(n, b)| match n {
        4 | 7 => b == b'-',
        _ => b.is_ascii_digit(),
    });
    day.len() == 10 && shape && (text.len() == 10 || text.as_bytes().get(10) == Some(&b'T'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_grow_the_mapping_once() {
        let mut mapping = json!({});
        let doc =
            json!({"n": 1, "t": "x", "d": "2026-10-01T00:00:00Z", "o": {"f": 1.5}, "z": null});
        assert!(grow(&mut mapping, &doc));
        assert!(!grow(&mut mapping, &doc));
        assert_eq!(mapping["properties"]["n"]["type"], "long");
        assert_eq!(mapping["properties"]["d"]["type"], "date");
        assert_eq!(mapping["properties"]["o"]["properties"]["f"]["type"], "float");
        assert!(mapping["properties"].get("z").is_none());
    }

    #[test]
    fn a_type_never_changes() {
        let mut mapping = json!({"properties": {"n": {"type": "long"}}});
        assert!(merge(&mut mapping, &json!({"properties": {"n": {"type": "text"}}})).is_err());
        assert!(merge(&mut mapping, &json!({"properties": {"m": {"type": "text"}}})).unwrap());
    }
}
