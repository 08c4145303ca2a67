//! `docs/errors/`: one page a code, and the list of them.

use crate::exit_codes::exits;
use crate::{MADE, cell, docs, file};
use escrr::codes::ALL;
use std::collections::BTreeSet;
use std::fmt::Write as _;

const HEAD: &str = "# Errors

Every error that `escrr` ends with carries one of these codes, in brackets on the terminal and as
`error.code` in JSON. `escrr explain CODE` shows the same pages, offline. The numbers by which the
process ends are in [exit codes](../reference/exit-codes.md).

A code in parentheses behind a message is the vendor's own.";

#[test]
fn every_code_has_its_page() -> Result<(), std::fmt::Error> {
    let mut list = format!("{MADE}\n\n{HEAD}\n\n| Code | What | Exit code |\n|---|---|---|\n");
    for code in ALL {
        let (id, exit) = (code.id, code.exit);
        writeln!(list, "| [{id}]({id}.md) | {} | {} |", cell(code.title), exits(code))?;
        let resumable = if exit.resumable() { "`escrr resume` goes on" } else { "not resumable" };
        let text = format!(
            "{MADE}\n\n# {id}: {}\n\nExit code {}; {resumable}.\n\n{}",
            code.title,
            code.ends(),
            code.page().markdown(),
        );
        file(&format!("errors/{id}.md"), &text);
    }
    file("errors/README.md", &list);
    Ok(())
}

#[test]
fn no_page_is_left_of_a_code_that_is_gone() -> std::io::Result<()> {
    let mut wanted: BTreeSet<String> = ALL.iter().map(|code| format!("{}.md", code.id)).collect();
    wanted.insert("README.md".to_owned());
    let mut there = BTreeSet::new();
    for entry in std::fs::read_dir(docs().join("errors"))? {
        there.insert(entry?.file_name().to_string_lossy().into_owned());
    }
    assert_eq!(there, wanted, "docs/errors holds what no code stands for, or lacks a page");
    Ok(())
}
