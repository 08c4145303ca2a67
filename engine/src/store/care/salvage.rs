//! Makes a new store of whatever of a damaged one can be read and fits together.

use super::finding::Finding;
use super::rebuild::{self, seen};
use super::verify::{Journaled, journal_of, strictly};
use super::walk::{Spot, Visit, Walk};
use crate::id::SagaId;
use crate::sealed::Sealed;
use crate::store::index::Index;
use crate::store::journal::frame::Kind;
use crate::store::journal::layout::Layout;
use crate::store::journal::{Journal, records};
use crate::store::meta::Meta;
use crate::store::system::{is_folder, is_there, make_folder as make, sync_folder};
use crate::store::{Append, Head, Lock, StoreError, advance, paths};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// So many bytes of events go into one frame, and never less than an entry.
const AT_ONCE: usize = 1024 * 1024;

/// What was salvaged of a saga.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Saved {
    /// The saga.
    pub saga: SagaId,
    /// The link that it sets up; empty if that is lost.
    pub link: String,
    /// The versions 1 to this one were kept; 0 if none was.
    pub kept: u64,
    /// The saga had come to this version at least: what lies between is lost.
    pub known: u64,
    /// So many of those that were kept stood in the index alone.
    pub from_index: u64,
}

/// What came of it.
#[derive(Clone, Debug)]
pub struct Salvaged {
    /// Where the whole old store is kept.
    pub aside: PathBuf,
    /// What was salvaged, saga by saga.
    pub sagas: Vec<Saved>,
    /// What was wrong with the journal.
    pub findings: Vec<Finding>,
    /// Why the old index could not be asked, if it could not.
    pub index: Option<String>,
}

/// Everything that can still be read.
#[derive(Default)]
struct Gathered {
    entries: BTreeMap<SagaId, BTreeMap<u64, Vec<Sealed>>>,
    /// The last version that anything speaks of.
    known: BTreeMap<SagaId, (u64, String)>,
    findings: Vec<Finding>,
    /// Entries that only the index has.
    from_index: BTreeSet<[u8; 32]>,
}

impl Gathered {
    /// Adds an entry; false if it was there.
    fn add(&mut self, saga: SagaId, entry: Sealed) -> bool {
        let same = self.entries.entry(saga).or_default().entry(entry.version).or_default();
        if same.contains(&entry) {
            return false;
        }
        let known = self.known.entry(saga).or_default();
        known.0 = known.0.max(entry.version);
        same.push(entry);
        true
    }

    fn know(&mut self, head: &Head) {
        let known = self.known.entry(head.saga).or_default();
        known.0 = known.0.max(head.version);
        known.1.clone_from(&head.link);
    }

    /// The longest chain from a saga's first entry on.
    fn chain(&self, saga: SagaId) -> Vec<Sealed> {
        let Some(entries) = self.entries.get(&saga) else { return Vec::new() };
        let mut reached: Vec<BTreeMap<String, &Sealed>> = Vec::new();
        for version in 1.. {
            let follows = |entry: &&Sealed| match reached.last() {
                Some(before) => before.contains_key(&entry.previous),
                None => entry.previous.is_empty(),
            };
            let fitting = entries.get(&version).into_iter().flatten().filter(follows);
            let fitting: BTreeMap<String, &Sealed> =
                fitting.map(|entry| (entry.hash(), entry)).collect();
            if fitting.is_empty() {
                break;
            }
            reached.push(fitting);
        }
        let mut chain: Vec<Sealed> = Vec::new();
        for entries in reached.iter().rev() {
            let entry = match chain.last() {
                Some(behind) => entries.get(&behind.previous).copied(),
                None => entries.values().next().copied(),
            };
            chain.extend(entry.cloned());
        }
        chain.reverse();
        chain
    }
}

impl Visit for Gathered {
    fn entry(&mut self, _: &Spot, saga: SagaId, entry: Sealed) {
        self.add(saga, entry);
    }

    fn head(&mut self, _: &Spot, head: Head, _: bool) {
        self.know(&head);
    }

    fn finding(&mut self, finding: Finding) {
        self.findings.push(finding);
    }
}

/// Makes a new store of every entry that can be read of a damaged journal, and of what its
/// index still has of the missing ones; an entry is only taken if it fits its chain. The whole
/// old store is kept aside. None if the store is sound: then nothing was changed.
///
/// All entries are held in memory meanwhile.
///
/// # Errors
/// The system refuses, or a newer version wrote the store; what was there is there still.
pub fn salvage(home: &Path, _lock: &Lock) -> Result<Option<Salvaged>, StoreError> {
    let store = paths::settle(home)?;
    let Journaled { meta, chains, .. } = journal_of(&store)?;
    let findings = chains.findings;
    let folder = paths::journal(&store);
    if findings.is_empty() {
        let last = strictly(&store, &folder)?.1;
        if seen(&paths::index(&store))?.is_none_or(|seen| seen <= last) {
            return Ok(None);
        }
    }
    let making = home.join("store.salvaging");
    for old in [&making, &paths::salvaged(home)] {
        if is_there(old)? {
            fs::remove_dir_all(old).map_err(|e| StoreError::io("removing", old, &e))?;
        }
    }
    make(&making)?;
    let mut gathered = Gathered::default();
    let mut fence = 0;
    if is_folder(&folder)? {
        let mut walk = Walk::go(&folder, meta.as_ref(), &mut gathered)?;
        // What is wrong with files that no longer count is nobody's concern.
        gathered.findings = findings;
        let told = gathered.findings.len();
        walk.read_leftovers(&mut gathered)?;
        gathered.findings.truncate(told);
        fence = walk.fence;
    }
    let index = ask_index(&store, &making, &mut gathered)?;
    let sagas = write(&making, fence, &gathered)?;
    let aside = exchange(home, &store, &making)?;
    Ok(Some(Salvaged { aside, sagas, findings: gathered.findings, index }))
}

/// Adds what a copy of the old index has; why it cannot be asked, if it cannot.
fn ask_index(
    store: &Path,
    making: &Path,
    gathered: &mut Gathered,
) -> Result<Option<String>, StoreError> {
    let (path, copy) = (paths::index(store), making.join("old-sled"));
    if !is_there(&path)? {
        return Ok(Some("there is none".to_owned()));
    }
    // Opening changes it, and the old store is to stay as it is.
    copy_folder(&path, &copy)?;
    let asked = match Index::open(&copy) {
        Ok((index, contents)) => {
            let mut trouble = None;
            for known in contents.known.values() {
                gathered.know(&known.head);
                match index.entries(known.head.saga, 0) {
                    Ok(entries) => {
                        for entry in entries.into_values() {
                            if gathered.add(known.head.saga, entry.clone()) {
                                gathered.from_index.insert(*entry.digest());
                            }
                        }
                    }
                    Err(error) => trouble = Some(error.to_string()),
                }
            }
            trouble
        }
        Err(error) => Some(error.to_string()),
    };
    fs::remove_dir_all(&copy).map_err(|e| StoreError::io("removing", &copy, &e))?;
    Ok(asked)
}

fn copy_folder(from: &Path, to: &Path) -> Result<(), StoreError> {
    let io = |e| StoreError::io("copying", from, &e);
    if !fs::metadata(from).map_err(io)?.is_dir() {
        return fs::copy(from, to).map(drop).map_err(io);
    }
    make(to)?;
    for found in fs::read_dir(from).map_err(io)? {
        let found = found.map_err(io)?;
        copy_folder(&found.path(), &to.join(found.file_name()))?;
    }
    Ok(())
}

/// Writes the new store.
fn write(making: &Path, fence: u64, gathered: &Gathered) -> Result<Vec<Saved>, StoreError> {
    let meta = Meta::fresh();
    meta.write(making)?;
    let folder = paths::journal(making);
    make(&folder)?;
    let mut journal = Journal::open(&folder, None, &Layout::default(), meta)?;
    journal.append(Kind::Claim, &records::claim(fence + 1))?;
    let mut saved = Vec::new();
    for (saga, (known, link)) in &gathered.known {
        let chain = gathered.chain(*saga);
        let mut rest = chain.as_slice();
        while !rest.is_empty() {
            let mut size = 0;
            let fits = |entry: &&Sealed| {
                size += entry.event_json().len();
                size <= AT_ONCE
            };
            let (batch, later) = rest.split_at(rest.iter().take_while(fits).count().max(1));
            let payload = records::batch(batch.iter().map(|entry| (*saga, entry)));
            journal.append(Kind::Batch, &payload)?;
            rest = later;
        }
        let head = chain.iter().try_fold(None, |head: Option<Head>, entry| {
            advance(head.as_ref(), &Append { saga: *saga, entry: entry.clone() }).map(Some)
        })?;
        let of_index = chain.iter().filter(|entry| gathered.from_index.contains(entry.digest()));
        saved.push(Saved {
            saga: *saga,
            link: head.as_ref().map_or(link, |head| &head.link).clone(),
            kept: head.map_or(0, |head| head.version),
            known: *known,
            from_index: of_index.count() as u64,
        });
    }
    rebuild::make(making, &strictly(making, &folder)?)?;
    sync_folder(making)?;
    Ok(saved)
}

/// Puts the new store in the place of the old one, which is kept: gives where.
fn exchange(home: &Path, store: &Path, making: &Path) -> Result<PathBuf, StoreError> {
    let rename = |from: &Path, to: &Path| {
        fs::rename(from, to).map_err(|e| StoreError::io("renaming", from, &e))?;
        sync_folder(home)
    };
    let salvaged = paths::salvaged(home);
    // Under this name it is used as soon as the old one is out of the way.
    rename(making, &salvaged)?;
    let mut number = 1;
    let aside = loop {
        let aside = home.join(format!("store.damaged-{number}"));
        if !is_there(&aside)? {
            break aside;
        }
        number += 1;
    };
    rename(store, &aside)?;
    rename(&salvaged, store)?;
    Ok(aside)
}
