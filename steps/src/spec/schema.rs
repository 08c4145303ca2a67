//! The spec as a JSON schema, for editors; made from the types that read it.

use super::{KeyId, Price, SecretRef, Spec};
use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::Value;
use std::borrow::Cow;

/// What the schema is called in an editor.
const TITLE: &str = "The spec of a link";

/// The JSON schema (draft 7, which editors know) of a spec.
///
/// Whatever it refuses, [`Spec::parse`] refuses too; not the other way round, since a schema
/// cannot say which settings exclude each other.
pub fn schema() -> Value {
    let schema = SchemaSettings::draft07().into_generator().into_root_schema_for::<Spec>();
    let mut schema = schema.to_value();
    without_null(&mut schema);
    if let Some(fields) = schema.as_object_mut() {
        fields.insert("title".into(), TITLE.into());
    }
    schema
}

/// TOML has no null: a key that may be left out is left out.
fn without_null(schema: &mut Value) {
    let is_null = |schema: &Value| schema.get("type").is_some_and(|kind| kind == "null");
    match schema {
        Value::Object(fields) => {
            if let Some(Value::Array(kinds)) = fields.get_mut("type") {
                kinds.retain(|kind| kind != "null");
                if let [one] = kinds.as_slice() {
                    let one = one.clone();
                    fields.insert("type".into(), one);
                }
            }
            if let Some(Value::Array(choices)) = fields.get_mut("anyOf") {
                choices.retain(|choice| !is_null(choice));
            }
            // What holds where a whole table is left out stands at each of its keys.
            if fields.get("default").is_some_and(|value| value.is_null() || value.is_object()) {
                fields.remove("default");
            }
            fields.values_mut().for_each(without_null);
        }
        Value::Array(all) => all.iter_mut().for_each(without_null),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

impl JsonSchema for Price {
    fn schema_name() -> Cow<'static, str> {
        "Price".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "An amount of money, as a number or in quotation marks.",
            "oneOf": [
                {"type": "number", "minimum": 0},
                {"type": "string", "pattern": "^[0-9]+([.][0-9]{1,6})?$"},
            ],
        })
    }
}

impl JsonSchema for SecretRef {
    fn schema_name() -> Cow<'static, str> {
        "SecretRef".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "Where a secret is kept: `env:NAME`, `file:PATH` or `cmd:COMMAND`.",
            "type": "string",
            "pattern": "^(env:[A-Za-z_][A-Za-z0-9_]*|file:.+|cmd:.+)$",
        })
    }
}

impl JsonSchema for KeyId {
    fn schema_name() -> Cow<'static, str> {
        "KeyId".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "An access key id, or a reference to where it is kept.",
            "type": "string",
            "pattern": "^([A-Za-z0-9._-]{16,64}|env:[A-Za-z_][A-Za-z0-9_]*|file:.+|cmd:.+)$",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every text and every key below a value, with the path to it.
    fn walk(value: &Value, path: &str, tell: &mut impl FnMut(&str, &Value)) {
        tell(path, value);
        match value {
            Value::Object(fields) => {
                fields.iter().for_each(|(key, value)| walk(value, &format!("{path}/{key}"), tell));
            }
            Value::Array(all) => {
                for (at, value) in all.iter().enumerate() {
                    walk(value, &format!("{path}/{at}"), tell);
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }

    /// The properties of a table, behind its reference.
    fn properties<'a>(schema: &'a Value, of: &'a Value) -> &'a serde_json::Map<String, Value> {
        let reference = of["$ref"].as_str().or_else(|| of["allOf"][0]["$ref"].as_str());
        let table = reference.map_or(of, |path| schema.pointer(&path[1..]).unwrap());
        table["properties"].as_object().unwrap_or_else(|| panic!("no table: {of}"))
    }

    #[test]
    fn every_key_of_the_spec_is_in_it_and_no_other() {
        let schema = schema();
        let spec = serde_json::to_value(super::super::defaults::sandbox().unwrap()).unwrap();
        let keys =
            |value: &Value| -> Vec<String> { value.as_object().unwrap().keys().cloned().collect() };
        let mut compared = 0;
        let mut tables = vec![(spec, schema.clone())];
        while let Some((table, of)) = tables.pop() {
            let known = properties(&schema, &of);
            let mut names: Vec<String> = known.keys().cloned().collect();
            names.sort();
            let mut wanted = keys(&table);
            wanted.sort();
            assert_eq!(names, wanted);
            compared += names.len();
            for (key, value) in table.as_object().unwrap() {
                if value.is_object() && key != "tags" {
                    tables.push((value.clone(), known[key].clone()));
                }
            }
        }
        assert!(compared > 60, "{compared}");
    }

    #[test]
    fn every_key_is_described_in_words_for_whoever_writes_a_spec() {
        let schema = schema();
        walk(&schema, "", &mut |path, value| {
            if let Some(keys) = value.get("properties").and_then(Value::as_object) {
                for (key, of) in keys {
                    assert!(of["description"].is_string(), "{path}/{key} is not described");
                }
            }
            if let (true, Some(text)) = (path.ends_with("/description"), value.as_str()) {
                assert!(!text.contains("[`") && !text.contains("::"), "{path}: {text}");
            }
            assert!(!value.is_null(), "{path} is null");
        });
    }

    #[test]
    fn keys_that_are_not_known_are_refused() {
        let schema = schema();
        assert_eq!(schema["additionalProperties"], false);
        assert_eq!(schema["required"], serde_json::json!(["link", "leader", "follower"]));
        assert_eq!(schema["$schema"], "http://json-schema.org/draft-07/schema#");
    }
}
