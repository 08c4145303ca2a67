//! `escrr auth …`

mod check;
mod policy;

use crate::Context;
use crate::args::AuthCommand;
use crate::error::CommandError;
use crate::exit::Exit;

/// Does what was asked.
///
/// # Errors
/// No credentials answer, or the cloud does not take them.
pub(super) async fn run(command: AuthCommand, context: Context<'_>) -> Result<Exit, CommandError> {
    match command {
        AuthCommand::Check(args) => check::run(&args, context).await,
        AuthCommand::Policy(args) => Ok(policy::run(args, context)),
    }
}
