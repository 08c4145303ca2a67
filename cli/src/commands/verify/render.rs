//! What was verified: as text for people, as one document, as lines.

use super::{Outcome, Probing};
use crate::ui::table::Table;
use crate::ui::words::{count, one_line, span};
use crate::ui::{GLUE, glued};
use crate::whereabouts::Whereabouts;
use escrr_steps::lag::{Finding, IndexLag};
use escrr_steps::verify::{Contents, Index};
use serde_json::{Value, json};

/// Text is broken here where nobody says how wide the screen is.
const COLUMNS: usize = 80;

/// The whole as text.
pub(super) fn text(outcome: &Outcome, columns: Option<usize>, whereabouts: &Whereabouts) -> String {
    let verified = &outcome.verified;
    let compared = verified.indices.iter().any(|index| index.contents.is_some());
    let mut parts = Vec::new();
    if !verified.indices.is_empty() {
        parts.push(table(&verified.indices, compared, columns).render(columns));
    }
    let wide = columns.unwrap_or(COLUMNS).min(COLUMNS);
    let mut notes: Vec<String> = verified
        .left_out
        .iter()
        .map(|(index, why)| wrap(&format!("Left out: {index}, for {why}."), wide, 0))
        .collect();
    notes.extend(probe(&outcome.probe).map(|said| wrap(&said, wide, 0)));
    if !notes.is_empty() {
        parts.push(notes.join("\n"));
    }
    parts.extend(verified.findings.iter().map(|found| finding(found, wide, whereabouts)));
    parts.push(wrap(&summary(outcome), wide, 0));
    parts.join("\n\n")
}

/// What the columns beside the name take, in a table of lag and in one of contents.
const OTHERS: (usize, usize) = (44, 52);
/// A name is never cut below this.
const LEAST_NAME: usize = 16;

fn table(indices: &[Index], compared: bool, columns: Option<usize>) -> Table {
    let last: &[&str] = if compared { &["DOCUMENTS", "COMPARED"] } else { &["LAST READ"] };
    let mut table = Table::new(&[&["INDEX", "STATE", "BEHIND", "FOR"], last].concat());
    let others = if compared { OTHERS.1 } else { OTHERS.0 };
    let room = columns.map(|columns| columns.saturating_sub(others).max(LEAST_NAME));
    for Index { lag, contents } in indices {
        let name = if lag.leader == lag.follower {
            lag.leader.clone()
        } else {
            format!("{} -> {}", lag.leader, lag.follower)
        };
        let unknown = || "?".to_owned();
        let mut row = vec![
            shortened(&name, room),
            lag.state.name().to_owned(),
            lag.lag_operations.map_or_else(unknown, |number| number.to_string()),
            time(lag),
        ];
        if compared {
            row.push(contents.as_ref().map_or_else(unknown, documents));
            row.push(contents.as_ref().map_or_else(unknown, held));
        } else {
            row.push(lag.since_read_ms.map_or_else(unknown, span));
        }
        table.row(row);
    }
    table
}

/// The end of a name tells more than its beginning: dates and generations stand there.
fn shortened(name: &str, room: Option<usize>) -> String {
    let long = name.chars().count();
    match room {
        Some(room) if long > room => {
            let tail: String = name.chars().skip(long + 1 - room).collect();
            format!("\u{2026}{tail}")
        }
        Some(_) | None => name.to_owned(),
    }
}

/// How long it is behind: proved from above, from below, or not at all.
fn time(lag: &IndexLag) -> String {
    match (lag.lag_at_most_ms, lag.lag_at_least_ms) {
        (Some(most), _) => format!("<= {}", span(most)),
        (None, Some(least)) => format!(">= {}", span(least)),
        (None, None) => "?".to_owned(),
    }
}

fn documents(contents: &Contents) -> String {
    match contents.counts {
        Some((theirs, own)) if theirs == own => own.to_string(),
        Some((theirs, own)) => format!("{theirs} / {own}"),
        None => "changing".to_owned(),
    }
}

fn held(contents: &Contents) -> String {
    match contents.different {
        0 => format!("{} equal", contents.compared),
        different => format!("{different} of {} differ", contents.compared),
    }
}

fn probe(probe: &Probing) -> Option<String> {
    match probe {
        Probing::Unasked => None,
        Probing::Untried(why) => Some(format!("New data was not tried: {why}.")),
        Probing::Tried(probed) => probed.latency_ms.map(|latency_ms| {
            format!(
                "New data: an index, a document, a deletion and an update arrived, the update \
                 within {}.",
                span(latency_ms)
            )
        }),
    }
}

fn finding(found: &Finding, wide: usize, whereabouts: &Whereabouts) -> String {
    let about = match (&found.leader, &found.follower) {
        (Some(leader), Some(follower)) if leader != follower => format!("{leader} -> {follower}: "),
        (Some(name), _) | (None, Some(name)) => format!("{name}: "),
        (None, None) => String::new(),
    };
    let line = |name: &str, text: &str| {
        let text = glued(&one_line(text));
        wrap(&format!("  {name:<6}{text}"), wide, "  seen  ".len()).replace(GLUE, " ")
    };
    [
        wrap(&format!("{about}{}", found.kind.title()), wide, 2),
        line("seen", &found.evidence),
        line("means", &found.meaning),
        line("next", &whereabouts.in_text(&found.next)),
    ]
    .join("\n")
}

fn summary(outcome: &Outcome) -> String {
    let indices = match outcome.verified.indices.len() {
        1 => "1 index".to_owned(),
        number => format!("{number} indices"),
    };
    let found = match outcome.verified.findings.len() {
        0 => "nothing is wrong".to_owned(),
        number => count(number, "finding"),
    };
    format!("{}: {indices} looked at; {found}.", outcome.link)
}

/// Breaks a text between words; lines after the first are indented.
fn wrap(text: &str, wide: usize, indent: usize) -> String {
    let mut lines = Vec::new();
    let lead = text.len() - text.trim_start().len();
    let mut line = " ".repeat(lead);
    let mut empty = true;
    for (at, word) in text.trim_start().split(' ').enumerate() {
        let room = line.chars().count() + usize::from(!empty) + word.chars().count();
        if at > 0 && !empty && room > wide {
            lines.push(line.trim_end().to_owned());
            line = " ".repeat(indent);
            empty = true;
        }
        if !empty {
            line.push(' ');
        }
        line.push_str(word);
        empty = false;
    }
    lines.push(line.trim_end().to_owned());
    lines.join("\n")
}

/// The document of `--output json`.
pub(super) fn document(outcome: &Outcome) -> Value {
    let exit = outcome.exit();
    json!({
        "saga": outcome.saga,
        "link": outcome.link,
        "state": if outcome.verified.findings.is_empty() { "verified" } else { "failed" },
        "exit_code": exit.code(),
        "class": exit.class(),
        "resumable": false,
        "next_command": outcome.next_command(),
        "error": outcome.error().map(|error| error.described()),
        "limits": {
            "max_lag_seconds": outcome.limits.seconds,
            "max_lag_operations": outcome.limits.operations,
        },
        "indices": outcome.verified.indices.iter().map(index).collect::<Vec<_>>(),
        "left_out": outcome.verified.left_out,
        "other_probes": outcome.verified.probes,
        "probe": match &outcome.probe {
            Probing::Unasked => Value::Null,
            Probing::Untried(why) => json!({"tried": false, "why": why}),
            Probing::Tried(probed) => json!({
                "tried": true,
                "leader": probed.leader,
                "follower": probed.follower,
                "latency_ms": probed.latency_ms,
            }),
        },
        "findings": outcome.verified.findings,
    })
}

fn index(index: &Index) -> Value {
    let Index { lag, contents } = index;
    json!({
        "leader": lag.leader,
        "follower": lag.follower,
        "state": lag.state.name().replace(' ', "_"),
        "lag_operations": lag.lag_operations,
        "lag_at_most_ms": lag.lag_at_most_ms,
        "lag_at_least_ms": lag.lag_at_least_ms,
        "since_read_ms": lag.since_read_ms,
        "lease_age_ms": lag.lease_age_ms,
        "lease_period_ms": lag.lease_period_ms,
        "contents": contents.as_ref().map(|contents| json!({
            "documents": contents.counts.map(|(_, own)| own),
            "leader_documents": contents.counts.map(|(theirs, _)| theirs),
            "compared": contents.compared,
            "changing": contents.changing,
            "different": contents.different,
        })),
    })
}

/// The lines of `--output ndjson`: one an index, one a finding, one at the end.
pub(super) fn lines(outcome: &Outcome) -> Vec<Value> {
    let mut whole = document(outcome);
    let mut all = Vec::new();
    for (list, kind) in [("indices", "index"), ("findings", "finding")] {
        let rows = whole.as_object_mut().and_then(|fields| fields.remove(list));
        for mut row in rows.and_then(|rows| rows.as_array().cloned()).unwrap_or_default() {
            typed(&mut row, kind);
            all.push(row);
        }
    }
    typed(&mut whole, "result");
    all.push(whole);
    all
}

fn typed(row: &mut Value, kind: &str) {
    if let Some(fields) = row.as_object_mut() {
        fields.insert("type".to_owned(), json!(kind));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_broken_between_words_and_never_inside() {
        assert_eq!(wrap("  seen  one two three", 14, 8), "  seen  one\n        two\n        three");
        assert_eq!(wrap("short", 14, 2), "short");
        assert_eq!(wrap("averyverylongword x", 5, 2), "averyverylongword\n  x");
        assert_eq!(wrap("", 5, 2), "");
    }

    #[test]
    fn a_long_name_keeps_its_end() {
        assert_eq!(shortened(".ds-logs-2026.10.01-000001", Some(16)), "\u{2026}26.10.01-000001");
        assert_eq!(shortened("logs-2026.10.001", Some(16)), "logs-2026.10.001");
        assert_eq!(shortened(".ds-logs-2026.10.01-000001", None).len(), 26);
    }

    #[test]
    fn a_time_says_which_bound_it_is() {
        let mut lag = IndexLag {
            leader: "a".into(),
            follower: "a".into(),
            alias: "up".into(),
            state: escrr_steps::lag::State::Following,
            lag_operations: Some(0),
            lag_at_most_ms: None,
            lag_at_least_ms: None,
            since_read_ms: None,
            lease_age_ms: None,
            lease_period_ms: None,
            shards_without_lease: Vec::new(),
            shards_without_task: Vec::new(),
            read_exceptions: Vec::new(),
        };
        assert_eq!(time(&lag), "?");
        lag.lag_at_least_ms = Some(5_000);
        assert_eq!(time(&lag), ">= 5s");
        lag.lag_at_most_ms = Some(7_000);
        assert_eq!(time(&lag), "<= 7s");
    }
}
