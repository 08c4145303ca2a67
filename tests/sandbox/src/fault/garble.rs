//! Answers that are a little wrong: one place of the JSON is missing, null, or of another kind.
//!
//! A garbled answer is never a believable lie: a number does not become another number, and a
//! truth does not become its opposite. What it says has to be noticed, or not to matter.

use super::roll;
use serde_json::{Value, json};

/// Changes one place of an answer, chosen by the generator; what is no JSON is cut in half.
pub(crate) fn garble(body: &[u8], random: &mut u64) -> Vec<u8> {
    let half = body.get(..body.len() / 2).unwrap_or_default().to_vec();
    let Ok(mut value) = serde_json::from_slice::<Value>(body) else { return half };
    let places = count(&value);
    // One in so many answers breaks off.
    if pick(random, 25) == 0 {
        return half;
    }
    let mut at = pick(random, places);
    change(&mut value, &mut at, random);
    value.to_string().into_bytes()
}

/// A whole number below `most`.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "a share of a small whole number"
)]
fn pick(random: &mut u64, most: usize) -> usize {
    (roll(random) * most as f64) as usize
}

/// How many values there are, the outermost among them.
fn count(value: &Value) -> usize {
    1 + match value {
        Value::Array(items) => items.iter().map(count).sum(),
        Value::Object(members) => members.values().map(count).sum(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => 0,
    }
}

/// Walks to the place and changes it; true once that is done.
fn change(value: &mut Value, at: &mut usize, random: &mut u64) -> bool {
    if *at == 0 {
        *value = other(value, random);
        return true;
    }
    *at -= 1;
    match value {
        Value::Array(items) => items.iter_mut().any(|item| change(item, at, random)),
        Value::Object(members) => {
            let mut hit = None;
            for (name, member) in members.iter_mut() {
                if *at == 0 && roll(random) < 0.3 {
                    hit = Some(name.clone());
                    break;
                }
                if change(member, at, random) {
                    return true;
                }
            }
            // A member may also be missing, or have another name.
            let Some(name) = hit else { return false };
            if let Some(member) = members.remove(&name)
                && roll(random) < 0.3
            {
                members.insert(format!("{name}X"), member);
            }
            true
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

/// A value of another kind than this one.
fn other(value: &Value, random: &mut u64) -> Value {
    let kinds = match value {
        Value::Null => vec![json!("x"), json!([]), json!({})],
        Value::Bool(_) => vec![json!(null), json!("x"), json!([]), json!({}), json!(-1.5)],
        Value::Number(number) => {
            vec![json!(null), json!("x"), json!([]), json!({}), json!(number.to_string())]
        }
        Value::String(_) => {
            vec![json!(null), json!(7), json!(true), json!([]), json!({}), json!("\u{7f}x")]
        }
        Value::Array(_) => vec![json!(null), json!({}), json!("x"), json!(7), json!([null])],
        Value::Object(_) => vec![json!(null), json!([]), json!("x"), json!(7), json!([{}])],
    };
    let at = pick(random, kinds.len());
    kinds.into_iter().nth(at).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn one_place_differs_and_every_place_is_reached() {
        let value = json!({"A": [{"B": 1, "C": true}], "D": {"E": "text"}, "F": null});
        let body = value.to_string().into_bytes();
        let mut random = 3;
        let garbled: BTreeSet<Vec<u8>> = (0..2_000).map(|_| garble(&body, &mut random)).collect();
        assert!(garbled.len() > 40, "{}", garbled.len());
        let texts: Vec<String> =
            garbled.iter().map(|body| String::from_utf8_lossy(body).into_owned()).collect();
        for lost in ["\"A\"", "\"B\"", "\"C\"", "\"D\"", "\"E\"", "\"F\""] {
            assert!(texts.iter().any(|text| !text.contains(lost)), "{lost} is always there");
        }
        assert!(texts.iter().all(|text| !text.contains("false")));
        assert!(garble(b"not json", &mut random).len() == 4);
        assert!(garble(b"", &mut random).is_empty());
    }
}
