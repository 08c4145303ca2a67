//! Every node with its evidence, folded away by documented step.

use super::{Facts, anchor};
use crate::ui::document;
use crate::ui::picture::{Tone, word};
use crate::ui::result::heading;
use crate::ui::words::{ids, span, time};
use escrr_engine::{About, Event};
use escrr_steps::catalog::PHASES;
use maud::{Markup, html};
use serde_json::Value;

impl Facts<'_> {
    pub(super) fn nodes(&self) -> Markup {
        html! {
            @for (phase, _) in (0_u8..).zip(PHASES) {
                h3 { (heading(phase)) }
                @for (at, about) in self.catalog.about().iter().enumerate() {
                    @if about.phase == phase { (self.node(at, about)) }
                }
            }
        }
    }

    fn node(&self, at: usize, about: &About) -> Markup {
        let id = about.id.to_string();
        let state = self.saga.node(at);
        let outputs = self.outputs();
        let output = outputs.get(id.as_str()).copied();
        html! {
            details.node id=(anchor(&id)) {
                summary {
                    span.dot.(Tone::of(state).class()) {}
                    " " strong { (id) } " " span.word { (word(state)) }
                    " " code { (output.map(ids).unwrap_or_default()) }
                }
                p { (about.title) "." }
                dl { (self.particulars(at, about)) }
                (self.announced(&id))
                @if let Some(output) = output.filter(|output| !output.is_null()) {
                    p.note { "Output" @if state.output().is_none() { ", as it was when it was done" } }
                    pre tabindex="0" { (serde_json::to_string_pretty(output).unwrap_or_default()) }
                }
            }
        }
    }

    fn particulars(&self, at: usize, about: &About) -> Markup {
        let document = document::node(self.saga, at, about);
        let text =
            |name: &str| document.get(name).and_then(Value::as_str).unwrap_or("–").to_owned();
        let needs: Vec<String> = about.needs.iter().map(ToString::to_string).collect();
        let usual = span(u64::from(about.patience.usual_s) * 1000);
        let rollback = about.rollback();
        let stop = self.saga.node(at).stop();
        html! {
            dt { "started" } dd { (text("started")) }
            dt { "ended" } dd { (text("ended")) }
            dt { "calls" } dd { (self.saga.attempts.get(at).copied().unwrap_or_default()) }
            dt { "usually" } dd { (usual) ", by its author's estimate" }
            @if !needs.is_empty() {
                dt { "needs" }
                dd { @for need in &needs { a href=(format!("#{}", anchor(need))) { (need) } " " } }
            }
            dt { "rollback" } dd { (rollback.unwrap_or_else(|| "nothing to do: it only looks".to_owned())) }
            @if let Some(cost) = about.cost { dt { "costs" } dd { (cost) } }
            @if let Some(stop) = stop {
                dt { "stopped" } dd { (stop.report) }
                @if let Some(id) = &stop.report.request_id { dt { "request id" } dd { code { (id) } } }
                @if let Some(help) = &stop.report.help { dt { "help" } dd { (help) } }
            }
        }
    }

    /// What the journal says of a node before and after its calls, oldest first.
    fn announced(&self, id: &str) -> Markup {
        let of = self.entries.iter().filter(|entry| entry.event.node() == Some(id));
        let lines: Vec<String> = of
            .filter_map(|entry| {
                let at = time(entry.at_ms);
                match &entry.event {
                    Event::Intended { token, items, generation, .. } => {
                        let items: Vec<&str> =
                            items.iter().map(String::as_str).filter(|i| !i.is_empty()).collect();
                        let items = if items.is_empty() {
                            String::new()
                        } else {
                            format!(", {}", items.join(", "))
                        };
                        Some(format!(
                            "{at}  announced, generation {generation}, token {token}{items}"
                        ))
                    }
                    Event::UndoIntended { .. } => {
                        Some(format!("{at}  announced that it is taken back"))
                    }
                    Event::Failed { report, .. } => Some(format!("{at}  failed: {report}")),
                    Event::Parked { report, .. } => Some(format!("{at}  parked: {report}")),
                    Event::Stuck { report, .. } => Some(format!("{at}  stuck: {report}")),
                    Event::Decided { verb, reason, by, .. } => {
                        Some(format!("{at}  {} by {by}: {reason}", crate::ui::told::name(*verb)))
                    }
                    Event::Vanished { id, .. } => {
                        Some(format!("{at}  {id} does not exist any more"))
                    }
                    Event::Inherited { ids, .. } => {
                        Some(format!("{at}  now belongs to this link: {}", ids.join(", ")))
                    }
                    Event::Adopted { .. }
                    | Event::Created { .. }
                    | Event::Acknowledged { .. }
                    | Event::Completed { .. }
                    | Event::RollbackBegun { .. }
                    | Event::Undone { .. }
                    | Event::Resumed { .. }
                    | Event::Finished { .. }
                    | Event::Interrupted { .. }
                    | Event::HistoryLost { .. } => None,
                }
            })
            .collect();
        html! { @if !lines.is_empty() { pre tabindex="0" { (lines.join("\n")) } } }
    }
}
