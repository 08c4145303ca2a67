//! Bodies of CCR calls: required keys and the ten tuning keys.

use crate::elastic::context::Ctx;
use crate::elastic::failure::{Failure, Outcome};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// What a tuning key holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unit {
    Count,
    Size,
    Time,
}

/// Name, default, unit.
const TUNING: &[(&str, &str, Unit)] = &[
    ("max_read_request_operation_count", "5120", Unit::Count),
    ("max_write_request_operation_count", "5120", Unit::Count),
    ("max_outstanding_read_requests", "12", Unit::Count),
    ("max_outstanding_write_requests", "9", Unit::Count),
    ("max_read_request_size", "32mb", Unit::Size),
    ("max_write_request_size", "9223372036854775807b", Unit::Size),
    ("max_write_buffer_count", "2147483647", Unit::Count),
    ("max_write_buffer_size", "512mb", Unit::Size),
    ("max_retry_delay", "500ms", Unit::Time),
    ("read_poll_timeout", "1m", Unit::Time),
];

/// The longest `max_retry_delay`.
const LONGEST_RETRY_MS: u64 = 5 * 60_000;

/// The body of a CCR call, its keys checked against what the call takes.
pub(crate) fn body(
    ctx: &Ctx<'_>,
    parser: &str,
    keys: &[&str],
    required: bool,
) -> Outcome<Map<String, Value>> {
    if !ctx.has_body() {
        return if required {
            Err(Failure::new(400, "parse_exception", "request body is required"))
        } else {
            Ok(Map::new())
        };
    }
    let Value::Object(map) = ctx.json()? else {
        return Err(Failure::new(
            400,
            "x_content_parse_exception",
            format!("[1:1] [{parser}] Expected START_OBJECT"),
        ));
    };
    let known = |key: &str| keys.contains(&key) || TUNING.iter().any(|(name, ..)| *name == key);
    match map.keys().find(|key| !known(key)) {
        Some(key) => Err(Failure::new(
            400,
            "x_content_parse_exception",
            format!("[1:2] [{parser}] unknown field [{key}]"),
        )),
        None => Ok(map),
    }
}

/// The tuning keys that were given; what is wrong with them goes to `complaints`.
pub(crate) fn tuning(
    body: &Map<String, Value>,
    complaints: &mut Vec<String>,
) -> Outcome<BTreeMap<String, Value>> {
    let mut given = BTreeMap::new();
    for (name, _, unit) in TUNING {
        let Some(value) = body.get(*name).filter(|v| !v.is_null()) else { continue };
        let value = match unit {
            Unit::Count => {
                let number = value
                    .as_i64()
                    .or_else(|| value.as_str()?.parse().ok())
                    .ok_or_else(|| bad_value(name, value))?;
                if number < 1 {
                    complaints.push(format!("{name} must be larger than 0"));
                }
                json!(number)
            }
            Unit::Size => {
                let text = value.as_str().ok_or_else(|| bad_value(name, value))?;
                let bytes = bytes_of(text).ok_or_else(|| bad_value(name, value))?;
                if bytes == 0 {
                    complaints.push(format!("{name} must be larger than 0"));
                }
                json!(text)
            }
            Unit::Time => {
                let text = value.as_str().ok_or_else(|| bad_value(name, value))?;
                let ms = crate::elastic::index::parse_time(text)
                    .ok_or_else(|| bad_value(name, value))?;
                if *name == "max_retry_delay" && ms == 0 {
                    complaints.push(format!("[{name}] must be positive but was [{text}]"));
                } else if *name == "max_retry_delay" && ms > LONGEST_RETRY_MS {
                    complaints.push(format!("[{name}] must be less than [5m] but was [{text}]"));
                }
                json!(text)
            }
        };
        given.insert((*name).to_owned(), value);
    }
    Ok(given)
}

fn bad_value(name: &str, value: &Value) -> Failure {
    Failure::new(400, "x_content_parse_exception", format!("[1:2] failed to parse field [{name}]"))
        .because(Failure::illegal(format!("failed to parse value [{value}] for setting [{name}]")))
}

fn bytes_of(text: &str) -> Option<u64> {
    let split = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = text.split_at(split);
    let known = ["b", "k", "kb", "m", "mb", "g", "gb", "t", "tb", "p", "pb"];
    known.contains(&unit.to_lowercase().as_str()).then(|| number.parse().ok())?
}

/// All ten keys with the values in force.
pub(crate) fn effective(given: &BTreeMap<String, Value>) -> Value {
    let all: Map<String, Value> = TUNING
        .iter()
        .map(|(name, default, unit)| {
            let value = given.get(*name).cloned().unwrap_or_else(|| match unit {
                Unit::Count => json!(default.parse::<u64>().unwrap_or(1)),
                Unit::Size | Unit::Time => json!(default),
            });
            ((*name).to_owned(), value)
        })
        .collect();
    Value::Object(all)
}
