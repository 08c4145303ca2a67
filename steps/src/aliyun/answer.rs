//! Lenient reading of answers: missing, null and extra fields, numbers as texts and back.

use super::cloud::Origin;
use super::types::Tags;
use escrr_engine::Fault;
use serde_json::Value;

/// One object of an answer, and where it came from.
#[derive(Clone, Copy, Debug)]
pub(super) struct Row<'a> {
    value: &'a Value,
    origin: &'a Origin,
}

impl<'a> Row<'a> {
    pub(super) fn new(value: &'a Value, origin: &'a Origin) -> Self {
        Self { value, origin }
    }

    /// A text that no answer may lack, for example an id.
    pub(super) fn need(&self, path: &str) -> Result<String, Fault> {
        self.given(path).ok_or_else(|| self.origin.unreadable(&format!("it has no `{path}`")))
    }

    /// A text, empty when it is missing.
    pub(super) fn text(&self, path: &str) -> String {
        self.given(path).unwrap_or_default()
    }

    /// A text, none when it is missing or empty.
    pub(super) fn given(&self, path: &str) -> Option<String> {
        as_text(find(self.value, path)?).filter(|text| !text.is_empty())
    }

    /// A number, also when it was sent as a text.
    pub(super) fn number(&self, path: &str) -> Option<u64> {
        as_number(find(self.value, path)?)
    }

    /// A signed number, also when it was sent as a text.
    pub(super) fn signed(&self, path: &str) -> Option<i64> {
        let value = find(self.value, path)?;
        value.as_i64().or_else(|| value.as_str()?.trim().parse().ok())
    }

    /// A truth value, none when it is missing or unreadable.
    pub(super) fn truth(&self, path: &str) -> Option<bool> {
        as_truth(find(self.value, path)?)
    }

    /// A truth value, false when it is missing.
    pub(super) fn flag(&self, path: &str) -> bool {
        self.truth(path).unwrap_or(false)
    }

    /// The texts of a list.
    pub(super) fn texts(&self, path: &str) -> Vec<String> {
        items(self.value, path).iter().filter_map(as_text).collect()
    }

    /// The objects of a list.
    pub(super) fn rows(&self, path: &str) -> Vec<Row<'a>> {
        items(self.value, path).iter().map(|value| Row::new(value, self.origin)).collect()
    }

    /// Is there a list at this path? An empty one is one.
    pub(super) fn is_list(&self, path: &str) -> bool {
        find(self.value, path).is_some_and(Value::is_array)
    }

    /// The tags, in any of the three spellings that the products use.
    pub(super) fn tags(&self, path: &str) -> Tags {
        let spelt = |row: &Row<'_>, names: [&str; 3]| names.iter().find_map(|n| row.given(n));
        let pairs = self.rows(path).into_iter().filter_map(|row| {
            let key = spelt(&row, ["Key", "TagKey", "tagKey"])?;
            let value = spelt(&row, ["Value", "TagValue", "tagValue"]).unwrap_or_default();
            Some((key, value))
        });
        pairs.collect()
    }
}

/// Follows a dotted path.
pub(super) fn find<'a>(value: &'a Value, path: &str) -> Option<&'a Value> {
    path.split('.').try_fold(value, |at, name| at.get(name)).filter(|found| !found.is_null())
}

/// The items of a list; a list that stands one level higher than documented is taken too.
pub(super) fn items<'a>(value: &'a Value, path: &str) -> &'a [Value] {
    let mut at = value;
    for name in path.split('.') {
        if at.is_array() {
            break;
        }
        match at.get(name) {
            Some(next) => at = next,
            None => return &[],
        }
    }
    at.as_array().map_or(&[], Vec::as_slice)
}

pub(super) fn as_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

fn as_number(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| value.as_str()?.trim().parse().ok())
}

fn as_truth(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(flag) => Some(*flag),
        Value::String(text) if text.trim().eq_ignore_ascii_case("true") => Some(true),
        Value::String(text) if text.trim().eq_ignore_ascii_case("false") => Some(false),
        Value::Number(number) => Some(number.as_u64() == Some(1)),
        Value::Null | Value::String(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{Row, items};
    use crate::aliyun::cloud::Origin;
    use escrr_engine::Fault;
    use serde_json::json;

    #[test]
    fn reads_texts_for_numbers_and_numbers_for_texts() {
        let origin = Origin::sample();
        let value = json!({"A": 7, "B": "7", "C": true, "D": "True", "E": null, "F": {"G": "x"},
            "H": -1, "I": "-1", "J": ""});
        let row = Row::new(&value, &origin);
        assert_eq!((row.text("A"), row.number("B")), ("7".to_owned(), Some(7)));
        assert!(row.flag("C") && row.flag("D") && !row.flag("E") && !row.flag("Z"));
        assert_eq!((row.text("E").as_str(), row.text("F.G").as_str()), ("", "x"));
        assert_eq!((row.signed("H"), row.signed("I"), row.number("H")), (Some(-1), Some(-1), None));
        assert_eq!(row.given("J"), None);
    }

    #[test]
    fn an_empty_list_is_told_from_none() {
        let origin = Origin::sample();
        let value = json!({"A": [], "B": [1], "C": null, "D": {}, "E": "x"});
        let row = Row::new(&value, &origin);
        assert!(row.is_list("A") && row.is_list("B"));
        assert!(!["C", "D", "E", "F"].iter().any(|name| row.is_list(name)));
    }

    #[test]
    fn a_missing_id_is_told_with_the_call() {
        let origin = Origin::sample();
        let fault = Row::new(&json!({"CenId": null}), &origin).need("CenId").unwrap_err();
        let Fault::Refused { report, .. } = fault else { panic!("{fault:?}") };
        assert_eq!(report.tried, "DescribeCens (Cbn, cn-shanghai)");
        assert_eq!(report.request_id.as_deref(), Some("r-1"));
    }

    #[test]
    fn lists_are_found_at_either_depth() {
        let list = json!([{"Key": "a", "Value": "1"}, {"TagKey": "b", "TagValue": 2}, {"x": 1}]);
        let origin = Origin::sample();
        for value in [json!({"Tags": {"Tag": list}}), json!({"Tags": list})] {
            let tags = Row::new(&value, &origin).tags("Tags.Tag");
            assert_eq!(format!("{tags:?}"), r#"{"a": "1", "b": "2"}"#);
        }
        assert!(items(&json!({"Tags": null}), "Tags.Tag").is_empty());
        assert!(items(&json!({"Tags": {"Tag": {}}}), "Tags.Tag").is_empty());
    }
}
