//! Aligned columns.

use super::printable::one_line;
use std::ops::RangeInclusive;

/// Between two columns.
const GAP: &str = "  ";
/// A column is never cut below this many characters.
const LEAST: usize = 8;

/// Rows under a heading.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    heading: Vec<String>,
    rows: Vec<Row>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Row {
    Cells(Vec<String>),
    /// A line of its own between rows, without a part in the widths of columns.
    Section(String),
}

impl Row {
    fn cells(&self) -> &[String] {
        match self {
            Self::Cells(cells) => cells,
            Self::Section(_) => &[],
        }
    }
}

impl Table {
    /// A table without rows.
    pub fn new(heading: &[&str]) -> Self {
        Self { heading: heading.iter().map(|cell| (*cell).to_owned()).collect(), rows: Vec::new() }
    }

    /// Adds a row; cells that are missing are empty.
    pub fn row(&mut self, cells: Vec<String>) {
        self.rows.push(Row::Cells(cells));
    }

    /// Adds a line between rows that says what the following ones have in common.
    pub fn section(&mut self, text: &str) {
        self.rows.push(Row::Section(one_line(text)));
    }

    /// Are there no rows?
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The lines, the last column cut to a width where there is one.
    pub fn render(&self, columns: Option<usize>) -> String {
        self.lines(columns, line)
    }

    /// The lines, the last column wrapped into a width where there is one, so that nothing of it
    /// gets lost; a line end inside it stays one.
    pub fn wrapped(&self, columns: Option<usize>) -> String {
        self.lines(columns, wrapped_line)
    }

    fn lines(
        &self,
        columns: Option<usize>,
        line: fn(&[String], &[usize], Option<usize>) -> String,
    ) -> String {
        let widths = self.widths();
        let mut lines = vec![line(&self.heading, &widths, columns)];
        for row in &self.rows {
            lines.push(match row {
                Row::Cells(cells) => line(cells, &widths, columns),
                Row::Section(text) => wrap(text, columns).join("\n"),
            });
        }
        lines.join("\n")
    }

    fn widths(&self) -> Vec<usize> {
        (0..self.heading.len())
            .map(|at| {
                let rows = self.rows.iter().map(Row::cells);
                let all = std::iter::once(self.heading.as_slice()).chain(rows);
                all.filter_map(|row| row.get(at)).map(|cell| width(cell)).max().unwrap_or(0)
            })
            .collect()
    }
}

fn line(cells: &[String], widths: &[usize], columns: Option<usize>) -> String {
    let mut line = String::new();
    let last = widths.len().saturating_sub(1);
    for (at, wanted) in widths.iter().enumerate() {
        let cell = cells.get(at).map(|cell| one_line(cell)).unwrap_or_default();
        if at == last {
            let room = columns.map(|columns| columns.saturating_sub(width(&line)).max(LEAST));
            line.push_str(&cut(&cell, room));
        } else {
            line.push_str(&cell);
            line.push_str(&" ".repeat(wanted.saturating_sub(width(&cell))));
            line.push_str(GAP);
        }
    }
    line.trim_end().to_owned()
}

/// A row whose last cell goes on below itself.
fn wrapped_line(cells: &[String], widths: &[usize], columns: Option<usize>) -> String {
    let last = widths.len().saturating_sub(1);
    let indent: usize = widths.iter().take(last).map(|wide| wide + width(GAP)).sum();
    let room = columns.map(|columns| columns.saturating_sub(indent).max(LEAST));
    let cell = cells.get(last).map(String::as_str).unwrap_or_default();
    let mut parts = wrap(cell, room).into_iter();
    let mut first: Vec<String> = cells.iter().take(last).cloned().collect();
    first.resize(last, String::new());
    first.push(parts.next().unwrap_or_default());
    let mut lines = vec![line(&first, widths, None)];
    lines.extend(parts.map(|part| format!("{}{part}", " ".repeat(indent))));
    lines.join("\n")
}

/// A text in lines of a width, broken between words; a longer word has a line of its own.
pub fn wrap(text: &str, room: Option<usize>) -> Vec<String> {
    let mut lines = Vec::new();
    for paragraph in text.lines() {
        let mut line = String::new();
        for word in one_line(paragraph).split_whitespace() {
            let wide = width(&line) + 1 + width(word);
            if !line.is_empty() && room.is_some_and(|room| wide > room) {
                lines.push(std::mem::take(&mut line));
            }
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
        lines.push(line);
    }
    lines
}

/// A text that ends with `…` where it is longer than the room for it.
pub fn cut(cell: &str, room: Option<usize>) -> String {
    match room {
        Some(room) if width(cell) > room => {
            let mut kept = String::new();
            for c in cell.chars() {
                if width(&kept) + columns_of(c) >= room {
                    break;
                }
                kept.push(c);
            }
            kept + "…"
        }
        _ => cell.to_owned(),
    }
}

pub(super) fn width(text: &str) -> usize {
    text.chars().map(columns_of).sum()
}

/// The blocks of East Asian wide characters and of emoji.
const WIDE: [RangeInclusive<char>; 9] = [
    '\u{1100}'..='\u{115f}',
    '\u{2e80}'..='\u{a4cf}',
    '\u{ac00}'..='\u{d7a3}',
    '\u{f900}'..='\u{faff}',
    '\u{fe30}'..='\u{fe6f}',
    '\u{ff00}'..='\u{ff60}',
    '\u{ffe0}'..='\u{ffe6}',
    '\u{1f300}'..='\u{1faff}',
    '\u{20000}'..='\u{3fffd}',
];

/// Wide characters take two columns.
fn columns_of(c: char) -> usize {
    let wide = WIDE.iter().any(|range| range.contains(&c));
    if wide { 2 } else { 1 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        let mut table = Table::new(&["KIND", "ID", "SINCE"]);
        table.row(vec!["vpc".into(), "vpc-1".into(), "2026-11-22T10:00:00Z".into()]);
        table.row(vec!["负载".into(), "n".into()]);
        table
    }

    #[test]
    fn columns_are_aligned() {
        assert_eq!(
            table().render(None),
            "KIND  ID     SINCE\nvpc   vpc-1  2026-11-22T10:00:00Z\n负载  n"
        );
    }

    #[test]
    fn the_last_column_is_cut_to_the_terminal() {
        let text = table().render(Some(24));
        assert!(text.contains("vpc   vpc-1  2026-11-22…"), "{text}");
        assert!(text.lines().all(|line| width(line) <= 24), "{text}");
        // Too narrow for anything: the first columns stay whole.
        assert!(table().render(Some(3)).contains("vpc-1  2026-11…"));
    }

    #[test]
    fn a_wrapped_column_loses_nothing() {
        let mut table = Table::new(&["NODE", "UNDO"]);
        table.section("1 Connect the VPCs, a line that is longer than the screen is wide");
        table.row(vec!["network.cen".into(), "deletes the CEN that was made".into()]);
        table.row(vec!["a".into(), "one\ntwo three".into()]);
        assert_eq!(
            table.wrapped(Some(30)),
            "NODE         UNDO\n\
             1 Connect the VPCs, a line\n\
             that is longer than the screen\n\
             is wide\n\
             network.cen  deletes the CEN\n\
             \x20            that was made\n\
             a            one\n\
             \x20            two three"
        );
        assert!(table.wrapped(None).contains("network.cen  deletes the CEN that was made\n"));
        assert_eq!(wrap("负载 均衡", Some(4)), ["负载", "均衡"]);
    }

    #[test]
    fn control_characters_do_not_reach_the_terminal() {
        let mut table = Table::new(&["A"]);
        table.row(vec!["x\u{1b}[31m\ny".into()]);
        assert_eq!(table.render(None), "A\nx\\u{1b}[31m y");
    }
}
