//! `escrr sandbox …`: a thin command over the pretend cloud.

mod fault;
mod look;
mod start;

use crate::Context;
use crate::args::{OutputForm, SandboxChoice, SandboxCommand};
use crate::codes;
use crate::error::{CommandError, chain};
use crate::exit::Exit;
use crate::sandbox_control::{Control, find};
use escrr_sandbox::{Error, Options, Sandbox};
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
        SandboxCommand::Reset(args) => {
            reset(args.sandbox.choice(), context).await?;
            Ok(Exit::Done)
        }
    }
}

async fn reset(choice: Option<&SandboxChoice>, context: Context<'_>) -> Result<(), CommandError> {
    let reached = Reached::new(choice, context).await?;
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

/// A sandbox that can be asked: the one that runs, else one on the same world for this call alone.
struct Reached {
    control: Control,
    own: Option<Sandbox>,
}

impl Reached {
    async fn new(
        choice: Option<&SandboxChoice>,
        context: Context<'_>,
    ) -> Result<Self, CommandError> {
        let home = &context.settings.home;
        if let Some(addresses) = find(choice, home)? {
            let control = Control::new(&addresses)?;
            match control.get("clock").await {
                Ok(_) => return Ok(Self { control, own: None }),
                // The note may be older than the process that has its number now.
                Err(error) if error.code == codes::NO_SANDBOX && !is_file(choice) => {}
                Err(error) => return Err(error),
            }
        }
        let options = Options { dir: Some(home.world()), ..Options::default() };
        let own = Sandbox::start(options).await.map_err(|error| explain(&error))?;
        Ok(Self { control: Control::new(own.addresses())?, own: Some(own) })
    }

    async fn leave(self) {
        if let Some(own) = self.own {
            own.stop().await;
        }
    }
}

/// Were addresses named? Then no other sandbox will do.
const fn is_file(choice: Option<&SandboxChoice>) -> bool {
    matches!(choice, Some(SandboxChoice::File(_)))
}

/// What the sandbox's own errors mean here.
fn explain(error: &Error) -> CommandError {
    let said = chain(error);
    match error {
        Error::InUse { .. } => CommandError::new(codes::SANDBOX_RUNS, said)
            .hint("stop it, or name another directory with --home"),
        Error::NoWorld { .. } => CommandError::new(codes::NO_SANDBOX, said)
            .hint("`escrr sandbox start` makes a world and serves it"),
        Error::World(_) => CommandError::new(codes::WORLD_FILE, said),
        Error::Damaged { .. } | Error::Newer { .. } => {
            CommandError::new(codes::SANDBOX_START, said)
                .hint("remove the directory to begin with a new world")
        }
        Error::File { .. } | Error::Write(_) | Error::Listen(_) => {
            CommandError::new(codes::SANDBOX_START, said)
        }
    }
}
