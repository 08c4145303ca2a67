//! Reads a home without holding it: whoever writes is not disturbed.
//!
//! The journal's files are read as they are. One that is turned into an archive meanwhile is
//! gone from the folder by then, so a list of names taken before and after tells whether
//! everything was read in one state.

use super::journal::{self, Replay};
use super::meta::Meta;
use super::truth::{Pieces, Truth};
use super::{Head, Holder, Lock, StoreError, Writer, paths, system};
use crate::event::Entry;
use crate::id::SagaId;
use crate::sealed::Sealed;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// A writer archives a segment now and then; more often in a row than this it cannot.
const TRIES: u32 = 50;
/// What still looks damaged after so many looks is damaged, and not being written.
const LOOKS: u32 = 4;

/// What a home's journal says at one moment.
#[derive(Debug, Default)]
pub struct Reading {
    store: PathBuf,
    truth: Truth,
    replay: Replay,
    /// Who writes to the home now.
    writer: Option<Writer>,
}

impl Reading {
    /// Reads the home in `path`; it is not made if it is not there.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let store = paths::store(path)?;
        for folder in [path, &store, &paths::journal(&store)] {
            system::refuse_writable(folder)?;
        }
        if Meta::read(&store)?.is_none() {
            return Ok(Self::default());
        }
        let folder = paths::journal(&store);
        let (mut tries, mut looks) = (0, 0);
        let (truth, replay) = loop {
            let before = names(&folder);
            let read = read(&store, &folder);
            let steady = before == names(&folder);
            tries += 1;
            match read {
                Ok(read) if steady || tries > TRIES => break read,
                Err(error @ StoreError::Damaged { .. }) if steady => {
                    looks += 1;
                    if looks > LOOKS {
                        return Err(error);
                    }
                }
                Err(error) if steady || tries > TRIES => return Err(error),
                // A file has become another meanwhile: again.
                Ok(_) | Err(_) => {}
            }
        };
        // A lock that cannot be asked keeps nobody from reading.
        let writer = Some(Lock::writer(path));
        Ok(Self { store, truth, replay, writer })
    }

    /// The process that writes to the home now, if one does.
    pub fn holder(&self) -> Option<&Holder> {
        match &self.writer {
            Some(Writer::Held(holder)) => Some(holder),
            Some(Writer::Nobody | Writer::Unknown(_)) | None => None,
        }
    }

    /// Why it cannot be told whether a process writes to the home now, if that is so.
    pub fn trouble(&self) -> Option<&str> {
        match &self.writer {
            Some(Writer::Unknown(why)) => Some(why),
            Some(Writer::Nobody | Writer::Held(_)) | None => None,
        }
    }

    /// The entries of a saga from a version on.
    pub fn entries(&self, saga: SagaId, from: u64) -> Result<Vec<Entry>, StoreError> {
        Ok(self.sealed(saga, from)?.iter().map(|entry| entry.entry().clone()).collect())
    }

    /// The entries of a saga as they are stored.
    pub fn sealed(&self, saga: SagaId, from: u64) -> Result<Vec<Sealed>, StoreError> {
        let Some(known) = self.truth.known.get(&saga) else { return Ok(Vec::new()) };
        let mut pieces = Pieces::default();
        pieces.add_archived(known, &self.truth.archives, from)?;
        let tail = self.truth.tail.iter().filter(|(_, of, _)| *of == saga);
        pieces.add(tail.map(|(_, _, entry)| entry.clone()));
        pieces.chain(&self.store, known, from)
    }

    /// All heads, oldest saga first.
    pub fn heads(&self) -> Result<Vec<Head>, StoreError> {
        Ok(self.truth.known.values().map(|known| known.head.clone()).collect())
    }

    /// What was met while reading.
    pub fn notices(&self) -> &[super::Notice] {
        &self.replay.notices
    }
}

fn read(store: &Path, folder: &Path) -> Result<(Truth, Replay), StoreError> {
    // It is read each time: the journal goes on while it is read.
    let Some(meta) = Meta::read(store)? else { return Ok(Default::default()) };
    let mut replay = journal::replay(folder, &meta)?.1;
    let truth = Truth::fold(store, &mut replay)?;
    Ok((truth, replay))
}

/// The names of the files that hold entries.
pub(super) fn names(folder: &Path) -> Vec<OsString> {
    let listed = std::fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok);
    let holds = |name: &OsString| {
        let name = name.to_string_lossy();
        name.ends_with(".wal") || name.ends_with(".arc")
    };
    let mut names: Vec<OsString> = listed.map(|entry| entry.file_name()).filter(holds).collect();
    names.sort();
    names
}
