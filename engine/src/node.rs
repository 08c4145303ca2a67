//! One node's state machine, pure: state and event give the next state, state and
//! sight give the next move.
//!
//! ```text
//!            look: Ready ────────────► Done(Found)                    never unmade
//!   Idle ──┤ look: Drifted ──────────► Failed
//!            look: Absent ─► Intended ─┬─ look: Absent  → act, look again (same token)
//!                            (on disk) ├─ look: Absent, but acknowledged → wait; gone for good
//!                                      │                                  → Idle, a new token
//!                                      ├─ look: Pending → wait, look again
//!                                      ├─ look: Ready   → Done(Made)
//!                                      └─ look: Drifted, or refused → Failed
//!   Intended | Failed after intent | Done(Made) ──rollback──► Undoing ─┬─ left     → undo, look again
//!                                                                      ├─ nothing  → Undone
//!                                                                      └─ drifted, or refused → Stuck
//! ```

use crate::event::{Event, Origin, Verb};
use crate::fault::{Class, Report};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// What was announced before the first call.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Intent {
    /// When, in milliseconds since the Unix epoch.
    pub at_ms: u64,
    /// Counts definite refusals.
    pub generation: u32,
    /// Every item ever announced.
    pub items: BTreeSet<String>,
    /// The ids that calls were answered with, by item.
    pub ids: BTreeMap<String, String>,
    /// When the last of them was, in milliseconds since the Unix epoch.
    pub acknowledged_ms: Option<u64>,
}

/// Why a node stopped.
#[derive(Clone, Debug, PartialEq)]
pub struct Stop {
    /// The kind.
    pub class: Class,
    /// Evidence and help.
    pub report: Report,
}

impl Stop {
    /// Did the other side definitely say no? Then nothing came of the call, and its token is used up.
    fn is_definite(&self) -> bool {
        matches!(self.class, Class::Refused | Class::Prerequisite)
    }
}

/// Where a node is.
#[derive(Clone, Debug, PartialEq)]
pub enum NodeState {
    /// Nothing was announced, or what was announced was refused and a person said: try again.
    Idle {
        /// The intent that was refused; of its other items something may have come.
        earlier: Option<Intent>,
    },
    /// Announced; calls may have been made.
    Intended(Intent),
    /// As wanted.
    Done {
        /// Who made it.
        origin: Origin,
        /// What it leaves for others.
        output: Value,
        /// What was announced for it, if anything was.
        intent: Option<Intent>,
    },
    /// It cannot be brought about as asked.
    Failed {
        /// What was announced for it, if anything was.
        intent: Option<Intent>,
        /// Why.
        stop: Stop,
    },
    /// It waits for a person.
    Parked {
        /// What was announced for it, if anything was.
        intent: Option<Intent>,
        /// For what.
        stop: Stop,
    },
    /// A person said: go on without it.
    Skipped,
    /// Being taken back.
    Undoing {
        /// Since when, in milliseconds since the Unix epoch.
        since_ms: u64,
        /// What was announced for it.
        intent: Option<Intent>,
        /// Its output, if it was done.
        output: Option<Value>,
        /// What was announced while it was taken back.
        items: BTreeSet<String>,
        /// Did the saga create what the output stands for?
        made: bool,
    },
    /// Nothing of it is left, or what is left was said to stay.
    Undone {
        /// What stays, if anything.
        kept: Option<String>,
        /// What became of each thing, as the node's own data; null where it has none.
        account: Value,
    },
    /// It could not be taken back.
    Stuck {
        /// What was announced for it.
        intent: Option<Intent>,
        /// Its output, if it was done.
        output: Option<Value>,
        /// What was announced while it was taken back.
        items: BTreeSet<String>,
        /// Did the saga create what the output stands for?
        made: bool,
        /// Why.
        stop: Stop,
    },
}

/// An event that cannot follow a state: the journal was not written by this machine.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{event} cannot follow {state}")]
pub struct IllegalEvent {
    /// The state's name.
    pub state: &'static str,
    /// The event's name.
    pub event: &'static str,
}

impl Default for NodeState {
    fn default() -> Self {
        Self::Idle { earlier: None }
    }
}

impl NodeState {
    /// The state's name, as it is shown.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Idle { .. } => "waiting",
            Self::Intended(_) => "making",
            Self::Done { .. } => "done",
            Self::Failed { .. } => "failed",
            Self::Parked { .. } => "parked",
            Self::Skipped => "skipped",
            Self::Undoing { .. } => "undoing",
            Self::Undone { .. } => "undone",
            Self::Stuck { .. } => "stuck",
        }
    }

    /// What was announced for it, if anything was.
    pub fn intent(&self) -> Option<&Intent> {
        match self {
            Self::Intended(intent) => Some(intent),
            Self::Idle { earlier: intent }
            | Self::Done { intent, .. }
            | Self::Failed { intent, .. }
            | Self::Parked { intent, .. }
            | Self::Undoing { intent, .. }
            | Self::Stuck { intent, .. } => intent.as_ref(),
            Self::Skipped | Self::Undone { .. } => None,
        }
    }

    /// What was announced while it was taken back, if it is or was about to be.
    pub fn undo_items(&self) -> Option<&BTreeSet<String>> {
        match self {
            Self::Undoing { items, .. } | Self::Stuck { items, .. } => Some(items),
            Self::Idle { .. }
            | Self::Intended(_)
            | Self::Done { .. }
            | Self::Failed { .. }
            | Self::Parked { .. }
            | Self::Skipped
            | Self::Undone { .. } => None,
        }
    }

    /// Its output, if it has one.
    pub fn output(&self) -> Option<&Value> {
        match self {
            Self::Done { output, .. } => Some(output),
            Self::Undoing { output, .. } | Self::Stuck { output, .. } => output.as_ref(),
            Self::Idle { .. }
            | Self::Intended(_)
            | Self::Failed { .. }
            | Self::Parked { .. }
            | Self::Skipped
            | Self::Undone { .. } => None,
        }
    }

    /// Did this saga create what the output stands for?
    pub fn made_output(&self) -> bool {
        match self {
            Self::Done { origin, .. } => *origin == Origin::Made,
            Self::Undoing { made, .. } | Self::Stuck { made, .. } => *made,
            Self::Idle { .. }
            | Self::Intended(_)
            | Self::Failed { .. }
            | Self::Parked { .. }
            | Self::Skipped
            | Self::Undone { .. } => false,
        }
    }

    /// May nodes that need this one go on?
    pub fn satisfied(&self) -> bool {
        matches!(self, Self::Done { .. } | Self::Skipped)
    }

    /// Could something of ours exist because of this node?
    pub fn may_have_made(&self) -> bool {
        match self {
            Self::Intended(_) | Self::Undoing { .. } | Self::Stuck { .. } => true,
            Self::Idle { earlier: intent }
            | Self::Failed { intent, .. }
            | Self::Parked { intent, .. } => intent.is_some(),
            // Somebody else's stands there now, but what was announced may have come as well.
            Self::Done { origin, intent, .. } => *origin == Origin::Made || intent.is_some(),
            Self::Skipped | Self::Undone { .. } => false,
        }
    }

    /// Why it stopped, if it did.
    pub fn stop(&self) -> Option<&Stop> {
        match self {
            Self::Failed { stop, .. } | Self::Parked { stop, .. } | Self::Stuck { stop, .. } => {
                Some(stop)
            }
            Self::Idle { .. }
            | Self::Intended(_)
            | Self::Done { .. }
            | Self::Skipped
            | Self::Undoing { .. }
            | Self::Undone { .. } => None,
        }
    }

    fn illegal(&self, event: &'static str) -> IllegalEvent {
        IllegalEvent { state: self.name(), event }
    }

    /// The state after an event.
    pub fn apply(self, event: &Event, at_ms: u64) -> Result<Self, IllegalEvent> {
        match event {
            Event::Intended { generation, items, .. } => self.intended(*generation, items, at_ms),
            Event::Completed { origin, output, .. } => self.completed(*origin, output),
            Event::Failed { class, report, .. } => self.stopped(*class, report, false),
            Event::Parked { class, report, .. } => self.stopped(*class, report, true),
            Event::UndoIntended { items, .. } => self.undo_intended(items, at_ms),
            Event::Undone { kept, account, .. } => {
                if matches!(self, Self::Undoing { .. }) {
                    Ok(Self::Undone { kept: kept.clone(), account: account.clone() })
                } else {
                    Err(self.illegal("undone"))
                }
            }
            Event::Stuck { class, report, .. } => self.stuck(*class, report),
            Event::Resumed { .. } => Ok(self.again(at_ms)),
            Event::Decided { verb, reason, .. } => self.decided(*verb, reason, at_ms),
            Event::Acknowledged { item, id, .. } => self.acknowledged(item, id, at_ms),
            Event::Vanished { item, .. } => self.vanished(item),
            Event::Inherited { .. } => self.inherited(),
            Event::Created { .. }
            | Event::RollbackBegun { .. }
            | Event::Finished { .. }
            | Event::Interrupted { .. }
            | Event::Adopted { .. }
            | Event::HistoryLost { .. } => Ok(self),
        }
    }

    /// What was announced before, if something may still be announced or come of it.
    fn open(self, event: &'static str) -> Result<Option<Intent>, IllegalEvent> {
        let illegal = self.illegal(event);
        if let Self::Idle { earlier: intent } = self {
            return Ok(intent);
        }
        if let Self::Intended(intent) = self { Ok(Some(intent)) } else { Err(illegal) }
    }

    fn intended(self, generation: u32, items: &[String], at_ms: u64) -> Result<Self, IllegalEvent> {
        // An intent that only grows keeps its beginning: its patience counts from there.
        let begun_ms = if let Self::Intended(intent) = &self { intent.at_ms } else { at_ms };
        let earlier = self.open("intended")?;
        let mut intent = earlier.unwrap_or_default();
        intent.items.extend(items.iter().cloned());
        Ok(Self::Intended(Intent { at_ms: begun_ms, generation, ..intent }))
    }

    fn acknowledged(self, item: &str, id: &str, at_ms: u64) -> Result<Self, IllegalEvent> {
        let illegal = self.illegal("acknowledged");
        let Self::Intended(mut intent) = self else { return Err(illegal) };
        intent.ids.insert(item.to_owned(), id.to_owned());
        intent.acknowledged_ms = Some(at_ms);
        Ok(Self::Intended(intent))
    }

    /// What was found is this saga's own by now: another one has handed it over.
    fn inherited(self) -> Result<Self, IllegalEvent> {
        let illegal = self.illegal("inherited");
        let Self::Done { output, intent, .. } = self else { return Err(illegal) };
        Ok(Self::Done { origin: Origin::Made, output, intent })
    }

    /// The token is used up: it would be answered with the resource that is gone.
    fn vanished(self, item: &str) -> Result<Self, IllegalEvent> {
        let illegal = self.illegal("vanished");
        // Several items may vanish at once: the first one has ended the intent.
        let (Self::Intended(mut intent) | Self::Idle { earlier: Some(mut intent) }) = self else {
            return Err(illegal);
        };
        intent.ids.remove(item);
        Ok(Self::Idle { earlier: Some(intent) })
    }

    fn completed(self, origin: Origin, output: &Value) -> Result<Self, IllegalEvent> {
        let intent = self.open("completed")?;
        Ok(Self::Done { origin, output: output.clone(), intent })
    }

    fn stopped(self, class: Class, report: &Report, parked: bool) -> Result<Self, IllegalEvent> {
        let intent = self.open(if parked { "parked" } else { "failed" })?;
        let stop = Stop { class, report: report.clone() };
        Ok(if parked { Self::Parked { intent, stop } } else { Self::Failed { intent, stop } })
    }

    fn stuck(self, class: Class, report: &Report) -> Result<Self, IllegalEvent> {
        let illegal = self.illegal("stuck");
        let Self::Undoing { intent, output, items, made, .. } = self else { return Err(illegal) };
        Ok(Self::Stuck {
            intent,
            output,
            items,
            made,
            stop: Stop { class, report: report.clone() },
        })
    }

    fn undo_intended(self, items: &[String], at_ms: u64) -> Result<Self, IllegalEvent> {
        if !self.may_have_made() {
            return Err(self.illegal("undo intended"));
        }
        let output = self.output().cloned();
        let intent = self.intent().cloned();
        // An undo whose announcement only grows keeps its beginning.
        let since_ms = if let Self::Undoing { since_ms, .. } = &self { *since_ms } else { at_ms };
        let known = self.undo_items().into_iter().flatten().cloned();
        let items = known.chain(items.iter().cloned()).collect();
        let made = self.made_output();
        Ok(Self::Undoing { since_ms, intent, output, items, made })
    }

    fn again(self, at_ms: u64) -> Self {
        match self {
            Self::Failed { intent: Some(intent), stop } if stop.is_definite() => {
                Self::Idle { earlier: Some(intent) }
            }
            // Something may have come of the calls: the same tokens are used again.
            Self::Failed { intent: Some(intent), .. }
            | Self::Parked { intent: Some(intent), .. } => {
                Self::Intended(Intent { at_ms, ..intent })
            }
            Self::Failed { intent: None, .. } | Self::Parked { intent: None, .. } => {
                Self::Idle { earlier: None }
            }
            Self::Stuck { intent, output, items, made, .. } => {
                Self::Undoing { since_ms: at_ms, intent, output, items, made }
            }
            Self::Idle { .. }
            | Self::Intended(_)
            | Self::Done { .. }
            | Self::Skipped
            | Self::Undoing { .. }
            | Self::Undone { .. } => self,
        }
    }

    fn decided(self, verb: Verb, reason: &str, at_ms: u64) -> Result<Self, IllegalEvent> {
        match (verb, &self) {
            (Verb::Retry, Self::Failed { .. } | Self::Parked { .. } | Self::Stuck { .. }) => {
                Ok(self.again(at_ms))
            }
            (Verb::Skip | Verb::MarkDone, Self::Failed { .. } | Self::Parked { .. }) => {
                Ok(Self::Skipped)
            }
            (Verb::Skip, Self::Stuck { .. }) => {
                let kept = Some(format!("skipped: {reason}"));
                Ok(Self::Undone { kept, account: Value::Null })
            }
            (Verb::MarkDone, Self::Stuck { .. }) => {
                Ok(Self::Undone { kept: None, account: Value::Null })
            }
            _ => Err(self.illegal("decided")),
        }
    }
}
