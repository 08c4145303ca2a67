//! Which files a journal has, and whether none is missing.

use super::archive::Archive;
use super::names::Names;
use super::segment::{self, damaged};
use crate::store::StoreError;
use crate::store::meta::Meta;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The files of a journal.
#[derive(Debug, Default)]
pub(crate) struct Layout {
    /// Archives, oldest first; together they cover all segments from the first on.
    pub(crate) archives: Vec<Arc<Archive>>,
    /// The segments that follow them.
    pub(crate) segments: Vec<(u64, PathBuf)>,
    /// Files of which nothing is wanted any more.
    pub(crate) leftovers: Vec<PathBuf>,
}

impl Layout {
    /// Reads the names in a journal's folder, and the directories of its archives; `meta` says
    /// how far they go, and whose they are.
    pub(crate) fn read(folder: &Path, meta: &Meta) -> Result<Self, StoreError> {
        let Names { archives, segments, leftovers } = Names::read(folder)?;
        let mut layout = Self { segments, leftovers, ..Self::default() };
        for ((first, last), path) in archives {
            let covered = layout.archived();
            if last <= covered {
                layout.leftovers.push(path);
            } else if first == covered + 1 {
                let archive = Archive::open(path)?;
                if let Some(what) = meta.stranger(archive.says.home, last) {
                    return Err(damaged(&archive.path, 0, &what));
                }
                layout.archives.push(Arc::new(archive));
            } else {
                return Err(gap(&path, covered + 1));
            }
        }
        let layout = layout.drop_archived()?;
        match meta.end(layout.last()) {
            None => Ok(layout),
            Some((file, what)) => {
                let path = folder.parent().unwrap_or(folder).to_owned();
                Err(StoreError::Damaged { path, what: format!("{file}: {what}") })
            }
        }
    }

    fn drop_archived(mut self) -> Result<Self, StoreError> {
        let archived = self.archived();
        let (gone, kept) = self.segments.into_iter().partition(|(number, _)| *number <= archived);
        (self.segments, self.leftovers) = (kept, {
            let gone: Vec<(u64, PathBuf)> = gone;
            self.leftovers.extend(gone.into_iter().map(|(_, path)| path));
            self.leftovers
        });
        for (expected, (number, path)) in (archived + 1..).zip(&self.segments) {
            if *number != expected {
                return Err(gap(path, expected));
            }
        }
        Ok(self)
    }

    /// The last segment of all; 0 if there is none.
    pub(crate) fn last(&self) -> u64 {
        self.segments.last().map_or(self.archived(), |(number, _)| *number)
    }

    /// The last segment that is archived; 0 if none is.
    pub(crate) fn archived(&self) -> u64 {
        self.archives.last().map_or(0, |archive| archive.says.segments.1)
    }

    /// The number of the first frame behind the archives.
    pub(crate) fn next(&self) -> u64 {
        self.archives.last().map_or(1, |archive| archive.says.next)
    }

    /// The holder's number where the archives end.
    pub(crate) fn fence(&self) -> u64 {
        self.archives.last().map_or(0, |archive| archive.says.fence)
    }
}

fn gap(path: &Path, missing: u64) -> StoreError {
    let name = segment::name(missing);
    damaged(path, 0, &format!("{name}, or what holds it, comes before it and is missing"))
}
