//! Arguments of `escrr doctor`.

use super::{ConfirmArg, SubjectArgs};
use clap::ArgAction;
use clap::builder::FalseyValueParser;

/// `escrr doctor`
#[derive(Clone, Debug, clap::Args)]
pub struct DoctorArgs {
    /// Which link.
    #[command(flatten)]
    pub subject: SubjectArgs,
    /// Mends what is safe to mend, after it was shown and confirmed
    #[arg(
        long,
        env = "ESCRR_FIX",
        action = ArgAction::SetTrue,
        value_parser = FalseyValueParser::new()
    )]
    pub fix: bool,
    /// What confirms it.
    #[command(flatten)]
    pub confirm: ConfirmArg,
}
