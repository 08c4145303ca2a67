//! Arguments that have to do with the store's own care.

use clap::builder::FalseyValueParser;
use clap::{ArgAction, Subcommand};
use std::path::PathBuf;

/// `escrr store …`
#[derive(Debug, Subcommand)]
pub enum StoreCommand {
    /// Reads everything and says everything that is wrong with it, and where; changes nothing
    ///
    /// Every frame and its checksum, every saga's hash chain from its first entry to its head,
    /// and the index held against the journal. Ends with 10 when something is wrong. While
    /// another process runs, the index is not looked at.
    Verify,
    /// Makes the index again of the journal
    ///
    /// The old index is kept. A damaged journal is refused, with nothing changed; see --salvage.
    Rebuild(RebuildArgs),
    /// Writes all sagas as lines of JSON, complete; also while another process runs
    Export(ExportArgs),
    /// Takes in what `escrr store export` wrote
    ///
    /// Everything is checked first: if one line is wrong, or contradicts what is here, nothing
    /// is taken in. A saga that is here already is skipped; one that had come to its end here
    /// is carried on where the file knows more of it. A spec that runs commands for its secrets
    /// (`cmd:`) is refused without --allow-commands, and the commands are listed.
    Import(ImportArgs),
    /// Makes the store small: few large archives, and a fresh index
    ///
    /// May be interrupted anywhere: nothing is removed before what replaces it is on disk.
    Compact(CompactArgs),
}

/// `escrr store rebuild`
#[derive(Clone, Debug, clap::Args)]
pub struct RebuildArgs {
    /// Makes a new store of whatever of a damaged one can be read and fits together, and keeps
    /// the whole old one
    #[arg(
        long,
        env = "ESCRR_SALVAGE",
        action = ArgAction::SetTrue,
        value_parser = FalseyValueParser::new()
    )]
    pub salvage: bool,
}

/// `escrr store export`
#[derive(Clone, Debug, clap::Args)]
pub struct ExportArgs {
    /// File to write, readable by its owner alone; `-` writes to stdout
    #[arg(value_name = "FILE", default_value = "-")]
    pub file: PathBuf,
    /// Only the sagas of this link
    #[arg(long, env = "ESCRR_LINK", value_name = "LINK")]
    pub link: Option<String>,
    /// Writes over a file that is there
    #[arg(
        long,
        env = "ESCRR_FORCE",
        action = ArgAction::SetTrue,
        value_parser = FalseyValueParser::new()
    )]
    pub force: bool,
}

/// `escrr store import`
#[derive(Clone, Debug, clap::Args)]
pub struct ImportArgs {
    /// File to read; `-` reads from stdin
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Takes in sagas also where their specs run commands on this machine (`cmd:`)
    #[arg(
        long,
        env = "ESCRR_ALLOW_COMMANDS",
        action = ArgAction::SetTrue,
        value_parser = FalseyValueParser::new()
    )]
    pub allow_commands: bool,
}

/// `escrr store compact`
#[derive(Clone, Debug, clap::Args)]
pub struct CompactArgs {
    /// Removes broken indices that were put aside
    #[arg(
        long,
        env = "ESCRR_PURGE",
        action = ArgAction::SetTrue,
        value_parser = FalseyValueParser::new()
    )]
    pub purge: bool,
}
