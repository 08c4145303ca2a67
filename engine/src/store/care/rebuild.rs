//! Makes the index again of the journal.

use super::finding::Finding;
use super::verify::{journal_of, strictly};
use crate::id::SagaId;
use crate::store::home::{catch_up, put_aside};
use crate::store::index::{Change, Index};
use crate::store::system::is_there;
use crate::store::truth::Truth;
use crate::store::{Lock, StoreError, paths};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// So many bytes of events are written into an index at once.
const AT_ONCE: usize = 1024 * 1024;

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rebuilt {
    /// Where the old index is kept, if there was one.
    pub kept: Option<PathBuf>,
    /// How many sagas the journal has.
    pub sagas: usize,
}

/// Makes the index again of a sound journal; the old one is put aside.
///
/// # Errors
/// The journal is damaged, or ends before what the index has seen: then nothing was changed.
pub fn rebuild(home: &Path, _lock: &Lock) -> Result<Rebuilt, StoreError> {
    let store = paths::settle(home)?;
    if let Some(what) = told(&unsound(&store)?) {
        return Err(StoreError::Damaged { path: store, what });
    }
    let read = strictly(&store, &paths::journal(&store))?;
    let (truth, last) = &read;
    let path = paths::index(&store);
    if let Some(seen) = seen(&path)?.filter(|seen| seen > last) {
        let what = format!("the journal ends at frame {last}; the index has seen {seen}");
        return Err(StoreError::Damaged { path: store, what });
    }
    let kept = if is_there(&path)? { Some(put_aside(&store, &path)?) } else { None };
    make(&store, &read)?;
    Ok(Rebuilt { kept, sagas: truth.known.len() })
}

/// Makes an index of a whole journal, whose last frame is `last`, where there is none.
pub(super) fn make(store: &Path, (truth, last): &(Truth, u64)) -> Result<(), StoreError> {
    let (index, contents) = Index::open(&paths::index(store))?;
    let mut change = Change::default();
    change.followed(0);
    index.write(change)?;
    let (index, _) = catch_up(index, truth, &contents)?;
    let (mut change, mut size) = (Change::default(), 0);
    for (_, saga, entry) in &truth.tail {
        size += entry.event_json().len();
        if size > AT_ONCE {
            index.write(std::mem::take(&mut change))?;
            size = 0;
        }
        change.entry(*saga, entry);
    }
    let sagas: BTreeSet<SagaId> = truth.tail.iter().map(|(_, saga, _)| *saga).collect();
    for known in sagas.iter().filter_map(|saga| truth.known.get(saga)) {
        change.known(known);
    }
    change.followed(*last);
    index.write(change)
}

/// Everything that is wrong with a store but for its index.
pub(super) fn unsound(store: &Path) -> Result<Vec<Finding>, StoreError> {
    Ok(journal_of(store)?.chains.findings)
}

/// The first finding, and how many there are.
pub(super) fn told(findings: &[Finding]) -> Option<String> {
    let first = findings.first()?;
    Some(match findings.len() {
        1 => first.to_string(),
        many => format!("{first} (and {} more)", many - 1),
    })
}

/// The number of the last frame that an index has seen, if it can be asked.
pub(super) fn seen(path: &Path) -> Result<Option<u64>, StoreError> {
    if !is_there(path)? {
        return Ok(None);
    }
    Ok(Index::open(path).ok().map(|(_, contents)| contents.followed))
}
