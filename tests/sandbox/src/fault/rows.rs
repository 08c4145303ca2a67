//! Lists that are answered with fewer rows than there are.

use serde_json::Value;

/// The answer with every list in it empty, and its counts zero.
pub(crate) fn emptied(body: &[u8]) -> Vec<u8> {
    changed(body, &|rows| rows.clear())
}

/// The answer with the last row of every list missing.
pub(crate) fn shortened(body: &[u8]) -> Vec<u8> {
    changed(body, &|rows| drop(rows.pop()))
}

fn changed(body: &[u8], change: &dyn Fn(&mut Vec<Value>)) -> Vec<u8> {
    let Ok(mut value) = serde_json::from_slice::<Value>(body) else { return body.to_vec() };
    if let Some(left) = walk(&mut value, change) {
        count(&mut value, left);
    }
    value.to_string().into_bytes()
}

/// Changes the outermost lists; gives how many rows are left of the first one.
fn walk(value: &mut Value, change: &dyn Fn(&mut Vec<Value>)) -> Option<usize> {
    match value {
        Value::Array(rows) => {
            change(rows);
            Some(rows.len())
        }
        Value::Object(members) => {
            let left: Vec<usize> =
                members.values_mut().filter_map(|member| walk(member, change)).collect();
            left.first().copied()
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
    }
}

fn count(value: &mut Value, left: usize) {
    if let Some(total) = value.get_mut("TotalCount") {
        *total = left.into();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn rows_are_left_out_and_counted() {
        let body = json!({"Cens": {"Cen": [{"Tags": [1]}, {"Tags": [2]}]}, "TotalCount": 2});
        let read = |bytes: Vec<u8>| serde_json::from_slice::<Value>(&bytes).unwrap();
        let body = body.to_string().into_bytes();
        assert_eq!(read(emptied(&body)), json!({"Cens": {"Cen": []}, "TotalCount": 0}));
        assert_eq!(
            read(shortened(&body)),
            json!({"Cens": {"Cen": [{"Tags": [1]}]}, "TotalCount": 1})
        );
    }
}
