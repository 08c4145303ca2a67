//! `docs/prerequisites.md`

use crate::{MADE, cell, file};
use escrr_steps::rules::{RULES, Weight};
use std::fmt::Write as _;

const HEAD: &str = "# Prerequisites

What must hold before a link is made. Nothing is made before all of it holds: `escrr plan` lists
every rule that does not, with what was seen and what helps, and exits with 5; `escrr run` stops
there too. A missing permission of RAM exits with 4.

A gate judges all of its rules before it answers; what stops nothing by itself is said with what
does. A gate that needs what another one could not find
out waits for it and is no problem of its own.

A rule that **warns** is shown by `escrr plan` and stops nothing; it stands in the gate's output
(`warnings`) too.";

const TAIL: &str = "## What is not looked at

- Quotas that were raised or lowered for an account, and those of route entries and attachments. A
  quota that is used up stops the run where it is met, with exit code 6; what was made stays and the
  run can be resumed.
- OpenStore and indexing service: the cloud does not say of an instance whether they are on. An
  instance with either does not replicate.
- Dictionaries and other files of plugins: only that a plugin is there is compared.
- Index templates and ingest pipelines, which are not replicated.";

#[test]
fn the_page_of_prerequisites_is_the_rules() -> Result<(), std::fmt::Error> {
    let mut text = format!("{MADE}\n\n{HEAD}\n");
    let parts = [("What stops a run", Weight::Stops), ("What warns", Weight::Warns)];
    for (title, weight) in parts {
        write!(text, "\n## {title}\n\n")?;
        text.push_str("| Rule | What must hold | Judged by | Evidence | Remedy | Source |\n");
        text.push_str("|---|---|---|---|---|---|\n");
        for rule in RULES.iter().filter(|rule| rule.weight == weight) {
            let gates: Vec<String> = rule.gate.split(", ").map(|g| format!("`{g}`")).collect();
            writeln!(
                text,
                "| `{}` | {} | {} | {} | {} | {} |",
                rule.id,
                cell(rule.holds),
                gates.join(", "),
                cell(rule.evidence),
                cell(rule.remedy),
                cell(rule.source),
            )?;
        }
    }
    write!(text, "\n{TAIL}\n")?;
    file("prerequisites.md", &text);
    Ok(())
}
