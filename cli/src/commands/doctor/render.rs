//! What the doctor says: as text for people, as one document, as lines.

use super::Visit;
use crate::ui::table::wrap;
use crate::ui::{GLUE, glued};
use crate::whereabouts::Whereabouts;
use escrr_steps::doctor::{Check, Finding};
use serde_json::{Value, json};

/// Text is broken here where nobody says how wide the screen is, and never wider.
const COLUMNS: usize = 80;
/// What stands before the lines of a finding.
const INDENT: usize = 11;

/// How one check stands.
fn state(visit: &Visit, check: Check) -> &'static str {
    let diagnosis = &visit.diagnosis;
    if diagnosis.findings.iter().any(|found| found.check == check) {
        "WRONG"
    } else if diagnosis.consequences.iter().any(|(of, _)| *of == check) {
        "follows"
    } else if diagnosis.unlooked.iter().any(|(of, _)| *of == check) {
        "unknown"
    } else {
        "holds"
    }
}

/// The whole as text: causes first, then all checks.
pub(super) fn text(visit: &Visit, columns: Option<usize>, whereabouts: &Whereabouts) -> String {
    let wide = columns.unwrap_or(COLUMNS).min(COLUMNS);
    let diagnosis = &visit.diagnosis;
    let mut parts: Vec<String> =
        diagnosis.findings.iter().map(|f| finding(f, wide, whereabouts)).collect();
    let rows: Vec<String> = Check::ALL
        .into_iter()
        .map(|check| format!("{}  {:<7}  {}", check.id(), state(visit, check), check.title()))
        .flat_map(|row| indented(&row, wide, 13))
        .collect();
    parts.push(rows.join("\n"));
    let mut notes: Vec<String> = Vec::new();
    for (check, why) in &diagnosis.consequences {
        notes.extend(indented(&format!("{} follows from it: {why}", check.id()), wide, 4));
    }
    for (check, why) in &diagnosis.unlooked {
        notes.extend(indented(&format!("{} was not looked at: {why}", check.id()), wide, 4));
    }
    if !notes.is_empty() {
        parts.push(notes.join("\n"));
    }
    parts.push(indented(&summary(visit), wide, 0).join("\n"));
    parts.join("\n\n")
}

fn summary(visit: &Visit) -> String {
    let link = &visit.link;
    match visit.diagnosis.findings.as_slice() {
        [] if visit.diagnosis.unlooked.is_empty() => format!("{link} is healthy."),
        [] => format!("{link}: nothing wrong was seen, but not everything could be looked at."),
        [one] => format!("{link}: {}.", one.problem),
        many => format!("{link}: {} causes, the innermost first.", many.len()),
    }
}

fn finding(found: &Finding, wide: usize, whereabouts: &Whereabouts) -> String {
    let mut lines = indented(&format!("{}  {}", found.check.id(), found.problem), wide, 4);
    let mut add = |name: &str, text: &str| {
        if !text.is_empty() {
            let text = format!("    {name:<7}{}", glued(text));
            lines.extend(indented(&text, wide, INDENT).iter().map(|l| l.replace(GLUE, " ")));
        }
    };
    found.evidence.iter().for_each(|seen| add("seen", seen));
    add("means", &found.meaning);
    add("next", &whereabouts.in_text(&found.next));
    lines.join("\n")
}

/// A text broken between words; lines after the first begin further in.
fn indented(text: &str, wide: usize, indent: usize) -> Vec<String> {
    let first: String = text.chars().take(indent).collect();
    let rest: String = text.chars().skip(indent).collect();
    let room = wide.saturating_sub(indent).max(20);
    let mut lines = Vec::new();
    for (at, line) in wrap(&rest, Some(room)).into_iter().enumerate() {
        let before = if at == 0 { first.clone() } else { " ".repeat(indent) };
        lines.push(format!("{before}{line}"));
    }
    if lines.is_empty() { vec![first] } else { lines }
}

/// The whole as one document.
pub(super) fn document(visit: &Visit) -> Value {
    let checks: Vec<Value> = Check::ALL
        .into_iter()
        .map(|check| {
            json!({"id": check.id(), "title": check.title(),
                   "state": state(visit, check).to_lowercase()})
        })
        .collect();
    let pairs = |all: &[(Check, String)]| -> Vec<Value> {
        all.iter().map(|(check, why)| json!({"check": check.id(), "why": why})).collect()
    };
    let whats = visit.repairs.iter().filter(|r| r.failure.is_none()).map(|r| &r.what);
    let mended: Vec<&String> = whats.collect();
    let not_mended: Vec<Value> = visit
        .repairs
        .iter()
        .filter_map(|r| Some(json!({"what": r.what, "error": r.failure.as_ref()?.to_json()})))
        .collect();
    json!({
        "link": visit.link,
        "saga": visit.saga,
        "healthy": visit.diagnosis.findings.is_empty() && visit.diagnosis.unlooked.is_empty(),
        "exit_code": visit.exit().code(),
        "class": visit.exit().class(),
        "resumable": false,
        "next_command": visit.next_command(),
        "error": visit.error().map(|error| error.described()),
        "mended": mended,
        "not_mended": not_mended,
        "findings": visit.diagnosis.findings,
        "consequences": pairs(&visit.diagnosis.consequences),
        "unlooked": pairs(&visit.diagnosis.unlooked),
        "checks": checks,
    })
}

/// The lines of `--output ndjson`: one a finding, one a check, one at the end.
pub(super) fn lines(visit: &Visit) -> Vec<Value> {
    let mut whole = document(visit);
    let mut all = Vec::new();
    for (list, kind) in [("findings", "finding"), ("checks", "check")] {
        let rows = whole.as_object_mut().and_then(|fields| fields.remove(list));
        for row in rows.and_then(|rows| rows.as_array().cloned()).unwrap_or_default() {
            all.push(typed(row, kind));
        }
    }
    all.push(typed(whole, "result"));
    all
}

fn typed(mut row: Value, kind: &str) -> Value {
    if let Some(fields) = row.as_object_mut() {
        fields.insert("type".to_owned(), json!(kind));
    }
    row
}
