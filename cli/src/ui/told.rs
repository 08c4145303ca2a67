//! A journal's entries in words.

use super::words::{ids, span, time_s};
use crate::actor;
use escrr_engine::{About, Entry, Event, Origin, Outcome, Verb};
use std::collections::BTreeMap;

/// What an entry says. `begun_ms` is when its node was first mentioned.
pub fn told(event: &Event, about: Option<&About>, begun_ms: Option<u64>, at_ms: u64) -> String {
    match event {
        Event::Created { actor, .. } => match &actor.user {
            Some(user) => format!("begun by {user}{}", actor::told(actor)),
            None => "begun".to_owned(),
        },
        Event::Intended { items, .. } => intended(items, about),
        Event::Completed { origin: Origin::Made, output, .. } => {
            let took = span(at_ms.saturating_sub(begun_ms.unwrap_or(at_ms)));
            format!("made{} in {took}", named(&ids(output)))
        }
        Event::Completed { origin: Origin::Found, output, .. } => {
            format!("found{}", named(&ids(output)))
        }
        Event::Completed { origin: Origin::Checked, .. } => "holds".to_owned(),
        Event::Completed { origin: Origin::Unneeded, .. } => "not needed".to_owned(),
        Event::Failed { report, .. } => format!("failed: {report}"),
        Event::Parked { report, .. } => format!("parked: {report}"),
        Event::RollbackBegun { by, actor } => {
            format!("rollback begun by {by}{}", actor::told(actor))
        }
        Event::UndoIntended { items, .. } => taking_back(items),
        Event::Undone { kept: Some(why), .. } => format!("stays: {why}"),
        Event::Undone { kept: None, .. } => "taken back".to_owned(),
        Event::Stuck { report, .. } => format!("stuck: {report}"),
        Event::Resumed { by, actor } => format!("resumed by {by}{}", actor::told(actor)),
        Event::Decided { verb, reason, by, actor, .. } => {
            format!("{} by {by}{}: {reason}", name(*verb), actor::told(actor))
        }
        Event::Acknowledged { item, id, .. } if item.is_empty() => {
            format!("creation of {id} acknowledged")
        }
        Event::Acknowledged { item, id, .. } => format!("creation of {id} acknowledged ({item})"),
        Event::Inherited { ids, .. } => format!("now belongs to this link: {}", ids.join(", ")),
        Event::Adopted { by, ids, .. } => format!("adopted by {by}: {}", ids.join(", ")),
        Event::Vanished { id, .. } => format!("{id} does not exist any more"),
        Event::Finished { outcome: Outcome::Succeeded } => "set up and verified".to_owned(),
        Event::Finished { outcome: Outcome::RolledBack } => "all taken back".to_owned(),
        Event::Interrupted { by, .. } => format!("interrupted by {by}"),
        Event::HistoryLost { reason, .. } => format!("the history is incomplete: {reason}"),
    }
}

/// An item of an undo begins with the name of what is taken back.
fn taking_back(items: &[String]) -> String {
    let names: Vec<&str> = items.iter().filter_map(|item| item.split(' ').next()).collect();
    format!("taking back {}", names.join(", ")).trim_end().to_owned()
}

fn intended(items: &[String], about: Option<&About>) -> String {
    let parts: Vec<&str> = items.iter().map(String::as_str).filter(|i| !i.is_empty()).collect();
    let what = match parts.as_slice() {
        [] => String::new(),
        [one] => format!(" {one}"),
        many => format!(" {} parts", many.len()),
    };
    let usual = about.map_or(0, |about| u64::from(about.patience.usual_s) * 1000);
    format!("making{what} (usually {})", span(usual))
}

fn named(ids: &str) -> String {
    if ids.is_empty() { String::new() } else { format!(" {ids}") }
}

/// An operator's verb as it is typed.
pub const fn name(verb: Verb) -> &'static str {
    match verb {
        Verb::Retry => "retry",
        Verb::Skip => "skip",
        Verb::MarkDone => "mark-done",
    }
}

/// Tells a journal entry by entry.
#[derive(Debug, Default)]
pub struct Teller {
    begun_ms: BTreeMap<String, u64>,
}

impl Teller {
    /// One line an entry: when, which node, what.
    pub fn line(&mut self, entry: &Entry, about: &[About]) -> String {
        let node = entry.event.node().unwrap_or_default();
        let begun_ms = *self.begun_ms.entry(node.to_owned()).or_insert(entry.at_ms);
        let about = about.iter().find(|about| about.id.to_string() == node);
        let text = told(&entry.event, about, Some(begun_ms), entry.at_ms);
        let text = super::words::one_line(&text);
        format!("{:>4}  {}  {node:<28}  {text}", entry.version, time_s(entry.at_ms))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_one_line_with_what_it_took() {
        let node = || "network.cen".to_owned();
        let intended = Event::Intended {
            node: node(),
            generation: 1,
            token: "t".into(),
            items: vec![String::new()],
        };
        let output = serde_json::json!({"cen": "cen-1"});
        let completed =
            Event::Completed { node: node(), origin: Origin::Made, output, attempts: 1 };
        let catalog = escrr_steps::catalog::catalog().unwrap();
        let mut teller = Teller::default();
        let mut line = |version, at_ms, event| {
            let entry = Entry { version, at_ms, previous: String::new(), event };
            teller.line(&entry, catalog.about())
        };
        assert!(
            line(1, 1_000, intended).ends_with("network.cen                   making (usually 5s)")
        );
        assert!(line(2, 63_000, completed).ends_with("made cen-1 in 1m02s"));
    }
}
