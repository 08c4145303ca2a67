//! `escrr sandbox …`: a thin command over the pretend cloud.

mod befall;
mod fault;
mod look;
mod start;

use crate::Context;
use crate::args::{OutputForm, SandboxChoice, SandboxCommand};
use crate::error::CommandError;
use crate::exit::Exit;
use crate::pretend::{Pretend, Publicity};
use serde_json::{Value, json};

/// Does what was asked.
pub(super) async fn run(
    command: SandboxCommand,
    context: Context<'_>,
) -> Result<Exit, CommandError> {
    match command {
        SandboxCommand::Start(args) => start::run(&args, context).await,
        SandboxCommand::Inventory(args) => {
            look::inventory(args.sandbox.choice(), context).await?;
            Ok(Exit::Done)
        }
        SandboxCommand::Log(args) => {
            look::log(args.sandbox.choice(), context).await?;
            Ok(Exit::Done)
        }
        SandboxCommand::Fault(args) => {
            fault::run(&args, context).await?;
            Ok(Exit::Done)
        }
        SandboxCommand::Befall(args) => {
            befall::run(&args, context).await?;
            Ok(Exit::Done)
        }
        SandboxCommand::Reset(args) => {
            reset(args.sandbox.choice(), context).await?;
            Ok(Exit::Done)
        }
    }
}

async fn reset(choice: Option<&SandboxChoice>, context: Context<'_>) -> Result<(), CommandError> {
    let reached = Pretend::reach(choice, Publicity::Silent, context).await?;
    let answer = reached.control.post("reset", &json!({})).await;
    reached.leave().await;
    say(context, &answer?, "the world is as it was at its beginning");
    Ok(())
}

/// An answer, as JSON or as a sentence.
fn say(context: Context<'_>, answer: &Value, sentence: &str) {
    match context.ui.form() {
        OutputForm::Human => context.ui.result(sentence),
        OutputForm::Json => context.ui.document(answer),
        OutputForm::Ndjson => context.ui.line(answer),
    }
}
