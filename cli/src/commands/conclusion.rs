//! How a command that carried sagas on ends: what is said, and with which code.

use crate::Context;
use crate::args::OutputForm;
use crate::error::CommandError;
use crate::exit::Exit;
use crate::sagas::{exit_of, next_command, whole};
use crate::session::Driven;
use crate::shell::word;
use crate::ui::document::Standing;
use crate::ui::fates::before_setting_up_again;
use crate::ui::{document, result};
use escrr_engine::{About, Direction, Phase, Saga};
use serde_json::{Value, json};

/// One saga at its end, and what this command says of it.
pub(super) struct Concluded {
    pub(super) saga: Saga,
    pub(super) exit: Exit,
    /// What else its document holds.
    pub(super) more: Vec<(&'static str, Value)>,
    /// What is wrong where no node of it says so.
    pub(super) error: Option<CommandError>,
}

impl Concluded {
    /// A saga that was carried on.
    pub(super) fn of(saga: Saga, stopped: Option<Exit>) -> Self {
        let exit = match stopped {
            Some(exit) if saga.outcome.is_none() => exit,
            Some(_) | None => exit_of(&saga),
        };
        Self { saga, exit, more: Vec::new(), error: None }
    }

    /// What its document says to be wrong.
    fn described(&self, about: &[About]) -> Option<Value> {
        let wrong = !matches!(self.exit, Exit::Done | Exit::Interrupted | Exit::Terminated);
        let said = self.error.as_ref().map(CommandError::described);
        let found =
            || result::problem(&self.saga, about).or_else(|| result::cause(&self.saga, about));
        said.or_else(|| found().filter(|_| wrong).map(|error| error.described()))
    }
}

/// Splits what was driven into one conclusion a saga; what could not go on is said at once.
pub(super) fn conclusions(driven: Driven, context: Context<'_>) -> Vec<Concluded> {
    let mut worst: Option<CommandError> = None;
    for error in driven.errors {
        context.ui.problem(&error);
        if worst.as_ref().is_none_or(|worst| worst.exit() < error.exit()) {
            worst = Some(error);
        }
    }
    let mut all = Vec::new();
    for saga in driven.sagas {
        let mut concluded = Concluded::of(saga, driven.stopped);
        // Without an end of its own it is one of those that could not go on.
        if matches!(concluded.saga.phase(), Phase::Running | Phase::RollingBack)
            && driven.stopped.is_none()
            && let Some(error) = &worst
        {
            concluded.exit = error.exit();
            concluded.error = Some(error.clone());
        }
        all.push(concluded);
    }
    all
}

/// Says how every saga ended, and gives the code of the worst.
pub(super) fn conclude(
    all: &[Concluded],
    about: &[About],
    flag: &str,
    context: Context<'_>,
) -> Exit {
    let exit = all.iter().map(|one| one.exit).max().unwrap_or(Exit::Done);
    let documents: Vec<Value> = all.iter().map(|one| document_of(one, about, flag)).collect();
    match (context.ui.form(), documents.as_slice()) {
        (OutputForm::Json, [one]) => context.ui.document(one),
        (OutputForm::Json, many) => {
            let mut worst = all.iter().filter(|one| one.exit == exit);
            let error = worst.find_map(|one| one.described(about));
            context.ui.document(&json!({
                "sagas": many, "exit_code": exit.code(), "class": exit.class(), "error": error,
            }));
        }
        (OutputForm::Human | OutputForm::Ndjson, _) => {}
    }
    for one in all {
        say(one, about, flag, context);
    }
    exit
}

fn document_of(one: &Concluded, about: &[About], flag: &str) -> Value {
    let next = next_command(&one.saga, flag);
    let standing = Standing {
        exit: Some(one.exit),
        at_work: false,
        next_command: next.as_deref(),
        error: one.described(about),
    };
    let mut document = document::saga(&one.saga, about, &standing);
    if let Some(fields) = document.as_object_mut() {
        fields.extend(one.more.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
    }
    document
}

/// Results go to stdout for people alone; problems and what comes next go to stderr always.
fn say(one: &Concluded, about: &[About], flag: &str, context: Context<'_>) {
    let ui = context.ui;
    let saga = &one.saga;
    let result = |text: &str| {
        if ui.form() == OutputForm::Human {
            ui.result(text);
        }
    };
    let resume = next_command(saga, flag).unwrap_or_default();
    match saga.phase() {
        Phase::Succeeded if one.exit == Exit::Done => {
            result(&result::succeeded(saga, about));
            ui.hint(&format!("`escrr rollback {}{flag}` takes it back", word(&saga.link)));
        }
        Phase::Succeeded => {}
        Phase::HistoryIncomplete => {
            if let Err(error) = whole(saga, flag) {
                ui.problem(&error);
            }
        }
        Phase::RolledBack => {
            result(&result::rolled_back(saga, about));
            let fates = crate::ui::fates::of_saga(saga, about);
            if let Some(hint) = before_setting_up_again(&saga.link, &fates) {
                ui.hint(&hint);
            }
        }
        Phase::Failed | Phase::Parked | Phase::RollbackStuck => {
            for problem in result::problems(saga, about) {
                ui.problem(&problem);
            }
            if saga.phase() == Phase::RollbackStuck {
                result(&result::left(saga, about));
            } else {
                let made = result::made(saga);
                let (link, exit) = (&saga.link, one.exit);
                ui.status(&format!(
                    "{link} stopped ({}); what was made so far ({made}) is kept",
                    exit.class()
                ));
            }
            if saga.direction == Direction::Forward {
                ui.hint(&format!(
                    "`escrr rollback {}{flag}` takes back what was made",
                    word(&saga.link)
                ));
            }
            ui.hint(
                "a node can be decided over, with a reason: `escrr retry`, `escrr skip` or \
                 `escrr mark-done`",
            );
            ui.next(&resume);
        }
        Phase::Running | Phase::RollingBack => {
            ui.status(&format!("saved; go on with `{resume}`"));
        }
    }
}
