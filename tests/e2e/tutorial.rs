//! The tutorial is true: its commands, one after the other in a fresh folder, end as it says and
//! show what it shows.
//!
//! A block whose first line begins with `$` shows what commands print, a block before it holds
//! commands to be typed. `…` stands for lines that are left out. What differs from run to run
//! (ids, times, numbers in front) is not compared.

use crate::env::{bare, path};
use crate::screens::masked;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

const PAGE: &str = include_str!("../../docs/tutorial.md");
const README: &str = include_str!("../../README.md");
/// Where the real cloud begins.
const END: &str = "## 7.";
/// The server of the sandbox, which has a terminal of its own.
const SERVE: &str = "escrr sandbox start";

/// The blocks of the page that belong to the sandbox.
fn blocks() -> Vec<Vec<&'static str>> {
    let (page, _) = PAGE.split_once(END).unwrap();
    let fenced = page.split("```").enumerate().filter(|(at, _)| at % 2 == 1);
    let blocks = fenced.map(|(_, block)| block.trim_matches('\n').lines().collect());
    // The first one builds the program.
    blocks.skip(1).collect()
}

/// A command as it was carried out.
struct Typed {
    line: String,
    code: Option<i32>,
    said: Vec<String>,
}

/// A folder with the program on the search path.
struct Desk {
    folder: tempfile::TempDir,
    server: Option<Child>,
    typed: Vec<Typed>,
}

impl Desk {
    fn command(&self, line: &str) -> Command {
        let folder = self.folder.path();
        let mut search = folder.join("bin").into_os_string();
        search.push(":");
        search.push(path());
        let program = bare(folder).get_program().to_owned();
        if !folder.join("bin").exists() {
            std::fs::create_dir(folder.join("bin")).unwrap();
            std::os::unix::fs::symlink(program, folder.join("bin/escrr")).unwrap();
        }
        let mut command = Command::new("sh");
        command.env_clear().env("HOME", folder).env("ESCRR_HOME", folder.join("home"));
        command.env("PATH", search).env("TZ", "UTC").env("LANG", "C.UTF-8").current_dir(folder);
        command.args(["-c", &format!("exec {line}")]).stdin(Stdio::null());
        command
    }

    fn types(&mut self, line: &str) {
        if line == SERVE {
            let mut server = self.command(line);
            let mut server = server.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
            let mut first = String::new();
            BufReader::new(server.stdout.take().unwrap()).read_line(&mut first).unwrap();
            self.server = Some(server);
            return;
        }
        if line == "echo $?" {
            let code = self.typed.last().unwrap().code.unwrap();
            let said = vec![code.to_string()];
            self.typed.push(Typed { line: line.to_owned(), code: Some(0), said });
            return;
        }
        let ended = self.command(line).output().unwrap();
        let text = |bytes: &[u8]| compared(&String::from_utf8_lossy(bytes));
        let said = [text(&ended.stderr), text(&ended.stdout)].concat();
        self.typed.push(Typed { line: line.to_owned(), code: ended.status.code(), said });
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        if let Some(server) = &mut self.server {
            server.kill().ok();
            server.wait().ok();
        }
    }
}

/// A line without the names of who did it, on which machine and in which home.
fn nobody(line: &str) -> String {
    let mut parts = line.split(" --home ");
    let mut short = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        short.push_str(part.find([' ', '`']).map_or("", |end| &part[end..]));
    }
    let word = |word: &str| match word {
        _ if word.contains('@') => "WHO".to_owned(),
        _ if word.starts_with("acs:ram:") => "ARN".to_owned(),
        _ => word.to_owned(),
    };
    short.split_whitespace().map(word).collect::<Vec<_>>().join(" ")
}

/// Lines without what differs from run to run: ids, times, and the number in front of a row.
fn compared(text: &str) -> Vec<String> {
    let number = |word: &&str| word.bytes().all(|b| b.is_ascii_digit());
    let line = |line: &str| {
        let masked = masked(&nobody(line)).replace("+SPAN", "SPAN");
        let words = masked.split_whitespace().skip_while(number);
        words.collect::<Vec<_>>().join(" ")
    };
    text.lines().map(line).filter(|line| !line.is_empty()).collect()
}

/// Every line that the page shows was said, by the last command of that name.
fn shows(block: &[&str], typed: &[Typed]) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut of: Option<&Typed> = None;
    for line in block {
        if let Some(command) = line.strip_prefix("$ ") {
            of = typed.iter().rev().find(|typed| typed.line == command);
            wrong.extend(of.is_none().then(|| format!("`{command}` was not typed before")));
            continue;
        }
        let Some(of) = of else { continue };
        if of.line == "echo $?" && of.said != [*line] {
            wrong.push(format!("the exit code is {:?}, not {line}", of.said));
        }
        let killed = *line == "Killed" && of.code.is_none();
        for wanted in compared(line).iter().filter(|wanted| *wanted != "…" && !killed) {
            if !of.said.contains(wanted) {
                wrong.push(format!("`{}` does not say: {wanted}", of.line));
            }
        }
    }
    wrong
}

/// How a command of the page ends; the page tells where it is not well.
fn ends(line: &str, after: &[Typed]) -> Option<i32> {
    let before = |what: &str| after.last().is_some_and(|typed| typed.line.contains(what));
    match line {
        "escrr run escrr.toml --sandbox --yes" if before("--kill") => None,
        "escrr run escrr.toml --sandbox --yes" if before("--refuse") => Some(6),
        "escrr doctor --sandbox" => Some(5),
        _ => Some(0),
    }
}

#[test]
fn every_command_of_the_tutorial_does_what_it_says() {
    let folder = tempfile::tempdir().unwrap();
    let mut desk = Desk { folder, server: None, typed: Vec::new() };
    let mut wrong = Vec::new();
    for block in blocks() {
        if block[0].starts_with("$ ") {
            wrong.extend(shows(&block, &desk.typed));
            continue;
        }
        for line in block {
            let wanted = ends(line, &desk.typed);
            desk.types(line);
            let Some(typed) = desk.typed.last().filter(|_| line != SERVE) else { continue };
            if typed.code != wanted {
                wrong.push(format!("`{line}` ends with {:?}: {:#?}", typed.code, typed.said));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(desk.typed.len() > 25, "{}", desk.typed.len());
    assert!(Path::new(&desk.folder.path().join("link.html")).exists());
}

#[test]
fn the_run_that_the_readme_shows_is_one() {
    let folder = tempfile::tempdir().unwrap();
    let mut desk = Desk { folder, server: None, typed: Vec::new() };
    desk.types("escrr run --sandbox");
    let block = README.split("```").find(|block| block.trim_start().starts_with("$ ")).unwrap();
    let wrong = shows(&block.trim_matches('\n').lines().collect::<Vec<_>>(), &desk.typed);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
