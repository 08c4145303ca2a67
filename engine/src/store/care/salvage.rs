//! Makes a new store of whatever of a damaged one can be read and fits together.

use super::finding::Finding;
use super::gathered::{Gathered, Heard};
use super::rebuild::{self, seen};
use super::verify::{Journaled, journal_of, strictly};
use super::walk::Walk;
use crate::event::{Actor, Entry, Event, Outcome};
use crate::id::SagaId;
use crate::sealed::Sealed;
use crate::store::index::Index;
use crate::store::journal::frame::Kind;
use crate::store::journal::layout::Layout;
use crate::store::journal::{Journal, records};
use crate::store::meta::Meta;
use crate::store::system::{is_folder, is_there, make_folder as make, sync_folder};
use crate::store::{Append, Head, Lock, StoreError, advance, paths};
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
    /// Entries are lost, or it cannot be shown that none is: its journal ends with saying so.
    pub incomplete: bool,
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

/// Makes a new store of every entry that can be read of a damaged journal, and of what its
/// index still has of the missing ones; an entry is only taken if it fits its chain. The whole
/// old store is kept aside. None if the store is sound: then nothing was changed.
///
/// A saga of which entries are lost, or of which it cannot be shown that none is, gets an entry that
/// says so, written at `now_ms`: from then on it is not driven any further.
///
/// All entries are held in memory meanwhile.
///
/// # Errors
/// The system refuses, or a newer version wrote the store; what was there is there still.
pub fn salvage(home: &Path, _lock: &Lock, now_ms: u64) -> Result<Option<Salvaged>, StoreError> {
    let store = paths::settle(home)?;
    let Journaled { meta, chains, .. } = journal_of(&store)?;
    let findings = chains.findings;
    let folder = paths::journal(&store);
    let mut gathered = Gathered::default();
    if findings.is_empty() {
        let last = strictly(&store, &folder)?.1;
        if seen(&paths::index(&store))?.is_none_or(|seen| seen <= last) {
            return Ok(None);
        }
        // The journal ends too early, and nobody knows where it ended.
        gathered.open_end = true;
    }
    let making = home.join("store.salvaging");
    for old in [&making, &paths::salvaged(home)] {
        if is_there(old)? {
            fs::remove_dir_all(old).map_err(|e| StoreError::io("removing", old, &e))?;
        }
    }
    make(&making)?;
    let mut fence = 0;
    gathered.open_end |= !is_folder(&folder)?;
    if is_folder(&folder)? {
        let mut walk = Walk::go(&folder, meta.as_ref(), &mut gathered)?;
        gathered.open_end |= walk.lacks_end;
        gathered.read = true;
        // What is wrong with files that no longer count is nobody's concern.
        gathered.findings = findings;
        let told = gathered.findings.len();
        walk.read_leftovers(&mut gathered)?;
        gathered.findings.truncate(told);
        fence = walk.fence;
    }
    let (index, followed) = ask_index(&store, &making, &mut gathered)?;
    // Without the file that says how far the journal goes, the index alone can tell.
    gathered.open_end |= meta.is_none() && followed.is_none();
    let sagas = write(&making, (fence, now_ms), &gathered, followed)?;
    let aside = exchange(home, &store, &making)?;
    Ok(Some(Salvaged { aside, sagas, findings: gathered.findings, index }))
}

/// Adds what a copy of the old index has; why it cannot be asked, if it cannot, else the number of
/// the last frame that it has seen.
fn ask_index(
    store: &Path,
    making: &Path,
    gathered: &mut Gathered,
) -> Result<(Option<String>, Option<u64>), StoreError> {
    let (path, copy) = (paths::index(store), making.join("old-sled"));
    if !is_there(&path)? {
        return Ok((Some("there is none".to_owned()), None));
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
            let followed = contents.begun.then_some(contents.followed);
            (trouble.clone(), followed.filter(|_| trouble.is_none()))
        }
        Err(error) => (Some(error.to_string()), None),
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
fn write(
    making: &Path,
    (fence, now_ms): (u64, u64),
    gathered: &Gathered,
    followed: Option<u64>,
) -> Result<Vec<Saved>, StoreError> {
    let meta = Meta::fresh();
    meta.write(making)?;
    let folder = paths::journal(making);
    make(&folder)?;
    let mut journal = Journal::open(&folder, None, &Layout::default(), meta)?;
    journal.append(Kind::Claim, &records::claim(fence + 1))?;
    let mut saved = Vec::new();
    for (saga, heard) in &gathered.known {
        let mut chain = gathered.chain(*saga);
        let head = head(*saga, &chain)?;
        let (kept, outcome) = head.as_ref().map_or((0, None), |head| (head.version, head.outcome));
        // Nothing follows the end of a rollback.
        let over = kept == heard.version && outcome == Some(Outcome::RolledBack);
        let doubtful = !over && gathered.is_doubtful(*saga, followed);
        let incomplete = kept < heard.version || doubtful;
        let link = head.map_or_else(|| heard.link.clone(), |head| head.link);
        let of_index = chain.iter().filter(|entry| gathered.from_index.contains(entry.digest()));
        let from_index = of_index.count() as u64;
        let (saga, known) = (*saga, heard.version);
        saved.push(Saved { saga, link, kept, known, from_index, incomplete });
        if incomplete {
            say_lost(saga, &mut chain, heard, now_ms);
        }
        append(&mut journal, saga, &chain)?;
    }
    rebuild::make(making, &strictly(making, &folder)?)?;
    sync_folder(making)?;
    Ok(saved)
}

fn head(saga: SagaId, chain: &[Sealed]) -> Result<Option<Head>, StoreError> {
    chain.iter().try_fold(None, |head: Option<Head>, entry| {
        advance(head.as_ref(), &Append { saga, entry: entry.clone() }).map(Some)
    })
}

fn append(journal: &mut Journal, saga: SagaId, chain: &[Sealed]) -> Result<(), StoreError> {
    let mut rest = chain;
    while !rest.is_empty() {
        let mut size = 0;
        let fits = |entry: &&Sealed| {
            size += entry.event_json().len();
            size <= AT_ONCE
        };
        let (batch, later) = rest.split_at(rest.iter().take_while(fits).count().max(1));
        let payload = records::batch(batch.iter().map(|entry| (saga, entry)));
        journal.append(Kind::Batch, &payload)?;
        rest = later;
    }
    Ok(())
}

/// Ends a chain with saying that entries are lost; a chain of which nothing was kept begins with a
/// creation that holds what is still known.
fn say_lost(saga: SagaId, chain: &mut Vec<Sealed>, heard: &Heard, now_ms: u64) {
    let kept = chain.len() as u64;
    if chain.is_empty() {
        let unknown = || format!("lost-{saga}");
        let link = Some(heard.link.clone()).filter(|link| !link.is_empty());
        chain.push(Sealed::new(Entry {
            version: 1,
            at_ms: now_ms,
            previous: String::new(),
            event: Event::Created {
                link: link.unwrap_or_else(unknown),
                spec: String::new(),
                spec_digest: String::new(),
                edition: String::new(),
                program: env!("CARGO_PKG_VERSION").to_owned(),
                world: heard.world.clone(),
                world_id: None,
                actor: Actor::default(),
            },
        }));
    }
    let known = heard.version.max(kept);
    let reason = match known {
        known if known > kept => format!("entries {} to {known} at least are lost", kept + 1),
        _ => format!("entries behind {kept} may be lost"),
    };
    // Times do not go back.
    let (at_ms, previous) =
        chain.last().map_or((now_ms, String::new()), |last| (last.at_ms.max(now_ms), last.hash()));
    let version = chain.len() as u64 + 1;
    let event = Event::HistoryLost { known, reason };
    chain.push(Sealed::new(Entry { version, at_ms, previous, event }));
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
