//! `escrr explain`

use crate::Context;
use crate::args::{ExplainArgs, OutputForm};
use crate::codes::{self, ALL, Code};
use crate::error::CommandError;
use crate::exit::Exit;
use crate::explain::{brief, document, nearest, text};
use crate::ui::table::Table;
use escrr_steps::aliyun::{Meaning, meaning};
use serde_json::{Value, json};

/// Shows the page of a code, or lists the codes.
pub(super) fn run(args: &ExplainArgs, context: Context<'_>) -> Result<Exit, CommandError> {
    match &args.code {
        None => all(context),
        Some(name) => match (codes::find(name), meaning(name)) {
            (Some(code), _) => one(&code, context),
            (None, Some(meaning)) => vendors(name, meaning, context),
            (None, None) => return Err(unknown(name)),
        },
    }
    Ok(Exit::Done)
}

/// A code of the vendor's: what it means, and which of ours it can end in.
fn vendors(name: &str, meaning: Meaning, context: Context<'_>) {
    let ours = meaning.class.map(codes::for_class);
    let document = || {
        json!({
            "code": name,
            "source": "Alibaba Cloud",
            "meaning": meaning.means,
            "then": meaning.then,
            "ends_in": ours.map(|code| code.id),
        })
    };
    match context.ui.form() {
        OutputForm::Human => {
            let (means, then) = (meaning.means, meaning.then);
            context.ui.result(&format!(
                "{name}: a code of Alibaba Cloud\n\nWhat it means\n  {means}\n\n\
                 What escrr does\n  {then}"
            ));
            if let Some(code) = ours {
                let (id, title) = (code.id, code.title);
                context.ui.hint(&format!("if it stays so: {id}, {title}; `escrr explain {id}`"));
            }
        }
        OutputForm::Json => context.ui.document(&document()),
        OutputForm::Ndjson => context.ui.line(&document()),
    }
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
        OutputForm::Json => {
            context.ui.document(&json!({ "codes": ALL.iter().map(brief).collect::<Value>() }));
        }
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
            .meaning("codes of escrr look like E0101; not every code of the vendor's is known")
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
    fn a_code_of_the_vendors_is_explained_too() {
        let (ended, out) = explained(OutputForm::Json, Some("QuotaExceeded.Cen"));
        let document: Value = serde_json::from_str(&out).unwrap();
        assert_eq!((ended.unwrap(), &document["ends_in"]), (Exit::Done, &json!("E1004")));
        let (_, out) = explained(OutputForm::Human, Some("Throttling.User"));
        assert!(out.starts_with("Throttling.User: a code of Alibaba Cloud\n"), "{out}");
        assert!(out.lines().all(|line| line.chars().count() <= 80), "{out}");
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
