//! The part of the query language that a comparison of clusters needs.

use super::failure::{Failure, Outcome};
use super::index::murmur3;
use super::names;
use super::shard::Op;
use serde_json::Value;
use std::cmp::Ordering;

/// One document while it is looked at.
pub(crate) struct Candidate<'a> {
    pub(crate) seq: u64,
    pub(crate) op: &'a Op,
}

/// The value of a field, `.keyword` and dotted paths included.
pub(crate) fn field(candidate: &Candidate<'_>, name: &str) -> Value {
    match name {
        "_id" => return Value::String(candidate.op.id.clone()),
        "_seq_no" => return Value::from(candidate.seq),
        "_version" => return Value::from(candidate.op.version),
        _ => {}
    }
    let Some(source) = candidate.op.source.as_ref() else { return Value::Null };
    let name = name.strip_suffix(".keyword").unwrap_or(name);
    if let Some(value) = source.get(name) {
        return value.clone();
    }
    name.split('.').try_fold(source, |value, part| value.get(part)).cloned().unwrap_or(Value::Null)
}

/// Orders two values as a sort does; nulls come last.
pub(crate) fn compare(a: &Value, b: &Value) -> Ordering {
    match (a, b) {
        (Value::Null, Value::Null) => Ordering::Equal,
        (Value::Null, _) => Ordering::Greater,
        (_, Value::Null) => Ordering::Less,
        (Value::Number(a), Value::Number(b)) => match (a.as_i64(), b.as_i64()) {
            (Some(a), Some(b)) => a.cmp(&b),
            _ => a.as_f64().partial_cmp(&b.as_f64()).unwrap_or(Ordering::Equal),
        },
        (Value::String(a), Value::String(b)) => a.cmp(b),
        (a, b) => a.to_string().cmp(&b.to_string()),
    }
}

fn same(value: &Value, wanted: &Value) -> bool {
    if let Value::Array(list) = value {
        return list.iter().any(|v| same(v, wanted));
    }
    value == wanted
        || match (value, wanted) {
            (Value::Null, _) | (_, Value::Null) => false,
            (Value::String(text), other) | (other, Value::String(text)) => {
                let other = other.to_string();
                *text == other
            }
            _ => compare(value, wanted) == Ordering::Equal,
        }
}

/// The one entry of `{"name": …}`.
fn only(value: &Value) -> Outcome<(&String, &Value)> {
    value.as_object().and_then(|m| m.iter().find(|(k, _)| *k != "boost")).ok_or_else(|| {
        Failure::new(400, "parsing_exception", "query malformed, empty clause found")
    })
}

fn clauses(value: Option<&Value>) -> Vec<&Value> {
    match value {
        Some(Value::Array(list)) => list.iter().collect(),
        Some(one) => vec![one],
        None => Vec::new(),
    }
}

/// The score of a document; `None` when the query does not match it.
pub(crate) fn score(query: &Value, candidate: &Candidate<'_>) -> Outcome<Option<f64>> {
    let (name, body) = only(query)?;
    let hit = match name.as_str() {
        "match_all" => true,
        "match_none" => false,
        "ids" => {
            let ids = body.get("values").and_then(Value::as_array);
            ids.is_some_and(|ids| ids.iter().any(|id| id.as_str() == Some(&candidate.op.id)))
        }
        "term" | "match" | "match_phrase" => {
            let (name, wanted) = only(body)?;
            let wanted = wanted.get("value").or(wanted.get("query")).unwrap_or(wanted);
            same(&field(candidate, name), wanted)
        }
        "terms" => {
            let (name, list) = only(body)?;
            let value = field(candidate, name);
            list.as_array().is_some_and(|list| list.iter().any(|w| same(&value, w)))
        }
        "range" => {
            let (name, bounds) = only(body)?;
            in_range(&field(candidate, name), bounds)
        }
        "exists" => {
            let name = body.get("field").and_then(Value::as_str).unwrap_or("");
            !field(candidate, name).is_null()
        }
        "prefix" | "wildcard" => {
            let (field_name, wanted) = only(body)?;
            let wanted = wanted.get("value").unwrap_or(wanted).as_str().unwrap_or("");
            let value = field(candidate, field_name);
            let text = value.as_str().unwrap_or("");
            if name == "prefix" { text.starts_with(wanted) } else { names::matches(wanted, text) }
        }
        "bool" => boolean(body, candidate)?,
        "constant_score" => match body.get("filter") {
            Some(filter) => score(filter, candidate)?.is_some(),
            None => true,
        },
        "function_score" => return function_score(body, candidate),
        other => {
            return Err(Failure::new(400, "parsing_exception", format!("unknown query [{other}]")));
        }
    };
    Ok(hit.then_some(1.0))
}

fn boolean(body: &Value, candidate: &Candidate<'_>) -> Outcome<bool> {
    for clause in clauses(body.get("must")).into_iter().chain(clauses(body.get("filter"))) {
        if score(clause, candidate)?.is_none() {
            return Ok(false);
        }
    }
    for clause in clauses(body.get("must_not")) {
        if score(clause, candidate)?.is_some() {
            return Ok(false);
        }
    }
    let should = clauses(body.get("should"));
    if should.is_empty() || body.get("must").is_some() || body.get("filter").is_some() {
        return Ok(true);
    }
    for clause in should {
        if score(clause, candidate)?.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

fn in_range(value: &Value, bounds: &Value) -> bool {
    let Some(bounds) = bounds.as_object() else { return false };
    !value.is_null()
        && bounds.iter().all(|(bound, limit)| {
            let order = compare(value, limit);
            match bound.as_str() {
                "gt" => order == Ordering::Greater,
                "gte" | "from" => order != Ordering::Less,
                "lt" => order == Ordering::Less,
                "lte" | "to" => order != Ordering::Greater,
                _ => true,
            }
        })
}

/// `random_score`: the same seed gives the same order.
fn function_score(body: &Value, candidate: &Candidate<'_>) -> Outcome<Option<f64>> {
    if let Some(query) = body.get("query")
        && score(query, candidate)?.is_none()
    {
        return Ok(None);
    }
    let random = body.get("random_score").or_else(|| {
        body.get("functions").and_then(Value::as_array)?.iter().find_map(|f| f.get("random_score"))
    });
    let Some(random) = random else { return Ok(Some(1.0)) };
    let seed = random.get("seed").map_or_else(|| "0".to_owned(), Value::to_string);
    let by = random.get("field").and_then(Value::as_str).unwrap_or("_seq_no");
    let hash = murmur3(&format!("{seed}/{}", field(candidate, by)));
    Ok(Some(f64::from(hash) / f64::from(u32::MAX)))
}
