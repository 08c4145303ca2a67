//! The command line: these types and their comments are the manual.

mod auth;
mod cloud;
mod doctor;
mod init;
mod manual;
mod run;
mod sandbox;
mod seeing;
mod selftest;
mod store;
mod verify;

pub use auth::{AuthCheckArgs, AuthCommand, AuthPhase, AuthPolicyArgs};
pub use cloud::{CloudArgs, NetworkArg, SignatureArg};
pub use doctor::DoctorArgs;
pub use init::{InitArgs, SidesArg};
pub use manual::{CompletionsArgs, ExplainArgs, ManArgs, SchemaArgs, SchemaOf};
pub use run::{AdoptArgs, OnFailure, PlanArgs, RunArgs};
pub use sandbox::{
    BefallArgs, FaultArgs, Kill, RunningArgs, SandboxArg, SandboxChoice, SandboxCommand,
    SandboxStartArgs, WhichRequests,
};
pub use seeing::{ForceArg, GraphArgs, GraphFormat, ReportArgs};
pub use selftest::{DieArg, SelftestArgs};
pub use store::{CompactArgs, ExportArgs, ImportArgs, RebuildArgs, StoreCommand};
pub use verify::{LagArgs, LimitArgs, SubjectArgs, VerifyArgs};

use clap::builder::FalseyValueParser;
use clap::{ArgAction, CommandFactory as _, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;

/// Sets up, verifies and takes back cross-region replication between two Alibaba Cloud
/// Elasticsearch clusters.
///
/// Every act is written down before it is done: a run that was stopped anywhere, by anything,
/// goes on with `escrr resume`, and `escrr rollback` takes back what it made and nothing else.
#[derive(Debug, Parser)]
#[command(name = "escrr", version, after_help = EXAMPLES, after_long_help = EXAMPLES)]
pub struct Args {
    /// What holds for every command.
    #[command(flatten)]
    pub global: Global,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

const EXAMPLES: &str = "\
Examples:
  escrr run --sandbox --yes   the whole job in a pretend cloud, without an account
  escrr init && escrr plan    write a spec, then see what it would make
  escrr run escrr.toml        do it
  escrr resume                go on after anything";

/// What holds for every command.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Options of every command")]
pub struct Global {
    /// Where the state is kept: the store, the logs, the sandbox's world
    /// [default: `$XDG_STATE_HOME/escrr` or `~/.local/state/escrr`]
    #[arg(long, env = "ESCRR_HOME", value_name = "DIR", global = true)]
    pub home: Option<PathBuf>,

    /// Form of the result on stdout
    #[arg(
        long,
        env = "ESCRR_OUTPUT",
        value_name = "FORM",
        value_enum,
        default_value_t = OutputForm::Human,
        global = true
    )]
    pub output: OutputForm,

    /// Colours
    #[arg(
        long,
        env = "ESCRR_COLOR",
        value_name = "WHEN",
        value_enum,
        default_value_t = ColorWhen::Auto,
        global = true
    )]
    pub color: ColorWhen,

    /// Form of the progress on stderr
    #[arg(
        long,
        env = "ESCRR_PROGRESS",
        value_name = "FORM",
        value_enum,
        default_value_t = ProgressForm::Auto,
        global = true
    )]
    pub progress: ProgressForm,

    /// Says only what went wrong
    #[arg(
        short,
        long,
        env = "ESCRR_QUIET",
        action = ArgAction::SetTrue,
        value_parser = FalseyValueParser::new(),
        global = true
    )]
    pub quiet: bool,

    /// Says more; twice, writes more into the log file too
    #[arg(short, long, env = "ESCRR_VERBOSE", action = ArgAction::Count, global = true)]
    pub verbose: u8,

    /// Never asks: what has to be confirmed needs its flag
    #[arg(
        long,
        env = "ESCRR_NO_INPUT",
        action = ArgAction::SetTrue,
        value_parser = FalseyValueParser::new(),
        global = true
    )]
    pub no_input: bool,

    /// How the cloud is called.
    #[command(flatten)]
    pub cloud: CloudArgs,
}

/// Form of the result on stdout.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum OutputForm {
    /// For people
    Human,
    /// One JSON document at the end
    Json,
    /// One JSON object a line, as it happens
    Ndjson,
}

/// When to use colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ColorWhen {
    /// On a terminal that can show them
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// Form of the progress on stderr.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ProgressForm {
    /// A tree on a terminal, else lines
    Auto,
    /// A live tree
    Tree,
    /// One line a transition
    Plain,
    /// Nothing
    None,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Writes a commented spec to start from
    Init(InitArgs),
    /// Looks at everything, writes nothing: what would be made, what is there, what differs
    Plan(PlanArgs),
    /// Makes the links of the specs, side by side
    Run(RunArgs),
    /// Goes on exactly where it stopped
    Resume(ResumeArgs),
    /// Takes back what was made, in reverse; can be resumed itself
    Rollback(RollbackArgs),
    /// Shows how far it is, what it waits for and what comes next
    Status(StatusArgs),
    /// Lists the sagas
    List,
    /// Prints the journal
    Events(EventsArgs),
    /// Shows one node with its evidence
    Show(ShowArgs),
    /// Draws the saga's graph in its states
    Graph(GraphArgs),
    /// Writes one page for people: topology, timeline, checks, what was made and what stays
    ///
    /// The page needs nothing from elsewhere and runs no script. It names ids and addresses: only
    /// its owner may read the file.
    Report(ReportArgs),
    /// Take over a run whose home is lost, by the tags that its resources carry
    ///
    /// The run is continued in this home under its own id: `escrr resume` completes it and
    /// `escrr rollback` deletes what it created. Make sure that no other home still works on it.
    Adopt(AdoptArgs),
    /// Holds the journal against the cloud: what is alive, gone, or left behind
    Audit(AuditArgs),
    /// Verifies a link again: every index compared, new data proved, everything wrong at once
    Verify(VerifyArgs),
    /// Finds out why a link does not work: the document's FAQ as nine checks, the cause first
    ///
    /// It works on a link of a saga, and by `--spec` on one that was built by hand. It changes nothing,
    /// unless `--fix` is given.
    Doctor(DoctorArgs),
    /// Shows how far each follower is behind, and ends with 9 above a limit
    Lag(LagArgs),
    /// Lets a failed or stuck node try again
    Retry(VerbArgs),
    /// Lets the saga go on without a node
    Skip(VerbArgs),
    /// Takes a node as done that a person has done by hand
    MarkDone(VerbArgs),
    /// Credentials and permissions: which are used, and which are needed
    #[command(subcommand)]
    Auth(AuthCommand),
    /// The care of the store: check it, repair it, carry it elsewhere, make it small
    #[command(subcommand)]
    Store(StoreCommand),
    /// The pretend cloud
    #[command(subcommand)]
    Sandbox(SandboxCommand),
    /// Proves on this machine and disk that a run survives being killed
    ///
    /// Sets a link up in a pretend cloud and takes it back, kills the process with SIGKILL at
    /// persisted transitions, goes on and compares; measures what a sync of this disk costs.
    /// Works in a directory of its own inside the home, and removes it.
    Selftest(SelftestArgs),
    /// Says what an error code means and what to do; lists all codes when none is named
    Explain(ExplainArgs),
    /// Lists the steps of the job: what each node makes, needs and takes back
    Steps,
    /// Prints the JSON schema of what is read or written
    Schema(SchemaArgs),
    /// Prints what lets a shell complete the command line
    ///
    /// For bash: `escrr completions bash >~/.local/share/bash-completion/completions/escrr`
    Completions(CompletionsArgs),
    /// Prints the manual page, or writes those of all commands
    Man(ManArgs),
    /// Shows the version
    Version,
}

/// Confirmation without a question.
#[derive(Clone, Debug, clap::Args)]
pub struct ConfirmArg {
    /// Answers yes to what would be asked
    #[arg(
        short,
        long,
        env = "ESCRR_YES",
        action = ArgAction::SetTrue,
        value_parser = FalseyValueParser::new()
    )]
    pub yes: bool,
}

/// Which saga.
#[derive(Clone, Debug, clap::Args)]
pub struct LinkArg {
    /// The link's name; may be left out when one saga is live
    #[arg(value_name = "LINK")]
    pub link: Option<String>,
}

/// `escrr resume`
#[derive(Clone, Debug, clap::Args)]
pub struct ResumeArgs {
    /// Which saga.
    #[command(flatten)]
    pub link: LinkArg,
    /// Which cloud.
    #[command(flatten)]
    pub sandbox: SandboxArg,
    /// When to die.
    #[command(flatten)]
    pub die: DieArg,
}

/// `escrr rollback`
#[derive(Clone, Debug, clap::Args)]
pub struct RollbackArgs {
    /// Which saga.
    #[command(flatten)]
    pub link: LinkArg,
    /// Which cloud.
    #[command(flatten)]
    pub sandbox: SandboxArg,
    /// Release followers that somebody else created over the link's remote cluster: they become
    /// ordinary indices
    #[arg(
        long,
        env = "ESCRR_RELEASE_FOREIGN",
        action = ArgAction::SetTrue,
        value_parser = FalseyValueParser::new()
    )]
    pub release_foreign: bool,
    /// What confirms it.
    #[command(flatten)]
    pub confirm: ConfirmArg,
    /// When to die.
    #[command(flatten)]
    pub die: DieArg,
}

/// `escrr status`
#[derive(Clone, Debug, clap::Args)]
pub struct StatusArgs {
    /// Which saga.
    #[command(flatten)]
    pub link: LinkArg,
    /// Shows it again whenever it changes, until it ends
    #[arg(
        short,
        long,
        env = "ESCRR_WATCH",
        action = ArgAction::SetTrue,
        value_parser = FalseyValueParser::new()
    )]
    pub watch: bool,
}

/// `escrr events`
#[derive(Clone, Debug, clap::Args)]
pub struct EventsArgs {
    /// Which saga.
    #[command(flatten)]
    pub link: LinkArg,
    /// Goes on with new ones until the saga ends
    #[arg(
        short,
        long,
        env = "ESCRR_FOLLOW",
        action = ArgAction::SetTrue,
        value_parser = FalseyValueParser::new()
    )]
    pub follow: bool,
}

/// `escrr show`
#[derive(Clone, Debug, clap::Args)]
pub struct ShowArgs {
    /// The node, for example `follower.load_balancer`
    #[arg(value_name = "NODE")]
    pub node: String,
    /// The link's name; may be left out when one saga is live
    #[arg(long, env = "ESCRR_LINK", value_name = "LINK")]
    pub link: Option<String>,
}

/// `escrr audit`
#[derive(Clone, Debug, clap::Args)]
pub struct AuditArgs {
    /// Which saga.
    #[command(flatten)]
    pub link: LinkArg,
    /// Which cloud.
    #[command(flatten)]
    pub sandbox: SandboxArg,
}

/// `escrr retry`, `escrr skip`, `escrr mark-done`
#[derive(Clone, Debug, clap::Args)]
pub struct VerbArgs {
    /// The node, for example `follower.load_balancer`
    #[arg(value_name = "NODE")]
    pub node: String,
    /// Why; it is written into the journal
    #[arg(long, env = "ESCRR_REASON", value_name = "TEXT")]
    pub reason: String,
    /// The link's name; may be left out when one saga is live
    #[arg(long, env = "ESCRR_LINK", value_name = "LINK")]
    pub link: Option<String>,
}

/// The command line as a value: for parsing, for the manual and for completions.
pub fn command() -> clap::Command {
    without_values(Args::command())
}

/// The same for a process whose environment has empty variables: those count as unset.
pub fn command_of_process() -> clap::Command {
    without_empty(command())
}

fn without_empty(command: clap::Command) -> clap::Command {
    let unset = |arg: clap::Arg| {
        let empty = arg.get_env().is_some_and(crate::settings::is_empty);
        // A variable without a name is never set.
        if empty { arg.env("") } else { arg }
    };
    command.mut_args(unset).mut_subcommands(without_empty)
}

/// Help must not depend on the environment it is asked in, nor show what is in it.
fn without_values(command: clap::Command) -> clap::Command {
    command.mut_args(|arg| arg.hide_env_values(true)).mut_subcommands(without_values)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        command().debug_assert();
    }

    #[test]
    fn every_flag_has_its_variable() {
        fn look(command: &clap::Command) {
            for arg in command.get_arguments() {
                let id = arg.get_id().as_str();
                if arg.is_positional() || id == "help" || id == "version" {
                    continue;
                }
                let env = arg.get_env().and_then(|env| env.to_str()).unwrap_or_default();
                assert!(env.starts_with("ESCRR_"), "{} --{id} has no variable", command.get_name());
            }
            command.get_subcommands().for_each(look);
        }
        look(&command());
    }

    #[test]
    fn flags_of_every_command_may_stand_anywhere() {
        let args = Args::parse_from(["escrr", "version", "--output", "json", "-vv", "--no-input"]);
        assert_eq!(args.global.output, OutputForm::Json);
        assert_eq!(args.global.verbose, 2);
        assert!(args.global.no_input && !args.global.quiet);
    }

    #[test]
    fn an_operators_verb_needs_a_reason() {
        assert!(Args::try_parse_from(["escrr", "skip", "follower.domain"]).is_err());
        assert!(Args::try_parse_from(["escrr", "mark-done", "a.b", "--reason", "by hand"]).is_ok());
    }
}
