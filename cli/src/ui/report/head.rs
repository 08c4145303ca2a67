//! The top of the page: which link, in what state, what that means, what comes next.

use super::Facts;
use crate::exit::Exit;
use crate::place::flag_of;
use crate::sagas::{exit_of, state_name};
use crate::shell::word;
use crate::ui::picture::Tone;
use crate::ui::result::problems;
use crate::ui::words::{count, span, time_s};
use escrr_engine::{Direction, Entry, Event, NodeState, Phase};
use maud::{Markup, html};

impl Facts<'_> {
    pub(super) fn head(&self) -> Markup {
        let saga = self.saga;
        let exit = exit_of(saga);
        let took = span(saga.updated_ms.saturating_sub(saga.created_ms));
        html! {
            header {
                p.kicker { "Cross-region replication, report of one saga" }
                h1 { (saga.link) " " span.pill.(tone(saga.phase()).class()) { (state_name(saga, self.at_work).replace('_', " ")) } }
                p.lead { (self.sentence()) }
                dl.facts {
                    div { dt { "Saga" } dd { code { (saga.id) } } }
                    div { dt { "World" } dd { (saga.world) } }
                    div { dt { "Begun" } dd { (time_s(saga.created_ms)) } }
                    div { dt { "Last entry" } dd { (time_s(saga.updated_ms)) " (" (took) " later)" } }
                    div { dt { "Begun by version" } dd { (self.program()) } }
                    @if saga.outcome.is_some() || saga.stopped() {
                        div { dt { "Exit code" } dd { (exit.code()) ", " (exit.class()) ": " (meaning(exit)) } }
                    }
                    div.full { dt { "Next" } dd { (self.next_step()) } }
                }
            }
            @for problem in problems(saga, self.catalog.about()) {
                div.problem role="note" {
                    p { strong { "error[" (problem.code.id) "]" } " " (problem.said) }
                    dl {
                        @if let Some(tried) = &problem.tried { dt { "tried" } dd { (tried) } }
                        @if let Some(id) = &problem.request_id { dt { "request id" } dd { code { (id) } } }
                        @if let Some(meaning) = &problem.meaning { dt { "meaning" } dd { (meaning) } }
                        @for hint in &problem.hints { dt { "hint" } dd { (hint) } }
                    }
                }
            }
        }
    }

    fn sentence(&self) -> String {
        let nodes = &self.saga.nodes;
        let number = |test: fn(&NodeState) -> bool| nodes.iter().filter(|node| test(node)).count();
        let (done, left) = (number(NodeState::satisfied), number(NodeState::may_have_made));
        let far = format!("{done} of {} nodes are as wanted", nodes.len());
        match self.saga.phase() {
            Phase::Succeeded => "The link is set up and verified.".to_owned(),
            Phase::Failed => format!("It stopped: a node failed. {far}; what was made is kept."),
            Phase::Parked => format!("It waits for a person. {far}; what was made is kept."),
            Phase::Running if self.at_work => format!("It is being set up: {far}."),
            Phase::Running => format!("It was interrupted and is saved: {far}."),
            Phase::HistoryIncomplete => {
                "Its history is incomplete: what it created is not known.".to_owned()
            }
            Phase::RolledBack => "Everything that the saga made is taken back.".to_owned(),
            Phase::RollbackStuck => {
                format!("The rollback needs a person: {} may be left.", things(left))
            }
            Phase::RollingBack if self.at_work => {
                format!("It is being taken back: {} left.", things(left))
            }
            Phase::RollingBack => {
                format!("The rollback was interrupted and is saved: {} left.", things(left))
            }
        }
    }

    fn program(&self) -> String {
        match self.entries.first() {
            Some(Entry { event: Event::Created { program, .. }, .. }) if !program.is_empty() => {
                program.clone()
            }
            Some(_) | None => "not said".to_owned(),
        }
    }

    fn next_step(&self) -> Markup {
        let saga = self.saga;
        html! {
            @match self.next {
                _ if self.at_work => { code { "escrr status " (word(&saga.link)) " --watch" } " (a process is at it)" }
                Some(command) => { code { (command) } }
                None => "nothing has to be done"
            }
            @if saga.direction == Direction::Forward && !self.at_work && saga.lost.is_none() {
                "; " code { "escrr rollback " (word(&saga.link)) (flag_of(saga)) } " takes back what was made"
            }
        }
    }
}

fn things(number: usize) -> String {
    format!("things of {}", count(number, "node"))
}

const fn tone(phase: Phase) -> Tone {
    match phase {
        Phase::Succeeded => Tone::Made,
        Phase::Failed | Phase::RollbackStuck | Phase::HistoryIncomplete => Tone::Bad,
        Phase::Parked => Tone::Parked,
        Phase::Running | Phase::RollingBack => Tone::Working,
        Phase::RolledBack => Tone::Undone,
    }
}

/// What the end of a saga means to whoever reads only the code.
const fn meaning(exit: Exit) -> &'static str {
    match exit {
        Exit::Done => "nothing is left to do",
        Exit::Failed => "it failed; what was made is kept, and it can be resumed",
        Exit::Usage => "the command line or the spec is wrong",
        Exit::Changes => "there are changes to make",
        Exit::Permission => "credentials or permissions are missing, wrong or expired",
        Exit::Blocked => "a prerequisite does not hold",
        Exit::Parked => "a person has to act first",
        Exit::InUse => "another process is at it",
        Exit::LeftBehind => "the rollback is incomplete: something is left",
        Exit::Verification => "the replicated data is not as it should be",
        Exit::StoreDamaged => "the store is damaged",
        Exit::Interrupted | Exit::Terminated => "interrupted and saved; it can be resumed",
    }
}
