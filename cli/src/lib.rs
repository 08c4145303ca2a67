//! The command line: parse, settle, do, say, end with a code.
//!
//! - [`args`] is the manual; [`settings`] the only reader of the environment;
//! - `commands` has one file a command; they return an [`exit::Exit`] or an
//!   [`error::CommandError`] and say things through [`ui::Ui`] alone;
//! - [`trace`] writes a log file beside the store.

mod account;
pub mod actor;
pub mod args;
pub mod blocks;
pub mod clock;
pub mod codes;
pub mod commands;
pub mod credentials;
pub mod error;
pub mod exit;
pub mod explain;
pub mod files;
pub mod history;
mod limits;
pub mod manner;
pub mod place;
pub mod pretend;
pub mod probes;
pub mod sagas;
pub mod sandbox_control;
pub mod schemas;
pub mod secrets;
pub mod selftest;
pub mod session;
pub mod settings;
pub mod shell;
pub mod specs;
pub mod store;
pub mod trace;
pub mod ui;
pub mod whereabouts;
pub mod worlds;

use args::{Args, AuthCommand, Command, OutputForm, SandboxChoice};
use clap::FromArgMatches as _;
use clap::error::ErrorKind;
use error::CommandError;
use exit::Exit;
use settings::{Env, ProcessEnv, Settings, Terminal};
use std::process::ExitCode;
use tokio::signal::unix::{SignalKind, signal};
use ui::Ui;

/// What a command works with.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    /// Where it says things.
    pub ui: &'a Ui,
    /// What is settled.
    pub settings: &'a Settings,
    /// The environment, for secrets that lie in it.
    pub env: &'a dyn Env,
}

/// The whole program.
pub fn main() -> ExitCode {
    let parsed = args::command_of_process().try_get_matches().and_then(|matches| {
        let sandbox = whereabouts::sandbox_of(&matches);
        Args::from_arg_matches(&matches).map(|args| (args, sandbox))
    });
    match parsed {
        Ok((args, sandbox)) => begin(args, sandbox.as_ref()).into(),
        Err(error) => {
            // Help names every variable, also one that is empty.
            let shows = error.kind() == ErrorKind::DisplayHelp;
            let whole = shows.then(|| args::command().try_get_matches().err()).flatten();
            let error = whole.unwrap_or(error);
            // Help and the version are no errors, and they go to stdout.
            let exit = if error.use_stderr() { Exit::Usage } else { Exit::Done };
            let printed = error.print();
            if let Err(error) = printed
                && error.kind() != std::io::ErrorKind::BrokenPipe
                && exit == Exit::Done
            {
                let said = format!("the text could not be written to stdout: {error}");
                let error = CommandError::new(codes::UNWRITABLE, said);
                Ui::bare(OutputForm::Human).problem(&error);
                return error.exit().into();
            }
            if exit == Exit::Usage && settings::json_is_wanted(std::env::args_os(), &ProcessEnv) {
                Ui::bare(OutputForm::Json).document(&CommandError::from(&error).to_json());
            }
            exit.into()
        }
    }
}

fn begin(args: Args, sandbox: Option<&SandboxChoice>) -> Exit {
    let failed = |form: OutputForm, error: &CommandError| {
        Ui::bare(form).error(error);
        error.exit()
    };
    let form = args.global.output;
    let settings = match Settings::resolve(&args.global, &ProcessEnv, Terminal::detect()) {
        Ok(mut settings) => {
            settings.whereabouts = settings.whereabouts.with_sandbox(sandbox);
            settings
        }
        Err(error) => return failed(form, &error),
    };
    if let Err(error) = limits::check() {
        return failed(form, &error);
    }
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            return failed(form, &CommandError::new(codes::BUG, format!("no runtime: {error}")));
        }
    };
    bear_a_limit(&runtime);
    if leaves_a_trace(&args.command) {
        // Whatever mask the caller has: what a home holds is its owner's alone.
        rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o077));
    }
    let ui = Ui::new(&settings);
    if leaves_a_trace(&args.command)
        && let Err(error) = trace::start(&settings)
    {
        ui.warning(&format!("nothing is logged: {}: {error}", settings.home.log_file().display()));
    }
    let context = Context { ui: &ui, settings: &settings, env: &ProcessEnv };
    let exit = match runtime.block_on(commands::run(args.command, context)) {
        Ok(exit) => told(exit, &ui),
        Err(error) => {
            tracing::error!(code = error.code.id, %error, "the command failed");
            ui.error(&error);
            error.exit()
        }
    };
    // A thread that waits for a line on stdin would hold the process.
    runtime.shutdown_background();
    exit
}

/// A write beyond a limit on the length of files ends with an error from now on, as one to a full
/// disk does, and not with the process.
fn bear_a_limit(runtime: &tokio::runtime::Runtime) {
    let _inside = runtime.enter();
    let limit = SignalKind::from_raw(rustix::process::Signal::XFSZ.as_raw());
    // Once somebody has listened, the signal does nothing by itself. Where nobody may listen,
    // everything else goes on.
    drop(signal(limit));
}

/// The exit code of a command that came to its end, unless its result got lost on the way out.
fn told(exit: Exit, ui: &Ui) -> Exit {
    match ui.lost(exit) {
        None => exit,
        Some(error) => {
            tracing::error!(code = error.code.id, %error, "the result could not be written");
            ui.problem(&error);
            if exit == Exit::Done { error.exit() } else { exit }
        }
    }
}

/// Does the command do anything that is worth a log file and a home?
const fn leaves_a_trace(command: &Command) -> bool {
    !matches!(
        command,
        Command::Init(_)
            | Command::Explain(_)
            | Command::Steps
            | Command::Schema(_)
            | Command::Completions(_)
            | Command::Man(_)
            | Command::Version
            | Command::Auth(AuthCommand::Policy(_))
    )
}
