//! The two ways that lists are cut into pages.

use crate::{Call, Refusal};
use serde_json::{Value, json};

/// One page of a list and the fields that go with it.
pub(crate) struct Page {
    /// The rows of this page.
    pub(crate) rows: Vec<Value>,
    /// `TotalCount`, and `PageNumber` with `PageSize` or `NextToken`.
    pub(crate) fields: serde_json::Map<String, Value>,
}

impl Page {
    /// The answer: `list` and `item` name the two levels around the rows.
    pub(crate) fn answer(self, list: &str, item: &str) -> Value {
        let mut fields = self.fields;
        fields.insert(list.to_owned(), json!({ item: self.rows }));
        Value::Object(fields)
    }
}

/// Pages by number: `PageNumber` from 1, `PageSize` 10 unless given.
pub(crate) fn by_number(call: &Call, rows: Vec<Value>, max: usize) -> Result<Page, Refusal> {
    let number: usize = call.number("PageNumber")?.unwrap_or(1);
    let size: usize = call.number("PageSize")?.unwrap_or(10);
    if number == 0 {
        return Err(invalid("PageNumber"));
    }
    if size == 0 || size > max {
        return Err(invalid("PageSize"));
    }
    let total = rows.len();
    let rows = rows.into_iter().skip((number - 1).saturating_mul(size)).take(size).collect();
    let fields = [("PageNumber", number), ("PageSize", size), ("TotalCount", total)];
    Ok(Page { rows, fields: fields.map(|(k, v)| (k.to_owned(), v.into())).into_iter().collect() })
}

/// Pages by token: `NextToken` is where the next page starts.
///
/// `limit` names the size parameter, `size` is its default, `max` its bound.
pub(crate) fn by_token(
    call: &Call,
    rows: Vec<Value>,
    limit: &str,
    (size, max): (usize, usize),
) -> Result<Page, Refusal> {
    let start: usize = match call.get("NextToken") {
        None => 0,
        Some(token) => token
            .strip_prefix("page-")
            .and_then(|at| at.parse().ok())
            .ok_or_else(|| invalid("NextToken"))?,
    };
    let size: usize = call.number(limit)?.unwrap_or(size);
    if size == 0 || size > max {
        return Err(invalid(limit));
    }
    let total = rows.len();
    let next = start.saturating_add(size);
    let rows = rows.into_iter().skip(start).take(size).collect();
    let token = if next < total { format!("page-{next}") } else { String::new() };
    let fields = [("NextToken".to_owned(), token.into()), ("TotalCount".to_owned(), total.into())];
    Ok(Page { rows, fields: fields.into_iter().collect() })
}

fn invalid(name: &str) -> Refusal {
    Refusal::bad(
        format!("InvalidParameter.{name}"),
        format!("The specified parameter {name} is not valid."),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Product;
    use std::collections::BTreeMap;

    fn call(params: &[(&str, &str)]) -> Call {
        Call {
            product: Product::Vpc,
            action: "X".into(),
            params: params.iter().map(|(k, v)| ((*k).into(), (*v).into())).collect(),
            path: BTreeMap::new(),
            body: Value::Null,
        }
    }

    fn rows() -> Vec<Value> {
        (0..25).map(Value::from).collect()
    }

    #[test]
    fn numbered_pages_cover_the_list() {
        let page = by_number(&call(&[("PageNumber", "3")]), rows(), 50).unwrap();
        assert_eq!(page.rows.len(), 5);
        assert_eq!(page.fields["TotalCount"], 25);
        assert!(by_number(&call(&[("PageSize", "51")]), rows(), 50).is_err());
        assert!(by_number(&call(&[("PageNumber", "0")]), rows(), 50).is_err());
    }

    #[test]
    fn tokens_lead_from_page_to_page_to_the_end() {
        let first =
            by_token(&call(&[("MaxResult", "20")]), rows(), "MaxResult", (10, 100)).unwrap();
        let token = first.fields["NextToken"].as_str().unwrap().to_owned();
        let next = call(&[("MaxResult", "20"), ("NextToken", &token)]);
        let last = by_token(&next, rows(), "MaxResult", (10, 100)).unwrap();
        assert_eq!(last.rows.len(), 5);
        assert_eq!(last.fields["NextToken"], "");
    }
}
