//! What comes next for a node, pure: its state and what was just seen give the next move.

use crate::event::Origin;
use crate::fault::Class;
use crate::node::{NodeState, Stop};
use crate::step::{Remains, Seen};
use serde_json::Value;

/// What comes next for a node that goes forward.
#[derive(Clone, Debug, PartialEq)]
pub enum Move {
    /// Write down that these items will be made.
    Intend(Vec<String>),
    /// Make these items: they are announced.
    Act(Vec<String>),
    /// These items were acknowledged with an id, and no look finds them: lists and reads may lag,
    /// so they are not called for again, and given up only when that lasts.
    Unseen(Vec<String>),
    /// Wait and look again.
    Wait(String),
    /// Write down that it is done.
    Complete(Origin, Value),
    /// Write down that it failed.
    Fail(Stop),
    /// Nothing: the node is at rest.
    Rest,
}

/// The next move of a node going forward, from its state and what was just seen.
///
/// `acts` says whether the node changes the world at all.
pub fn decide(state: &NodeState, seen: &Seen<Value>, acts: bool) -> Move {
    let intent = match state {
        NodeState::Idle { earlier } => earlier.as_ref(),
        NodeState::Intended(intent) => Some(intent),
        NodeState::Done { .. }
        | NodeState::Failed { .. }
        | NodeState::Parked { .. }
        | NodeState::Skipped
        | NodeState::Undoing { .. }
        | NodeState::Undone { .. }
        | NodeState::Stuck { .. } => return Move::Rest,
    };
    match seen {
        Seen::Absent(_) if !acts => Move::Wait("it is not there yet".to_owned()),
        Seen::Absent(items) => {
            // An intent from before a person said to try again is not enough to act on.
            let standing =
                if let NodeState::Intended(intent) = state { Some(intent) } else { None };
            let Some(intent) =
                standing.filter(|intent| items.iter().all(|i| intent.items.contains(i)))
            else {
                return Move::Intend(items.clone());
            };
            let open: Vec<String> =
                items.iter().filter(|i| !intent.ids.contains_key(*i)).cloned().collect();
            if open.is_empty() { Move::Unseen(items.clone()) } else { Move::Act(open) }
        }
        Seen::Pending(why) => Move::Wait(why.clone()),
        Seen::Ready(output) => {
            let origin = match (acts, intent) {
                (false, _) => Origin::Checked,
                (true, Some(_)) => Origin::Made,
                (true, None) => Origin::Found,
            };
            Move::Complete(origin, output.clone())
        }
        Seen::Ours(output) => Move::Complete(Origin::Made, output.clone()),
        Seen::Theirs(output) => Move::Complete(Origin::Found, output.clone()),
        Seen::Unneeded(output) => Move::Complete(Origin::Unneeded, output.clone()),
        Seen::Drifted(report) => Move::Fail(Stop { class: Class::Drift, report: report.clone() }),
    }
}

/// What comes next for a node that is being taken back.
#[derive(Clone, Debug, PartialEq)]
pub enum UndoMove {
    /// Write down that these items are about to be taken back.
    Announce(Vec<String>),
    /// Take these items back.
    Undo(Vec<String>),
    /// Wait and look again.
    Wait(String),
    /// Nothing is left, but the last call may still take effect: look once more later.
    Settle,
    /// Write down that nothing is left, and what became of each thing.
    Undone(Value),
    /// Write down that what is left stays on purpose.
    Keep(String),
    /// Write down that a person has to decide.
    Stuck(Stop),
}

/// The next move of a node going backward.
///
/// `settled` says whether an absence may be believed: an absence that follows a call of our own
/// is what was asked for; any other one may be a list that lags, or a call whose answer was lost
/// may still land, so it is believed after two looks a settling time apart.
pub fn decide_undo(remains: &Remains, settled: bool) -> UndoMove {
    match remains {
        Remains::Nothing if settled => UndoMove::Undone(Value::Null),
        Remains::Accounted(account) if settled => UndoMove::Undone(account.clone()),
        Remains::Nothing | Remains::Accounted(_) => UndoMove::Settle,
        Remains::Announce(items) => UndoMove::Announce(items.clone()),
        Remains::Pending(why) => UndoMove::Wait(why.clone()),
        Remains::Items(items) => UndoMove::Undo(items.clone()),
        Remains::Kept(why) => UndoMove::Keep(why.clone()),
        Remains::Drifted(report) => {
            UndoMove::Stuck(Stop { class: Class::Drift, report: report.clone() })
        }
    }
}
