//! What the list calls of all products share: filters and refusals.

use crate::{Answer, Call, Refusal};

/// An action that the product does not have.
pub(crate) fn unknown_action(call: &Call) -> Answer {
    Err(Refusal::missing(
        "InvalidAction.NotFound",
        format!(
            "Specified api is not found, please check your url and method. Action: {}",
            call.action
        ),
    ))
}

/// A parameter with a value outside its limits.
pub(crate) fn invalid(name: &str) -> Refusal {
    Refusal::bad(
        format!("InvalidParameter.{name}"),
        format!("The specified parameter {name} is not valid."),
    )
}

/// Is the row in the region that the call names? A call without one means all.
pub(crate) fn in_region(call: &Call, region: &str) -> bool {
    call.get("RegionId").is_none_or(|r| r == region)
}

/// Does the call's filter `name`, when there, equal the value?
pub(crate) fn wants(call: &Call, name: &str, value: &str) -> bool {
    call.get(name).is_none_or(|v| v == value)
}

/// Is `value` one of the comma-joined values of the filter `name`, when there?
pub(crate) fn among(call: &Call, name: &str, value: &str) -> bool {
    call.get(name).is_none_or(|all| all.split(',').any(|one| one.trim() == value))
}

/// Does the call's list filter `name.N`, when there, hold the value?
pub(crate) fn lists(call: &Call, name: &str, value: &str) -> bool {
    let wanted = call.list(name);
    wanted.is_empty() || wanted.iter().any(|v| v == value)
}
