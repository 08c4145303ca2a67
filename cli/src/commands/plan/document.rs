//! A plan for programs: one document, or one object a line.

use super::verdicts::{Counts, Row};
use super::{Plan, VERIFY};
use crate::error::CommandError;
use crate::exit::Exit;
use crate::ui::result::heading;
use escrr_engine::Reverse;
use escrr_engine::survey::Verdict;
use serde_json::{Value, json};
use std::path::Path;

/// The form of the lines of `--output ndjson`; a new field is no new number.
const LINES_SCHEMA: &str = "escrr.plan/1";

impl Plan {
    /// The document of `--output json`.
    pub(super) fn whole_document(
        &self,
        end: (Exit, Option<&CommandError>),
        file: Option<&Path>,
    ) -> Value {
        let mut document = self.totals(end, file);
        if let Some(fields) = document.as_object_mut() {
            fields.insert("problems".into(), json!(self.problems));
            fields.insert("costs".into(), self.costs().document());
            fields.insert("steps".into(), Value::Array(self.steps_document()));
            fields.insert("flow".into(), self.flow());
            fields.insert("nodes".into(), self.document());
        }
        document
    }

    fn totals(&self, end: (Exit, Option<&CommandError>), file: Option<&Path>) -> Value {
        let (exit, error) = end;
        let counts = Counts::of(self.rows());
        let (usual, most) = (self.usual(), self.most());
        let names = |nodes: &[usize]| -> Vec<&str> {
            nodes.iter().map(|at| self.catalog.name(*at)).collect()
        };
        json!({
            "link": self.spec.link,
            "exit_code": exit.code(),
            "class": exit.class(),
            "error": error.map(CommandError::described),
            "changes": self.has_changes(),
            "to_make": counts.make,
            "there": counts.there(),
            "made": counts.made,
            "found": counts.found,
            "hold": counts.hold,
            "differ": counts.differ,
            "blocked": counts.blocked,
            "on_the_way": counts.waits,
            "longest_path_s": usual.total_ms / 1000,
            "longest_path": names(&usual.nodes),
            "at_most_s": most.total_ms / 1000,
            "at_most_path": names(&most.nodes),
            "edition": self.catalog.edition(),
            "world_digest": self.world_digest(),
            "plan_file": file.map(|path| path.display().to_string()),
        })
    }

    fn steps_document(&self) -> Vec<Value> {
        let step = |phase: u8| {
            let counts = Counts::of(self.of_phase(phase));
            let (usual_ms, most_ms) = self.times_of(phase);
            json!({
                "phase": phase,
                "title": heading(phase).split_once(' ').map(|(_, title)| title.to_owned()),
                "to_make": counts.make,
                "there": counts.there(),
                "found": counts.found,
                "differ": counts.differ,
                "usual_s": usual_ms / 1000,
                "at_most_s": most_ms / 1000,
            })
        };
        (0..=VERIFY).map(step).collect()
    }

    /// The nodes as a list.
    pub(in crate::commands) fn document(&self) -> Value {
        Value::Array(self.rows().map(|row| self.node(row)).collect())
    }

    /// A version line, one object a node, one a charge, and the totals last.
    pub(super) fn lines(
        &self,
        end: (Exit, Option<&CommandError>),
        file: Option<&Path>,
    ) -> Vec<Value> {
        let typed = |kind: &str, value: Value| {
            let mut value = value;
            if let Some(fields) = value.as_object_mut() {
                fields.insert("type".to_owned(), kind.into());
            }
            value
        };
        let mut lines = vec![json!({ "type": "version", "schema": LINES_SCHEMA })];
        lines.extend(self.rows().map(|row| typed("node", self.node(row))));
        lines.extend(self.steps_document().into_iter().map(|step| typed("step", step)));
        lines.push(typed("costs", self.costs().document()));
        lines.push(typed("flow", self.flow()));
        lines.push(typed("totals", self.totals(end, file)));
        lines
    }

    fn node(&self, row: Row<'_>) -> Value {
        let Row { about, verdict, .. } = row;
        let reverse = about.reverse.map(|reverse| match reverse {
            Reverse::Undo(_) => "undo",
            Reverse::Keep(_) => "keep",
        });
        let (usual_ms, most_ms) = self.own_ms(row);
        let mut document = json!({
            "id": about.id.to_string(),
            "phase": about.phase,
            "title": about.title,
            "verdict": row.word(),
            "usual_s": usual_ms / 1000,
            "usual_of_runs": self.learnt.usual_ms(&about.id.to_string()).map(|(_, runs)| runs),
            "at_most_s": most_ms / 1000,
            "reverse": reverse,
            "reverse_does": about.rollback(),
            "leaves": about.leaves,
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
}
