//! Nested parameters as the flat pairs that RPC sends.

use serde_json::Value;
use std::collections::BTreeMap;

/// Flattens an object: `A.B` for members, `A.1` for items counted from one.
///
/// Nulls are left out but keep their place in a list, empty lists and objects give nothing,
/// an empty text gives an empty value.
pub(super) fn flatten(params: &Value) -> BTreeMap<String, String> {
    let mut flat = BTreeMap::new();
    walk("", params, &mut flat);
    flat
}

fn walk(key: &str, value: &Value, flat: &mut BTreeMap<String, String>) {
    let below = |name: &str| if key.is_empty() { name.to_owned() } else { format!("{key}.{name}") };
    match value {
        Value::Null => {}
        Value::Bool(flag) => {
            flat.insert(key.to_owned(), flag.to_string());
        }
        Value::Number(number) => {
            flat.insert(key.to_owned(), number.to_string());
        }
        Value::String(text) => {
            flat.insert(key.to_owned(), text.clone());
        }
        Value::Array(items) => {
            for (at, item) in items.iter().enumerate() {
                walk(&below(&(at + 1).to_string()), item, flat);
            }
        }
        Value::Object(members) => {
            for (name, member) in members {
                walk(&below(name), member, flat);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::sign::encode::vectors;
    use super::flatten;
    use serde_json::json;

    #[test]
    fn flattens_like_the_vectors() {
        let group = vectors::group("flatten");
        assert!(group.len() >= 4);
        for case in group {
            assert_eq!(flatten(&case["inputs"]), vectors::strings(&case["flat"]), "{case}");
        }
    }

    #[test]
    fn writes_booleans_in_lower_case_and_keeps_empty_texts() {
        let flat = flatten(&json!({"A": true, "B": false, "C": 10, "D": "", "E": null}));
        let pairs: Vec<String> = flat.iter().map(|(k, v)| format!("{k}={v}")).collect();
        assert_eq!(pairs, ["A=true", "B=false", "C=10", "D="]);
    }
}
