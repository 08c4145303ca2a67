//! The vendor's codes with the HTTP status that goes with them, for orders that name a code alone.
//!
//! Statuses vary from product to product; these are the ones that the vendor's documentation
//! and its clients show most often.

/// How a row's code is met.
enum By {
    /// The whole code.
    Is(&'static str),
    /// Somewhere in the code.
    Has(&'static str),
}

use By::{Has, Is};

/// Code, HTTP status, text; the first row that fits wins.
const CODES: &[(By, u16, &str)] = &[
    (Is("DryRunOperation"), 400, "Request validation has been passed with DryRun flag set."),
    (
        Has("ServiceUnavailable"),
        503,
        "The request has failed due to a temporary failure of the server.",
    ),
    (Has("Throttling"), 400, "Request was denied due to user flow control."),
    (Is("InvalidAccessKeyId.Inactive"), 403, "Specified access key is disabled."),
    (Has("InvalidAccessKeyId"), 404, "Specified access key is not found."),
    (Has("SecurityToken"), 400, "Specified SecurityToken is not valid."),
    (
        Has("SignatureDoesNotMatch"),
        400,
        "Specified signature is not matched with our calculation. server string to sign is:",
    ),
    (Has("TimeStamp"), 400, "Specified time stamp or date value is not accepted."),
    (Has("Timestamp"), 400, "Specified time stamp or date value is not accepted."),
    (Is("InvalidVersion"), 404, "Specified parameter Version is not valid."),
    (
        Is("InvalidAction.NotFound"),
        404,
        "Specified api is not found, please check your url and method.",
    ),
    (
        Is("InvalidApi.NotFound"),
        404,
        "Specified api is not found, please check your url and method.",
    ),
    (Is("UnsupportedHTTPMethod"), 405, "This http method is not supported."),
    (Has("UnsupportedProtocol"), 404, "This protocol is not supported."),
    (Has("NotFound"), 404, "The specified resource is not found."),
    (Has("NotExist"), 404, "The specified resource does not exist."),
    (Is("Forbidden.Release"), 400, "The resource cannot be released now."),
    (Has("Forbidden"), 403, "User not authorized to operate on the specified resource."),
    (Has("NoPermission"), 403, "You are not authorized to do this action."),
    (Has("NotAuthorized"), 403, "You are not authorized to do this action."),
    (Has("Unauthorized"), 403, "You are not authorized to do this action."),
    (Has("Quota"), 400, "The quota of the resource is exceeded."),
    (Has("InternalError"), 500, "The request processing has failed due to some unknown error."),
    (
        Has("InternalServerError"),
        500,
        "The request processing has failed due to some unknown error.",
    ),
    (Is("UnknownError"), 500, "The request processing has failed due to some unknown error."),
    (Has("TokenProcessing"), 400, "The last request with this token is being processed."),
    (
        Is("TokenPreviousRequestProcessError"),
        400,
        "The previous request with this token is being processed.",
    ),
    (Has("IncorrectStatus"), 400, "The status of the resource does not support this operation."),
    (Is("Operation.Blocking"), 400, "Another operation is in progress."),
];

/// The status and the text of a code; what nobody knows is a plain refusal.
pub(super) fn usual(code: &str) -> (u16, &'static str) {
    let fits = |by: &By| match by {
        Is(whole) => code == *whole,
        Has(part) => code.contains(part),
    };
    let row = CODES.iter().find(|(by, _, _)| fits(by));
    row.map_or((400, "The operation is not allowed now."), |(_, status, text)| (*status, text))
}

#[cfg(test)]
mod tests {
    use super::usual;
    use serde_json::Value;

    #[test]
    fn every_code_that_clients_are_held_to_has_its_status() {
        let text = include_str!("../../../vectors/vendor_codes.json");
        let rows: Vec<Value> = serde_json::from_str(text).unwrap();
        let wrong: Vec<String> = rows
            .iter()
            .filter(|row| usual(row["code"].as_str().unwrap()).0 != row["status"])
            .map(ToString::to_string)
            .collect();
        assert!(wrong.is_empty(), "{wrong:#?}");
        assert!(rows.len() > 120);
    }
}
