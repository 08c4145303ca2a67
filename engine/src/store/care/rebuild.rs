//! Makes the index again of the journal.

use super::chains::Chains;
use super::finding::Finding;
use super::verify::{meta_finding, strictly};
use super::walk::Walk;
use crate::store::home::{catch_up, put_aside};
use crate::store::index::{Change, Index};
use crate::store::truth::Truth;
use crate::store::{Lock, StoreError, paths};
use std::path::{Path, PathBuf};

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
    let (truth, last) = strictly(&store, &paths::journal(&store))?;
    let path = paths::index(&store);
    if let Some(seen) = seen(&path).filter(|seen| *seen > last) {
        let what = format!("the journal ends at frame {last}; the index has seen {seen}");
        return Err(StoreError::Damaged { path: store, what });
    }
    let kept = if path.exists() { Some(put_aside(&store, &path)?) } else { None };
    make(&store, &truth)?;
    Ok(Rebuilt { kept, sagas: truth.known.len() })
}

/// Makes an index where there is none.
pub(super) fn make(store: &Path, truth: &Truth) -> Result<(), StoreError> {
    let (index, contents) = Index::open(&paths::index(store))?;
    let mut change = Change::default();
    change.followed(0);
    index.write(change)?;
    catch_up(index, truth, &contents)?;
    Ok(())
}

/// Everything that is wrong with a store but for its index.
pub(super) fn unsound(store: &Path) -> Result<Vec<Finding>, StoreError> {
    let mut chains = Chains::default();
    chains.findings.extend(meta_finding(store)?);
    let folder = paths::journal(store);
    if folder.exists() {
        Walk::go(&folder, &mut chains)?;
    }
    Ok(chains.findings)
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
pub(super) fn seen(path: &Path) -> Option<u64> {
    let opened = path.exists().then(|| Index::open(path))?;
    opened.ok().map(|(_, contents)| contents.followed)
}
