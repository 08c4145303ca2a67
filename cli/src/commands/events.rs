//! `escrr events`

use crate::Context;
use crate::args::{EventsArgs, OutputForm};
use crate::clock::pause;
use crate::error::CommandError;
use crate::exit::Exit;
use crate::sagas::choose;
use crate::session::catalog;
use crate::store::{self, SECOND};
use crate::ui::document::{VERSION_LINE, event_line};
use crate::ui::told::Teller;
use escrr_engine::{About, Entry};
use serde_json::{Value, json};

/// Prints the journal; with `--follow` also what is added to it until the saga ends.
pub(super) async fn run(args: &EventsArgs, context: Context<'_>) -> Result<Exit, CommandError> {
    let catalog = catalog()?;
    let head = {
        let reading = store::read(&context.settings.home)?;
        choose(&reading.heads()?, args.link.link.as_deref(), None)?
    };
    let mut printer = Printer { about: catalog.about(), teller: Teller::default(), context };
    if context.ui.form() == OutputForm::Ndjson {
        context.ui.line(&VERSION_LINE);
    }
    let (saga, link) = (head.saga.to_string(), head.link);
    let mut next = 1;
    let mut all = Vec::new();
    loop {
        let (entries, writer, outcome) = {
            let reading = store::read(&context.settings.home)?;
            let entries = reading.entries(head.saga, next)?;
            let heads = reading.heads()?;
            let outcome = heads.into_iter().find(|h| h.saga == head.saga).and_then(|h| h.outcome);
            (entries, store::writer(&reading).is_some(), outcome)
        };
        for entry in entries {
            next = entry.version + 1;
            all.extend(printer.print(&saga, &link, &entry));
        }
        if !args.follow || outcome.is_some() || !writer {
            break;
        }
        pause(SECOND).await;
    }
    if context.ui.form() == OutputForm::Json {
        context.ui.document(&json!({ "saga": saga, "link": link, "events": all }));
    }
    Ok(Exit::Done)
}

struct Printer<'a> {
    about: &'a [About],
    teller: Teller,
    context: Context<'a>,
}

impl Printer<'_> {
    /// Prints an entry at once, or gives it for the document at the end.
    fn print(&mut self, saga: &str, link: &str, entry: &Entry) -> Option<Value> {
        let ui = self.context.ui;
        match ui.form() {
            OutputForm::Human => ui.result(&self.teller.line(entry, self.about)),
            OutputForm::Ndjson => ui.line(&event_line(saga, link, self.about, entry)),
            OutputForm::Json => {
                return serde_json::to_value(event_line(saga, link, self.about, entry)).ok();
            }
        }
        None
    }
}
