//! Arguments of `escrr init`.

use clap::ArgAction;
use clap::builder::FalseyValueParser;
use std::path::PathBuf;

/// `escrr init`
#[derive(Clone, Debug, clap::Args)]
pub struct InitArgs {
    /// File to write; `-` writes to stdout
    #[arg(value_name = "FILE", default_value = "escrr.toml")]
    pub file: PathBuf,
    /// Writes over a file that is there
    #[arg(
        long,
        env = "ESCRR_FORCE",
        action = ArgAction::SetTrue,
        value_parser = FalseyValueParser::new()
    )]
    pub force: bool,
}
