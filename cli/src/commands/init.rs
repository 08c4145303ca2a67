//! `escrr init`

use crate::Context;
use crate::args::{InitArgs, OutputForm};
use crate::codes;
use crate::error::CommandError;
use crate::exit::Exit;
use escrr_steps::spec::EXAMPLE;
use serde_json::json;
use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::path::Path;

/// Writes the commented example.
pub(super) fn run(args: &InitArgs, context: Context<'_>) -> Result<Exit, CommandError> {
    if args.file == Path::new("-") {
        context.ui.result(EXAMPLE.trim_end());
        return Ok(Exit::Done);
    }
    write(&args.file, args.force).map_err(|error| {
        if error.kind() == io::ErrorKind::AlreadyExists {
            CommandError::new(
                codes::IN_THE_WAY,
                format!("{} is there already", args.file.display()),
            )
            .hint("name another file, or write over it with --force")
        } else {
            CommandError::file(codes::UNWRITABLE, "cannot write", &args.file, &error)
        }
    })?;
    let file = args.file.display().to_string();
    let next = format!("escrr plan {file}");
    let about = json!({ "file": file, "next_command": next });
    match context.ui.form() {
        OutputForm::Human => context.ui.result(&format!("wrote {file}")),
        OutputForm::Json => context.ui.document(&about),
        OutputForm::Ndjson => context.ui.line(&about),
    }
    context.ui.hint("put your regions and instance ids into it");
    context.ui.hint(&format!("then `{next}` shows what it would make, and makes nothing"));
    Ok(Exit::Done)
}

fn write(path: &Path, over: bool) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true);
    if over {
        options.create(true).truncate(true);
    } else {
        options.create_new(true);
    }
    options.open(path)?.write_all(EXAMPLE.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::tests::Stage;

    #[test]
    fn an_existing_file_is_kept_unless_forced() {
        let stage = Stage::new(OutputForm::Human);
        let file = stage.home.path().join("escrr.toml");
        std::fs::write(&file, "mine").unwrap();
        let mut args = InitArgs { file: file.clone(), force: false };
        let error = run(&args, stage.context()).unwrap_err();
        assert_eq!(error.exit(), Exit::Usage);
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "mine");
        args.force = true;
        run(&args, stage.context()).unwrap();
        assert_eq!(std::fs::read_to_string(&file).unwrap(), EXAMPLE);
        assert!(stage.captured.err().contains("escrr plan"));
    }

    #[test]
    fn a_hyphen_is_stdout() {
        let stage = Stage::new(OutputForm::Human);
        run(&InitArgs { file: "-".into(), force: false }, stage.context()).unwrap();
        assert_eq!(stage.captured.out(), EXAMPLE);
        assert_eq!(stage.captured.err(), "");
    }

    #[test]
    fn a_directory_that_is_not_there_is_named() {
        let stage = Stage::new(OutputForm::Human);
        let args = InitArgs { file: stage.home.path().join("no/escrr.toml"), force: false };
        let error = run(&args, stage.context()).unwrap_err();
        assert!(error.said.contains("no/escrr.toml"), "{error}");
    }
}
