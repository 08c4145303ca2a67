//! `escrr man`

use crate::Context;
use crate::args::{self, ManArgs, OutputForm};
use crate::codes;
use crate::error::CommandError;
use crate::exit::Exit;
use crate::ui::words::count;
use clap_mangen::Man;
use serde_json::json;
use std::fs;
use std::io;
use std::path::Path;

/// The section of the manual for commands.
const SECTION: &str = "1";

/// One page: its file's name and its text, in roff.
struct Page {
    name: String,
    text: Vec<u8>,
}

/// Prints the first page, or writes all into a directory.
pub(super) fn run(args: &ManArgs, context: Context<'_>) -> Result<Exit, CommandError> {
    let pages = pages().map_err(|error| CommandError::new(codes::BUG, error.to_string()))?;
    let document = match &args.out {
        None => {
            let first = pages.first().map(|page| String::from_utf8_lossy(&page.text));
            let text = first.unwrap_or_default();
            if context.ui.form() == OutputForm::Human {
                context.ui.result(text.trim_end());
                return Ok(Exit::Done);
            }
            json!({ "page": text })
        }
        Some(directory) => {
            write(&pages, directory)?;
            let shown = directory.display().to_string();
            if context.ui.form() == OutputForm::Human {
                let all = count(pages.len(), "page");
                context.ui.result(&format!("wrote {all} into {shown}"));
                return Ok(Exit::Done);
            }
            let names: Vec<&str> = pages.iter().map(|page| page.name.as_str()).collect();
            json!({ "directory": shown, "pages": names })
        }
    };
    match context.ui.form() {
        OutputForm::Human | OutputForm::Json => context.ui.document(&document),
        OutputForm::Ndjson => context.ui.line(&document),
    }
    Ok(Exit::Done)
}

fn write(pages: &[Page], directory: &Path) -> Result<(), CommandError> {
    let failed = |path: &Path, error: &io::Error| {
        CommandError::file(codes::UNWRITABLE, "cannot write", path, error)
    };
    fs::create_dir_all(directory).map_err(|error| failed(directory, &error))?;
    for page in pages {
        let path = directory.join(&page.name);
        fs::write(&path, &page.text).map_err(|error| failed(&path, &error))?;
    }
    Ok(())
}

/// The page of the program and of each command, in the order of the help.
fn pages() -> io::Result<Vec<Page>> {
    let mut command = args::command().disable_help_subcommand(true);
    command.build();
    let mut pages = Vec::new();
    collect(&command, &mut pages)?;
    Ok(pages)
}

fn collect(command: &clap::Command, pages: &mut Vec<Page>) -> io::Result<()> {
    let name = command.get_display_name().unwrap_or(command.get_name()).to_owned();
    let man = Man::new(command.clone())
        .title(name.to_uppercase())
        .section(SECTION)
        .source(concat!("escrr ", env!("CARGO_PKG_VERSION")))
        .manual("Manual of escrr");
    let mut text = Vec::new();
    man.render(&mut text)?;
    pages.push(Page { name: format!("{name}.{SECTION}"), text });
    let shown = command.get_subcommands().filter(|command| !command.is_hide_set());
    shown.into_iter().try_for_each(|command| collect(command, pages))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::tests::Stage;

    fn all(command: &clap::Command) -> usize {
        1 + command.get_subcommands().map(all).sum::<usize>()
    }

    #[test]
    fn every_command_has_a_page_that_says_what_it_does() {
        let pages = pages().unwrap();
        assert_eq!(pages.len(), all(&args::command()));
        for page in &pages {
            let text = String::from_utf8(page.text.clone()).unwrap();
            assert!(text.contains(".SH NAME") && text.contains(".SH SYNOPSIS"), "{}", page.name);
            assert!(!text.contains("\\-\\-die"), "{} shows the switch to die", page.name);
        }
        let names: Vec<&str> = pages.iter().map(|page| page.name.as_str()).collect();
        assert_eq!(names[0], "escrr.1");
        assert!(names.contains(&"escrr-store-verify.1"), "{names:?}");
    }

    #[test]
    fn the_pages_are_written_into_a_directory_that_need_not_be_there() {
        let stage = Stage::new(OutputForm::Json);
        let out = stage.home.path().join("share/man1");
        run(&ManArgs { out: Some(out.clone()) }, stage.context()).unwrap();
        let told: serde_json::Value = serde_json::from_str(&stage.captured.out()).unwrap();
        let names = told["pages"].as_array().unwrap();
        assert_eq!(std::fs::read_dir(&out).unwrap().count(), names.len());
        let file = stage.home.path().join("file");
        std::fs::write(&file, "").unwrap();
        let error = run(&ManArgs { out: Some(file) }, stage.context()).unwrap_err();
        assert_eq!(error.code, codes::UNWRITABLE);
    }
}
