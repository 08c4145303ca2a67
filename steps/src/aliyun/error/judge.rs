//! From an answer, or from the lack of one, to a fault.

use super::said::{self, Said};
use super::table::{self, DRY_RUN_PASSED, Verdict};
use crate::aliyun::cloud::{Answer, Effect, Origin};
use crate::aliyun::transport::{Broken, Incoming, MAX_ANSWER_BYTES};
use escrr_engine::{Class, Fault, Report};
use serde_json::Value;

/// The code of a host that nobody answers at.
const UNREACHABLE: &str = "Unreachable";

/// Says whether a fault means that the object is not there.
pub fn is_gone(fault: &Fault) -> bool {
    verdict_of(fault) == Some(Verdict::Gone)
}

/// Turns the outcome of a rehearsed write into the outcome of the rehearsal.
pub fn dry_run_passed<T>(outcome: Result<T, Fault>) -> Result<(), Fault> {
    match outcome {
        Ok(_) => Ok(()),
        Err(fault) if fault.report().code.as_deref() == Some(DRY_RUN_PASSED) => Ok(()),
        Err(fault) => Err(fault),
    }
}

/// Says whether a fault is about this machine's clock.
pub(in crate::aliyun) fn clock_is_off(fault: &Fault) -> bool {
    verdict_of(fault) == Some(Verdict::Clock)
}

fn verdict_of(fault: &Fault) -> Option<Verdict> {
    let Fault::Refused { report, .. } = fault else { return None };
    table::find(None, report.code.as_deref()?).map(|rule| rule.verdict)
}

/// Reads an answer: a success as JSON, anything else as a fault.
pub(in crate::aliyun) fn judge(origin: &Origin, incoming: &Incoming) -> Result<Answer, Fault> {
    let mut origin = origin.clone();
    if !(200..300).contains(&incoming.status) {
        let said = said::read(&incoming.body);
        origin.request_id.clone_from(&said.request_id);
        return Err(refusal(&origin, said, incoming));
    }
    let value: Value = serde_json::from_slice(&incoming.body)
        .map_err(|error| origin.unreadable(&format!("it is no JSON ({error})")))?;
    if !value.is_object() {
        return Err(origin.unreadable("it is no JSON object"));
    }
    let said = said::from_json(&value);
    origin.request_id.clone_from(&said.request_id);
    // Some products refuse with HTTP 200.
    let fine = |code: &str| ["200", "OK", "Success"].iter().any(|ok| code.eq_ignore_ascii_case(ok));
    if said.code.as_deref().is_some_and(|code| !fine(code)) {
        return Err(refusal(&origin, said, incoming));
    }
    Ok(Answer { value, origin })
}

/// What became of a request that got no answer.
pub(in crate::aliyun) fn broken(origin: &Origin, broken: Broken) -> Fault {
    match broken {
        Broken::Unreachable { host, why } => Fault::transient(
            origin
                .report(format!("could not connect: {why}"))
                .code(UNREACHABLE)
                .meaning(format!("`{host}` could not be reached from this machine"))
                .help("Check the network, the proxy settings and the region's spelling."),
        ),
        Broken::Lost { why } => {
            uncertain(origin, origin.report(format!("the answer was lost: {why}")))
        }
        Broken::TooLarge => {
            origin.unreadable(&format!("it is larger than {MAX_ANSWER_BYTES} bytes"))
        }
        Broken::Misbuilt { why } => {
            Fault::Bug(origin.report(format!("the request could not be built: {why}")))
        }
    }
}

fn refusal(origin: &Origin, said: Said, incoming: &Incoming) -> Fault {
    let status = incoming.status;
    let retry_after_ms =
        incoming.header("x-acs-retry-after").and_then(|text| text.trim().parse().ok());
    let rule = said.code.as_deref().and_then(|code| table::find(Some(origin.product), code));
    let message = match said.message.as_str() {
        "" => format!("HTTP status {status} without a message"),
        message => message.to_owned(),
    };
    let mut report = origin.report(message);
    report.code = said.code;
    if let Some(rule) = rule {
        report = report.meaning(rule.why);
    }
    match rule.map(|rule| rule.verdict) {
        Some(Verdict::Again) => Fault::Transient { retry_after_ms, report },
        Some(Verdict::Busy) => Fault::Busy(report),
        Some(Verdict::Gone | Verdict::DryRun) => Fault::refused(report),
        Some(Verdict::Permission) => permission(report, said.auth_action),
        Some(Verdict::Approval) => Fault::Blocked {
            class: Class::Approval,
            report: report.help("Settle it in the console, then resume."),
        },
        Some(Verdict::Uncertain) => uncertain(origin, report),
        Some(Verdict::Clock) => {
            Fault::prerequisite(report.help("Set this machine's clock, then resume."))
        }
        Some(Verdict::Ours) => Fault::Bug(report),
        None => by_status(origin, status, retry_after_ms, report),
    }
}

fn by_status(origin: &Origin, status: u16, retry_after_ms: Option<u64>, report: Report) -> Fault {
    match status {
        429 => Fault::Transient { retry_after_ms, report },
        500.. => uncertain(origin, report),
        401 | 403 => permission(report, None),
        // A success that names an unknown code may have done its work.
        200..=299 => uncertain(origin, report),
        300..=399 => Fault::refused(
            report.meaning("something between here and the service redirects the request"),
        ),
        _ => Fault::refused(report),
    }
}

fn uncertain(origin: &Origin, report: Report) -> Fault {
    match origin.effect {
        Effect::Write => Fault::Unknown(report),
        Effect::Read => Fault::transient(report),
    }
}

fn permission(mut report: Report, auth_action: Option<String>) -> Fault {
    if let Some(action) = auth_action {
        let meaning = report.meaning.unwrap_or_default();
        report.meaning = Some(format!("{meaning}; the permission `{action}` is missing"));
    }
    let help = match report.code.as_deref() {
        Some(code) if code.contains("AccessKey") || code.contains("Signature") => {
            "Check the access key id and secret, then resume."
        }
        Some(code) if code.contains("SecurityToken") => "Get a new session token, then resume.",
        Some(_) | None => "Let an administrator grant the permission, then resume.",
    };
    Fault::Blocked { class: Class::Permission, report: report.help(help) }
}
