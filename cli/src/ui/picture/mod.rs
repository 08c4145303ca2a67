//! What pictures share: the tone of a state, one style sheet, and boxes with text in them.

use crate::ui::result::origin_name;
use crate::ui::table;
use crate::ui::words::one_line;
use escrr_engine::{NodeState, Origin};
use maud::{Markup, html};

/// Colours of the tones, in light and in dark, for pictures and for pages.
pub const STYLE: &str = include_str!("tones.css");

/// How a node looks wherever it is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tone {
    /// Its turn has not come.
    Ahead,
    /// It is being made or taken back.
    Working,
    /// The saga made it.
    Made,
    /// It was there, or it only looks and is satisfied.
    Held,
    /// This link does not need it, or a person said to go on without it.
    Aside,
    /// It failed, or it could not be taken back.
    Bad,
    /// It waits for a person.
    Parked,
    /// It was taken back.
    Undone,
}

impl Tone {
    /// Every tone, in the order of a legend.
    pub const ALL: [Self; 8] = [
        Self::Ahead,
        Self::Working,
        Self::Made,
        Self::Held,
        Self::Aside,
        Self::Bad,
        Self::Parked,
        Self::Undone,
    ];

    /// The tone of a state.
    pub fn of(state: &NodeState) -> Self {
        match state {
            NodeState::Idle { .. } => Self::Ahead,
            NodeState::Intended(_) | NodeState::Undoing { .. } => Self::Working,
            NodeState::Done { origin: Origin::Made, .. } => Self::Made,
            NodeState::Done { origin: Origin::Found | Origin::Checked, .. } => Self::Held,
            NodeState::Done { origin: Origin::Unneeded, .. } | NodeState::Skipped => Self::Aside,
            NodeState::Failed { .. } | NodeState::Stuck { .. } => Self::Bad,
            NodeState::Parked { .. } => Self::Parked,
            NodeState::Undone { .. } => Self::Undone,
        }
    }

    /// The name in style sheets and in graphs.
    pub const fn class(self) -> &'static str {
        match self {
            Self::Ahead => "ahead",
            Self::Working => "working",
            Self::Made => "made",
            Self::Held => "held",
            Self::Aside => "aside",
            Self::Bad => "bad",
            Self::Parked => "parked",
            Self::Undone => "undone",
        }
    }

    /// What a legend says.
    pub const fn said(self) -> &'static str {
        match self {
            Self::Ahead => "not begun",
            Self::Working => "under way",
            Self::Made => "made",
            Self::Held => "found or checked",
            Self::Aside => "not needed or skipped",
            Self::Bad => "failed or stuck",
            Self::Parked => "waits for a person",
            Self::Undone => "taken back",
        }
    }

    /// Fill and line for formats without a style sheet; the same as in light pictures.
    pub const fn colors(self) -> (&'static str, &'static str) {
        match self {
            Self::Ahead => ("#f4f5f7", "#8a929e"),
            Self::Working => ("#dbeafe", "#2563eb"),
            Self::Made => ("#d8f3df", "#1a7f37"),
            Self::Held => ("#d9f2f0", "#0f766e"),
            Self::Aside => ("#ffffff", "#a3a9b3"),
            Self::Bad => ("#fde0dd", "#c62828"),
            Self::Parked => ("#fdf0cd", "#9a6700"),
            Self::Undone => ("#ece6f6", "#6f4cb3"),
        }
    }
}

/// A state in one word; a node that is done says who made it.
pub fn word(state: &NodeState) -> &'static str {
    match state {
        NodeState::Done { origin, .. } => origin_name(*origin),
        NodeState::Undone { kept: Some(_), .. } => "stays",
        NodeState::Undone { kept: None, .. } => "taken back",
        NodeState::Idle { .. }
        | NodeState::Intended(_)
        | NodeState::Failed { .. }
        | NodeState::Parked { .. }
        | NodeState::Skipped
        | NodeState::Undoing { .. }
        | NodeState::Stuck { .. } => state.name(),
    }
}

/// Where a box lies in a picture, in the picture's own units.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Area {
    /// From the left.
    pub x: usize,
    /// From the top.
    pub y: usize,
    /// Width.
    pub w: usize,
    /// Height.
    pub h: usize,
}

/// A text cut to a width, with three quarters of the letters' height as their width.
pub fn fit(text: &str, width: usize, size: usize) -> String {
    let letters = (width * 5).checked_div(size * 3).unwrap_or(0);
    table::cut(&one_line(text), Some(letters))
}

/// What the tones mean, as a list.
pub fn legend() -> Markup {
    html! {
        ul.legend {
            @for tone in Tone::ALL {
                li { span.dot.(tone.class()) {} " " (tone.said()) }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_tone_has_a_name_of_its_own_and_colours_in_both_schemes() {
        let mut names: Vec<&str> = Tone::ALL.iter().map(|tone| tone.class()).collect();
        for name in &names {
            let rule = format!(".{name} {{");
            assert_eq!(STYLE.matches(&rule).count(), 2, "{name}: one in light, one in dark");
        }
        for tone in Tone::ALL {
            let (fill, line) = tone.colors();
            let rule = format!(".{} {{ --fill: {fill}; --line: {line}; }}", tone.class());
            assert!(STYLE.contains(&rule), "{rule}");
        }
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), Tone::ALL.len());
    }

    #[test]
    fn a_text_is_cut_to_its_box() {
        assert_eq!(fit("cen-1", 100, 12), "cen-1");
        assert_eq!(fit("abcdefghijkl", 60, 10), "abcdefghi…");
        assert_eq!(fit("a\u{1b}b", 60, 10), "a\\u{1b}b");
    }
}
