//! This very binary as a child process, with an environment of its own.

use crate::codes;
use crate::error::CommandError;
use crate::exit::Exit;
use std::fmt;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;
use tokio::process::Command;
use tokio::time::timeout;

/// A life in the sandbox takes seconds; a child that takes longer than this hangs.
const LIMIT: Duration = Duration::from_secs(120);
/// The signal that nobody can catch.
const SIGKILL: i32 = 9;

/// How a child ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// With an exit code.
    Exit(i32),
    /// By a signal.
    Signal(i32),
    /// Not by itself.
    Hung,
}

impl End {
    fn of(status: ExitStatus) -> Self {
        match (status.code(), status.signal()) {
            (Some(code), _) => Self::Exit(code),
            (None, Some(signal)) => Self::Signal(signal),
            // Ended is what was waited for, so one of the two is there.
            (None, None) => Self::Hung,
        }
    }

    /// Did it do as it was told?
    pub fn is_done(self) -> bool {
        self == Self::of_exit(Exit::Done)
    }

    /// Could it not open its store?
    pub fn is_store_damaged(self) -> bool {
        self == Self::of_exit(Exit::StoreDamaged)
    }

    /// Was it killed, as it was meant to be?
    pub fn is_killed(self) -> bool {
        self == Self::Signal(SIGKILL)
    }

    fn of_exit(exit: Exit) -> Self {
        Self::Exit(i32::from(exit.code()))
    }
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exit(code) => write!(f, "ended with {code}"),
            Self::Signal(signal) => write!(f, "died by signal {signal}"),
            Self::Hung => write!(f, "did not end within {} s", LIMIT.as_secs()),
        }
    }
}

/// What a child said and how it ended.
#[derive(Clone, Debug)]
pub struct Ended {
    /// How.
    pub end: End,
    /// Its stdout.
    pub stdout: String,
    /// Its stderr.
    pub stderr: String,
}

impl Ended {
    /// The entries that it acknowledged on stdout: whole lines, as they stand in `escrr events`.
    pub fn acknowledged(&self) -> impl Iterator<Item = String> {
        let lines = self.stdout.split_inclusive('\n').filter_map(|line| line.strip_suffix('\n'));
        lines.filter(|line| line.starts_with("{\"seq\":")).map(str::to_owned)
    }

    /// The line of stderr that tells most: the error, or what was said last.
    pub fn reason(&self) -> &str {
        let mut lines = self.stderr.lines();
        let last = self.stderr.lines().last();
        lines.find(|line| line.starts_with("error")).or(last).unwrap_or("it said nothing")
    }
}

/// The program that runs right now, to be started again.
#[derive(Clone, Debug)]
pub struct Binary(PathBuf);

impl Binary {
    /// This process's own program.
    ///
    /// # Errors
    /// The system does not say where it is.
    pub fn own() -> Result<Self, CommandError> {
        std::env::current_exe().map(Self).map_err(|error| {
            CommandError::new(codes::SELFTEST, format!("cannot find this program: {error}"))
        })
    }

    /// Another program, which takes the same arguments; for tests.
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }

    /// Runs it to its end in a home, with nothing of this process's environment.
    ///
    /// # Errors
    /// It cannot be started.
    pub async fn run(&self, home: &Path, arguments: &[String]) -> Result<Ended, CommandError> {
        let fail = |error: std::io::Error| {
            CommandError::file(codes::SELFTEST, "cannot run", &self.0, &error)
        };
        let child = Command::new(&self.0)
            .args(arguments)
            .arg("--home")
            .arg(home)
            .args(["--no-input", "--output", "ndjson", "--progress", "plain", "--color", "never"])
            .env_clear()
            .current_dir(home)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(fail)?;
        let Ok(ended) = timeout(LIMIT, child.wait_with_output()).await else {
            let nothing = String::new;
            return Ok(Ended { end: End::Hung, stdout: nothing(), stderr: nothing() });
        };
        let ended = ended.map_err(fail)?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let (stdout, stderr) = (text(&ended.stdout), text(&ended.stderr));
        Ok(Ended { end: End::of(ended.status), stdout, stderr })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_lines_of_entries_are_acknowledged() {
        let stdout = "{\"type\":\"version\"}\n{\"seq\":1}\n{\"seq\":2}\n{\"seq\":3".to_owned();
        let ended = Ended { end: End::Signal(9), stdout, stderr: String::new() };
        assert_eq!(ended.acknowledged().collect::<Vec<_>>(), ["{\"seq\":1}", "{\"seq\":2}"]);
    }

    #[test]
    fn the_reason_is_the_error_before_what_follows_it() {
        let ended = |stderr: &str| Ended {
            end: End::Exit(1),
            stdout: String::new(),
            stderr: stderr.to_owned(),
        };
        assert_eq!(ended("begun\nerror[E1]: no\nhint: x\n").reason(), "error[E1]: no");
        assert_eq!(ended("begun\ndone\n").reason(), "done");
        assert_eq!(ended("").reason(), "it said nothing");
    }

    #[test]
    fn an_end_is_told_from_every_other() {
        assert!(End::Exit(0).is_done() && !End::Signal(9).is_done());
        assert!(End::Signal(9).is_killed() && !End::Signal(15).is_killed());
        assert!(!End::Exit(137).is_killed());
        assert!(End::Exit(10).is_store_damaged() && !End::Exit(1).is_store_damaged());
        assert_eq!(End::Hung.to_string(), "did not end within 120 s");
    }
}
