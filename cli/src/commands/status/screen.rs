//! What `escrr status` shows to people.

use crate::history::History;
use crate::sagas::state_name;
use crate::store::whereabouts;
use crate::ui::result::heading;
use crate::ui::words::{count, ids, one_line, span, time_s};
use escrr_engine::store::Holder;
use escrr_engine::{About, Direction, NodeState, Phase, Saga};
use escrr_steps::catalog::PHASES;

/// How far a saga is: by documented step, with every node that is not at rest as it should be.
pub(super) fn screen(
    saga: &Saga,
    about: &[About],
    (holder, trouble): (Option<&Holder>, Option<&str>),
    history: &History,
) -> String {
    let mut lines = vec![format!(
        "{}  {}  ({})",
        saga.link,
        state_name(saga, holder.is_some()).replace('_', " "),
        saga.world
    )];
    lines.push(format!("saga {}, begun {}", saga.id, time_s(saga.created_ms)));
    match holder {
        Some(holder) => lines.push(format!(
            "process {}{} is at it (`{}`)",
            holder.pid,
            whereabouts(holder),
            holder.doing
        )),
        None if saga.outcome.is_none() => lines.push(match trouble {
            None => "no process is at it".to_owned(),
            Some(why) => format!("whether a process is at it cannot be told: {why}"),
        }),
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
                lines.extend(node(saga, at, about, history));
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
fn node(saga: &Saga, at: usize, about: &About, history: &History) -> Option<String> {
    let state = saga.node(at);
    let usual = span(history.usual_ms(at, about));
    let said = match state {
        // Whether anybody is at it stands above; both times have to fit into 80 columns.
        NodeState::Intended(intent) => {
            format!("begun {}, usually {usual}", time_s(intent.at_ms))
        }
        NodeState::Undoing { since_ms, output, .. } => {
            let what = output.as_ref().map(ids).unwrap_or_default();
            format!("taking back since {}  {what}", time_s(*since_ms)).trim_end().to_owned()
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
