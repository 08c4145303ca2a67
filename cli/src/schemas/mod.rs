//! JSON schemas (draft 7) of what programs read: the lines of `--output ndjson` and the document of
//! `--output json`. A new field is added here, and is no new format; tests hold what is printed
//! against them.

/// One line of `--output ndjson`, and of `escrr events`.
pub const EVENTS: &str = include_str!("events.schema.json");
/// The document of `--output json`.
pub const DOCUMENT: &str = include_str!("document.schema.json");

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exit::Exit;
    use crate::ui::document::{DOCUMENT_SCHEMA, EVENTS_SCHEMA};
    use escrr_engine::Event;
    use serde_json::Value;
    use std::collections::BTreeSet;

    /// Every kind of entry by its name in the stream; a new one does not compile without a line.
    fn name(event: &Event) -> &'static str {
        match event {
            Event::Created { .. } => "created",
            Event::Intended { .. } => "intended",
            Event::Completed { .. } => "completed",
            Event::Failed { .. } => "failed",
            Event::Parked { .. } => "parked",
            Event::RollbackBegun { .. } => "rollback_begun",
            Event::UndoIntended { .. } => "undo_intended",
            Event::Undone { .. } => "undone",
            Event::Stuck { .. } => "stuck",
            Event::Resumed { .. } => "resumed",
            Event::Decided { .. } => "decided",
            Event::Finished { .. } => "finished",
            Event::Interrupted { .. } => "interrupted",
            Event::Acknowledged { .. } => "acknowledged",
            Event::Vanished { .. } => "vanished",
            Event::Inherited { .. } => "inherited",
            Event::Adopted { .. } => "adopted",
            Event::HistoryLost { .. } => "history_lost",
        }
    }

    #[test]
    fn every_kind_of_entry_is_described() {
        let schema: Value = serde_json::from_str(EVENTS).unwrap();
        let definitions = schema["definitions"].as_object().unwrap();
        let described: BTreeSet<&str> = definitions
            .values()
            .filter_map(|of| of.pointer("/properties/type/const")?.as_str())
            .collect();
        let event = Event::UndoIntended { node: "network.cen".into(), items: Vec::new() };
        assert!(described.contains(name(&event)));
        let line = serde_json::to_value(&event).unwrap();
        assert_eq!(line["type"], name(&event));
        let source = include_str!("mod.rs");
        let named = source.lines().filter_map(|line| line.trim().strip_prefix("Event::"));
        let named: BTreeSet<&str> =
            named.filter_map(|line| line.split('"').nth(1)).chain(["version"]).collect();
        assert_eq!(described, named);
        let version = schema.pointer("/definitions/version/properties/schema/const");
        assert_eq!(version.and_then(Value::as_str), Some(EVENTS_SCHEMA));
    }

    #[test]
    fn every_exit_code_is_described() {
        let schema: Value = serde_json::from_str(DOCUMENT).unwrap();
        for of in ["saga", "sagas", "error"] {
            let at = |key: &str| &schema["definitions"][of]["properties"][key]["enum"];
            let mut codes: Vec<Value> = Exit::ALL.iter().map(|exit| exit.code().into()).collect();
            let mut classes: Vec<&str> = Exit::ALL.iter().map(|exit| exit.class()).collect();
            classes.dedup();
            if of == "saga" {
                // While a process carries it on.
                codes.push(Value::Null);
                classes.push("running");
            }
            assert_eq!((at("exit_code"), at("class")), (&codes.into(), &classes.into()), "{of}");
        }
        let format = schema.pointer("/definitions/envelope/properties/schema/const");
        assert_eq!(format.and_then(Value::as_str), Some(DOCUMENT_SCHEMA));
    }
}
