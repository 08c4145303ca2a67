//! `docs/reference/exit-codes.md`

use crate::{cell, page};
use escrr::codes;
use escrr::exit::{Exit, Halt};
use std::fmt::Write as _;

const HEAD: &str = "# Exit codes and error codes

Scripts rely on this page: a change of a number is a breaking change.

With `--output json` the code is also in the document, as `exit_code` and, by name, as `class`.
*Resumable* says whether `escrr resume` goes on from there.";

/// All exit codes of an error; those behind the first are of nodes that wait, or go back.
pub(crate) fn exits(code: &codes::Code) -> String {
    let others = code.other_exits().into_iter().map(|(halt, exit)| match halt {
        Halt::Failed => format!(", {} failed", exit.code()),
        Halt::Parked => format!(", {} where the node waits", exit.code()),
        Halt::GoingBack => format!(", {} in a rollback", exit.code()),
    });
    std::iter::once(code.exit.code().to_string()).chain(others).collect()
}

/// What stands above a name in a source file: its doc comment, as one line.
fn comment<'a>(source: &'a str, name: &str) -> String {
    let mut lines: Vec<&'a str> = Vec::new();
    for line in source.lines().map(str::trim) {
        if let Some(text) = line.strip_prefix("/// ") {
            lines.push(text);
        } else if line.strip_prefix(name).is_some_and(|rest| rest.trim_start().starts_with('=')) {
            break;
        } else {
            lines.clear();
        }
    }
    lines.join(" ")
}

#[test]
fn the_page_of_exit_codes_is_the_programs() -> Result<(), std::fmt::Error> {
    let source = include_str!("../../cli/src/exit.rs");
    let mut text = format!("{HEAD}\n\n| Code | Class | Meaning | Resumable |\n|---|---|---|---|\n");
    for exit in Exit::ALL {
        let meaning = comment(source, &format!("{exit:?}"));
        assert!(!meaning.is_empty(), "cli/src/exit.rs does not say what {exit:?} means");
        let resumable = if exit.resumable() { "yes" } else { "no" };
        let (code, class) = (exit.code(), exit.class());
        writeln!(text, "| {code} | `{class}` | {} | {resumable} |", cell(&meaning))?;
    }
    text.push_str(
        "\n## Error codes\n\nEvery error carries a code, shown in brackets and as `code` in JSON; \
         a code is never reused. `escrr explain CODE` says what one means and what to do, as its page \
         does.\n\n| Code | What | Exit code |\n|---|---|---|\n",
    );
    for code in codes::ALL {
        let (id, title) = (code.id, cell(code.title));
        writeln!(text, "| [`{id}`](../errors/{id}.md) | {title} | {} |", exits(code))?;
    }
    page("exit-codes.md", &text);
    Ok(())
}

#[test]
fn comments_are_read() {
    let source = "/// No.\nenum E {\n    /// One\n    /// and two.\n    A = 0,\n    /// Three.\n    Ab = 1,\n}";
    assert_eq!(comment(source, "A"), "One and two.");
    assert_eq!(comment(source, "Ab"), "Three.");
}
