//! Lines of JSON into a store.

use super::lines::{Group, Lines, TransferError};
use crate::id::SagaId;
use crate::sealed::Sealed;
use crate::store::{Append, Fence, Head, Home, Store as _, advance};
use std::collections::BTreeMap;
use std::io::{self, BufRead};

/// So many bytes of events are committed at once; a saga is never split below this.
const AT_ONCE: usize = 1024 * 1024;
/// A batch larger than this does not fit into a frame safely.
const LARGEST: usize = 64 * 1024 * 1024;

/// What was taken in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Imported {
    /// Sagas that were not there.
    pub new: u64,
    /// Sagas that went on from what was there.
    pub extended: u64,
    /// Sagas that were there already.
    pub skipped: u64,
    /// Entries that were added.
    pub entries: u64,
}

/// Why a saga may not be taken in: it is shown all entries that it would have, and whether it is new
/// here.
pub type Judge<'a> = &'a mut dyn FnMut(SagaId, &[Sealed], bool) -> Result<(), String>;

/// Takes in what [`super::export`] wrote.
///
/// `open` gives the lines from the beginning and is called twice: everything is checked, and
/// `judge` is asked about every saga of which something is new, before anything is committed. Each
/// saga is committed as a whole, so what an interrupted import left can be imported again.
///
/// # Errors
/// A line is not what an export writes, or contradicts what is there, or `judge` refuses: then
/// nothing was committed. Or the store refuses.
pub fn import<R: BufRead>(
    home: &mut Home,
    judge: Judge<'_>,
    mut open: impl FnMut() -> io::Result<R>,
) -> Result<Imported, TransferError> {
    check(home, judge, open()?)?;
    let fence = home.claim()?;
    let mut lines = Lines::open(open()?)?;
    let (mut imported, mut batch) = (Imported::default(), Batch::default());
    while let Some(group) = lines.next_group()? {
        let there = fits(home, &group)?;
        let missing = group.entries.get(there..).unwrap_or_default();
        match there {
            _ if missing.is_empty() => imported.skipped += 1,
            0 => imported.new += 1,
            _ => imported.extended += 1,
        }
        imported.entries += missing.len() as u64;
        let size: usize = missing.iter().map(|entry| entry.event_json().len()).sum();
        if batch.size + size > AT_ONCE {
            batch.commit(home, fence)?;
        }
        for entry in missing {
            batch.add(home, fence, Append::new(group.saga, entry.clone()))?;
        }
    }
    batch.commit(home, fence)?;
    Ok(imported)
}

/// Entries that wait to be committed.
#[derive(Default)]
struct Batch {
    appends: Vec<Append>,
    size: usize,
}

impl Batch {
    fn add(&mut self, home: &mut Home, fence: Fence, append: Append) -> Result<(), TransferError> {
        let size = append.entry.event_json().len();
        if self.size + size > LARGEST {
            self.commit(home, fence)?;
        }
        self.size += size;
        self.appends.push(append);
        Ok(())
    }

    fn commit(&mut self, home: &mut Home, fence: Fence) -> Result<(), TransferError> {
        if !self.appends.is_empty() {
            home.commit(fence, &self.appends)?;
        }
        *self = Self::default();
        Ok(())
    }
}

/// A saga as it would be after the import.
struct After {
    head: Head,
    /// The line of its first entry, if the import brings something of it.
    line: Option<u64>,
}

/// Goes through all lines and holds them against what is there.
fn check(home: &Home, judge: Judge<'_>, input: impl BufRead) -> Result<(), TransferError> {
    let here = home.heads()?.into_iter();
    let mut after: BTreeMap<SagaId, After> =
        here.map(|head| (head.saga, After { head, line: None })).collect();
    let mut lines = Lines::open(input)?;
    while let Some(group) = lines.next_group()? {
        let there = fits(home, &group)?;
        let head = head(&group)?;
        if there == group.entries.len() {
            continue;
        }
        judge(group.saga, &group.entries, there == 0)
            .map_err(|what| TransferError::line(group.line, what))?;
        after.insert(group.saga, After { head, line: Some(group.line) });
    }
    one_live_saga_each(&after)
}

/// A link has one live saga in a kind of world, and no younger one that would hide it.
fn one_live_saga_each(after: &BTreeMap<SagaId, After>) -> Result<(), TransferError> {
    let mut newest: BTreeMap<(&str, &str), &After> = BTreeMap::new();
    for (saga, this) in after {
        let Head { link, world, .. } = &this.head;
        let Some(earlier) = newest.insert((link.as_str(), world.as_str()), this) else { continue };
        if let (None, Some(line)) = (earlier.head.outcome, earlier.line.or(this.line)) {
            let other = earlier.head.saga;
            let where_to = if earlier.line.is_some() { "would be" } else { "is" };
            let what = format!(
                "saga {saga} is of {link}, and that link's saga {other} {where_to} live here"
            );
            return Err(TransferError::line(this.line.unwrap_or(line), what));
        }
    }
    Ok(())
}

/// How many of a saga's entries are there already; refuses what contradicts them.
fn fits(home: &Home, group: &Group) -> Result<usize, TransferError> {
    let Group { line, saga, entries } = group;
    let there: Vec<Sealed> = home.sealed(*saga, 1)?;
    let refuse = |at: usize, what: String| Err(TransferError::line(line + at as u64, what));
    let other = entries.iter().zip(&there).position(|(entry, there)| entry != there);
    if let Some(at) = other {
        let version = at + 1;
        let what = format!("entry {version} of saga {saga} is another one than the one here");
        return refuse(at, what);
    }
    let known = there.len();
    if known == 0 || known >= entries.len() {
        return Ok(known.min(entries.len()));
    }
    let live = home.heads()?.iter().any(|head| head.saga == *saga && head.outcome.is_none());
    if live {
        let what = format!("saga {saga} is live here, at entry {known}: it would go on twice");
        return refuse(known, what);
    }
    Ok(known)
}

/// The head that a saga's entries lead to.
fn head(group: &Group) -> Result<Head, TransferError> {
    let mut head = None;
    for entry in &group.entries {
        let append = Append { saga: group.saga, entry: entry.clone() };
        head = Some(advance(head.as_ref(), &append)?);
    }
    head.ok_or_else(|| TransferError::line(group.line, "a saga without entries"))
}
