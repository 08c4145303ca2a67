//! A live tree by documented step; never more than a dozen lines.

use super::board::{Board, View};
use crate::ui::frame::Frame;
use crate::ui::words::{ids, one_line, span};
use crate::ui::{result::heading, table};
use anstyle::{AnsiColor, Style};
use escrr_engine::{NodeState, Phase};
use escrr_steps::catalog::PHASES;
use std::io;

/// Never more lines than this.
const MOST_LINES: usize = 12;
/// Where a terminal does not say how wide it is.
const USUAL_COLUMNS: usize = 80;

const GOOD: Style = AnsiColor::Green.on_default();
const BAD: Style = AnsiColor::Red.on_default().bold();
const WAITS: Style = AnsiColor::Yellow.on_default();
const BOLD: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();

/// The signs of states; ASCII where the locale has nothing else.
#[derive(Clone, Copy, Debug)]
struct Glyphs {
    done: &'static str,
    bad: &'static str,
    ahead: &'static str,
    turning: &'static [&'static str],
}

const UNICODE: Glyphs =
    Glyphs {
        done: "✓", bad: "✗", ahead: "·", turning: &["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧"]
    };
const ASCII: Glyphs = Glyphs { done: "+", bad: "x", ahead: ".", turning: &["|", "/", "-", "\\"] };

/// A live tree.
pub struct Tree {
    frame: Frame,
    color: bool,
    glyphs: Glyphs,
    turn: usize,
    /// Columns, where they are not the terminal's own.
    columns: Option<usize>,
}

impl Tree {
    /// A tree on stderr.
    pub fn on_stderr(color: bool, unicode: bool) -> Self {
        Self::on(Frame::on_stderr(), color, unicode)
    }

    fn on(frame: Frame, color: bool, unicode: bool) -> Self {
        let glyphs = if unicode { UNICODE } else { ASCII };
        Self { frame, color, glyphs, turn: 0, columns: None }
    }

    /// Draws it anew over what was drawn before.
    pub fn draw(&mut self, board: &Board, now_ms: u64) {
        self.turn += 1;
        let lines = self.lines(board, now_ms, true);
        self.frame.put(&lines);
    }

    /// Draws it a last time, without what was going on.
    pub fn rest(&mut self, board: &Board, now_ms: u64) {
        let lines = self.lines(board, now_ms, false);
        self.frame.put(&lines);
        self.frame.rest();
    }

    /// Takes it away, so that something else can be written.
    pub fn clear(&mut self) {
        self.frame.put(&[]);
    }
}

/// One line, cut to the terminal before it is coloured.
#[derive(Default)]
struct Line(Vec<(Style, String)>);

impl Line {
    fn add(mut self, style: Style, text: impl AsRef<str>) -> Self {
        self.0.push((style, one_line(text.as_ref())));
        self
    }

    fn render(self, columns: usize, color: bool) -> String {
        // The last column stays free: some terminals break the line in it.
        let mut room = columns.saturating_sub(1);
        let mut text = Vec::new();
        for (style, part) in self.0 {
            let part = table::cut(&part, Some(room));
            room = room.saturating_sub(table::width(&part));
            text.push(if color { format!("{style}{part}{style:#}") } else { part });
            if room == 0 {
                break;
            }
        }
        text.concat()
    }
}

impl Tree {
    fn lines(&self, board: &Board, now_ms: u64, live: bool) -> Vec<String> {
        let columns = self.columns.unwrap_or_else(columns_of_stderr);
        let mut lines = Vec::new();
        if board.has_many() {
            lines.extend(board.views().map(|view| self.link_line(board, view, now_ms)));
            if lines.len() > MOST_LINES {
                let more = lines.len() - (MOST_LINES - 1);
                lines.truncate(MOST_LINES - 1);
                lines.push(Line::default().add(DIM, format!("  and {more} more links")));
            }
        } else {
            for view in board.views() {
                lines.extend(self.whole(board, view, now_ms, live));
            }
        }
        lines.into_iter().map(|line| line.render(columns, self.color)).collect()
    }

    /// One saga with its documented steps, and what is going on in them.
    fn whole(&self, board: &Board, view: &View, now_ms: u64, live: bool) -> Vec<Line> {
        let elapsed = span(now_ms.saturating_sub(view.begun_ms));
        let resume = format!("  Ctrl-C is safe: escrr resume{} goes on", board.flag);
        let resume = if live { resume } else { String::new() };
        let header = Line::default()
            .add(BOLD, &view.saga.link)
            .add(Style::new(), format!("  {elapsed}"))
            .add(DIM, resume);
        let mut lines = vec![header];
        let mut active = if live { view.active() } else { Vec::new() };
        active.truncate(MOST_LINES - 1 - PHASES.len());
        for phase in 0..PHASES.len() {
            let phase = u8::try_from(phase).unwrap_or_default();
            lines.push(self.phase_line(board, view, phase, now_ms));
            let under = active.iter().filter(|at| phase_of(board, **at) == Some(phase));
            lines.extend(under.map(|at| self.node_line(board, view, *at, now_ms)));
        }
        lines
    }

    fn phase_line(&self, board: &Board, view: &View, phase: u8, now_ms: u64) -> Line {
        let nodes: Vec<usize> =
            (0..board.about().len()).filter(|at| phase_of(board, *at) == Some(phase)).collect();
        let state = |at: &usize| view.saga.node(*at);
        let backward = view.saga.direction == escrr_engine::Direction::Backward;
        let done = nodes.iter().filter(|at| state(at).satisfied()).count();
        let left = nodes.iter().filter(|at| state(at).may_have_made()).count();
        let times = |all: &[Option<u64>]| -> Vec<u64> {
            nodes.iter().filter_map(|at| all.get(*at).copied().flatten()).collect()
        };
        let started = times(&view.saga.started_ms).into_iter().min();
        let finished = if backward { left == 0 } else { done == nodes.len() };
        let ended = times(&view.saga.changed_ms).into_iter().max().filter(|_| finished);
        let took = started.map(|s| span(ended.unwrap_or(now_ms).saturating_sub(s)));
        let bad = nodes.iter().any(|at| state(at).stop().is_some());
        let count = match (backward, left) {
            (true, 0) => "nothing left".to_owned(),
            (true, left) => format!("{left} left"),
            (false, _) => format!("{done} of {}", nodes.len()),
        };
        let (style, glyph) = match (bad, finished, started) {
            (true, _, _) => (BAD, self.glyphs.bad),
            (_, true, _) => (GOOD, self.glyphs.done),
            (_, _, None) => (DIM, self.glyphs.ahead),
            (_, _, Some(_)) => (WAITS, self.turning()),
        };
        let text = if started.is_none() { DIM } else { Style::new() };
        let took = took.filter(|_| !backward).unwrap_or_default();
        Line::default()
            .add(style, format!(" {glyph} "))
            .add(text, format!("{:<32}  {count:<12}  {took}", heading(phase)))
    }

    fn node_line(&self, board: &Board, view: &View, at: usize, now_ms: u64) -> Line {
        let Some(about) = board.about().get(at) else { return Line::default() };
        let state = view.saga.node(at);
        let doing = match state {
            NodeState::Undoing { .. } => "taking back ",
            NodeState::Idle { .. }
            | NodeState::Intended(_)
            | NodeState::Done { .. }
            | NodeState::Failed { .. }
            | NodeState::Parked { .. }
            | NodeState::Skipped
            | NodeState::Undone { .. }
            | NodeState::Stuck { .. } => "",
        };
        let since = span(now_ms.saturating_sub(view.since_ms(at)));
        let usual = span(board.history.usual_ms(at, about));
        let wait = view.waits.get(&at);
        let style = if wait.is_some_and(|w| w.overdue || w.attempt > 0) { WAITS } else { DIM };
        let what = state.output().map(ids).unwrap_or_default();
        let why = wait.map(|wait| wait.why.as_str()).unwrap_or_default();
        Line::default()
            .add(WAITS, format!("     {} ", self.turning()))
            .add(Style::new(), format!("{:<27} ", about.id.to_string()))
            .add(Style::new(), format!("{doing}{since} of ~{usual}  "))
            .add(style, format!("{what} {why}").trim())
    }

    /// One saga of several in one line.
    fn link_line(&self, board: &Board, view: &View, now_ms: u64) -> Line {
        let saga = &view.saga;
        let (style, glyph) = match saga.phase() {
            Phase::Succeeded | Phase::RolledBack => (GOOD, self.glyphs.done),
            Phase::Failed | Phase::Parked | Phase::RollbackStuck | Phase::HistoryIncomplete => {
                (BAD, self.glyphs.bad)
            }
            Phase::Running | Phase::RollingBack => (WAITS, self.turning()),
        };
        let done = saga.nodes.iter().filter(|node| node.satisfied()).count();
        let now = view.active().first().copied();
        let (at, why) = now.map_or((String::new(), ""), |at| {
            let name = board.about().get(at).map(|about| about.id.to_string());
            let why = view.waits.get(&at).map(|wait| wait.why.as_str());
            (name.unwrap_or_default(), why.unwrap_or_default())
        });
        let rests = saga.outcome.is_some();
        let end_ms = if rests { saga.updated_ms } else { now_ms };
        let elapsed = span(end_ms.saturating_sub(view.begun_ms));
        Line::default()
            .add(style, format!(" {glyph} "))
            .add(BOLD, format!("{:<24} ", saga.link))
            .add(Style::new(), format!("{done:>3} of {}  {elapsed:>6}  {at} ", saga.nodes.len()))
            .add(DIM, why)
    }

    fn turning(&self) -> &'static str {
        let turn = self.turn.checked_rem(self.glyphs.turning.len()).unwrap_or_default();
        self.glyphs.turning.get(turn).copied().unwrap_or_default()
    }
}

/// Asked for each frame: terminals change their size.
fn columns_of_stderr() -> usize {
    let size = rustix::termios::tcgetwinsize(io::stderr());
    let columns = size.ok().map(|size| usize::from(size.ws_col)).filter(|columns| *columns > 0);
    columns.unwrap_or(USUAL_COLUMNS)
}

fn phase_of(board: &Board, at: usize) -> Option<u8> {
    board.about().get(at).map(|about| about.phase)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::progress::board::tests::{at_work, waiting};

    fn tree() -> Tree {
        let mut tree = Tree::on(Frame::on(Box::new(io::sink())), false, true);
        tree.columns = Some(80);
        tree
    }

    #[test]
    fn one_saga_fills_a_dozen_lines_at_most_and_no_line_breaks() {
        let mut board = at_work(&["shanghai-hangzhou"]);
        for node in ["network.cen", "leader.vswitches", "follower.load_balancer"] {
            waiting(&mut board, node, &"it is Creating ".repeat(20));
        }
        let lines = tree().lines(&board, 95_000, true);
        assert!(lines.len() <= MOST_LINES, "{lines:#?}");
        assert!(lines.iter().all(|line| table::width(line) < 80), "{lines:#?}");
        assert!(lines[0].starts_with("shanghai-hangzhou  1m34s"), "{lines:#?}");
        assert!(lines[2].contains("1 Connect the VPCs") && lines[2].contains("0 of 20"));
        assert!(lines[3].contains("network.cen") && lines[3].contains("it is Creating"));
        let rest = tree().lines(&board, 95_000, false);
        assert_eq!(rest.len(), 1 + PHASES.len());
    }

    #[test]
    fn many_sagas_get_a_line_each_as_long_as_there_is_room() {
        let names: Vec<String> = (0..20).map(|n| format!("link-{n:02}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let board = at_work(&names);
        let lines = tree().lines(&board, 95_000, true);
        assert_eq!(lines.len(), MOST_LINES);
        let of_all = format!("of {}", board.about().len());
        assert!(lines[0].contains("link-00") && lines[0].contains(&of_all), "{lines:#?}");
        assert!(lines[11].contains("9 more"), "{lines:#?}");
    }
}
