//! `escrr explain`

use crate::Context;
use crate::args::{ExplainArgs, OutputForm};
use crate::codes::{self, ALL, Code};
use crate::error::CommandError;
use crate::exit::Exit;
use crate::explain::{brief, document, nearest, text};
use crate::ui::table::Table;
use serde_json::Value;

/// Shows the page of a code, or lists the codes.
pub(super) fn run(args: &ExplainArgs, context: Context<'_>) -> Result<Exit, CommandError> {
    match &args.code {
        Some(name) => one(&codes::find(name).ok_or_else(|| unknown(name))?, context),
        None => all(context),
    }
    Ok(Exit::Done)
}

fn one(code: &Code, context: Context<'_>) {
    match context.ui.form() {
        OutputForm::Human => context.ui.result(&text(code)),
        OutputForm::Json => context.ui.document(&document(code)),
        OutputForm::Ndjson => context.ui.line(&document(code)),
    }
}

fn all(context: Context<'_>) {
    match context.ui.form() {
        OutputForm::Human => {
            let mut table = Table::new(&["CODE", "EXIT", "WHAT"]);
            for code in ALL {
                let exit = format!("{:>4}", code.exit.code());
                table.row(vec![code.id.to_owned(), exit, code.title.to_owned()]);
            }
            context.ui.result(&table.render(context.ui.columns()));
            context.ui.hint("`escrr explain CODE` shows what one means and what to do");
        }
        OutputForm::Json => context.ui.document(&ALL.iter().map(brief).collect::<Value>()),
        OutputForm::Ndjson => ALL.iter().for_each(|code| context.ui.line(&brief(code))),
    }
}

fn unknown(name: &str) -> CommandError {
    let error = CommandError::new(codes::USAGE, format!("there is no error code {name}"));
    match nearest(name) {
        Some(code) => error
            .hint(format!("did you mean {}, {}?", code.id, code.title))
            .next_command(format!("escrr explain {}", code.id)),
        None => error
            .meaning("codes of escrr look like E0101; the vendor's own stand in parentheses")
            .next_command("escrr explain"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::tests::Stage;

    fn explained(form: OutputForm, code: Option<&str>) -> (Result<Exit, CommandError>, String) {
        let stage = Stage::new(form);
        let ended = run(&ExplainArgs { code: code.map(str::to_owned) }, stage.context());
        (ended, stage.captured.out())
    }

    #[test]
    fn a_code_is_shown_with_what_to_do_however_it_is_written() {
        let (_, out) = explained(OutputForm::Human, Some("E0302"));
        assert!(out.starts_with("E0302: the store is in use (exit code 7)\n\nWhat happened\n  "));
        assert!(out.contains("\n      escrr status\n"), "{out}");
        for written in ["e0302", "error[E0302]:", "[E0302]"] {
            let found = explained(OutputForm::Human, Some(written)).1;
            assert_eq!(found, out, "{written}");
        }
    }

    #[test]
    fn with_json_the_commands_are_a_list() {
        let (_, out) = explained(OutputForm::Json, Some("E0302"));
        let document: Value = serde_json::from_str(&out).unwrap();
        assert_eq!(document["exit_code"], 7);
        assert_eq!(document["commands"][0], "escrr status");
        let (_, out) = explained(OutputForm::Ndjson, None);
        assert_eq!(out.lines().count(), ALL.len());
    }

    #[test]
    fn an_unknown_code_is_a_usage_error_that_names_the_nearest() {
        let (ended, out) = explained(OutputForm::Human, Some("E0120"));
        let error = ended.unwrap_err();
        assert_eq!((error.exit(), out.as_str()), (Exit::Usage, ""));
        assert!(error.next_command.is_some_and(|next| next.starts_with("escrr explain E0")));
        let error = explained(OutputForm::Human, Some("nonsense")).0.unwrap_err();
        assert_eq!(error.next_command.as_deref(), Some("escrr explain"));
    }
}
