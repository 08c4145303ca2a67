//! Reads everything that a store holds and says everything that is wrong with it.

use super::chains::Chains;
use super::finding::{Finding, Remark};
use super::walk::Walk;
use crate::id::SagaId;
use crate::store::home::disagreement;
use crate::store::index::Index;
use crate::store::journal;
use crate::store::meta::Meta;
use crate::store::reading::names;
use crate::store::system::{is_folder, is_there};
use crate::store::truth::Truth;
use crate::store::{Lock, StoreError, paths};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// What still looks damaged after so many looks is damaged, and not being written.
const LOOKS: u32 = 5;

/// A writer archives a segment now and then; more often in a row than this it cannot.
const TRIES: u32 = 50;

/// How much there is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Files of the journal.
    pub files: u64,
    /// Frames in them.
    pub frames: u64,
    /// Entries in those.
    pub entries: u64,
    /// Sagas that the entries belong to.
    pub sagas: u64,
    /// Bytes of the files.
    pub bytes: u64,
}

/// What was seen of the index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IndexSeen {
    /// It says what the journal says.
    Agrees,
    /// It was looked at, and a finding says what is wrong.
    Disagrees,
    /// There is none; the next command makes it.
    Absent,
    /// Another process has it open.
    Held,
    /// There is no sound journal to hold it against.
    NoJournal,
    /// It cannot be opened where nothing can be written.
    Unwritable,
}

/// What a check came to.
#[derive(Clone, Debug)]
pub struct Verified {
    /// The store's folder.
    pub store: PathBuf,
    /// How much was read.
    pub counts: Counts,
    /// Everything that is wrong.
    pub findings: Vec<Finding>,
    /// What else was seen.
    pub remarks: Vec<Remark>,
    /// What was seen of the index.
    pub index: IndexSeen,
}

/// Checks the store of a home: every frame, every chain and, under the home's lock, the index.
///
/// Nothing is written into the journal. Without the lock another process may be at work, and
/// what it has half written is looked at again.
///
/// # Errors
/// The system refuses to read something, or a newer version wrote it. Damage is a finding.
pub fn verify(home: &Path, lock: Option<&Lock>) -> Result<Verified, StoreError> {
    let store = paths::store(home)?;
    if lock.is_some() {
        return look(&store, lock);
    }
    let folder = paths::journal(&store);
    let (mut tries, mut looks) = (0, 0);
    loop {
        let before = names(&folder);
        let looked = look(&store, None);
        if looked.as_ref().is_ok_and(|verified| verified.findings.is_empty()) {
            return looked;
        }
        // A file has become another meanwhile, or a frame is just being written.
        tries += 1;
        looks += u32::from(before == names(&folder));
        if looks >= LOOKS || tries >= TRIES {
            return looked;
        }
    }
}

fn look(store: &Path, lock: Option<&Lock>) -> Result<Verified, StoreError> {
    let folder = paths::journal(store);
    let Journaled { chains, walk, .. } = journal_of(store)?;
    let Walk { files, frames, bytes, remarks, .. } = walk;
    let Chains { heads, entries, mut findings } = chains;
    let sagas = heads.len() as u64;
    let counts = Counts { files, frames, entries, sagas, bytes };
    let index = match lock {
        None => IndexSeen::Held,
        Some(_) if !findings.is_empty() => IndexSeen::NoJournal,
        Some(_) => check_index(store, &folder, &mut findings)?,
    };
    Ok(Verified { store: store.to_owned(), counts, findings, remarks, index })
}

/// What a store holds besides its index.
pub(super) struct Journaled {
    /// What it says of itself, if that can be read.
    pub(super) meta: Option<Meta>,
    pub(super) chains: Chains,
    pub(super) walk: Walk,
}

/// Everything of a store but for its index.
pub(super) fn journal_of(store: &Path) -> Result<Journaled, StoreError> {
    let mut chains = Chains::default();
    let meta = match Meta::read(store) {
        Ok(meta) => meta,
        Err(StoreError::Damaged { what, .. }) => {
            chains.findings.push(Finding::new(&store.join("meta"), what));
            None
        }
        Err(other) => return Err(other),
    };
    let folder = paths::journal(store);
    if is_folder(&folder)? {
        let walk = Walk::go(&folder, meta.as_ref(), &mut chains)?;
        return Ok(Journaled { meta, chains, walk });
    }
    // The index is only begun when the journal's folder is there.
    if meta.as_ref().is_some_and(|meta| meta.last() > 0) || is_there(&paths::index(store))? {
        chains.findings.push(Finding::new(&folder, "it is missing"));
    }
    Ok(Journaled { meta, chains, walk: Walk::default() })
}

/// Holds the index against a journal that was found to be sound.
fn check_index(
    store: &Path,
    folder: &Path,
    findings: &mut Vec<Finding>,
) -> Result<IndexSeen, StoreError> {
    let path = paths::index(store);
    if !is_there(&path)? {
        return Ok(IndexSeen::Absent);
    }
    let (truth, last) = match strictly(store, folder) {
        Ok(read) => read,
        Err(StoreError::Damaged { what, .. }) => {
            findings.push(Finding::new(folder, what));
            return Ok(IndexSeen::NoJournal);
        }
        Err(other) => return Err(other),
    };
    let (index, contents) = match Index::open(&path) {
        Ok(opened) => opened,
        Err(StoreError::Full { .. }) => return Ok(IndexSeen::Unwritable),
        Err(error @ StoreError::Newer { .. }) => return Err(error),
        Err(error) => {
            findings.push(Finding::new(&path, error.to_string()));
            return Ok(IndexSeen::Disagrees);
        }
    };
    if !contents.begun {
        return Ok(IndexSeen::Absent);
    }
    let before = findings.len();
    if contents.followed > last {
        let seen = contents.followed;
        let what = format!("it has seen frame {seen}, and the journal ends at frame {last}");
        findings.push(Finding::new(&path, what).frame(Some(last)));
    }
    findings.extend(disagreement(&truth, &contents).map(|what| Finding::new(&path, what)));
    check_entries(&path, &index, (&truth, contents.followed), findings)?;
    Ok(if findings.len() == before { IndexSeen::Agrees } else { IndexSeen::Disagrees })
}

/// The journal as whoever opens it reads it, and the number of its last frame.
pub(super) fn strictly(store: &Path, folder: &Path) -> Result<(Truth, u64), StoreError> {
    let Some(meta) = Meta::read(store)? else { return Ok((Truth::default(), 0)) };
    let (tail, mut replay) = journal::replay(folder, &meta)?;
    let truth = Truth::fold(store, &mut replay)?;
    Ok((truth, journal::last(tail.as_ref(), &replay.layout)))
}

/// The entries that stand in the index are those of the journal.
fn check_entries(
    path: &Path,
    index: &Index,
    (truth, followed): (&Truth, u64),
    findings: &mut Vec<Finding>,
) -> Result<(), StoreError> {
    let seen = truth.tail.iter().filter(|(sequence, _, _)| *sequence <= followed);
    let sagas: BTreeSet<SagaId> = seen.clone().map(|(_, saga, _)| *saga).collect();
    let mut stored = BTreeMap::new();
    for saga in sagas {
        match index.entries(saga, 0) {
            Ok(entries) => stored.insert(saga, entries),
            Err(StoreError::Damaged { what, .. }) => {
                let mut finding = Finding::new(path, what);
                finding.saga = Some(saga);
                findings.push(finding);
                continue;
            }
            Err(other) => return Err(other),
        };
    }
    for (sequence, saga, entry) in seen {
        let Some(entries) = stored.get(saga) else { continue };
        let what = match entries.get(&entry.version) {
            Some(found) if found == entry => continue,
            Some(_) => "it has another entry than the journal",
            None => "it has lost an entry that it had seen",
        };
        let finding = Finding::new(path, what).frame(Some(*sequence));
        findings.push(finding.entry(*saga, entry.version));
    }
    Ok(())
}
