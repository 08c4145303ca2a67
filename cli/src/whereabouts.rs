//! Which home and which sandbox a command works in, so that every command that is printed leads
//! back there when it is pasted.

use crate::args::SandboxChoice;
use crate::settings::Home;
use crate::shell::word;
use clap::ArgMatches;
use serde_json::Value;
use std::sync::OnceLock;

/// The flags that lead to the same home and the same world again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Whereabouts {
    /// `--home DIR`, where the home is not the one that is meant without it.
    home: Option<String>,
    /// `--sandbox` or `--sandbox=FILE`.
    sandbox: Option<String>,
}

/// Members of documents that hold a command.
const COMMANDS: [&str; 1] = ["next_command"];
/// Members of documents that hold sentences with commands in them.
const SENTENCES: [&str; 2] = ["hints", "next"];
/// Commands that touch no home.
const HOMELESS: [&str; 8] =
    ["init", "explain", "steps", "schema", "completions", "man", "version", "policy"];

impl Whereabouts {
    /// The flags for a home; none where it is the one that is meant without them.
    pub fn of_home(home: &Home, usual: Option<&Home>) -> Self {
        let home = (usual != Some(home)).then(|| format!("--home {}", word(home.path())));
        Self { home, sandbox: None }
    }

    /// Adds the flag of a sandbox that the command line names.
    #[must_use]
    pub fn with_sandbox(mut self, choice: Option<&SandboxChoice>) -> Self {
        let flag = crate::place::flag(choice);
        self.sandbox = Some(flag.trim().to_owned()).filter(|flag| !flag.is_empty());
        self
    }

    /// A command as it is typed, with the flags that it lacks.
    pub fn complete(&self, command: &str) -> String {
        let Some(taken) = command.strip_prefix("escrr ").and_then(taken) else {
            return command.to_owned();
        };
        let mut whole = command.to_owned();
        let lacks = |flag: &str| !command.split_whitespace().any(|word| word.starts_with(flag));
        let sandbox = self.sandbox.as_ref().filter(|_| taken.sandbox && lacks("--sandbox"));
        let home = self.home.as_ref().filter(|_| taken.home && lacks("--home"));
        for flag in sandbox.into_iter().chain(home) {
            whole.push(' ');
            whole.push_str(flag);
        }
        whole
    }

    /// A text in which commands stand between backticks.
    pub fn in_text(&self, text: &str) -> String {
        if *self == Self::default() || !text.contains("`escrr ") {
            return text.to_owned();
        }
        let part = |(at, part): (usize, &str)| {
            if at % 2 == 1 { self.complete(part) } else { part.to_owned() }
        };
        text.split('`').enumerate().map(part).collect::<Vec<_>>().join("`")
    }

    /// A document whose commands are completed.
    pub fn in_document(&self, document: &mut Value) {
        if *self != Self::default() {
            self.walk(document, "");
        }
    }

    fn walk(&self, value: &mut Value, name: &str) {
        match value {
            Value::String(text) if COMMANDS.contains(&name) => *text = self.complete(text),
            Value::String(text) if SENTENCES.contains(&name) => *text = self.in_text(text),
            Value::Array(items) => items.iter_mut().for_each(|item| self.walk(item, name)),
            Value::Object(members) => {
                members.iter_mut().for_each(|(name, member)| self.walk(member, name));
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
}

/// What of the flags a command takes.
struct Taken {
    home: bool,
    sandbox: bool,
}

/// Looks a command up in the manual; none where there is no such command.
fn taken(words: &str) -> Option<Taken> {
    static MANUAL: OnceLock<clap::Command> = OnceLock::new();
    let mut found = MANUAL.get_or_init(crate::args::command);
    let mut is_command = false;
    for word in words.split_whitespace() {
        let Some(next) = found.find_subcommand(word) else { break };
        (found, is_command) = (next, true);
    }
    let sandbox = found.get_arguments().any(|arg| arg.get_id() == "sandbox");
    is_command.then(|| Taken { home: !HOMELESS.contains(&found.get_name()), sandbox })
}

/// The sandbox that a command line names, whatever the command.
pub fn sandbox_of(matches: &ArgMatches) -> Option<SandboxChoice> {
    match matches.subcommand() {
        Some((_, inner)) => sandbox_of(inner),
        None => matches.try_get_one::<SandboxChoice>("sandbox").ok().flatten().cloned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn there() -> Whereabouts {
        let file = SandboxChoice::File("a b.json".into());
        Whereabouts::of_home(&Home::at("/my home"), None).with_sandbox(Some(&file))
    }

    #[test]
    fn a_command_gets_the_flags_that_it_takes_and_lacks() {
        let whole = |command| there().complete(command);
        assert_eq!(whole("escrr status x"), "escrr status x --home '/my home'");
        let resumed = "escrr resume x --sandbox='a b.json' --home '/my home'";
        assert_eq!(whole("escrr resume x"), resumed);
        assert_eq!(whole(resumed), resumed);
        assert_eq!(
            whole("escrr resume x --sandbox=off"),
            "escrr resume x --sandbox=off --home '/my home'"
        );
        let inventory = "escrr sandbox inventory --sandbox='a b.json' --home '/my home'";
        assert_eq!(whole("escrr sandbox inventory"), inventory);
        for same in ["escrr --help", "escrr explain E0001", "escrr auth policy", "kubectl get"] {
            assert_eq!(whole(same), same);
        }
        assert_eq!(Whereabouts::default().complete("escrr status"), "escrr status");
    }

    #[test]
    fn sentences_and_documents_hold_whole_commands() {
        let said = there().in_text("first `escrr list`, then `x` or `escrr steps`");
        assert_eq!(said, "first `escrr list --home '/my home'`, then `x` or `escrr steps`");
        let mut document = json!({
            "next_command": "escrr list", "said": "`escrr list`",
            "error": {"hints": ["`escrr list` lists"]},
        });
        there().in_document(&mut document);
        assert_eq!(
            document,
            json!({
                "next_command": "escrr list --home '/my home'", "said": "`escrr list`",
                "error": {"hints": ["`escrr list --home '/my home'` lists"]},
            })
        );
    }

    #[test]
    fn the_usual_home_needs_no_flag() {
        let home = Home::at("/h");
        assert_eq!(Whereabouts::of_home(&home, Some(&home)), Whereabouts::default());
    }
}
