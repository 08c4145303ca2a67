//! HTTP status and error type as faults.

use super::client::{Effect, Origin, as_text};
use super::route::{Broken, MAX_ANSWER_BYTES};
use crate::again::UNREACHABLE;
use escrr_engine::{Class, Fault, Report};
use serde_json::Value;

/// The code of a 404 without a body.
const NOT_FOUND: &str = "not_found";

/// Says whether a fault means that the index, pattern or document is not there.
///
/// An unknown remote cluster is something else, though its status is 404 too.
pub fn not_found(fault: &Fault) -> bool {
    let Fault::Refused { report, .. } = fault else { return false };
    let code = report.code.as_deref().unwrap_or_default();
    [NOT_FOUND, "index_not_found_exception", "resource_not_found_exception"].contains(&code)
}

/// What became of a request that got no answer.
pub(super) fn broken(origin: &Origin, broken: Broken) -> Fault {
    match broken {
        Broken::Unreachable(why) => Fault::transient(
            origin
                .report(format!("could not connect: {why}"))
                .code(UNREACHABLE)
                .meaning(format!("`{}` could not be reached from this machine", origin.place))
                .help("Check the address, and that the allow list has this machine's address."),
        ),
        Broken::Distrusted(why) => Fault::prerequisite(
            origin
                .report(why)
                .code("Certificate")
                .meaning(format!("the certificate of `{}` is not trusted", origin.place))
                .help("Name its authority in the spec: ca_file, beside the cluster's password."),
        ),
        Broken::Lost(why) => {
            uncertain(origin, origin.report(format!("the answer was lost: {why}")))
        }
        Broken::TooLarge => {
            origin.unreadable(&format!("it is larger than {MAX_ANSWER_BYTES} bytes"))
        }
        Broken::Misbuilt(why) => {
            Fault::Bug(origin.report(format!("the request could not be built: {why}")))
        }
        Broken::Turned { status, said } => turned(origin, status, &said),
        Broken::Carrier(fault) => carried(origin, fault),
    }
}

/// Says of a failed call what it was to carry.
fn carried(origin: &Origin, fault: Fault) -> Fault {
    fault.map_report(|mut report| {
        report.tried = format!("{}, by {}", origin.tried, report.tried);
        report
    })
}

/// What Kibana, or what stands before it, says by itself instead of the cluster.
fn turned(origin: &Origin, status: u16, said: &str) -> Fault {
    let report = origin.report(format!("Kibana answered HTTP status {status}: {said}"));
    let other = "Name another way in the spec: way = \"direct\" or \"openapi\".";
    match status {
        302 | 401 => Fault::Blocked {
            class: Class::Permission,
            report: report
                .meaning("Kibana does not accept the user, the password or the API key")
                .help("Check what the spec names for this cluster, then resume."),
        },
        403 => Fault::Blocked {
            class: Class::Permission,
            report: report
                .meaning("Kibana or what stands before it does not let this request through")
                .help("Check Kibana's allow list and `console.proxyFilter`, then resume."),
        },
        // Nothing was handed on; with 503 Kibana itself is just starting.
        429 | 503 => Fault::transient(report),
        400 if said.contains("not available with the current configuration") => {
            Fault::prerequisite(report.meaning("this Kibana has no console").help(other))
        }
        404 => Fault::prerequisite(report.meaning("this Kibana has no console").help(other)),
        // Kibana waited in vain for the cluster, which may have done it all the same.
        500.. => uncertain(origin, report),
        _ => Fault::refused(report),
    }
}

/// What an error says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Said {
    kind: String,
    reason: String,
    /// The innermost cause, when there is one below the reason.
    innermost: Option<String>,
}

/// Reads an error body; `error` is an object, or a text where no handler was found.
fn said(value: &Value) -> Said {
    let Some(error) = value.get("error") else {
        return Said { reason: as_text(value).unwrap_or_default(), ..Said::default() };
    };
    if let Some(text) = error.as_str() {
        return Said { reason: text.to_owned(), ..Said::default() };
    }
    let field = |name: &str| error.get(name).and_then(as_text).unwrap_or_default();
    let (kind, reason) = (field("type"), field("reason"));
    Said { innermost: Some(innermost(error)).filter(|text| *text != reason), kind, reason }
}

/// Walks `caused_by` to its end: the outer texts only say that something failed.
pub(super) fn innermost(error: &Value) -> String {
    let mut at = error;
    while let Some(next) = at.get("caused_by").filter(|next| next.is_object()) {
        at = next;
    }
    let field = |name: &str| at.get(name).and_then(as_text).filter(|text| !text.is_empty());
    field("reason").or_else(|| field("type")).unwrap_or_else(|| "no reason given".to_owned())
}

/// Every reason of an error from the outside in, for searching.
fn all_reasons(error: &Value) -> String {
    let mut texts = String::new();
    let mut next = Some(error);
    while let Some(at) = next {
        texts.extend(at.get("reason").and_then(Value::as_str));
        texts.push('\n');
        next = at.get("caused_by");
    }
    texts
}

/// Turns an answer that is no success into a fault.
pub(super) fn judge(origin: &Origin, status: u16, value: &Value) -> Fault {
    let Said { kind, reason, innermost } = said(value);
    let reasons = value.get("error").map(all_reasons).unwrap_or_default();
    let mut report = origin.report(match (reason.as_str(), innermost) {
        ("", _) => format!("HTTP status {status}"),
        (reason, None) => reason.to_owned(),
        (reason, Some(cause)) => format!("{reason}; caused by: {cause}"),
    });
    report.code = Some(kind.clone()).filter(|kind| !kind.is_empty());
    let licence = |report: Report| {
        Fault::prerequisite(
            report
                .meaning("the cluster's license does not include cross-cluster replication")
                .help("Both instances need the commercial edition."),
        )
    };
    if reasons.contains("non-compliant") || reasons.contains("is not licensed for [ccr]") {
        return licence(report);
    }
    // The remote was asked for its license and could not be: nothing was changed.
    if reasons.contains("could not be determined") || reasons.contains("license info is missing") {
        return Fault::transient(report.meaning("the remote cluster cannot be reached yet"));
    }
    if kind == "snapshot_restore_exception" {
        return Fault::refused(report.meaning("an index of that name is there already"));
    }
    match status {
        401 => Fault::Blocked {
            class: Class::Permission,
            report: report
                .meaning("the cluster does not accept the user or the password")
                .help("Check the cluster's user and password, then resume."),
        },
        403 if kind == "security_exception" || kind.is_empty() => Fault::Blocked {
            class: Class::Permission,
            report: report
                .meaning("the user may not do this, or this machine is not in the allow list")
                .help("Give the user the privilege, then resume."),
        },
        404 => {
            report.code.get_or_insert_with(|| NOT_FOUND.to_owned());
            Fault::refused(report)
        }
        // The cluster itself says that it did not start.
        429 | 503 => Fault::transient(report),
        // A gateway gave up, the cluster may have gone on; or it failed in the middle.
        500.. => uncertain(origin, report),
        _ => Fault::refused(report),
    }
}

fn uncertain(origin: &Origin, report: Report) -> Fault {
    match origin.effect {
        Effect::Write => Fault::Unknown(report),
        Effect::Read => Fault::transient(report),
    }
}
