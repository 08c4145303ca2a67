//! Arguments of `escrr init`.

use super::SandboxArg;
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
    /// Which two clusters.
    #[command(flatten)]
    pub sides: SidesArg,
    /// Which cloud.
    #[command(flatten)]
    pub sandbox: SandboxArg,
}

/// The two clusters of a new spec.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct SidesArg {
    /// Region of the leader; its Elasticsearch instances are listed to choose from
    #[arg(long, env = "ESCRR_LEADER_REGION", value_name = "REGION", requires = "follower_region")]
    pub leader_region: Option<String>,
    /// Region of the follower; its Elasticsearch instances are listed to choose from
    #[arg(long, env = "ESCRR_FOLLOWER_REGION", value_name = "REGION", requires = "leader_region")]
    pub follower_region: Option<String>,
    /// Instance id of the leader; with both ids nothing is looked up
    #[arg(long, env = "ESCRR_LEADER", value_name = "ID")]
    pub leader: Option<String>,
    /// Instance id of the follower
    #[arg(long, env = "ESCRR_FOLLOWER", value_name = "ID")]
    pub follower: Option<String>,
    /// The link's name [default: made from the regions]
    #[arg(long, env = "ESCRR_LINK", value_name = "NAME")]
    pub link: Option<String>,
}
