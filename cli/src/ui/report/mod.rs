//! One page over a saga, for people: nothing from elsewhere, no script, every text escaped.

mod head;
mod inventory;
mod nodes;
mod timeline;
mod topology;

use super::graph::Graph;
use super::picture;
use super::printable::printable;
use super::told::Teller;
use super::words::{one_line, time_s};
use escrr_engine::{Catalog, Entry, Event, Saga};
use escrr_steps::World;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use serde_json::Value;
use std::collections::BTreeMap;

/// The page's own style sheet, beside the tones.
const STYLE: &str = include_str!("page.css");
/// A page that is opened runs nothing and asks nobody, whatever came to stand in it.
const POLICY: &str =
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

/// What a page is made of.
pub struct Facts<'a> {
    /// The saga.
    pub saga: &'a Saga,
    /// Its nodes.
    pub catalog: &'a Catalog<World>,
    /// Its journal.
    pub entries: &'a [Entry],
    /// Is a process at it?
    pub at_work: bool,
    /// The command that comes next, if one does.
    pub next: Option<&'a str>,
    /// When the page is made, in milliseconds since the Unix epoch.
    pub written_ms: u64,
}

impl Facts<'_> {
    /// The page.
    pub fn page(&self) -> String {
        let link = one_line(&self.saga.link);
        let page = html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    meta http-equiv="Content-Security-Policy" content=(POLICY);
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    meta name="color-scheme" content="light dark";
                    meta name="referrer" content="no-referrer";
                    title { (link) " – escrr report" }
                    style { (PreEscaped(picture::STYLE)) (PreEscaped(STYLE)) }
                }
                body { main { (self.body()) } }
            }
        };
        printable(&page.into_string()).into_owned()
    }

    fn body(&self) -> Markup {
        html! {
            (self.head())
            (contents())
            section #topology { h2 { "Topology" } (self.topology()) }
            section #timeline { h2 { "Timeline" } (self.timeline()) }
            section #checks { h2 { "Checks and verification" } (self.checks()) }
            section #inventory { h2 { "Inventory and undo" } (self.inventory()) }
            section #nodes { h2 { "Nodes and evidence" } (self.nodes()) }
            section #graph {
                h2 { "Graph" }
                p.note { "What needs what; needs that follow from others are not drawn." }
                div.wide tabindex="0" role="group" aria-label="Graph" {
                    (Graph::new(self.catalog, Some((self.saga, self.at_work)), &self.saga.link).embedded())
                }
                (picture::legend())
            }
            section #journal { h2 { "Journal" } (self.journal()) }
            footer {
                "Made by escrr " (env!("CARGO_PKG_VERSION")) " at " (time_s(self.written_ms))
                " from " (self.saga.version) " journal entries. "
                "The page stands alone: it loads nothing and runs nothing."
            }
        }
    }

    /// Every entry, and the spec that the saga was begun with.
    fn journal(&self) -> Markup {
        let mut teller = Teller::default();
        let about = self.catalog.about();
        let lines: Vec<String> =
            self.entries.iter().map(|entry| teller.line(entry, about)).collect();
        html! {
            details {
                summary { (self.entries.len()) " entries" }
                pre tabindex="0" { (lines.join("\n")) }
            }
            details {
                summary { "The spec that it was begun with" }
                p.note { "SHA-256 " code { (self.saga.spec_digest) } "; secrets stand in it by reference only." }
                pre tabindex="0" { (self.saga.spec) }
            }
        }
    }

    /// What every node left when it was last done, also of those that were taken back.
    fn outputs(&self) -> BTreeMap<&str, &Value> {
        let mut outputs = BTreeMap::new();
        for entry in self.entries {
            if let Event::Completed { node, output, .. } = &entry.event {
                outputs.insert(node.as_str(), output);
            }
        }
        outputs
    }
}

fn contents() -> Markup {
    let parts = [
        ("topology", "Topology"),
        ("timeline", "Timeline"),
        ("checks", "Checks"),
        ("inventory", "Inventory and undo"),
        ("nodes", "Nodes"),
        ("graph", "Graph"),
        ("journal", "Journal"),
    ];
    html! {
        nav aria-label="Contents" {
            @for (id, name) in parts { a href=(format!("#{id}")) { (name) } }
        }
    }
}

/// Where a node stands on the page.
fn anchor(id: &str) -> String {
    format!("node-{id}")
}

#[cfg(test)]
mod tests;
