//! The only place that writes to the terminal: results on stdout, everything else on stderr.

mod captured;
pub mod document;
pub mod fates;
pub mod frame;
pub mod graph;
pub mod picture;
pub mod printable;
pub mod progress;
pub mod report;
pub mod result;
pub mod table;
pub mod told;
pub mod words;

pub use captured::Captured;

use crate::args::OutputForm;
use crate::codes;
use crate::error::CommandError;
use crate::exit::Exit;
use crate::settings::Settings;
use crate::whereabouts::Whereabouts;
use anstream::{AutoStream, ColorChoice};
use anstyle::{AnsiColor, Style};
use captured::Kept;
use printable::{json, printable};
use serde::Serialize;
use serde_json::Value;
use std::io::{self, BufRead, BufReader, Cursor, Write};
use std::sync::{Mutex, PoisonError};

/// The look of an error's first word.
const ERROR: Style = AnsiColor::Red.on_default().bold();
/// The look of a warning's first word.
const WARNING: Style = AnsiColor::Yellow.on_default().bold();
/// The look of a hint's first word.
const HINT: Style = AnsiColor::Cyan.on_default().bold();
/// Stands for a blank at which a line is not broken; of private use, so that it comes from nowhere else.
pub const GLUE: &str = "\u{e000}";
/// The look of what is less important.
const DIM: Style = Style::new().dimmed();

type Sink = Mutex<Box<dyn Write + Send>>;
type Source = Mutex<Box<dyn BufRead + Send>>;

/// Two streams and what may be said on them.
pub struct Ui {
    out: Sink,
    err: Sink,
    answers: Source,
    form: OutputForm,
    quiet: bool,
    verbose: u8,
    interactive: bool,
    columns: Option<usize>,
    columns_stderr: Option<usize>,
    whereabouts: Whereabouts,
    /// Why a part of the result did not reach stdout.
    lost: Mutex<Option<io::Error>>,
}

impl Ui {
    /// The process's own streams.
    pub fn new(settings: &Settings) -> Self {
        Self {
            out: Mutex::new(Box::new(AutoStream::new(io::stdout(), choice(settings.color_stdout)))),
            err: Mutex::new(Box::new(AutoStream::new(io::stderr(), choice(settings.color_stderr)))),
            answers: Mutex::new(Box::new(BufReader::new(io::stdin()))),
            form: settings.output,
            quiet: settings.quiet,
            verbose: settings.verbose,
            interactive: settings.interactive,
            columns: settings.columns,
            columns_stderr: settings.columns_stderr,
            whereabouts: settings.whereabouts.clone(),
            lost: Mutex::default(),
        }
    }

    /// Streams for what goes wrong before there are settings.
    pub fn bare(form: OutputForm) -> Self {
        Self {
            out: Mutex::new(Box::new(anstream::stdout())),
            err: Mutex::new(Box::new(anstream::stderr())),
            answers: Mutex::new(Box::new(io::empty())),
            form,
            quiet: false,
            verbose: 0,
            interactive: false,
            columns: None,
            columns_stderr: None,
            whereabouts: Whereabouts::default(),
            lost: Mutex::default(),
        }
    }

    /// Streams that keep what was written, without colours.
    pub fn captured(form: OutputForm) -> (Self, Captured) {
        Self::captured_at(form, None)
    }

    /// The same, with tables as wide as a terminal of so many columns.
    pub fn captured_at(form: OutputForm, columns: Option<usize>) -> (Self, Captured) {
        let captured = Captured::default();
        let sink = |kept| captured_in(kept, false);
        let ui = Self {
            out: sink(&captured.out),
            err: sink(&captured.err),
            answers: Mutex::new(Box::new(io::empty())),
            form,
            quiet: false,
            verbose: 0,
            interactive: false,
            columns,
            columns_stderr: columns,
            whereabouts: Whereabouts::default(),
            lost: Mutex::default(),
        };
        (ui, captured)
    }

    /// Streams that keep what was written, for a terminal as it is settled; what it is asked is
    /// answered by the lines given.
    pub fn rehearsed(settings: &Settings, answers: &str) -> (Self, Captured) {
        let captured = Captured::default();
        let ui = Self {
            out: captured_in(&captured.out, settings.color_stdout),
            err: captured_in(&captured.err, settings.color_stderr),
            answers: Mutex::new(Box::new(Cursor::new(answers.to_owned()))),
            ..Self::new(settings)
        };
        (ui, captured)
    }

    /// Form of the result.
    pub const fn form(&self) -> OutputForm {
        self.form
    }

    /// Columns for tables, where a person reads them.
    pub const fn columns(&self) -> Option<usize> {
        self.columns
    }

    /// The same for tables that are no result but come before a question.
    pub const fn columns_stderr(&self) -> Option<usize> {
        self.columns_stderr
    }

    /// A line, or several, of the result.
    pub fn result(&self, text: &str) {
        self.put(&printable(text));
    }

    /// Writes to stdout. A reader that went away (`| head`) is no reason to stop a saga; any
    /// other trouble is remembered, so that the command does not end as if all had been said.
    fn put(&self, text: &str) {
        let mut stream = self.out.lock().unwrap_or_else(PoisonError::into_inner);
        let written = writeln!(stream, "{text}").and_then(|()| stream.flush());
        self.note(written).ok();
    }

    fn note(&self, written: io::Result<()>) -> io::Result<()> {
        let Err(error) = written else { return Ok(()) };
        let mut lost = self.lost.lock().unwrap_or_else(PoisonError::into_inner);
        if lost.is_none() && error.kind() != io::ErrorKind::BrokenPipe {
            *lost = Some(io::Error::new(error.kind(), error.to_string()));
        }
        Err(error)
    }

    /// What stands on stdout is not all that was to stand there, though the command came to its
    /// end.
    pub fn lost(&self, exit: Exit) -> Option<CommandError> {
        let lost = self.lost.lock().unwrap_or_else(PoisonError::into_inner);
        lost.as_ref().map(|error| {
            let said = format!("the result could not be written to stdout: {error}");
            CommandError::new(codes::UNWRITABLE, said)
                .meaning(format!(
                    "the command itself finished ({}, exit code {}); only its output is cut off",
                    exit.class(),
                    exit.code()
                ))
                .hint("make room, or write to another place, and ask again: `escrr status`")
        })
    }

    /// Bytes of the result that must not get lost on their way.
    ///
    /// # Errors
    /// stdout does not take them.
    pub fn raw(&self, bytes: &[u8]) -> io::Result<()> {
        let mut stream = self.out.lock().unwrap_or_else(PoisonError::into_inner);
        let written = stream.write_all(bytes).and_then(|()| stream.flush());
        self.note(written)
    }

    /// The result as one JSON document for people and programs to read.
    ///
    /// It is an object, and its member `schema` names its format.
    pub fn document<T: Serialize + ?Sized>(&self, value: &T) {
        let enveloped = self.completed(value).map(|mut value| {
            if let Some(members) = value.as_object_mut() {
                members.insert("schema".to_owned(), document::DOCUMENT_SCHEMA.into());
            }
            value
        });
        self.pretty(&enveloped);
    }

    /// A document in somebody else's format.
    pub fn foreign_document<T: Serialize + ?Sized>(&self, value: &T) {
        self.pretty(&Ok(value));
    }

    fn pretty<T: Serialize>(&self, value: &serde_json::Result<T>) {
        let text = match value {
            Ok(value) => serde_json::to_string_pretty(value).map_err(|error| error.to_string()),
            Err(error) => Err(error.to_string()),
        };
        match text {
            Ok(text) => self.put(&json(text)),
            Err(error) => self.failure(&CommandError::new(codes::BUG, error)),
        }
    }

    /// A document whose commands lead back here.
    fn completed<T: Serialize + ?Sized>(&self, value: &T) -> serde_json::Result<Value> {
        let mut value = serde_json::to_value(value)?;
        self.whereabouts.in_document(&mut value);
        Ok(value)
    }

    /// What a command that is printed has to name.
    pub const fn whereabouts(&self) -> &Whereabouts {
        &self.whereabouts
    }

    /// One JSON object on one line.
    pub fn line<T: Serialize + ?Sized>(&self, value: &T) {
        let text = serde_json::to_string(value).and_then(|text| {
            // The members of a line have an order, and only a command changes it.
            if text.contains("\"next_command\":\"") && *self.whereabouts() != Whereabouts::default()
            {
                return serde_json::to_string(&self.completed(value)?);
            }
            Ok(text)
        });
        match text {
            Ok(text) => self.put(&json(text)),
            Err(error) => self.failure(&CommandError::new(codes::BUG, error.to_string())),
        }
    }

    /// How things go; not with `--quiet`.
    pub fn status(&self, text: &str) {
        if !self.quiet {
            say(&self.err, &printable(&self.whereabouts.in_text(text)));
        }
    }

    /// More on how things go; only with `--verbose`.
    pub fn detail(&self, text: &str) {
        if self.verbose > 0 && !self.quiet {
            say(&self.err, &format!("{DIM}{}{DIM:#}", printable(text)));
        }
    }

    /// Something is not as it should be, and the command goes on.
    pub fn warning(&self, text: &str) {
        say(&self.err, &self.behind(WARNING, "warning:", text));
    }

    /// What helps; not with `--quiet`.
    pub fn hint(&self, text: &str) {
        if !self.quiet {
            say(&self.err, &self.behind(HINT, "hint:", text));
        }
    }

    /// The command that comes next; not with `--quiet`.
    pub fn next(&self, command: &str) {
        if !self.quiet {
            let command = self.whereabouts.complete(command);
            say(&self.err, &format!("{HINT}next:{HINT:#} {}", printable(&command)));
        }
    }

    /// The command ends with an error: what happened first, hints last.
    pub fn error(&self, error: &CommandError) {
        if self.form == OutputForm::Json {
            self.document(&error.to_json());
        }
        self.failure(error);
    }

    /// Something went wrong that is part of the result: said like an error, without its document.
    pub fn problem(&self, error: &CommandError) {
        self.failure(error);
    }

    fn failure(&self, error: &CommandError) {
        let mut lines =
            vec![self.behind(ERROR, &format!("error[{}]:", error.code.id), &error.said)];
        let more = [
            ("  tried:", &error.tried),
            ("  request id:", &error.request_id),
            ("  meaning:", &error.meaning),
        ];
        for (name, value) in more {
            lines.extend(value.iter().map(|value| self.behind(DIM, name, value)));
        }
        lines.extend(error.hints.iter().map(|hint| self.behind(HINT, "hint:", hint)));
        let next = error.next_command.iter();
        let next = next.map(|command| self.whereabouts.complete(command));
        lines.extend(next.map(|command| format!("{HINT}next:{HINT:#} {}", printable(&command))));
        say(&self.err, &lines.join("\n"));
    }

    /// A text behind a word, broken between words where there is a terminal. What has lines of
    /// its own, such as a place in a file, keeps them.
    fn behind(&self, style: Style, word: &str, text: &str) -> String {
        let text = self.whereabouts.in_text(text);
        let text = &*printable(&text);
        let lead = table::width(word) + 1;
        let room = self.columns_stderr.map(|columns| columns.saturating_sub(lead).max(20));
        let body = match room {
            Some(_) if !text.contains('\n') => {
                let lines =
                    table::wrap(&glued(text), room).join(&format!("\n{}", " ".repeat(lead)));
                lines.replace(GLUE, " ")
            }
            Some(_) | None => text.to_owned(),
        };
        format!("{style}{word}{style:#} {body}")
    }

    /// Is there somebody to ask?
    ///
    /// # Errors
    /// Nobody can be asked, and then the flag is named that answers instead.
    pub fn can_ask(&self, flag: &str) -> Result<(), CommandError> {
        if self.interactive {
            return Ok(());
        }
        let said = "this has to be confirmed, and there is no terminal to ask on";
        let error = CommandError::new(codes::NOBODY_TO_ASK, said);
        Err(error.hint(format!("confirm it with {flag}")))
    }

    /// Asks for one of several by its number, until it is one; counts from 0.
    ///
    /// # Errors
    /// Nobody answers.
    pub fn choose(&self, question: &str, several: usize) -> Result<usize, CommandError> {
        loop {
            ask(&self.err, &printable(question));
            let mut answer = String::new();
            let read = {
                let mut source = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
                source.read_line(&mut answer)
            };
            match read {
                Ok(0) => return Err(CommandError::new(codes::DECLINED, "nothing was chosen")),
                Ok(_) => match number(&answer, several) {
                    Some(at) => return Ok(at),
                    None => say(&self.err, &format!("a number from 1 to {several}, please")),
                },
                Err(error) => {
                    return Err(CommandError::new(codes::NOBODY_TO_ASK, error.to_string()));
                }
            }
        }
    }

    /// Asks for a word, and goes on only if it is the one that was wanted.
    ///
    /// # Errors
    /// Nobody can be asked, and then the flag is named; or another word was given.
    pub fn confirm(&self, question: &str, wanted: &str, flag: &str) -> Result<(), CommandError> {
        self.can_ask(flag)?;
        let question = printable(question);
        ask(&self.err, &format!("{question}\nType `{}` to go on: ", printable(wanted)));
        let mut answer = String::new();
        let read = {
            let mut source = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
            source.read_line(&mut answer)
        };
        match read {
            Ok(_) if answer.trim() == wanted => Ok(()),
            Ok(_) => Err(CommandError::new(codes::DECLINED, "not confirmed; nothing was done")),
            Err(error) => Err(CommandError::new(codes::NOBODY_TO_ASK, error.to_string())),
        }
    }
}

/// A text whose commands have no place to break them: what is pasted has to be one line.
pub fn glued(text: &str) -> String {
    let part = |(at, part): (usize, &str)| {
        let command = at % 2 == 1 && part.starts_with("escrr ");
        if command { part.replace(' ', GLUE) } else { part.to_owned() }
    };
    text.split('`').enumerate().map(part).collect::<Vec<_>>().join("`")
}

fn captured_in(kept: &Kept, color: bool) -> Sink {
    let raw: Box<dyn Write + Send> = Box::new(kept.clone());
    Mutex::new(Box::new(AutoStream::new(raw, choice(color))))
}

/// The place, from 0, that a number from 1 stands for.
fn number(answer: &str, several: usize) -> Option<usize> {
    let number: usize = answer.trim().parse().ok()?;
    number.checked_sub(1).filter(|at| *at < several)
}

const fn choice(color: bool) -> ColorChoice {
    if color { ColorChoice::Always } else { ColorChoice::Never }
}

/// Writes a text and a line end to stderr. Where it cannot be written, nobody is left to tell.
fn say(sink: &Sink, text: &str) {
    let mut stream = sink.lock().unwrap_or_else(PoisonError::into_inner);
    writeln!(stream, "{text}").and_then(|()| stream.flush()).ok();
}

fn ask(sink: &Sink, text: &str) {
    let mut stream = sink.lock().unwrap_or_else(PoisonError::into_inner);
    write!(stream, "{text}").and_then(|()| stream.flush()).ok();
}

#[cfg(test)]
mod tests;
