//! The two ways that lists are cut into pages.

use crate::listing::invalid;
use crate::{Answer, Call, Product, Refusal};
use serde_json::{Map, Value, json};

/// Pages by number: `PageNumber` from 1, `PageSize` 10 unless given, at most `max`.
///
/// `shape` names the one or two levels around the rows.
pub(crate) fn by_number(call: &Call, rows: Vec<Value>, shape: &[&str], max: usize) -> Answer {
    let number: usize = call.number("PageNumber")?.unwrap_or(1);
    let size: usize = call.number("PageSize")?.unwrap_or(10);
    if number == 0 {
        return Err(invalid("PageNumber"));
    }
    if !(1..=max).contains(&size) {
        return Err(invalid("PageSize"));
    }
    let total = rows.len();
    let skipped = (number - 1).saturating_mul(size);
    let mut answer = nest(shape, rows.into_iter().skip(skipped).take(size).collect());
    answer.insert("PageNumber".into(), json!(number));
    answer.insert("PageSize".into(), json!(size));
    answer.insert("TotalCount".into(), json!(total));
    Ok(Value::Object(answer))
}

/// How many rows a page by token has.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Size {
    /// The parameter that sets it: `MaxResults`, and other names in some calls.
    pub(crate) parameter: &'static str,
    /// Rows unless it is given.
    pub(crate) usual: usize,
    /// The most that may be asked for.
    pub(crate) max: usize,
}

impl Size {
    /// By `MaxResults`.
    pub(crate) const fn new(usual: usize, max: usize) -> Self {
        Self::named("MaxResults", usual, max)
    }

    /// By a parameter with another name.
    pub(crate) const fn named(parameter: &'static str, usual: usize, max: usize) -> Self {
        Self { parameter, usual, max }
    }

    fn of(self, call: &Call) -> Result<usize, Refusal> {
        let size = call.number(self.parameter)?.unwrap_or(self.usual);
        if (1..=self.max).contains(&size) { Ok(size) } else { Err(invalid(self.parameter)) }
    }
}

/// Pages by token: `NextToken` is where the next page starts.
///
/// On the last page Vpc and Ecs give an empty token, the other products none; and those
/// two do not say again how many rows were asked for.
pub(crate) fn by_token(call: &Call, rows: Vec<Value>, shape: &[&str], size: Size) -> Answer {
    let size = size.of(call)?;
    let start: usize = match call.get("NextToken") {
        None => 0,
        Some(token) => token
            .strip_prefix("next")
            .and_then(|at| usize::from_str_radix(at, 16).ok())
            .ok_or_else(|| invalid("NextToken"))?,
    };
    let total = rows.len();
    let end = start.saturating_add(size);
    let mut answer = nest(shape, rows.into_iter().skip(start).take(size).collect());
    let older = matches!(call.product, Product::Vpc | Product::Ecs);
    if end < total {
        answer.insert("NextToken".into(), json!(format!("next{end:08x}")));
    } else if older {
        answer.insert("NextToken".into(), json!(""));
    }
    if !older {
        answer.insert("MaxResults".into(), json!(size));
    }
    answer.insert("TotalCount".into(), json!(total));
    Ok(Value::Object(answer))
}

/// The same, for the few calls whose answer has none of the `fields`.
pub(crate) fn without(answer: Answer, fields: &[&str]) -> Answer {
    let mut answer = answer?;
    if let Value::Object(members) = &mut answer {
        members.retain(|name, _| !fields.contains(&name.as_str()));
    }
    Ok(answer)
}

fn nest(shape: &[&str], rows: Vec<Value>) -> Map<String, Value> {
    let mut value = Value::Array(rows);
    let mut answer = Map::new();
    for name in shape.iter().rev() {
        answer = Map::from_iter([((*name).to_owned(), value)]);
        value = Value::Object(answer.clone());
    }
    answer
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    fn call(product: Product, params: &[(&str, &str)]) -> Call {
        Call {
            product,
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
        let page = |params: &[(&str, &str)]| {
            by_number(&call(Product::Vpc, params), rows(), &["Vpcs", "Vpc"], 50)
        };
        let third = page(&[("PageNumber", "3")]).unwrap();
        assert_eq!(third["Vpcs"]["Vpc"], json!([20, 21, 22, 23, 24]));
        assert_eq!(third["TotalCount"], 25);
        assert!(page(&[("PageSize", "51")]).is_err());
        assert!(page(&[("PageNumber", "0")]).is_err());
    }

    #[test]
    fn tokens_lead_from_page_to_page_to_the_end() {
        let size = Size::named("MaxResult", 10, 100);
        let page = |product: Product, token: &str| {
            let params = [("MaxResult", "20"), ("NextToken", token)];
            by_token(&call(product, &params), rows(), &["Rows"], size).unwrap()
        };
        let first = page(Product::Vpc, "");
        let token = first["NextToken"].as_str().unwrap();
        let last = page(Product::Vpc, token);
        assert_eq!(last["Rows"], json!([20, 21, 22, 23, 24]));
        assert_eq!(last["NextToken"], "");
        assert_eq!(page(Product::Cbn, token).get("NextToken"), None);
        assert!(by_token(&call(Product::Cbn, &[("MaxResult", "0")]), rows(), &[], size).is_err());
    }
}
