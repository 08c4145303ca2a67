//! When each node was at it, as far as the journal has it; times in which nobody was are cut short.

use super::{Facts, anchor};
use crate::ui::picture::Tone;
use crate::ui::words::{span, time_s};
use escrr_engine::{Entry, Event};
use maud::{Markup, html};

/// The axis in parts; positions are counted in these.
const AXIS: u64 = 10_000;
/// A pause is drawn as long as this part of all work.
const PAUSE: u64 = 30;
/// The shortest bar that can be seen.
const LEAST: u64 = 60;

/// From journal times to positions on the axis.
struct Axis {
    /// Times and where they lie, in milliseconds of work.
    points: Vec<(u64, u64)>,
    /// The pauses: where they lie and how long they were.
    pauses: Vec<(u64, u64)>,
    total: u64,
}

impl Axis {
    /// Where a person came back after a stop, the pause before is cut.
    fn new(entries: &[Entry]) -> Self {
        let steps = || entries.iter().zip(entries.iter().skip(1));
        let waits = |entry: &Entry| match entry.event {
            Event::Resumed { .. } | Event::RollbackBegun { .. } | Event::Decided { .. } => true,
            Event::Created { .. }
            | Event::Intended { .. }
            | Event::Completed { .. }
            | Event::Failed { .. }
            | Event::Parked { .. }
            | Event::UndoIntended { .. }
            | Event::Undone { .. }
            | Event::Stuck { .. }
            | Event::Finished { .. }
            | Event::Interrupted { .. }
            | Event::Acknowledged { .. }
            | Event::Vanished { .. }
            | Event::Inherited { .. }
            | Event::Adopted { .. }
            | Event::HistoryLost { .. } => false,
        };
        let took = |a: &Entry, b: &Entry| b.at_ms.saturating_sub(a.at_ms);
        let work: u64 =
            steps().filter(|(_, next)| !waits(next)).map(|(entry, next)| took(entry, next)).sum();
        let most = (work / PAUSE).max(1);
        let mut axis = Self { points: Vec::new(), pauses: Vec::new(), total: 0 };
        axis.points.extend(entries.first().map(|first| (first.at_ms, 0)));
        for (entry, next) in steps() {
            let gap = took(entry, next);
            if waits(next) && gap > most {
                axis.pauses.push((axis.total + most / 2, gap));
                axis.total += most;
            } else {
                axis.total += gap;
            }
            axis.points.push((next.at_ms, axis.total));
        }
        axis.total = axis.total.max(1);
        axis
    }

    /// A position between 0 and [`AXIS`].
    fn at(&self, at_ms: u64) -> u64 {
        let before = self.points.iter().rev().find(|(time, _)| *time <= at_ms);
        self.part(before.map_or(0, |(_, work)| *work))
    }

    fn part(&self, work: u64) -> u64 {
        (work.saturating_mul(AXIS)).checked_div(self.total).unwrap_or(0).min(AXIS)
    }
}

/// A bar, or a mark where `to_ms` is `from_ms`.
#[derive(Debug, PartialEq, Eq)]
struct Bar {
    from_ms: u64,
    to_ms: u64,
    tone: Tone,
    said: &'static str,
}

/// The bars of one node: from each announcement to what came of it.
fn bars(entries: &[Entry], node: &str, end_ms: u64) -> Vec<Bar> {
    let mut bars: Vec<Bar> = Vec::new();
    let mut open: Option<(u64, Tone, &'static str)> = None;
    for entry in entries.iter().filter(|entry| entry.event.node() == Some(node)) {
        let at_ms = entry.at_ms;
        let mut close = |tone, said| {
            let from_ms = open.take().map_or(at_ms, |(from_ms, ..)| from_ms);
            bars.push(Bar { from_ms, to_ms: at_ms, tone, said });
        };
        match &entry.event {
            Event::Intended { .. } => {
                open.get_or_insert((at_ms, Tone::Working, "announced, not ended"));
            }
            Event::UndoIntended { .. } => open = Some((at_ms, Tone::Working, "being taken back")),
            Event::Completed { origin: escrr_engine::Origin::Made, .. } => {
                close(Tone::Made, "made");
            }
            Event::Completed { .. } => close(Tone::Held, "found or checked"),
            Event::Failed { .. } => close(Tone::Bad, "failed"),
            Event::Stuck { .. } => close(Tone::Bad, "stuck"),
            Event::Parked { .. } => close(Tone::Parked, "parked"),
            Event::Decided { .. } => close(Tone::Aside, "decided over by a person"),
            Event::Undone { .. } => close(Tone::Undone, "taken back"),
            Event::Created { .. }
            | Event::RollbackBegun { .. }
            | Event::Resumed { .. }
            | Event::Finished { .. }
            | Event::Interrupted { .. }
            | Event::Acknowledged { .. }
            | Event::Vanished { .. }
            | Event::Inherited { .. }
            | Event::Adopted { .. }
            | Event::HistoryLost { .. } => {}
        }
    }
    if let Some((from_ms, tone, said)) = open {
        bars.push(Bar { from_ms, to_ms: end_ms, tone, said });
    }
    bars
}

/// Hundredths of a percent as a percentage.
fn percent(part: u64) -> String {
    format!("{}.{:02}%", part / 100, part % 100)
}

impl Facts<'_> {
    pub(super) fn timeline(&self) -> Markup {
        let axis = Axis::new(self.entries);
        let (first, last) = (self.saga.created_ms, self.saga.updated_ms);
        html! {
            p.note {
                (time_s(first)) " to " (time_s(last)) ", " (span(axis.total)) " without pauses. "
                "A bar goes from what was announced to what came of it; a mark is a look that was satisfied. "
                "Waits and repeated looks are not journaled."
            }
            ul.pauses {
                @for entry in self.entries {
                    @if let Some(said) = turn(&entry.event) { li { (time_s(entry.at_ms)) " " (said) } }
                }
                @for (_, gap) in &axis.pauses { li { "A pause of " (span(*gap)) " is cut short." } }
            }
            div.rows {
                @for (at, about) in self.catalog.about().iter().enumerate() {
                    @let id = about.id.to_string();
                    @let bars = bars(self.entries, &id, last);
                    @if !bars.is_empty() {
                        div.row {
                            a href=(format!("#{}", anchor(&id))) { (id) }
                            (lane(&axis, &bars))
                            span.took { (took(&bars, self.saga.attempts.get(at).copied())) }
                        }
                    }
                }
            }
        }
    }
}

/// The bars of one node over the whole axis.
fn lane(axis: &Axis, bars: &[Bar]) -> Markup {
    let label = bars.iter().map(|bar| bar.said).collect::<Vec<_>>().join(", ");
    html! {
        svg width="100%" height="14" role="img" aria-label=(label) {
            rect.track width="100%" height="14" rx="3" {}
            @for (at, _) in &axis.pauses {
                rect.pause x=(percent(axis.part(*at))) width="1" height="14" {}
            }
            @for bar in bars {
                @let wide = axis.at(bar.to_ms).saturating_sub(axis.at(bar.from_ms)).max(LEAST);
                @let from = axis.at(bar.from_ms).min(AXIS - wide.min(AXIS));
                rect.bar.(bar.tone.class()) x=(percent(from)) width=(percent(wide)) y="2" height="10" rx="2" {
                    title { (bar.said) ", " (time_s(bar.from_ms)) ", " (span(bar.to_ms.saturating_sub(bar.from_ms))) }
                }
            }
        }
    }
}

/// What turned the saga as a whole.
fn turn(event: &Event) -> Option<String> {
    match event {
        Event::Created { .. } => Some("begun".to_owned()),
        Event::RollbackBegun { by, .. } => Some(format!("rollback begun by {by}")),
        Event::Resumed { by, .. } => Some(format!("resumed by {by}")),
        Event::Decided { node, verb, reason, by, .. } => {
            Some(format!("{node}: {} by {by}: {reason}", crate::ui::told::name(*verb)))
        }
        Event::HistoryLost { reason, .. } => Some(format!("the history is incomplete: {reason}")),
        Event::Finished { outcome } => Some(match outcome {
            escrr_engine::Outcome::Succeeded => "set up and verified".to_owned(),
            escrr_engine::Outcome::RolledBack => "all taken back".to_owned(),
        }),
        Event::Interrupted { by, .. } => Some(format!("interrupted by {by}")),
        Event::Adopted { by, .. } => Some(format!("adopted by {by}")),
        Event::Inherited { node, ids } => {
            Some(format!("{node}: {} now belongs to this link", ids.join(", ")))
        }
        Event::Vanished { node, id, .. } => Some(format!("{node}: {id} does not exist any more")),
        Event::Intended { .. }
        | Event::Completed { .. }
        | Event::Failed { .. }
        | Event::Parked { .. }
        | Event::UndoIntended { .. }
        | Event::Undone { .. }
        | Event::Stuck { .. }
        | Event::Acknowledged { .. } => None,
    }
}

/// The time of all bars, and calls where there were any.
fn took(bars: &[Bar], calls: Option<u32>) -> String {
    let all: u64 = bars.iter().map(|bar| bar.to_ms.saturating_sub(bar.from_ms)).sum();
    let calls = calls.unwrap_or_default();
    let calls = match calls {
        0 => String::new(),
        1 => ", 1 call".to_owned(),
        many => format!(", {many} calls"),
    };
    if all == 0 && calls.is_empty() { String::new() } else { format!("{}{calls}", span(all)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries(events: Vec<(u64, Event)>) -> Vec<Entry> {
        let entry =
            |(version, (at_ms, event))| Entry { version, at_ms, previous: String::new(), event };
        (1..).zip(events).map(entry).collect()
    }

    fn intended() -> Event {
        let (node, token, items) = ("a.b".into(), String::new(), Vec::new());
        Event::Intended { node, generation: 1, token, items }
    }

    #[test]
    fn a_pause_before_somebody_came_back_is_cut_and_work_is_not() {
        let by = "me".to_owned();
        let undone = Event::Undone {
            node: "a.b".into(),
            kept: None,
            attempts: 1,
            account: serde_json::Value::Null,
        };
        let all = entries(vec![
            (0, intended()),
            (30_000, Event::UndoIntended { node: "a.b".into(), items: Vec::new() }),
            (90_000_000, Event::RollbackBegun { by, actor: escrr_engine::Actor::default() }),
            (90_030_000, undone),
        ]);
        let axis = Axis::new(&all);
        assert_eq!(axis.total, 62_000);
        assert_eq!(axis.pauses, [(31_000, 89_970_000)]);
        assert_eq!((axis.at(0), axis.at(90_030_000)), (0, AXIS));
        assert_eq!(percent(axis.at(30_000)), "48.38%");
    }

    #[test]
    fn bars_go_from_the_announcement_to_what_came_of_it() {
        let report = escrr_engine::Report::new("x", "no");
        let failed = Event::Failed {
            node: "a.b".into(),
            class: escrr_engine::Class::Refused,
            report,
            attempts: 1,
        };
        let all = entries(vec![(1, intended()), (5, intended()), (9, failed), (20, intended())]);
        let told = bars(&all, "a.b", 30);
        let times: Vec<_> = told.iter().map(|bar| (bar.from_ms, bar.to_ms, bar.tone)).collect();
        assert_eq!(times, [(1, 9, Tone::Bad), (20, 30, Tone::Working)]);
        assert_eq!(took(&told, Some(2)), "18ms, 2 calls");
    }
}
