//! Settings between their nested and their dotted form.

use super::names::matches;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// Scalars become strings, as settings come back; lists become lists of strings.
fn text(value: &Value) -> Value {
    match value {
        Value::Null => Value::Null,
        Value::Bool(b) => Value::String(b.to_string()),
        Value::Number(n) => Value::String(n.to_string()),
        Value::String(s) => Value::String(s.clone()),
        Value::Array(list) => Value::Array(list.iter().map(text).collect()),
        Value::Object(map) => Value::Object(map.clone()),
    }
}

/// All leaves by their dotted key.
pub(crate) fn flatten(value: &Value) -> BTreeMap<String, Value> {
    fn walk(prefix: &str, value: &Value, into: &mut BTreeMap<String, Value>) {
        if let Value::Object(map) = value {
            for (key, inner) in map {
                let key = if prefix.is_empty() { key.clone() } else { format!("{prefix}.{key}") };
                walk(&key, inner, into);
            }
        } else if !prefix.is_empty() {
            into.insert(prefix.to_owned(), text(value));
        }
    }
    let mut flat = BTreeMap::new();
    walk("", value, &mut flat);
    flat
}

/// The nested form of dotted keys.
pub(crate) fn nest<'a>(flat: impl IntoIterator<Item = (&'a String, &'a Value)>) -> Value {
    let mut root = Map::new();
    for (key, value) in flat {
        insert(&mut root, key, value);
    }
    Value::Object(root)
}

fn insert(into: &mut Map<String, Value>, key: &str, value: &Value) {
    match key.split_once('.') {
        None => {
            into.insert(key.to_owned(), value.clone());
        }
        Some((head, rest)) => {
            let inner = into.entry(head).or_insert_with(|| Value::Object(Map::new()));
            if let Value::Object(inner) = inner {
                insert(inner, rest, value);
            } else {
                // `a` and `a.b` are both set: Elasticsearch leaves the second one dotted.
                into.insert(key.to_owned(), value.clone());
            }
        }
    }
}

/// Nested or flat, as the caller asked with `flat_settings`.
pub(crate) fn shown(map: &BTreeMap<String, Value>, flat: bool) -> Value {
    if flat {
        Value::Object(map.iter().map(|(k, v)| (k.clone(), v.clone())).collect())
    } else {
        nest(map)
    }
}

/// Sets what has a value, removes what is null; a null key may hold wildcards.
pub(crate) fn apply(map: &mut BTreeMap<String, Value>, changes: &BTreeMap<String, Value>) {
    for (key, value) in changes {
        if value.is_null() {
            map.retain(|k, _| !matches(key, k));
        }
    }
    for (key, value) in changes.iter().filter(|(_, v)| !v.is_null()) {
        map.insert(key.clone(), value.clone());
    }
}

/// Applies `filter_path` to an answer.
pub(crate) fn filter_path(value: Value, filters: &str) -> Value {
    let parts: Vec<&str> = filters.split(',').filter(|f| !f.is_empty()).collect();
    let (out, keep): (Vec<&str>, Vec<&str>) = parts.into_iter().partition(|f| f.starts_with('-'));
    let keep: Vec<Vec<&str>> = keep.iter().map(|f| f.split('.').collect()).collect();
    let mut value = if keep.is_empty() {
        value
    } else {
        let views: Vec<&[&str]> = keep.iter().map(Vec::as_slice).collect();
        pick(&value, &views).unwrap_or_else(|| Value::Object(Map::new()))
    };
    for filter in out {
        let path: Vec<&str> = filter.trim_start_matches('-').split('.').collect();
        drop_path(&mut value, &path);
    }
    value
}

fn pick(value: &Value, filters: &[&[&str]]) -> Option<Value> {
    if filters.iter().any(|f| f.is_empty()) {
        return Some(value.clone());
    }
    match value {
        Value::Object(map) => {
            let kept: Map<String, Value> = map
                .iter()
                .filter_map(|(key, inner)| {
                    let deeper = descend(filters, key);
                    if deeper.is_empty() {
                        return None;
                    }
                    Some((key.clone(), pick(inner, &deeper)?))
                })
                .collect();
            (!kept.is_empty()).then_some(Value::Object(kept))
        }
        Value::Array(list) => {
            let kept: Vec<Value> = list.iter().filter_map(|v| pick(v, filters)).collect();
            (!kept.is_empty()).then_some(Value::Array(kept))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            filters.iter().any(|f| *f == ["**"]).then(|| value.clone())
        }
    }
}

/// What is left of each filter below `key`. A key may itself hold dots.
fn descend<'a>(filters: &[&'a [&'a str]], key: &str) -> Vec<&'a [&'a str]> {
    let mut deeper = Vec::new();
    for filter in filters {
        if let [first, rest @ ..] = filter {
            if *first == "**" {
                deeper.push(*filter);
                if let [next, after @ ..] = rest
                    && matches(next, key)
                {
                    deeper.push(after);
                }
            } else if matches(first, key) {
                deeper.push(rest);
            } else {
                let dots = key.matches('.').count();
                let (head, tail) = filter.split_at(filter.len().min(dots + 1));
                if dots > 0 && matches(&head.join("."), key) {
                    deeper.push(tail);
                }
            }
        }
    }
    deeper
}

fn drop_path(value: &mut Value, path: &[&str]) {
    let [first, rest @ ..] = path else { return };
    match value {
        Value::Object(map) if rest.is_empty() => map.retain(|k, _| !matches(first, k)),
        Value::Object(map) => {
            for (_, inner) in map.iter_mut().filter(|(k, _)| matches(first, k)) {
                drop_path(inner, rest);
            }
        }
        Value::Array(list) => list.iter_mut().for_each(|v| drop_path(v, path)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn flat_and_nested_are_the_same() {
        let flat = flatten(&json!({"cluster": {"remote.a": {"mode": "proxy", "n": 3}, "x": null}}));
        assert_eq!(flat["cluster.remote.a.n"], "3");
        assert_eq!(flat["cluster.x"], Value::Null);
        assert_eq!(
            nest(&flat),
            json!({"cluster": {"remote": {"a": {"mode": "proxy", "n": "3"}}, "x": null}})
        );
    }

    #[test]
    fn null_with_wildcard_removes_all() {
        let mut map = flatten(&json!({"a.b": 1, "a.c": 2, "d": 3}));
        apply(&mut map, &flatten(&json!({"a.*": null})));
        assert_eq!(map.keys().collect::<Vec<_>>(), ["d"]);
    }

    #[test]
    fn filter_path_keeps_and_drops() {
        let body =
            json!({"took": 1, "indices": {"a": {"x": {"y": 1, "z": 2}}, "b": {"x": {"y": 3}}}});
        assert_eq!(
            filter_path(body.clone(), "indices.*.x.y"),
            json!({"indices": {"a": {"x": {"y": 1}}, "b": {"x": {"y": 3}}}})
        );
        assert_eq!(filter_path(body.clone(), "-indices"), json!({"took": 1}));
        assert_eq!(filter_path(body.clone(), "**.z"), json!({"indices": {"a": {"x": {"z": 2}}}}));
        assert_eq!(filter_path(body, "none"), json!({}));
    }
}
