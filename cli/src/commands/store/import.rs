//! `escrr store import`

use super::{count, show};
use crate::Context;
use crate::args::ImportArgs;
use crate::codes;
use crate::error::CommandError;
use crate::exit::Exit;
use crate::session::catalog;
use crate::store;
use escrr_engine::store::care::{TransferError, import};
use escrr_engine::{Entry, Saga, SagaId, Sealed};
use serde_json::json;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Cursor, Read as _};
use std::path::Path;

/// Takes in what an export wrote.
pub(super) async fn run(args: &ImportArgs, context: Context<'_>) -> Result<Exit, CommandError> {
    let stdin = args.file == Path::new("-");
    let mut given = Vec::new();
    if stdin {
        io::stdin().lock().read_to_end(&mut given).map_err(|e| unreadable(&args.file, &e))?;
    } else {
        // Before a home is made for it.
        File::open(&args.file).map_err(|e| unreadable(&args.file, &e))?;
    }
    let catalog = catalog()?;
    let mut home = store::hold(context, "store import", &[]).await?;
    let mut commands = Vec::new();
    let mut judge = |saga: SagaId, entries: &[Sealed], new: bool| {
        let entries: Vec<Entry> = entries.iter().map(|entry| entry.entry().clone()).collect();
        let folded = Saga::fold(saga, &catalog, &entries);
        let folded = folded.map_err(|error| format!("saga {saga} cannot be driven: {error}"))?;
        if !new {
            return Ok(());
        }
        let found = commands_of(&folded);
        commands.extend(found.iter().cloned());
        if found.is_empty() || args.allow_commands {
            return Ok(());
        }
        Err(format!("the spec of {} runs commands on this machine", folded.link))
    };
    let imported = import(&mut home, &mut judge, || -> io::Result<Box<dyn BufRead + '_>> {
        if stdin {
            return Ok(Box::new(Cursor::new(&given)));
        }
        Ok(Box::new(BufReader::new(File::open(&args.file)?)))
    });
    for command in &commands {
        context.ui.warning(&format!("a spec runs a command on this machine: {command}"));
    }
    let imported = imported.map_err(|error| {
        let error = failed(error, &args.file);
        if commands.is_empty() || args.allow_commands {
            return error;
        }
        error.hint("look at the commands above; --allow-commands takes the specs in with them")
    })?;
    let document = json!({
        "file": args.file.display().to_string(), "new": imported.new,
        "extended": imported.extended, "skipped": imported.skipped,
        "entries": imported.entries, "exit_code": 0,
    });
    let text = format!(
        "took in {}: {} new, {} carried on, {} here already",
        count(imported.entries, "entry", "entries"),
        count(imported.new, "saga", "sagas"),
        imported.extended,
        imported.skipped
    );
    show(&document, &text, context);
    Ok(Exit::Done)
}

/// The references of a saga's spec that run a command, each with its key.
fn commands_of(saga: &Saga) -> Vec<String> {
    fn look(at: &str, value: &toml::Value, found: &mut Vec<String>) {
        match value {
            toml::Value::String(text) if text.trim_start().starts_with("cmd:") => {
                found.push(format!("{at} = {text}"));
            }
            toml::Value::Array(all) => all.iter().for_each(|value| look(at, value, found)),
            toml::Value::Table(table) => {
                for (key, value) in table {
                    let below = if at.is_empty() { key.clone() } else { format!("{at}.{key}") };
                    look(&below, value, found);
                }
            }
            toml::Value::String(_)
            | toml::Value::Integer(_)
            | toml::Value::Float(_)
            | toml::Value::Boolean(_)
            | toml::Value::Datetime(_) => {}
        }
    }
    let mut found = Vec::new();
    // A spec that is no TOML runs nothing: no command can use it.
    if let Ok(table) = saga.spec.parse::<toml::Table>() {
        look("", &toml::Value::Table(table), &mut found);
    }
    found.iter().map(|command| format!("{}: {command}", saga.link)).collect()
}

fn unreadable(file: &Path, error: &io::Error) -> CommandError {
    CommandError::file(codes::UNREADABLE, "cannot read", file, error)
}

fn failed(error: TransferError, file: &Path) -> CommandError {
    match error {
        TransferError::Store(error) => error.into(),
        TransferError::Io(error) => unreadable(file, &error),
        TransferError::Line { line, what } => {
            let said = format!("{}, line {line}: {what}", file.display());
            CommandError::new(codes::NOT_IMPORTED, said).meaning("nothing was taken in")
        }
    }
}
