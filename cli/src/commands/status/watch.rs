//! `escrr status --watch`: looks again every second, beside the process that is at it.
//!
//! On a terminal the screen is drawn over again; elsewhere every entry of the journal is a line.
//! It ends with the saga, or when nobody is at it any more.

use super::Look;
use crate::Context;
use crate::args::OutputForm;
use crate::clock::pause;
use crate::error::CommandError;
use crate::exit::Exit;
use crate::history::History;
use crate::sagas::state_name;
use crate::store::{self, SECOND};
use crate::ui::frame::{Frame, fitting, size_of_stdout};
use crate::ui::told::Teller;
use escrr_engine::{Entry, NodeState};

/// Shows a saga until it ends.
pub(super) async fn watch(
    mut look: Look,
    history: &History,
    context: Context<'_>,
) -> Result<Exit, CommandError> {
    let mut view = View::new(context);
    let (mut shown, mut alone) = (None, 0);
    loop {
        let reading = store::read(&context.settings.home)?;
        look = Look::take(&reading, look.saga.id, &look.catalog)?;
        let entries = reading.entries(look.saga.id, 1)?;
        drop(reading);
        let now = (look.saga.version, look.holder.as_ref().map(|holder| holder.pid));
        if shown != Some(now) {
            view.change(&look, &entries, history, context);
            shown = Some(now);
        }
        // The journal is read before the lock: who has left may have written in between.
        let nobody = look.holder.is_none() && look.trouble.is_none();
        alone = if nobody { alone + 1 } else { 0 };
        if look.saga.outcome.is_some() || alone > 1 {
            view.end(&look, history, context);
            return Ok(Exit::Done);
        }
        if alone == 0 {
            pause(SECOND).await;
        }
    }
}

/// How a watched saga is shown.
enum View {
    /// Drawn over again.
    Screen(Frame),
    /// A line an entry; those up to a version were there before, or are said.
    Lines { teller: Teller, before: u64, said: u64 },
    /// A document a change.
    Stream,
    /// One document at the end.
    AtEnd,
}

impl View {
    fn new(context: Context<'_>) -> Self {
        match context.ui.form() {
            OutputForm::Human if context.settings.redraws => Self::Screen(Frame::on_stdout()),
            OutputForm::Human => Self::Lines { teller: Teller::default(), before: 0, said: 0 },
            OutputForm::Ndjson => Self::Stream,
            OutputForm::Json => Self::AtEnd,
        }
    }

    fn change(&mut self, look: &Look, entries: &[Entry], history: &History, context: Context<'_>) {
        match self {
            Self::Screen(frame) => frame.put(&fitting(&look.screen(history), size_of_stdout())),
            Self::Lines { teller, before, said } => {
                let first = *said == 0;
                for entry in entries {
                    let line = teller.line(entry, look.about());
                    if !first && entry.version > *said {
                        context.ui.result(&line);
                    }
                }
                if first {
                    *before = look.saga.version;
                    context.ui.result(&summary(look));
                }
                *said = look.saga.version;
            }
            Self::Stream => context.ui.line(&look.document()),
            Self::AtEnd => {}
        }
    }

    fn end(&mut self, look: &Look, history: &History, context: Context<'_>) {
        match self {
            Self::Screen(frame) => {
                frame.put(&[]);
                frame.rest();
                look.show(history, context);
            }
            Self::Lines { before, said, .. } => {
                if said > before {
                    context.ui.result(&summary(look));
                }
                look.say_rest(context);
            }
            Self::Stream => {}
            Self::AtEnd => context.ui.document(&look.document()),
        }
    }
}

/// A saga in a line.
fn summary(look: &Look) -> String {
    let saga = &look.saga;
    let done = saga.nodes.iter().filter(|node| node.satisfied()).count();
    let left = saga.nodes.iter().filter(|node| NodeState::may_have_made(node)).count();
    let phase = state_name(saga, look.holder.is_some()).replace('_', " ");
    let far = match saga.direction {
        escrr_engine::Direction::Forward => format!("{done} of {} nodes", saga.nodes.len()),
        escrr_engine::Direction::Backward => format!("{left} to take back"),
    };
    format!("{}  {phase}, {far}", saga.link)
}
