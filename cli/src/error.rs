//! What a command owes a person when it cannot do as asked.

use crate::codes::{self, Code};
use crate::exit::Exit;
use escrr_engine::{Fault, Report};
use escrr_steps::spec::SpecErrors;
use serde_json::{Value, json};
use std::fmt;

/// Why a command ended, what it means and what to do next.
#[derive(Clone, Debug)]
pub struct CommandError {
    /// Its kind: the id to look up and the exit code.
    pub code: Code,
    /// What went wrong, in one sentence fragment, or several lines that point into a file.
    pub said: String,
    /// What was tried when it happened, for example `CreateCen (Cbn, cn-shanghai)`.
    pub tried: Option<String>,
    /// The request's id at the other side, for its support.
    pub request_id: Option<String>,
    /// What it means, when that is not plain.
    pub meaning: Option<String>,
    /// What helps: sentences that name a command.
    pub hints: Vec<String>,
    /// The command that comes next, as it is typed.
    pub next_command: Option<String>,
}

impl CommandError {
    /// An error of a kind.
    pub fn new(code: Code, said: impl Into<String>) -> Self {
        Self {
            code,
            said: said.into(),
            tried: None,
            request_id: None,
            meaning: None,
            hints: Vec::new(),
            next_command: None,
        }
    }

    /// A file that could not be read or written.
    pub fn file(code: Code, doing: &str, path: &std::path::Path, error: &std::io::Error) -> Self {
        Self::new(code, format!("{doing} {}: {error}", path.display()))
    }

    /// Adds what was tried.
    #[must_use]
    pub fn tried(mut self, tried: impl Into<String>) -> Self {
        self.tried = Some(tried.into());
        self
    }

    /// Adds what it means.
    #[must_use]
    pub fn meaning(mut self, meaning: impl Into<String>) -> Self {
        self.meaning = Some(meaning.into());
        self
    }

    /// Adds what helps.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// Adds the command that comes next.
    #[must_use]
    pub fn next_command(mut self, command: impl Into<String>) -> Self {
        self.next_command = Some(command.into());
        self
    }

    /// What the process ends with.
    pub const fn exit(&self) -> Exit {
        self.code.exit
    }

    /// The error as the one document of `--output json`.
    pub fn to_json(&self) -> Value {
        json!({
            "exit_code": self.exit().code(),
            "class": self.exit().class(),
            "resumable": self.exit().resumable(),
            "next_command": self.next_command,
            "error": self.described(),
        })
    }

    /// The member `error` of every document.
    pub fn described(&self) -> Value {
        json!({
            "code": self.code.id,
            "title": self.code.title,
            "message": self.said,
            "tried": self.tried,
            "request_id": self.request_id,
            "meaning": self.meaning,
            "hints": self.hints,
        })
    }
}

impl fmt::Display for CommandError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.said)
    }
}

impl std::error::Error for CommandError {}

impl From<SpecErrors> for CommandError {
    fn from(errors: SpecErrors) -> Self {
        let many = errors.problems.len() + errors.more;
        let said = match many {
            1 => format!("the spec has a problem\n{errors}"),
            _ => format!("the spec has {many} problems\n{errors}"),
        };
        Self::new(codes::SPEC, said)
    }
}

impl From<&clap::Error> for CommandError {
    /// What clap says of a command line, without its colours, usage and pointer to the help.
    fn from(error: &clap::Error) -> Self {
        let text = error.render().to_string();
        // The first paragraph: what is wrong, and below it the arguments that it is about.
        let said: Vec<&str> = text.lines().map(str::trim).take_while(|l| !l.is_empty()).collect();
        let said = said.join(" ");
        let said = said.trim_start_matches("error: ");
        let error = Self::new(codes::USAGE, said).meaning("nothing was done");
        let tips = text.lines().filter_map(|line| line.trim_start().strip_prefix("tip: "));
        tips.fold(error, Self::hint).hint("`escrr --help` lists the commands and their flags")
    }
}

impl From<&Fault> for CommandError {
    fn from(fault: &Fault) -> Self {
        let code = match fault {
            Fault::Transient { .. } | Fault::Busy(_) | Fault::Unknown(_) => codes::UNREACHABLE,
            Fault::Refused { class, .. } | Fault::Blocked { class, .. } => codes::for_class(*class),
            Fault::Bug(_) => codes::BUG,
        };
        Self::reported(code, fault.report())
    }
}

impl CommandError {
    /// An error of a kind from what the engine or a step reported.
    pub fn reported(code: Code, report: &Report) -> Self {
        let said = match &report.code {
            Some(vendor) => format!("{} ({vendor})", report.said),
            None => report.said.clone(),
        };
        Self {
            tried: Some(report.tried.clone()).filter(|tried| !tried.is_empty()),
            request_id: report.request_id.clone(),
            meaning: report.meaning.clone(),
            hints: report.help.iter().cloned().collect(),
            ..Self::new(code, said)
        }
    }
}

/// An error and its causes in one line: libraries keep the telling part in the cause.
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let inner_text = inner.to_string();
        if !text.contains(&inner_text) {
            text.push_str(": ");
            text.push_str(&inner_text);
        }
        cause = inner.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use escrr_engine::Class;
    use escrr_steps::spec::Spec;

    #[test]
    fn a_spec_error_ends_with_two_and_points_into_the_file() {
        let errors = Spec::parse("link = 3", "link.toml").unwrap_err();
        let error = CommandError::from(errors);
        assert_eq!(error.exit(), Exit::Usage);
        assert!(error.said.contains("link.toml:1:8"), "{error}");
    }

    #[test]
    fn a_wrong_command_line_keeps_what_clap_says_of_it() {
        let wrong = crate::args::command().try_get_matches_from(["escrr", "pla"]).unwrap_err();
        let error = CommandError::from(&wrong);
        assert_eq!((error.code, error.exit()), (codes::USAGE, Exit::Usage));
        assert_eq!(error.said, "unrecognized subcommand 'pla'");
        assert!(error.hints[0].contains("'plan'"), "{error:?}");
        let missing = ["escrr", "skip", "follower.domain"];
        let wrong = crate::args::command().try_get_matches_from(missing).unwrap_err();
        let said = "the following required arguments were not provided: --reason <TEXT>";
        assert_eq!(CommandError::from(&wrong).said, said);
    }

    #[test]
    fn a_fault_keeps_all_it_has() {
        let report = Report::new("CreateCen (Cbn, cn-shanghai)", "no permission")
            .code("Forbidden.RAM")
            .request_id(Some("R-1".into()))
            .meaning("the key may not do this")
            .help("run `escrr status`");
        let error = CommandError::from(&Fault::Blocked { class: Class::Permission, report });
        assert_eq!(error.exit(), Exit::Permission);
        let json = error.to_json();
        assert_eq!(json["exit_code"], 4);
        assert_eq!(json["error"]["message"], "no permission (Forbidden.RAM)");
        assert_eq!(json["error"]["request_id"], "R-1");
        assert_eq!(json["error"]["hints"][0], "run `escrr status`");
    }
}
