//! `escrr graph`, `escrr report`: pictures of a saga.

use super::LinkArg;
use clap::builder::FalseyValueParser;
use clap::{ArgAction, ValueEnum};
use std::path::PathBuf;

/// `escrr graph`
#[derive(Clone, Debug, clap::Args)]
pub struct GraphArgs {
    /// Which saga; where none has been begun, the graph of the job as such
    #[command(flatten)]
    pub link: LinkArg,
    /// The graph of the job for this spec, before anything is begun
    #[arg(long, env = "ESCRR_SPEC", value_name = "SPEC", conflicts_with = "link")]
    pub spec: Option<PathBuf>,
    /// Language of the picture
    #[arg(
        long,
        env = "ESCRR_FORMAT",
        value_name = "FORMAT",
        value_enum,
        default_value_t = GraphFormat::Mermaid
    )]
    pub format: GraphFormat,
    /// File to write [default: stdout]
    #[arg(long, env = "ESCRR_OUT", value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Whether a file that is there may go.
    #[command(flatten)]
    pub force: ForceArg,
}

/// Language of a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum GraphFormat {
    /// Mermaid, which code hosts and wikis draw
    Mermaid,
    /// Graphviz
    Dot,
    /// A picture for browsers, with nothing else needed
    Svg,
}

/// `escrr report`
#[derive(Clone, Debug, clap::Args)]
pub struct ReportArgs {
    /// Which saga.
    #[command(flatten)]
    pub link: LinkArg,
    /// File to write; `-` writes to stdout
    #[arg(long, env = "ESCRR_OUT", value_name = "FILE")]
    pub out: PathBuf,
    /// Whether a file that is there may go.
    #[command(flatten)]
    pub force: ForceArg,
}

/// Whether a file that is there may be written over.
#[derive(Clone, Debug, clap::Args)]
pub struct ForceArg {
    /// Writes over a file that is there
    #[arg(
        long,
        env = "ESCRR_FORCE",
        action = ArgAction::SetTrue,
        value_parser = FalseyValueParser::new()
    )]
    pub force: bool,
}
