//! A plan as a table, in a few lines, and as JSON.

use super::{Plan, VERIFY, will_make};
use crate::ui::result::heading;
use crate::ui::table::Table;
use crate::ui::words::{count, ids, span};
use escrr_engine::survey::Verdict;
use escrr_engine::{About, Reverse};
use serde_json::{Value, json};

impl Plan {
    /// By documented step: what would be made, how long it takes, what its undo does.
    pub(super) fn table(&self, link: &str, columns: Option<usize>) -> String {
        let mut table =
            Table::new(&["STEP", "WHAT", "NODE", "USUALLY", "ROLLBACK, OR WHAT IS SEEN"]);
        let mut rows: Vec<_> = self.rows().zip(&self.ours).collect();
        rows.sort_by_key(|((about, _), _)| about.phase);
        for ((about, verdict), ours) in rows {
            let usual = if counts(about, verdict) { usual(about) } else { String::new() };
            table.row(vec![
                about.phase.to_string(),
                word(about, verdict, *ours).to_owned(),
                about.id.to_string(),
                usual,
                remark(about, verdict, *ours),
            ]);
        }
        let mut text = vec![table.render(columns)];
        let costs = self.costs();
        if !costs.is_empty() {
            text.push(format!("\nStarts to cost:\n{}", costs.join("\n")));
        }
        text.push(format!("\n{}", self.summary(link)));
        text.join("\n")
    }

    /// The plan in a few lines, one a documented step.
    pub(in crate::commands) fn short(&self, link: &str) -> String {
        let mut lines = Vec::new();
        for phase in 0..=VERIFY {
            let of = |wanted: fn(&About, &Verdict) -> bool| {
                self.rows().filter(|(a, v)| a.phase == phase && wanted(a, v)).count()
            };
            let (make, there) = (of(will_make), of(is_there));
            lines.push(format!("  {:<32}  {make:>2} to make, {there:>2} there", heading(phase)));
        }
        let costs = self.costs();
        if !costs.is_empty() {
            lines.push("Starts to cost:".to_owned());
            lines.extend(costs);
        }
        lines.push(self.summary(link));
        lines.join("\n")
    }

    /// Counts, and the longest path of usual durations.
    fn summary(&self, link: &str) -> String {
        let number = |wanted: fn(&About, &Verdict) -> bool| {
            self.rows().filter(|(about, verdict)| wanted(about, verdict)).count()
        };
        let (make, there) = (number(will_make), number(is_there));
        let differ =
            number(|_, verdict| matches!(verdict, Verdict::Differs(_) | Verdict::Blocked(..)));
        let waits = number(|_, verdict| matches!(verdict, Verdict::Waits(_)));
        let mut parts = vec![format!("{make} to make"), format!("{there} there")];
        if waits > 0 {
            parts.push(format!("{waits} on the way"));
        }
        if differ > 0 {
            parts.push(format!("{} in the way", count(differ, "obstacle")));
        }
        let long = self.longest_ms();
        let path = match (make, long) {
            (0, _) => "nothing to do".to_owned(),
            (_, long) => format!("the longest path usually takes {}", span(long)),
        };
        format!("{link}: {}; {path}.", parts.join(", "))
    }

    /// The longest path of usual durations over what is not there yet, in milliseconds.
    fn longest_ms(&self) -> u64 {
        let mut ends: Vec<u64> = Vec::new();
        for (at, (about, verdict)) in self.rows().enumerate() {
            let needs = self.catalog.needs(at).iter();
            let begins = needs.filter_map(|need| ends.get(*need)).max().copied().unwrap_or(0);
            let own = if counts(about, verdict) { u64::from(about.patience.usual_s) } else { 0 };
            ends.push(begins + own * 1000);
        }
        ends.into_iter().max().unwrap_or(0)
    }

    fn costs(&self) -> Vec<String> {
        let costly = self.rows().filter(|(about, verdict)| will_make(about, verdict));
        costly.filter_map(|(about, _)| Some(format!("  {}: {}", about.id, about.cost?))).collect()
    }

    /// The document of `--output json`.
    pub(super) fn whole_document(&self, link: &str) -> Value {
        let number = |wanted: fn(&About, &Verdict) -> bool| {
            self.rows().filter(|(about, verdict)| wanted(about, verdict)).count()
        };
        json!({
            "link": link,
            "to_make": number(will_make),
            "there": number(is_there),
            "longest_path_s": self.longest_ms() / 1000,
            "changes": self.has_changes(),
            "nodes": self.document(),
        })
    }

    /// The nodes as a list.
    pub(in crate::commands) fn document(&self) -> Value {
        Value::Array(self.lines())
    }

    /// One object a node.
    pub(super) fn lines(&self) -> Vec<Value> {
        let rows = self.rows().zip(&self.ours);
        rows.map(|((about, verdict), ours)| node(about, verdict, *ours)).collect()
    }
}

fn node(about: &About, verdict: &Verdict, ours: bool) -> Value {
    let reverse = about.reverse.map(|reverse| match reverse {
        Reverse::Undo(_) => "undo",
        Reverse::Keep(_) => "keep",
    });
    let mut document = json!({
        "id": about.id.to_string(),
        "phase": about.phase,
        "title": about.title,
        "verdict": word(about, verdict, ours),
        "usual_s": about.patience.usual_s,
        "reverse": reverse,
        "reverse_does": about.rollback(),
        "cost": about.cost,
    });
    let more = match verdict {
        Verdict::Make(items) => Some(("items", json!(items))),
        Verdict::Found(output) | Verdict::Checked(output) => Some(("output", output.clone())),
        Verdict::Differs(report) => Some(("report", json!(report))),
        Verdict::Blocked(class, report) => {
            Some(("failure", json!({ "class": class, "report": report })))
        }
        Verdict::Waits(why) => Some(("why", json!(why))),
        Verdict::After(needs) => {
            let names: Vec<String> = needs.iter().map(ToString::to_string).collect();
            Some(("after", json!(names)))
        }
        Verdict::Unneeded(_) | Verdict::Unlooked => None,
    };
    if let (Some((name, value)), Some(fields)) = (more, document.as_object_mut()) {
        fields.insert(name.to_owned(), value);
    }
    document
}

/// A verdict in one word.
fn word(about: &About, verdict: &Verdict, ours: bool) -> &'static str {
    match verdict {
        Verdict::Found(_) if ours => "made",
        Verdict::Make(_) => "make",
        Verdict::Found(_) => "found",
        Verdict::Checked(_) => "holds",
        Verdict::Unneeded(_) => "unneeded",
        Verdict::Differs(_) => "differs",
        Verdict::Waits(_) => "waits",
        // What only looks is not made; it is looked at when its time comes.
        Verdict::After(_) if about.acts() => "make",
        Verdict::After(_) => "later",
        Verdict::Blocked(..) => "blocked",
        Verdict::Unlooked => "again",
    }
}

fn is_there(_: &About, verdict: &Verdict) -> bool {
    matches!(verdict, Verdict::Found(_) | Verdict::Checked(_) | Verdict::Unneeded(_))
}

/// Does the node take time in a run?
fn counts(about: &About, verdict: &Verdict) -> bool {
    will_make(about, verdict) || matches!(verdict, Verdict::Waits(_) | Verdict::After(_))
}

fn usual(about: &About) -> String {
    span(u64::from(about.patience.usual_s) * 1000)
}

/// What rollback does with it, or what was seen.
fn remark(about: &About, verdict: &Verdict, ours: bool) -> String {
    let reverse = about.rollback().unwrap_or_else(|| about.title.to_owned());
    match verdict {
        Verdict::Make(_) | Verdict::After(_) => reverse,
        Verdict::Found(_) if ours => reverse,
        Verdict::Found(output) => {
            format!("stays: it was there before {}", ids(output)).trim_end().to_owned()
        }
        Verdict::Checked(output) => {
            // A cluster says by which way it was asked.
            let access = output.get("access").and_then(Value::as_str).unwrap_or_default();
            if access.is_empty() {
                about.title.to_owned()
            } else {
                format!("{}; by {access}", about.title)
            }
        }
        Verdict::Unneeded(_) => "this link does not need it".to_owned(),
        Verdict::Differs(report) | Verdict::Blocked(_, report) => report.to_string(),
        Verdict::Waits(why) => why.clone(),
        Verdict::Unlooked => "a run verifies it again".to_owned(),
    }
}
