//! A plan for people: the whole screen, and a few lines before a question.

use super::verdicts::{Counts, Row};
use super::{Plan, VERIFY};
use crate::ui::result::heading;
use crate::ui::table::{Table, wrap};
use crate::ui::words::brief_span;

/// Nodes of the longest path that are named.
const MOST_OF_PATH: usize = 4;

impl Plan {
    /// By documented step: what would be made, how long it takes, what its undo does and leaves.
    pub(super) fn screen(&self, unicode: bool, columns: Option<usize>) -> String {
        let mut parts = vec![self.arrows(unicode, columns).join("\n"), self.steps(columns)];
        let costs = self.costs().screen(columns);
        if !costs.is_empty() {
            parts.push(costs.join("\n"));
        }
        parts.push(self.summary(columns));
        parts.join("\n\n")
    }

    fn steps(&self, columns: Option<usize>) -> String {
        let head = ["  WHAT", "NODE", "USUAL/MOST", "ROLLBACK, OR WHAT IS SEEN"];
        let mut table = Table::new(&head);
        for phase in 0..=VERIFY {
            table.section(&self.of_step(phase));
            for row in self.of_phase(phase) {
                let time = self.time_cell(row);
                let word = format!("  {}", row.word());
                table.row(vec![word, row.about.id.to_string(), time, row.remark()]);
            }
        }
        table.wrapped(columns)
    }

    /// A documented step, what is to be done of it, and how long that takes.
    fn of_step(&self, phase: u8) -> String {
        let counts = Counts::of(self.of_phase(phase)).brief();
        let (usual, most) = self.times_of(phase);
        let mut parts = vec![heading(phase)];
        parts.extend(Some(counts).filter(|counts| !counts.is_empty()));
        if most > 0 {
            parts.push(takes((usual, most)));
        }
        parts.join("; ")
    }

    /// `3m/42m`; nothing for what takes no time.
    fn time_cell(&self, row: Row<'_>) -> String {
        if !row.takes_time() || !self.has_changes() {
            return String::new();
        }
        let (usual, most) = self.own_ms(row);
        format!("{}/{}", brief_span(usual), brief_span(most))
    }

    /// The plan in a few lines, one a documented step.
    pub(in crate::commands) fn short(&self, unicode: bool, columns: Option<usize>) -> String {
        let mut lines = self.arrows(unicode, columns);
        lines.push(String::new());
        lines.extend((0..=VERIFY).flat_map(|phase| wrap(&self.of_step(phase), columns)));
        lines.push(String::new());
        lines.extend(self.costs().screen(columns));
        lines.push(String::new());
        lines.push(self.summary(columns));
        lines.join("\n")
    }

    /// Counts, and the longest path of usual and of longest durations.
    fn summary(&self, columns: Option<usize>) -> String {
        let counts = Counts::of(self.rows());
        let times = (self.usual().total_ms, self.most().total_ms);
        let takes = if self.has_changes() { takes(times) } else { "nothing to do".to_owned() };
        let mut text = vec![format!("{}: {}; {takes}.", self.spec.link, counts.words())];
        if self.has_changes() {
            text.push(self.path_words());
            text.extend(self.learnt_words());
        }
        let lines = text.iter().flat_map(|text| wrap(text, columns));
        lines.collect::<Vec<_>>().join("\n")
    }

    /// The nodes that make it as long as it is, the slowest of them by name.
    fn path_words(&self) -> String {
        let path = self.usual();
        let mut slow: Vec<(u64, usize)> =
            path.nodes.iter().map(|at| (self.usual_ms(*at), *at)).collect();
        slow.sort_by_key(|(own, _)| std::cmp::Reverse(*own));
        slow.truncate(MOST_OF_PATH);
        slow.sort_by_key(|(_, at)| *at);
        let named = slow
            .iter()
            .map(|(own, at)| format!("{} ({})", self.catalog.name(*at), brief_span(*own)));
        format!(
            "The longest path has {} nodes, the slowest of them {}.",
            path.nodes.len(),
            named.collect::<Vec<_>>().join(", ")
        )
    }

    /// From where usual durations are, if some are learnt.
    fn learnt_words(&self) -> Option<String> {
        let runs = |row: Row<'_>| Some(self.learnt.usual_ms(self.catalog.name(row.at))?.1);
        let nodes: Vec<usize> = self.rows().filter(Row::takes_time).filter_map(runs).collect();
        let most = nodes.iter().max()?;
        let times = if *most == 1 {
            "1 earlier run".to_owned()
        } else {
            format!("up to {most} earlier runs")
        };
        Some(format!("Usual durations of {} nodes are medians of {times} here.", nodes.len()))
    }
}

/// `usually 6m02s, at most 27h38m`
fn takes((usual_ms, most_ms): (u64, u64)) -> String {
    format!("usually {}, at most {}", brief_span(usual_ms), brief_span(most_ms))
}
