//! `escrr status`

use crate::Context;
use crate::args::{OutputForm, StatusArgs};
use crate::clock::pause;
use crate::error::CommandError;
use crate::exit::Exit;
use crate::place::flag_of_kind;
use crate::sagas::{choose, fold, next_command, phase_name};
use crate::session::catalog;
use crate::store::{self, SECOND};
use crate::ui::document;
use crate::ui::result::{self, heading};
use crate::ui::words::{count, ids, one_line, span, time_s};
use escrr_engine::store::Holder;
use escrr_engine::{About, Direction, NodeState, Phase, Saga};
use escrr_steps::catalog::PHASES;
use serde_json::json;

/// Shows how far a saga is, again and again if that was asked for.
pub(super) async fn run(args: &StatusArgs, context: Context<'_>) -> Result<Exit, CommandError> {
    let catalog = catalog()?;
    let mut shown = None;
    let mut link = args.link.link.clone();
    loop {
        let (saga, holder) = {
            let reading = store::read(&context.settings.home)?;
            let head = choose(&reading.heads()?, link.as_deref(), None)?;
            (fold(head.saga, &catalog, &reading)?, store::writer(&reading).cloned())
        };
        // The first that was meant stays meant, also when others begin.
        link = Some(saga.link.clone());
        let now = (saga.version, holder.is_some());
        if shown.replace(now) != Some(now) {
            show(&saga, catalog.about(), holder.as_ref(), context);
        }
        if !args.watch || saga.outcome.is_some() || holder.is_none() {
            return Ok(Exit::Done);
        }
        pause(SECOND).await;
    }
}

fn show(saga: &Saga, about: &[About], holder: Option<&Holder>, context: Context<'_>) {
    let at_work = holder.filter(|holder| holder.links.contains(&saga.link));
    let next = if at_work.is_some() {
        Some(format!("escrr status {} --watch", saga.link))
    } else {
        next_command(saga, flag_of_kind(&saga.world))
    };
    if context.ui.form() == OutputForm::Human {
        context.ui.result(&screen(saga, about, at_work));
        for problem in result::problems(saga, about) {
            context.ui.problem(&problem);
        }
        if let Some(next) = next {
            context.ui.next(&next);
        }
        return;
    }
    let mut whole = document::saga(saga, about, Exit::Done, next.as_deref());
    if let Some(fields) = whole.as_object_mut() {
        fields.insert("holder".into(), json!(at_work));
    }
    match context.ui.form() {
        OutputForm::Json => context.ui.document(&whole),
        OutputForm::Human | OutputForm::Ndjson => context.ui.line(&whole),
    }
}

fn screen(saga: &Saga, about: &[About], holder: Option<&Holder>) -> String {
    let mut lines = vec![format!(
        "{}  {}  ({})",
        saga.link,
        phase_name(saga.phase()).replace('_', " "),
        saga.world
    )];
    lines.push(format!("saga {}, begun {}", saga.id, time_s(saga.created_ms)));
    match holder {
        Some(holder) => lines.push(format!("process {} is at it (`{}`)", holder.pid, holder.doing)),
        None if saga.outcome.is_none() => lines.push("no process is at it".to_owned()),
        None => {}
    }
    lines.push(String::new());
    for (phase, _) in (0_u8..).zip(PHASES) {
        let nodes: Vec<usize> = about
            .iter()
            .enumerate()
            .filter_map(|(at, about)| (about.phase == phase).then_some(at))
            .collect();
        lines.push(step(saga, phase, &nodes));
        for at in nodes {
            if let Some(about) = about.get(at) {
                lines.extend(node(saga, at, about, holder.is_some()));
            }
        }
    }
    lines.join("\n")
}

fn step(saga: &Saga, phase: u8, nodes: &[usize]) -> String {
    let state = |at: &&usize| saga.node(**at);
    let number = |test: fn(&NodeState) -> bool| nodes.iter().filter(|at| test(state(at))).count();
    let said = match saga.direction {
        Direction::Forward => format!("{} of {}", number(NodeState::satisfied), nodes.len()),
        Direction::Backward => match number(NodeState::may_have_made) {
            0 => "nothing left".to_owned(),
            left => format!("{} to take back", count(left, "node")),
        },
    };
    format!("{:<32}  {said}", heading(phase))
}

/// A node that is not at rest as it should be; the others are only counted.
fn node(saga: &Saga, at: usize, about: &About, at_work: bool) -> Option<String> {
    let state = saga.node(at);
    let since = |ms: u64| format!("since {}", time_s(ms));
    let usual = span(u64::from(about.patience.usual_s) * 1000);
    let said = match state {
        NodeState::Intended(intent) => {
            let begun = if at_work { "making" } else { "was being made" };
            format!("{begun} {}, usually {usual}", since(intent.at_ms))
        }
        NodeState::Undoing { since_ms, output, .. } => {
            let what = output.as_ref().map(ids).unwrap_or_default();
            format!("taking back {what} {}", since(*since_ms))
        }
        NodeState::Failed { stop, .. }
        | NodeState::Parked { stop, .. }
        | NodeState::Stuck { stop, .. } => {
            format!("{}: {}", state.name(), stop.report)
        }
        NodeState::Skipped => "skipped by a person".to_owned(),
        NodeState::Idle { earlier: Some(_) } if saga.phase() == Phase::Running => {
            "to be tried again".to_owned()
        }
        NodeState::Idle { .. } | NodeState::Done { .. } | NodeState::Undone { .. } => return None,
    };
    Some(format!("    {:<30}  {}", about.id.to_string(), one_line(&said)))
}
