//! From an answer, or from the lack of one, to a fault.

use super::hint::retry_after_ms;
use super::said::{self, Said};
use super::table::{self, DRY_RUN_PASSED, Verdict};
use crate::again::UNREACHABLE;
use crate::aliyun::cloud::{Answer, Effect, Origin};
use crate::aliyun::transport::{Broken, Incoming, MAX_ANSWER_BYTES};
use crate::aliyun::{Action, Credentials};
use escrr_engine::{Class, Fault, Report};
use serde_json::Value;

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

/// Says whether a fault means that temporary credentials have run out, which new ones may cure.
pub(in crate::aliyun) fn has_run_out(fault: &Fault, used: &Credentials) -> bool {
    let Fault::Blocked { report, .. } = fault else { return false };
    let code = report.code.as_deref().unwrap_or_default();
    // Some products no longer know the key once its token is over.
    code.starts_with("InvalidSecurityToken")
        || (used.security_token.is_some() && code.starts_with("InvalidAccessKeyId"))
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
        Broken::Distrusted { host, why } => Fault::prerequisite(
            origin
                .report(why)
                .code("Certificate")
                .meaning(format!("the certificate of `{host}` is not trusted"))
                .help("Behind a proxy that opens connections, name its authority: ca_file under [cloud]."),
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
    let retry_after_ms = retry_after_ms(incoming);
    let rule = said.code.as_deref().and_then(|code| table::find(Some(origin.product), code));
    let rule = rule.or_else(|| table::find_in_message(origin.product, &said.message));
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
        Some(Verdict::Permission) => permission(report, origin, said.auth_action),
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
        // The gateway asks for patience in its own words: it refused to pass the call on.
        400..=499 if retry_after_ms.is_some() => Fault::Transient { retry_after_ms, report },
        401 | 403 => permission(report, origin, None),
        // A success that names an unknown code may have done its work as well.
        500.. | 200..=299 => uncertain(origin, report),
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

fn permission(mut report: Report, origin: &Origin, auth_action: Option<String>) -> Fault {
    let help = match report.code.as_deref() {
        Some(code) if code.contains("AccessKey") || code.contains("Signature") => {
            "Check the access key id and secret, then resume."
        }
        Some(code) if code.contains("SecurityToken") => "Get a new session token, then resume.",
        Some(_) | None => {
            let ours = || Action { product: origin.product, name: origin.action }.permission();
            let missing = auth_action.unwrap_or_else(ours);
            let meaning = report.meaning.as_deref().unwrap_or("the caller may not do this");
            report.meaning = Some(format!("{meaning}; the permission `{missing}` is missing"));
            "Let an administrator grant what `escrr auth policy` prints, then resume."
        }
    };
    Fault::Blocked { class: Class::Permission, report: report.help(help) }
}

#[cfg(test)]
mod tests {
    use super::{broken, clock_is_off, dry_run_passed, is_gone, judge};
    use crate::aliyun::cloud::{Answer, Effect, Origin};
    use crate::aliyun::transport::{Broken, Incoming};
    use escrr_engine::{Class, Fault};
    use reqwest::header::HeaderMap;
    use serde_json::json;

    fn origin(effect: Effect) -> Origin {
        Origin { effect, request_id: None, action: "CreateCen", ..Origin::sample() }
    }

    fn answer(effect: Effect, status: u16, body: &str) -> Result<Answer, Fault> {
        let incoming = Incoming { status, headers: HeaderMap::new(), body: body.into() };
        judge(&origin(effect), &incoming)
    }

    fn fault(effect: Effect, status: u16, code: &str) -> Fault {
        let body = json!({"Code": code, "Message": "no", "RequestId": "r-9"}).to_string();
        answer(effect, status, &body).unwrap_err()
    }

    #[test]
    fn a_success_keeps_its_request_id() {
        let answer = answer(Effect::Read, 200, r#"{"RequestId":"r-9","CenId":"cen-1"}"#).unwrap();
        assert_eq!(answer.origin.request_id.as_deref(), Some("r-9"));
        assert_eq!(answer.value["CenId"], "cen-1");
    }

    #[test]
    fn every_fault_names_call_code_and_request() {
        let Fault::Busy(report) = fault(Effect::Write, 400, "Operation.Blocking") else { panic!() };
        assert_eq!(report.to_string(), "CreateCen (Cbn, cn-shanghai): no (Operation.Blocking)");
        assert_eq!(report.request_id.as_deref(), Some("r-9"));
        assert!(report.meaning.unwrap().contains("another change"));
    }

    #[test]
    fn the_status_decides_where_the_table_is_silent() {
        let outcome = |effect, status| fault(effect, status, "Odd.Code");
        assert!(matches!(outcome(Effect::Write, 500), Fault::Unknown(_)));
        assert!(matches!(outcome(Effect::Write, 504), Fault::Unknown(_)));
        assert!(matches!(outcome(Effect::Read, 502), Fault::Transient { .. }));
        assert!(matches!(outcome(Effect::Write, 429), Fault::Transient { .. }));
        assert!(matches!(outcome(Effect::Write, 200), Fault::Unknown(_)));
        assert!(matches!(outcome(Effect::Write, 302), Fault::Refused { .. }));
        let refused = outcome(Effect::Write, 400);
        assert!(matches!(refused, Fault::Refused { class: Class::Refused, .. }));
        let forbidden = outcome(Effect::Read, 403);
        assert!(matches!(forbidden, Fault::Blocked { class: Class::Permission, .. }));
    }

    #[test]
    fn verdicts_become_faults_whatever_the_status() {
        for status in [400, 403, 404, 409, 500, 503] {
            let write = |code| fault(Effect::Write, status, code);
            assert!(matches!(write("Throttling.Api"), Fault::Transient { .. }));
            assert!(matches!(write("TaskConflict"), Fault::Busy(_)));
            assert!(matches!(write("InternalError"), Fault::Unknown(_)));
            let again = fault(Effect::Read, status, "InternalError");
            assert!(matches!(again, Fault::Transient { .. }));
            let quota = write("QuotaExceeded.X");
            assert!(matches!(quota, Fault::Blocked { class: Class::Approval, .. }));
            let key = write("InvalidAccessKeyId.NotFound");
            assert!(matches!(key, Fault::Blocked { class: Class::Permission, .. }));
            assert!(!is_gone(&key) && is_gone(&write("EndpointServiceNotFound")));
            assert!(matches!(write("InvalidAction.NotFound"), Fault::Bug(_)));
            assert!(clock_is_off(&write("InvalidTimeStamp.Expired")));
            assert!(dry_run_passed::<()>(Err(write("DryRunOperation"))).is_ok());
            assert!(dry_run_passed::<()>(Err(write("TaskConflict"))).is_err());
        }
    }

    #[test]
    fn the_servers_hint_is_passed_on() {
        let body = br#"{"Code":"Throttling","RequestId":"r"}"#.to_vec();
        let headers = HeaderMap::from_iter([("x-acs-retry-after".parse().unwrap(), 1500.into())]);
        let incoming = Incoming { status: 400, headers, body };
        let fault = judge(&origin(Effect::Write), &incoming).unwrap_err();
        assert!(matches!(fault, Fault::Transient { retry_after_ms: Some(1500), .. }));
    }

    #[test]
    fn a_hint_or_a_code_in_the_message_makes_a_refusal_a_wait() {
        let body = br#"{"Code":"Odd.Code","RequestId":"r"}"#.to_vec();
        let headers = HeaderMap::from_iter([("retry-after".parse().unwrap(), 2.into())]);
        let incoming = Incoming { status: 403, headers, body };
        let fault = judge(&origin(Effect::Write), &incoming).unwrap_err();
        assert!(matches!(fault, Fault::Transient { retry_after_ms: Some(2_000), .. }), "{fault:?}");
        let body = r#"{"Code":"Odd","Message":"failed: IncorrectStatus.Vpc.","RequestId":"r"}"#;
        assert!(matches!(answer(Effect::Write, 400, body), Err(Fault::Busy(_))));
        let body = r#"{"Code":"Odd","Message":"InvalidVpcId.NotFound","RequestId":"r"}"#;
        let fault = answer(Effect::Write, 400, body).unwrap_err();
        assert!(matches!(&fault, Fault::Refused { .. }) && !is_gone(&fault), "{fault:?}");
    }

    #[test]
    fn a_missing_permission_is_named() {
        let body = r#"{"Code":"NoPermission","Message":"no","RequestId":"r",
            "AccessDeniedDetail":{"AuthAction":"cbn:CreateCen"}}"#;
        let fault = answer(Effect::Write, 403, body).unwrap_err();
        let Fault::Blocked { class: Class::Permission, report } = fault else { panic!() };
        assert!(report.meaning.unwrap().contains("`cbn:CreateCen`"));
        assert!(report.help.unwrap().contains("administrator"));
        // Where the answer does not say which, it is the one of the call.
        let fault = answer(Effect::Read, 403, r#"{"Code":"Forbidden.RAM"}"#).unwrap_err();
        assert!(fault.report().meaning.as_deref().unwrap().contains("`cen:CreateCen`"));
    }

    #[test]
    fn what_cannot_be_read_is_looked_into_after_a_change_and_no_mistake_of_ours() {
        for body in ["", "<html/>", "[]", "null", "{\"RequestId\":", "7"] {
            assert!(matches!(answer(Effect::Write, 200, body), Err(Fault::Unknown(_))), "{body}");
            let read = answer(Effect::Read, 200, body).unwrap_err();
            let Fault::Refused { class: Class::Refused, report } = read else { panic!("{read:?}") };
            assert_eq!(report.code.as_deref(), Some("Unreadable"));
            assert!(matches!(answer(Effect::Write, 502, body), Err(Fault::Unknown(_))), "{body}");
        }
    }

    #[test]
    fn without_an_answer_a_write_must_look_and_a_read_may_repeat() {
        let lost = || Broken::Lost { why: "reset".to_owned() };
        assert!(matches!(broken(&origin(Effect::Write), lost()), Fault::Unknown(_)));
        assert!(matches!(broken(&origin(Effect::Read), lost()), Fault::Transient { .. }));
        let away = Broken::Unreachable { host: "h:1".to_owned(), why: "refused".to_owned() };
        let fault = broken(&origin(Effect::Write), away);
        let Fault::Transient { report, .. } = fault else { panic!() };
        assert_eq!(report.code.as_deref(), Some("Unreachable"));
        assert!(report.meaning.unwrap().contains("`h:1`"));
        assert!(matches!(broken(&origin(Effect::Write), Broken::TooLarge), Fault::Unknown(_)));
        let read = broken(&origin(Effect::Read), Broken::TooLarge);
        assert!(matches!(read, Fault::Refused { class: Class::Refused, .. }), "{read:?}");
    }
}
