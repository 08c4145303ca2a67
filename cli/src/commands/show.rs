//! `escrr show`

use crate::Context;
use crate::args::{OutputForm, ShowArgs};
use crate::codes;
use crate::error::CommandError;
use crate::exit::Exit;
use crate::sagas::{choose, fold};
use crate::session::catalog;
use crate::store;
use crate::ui::document;
use crate::ui::result::{heading, origin_name, problems};
use crate::ui::words::time;
use escrr_engine::{About, Catalog, Entry, Event, NodeState, Saga};
use escrr_steps::World;
use serde_json::{Value, json};

/// One node with its evidence.
pub(super) fn run(args: &ShowArgs, context: Context<'_>) -> Result<Exit, CommandError> {
    let catalog = catalog()?;
    let at = find(&catalog, &args.node)?;
    let reading = store::read(&context.settings.home)?;
    let head = choose(&reading.heads()?, args.link.as_deref(), None)?;
    let saga = fold(head.saga, &catalog, &reading)?;
    let entries = reading.entries(head.saga, 1)?;
    let Some(about) = catalog.about().get(at) else { return Ok(Exit::Done) };
    let intents = intents(&entries, &args.node);
    match context.ui.form() {
        OutputForm::Human => {
            context.ui.result(&screen(&saga, at, about, &intents));
            let prefix = format!("{}:", about.id);
            for problem in problems(&saga, catalog.about()) {
                if problem.said.starts_with(&prefix) {
                    context.ui.problem(&problem);
                }
            }
        }
        OutputForm::Json => context.ui.document(&whole(&saga, at, about, &intents)),
        OutputForm::Ndjson => context.ui.line(&whole(&saga, at, about, &intents)),
    }
    Ok(Exit::Done)
}

/// The place of a node in the list, or names that are like the one that was typed.
pub(super) fn find(catalog: &Catalog<World>, node: &str) -> Result<usize, CommandError> {
    catalog.find(node).ok_or_else(|| {
        let tail = node.rsplit('.').next().unwrap_or(node);
        let like: Vec<String> = catalog
            .about()
            .iter()
            .map(|about| about.id.to_string())
            .filter(|id| !tail.is_empty() && id.contains(tail))
            .collect();
        let error = CommandError::new(codes::NO_NODE, format!("there is no node {node}"));
        if like.is_empty() {
            error.hint("`escrr steps` lists all nodes")
        } else {
            error.hint(format!("is it one of these? {}", like.join(", ")))
        }
    })
}

/// What was announced for a node, oldest first.
fn intents(entries: &[Entry], of: &str) -> Vec<Value> {
    let intent = |entry: &Entry| match &entry.event {
        Event::Intended { node, generation, token, items } if node == of => Some(json!({
            "seq": entry.version,
            "time": time(entry.at_ms),
            "generation": generation,
            "token": token,
            "items": items,
        })),
        Event::Intended { .. }
        | Event::Created { .. }
        | Event::Completed { .. }
        | Event::Failed { .. }
        | Event::Parked { .. }
        | Event::RollbackBegun { .. }
        | Event::UndoIntended { .. }
        | Event::Undone { .. }
        | Event::Stuck { .. }
        | Event::Resumed { .. }
        | Event::Decided { .. }
        | Event::Finished { .. }
        | Event::Interrupted { .. }
        | Event::Acknowledged { .. }
        | Event::Vanished { .. }
        | Event::Inherited { .. }
        | Event::Adopted { .. }
        | Event::HistoryLost { .. } => None,
    };
    entries.iter().filter_map(intent).collect()
}

fn whole(saga: &Saga, at: usize, about: &About, intents: &[Value]) -> Value {
    let mut document = document::node(saga, at, about);
    let needs: Vec<String> = about.needs.iter().map(ToString::to_string).collect();
    if let Some(fields) = document.as_object_mut() {
        fields.insert("saga".into(), json!(saga.id));
        fields.insert("link".into(), json!(saga.link));
        fields.insert("needs".into(), json!(needs));
        fields.insert("intents".into(), json!(intents));
    }
    document
}

fn screen(saga: &Saga, at: usize, about: &About, intents: &[Value]) -> String {
    let document = document::node(saga, at, about);
    let text = |name: &str| document.get(name).and_then(Value::as_str).unwrap_or("-").to_owned();
    let state = saga.node(at);
    let origin = match state {
        NodeState::Done { origin, .. } => format!(", {}", origin_name(*origin)),
        NodeState::Idle { .. }
        | NodeState::Intended(_)
        | NodeState::Failed { .. }
        | NodeState::Parked { .. }
        | NodeState::Skipped
        | NodeState::Undoing { .. }
        | NodeState::Undone { .. }
        | NodeState::Stuck { .. } => String::new(),
    };
    let mut lines = vec![
        format!("{} of {}: {}", about.id, saga.link, about.title),
        format!("  step      {}", heading(about.phase)),
        format!("  state     {}{origin}", state.name()),
        format!("  started   {}", text("started")),
        format!("  ended     {}", text("ended")),
        format!("  calls     {}", saga.attempts.get(at).copied().unwrap_or_default()),
    ];
    let needs: Vec<String> = about.needs.iter().map(ToString::to_string).collect();
    if !needs.is_empty() {
        lines.push(format!("  needs     {}", needs.join(", ")));
    }
    let rollback = about.rollback().unwrap_or_else(|| "nothing to do: it only looks".to_owned());
    lines.push(format!("  rollback  {rollback}"));
    lines.extend(about.cost.map(|cost| format!("  costs     {cost}")));
    for intent in intents {
        let get = |name: &str| intent.get(name).and_then(Value::as_str).unwrap_or_default();
        let items = intent.get("items").and_then(Value::as_array);
        let items = items.into_iter().flatten().filter_map(Value::as_str);
        let items: Vec<&str> = items.filter(|item| !item.is_empty()).collect();
        let items =
            if items.is_empty() { String::new() } else { format!("  {}", items.join(", ")) };
        lines.push(format!("  announced {}  token {}{items}", get("time"), get("token")));
    }
    if let Some(output) = state.output().filter(|output| !output.is_null()) {
        let pretty = serde_json::to_string_pretty(output).unwrap_or_default();
        lines.push("  output".to_owned());
        lines.extend(pretty.lines().map(|line| format!("    {line}")));
    }
    lines.join("\n")
}
