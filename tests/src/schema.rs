//! Holds JSON against a JSON schema (draft 7), as far as the project's own schemas go.
//!
//! A word of the standard that is not known here is a finding, so that nothing in a schema is
//! passed over in silence. Stricter than the standard in one point: a field that an object's
//! schema does not list is a finding too, since the published schemas have to name everything that
//! is printed.

use regex_automata::nfa::thompson::pikevm::PikeVM;
use serde_json::{Map, Value};

/// What says nothing about a value.
const NOTES: [&str; 6] = ["$schema", "title", "description", "default", "definitions", "format"];

/// What of a value does not fit the schema, each with the path to it; empty when all fits.
pub fn findings(schema: &Value, value: &Value) -> Vec<String> {
    findings_of(schema, schema, value)
}

/// The same against one definition of the schema.
pub fn findings_of(root: &Value, schema: &Value, value: &Value) -> Vec<String> {
    let mut found = Vec::new();
    Check { root, found: &mut found }.at(schema, value, "$");
    found
}

struct Check<'a> {
    root: &'a Value,
    found: &'a mut Vec<String>,
}

impl Check<'_> {
    fn say(&mut self, path: &str, what: impl AsRef<str>) {
        self.found.push(format!("{path}: {}", what.as_ref()));
    }

    fn at(&mut self, schema: &Value, value: &Value, path: &str) {
        let Some(rules) = schema.as_object() else {
            return self.say(path, "the schema is no object");
        };
        if let Some(to) = rules.get("$ref").and_then(Value::as_str) {
            let target = to.strip_prefix('#').and_then(|pointer| self.root.pointer(pointer));
            return match target {
                Some(target) => self.at(target, value, path),
                None => self.say(path, format!("{to} leads nowhere")),
            };
        }
        for (word, rule) in rules {
            self.word((word, rule), rules, value, path);
        }
        if let Some(fields) = value.as_object() {
            self.others(rules, fields, path);
        }
    }

    fn word(
        &mut self,
        (word, rule): (&str, &Value),
        rules: &Map<String, Value>,
        value: &Value,
        path: &str,
    ) {
        let wrong = match word {
            "type" => !types(rule).any(|name| is(name, value)),
            "const" => rule != value,
            "enum" => !list(rule).contains(value),
            "minimum" => value.as_f64().is_some_and(|v| rule.as_f64().is_none_or(|r| v < r)),
            "maximum" => value.as_f64().is_some_and(|v| rule.as_f64().is_none_or(|r| v > r)),
            "pattern" => value.as_str().is_some_and(|text| !matches(rule, text)),
            "required" => {
                let missing =
                    |name: &&Value| value.get(name.as_str().unwrap_or_default()).is_none();
                value.is_object() && list(rule).iter().any(|name| missing(&name))
            }
            "items" => {
                for (at, item) in value.as_array().into_iter().flatten().enumerate() {
                    self.at(rule, item, &format!("{path}[{at}]"));
                }
                false
            }
            "properties" => {
                for (name, rule) in rule.as_object().into_iter().flatten() {
                    if let Some(value) = value.get(name) {
                        self.at(rule, value, &format!("{path}.{name}"));
                    }
                }
                false
            }
            "allOf" => {
                for rule in list(rule) {
                    self.at(rule, value, path);
                }
                false
            }
            "anyOf" | "oneOf" => return self.one(word, list(rule), value, path),
            "additionalProperties" => false,
            _ if NOTES.contains(&word) => false,
            _ => return self.say(path, format!("the schema says `{word}`, which is not known")),
        };
        if wrong {
            let kind = rules.get("title").or(rules.get("description"));
            let about = kind.and_then(Value::as_str).unwrap_or_default();
            self.say(path, format!("{value} is not as `{word}` {rule} says ({about})"));
        }
    }

    /// Fields that are not listed.
    fn others(&mut self, rules: &Map<String, Value>, fields: &Map<String, Value>, path: &str) {
        let listed = rules.get("properties").and_then(Value::as_object);
        for (name, value) in fields {
            if listed.is_some_and(|listed| listed.contains_key(name)) {
                continue;
            }
            match rules.get("additionalProperties") {
                Some(Value::Bool(true)) => {}
                Some(rule @ Value::Object(_)) => self.at(rule, value, &format!("{path}.{name}")),
                Some(_) => self.say(path, format!("`{name}` may not be there")),
                None if listed.is_some() => self.say(path, format!("`{name}` is not described")),
                None => {}
            }
        }
    }

    /// At least one of several schemas has to fit, for `oneOf` exactly one.
    fn one(&mut self, word: &str, rules: &[Value], value: &Value, path: &str) {
        let tried: Vec<Vec<String>> =
            rules.iter().map(|rule| findings_of(self.root, rule, value)).collect();
        match tried.iter().filter(|found| found.is_empty()).count() {
            0 => {
                let nearest = tried.into_iter().min_by_key(Vec::len).unwrap_or_default();
                self.say(path, format!("none of {word} fits; the nearest: {}", nearest.join("; ")));
            }
            1 => {}
            many if word == "oneOf" => self.say(path, format!("{many} of oneOf fit")),
            _ => {}
        }
    }
}

fn list(rule: &Value) -> &[Value] {
    rule.as_array().map(Vec::as_slice).unwrap_or_default()
}

fn types(rule: &Value) -> impl Iterator<Item = &str> {
    list(rule).iter().chain(Some(rule)).filter_map(Value::as_str)
}

fn is(name: &str, value: &Value) -> bool {
    match name {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "string" => value.is_string(),
        "number" => value.is_number(),
        "integer" => value.is_i64() || value.is_u64(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        _ => false,
    }
}

fn matches(pattern: &Value, text: &str) -> bool {
    let machine = PikeVM::new(pattern.as_str().unwrap_or_default());
    machine.is_ok_and(|machine| machine.is_match(&mut machine.create_cache(), text))
}

#[cfg(test)]
mod tests {
    use super::findings;
    use serde_json::{Value, json};

    #[track_caller]
    fn fits(schema: &Value, good: &[Value], bad: &[Value]) {
        for value in good {
            assert_eq!(findings(schema, value), Vec::<String>::new(), "{schema} {value}");
        }
        for value in bad {
            assert!(!findings(schema, value).is_empty(), "{schema} takes {value}");
        }
    }

    #[test]
    fn each_word_refuses_something() {
        fits(&json!({"type": "string"}), &[json!("a")], &[json!(1), json!(null)]);
        fits(&json!({"type": ["integer", "null"]}), &[json!(1), json!(null)], &[json!(1.5)]);
        fits(&json!({"const": 1}), &[json!(1)], &[json!(2)]);
        fits(&json!({"enum": ["a", null]}), &[json!("a"), json!(null)], &[json!("b")]);
        fits(&json!({"minimum": 1, "maximum": 2}), &[json!(1)], &[json!(0), json!(3)]);
        fits(&json!({"pattern": "^a+$"}), &[json!("aa")], &[json!("ab")]);
        let items = json!({"type": "array", "items": {"type": "boolean"}});
        fits(&items, &[json!([true])], &[json!([1]), json!({})]);
        let object = json!({"properties": {"a": {"type": "string"}}, "required": ["a"]});
        fits(
            &object,
            &[json!({"a": "x"})],
            &[json!({}), json!({"a": 1}), json!({"a": "", "b": 1})],
        );
        let map = json!({"type": "object", "additionalProperties": {"type": "string"}});
        fits(&map, &[json!({}), json!({"a": "x"})], &[json!({"a": 1})]);
        fits(&json!({"type": "object"}), &[json!({"any": 1})], &[json!([])]);
        fits(&json!({"additionalProperties": false}), &[json!({})], &[json!({"a": 1})]);
    }

    #[test]
    fn choices_and_references_are_followed() {
        let one = json!({"oneOf": [{"type": "integer"}, {"minimum": 5}]});
        fits(&one, &[json!(1), json!(5.5)], &[json!(6), json!(0.5)]);
        let any = json!({"anyOf": [{"type": "integer"}, {"type": "string"}]});
        fits(&any, &[json!(1), json!("a")], &[json!(null)]);
        let all =
            json!({"allOf": [{"$ref": "#/definitions/a"}], "definitions": {"a": {"const": 1}}});
        fits(&all, &[json!(1)], &[json!(2)]);
        fits(&json!({"$ref": "#/definitions/none"}), &[], &[json!(1)]);
    }

    #[test]
    fn a_word_that_is_not_known_is_a_finding() {
        fits(&json!({"minLength": 3}), &[], &[json!("long enough")]);
        fits(&json!(true), &[], &[json!(1)]);
    }
}
