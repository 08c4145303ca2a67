//! `escrr list`

use crate::Context;
use crate::args::OutputForm;
use crate::error::CommandError;
use crate::exit::Exit;
use crate::place::flag_of;
use crate::sagas::{fold, next_command, phase_name, state_name, unfit};
use crate::session::catalog;
use crate::store;
use crate::ui::table::Table;
use crate::ui::words::{time, time_s};
use escrr_engine::{Outcome, Phase};
use serde_json::json;

/// All sagas, oldest first.
pub(super) fn run(context: Context<'_>) -> Result<Exit, CommandError> {
    let catalog = catalog()?;
    let reading = store::read(&context.settings.home)?;
    let at_work = |link: &str| {
        store::writer(&reading).is_some_and(|holder| holder.links.iter().any(|one| one == link))
    };
    let mut table = Table::new(&["LINK", "STATE", "WORLD", "BEGUN", "CHANGED", "SAGA"]);
    let mut documents = Vec::new();
    for head in reading.heads()? {
        // How a saga ended stands in its head; a journal of another edition is listed all the same.
        let saga = match head.outcome {
            Some(_) => None,
            None => fold(head.saga, &catalog, &reading).ok(),
        };
        let state = match head.outcome {
            Some(Outcome::Succeeded) => phase_name(Phase::Succeeded),
            Some(Outcome::RolledBack) => phase_name(Phase::RolledBack),
            None => saga.as_ref().map_or("unknown", |saga| state_name(saga, at_work(&head.link))),
        };
        let fits = saga.filter(|saga| unfit(saga, &catalog).is_none());
        let next = fits.and_then(|saga| next_command(&saga, &flag_of(&saga)));
        documents.push(json!({
            "saga": head.saga,
            "link": head.link,
            "world": head.world,
            "state": state,
            "entries": head.version,
            "started": time(head.created_ms),
            "updated": time(head.updated_ms),
            "next_command": next,
        }));
        table.row(vec![
            head.link,
            state.replace('_', " "),
            head.world,
            time_s(head.created_ms),
            time_s(head.updated_ms),
            head.saga.to_string(),
        ]);
    }
    match context.ui.form() {
        OutputForm::Json => context.ui.document(&json!({ "links": documents })),
        OutputForm::Ndjson => documents.iter().for_each(|document| context.ui.line(document)),
        OutputForm::Human if table.is_empty() => context.ui.status("no saga has been begun here"),
        OutputForm::Human => context.ui.result(&table.render(context.ui.columns())),
    }
    Ok(Exit::Done)
}
