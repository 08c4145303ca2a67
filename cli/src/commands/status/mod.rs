//! `escrr status`

mod screen;
mod watch;

use crate::Context;
use crate::args::{OutputForm, StatusArgs};
use crate::error::CommandError;
use crate::exit::Exit;
use crate::history::History;
use crate::place::flag_of;
use crate::sagas::{choose, choose_all, exit_of, fold, next_command, unfit};
use crate::session::catalog;
use crate::shell::word;
use crate::store;
use crate::ui::document::{self, Standing};
use crate::ui::frame::fitting;
use crate::ui::result;
use escrr_engine::store::{Head, Holder, Reading};
use escrr_engine::{About, Catalog, Saga};
use escrr_steps::World;
use serde_json::{Value, json};
use std::sync::Arc;

/// Shows how far a saga is, again and again if that was asked for.
pub(super) async fn run(args: &StatusArgs, context: Context<'_>) -> Result<Exit, CommandError> {
    let catalog = catalog()?;
    let reading = store::read(&context.settings.home)?;
    let (heads, link) = (reading.heads()?, args.link.link.as_deref());
    if !args.watch {
        let all = choose_all(&heads, link, None)?;
        if all.len() > 1 {
            return several(&all, &reading, &catalog, context);
        }
    }
    let head = choose(&heads, link, None)?;
    let look = Look::take(&reading, head.saga, &catalog)?;
    let history = History::read(&reading, &catalog, &look.saga.world)?;
    drop(reading);
    if args.watch {
        return watch::watch(look, &history, context).await;
    }
    look.show(&history, context);
    Ok(Exit::Done)
}

/// Shows every link of several.
fn several(
    heads: &[Head],
    reading: &Reading,
    catalog: &Arc<Catalog<World>>,
    context: Context<'_>,
) -> Result<Exit, CommandError> {
    let mut looks = Vec::new();
    for head in heads {
        let look = Look::take(reading, head.saga, catalog)?;
        let history = History::read(reading, catalog, &look.saga.world)?;
        looks.push((look, history));
    }
    if context.ui.form() == OutputForm::Json {
        let all: Vec<Value> = looks.iter().map(|(look, _)| look.document()).collect();
        let exit = Exit::Done;
        let whole = json!({ "sagas": all, "exit_code": exit.code(), "class": exit.class() });
        context.ui.document(&whole);
        return Ok(exit);
    }
    for (at, (look, history)) in looks.iter().enumerate() {
        if at > 0 && context.ui.form() == OutputForm::Human {
            context.ui.result("");
        }
        look.show(history, context);
    }
    Ok(Exit::Done)
}

/// A saga at one moment, and who is at it.
struct Look {
    catalog: Arc<Catalog<World>>,
    saga: Saga,
    holder: Option<Holder>,
    /// Why the lock cannot be asked, if it cannot.
    trouble: Option<String>,
    /// Why this version does not carry it on, if it does not.
    unfit: Option<CommandError>,
}

impl Look {
    fn take(
        reading: &Reading,
        saga: escrr_engine::SagaId,
        catalog: &Arc<Catalog<World>>,
    ) -> Result<Self, CommandError> {
        let saga = fold(saga, catalog, reading)?;
        let holder = store::writer(reading).filter(|holder| holder.links.contains(&saga.link));
        let trouble = reading.trouble().map(str::to_owned);
        let unfit = unfit(&saga, catalog);
        let holder = holder.cloned();
        Ok(Self { catalog: Arc::clone(catalog), holder, trouble, saga, unfit })
    }

    fn about(&self) -> &[About] {
        self.catalog.about()
    }

    fn screen(&self, history: &History) -> String {
        let who = (self.holder.as_ref(), self.trouble.as_deref());
        screen::screen(&self.saga, self.about(), who, history)
    }

    fn next(&self) -> Option<String> {
        match self.holder {
            Some(_) => Some(format!("escrr status {} --watch", word(&self.saga.link))),
            None if self.unfit.is_some() && self.saga.lost.is_none() => None,
            None => next_command(&self.saga, &flag_of(&self.saga)),
        }
    }

    /// The result in the form that was asked for.
    fn show(&self, history: &History, context: Context<'_>) {
        match context.ui.form() {
            OutputForm::Human => {
                let screen = self.screen(history);
                let columns = context.ui.columns().map(|columns| columns.saturating_add(1));
                context.ui.result(&match columns {
                    Some(columns) => fitting(&screen, (columns, usize::MAX)).join("\n"),
                    None => screen,
                });
                self.say_rest(context);
            }
            OutputForm::Json => context.ui.document(&self.document()),
            OutputForm::Ndjson => context.ui.line(&self.document()),
        }
    }

    /// Why it stopped, and what comes next.
    fn say_rest(&self, context: Context<'_>) {
        for problem in result::problems(&self.saga, self.about()) {
            context.ui.problem(&problem);
        }
        if let Some(unfit) = &self.unfit {
            context.ui.problem(unfit);
        }
        if let Some(next) = self.next() {
            context.ui.next(&next);
        }
    }

    fn document(&self) -> Value {
        let next = self.next();
        let at_work = self.holder.is_some();
        let wrong = self.unfit.clone().or_else(|| result::problem(&self.saga, self.about()));
        let standing = Standing {
            exit: Some(exit_of(&self.saga)).filter(|_| !at_work || self.saga.outcome.is_some()),
            at_work: at_work && self.saga.outcome.is_none(),
            next_command: next.as_deref(),
            error: wrong.map(|error| error.described()),
        };
        let mut whole = document::saga(&self.saga, self.about(), &standing);
        if let Some(fields) = whole.as_object_mut() {
            fields.insert("holder".into(), json!(self.holder));
        }
        whole
    }
}
