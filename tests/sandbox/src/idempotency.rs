//! Client tokens: the same request twice has one effect.

use crate::verify::hex;
use crate::{Answer, Call, Refusal, World, actions};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;

/// Tokens that were answered, by `product/action/token`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct State {
    answered: BTreeMap<String, Answered>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Answered {
    /// Hash of the parameters.
    request: String,
    answer: Value,
}

/// The token of a call, if the action takes one.
pub fn token(call: &Call) -> Option<&str> {
    actions::token_parameter(call.product, &call.action).and_then(|name| call.get(name))
}

/// Runs a call once for each token.
///
/// A repeated token with the same parameters gets the first answer again, with other
/// parameters `IdempotentParameterMismatch`. Refusals are not remembered.
pub fn once(
    world: &mut World,
    call: &Call,
    run: impl FnOnce(&mut World, &Call) -> Answer,
) -> Answer {
    let Some(token) = token(call) else {
        return run(world, call);
    };
    let key = format!("{}/{}/{token}", call.product.name(), call.action);
    let request = fingerprint(call);
    if let Some(known) = world.tokens.answered.get(&key) {
        if known.request == request {
            return Ok(known.answer.clone());
        }
        return Err(Refusal::bad(
            "IdempotentParameterMismatch",
            "The request uses the same client token as a previous, but non-identical request. \
             Do not reuse a client token with different requests, unless the requests are identical.",
        ));
    }
    let answer = run(world, call)?;
    world.tokens.answered.insert(key, Answered { request, answer: answer.clone() });
    Ok(answer)
}

fn fingerprint(call: &Call) -> String {
    let text = format!("{:?}\n{:?}\n{}", call.params, call.path, call.body);
    hex(&Sha256::digest(text.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Product;
    use serde_json::json;

    fn call(product: Product, action: &str, params: &[(&str, &str)]) -> Call {
        Call {
            product,
            action: action.into(),
            params: params.iter().map(|(k, v)| ((*k).into(), (*v).into())).collect(),
            path: BTreeMap::new(),
            body: Value::Null,
        }
    }

    #[expect(clippy::unnecessary_wraps, reason = "stands in for a handler")]
    fn counted(world: &mut World, _: &Call) -> Answer {
        Ok(json!({"Id": world.fresh_id("x")}))
    }

    #[test]
    fn the_same_request_has_one_effect() {
        let mut world = World::default();
        let first = call(Product::Cbn, "CreateCen", &[("ClientToken", "t"), ("Name", "a")]);
        let a = once(&mut world, &first, counted).unwrap();
        let b = once(&mut world, &first, counted).unwrap();
        assert_eq!(a, b);
        let other = call(Product::Cbn, "CreateCen", &[("ClientToken", "t"), ("Name", "b")]);
        assert_eq!(
            once(&mut world, &other, counted).unwrap_err().code,
            "IdempotentParameterMismatch"
        );
    }

    #[test]
    fn a_refusal_is_not_remembered() {
        let mut world = World::default();
        let create = call(Product::Cbn, "CreateCen", &[("ClientToken", "t")]);
        let refuse = |_: &mut World, _: &Call| Err(Refusal::bad("Operation.Blocking", ""));
        assert!(once(&mut world, &create, refuse).is_err());
        assert!(once(&mut world, &create, counted).is_ok());
    }

    #[test]
    fn actions_without_a_token_ignore_it() {
        let mut world = World::default();
        let delete = call(Product::Vpc, "DeleteVSwitch", &[("ClientToken", "t")]);
        let a = once(&mut world, &delete, counted).unwrap();
        let b = once(&mut world, &delete, counted).unwrap();
        assert_ne!(a, b);
    }
}
