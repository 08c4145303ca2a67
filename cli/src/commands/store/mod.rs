//! `escrr store`: one file a verb.

mod compact;
mod export;
mod import;
mod rebuild;
mod verify;

use crate::Context;
use crate::args::{OutputForm, StoreCommand};
use crate::error::CommandError;
use crate::exit::Exit;
use escrr_engine::store::care;
use serde_json::{Value, json};

/// Does what was asked.
pub(super) async fn run(command: StoreCommand, context: Context<'_>) -> Result<Exit, CommandError> {
    match command {
        StoreCommand::Import(args) => import::run(&args, context).await,
        StoreCommand::Export(args) => export::run(&args, context),
        StoreCommand::Verify | StoreCommand::Rebuild(_) | StoreCommand::Compact(_)
            if !care::is_there(context.settings.home.path())? =>
        {
            Ok(nothing(context))
        }
        StoreCommand::Verify => verify::run(context).await,
        StoreCommand::Rebuild(args) => rebuild::run(&args, context).await,
        StoreCommand::Compact(args) => compact::run(&args, context).await,
    }
}

/// There is no store: nothing is wrong with it, and nothing to do.
fn nothing(context: Context<'_>) -> Exit {
    let home = context.settings.home.path().display().to_string();
    let document = json!({ "store": Value::Null, "home": home, "exit_code": 0 });
    show(&document, &format!("there is no store in {home} yet"), context);
    Exit::Done
}

/// A result: a document for programs, a text for people.
fn show(document: &Value, text: &str, context: Context<'_>) {
    match context.ui.form() {
        OutputForm::Json => context.ui.document(document),
        OutputForm::Ndjson => context.ui.line(document),
        OutputForm::Human => context.ui.result(text),
    }
}

/// So many of something.
fn count(number: u64, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

/// Bytes, for people.
fn size(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    let (mut whole, mut tenths, mut unit) = (bytes, 0, "bytes");
    for next in UNITS {
        if whole < 1024 {
            break;
        }
        tenths = whole % 1024 * 10 / 1024;
        (whole, unit) = (whole / 1024, next);
    }
    match unit {
        "bytes" => count(whole, "byte", "bytes"),
        unit => format!("{whole}.{tenths} {unit}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_short() {
        let told: Vec<String> =
            [0, 1, 1023, 1024, 1536, 5 * 1024 * 1024 + 1].into_iter().map(size).collect();
        assert_eq!(told, ["0 bytes", "1 byte", "1023 bytes", "1.0 KiB", "1.5 KiB", "5.0 MiB"]);
    }
}
