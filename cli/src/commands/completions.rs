//! `escrr completions`

use crate::Context;
use crate::args::{self, CompletionsArgs, OutputForm};
use crate::codes;
use crate::error::CommandError;
use crate::exit::Exit;
use clap_complete::Shell;
use serde_json::json;

/// Prints the script of a shell.
pub(super) fn run(args: CompletionsArgs, context: Context<'_>) -> Result<Exit, CommandError> {
    let script = script(args.shell)?;
    let shell = args.shell.to_string();
    let document = || json!({ "shell": shell, "script": script });
    match context.ui.form() {
        OutputForm::Human => context.ui.result(script.trim_end()),
        OutputForm::Json => context.ui.document(&document()),
        OutputForm::Ndjson => context.ui.line(&document()),
    }
    Ok(Exit::Done)
}

fn script(shell: Shell) -> Result<String, CommandError> {
    let mut bytes = Vec::new();
    clap_complete::generate(shell, &mut args::command(), "escrr", &mut bytes);
    String::from_utf8(bytes).map_err(|error| CommandError::new(codes::BUG, error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::tests::Stage;
    use clap::ValueEnum as _;

    #[test]
    fn each_shell_has_a_script_that_knows_the_commands() {
        for shell in Shell::value_variants() {
            let script = script(*shell).unwrap();
            assert!(script.contains("rollback") && script.contains("completions"), "{shell}");
        }
    }

    #[test]
    fn with_json_the_script_is_a_text() {
        let stage = Stage::new(OutputForm::Json);
        run(CompletionsArgs { shell: Shell::Fish }, stage.context()).unwrap();
        let document: serde_json::Value = serde_json::from_str(&stage.captured.out()).unwrap();
        assert_eq!(document["shell"], "fish");
        assert!(document["script"].as_str().unwrap().contains("escrr"));
    }
}
