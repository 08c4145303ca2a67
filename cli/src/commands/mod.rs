//! One file a command.

mod adopt;
mod audit;
mod auth;
mod completions;
mod conclusion;
mod decide;
mod doctor;
mod events;
mod explain;
#[cfg(test)]
mod flow_tests;
mod graph;
mod indices;
mod init;
mod leftovers;
mod list;
mod man;
mod plan;
mod report;
mod resume;
mod rollback;
mod run;
mod sandbox;
mod schema;
#[cfg(test)]
mod screen_tests;
mod selftest;
mod show;
mod status;
mod steps;
mod store;
mod verify;
mod version;

use crate::Context;
use crate::args::Command;
use crate::error::CommandError;
use crate::exit::Exit;
use escrr_engine::Verb;

/// Does what was asked.
///
/// # Errors
/// Why it could not be done, with the exit code.
pub async fn run(command: Command, context: Context<'_>) -> Result<Exit, CommandError> {
    match command {
        Command::Init(args) => Box::pin(init::run(&args, context)).await,
        Command::Auth(command) => Box::pin(auth::run(command, context)).await,
        Command::Sandbox(command) => Box::pin(sandbox::run(command, context)).await,
        Command::Selftest(args) => Box::pin(selftest::run(&args, context)).await,
        Command::Store(command) => store::run(command, context).await,
        Command::Explain(args) => explain::run(&args, context),
        Command::Steps => steps::run(context),
        Command::Schema(args) => schema::run(args, context),
        Command::Completions(args) => completions::run(args, context),
        Command::Man(args) => man::run(&args, context),
        Command::Version => Ok(version::run(context)),
        Command::Plan(args) => Box::pin(plan::run(&args, context)).await,
        Command::Run(args) => Box::pin(run::run(&args, context)).await,
        Command::Resume(args) => Box::pin(resume::run(&args, context)).await,
        Command::Rollback(args) => Box::pin(rollback::run(&args, context)).await,
        Command::Status(args) => status::run(&args, context).await,
        Command::List => list::run(context),
        Command::Events(args) => events::run(&args, context).await,
        Command::Show(args) => show::run(&args, context),
        Command::Graph(args) => graph::run(&args, context),
        Command::Report(args) => report::run(&args, context),
        Command::Adopt(args) => Box::pin(adopt::run(&args, context)).await,
        Command::Audit(args) => Box::pin(audit::run(&args, context)).await,
        Command::Verify(args) => Box::pin(verify::run(&args, context)).await,
        Command::Doctor(args) => Box::pin(doctor::run(&args, context)).await,
        Command::Lag(args) => Box::pin(verify::lag(&args, context)).await,
        Command::Retry(args) => decide::run(Verb::Retry, &args, context).await,
        Command::Skip(args) => decide::run(Verb::Skip, &args, context).await,
        Command::MarkDone(args) => decide::run(Verb::MarkDone, &args, context).await,
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::Context;
    use crate::args::{Args, OutputForm};
    use crate::settings::{Settings, Terminal};
    use crate::ui::{Captured, Ui};
    use clap::Parser as _;
    use std::collections::BTreeMap;

    /// What a command needs, with a home of its own that goes away.
    pub(crate) struct Stage {
        pub(crate) captured: Captured,
        pub(crate) home: tempfile::TempDir,
        ui: Ui,
        settings: Settings,
        env: BTreeMap<String, String>,
    }

    /// A second command over the home of a [`Stage`].
    pub(crate) struct Guest<'a> {
        pub(crate) captured: Captured,
        ui: Ui,
        settings: Settings,
        env: &'a BTreeMap<String, String>,
    }

    impl Guest<'_> {
        pub(crate) fn context(&self) -> Context<'_> {
            Context { ui: &self.ui, settings: &self.settings, env: self.env }
        }
    }

    impl Stage {
        pub(crate) fn new(form: OutputForm) -> Self {
            let home = tempfile::tempdir().unwrap();
            let dir = home.path().display().to_string();
            let global = Args::parse_from(["escrr", "--home", &dir, "version"]).global;
            let env = BTreeMap::new();
            let mut settings = Settings::resolve(&global, &env, Terminal::default()).unwrap();
            settings.output = form;
            let (ui, captured) = Ui::captured(form);
            Self { captured, home, ui, settings, env }
        }

        /// The same home and environment, with streams of its own.
        pub(crate) fn again(&self, form: OutputForm) -> Guest<'_> {
            let mut settings = self.settings.clone();
            settings.output = form;
            let (ui, captured) = Ui::captured(form);
            Guest { captured, ui, settings, env: &self.env }
        }

        pub(crate) fn with_env(mut self, name: &str, value: &str) -> Self {
            self.env.insert(name.to_owned(), value.to_owned());
            self
        }

        pub(crate) fn context(&self) -> Context<'_> {
            Context { ui: &self.ui, settings: &self.settings, env: &self.env }
        }
    }
}
