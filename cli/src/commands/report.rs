//! `escrr report`

use crate::Context;
use crate::args::{OutputForm, ReportArgs};
use crate::clock::real_ms;
use crate::error::CommandError;
use crate::exit::Exit;
use crate::files;
use crate::place::flag_of;
use crate::sagas::{choose, fold, next_command, state_name};
use crate::session::catalog;
use crate::store;
use crate::ui::report::Facts;
use serde_json::json;
use std::path::Path;

/// Writes one page over a saga, as its journal says it now.
pub(super) fn run(args: &ReportArgs, context: Context<'_>) -> Result<Exit, CommandError> {
    let catalog = catalog()?;
    let reading = store::read(&context.settings.home)?;
    let head = choose(&reading.heads()?, args.link.link.as_deref(), None)?;
    let saga = fold(head.saga, &catalog, &reading)?;
    let entries = reading.entries(head.saga, 1)?;
    let at_work = store::writer(&reading).is_some_and(|holder| holder.links.contains(&saga.link));
    let next = next_command(&saga, &flag_of(&saga));
    let next = next.map(|next| context.ui.whereabouts().complete(&next));
    let facts = Facts {
        saga: &saga,
        catalog: &catalog,
        entries: &entries,
        at_work,
        next: next.as_deref(),
        written_ms: real_ms(),
    };
    let page = facts.page();
    if args.out == Path::new("-") {
        // A reader that went away wants no page.
        context.ui.raw(page.as_bytes()).ok();
        return Ok(Exit::Done);
    }
    files::write(&args.out, page.as_bytes(), args.force.force)?;
    let file = args.out.display().to_string();
    let document = json!({
        "saga": saga.id, "link": saga.link, "state": state_name(&saga, at_work), "file": file,
        "bytes": page.len(), "exit_code": Exit::Done.code(),
    });
    match context.ui.form() {
        OutputForm::Human => context.ui.result(&format!("wrote {file}")),
        OutputForm::Json => context.ui.document(&document),
        OutputForm::Ndjson => context.ui.line(&document),
    }
    Ok(Exit::Done)
}
