//! Arguments of `escrr plan`, `run` and `adopt`.

use super::{ConfirmArg, DieArg, SandboxArg};
use clap::builder::FalseyValueParser;
use clap::{ArgAction, ValueEnum};
use std::path::PathBuf;

/// `escrr plan`
#[derive(Clone, Debug, clap::Args)]
pub struct PlanArgs {
    /// The spec [default: escrr.toml, or the sandbox's own with --sandbox]
    #[arg(value_name = "SPEC")]
    pub spec: Option<PathBuf>,
    /// Which cloud.
    #[command(flatten)]
    pub sandbox: SandboxArg,
    /// Ends with 3 when there is something to make
    #[arg(
        long,
        env = "ESCRR_DETAILED_EXITCODE",
        action = ArgAction::SetTrue,
        value_parser = FalseyValueParser::new()
    )]
    pub detailed_exitcode: bool,
    /// Keeps the plan in a file: `escrr run --plan FILE` makes exactly that, or nothing
    #[arg(long, env = "ESCRR_PLAN_OUT", value_name = "FILE")]
    pub out: Option<PathBuf>,
}

/// `escrr adopt`
#[derive(Clone, Debug, clap::Args)]
pub struct AdoptArgs {
    /// The spec of the link [default: escrr.toml, or the sandbox's own with --sandbox]
    #[arg(value_name = "SPEC")]
    pub spec: Option<PathBuf>,
    /// The run to take over, where several carry the link's tags
    #[arg(long, env = "ESCRR_ADOPT_RUN", value_name = "ID")]
    pub run: Option<String>,
    /// Which cloud.
    #[command(flatten)]
    pub sandbox: SandboxArg,
    /// What confirms it.
    #[command(flatten)]
    pub confirm: ConfirmArg,
    /// When it kills itself.
    #[command(flatten)]
    pub die: DieArg,
}

/// `escrr run`
#[derive(Clone, Debug, clap::Args)]
pub struct RunArgs {
    /// The specs, one a link [default: escrr.toml, or the sandbox's own with --sandbox]
    #[arg(value_name = "SPEC")]
    pub specs: Vec<PathBuf>,
    /// Which cloud.
    #[command(flatten)]
    pub sandbox: SandboxArg,
    /// What confirms it.
    #[command(flatten)]
    pub confirm: ConfirmArg,
    /// What to do when a node fails for good
    #[arg(
        long,
        env = "ESCRR_ON_FAILURE",
        value_name = "WHAT",
        value_enum,
        default_value_t = OnFailure::Keep
    )]
    pub on_failure: OnFailure,
    /// Makes exactly what `escrr plan --out FILE` kept; ends with 3, and makes nothing, if the
    /// world has changed since
    #[arg(long, env = "ESCRR_PLAN", value_name = "FILE")]
    pub plan: Option<PathBuf>,
    /// When to die.
    #[command(flatten)]
    pub die: DieArg,
}

/// What to do when a node fails for good.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum OnFailure {
    /// Keep what was made; `escrr resume` goes on
    Keep,
    /// Take it back
    Rollback,
    /// Ask
    Ask,
}
