//! One line a transition, and one every thirty seconds of waiting.

use super::board::{Board, View, Wait};
use crate::ui::Ui;
use crate::ui::told::told;
use crate::ui::words::{one_line, span, time_s};
use escrr_engine::{Entry, News, Progress, SagaId};
use std::collections::BTreeMap;

/// A silent job is taken for a dead one by those who watch it.
const HEARTBEAT_MS: u64 = 30_000;
/// A heartbeat names this many nodes.
const MOST_NAMED: usize = 4;

/// One line a transition.
#[derive(Debug, Default)]
pub struct Plain {
    /// When something was last said of a saga, in the engine's time.
    said_ms: BTreeMap<SagaId, u64>,
}

impl Plain {
    /// Says what happened, if it is worth a line.
    pub fn news(&mut self, board: &Board, progress: &Progress, ui: &Ui) {
        let Some(view) = board.view(progress.saga) else { return };
        let said_ms = *self.said_ms.entry(progress.saga).or_insert(progress.at_ms);
        let quiet_ms = progress.at_ms.saturating_sub(said_ms);
        let text = match &progress.news {
            News::Entry(entry) => Some(transition(board, view, entry)),
            News::Overdue { node, why, waited_ms } => {
                let name = name(board, *node);
                Some((name, format!("overdue, still waited for after {}: {why}", span(*waited_ms))))
            }
            News::Retrying { node, attempt: 1, report, .. } => {
                Some((name(board, *node), format!("tried again soon: {report}")))
            }
            News::Waiting { .. } | News::Retrying { .. } if quiet_ms >= HEARTBEAT_MS => {
                Some((String::new(), heartbeat(board, view, progress.at_ms)))
            }
            News::Waiting { .. } | News::Retrying { .. } | News::Called { .. } => None,
        };
        if let Some((node, text)) = text {
            self.said_ms.insert(progress.saga, progress.at_ms);
            ui.status(&line(board, view, progress.at_ms, (&node, &text)));
        }
    }
}

fn name(board: &Board, node: usize) -> String {
    board.about().get(node).map(|about| about.id.to_string()).unwrap_or_default()
}

fn line(board: &Board, view: &View, at_ms: u64, (node, text): (&str, &str)) -> String {
    let elapsed = format!("+{}", span_s(at_ms.saturating_sub(view.begun_ms)));
    let link = if board.has_many() { format!("[{}]  ", view.saga.link) } else { String::new() };
    let node = if node.is_empty() { String::new() } else { format!("{node}  ") };
    format!("{}  {elapsed:<7}  {link}{node}{}", time_s(at_ms), one_line(text))
}

/// Elapsed time to the second.
fn span_s(ms: u64) -> String {
    if ms < 1000 { "0s".to_owned() } else { span(ms) }
}

/// What an entry says, and over which node.
fn transition(board: &Board, view: &View, entry: &Entry) -> (String, String) {
    let node = entry.event.node().unwrap_or_default();
    let at = board.find(node);
    let about = at.and_then(|at| board.about().get(at));
    let begun_ms = at.and_then(|at| *view.saga.started_ms.get(at)?);
    (node.to_owned(), told(&entry.event, about, begun_ms, entry.at_ms))
}

fn heartbeat(board: &Board, view: &View, at_ms: u64) -> String {
    let waited = |(at, wait): (&usize, &Wait)| {
        let name = name(board, *at);
        let since = span(at_ms.saturating_sub(view.since_ms(*at)));
        format!("{name} ({since}): {}", wait.why)
    };
    let mut named: Vec<String> = view.waits.iter().map(waited).collect();
    let more = named.len().saturating_sub(MOST_NAMED);
    named.truncate(MOST_NAMED);
    let more = if more > 0 { format!("; and {more} more") } else { String::new() };
    format!("waiting for {}{more}", named.join("; "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::OutputForm;
    use crate::ui::progress::board::tests::{at_work, entry, intended, news};

    #[test]
    fn a_transition_is_a_line_and_waiting_is_one_every_thirty_seconds() {
        let (ui, captured) = Ui::captured(OutputForm::Human);
        let mut board = at_work(&["a", "b"]);
        let node = board.about().iter().position(|a| a.id.to_string() == "network.cen").unwrap();
        let mut plain = Plain::default();
        let mut hear = |at_ms, what| {
            let progress = news(&mut board, at_ms, what);
            plain.news(&board, &progress, &ui);
        };
        hear(
            1_790_000_001_000,
            News::Entry(entry(2, 1_790_000_001_000, intended("network.cen")).into()),
        );
        for second in 2..=62 {
            let at_ms = 1_790_000_000_000 + second * 1_000;
            let (why, since_ms) = ("it is Creating\u{1b}".to_owned(), 1_790_000_002_000);
            hear(at_ms, News::Waiting { node, why, since_ms, next_ms: at_ms + 1_000 });
        }
        let said = captured.err();
        let lines: Vec<&str> = said.lines().collect();
        assert_eq!(lines.len(), 3, "{said}");
        assert!(lines[0].starts_with("2026-09-21T14:13:21Z  +"), "{said}");
        assert!(lines[0].ends_with("[a]  network.cen  making (usually 5s)"), "{said}");
        assert!(
            lines[1].ends_with("waiting for network.cen (30s): it is Creating\\u{1b}"),
            "{said}"
        );
        assert!(lines[2].contains("network.cen (1m00s)"), "{said}");
    }
}
