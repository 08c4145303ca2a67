//! A saga as JSON: the document at the end, and the lines of its journal.

use super::result;
use super::words::time;
use crate::exit::Exit;
use crate::sagas::state_name;
use escrr_engine::{About, Direction, Entry, NodeState, Saga};
use serde::Serialize;
use serde_json::{Map, Value, json};

/// The format of `--output ndjson` and of `escrr events`; a new field is no new number.
pub const EVENTS_SCHEMA: &str = "escrr.events/1";
/// The format of every document of `--output json`; a new field is no new number.
pub const DOCUMENT_SCHEMA: &str = "escrr.document/1";

/// The line that every stream of events begins with.
#[derive(Debug, Serialize)]
pub struct VersionLine {
    r#type: &'static str,
    schema: &'static str,
}

/// The line that every stream of events begins with.
pub const VERSION_LINE: VersionLine = VersionLine { r#type: "version", schema: EVENTS_SCHEMA };

/// One entry of a journal as it stands in a stream: the same while it happens and afterwards.
#[derive(Debug, Serialize)]
pub struct EventLine<'a> {
    seq: u64,
    time: String,
    at_ms: u64,
    saga: &'a str,
    link: &'a str,
    r#type: Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    node: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    phase: Option<u8>,
    /// The entry's own fields, beside those above.
    #[serde(flatten)]
    more: Map<String, Value>,
}

/// One entry of a journal as a line.
pub fn event_line<'a>(
    saga: &'a str,
    link: &'a str,
    about: &[About],
    entry: &'a Entry,
) -> EventLine<'a> {
    // An event serialises into an object; anything else would be empty, never wrong.
    let mut more = match serde_json::to_value(&entry.event) {
        Ok(Value::Object(fields)) => fields,
        Ok(_) | Err(_) => Map::new(),
    };
    let node = entry.event.node();
    let kind = more.remove("type").unwrap_or_default();
    more.remove("node");
    more.remove("link");
    EventLine {
        seq: entry.version,
        time: time(entry.at_ms),
        at_ms: entry.at_ms,
        saga,
        link,
        r#type: kind,
        node,
        phase: about.iter().find(|a| node.is_some_and(|n| a.id.to_string() == n)).map(|a| a.phase),
        more,
    }
}

/// What a document says of a saga beside what its journal holds.
#[derive(Debug, Default)]
pub struct Standing<'a> {
    /// What ended it; none while it is carried on.
    pub exit: Option<Exit>,
    /// Is a process at it?
    pub at_work: bool,
    /// The command that comes next.
    pub next_command: Option<&'a str>,
    /// What is wrong, where something is.
    pub error: Option<Value>,
}

/// The document of a saga.
pub fn saga(saga: &Saga, about: &[About], standing: &Standing<'_>) -> Value {
    let Standing { exit, at_work, next_command, error } = standing;
    let nodes: Vec<Value> =
        about.iter().enumerate().map(|(at, about)| node(saga, at, about)).collect();
    let mut document = json!({
        "saga": saga.id,
        "link": saga.link,
        "world": saga.world,
        "world_id": saga.world_id,
        "state": state_name(saga, *at_work),
        "exit_code": exit.map(Exit::code),
        "class": exit.map_or("running", Exit::class),
        "resumable": next_command.is_some() && !at_work,
        "next_command": next_command,
        "error": error,
        "cause": result::cause(saga, about).map(|cause| cause.described()),
        "started": time(saga.created_ms),
        "updated": time(saga.updated_ms),
        "nodes": nodes,
    });
    if let (Direction::Backward, Some(fields)) = (saga.direction, document.as_object_mut()) {
        fields.insert("indices".into(), json!(super::fates::of_saga(saga, about)));
    }
    document
}

/// One node of a saga.
pub fn node(saga: &Saga, at: usize, about: &About) -> Value {
    let state = saga.node(at);
    let at_rest = match state {
        NodeState::Idle { .. } | NodeState::Intended(_) | NodeState::Undoing { .. } => false,
        NodeState::Done { .. }
        | NodeState::Failed { .. }
        | NodeState::Parked { .. }
        | NodeState::Skipped
        | NodeState::Undone { .. }
        | NodeState::Stuck { .. } => true,
    };
    let moment = |times: &[Option<u64>]| times.get(at).copied().flatten().map(time);
    let origin = match state {
        NodeState::Done { origin, .. } => Some(*origin),
        NodeState::Idle { .. }
        | NodeState::Intended(_)
        | NodeState::Failed { .. }
        | NodeState::Parked { .. }
        | NodeState::Skipped
        | NodeState::Undoing { .. }
        | NodeState::Undone { .. }
        | NodeState::Stuck { .. } => None,
    };
    let mut document = json!({
        "id": about.id.to_string(),
        "phase": about.phase,
        "title": about.title,
        "state": state.name(),
        "origin": origin,
        "started": moment(&saga.started_ms),
        "ended": moment(&saga.changed_ms).filter(|_| at_rest),
        "attempts": saga.attempts.get(at).copied().unwrap_or_default(),
        "output": state.output(),
    });
    if let (Some(stop), Some(fields)) = (state.stop(), document.as_object_mut()) {
        fields.insert("failure".into(), json!({ "class": stop.class, "report": stop.report }));
    }
    document
}

#[cfg(test)]
mod tests {
    use super::*;
    use escrr_engine::Event;

    #[test]
    fn a_line_holds_the_entrys_own_fields_beside_ours() {
        let event = Event::UndoIntended { node: "network.cen".into(), items: Vec::new() };
        let entry = Entry { version: 7, at_ms: 1_790_000_000_123, previous: "x".into(), event };
        let catalog = escrr_steps::catalog::catalog().unwrap();
        let line = serde_json::to_string(&event_line("s", "l", catalog.about(), &entry)).unwrap();
        assert_eq!(
            line,
            "{\"seq\":7,\"time\":\"2026-09-21T14:13:20.123Z\",\"at_ms\":1790000000123,\
             \"saga\":\"s\",\"link\":\"l\",\"type\":\"undo_intended\",\
             \"node\":\"network.cen\",\"phase\":1}"
        );
    }
}
