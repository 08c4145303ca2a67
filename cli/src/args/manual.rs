//! Arguments of the commands that explain `escrr` itself.

use clap::ValueEnum;
use clap_complete::Shell;
use std::path::PathBuf;

/// `escrr explain`
#[derive(Clone, Debug, clap::Args)]
pub struct ExplainArgs {
    /// The code of an error, for example `E0101`; or one of the vendor's, `Throttling.User`
    #[arg(value_name = "CODE")]
    pub code: Option<String>,
}

/// `escrr completions`
#[derive(Clone, Copy, Debug, clap::Args)]
pub struct CompletionsArgs {
    /// The shell
    #[arg(value_name = "SHELL", value_enum)]
    pub shell: Shell,
}

/// `escrr man`
#[derive(Clone, Debug, clap::Args)]
pub struct ManArgs {
    /// Writes a page for every command into this directory, instead of the first one to stdout
    #[arg(long, env = "ESCRR_MAN_OUT", value_name = "DIR")]
    pub out: Option<PathBuf>,
}

/// `escrr schema`
#[derive(Clone, Copy, Debug, clap::Args)]
pub struct SchemaArgs {
    /// What it describes
    #[arg(value_name = "WHAT", value_enum)]
    pub what: SchemaOf,
}

/// What a schema describes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum SchemaOf {
    /// The spec, for editors
    Spec,
    /// One line of `--output ndjson`
    Events,
    /// The document of `--output json`
    Document,
}
