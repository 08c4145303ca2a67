//! `escrr store export`

use super::{count, show, size};
use crate::Context;
use crate::args::ExportArgs;
use crate::codes;
use crate::error::CommandError;
use crate::exit::Exit;
use crate::store;
use escrr_engine::store::Reading;
use escrr_engine::store::care::{Exported, TransferError, export};
use serde_json::json;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

/// Writes all sagas, or those of one link.
pub(super) fn run(args: &ExportArgs, context: Context<'_>) -> Result<Exit, CommandError> {
    let reading = store::read(&context.settings.home)?;
    let link = args.link.as_deref();
    if let Some(link) = link
        && !reading.heads()?.iter().any(|head| head.link == link)
    {
        return Err(CommandError::new(codes::NO_SAGA, format!("there is no saga of {link}"))
            .hint("`escrr list` names the links"));
    }
    let written = |exported: &Exported| {
        format!(
            "{} of {}, {}",
            count(exported.entries, "entry", "entries"),
            count(exported.sagas, "saga", "sagas"),
            size(exported.bytes)
        )
    };
    if args.file == Path::new("-") {
        let mut out = BufWriter::new(Stdout(context));
        let exported = export(&reading, link, &mut out).map_err(|e| failed(e, &args.file))?;
        context.ui.status(&format!("wrote {}", written(&exported)));
        return Ok(Exit::Done);
    }
    let exported = to_file(args, &reading)?;
    let file = args.file.display().to_string();
    let document = json!({
        "file": file, "sagas": exported.sagas, "entries": exported.entries,
        "bytes": exported.bytes, "exit_code": 0,
    });
    show(&document, &format!("wrote {file}: {}", written(&exported)), context);
    Ok(Exit::Done)
}

struct Stdout<'a>(Context<'a>);

impl Write for Stdout<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.ui.raw(bytes)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A file that is there is replaced only when the new one is whole.
fn to_file(args: &ExportArgs, reading: &Reading) -> Result<Exported, CommandError> {
    let mut beside = args.file.clone().into_os_string();
    beside.push(format!(".{}.new", std::process::id()));
    let beside = PathBuf::from(beside);
    let target = if args.force { &beside } else { &args.file };
    let file = create(target).map_err(|error| {
        if error.kind() == io::ErrorKind::AlreadyExists {
            let said = format!("{} is there already", target.display());
            CommandError::new(codes::IN_THE_WAY, said)
                .hint("name another file, or write over it with --force")
        } else {
            CommandError::file(codes::UNWRITABLE, "cannot write", target, &error)
        }
    })?;
    let mut out = BufWriter::new(file);
    let exported = export(reading, args.link.as_deref(), &mut out)
        .and_then(|exported| {
            out.get_ref().sync_all()?;
            if args.force {
                fs::rename(&beside, &args.file)?;
            }
            Ok(exported)
        })
        .map_err(|error| failed(error, &args.file));
    if exported.is_err() {
        // Half an export is of no use; if it cannot be removed, the error says enough.
        drop(fs::remove_file(target));
    }
    exported
}

/// What is in it tells a network's layout: it is its owner's alone.
fn create(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
}

fn failed(error: TransferError, file: &Path) -> CommandError {
    match error {
        TransferError::Store(error) => error.into(),
        TransferError::Io(error) => {
            CommandError::file(codes::UNWRITABLE, "cannot write", file, &error)
        }
        TransferError::Line { .. } => CommandError::new(codes::BUG, error.to_string()),
    }
}
