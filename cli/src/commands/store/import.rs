//! `escrr store import`

use super::{count, show};
use crate::Context;
use crate::args::ImportArgs;
use crate::codes;
use crate::error::CommandError;
use crate::exit::Exit;
use crate::store;
use escrr_engine::store::care::{TransferError, import};
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
    let mut home = store::hold(context, "store import", &[]).await?;
    let imported = import(&mut home, || -> io::Result<Box<dyn BufRead + '_>> {
        if stdin {
            return Ok(Box::new(Cursor::new(&given)));
        }
        Ok(Box::new(BufReader::new(File::open(&args.file)?)))
    });
    let imported = imported.map_err(|error| failed(error, &args.file))?;
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
