//! Arguments of `escrr verify` and `escrr lag`.

use super::{LinkArg, SandboxArg};
use clap::ArgAction;
use clap::builder::FalseyValueParser;
use std::path::PathBuf;

/// `escrr verify`
#[derive(Clone, Debug, clap::Args)]
pub struct VerifyArgs {
    /// Which link.
    #[command(flatten)]
    pub subject: SubjectArgs,
    /// What it is held against.
    #[command(flatten)]
    pub limits: LimitArgs,
    /// Compares every document of every index instead of a sample
    #[arg(
        long,
        env = "ESCRR_FULL",
        action = ArgAction::SetTrue,
        value_parser = FalseyValueParser::new()
    )]
    pub full: bool,
    /// Documents of each index that are compared one by one, drawn at random
    /// [default: `verify.sample_documents` of the spec]
    #[arg(
        long,
        env = "ESCRR_SAMPLE",
        value_name = "NUMBER",
        value_parser = clap::value_parser!(u32).range(0..=10_000)
    )]
    pub sample: Option<u32>,
    /// Writes nothing: no probe index on the leader
    #[arg(
        long,
        env = "ESCRR_NO_PROBE",
        action = ArgAction::SetTrue,
        value_parser = FalseyValueParser::new()
    )]
    pub no_probe: bool,
}

/// `escrr lag`
#[derive(Clone, Debug, clap::Args)]
pub struct LagArgs {
    /// Which link.
    #[command(flatten)]
    pub subject: SubjectArgs,
    /// What it is held against.
    #[command(flatten)]
    pub limits: LimitArgs,
}

/// A link by its saga, or by a spec alone.
#[derive(Clone, Debug, clap::Args)]
pub struct SubjectArgs {
    /// Which saga.
    #[command(flatten)]
    pub link: LinkArg,
    /// The link that this spec describes, also when it was built by hand; no saga is needed
    #[arg(long, env = "ESCRR_SPEC", value_name = "FILE", conflicts_with = "link")]
    pub spec: Option<PathBuf>,
    /// Which cloud.
    #[command(flatten)]
    pub sandbox: SandboxArg,
}

/// Limits that go before those of the spec.
#[derive(Clone, Copy, Debug, clap::Args)]
pub struct LimitArgs {
    /// The longest that a follower may be behind [default: `verify.max_lag_seconds` of the spec]
    #[arg(
        long,
        env = "ESCRR_MAX_LAG_SECONDS",
        value_name = "SECONDS",
        value_parser = clap::value_parser!(u64).range(1..)
    )]
    pub max_lag_seconds: Option<u64>,
    /// Operations that a follower may be behind [default: `verify.max_lag_operations` of the spec]
    #[arg(long, env = "ESCRR_MAX_LAG_OPERATIONS", value_name = "NUMBER")]
    pub max_lag_operations: Option<u64>,
}
