//! `escrr retry`, `escrr skip`, `escrr mark-done`

use super::show::find;
use crate::Context;
use crate::actor::{actor, person};
use crate::args::{OutputForm, VerbArgs};
use crate::clock::real_ms;
use crate::error::CommandError;
use crate::exit::Exit;
use crate::place::flag_of;
use crate::sagas::{choose, next_command};
use crate::session::{catalog, random};
use crate::store;
use crate::ui::document;
use crate::ui::told::name;
use escrr_engine::lane::Lanes;
use escrr_engine::{Engine, Verb, VirtualClock};
use std::sync::Arc;
use tokio::sync::mpsc;

/// Writes down what a person decided over a node; `escrr resume` acts on it.
pub(super) async fn run(
    verb: Verb,
    args: &VerbArgs,
    context: Context<'_>,
) -> Result<Exit, CommandError> {
    let catalog = catalog()?;
    let at = find(&catalog, &args.node)?;
    let head = {
        let reading = store::read(&context.settings.home)?;
        choose(&reading.heads()?, args.link.as_deref(), None)?
    };
    let links = [head.link.clone()];
    let committer = store::write(context, name(verb), &links).await?;
    // A sandbox's time may be ahead of ours, and a journal's times do not go back.
    let now_ms = real_ms().max(head.updated_ms);
    let engine = Engine {
        catalog: Arc::clone(&catalog),
        committer,
        clock: Arc::new(VirtualClock::new(now_ms)),
        lanes: Arc::new(Lanes::default()),
        progress: mpsc::unbounded_channel().0,
        random: random().into(),
    };
    let (by, actor) = (person(context), actor(None, context));
    let why = (args.reason.as_str(), by.as_str(), &actor);
    let saga = engine.decide(head.saga, &args.node, verb, why).await?;
    let next = next_command(&saga, &flag_of(&saga));
    let said = saga.node(at).name();
    match (context.ui.form(), catalog.about().get(at)) {
        (OutputForm::Human, _) | (_, None) => {
            context.ui.result(&format!("{} of {} is {said} now", args.node, saga.link));
        }
        (OutputForm::Json, Some(about)) => {
            context.ui.document(&document::node(&saga, at, about));
        }
        (OutputForm::Ndjson, Some(about)) => context.ui.line(&document::node(&saga, at, about)),
    }
    if let Some(next) = next {
        context.ui.hint(&format!("`{next}` goes on with it"));
    }
    Ok(Exit::Done)
}
