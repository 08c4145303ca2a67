//! What was checked, and what was made: what a rollback does with it, did with it, or leaves.

use super::{Facts, anchor};
use crate::ui::picture::{Tone, word};
use crate::ui::result::{figures, found, made};
use crate::ui::words::{count, ids};
use escrr_engine::{About, Direction, NodeState, Origin, Reverse};
use maud::{Markup, html};

impl Facts<'_> {
    fn rows(&self) -> impl Iterator<Item = (&About, &NodeState)> {
        self.catalog.about().iter().enumerate().map(|(at, about)| (about, self.saga.node(at)))
    }

    /// The gates, and the figures of what was measured.
    pub(super) fn checks(&self) -> Markup {
        let measured: Vec<String> = self
            .rows()
            .filter_map(|(about, state)| Some(figures(about, state.output()?)))
            .flatten()
            .collect();
        html! {
            @if measured.is_empty() { p.note { "Nothing has been verified yet, or it is taken back." } }
            @else { pre.figures tabindex="0" { (measured.join("\n")) } }
            @if self.saga.direction == Direction::Backward {
                p.note { "What was checked and measured before the rollback." }
            }
            ul.checks {
                @for (about, state) in self.rows().filter(|(about, _)| !about.acts()) {
                    li {
                        span.dot.(Tone::of(state).class()) {} " "
                        a href=(format!("#{}", anchor(&about.id.to_string()))) { (about.id.to_string()) }
                        " " span.note { (word(state)) ": " (about.title) }
                    }
                }
            }
        }
    }

    /// Every node that makes something, in the order in which a rollback takes it back.
    pub(super) fn inventory(&self) -> Markup {
        let outputs = self.outputs();
        let rows: Vec<_> = self
            .rows()
            .filter(|(about, state)| {
                about.acts() && !matches!(state, NodeState::Idle { earlier: None })
            })
            .collect();
        html! {
            p { (self.totals()) }
            @if rows.is_empty() { p.note { "Nothing was begun that makes anything." } }
            @else {
                div.wide tabindex="0" role="group" aria-label="Inventory" { table {
                    thead { tr { th { "Node" } th { "State" } th { "Id" } th { "Rollback, newest first" } } }
                    tbody {
                        @for (about, state) in rows.into_iter().rev() {
                            @let id = about.id.to_string();
                            tr {
                                td { a href=(format!("#{}", anchor(&id))) { (id) } }
                                td { span.dot.(Tone::of(state).class()) {} " " (word(state)) }
                                td { code { (outputs.get(id.as_str()).map(|output| ids(output)).unwrap_or_default()) } }
                                td { (fate(about, state)) @if let Some(cost) = cost(about, state) { br; span.note { "costs: " (cost) } } }
                            }
                        }
                    }
                } }
            }
        }
    }

    fn totals(&self) -> String {
        let number =
            |test: fn(&NodeState) -> bool| self.saga.nodes.iter().filter(|node| test(node)).count();
        let back = number(|state| matches!(state, NodeState::Undone { kept: None, .. }));
        let stays = number(|state| matches!(state, NodeState::Undone { kept: Some(_), .. }));
        let mut parts = vec![
            format!("{} made something that is there", count(made(self.saga), "node")),
            format!("{} found there what they wanted", found(self.saga)),
        ];
        if back > 0 {
            parts.push(format!("{back} taken back"));
        }
        if stays > 0 {
            parts.push(format!("{stays} left in place"));
        }
        format!("{}.", parts.join(", "))
    }
}

/// What becomes, or became, of what a node made.
fn fate(about: &About, state: &NodeState) -> String {
    let does = || about.rollback().unwrap_or_default();
    let would = || match about.reverse {
        Some(Reverse::Undo(_)) => format!("would: {}", does()),
        Some(Reverse::Keep(_)) | None => does(),
    };
    match state {
        NodeState::Done { origin: Origin::Made, .. } => would(),
        NodeState::Done { origin: Origin::Found, intent: None, .. } => {
            "not touched: it was there before".to_owned()
        }
        NodeState::Done { origin: Origin::Found, .. } => {
            format!("something may have come of an earlier intent; {}", would())
        }
        NodeState::Done { origin: Origin::Checked | Origin::Unneeded, .. } => {
            "nothing: this link does not need it".to_owned()
        }
        NodeState::Intended(_) => format!("announced, so it may be there; {}", would()),
        NodeState::Failed { intent: Some(_), .. }
        | NodeState::Parked { intent: Some(_), .. }
        | NodeState::Idle { earlier: Some(_) } => {
            format!("something may have come of it; {}", would())
        }
        NodeState::Failed { intent: None, .. }
        | NodeState::Parked { intent: None, .. }
        | NodeState::Idle { earlier: None } => "nothing was announced, nothing is there".to_owned(),
        NodeState::Skipped => "not touched: skipped by a person".to_owned(),
        NodeState::Undoing { .. } => format!("being taken back: {}", does()),
        NodeState::Undone { kept: Some(why), .. } => format!("stays: {why}"),
        NodeState::Undone { kept: None, .. } => match about.leaves {
            Some(leaves) => format!("taken back; stays: {leaves}"),
            None => "taken back".to_owned(),
        },
        NodeState::Stuck { stop, .. } => format!("left behind: {}", stop.report),
    }
}

/// What costs for as long as it is there.
fn cost(about: &About, state: &NodeState) -> Option<&'static str> {
    about.cost.filter(|_| state.may_have_made())
}
