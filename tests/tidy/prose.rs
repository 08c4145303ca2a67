//! What people read: links that lead somewhere, and no words that mean nothing to them.

use crate::hold;
use crate::source::{File, files, is_test_line, lines_with, root};
use std::path::{Component, Path, PathBuf};

/// The only place that packages come from.
const REGISTRY: &str = "registry+https://github.com/rust-lang/crates.io-index";

fn pages() -> impl Iterator<Item = &'static File> {
    files().iter().filter(|f| {
        let markdown = Path::new(&f.path).extension().is_some_and(|e| e == "md");
        f.path == "README.md" || (f.path.starts_with("docs/") && markdown)
    })
}

/// Lines outside fenced blocks, with their numbers.
fn prose(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut fenced = false;
    (1..).zip(text.lines()).filter(move |(_, line)| {
        let fence = line.trim_start().starts_with("```");
        fenced ^= fence;
        !fenced && !fence
    })
}

/// Where the links of a page lead to.
fn links(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (number, line) in prose(text) {
        // Code is no link, even if it looks like one.
        let plain: String =
            line.split('`').enumerate().filter(|(i, _)| i % 2 == 0).map(|(_, part)| part).collect();
        for part in plain.split("](").skip(1) {
            let to = part.split(')').next().unwrap_or_default();
            found.push((number, to.to_owned()));
        }
    }
    found
}

/// What a heading is called in a link.
fn anchor(heading: &str) -> String {
    let text = heading.trim_start_matches('#').trim().to_lowercase();
    text.chars()
        .filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'))
        .map(|c| if c == ' ' { '-' } else { c })
        .collect()
}

/// A path without `.` and `..`.
fn straight(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => {
                out.pop();
            }
            Component::CurDir => {}
            Component::Prefix(_) | Component::RootDir | Component::Normal(_) => out.push(part),
        }
    }
    out
}

#[test]
fn links_lead_somewhere() {
    let mut broken = Vec::new();
    for page in pages() {
        for (line, to) in links(&page.text) {
            if to.contains("://") || to.starts_with("mailto:") {
                continue;
            }
            let (file, part) = to.split_once('#').unwrap_or((&to, ""));
            let folder = Path::new(&page.path).parent().unwrap_or(Path::new(""));
            let target = if file.is_empty() { page.path.clone().into() } else { folder.join(file) };
            let target = root().join(straight(&target));
            let said = |what: &str| format!("{}:{line}: `{to}`: {what}", page.path);
            if !target.exists() {
                broken.push(said("there is no such file"));
            } else if !part.is_empty() {
                let text = std::fs::read_to_string(&target).unwrap_or_default();
                let mut headings = prose(&text).filter(|(_, l)| l.starts_with('#'));
                if !headings.any(|(_, heading)| anchor(heading) == part) {
                    broken.push(said("there is no such heading"));
                }
            }
        }
    }
    hold("every link leads to something", &broken);
}

#[test]
fn links_are_seen() {
    let text = "a [b](c.md) `[d](e)`\n```\n[f](g)\n```\n[h](i#j) [k](l)";
    let told: Vec<String> = links(text).into_iter().map(|(_, to)| to).collect();
    assert_eq!(told, ["c.md", "i#j", "l"]);
    assert_eq!(anchor("## What `never` happens!"), "what-never-happens");
    assert_eq!(straight(Path::new("docs/decisions/../glossary.md")), Path::new("docs/glossary.md"));
}

/// Paths of one machine and names of tools mean nothing to whoever reads the project.
#[test]
fn nothing_speaks_of_the_workplace() {
    let words = [
        concat!("/wo", "rk/"),
        concat!("../sha", "red"),
        concat!("sub", "agent"),
        concat!("helper ses", "sion"),
        concat!("/ro", "ot/"),
        concat!("artifac", "tory"),
        concat!("index.cra", "tes.io"),
        concat!("static.cra", "tes.io"),
        concat!("proxy.go", "lang.org"),
    ];
    let mut breaches = Vec::new();
    for file in files() {
        for word in words {
            let lines = lines_with(&file.text.to_lowercase(), word);
            let what = "say it without the place it was written at";
            breaches.extend(lines.iter().map(|l| format!("{}:{l}: `{word}`: {what}", file.path)));
        }
    }
    hold("the project speaks of itself only", &breaches);
}

#[test]
fn packages_come_from_one_registry() {
    let lock = std::fs::read_to_string(root().join("Cargo.lock")).unwrap_or_default();
    let sources = (1..).zip(lock.lines()).filter(|(_, l)| l.starts_with("source = "));
    let mut count = 0;
    let mut others = Vec::new();
    for (line, text) in sources {
        count += 1;
        if text != format!("source = \"{REGISTRY}\"") {
            others.push(format!("Cargo.lock:{line}: {text}: only crates.io is known to everybody"));
        }
    }
    assert!(count > 0, "Cargo.lock names no source");
    hold("every package comes from crates.io", &others);
}

/// A hint is only worth something if the command that it names exists.
#[test]
fn every_command_that_is_named_exists() {
    let commands = escrr::args::command();
    let known: Vec<&str> = commands.get_subcommands().map(clap::Command::get_name).collect();
    assert!(known.contains(&"run"), "{known:?}");
    let mut unknown = Vec::new();
    for file in files() {
        let lines = (1..).zip(file.text.lines());
        // Module pages may look ahead; what is shown to people may not.
        for (line, text) in lines.filter(|(_, text)| !text.trim_start().starts_with("//!")) {
            let named = text.split("`escrr ").skip(1).filter_map(|rest| {
                let name = |c: char| c.is_ascii_lowercase() || c == '-';
                let word = rest.split(|c| !name(c)).next().unwrap_or_default();
                word.starts_with(|c: char| c.is_ascii_lowercase()).then_some(word)
            });
            for word in named.filter(|word| !known.contains(word)) {
                if !is_test_line(file, line) {
                    let path = &file.path;
                    unknown.push(format!("{path}:{line}: `{word}`: there is no such command"));
                }
            }
        }
    }
    hold("every command that a text names exists", &unknown);
}
