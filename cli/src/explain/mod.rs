//! What each error code means, one page a code.
//!
//! A page lies in `pages/`, in four parts: what happened, what it means, what to do, who says so.
//! Commands stand by themselves, four spaces in. Lines are short enough for 80 columns, so that a
//! terminal, the manual and `docs/errors/` can show the same text.

use crate::codes::{ALL, Code};
use escrr_steps::spec::distance;
use serde_json::{Value, json};
use std::cmp::Reverse;
use std::fmt;

/// The headings of a page, in their order.
pub const PARTS: [&str; 4] = ["What happened", "What it means", "What to do", "Who says so"];

/// A code that is mistyped by more letters than this is another code.
const NEAR: usize = 2;

/// The page of one code.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Page(&'static str);

impl Page {
    /// A page as it lies in `pages/`.
    pub(crate) const fn new(text: &'static str) -> Self {
        Self(text)
    }

    /// The page in Markdown.
    pub const fn markdown(self) -> &'static str {
        self.0
    }

    /// What stands below a heading, without it.
    pub fn part(self, heading: &str) -> &'static str {
        let below = |part: &'static str| part.strip_prefix(heading)?.strip_prefix('\n');
        self.0.split("## ").find_map(below).map(|part| part.trim_matches('\n')).unwrap_or_default()
    }

    /// The commands of escrr that it names, as they are typed.
    pub fn commands(self) -> impl Iterator<Item = &'static str> {
        let indented = self.0.lines().filter_map(|line| line.strip_prefix("    "));
        indented.filter(|line| line.starts_with("escrr "))
    }
}

impl fmt::Debug for Page {
    /// The whole text would hide the code that it belongs to.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Page")
    }
}

/// A code and its page for a terminal.
pub fn text(code: &Code) -> String {
    let others = code.other_exits().into_iter().map(|(_, exit)| format!(" or {}", exit.code()));
    let exits: String = std::iter::once(code.exit.code().to_string()).chain(others).collect();
    let mut text = format!("{}: {} (exit code {exits})", code.id, code.title);
    for heading in PARTS {
        text.push_str("\n\n");
        text.push_str(heading);
        for line in code.page().part(heading).lines() {
            text.push_str(if line.is_empty() { "\n" } else { "\n  " });
            text.push_str(line);
        }
    }
    text
}

/// A code and its page as JSON.
pub fn document(code: &Code) -> Value {
    let [happened, means, todo, source] = PARTS.map(|heading| code.page().part(heading));
    let mut document = brief(code);
    if let Some(fields) = document.as_object_mut() {
        fields.insert("happened".into(), happened.into());
        fields.insert("meaning".into(), means.into());
        fields.insert("to_do".into(), todo.into());
        fields.insert("commands".into(), code.page().commands().collect());
        fields.insert("source".into(), source.into());
    }
    document
}

/// A code without its page as JSON.
pub fn brief(code: &Code) -> Value {
    json!({
        "code": code.id,
        "title": code.title,
        "exit_code": code.exit.code(),
        "other_exit_codes": code.other_exits().iter().map(|(_, exit)| exit.code()).collect::<Value>(),
        "class": code.exit.class(),
        "resumable": code.exit.resumable(),
    })
}

/// The code that is most like what was typed, if any is; of several those of the same family.
pub fn nearest(name: &str) -> Option<&'static Code> {
    let name = name.to_ascii_uppercase();
    let alike = |code: &Code| code.id.chars().zip(name.chars()).take_while(|(a, b)| a == b).count();
    let by_distance = ALL.iter().map(|code| (distance(&name, code.id), code));
    let near = by_distance.filter(|(distance, _)| *distance <= NEAR);
    near.min_by_key(|(distance, code)| (*distance, Reverse(alike(code)))).map(|(_, code)| code)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::Args;
    use clap::Parser as _;
    use clap::error::ErrorKind;

    #[test]
    fn every_page_has_its_four_parts_and_fits_80_columns() {
        for code in ALL {
            let text = code.page().markdown();
            let headings: Vec<&str> = text.lines().filter_map(|l| l.strip_prefix("## ")).collect();
            assert_eq!(headings, PARTS, "{}", code.id);
            for heading in PARTS {
                assert!(!code.page().part(heading).is_empty(), "{}: {heading}", code.id);
            }
            for line in super::text(code).lines() {
                assert!(line.chars().count() <= 80, "{}: {line}", code.id);
                assert_eq!(line, line.trim_end(), "{}", code.id);
            }
        }
    }

    /// The words of a command as a shell would take it apart, quotes and all.
    fn words(command: &str) -> Vec<String> {
        let quoted = command.split('"').enumerate();
        let parts = quoted.map(|(at, part)| match at % 2 {
            0 => part.split_whitespace().map(str::to_owned).collect(),
            _ => vec![part.to_owned()],
        });
        parts.flat_map(|words: Vec<String>| words).collect()
    }

    #[test]
    fn every_command_of_a_page_can_be_typed() {
        let mut count = 0;
        for code in ALL {
            for command in code.page().commands() {
                count += 1;
                let said = match Args::try_parse_from(words(command)) {
                    Ok(_) => continue,
                    Err(error) if error.kind() == ErrorKind::DisplayHelp => continue,
                    Err(error) => error,
                };
                panic!("{}: {command}: {said}", code.id);
            }
        }
        assert!(count > ALL.len(), "{count}");
    }

    #[test]
    fn a_part_is_what_stands_below_its_heading() {
        let page = Page::new("## What happened\n\nA.\n\n## What to do\n\nB:\n\n    escrr list\n");
        assert_eq!(page.part("What happened"), "A.");
        assert_eq!(page.part("What to do"), "B:\n\n    escrr list");
        assert_eq!(page.part("Who says so"), "");
        assert_eq!(page.commands().collect::<Vec<_>>(), ["escrr list"]);
    }

    #[test]
    fn a_mistyped_code_is_near_another() {
        assert_eq!(nearest("e0111").map(|code| code.id), Some("E0101"));
        assert_eq!(nearest("E1009").map(|code| code.id), Some("E1001"));
        assert!(nearest("hello").is_none());
    }
}
