//! Arguments that have to do with credentials and permissions.

use super::SandboxArg;
use clap::builder::FalseyValueParser;
use clap::{Subcommand, ValueEnum};
use std::path::PathBuf;

/// `escrr auth …`
#[derive(Debug, Subcommand)]
pub enum AuthCommand {
    /// Shows which source of credentials answers, why the others do not, and who they say we are
    Check(AuthCheckArgs),
    /// Prints the least policy that a user or role needs, as JSON for the vendor's access control
    Policy(AuthPolicyArgs),
}

/// `escrr auth check`
#[derive(Clone, Debug, clap::Args)]
pub struct AuthCheckArgs {
    /// The spec whose section `credentials` counts [default: escrr.toml, if there is one]
    #[arg(value_name = "SPEC")]
    pub spec: Option<PathBuf>,
    /// Which cloud.
    #[command(flatten)]
    pub sandbox: SandboxArg,
}

/// `escrr auth policy`
#[derive(Clone, Copy, Debug, clap::Args)]
pub struct AuthPolicyArgs {
    /// What is to be permitted
    #[arg(
        long,
        env = "ESCRR_AUTH_PHASE",
        value_name = "PHASE",
        value_enum,
        default_value_t = AuthPhase::Run
    )]
    pub phase: AuthPhase,
    /// Also permit what `way = "openapi"` needs: to ask the clusters by the OpenAPI
    #[arg(long, env = "ESCRR_AUTH_INTO_CLUSTERS", value_parser = FalseyValueParser::new())]
    pub into_clusters: bool,
}

/// What is to be permitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum AuthPhase {
    /// Looking: `escrr plan`, `escrr init`
    Look,
    /// Looking and making: `escrr run`, `escrr resume`
    Run,
    /// Taking back: `escrr rollback`
    Rollback,
}
