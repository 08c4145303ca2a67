//! `escrr auth policy`

use crate::Context;
use crate::args::{AuthPhase, AuthPolicyArgs, OutputForm};
use crate::exit::Exit;
use escrr_steps::calls::{Purpose, policy};

/// Prints the policy; it is JSON in every form, since that is what it is for.
pub(super) fn run(args: AuthPolicyArgs, context: Context<'_>) -> Exit {
    let purpose = match args.phase {
        AuthPhase::Look => Purpose::Look,
        AuthPhase::Run => Purpose::Run,
        AuthPhase::Rollback => Purpose::Rollback,
    };
    let policy = policy(purpose, args.into_clusters);
    match context.ui.form() {
        OutputForm::Human | OutputForm::Json => context.ui.foreign_document(&policy),
        OutputForm::Ndjson => context.ui.line(&policy),
    }
    Exit::Done
}
