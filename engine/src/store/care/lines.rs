//! A store as lines of JSON: a first line that says what it is, a line an entry, sagas one
//! after the other in the order of their ids, and a last line with counts and a checksum.
//!
//! An entry's line holds its event's JSON byte for byte, so that hashes survive, also of
//! fields that a newer version added.

use crate::event::Event;
use crate::id::{SagaId, hex};
use crate::sealed::Sealed;
use crate::store::StoreError;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::io::{self, BufRead, Read as _};

/// The schema of the lines.
pub const SCHEMA: u32 = 1;
/// What the first line says that this is.
pub const TYPE: &str = "escrr.store";
/// What the last line says that it is.
const END: &str = "escrr.store.end";
/// No line is longer than this, in bytes: the largest entry, and what stands around it.
const LONGEST: u64 = 17 * 1024 * 1024;

/// A store cannot be carried elsewhere.
#[derive(Debug, thiserror::Error)]
pub enum TransferError {
    /// The store itself refuses.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The other side cannot be read or written.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// A line is not what an export writes.
    #[error("line {line}: {what}")]
    Line {
        /// Its number, from 1.
        line: u64,
        /// What is wrong.
        what: String,
    },
}

impl TransferError {
    pub(super) fn line(line: u64, what: impl Into<String>) -> Self {
        Self::Line { line, what: what.into() }
    }
}

/// The first line.
#[derive(Serialize, Deserialize)]
struct First {
    r#type: String,
    schema: u32,
}

/// What stands before an entry's event.
#[derive(Serialize, Deserialize)]
struct Front {
    saga: SagaId,
    version: u64,
    at_ms: u64,
    previous: String,
}

/// The last line.
#[derive(Serialize, Deserialize)]
struct Last {
    r#type: String,
    sagas: u64,
    entries: u64,
    /// SHA-256 of all lines before it, with their ends.
    sha256: String,
}

fn json(value: &impl Serialize) -> Vec<u8> {
    // Numbers and text always serialise.
    let mut line = serde_json::to_vec(value).unwrap_or_default();
    line.push(b'\n');
    line
}

/// Makes the lines.
#[derive(Default)]
pub(super) struct Maker {
    hash: Sha256,
    pub(super) sagas: u64,
    pub(super) entries: u64,
}

impl Maker {
    pub(super) fn first(&mut self) -> Vec<u8> {
        self.hashed(json(&First { r#type: TYPE.to_owned(), schema: SCHEMA }))
    }

    pub(super) fn entry(&mut self, saga: SagaId, entry: &Sealed) -> Vec<u8> {
        self.entries += 1;
        let mut line = format!("{{\"saga\":\"{saga}\",").into_bytes();
        line.extend(entry.line().get(1..).unwrap_or_default());
        line.push(b'\n');
        self.hashed(line)
    }

    pub(super) fn last(self) -> Vec<u8> {
        let Self { hash, sagas, entries } = self;
        json(&Last { r#type: END.to_owned(), sagas, entries, sha256: hex(&hash.finalize()) })
    }

    fn hashed(&mut self, line: Vec<u8>) -> Vec<u8> {
        self.hash.update(&line);
        line
    }
}

/// All entries of one saga, and the line of the first.
pub(super) struct Group {
    pub(super) line: u64,
    pub(super) saga: SagaId,
    pub(super) entries: Vec<Sealed>,
}

/// Reads the lines, one saga at a time, and checks whatever can be checked of them.
pub(super) struct Lines<R> {
    input: R,
    number: u64,
    hash: Sha256,
    entries: u64,
    sagas: u64,
    saga: Option<SagaId>,
    /// The first entry of the next saga, and its line.
    waiting: Option<(u64, SagaId, Sealed)>,
    /// The last line was there, and right.
    over: bool,
}

impl<R: BufRead> Lines<R> {
    /// Begins with the first line.
    pub(super) fn open(input: R) -> Result<Self, TransferError> {
        let (hash, saga, waiting) = (Sha256::new(), None, None);
        let mut lines =
            Self { input, number: 0, hash, entries: 0, sagas: 0, saga, waiting, over: false };
        let first = lines.next_line()?;
        lines.hash.update(&first);
        match serde_json::from_slice::<First>(&first) {
            Ok(First { r#type, schema }) if r#type == TYPE && schema <= SCHEMA => Ok(lines),
            Ok(First { r#type, schema }) if r#type == TYPE => {
                let what = format!("it has schema {schema}; this version reads up to {SCHEMA}");
                Err(lines.wrong(what))
            }
            Ok(_) | Err(_) => Err(lines.wrong("this is not what `escrr store export` writes")),
        }
    }

    /// The next saga; none when the last line was there, and right.
    pub(super) fn next_group(&mut self) -> Result<Option<Group>, TransferError> {
        let first = match self.waiting.take() {
            Some(waiting) => Some(waiting),
            None => self.next_entry()?,
        };
        let Some((line, saga, first)) = first else { return Ok(None) };
        if first.version != 1 || !first.previous.is_empty() {
            let what = format!("saga {saga} does not begin with its first entry");
            return Err(TransferError::line(line, what));
        }
        if !matches!(first.event, Event::Created { .. }) {
            let what = format!("saga {saga} does not begin with its creation");
            return Err(TransferError::line(line, what));
        }
        let mut entries = vec![first];
        while let Some((line, of, entry)) = self.next_entry()? {
            if of != saga {
                self.waiting = Some((line, of, entry));
                break;
            }
            let last = entries.last();
            let follows = last.is_some_and(|last| {
                last.version + 1 == entry.version && last.hash() == entry.previous
            });
            if !follows {
                let what = "does not follow the entry before it";
                return Err(self.wrong(format!("entry {} of saga {saga} {what}", entry.version)));
            }
            entries.push(entry);
        }
        Ok(Some(Group { line, saga, entries }))
    }

    /// The next entry and its line; none at the last line.
    fn next_entry(&mut self) -> Result<Option<(u64, SagaId, Sealed)>, TransferError> {
        if self.over {
            return Ok(None);
        }
        let line = self.next_line()?;
        let Ok(front) = serde_json::from_slice::<Front>(&line) else {
            self.check_last(&line)?;
            self.over = true;
            return Ok(None);
        };
        self.hash.update(&line);
        let saga = front.saga;
        if self.saga != Some(saga) {
            if self.saga.is_some_and(|before| before > saga) {
                return Err(self.wrong(format!("saga {saga} stands out of its order")));
            }
            self.sagas += 1;
            self.saga = Some(saga);
        }
        self.entries += 1;
        let mut start = json(&front);
        start.truncate(start.len().saturating_sub(2));
        start.push(b',');
        let rest = line.strip_prefix(start.as_slice()).and_then(|rest| rest.strip_suffix(b"\n"));
        let Some(rest) = rest else {
            return Err(self.wrong("it was rewritten: its bytes are not those of an export"));
        };
        let Front { version, at_ms, previous, .. } = front;
        let entry = Sealed::read(version, at_ms, previous, &[b"{", rest].concat());
        let entry = entry.map_err(|e| self.wrong(format!("an event cannot be read: {e}")))?;
        Ok(Some((self.number, saga, entry)))
    }

    /// Holds the last line against what was read.
    fn check_last(&mut self, line: &[u8]) -> Result<(), TransferError> {
        let Ok(last) = serde_json::from_slice::<Last>(line) else {
            return Err(self.wrong("it is neither an entry nor the last line"));
        };
        if last.r#type != END {
            return Err(self.wrong("it is neither an entry nor the last line"));
        }
        if (last.sagas, last.entries) != (self.sagas, self.entries) {
            let what = format!(
                "it counts {} sagas and {} entries; there are {} and {}",
                last.sagas, last.entries, self.sagas, self.entries
            );
            return Err(self.wrong(what));
        }
        if last.sha256 != hex(&self.hash.clone().finalize()) {
            return Err(self.wrong("the checksum does not match: a line was altered"));
        }
        let mut more = [0];
        match self.input.read(&mut more)? {
            0 => Ok(()),
            _ => Err(TransferError::line(self.number + 1, "something follows the last line")),
        }
    }

    fn next_line(&mut self) -> Result<Vec<u8>, TransferError> {
        let mut line = Vec::new();
        self.number += 1;
        (&mut self.input).take(LONGEST).read_until(b'\n', &mut line)?;
        match line.last() {
            None if self.number > 1 => Err(self.wrong("the last line is missing: it is cut short")),
            None => Err(self.wrong("it is empty")),
            Some(b'\n') => Ok(line),
            Some(_) if line.len() as u64 == LONGEST => Err(self.wrong("it is far too long")),
            Some(_) => Err(self.wrong("it is cut short")),
        }
    }

    fn wrong(&self, what: impl Into<String>) -> TransferError {
        TransferError::line(self.number, what)
    }
}
