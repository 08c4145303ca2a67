//! The files in a journal's folder, by name alone.

use super::archive;
use super::segment::{self, SPARE, TAKEN, UNFINISHED};
use crate::store::StoreError;
use std::cmp::Reverse;
use std::fs;
use std::path::{Path, PathBuf};

/// What stands in a journal's folder.
#[derive(Debug, Default)]
pub(crate) struct Names {
    /// Archives by the first and the last of their segments; of those that begin with the
    /// same one the longest comes first.
    pub(crate) archives: Vec<((u64, u64), PathBuf)>,
    /// Segments by number.
    pub(crate) segments: Vec<(u64, PathBuf)>,
    /// Files that were being made, or wait to become something.
    pub(crate) leftovers: Vec<PathBuf>,
}

impl Names {
    /// Lists a journal's folder.
    pub(crate) fn read(folder: &Path) -> Result<Self, StoreError> {
        let mut names = Self::default();
        let listed = fs::read_dir(folder).map_err(|e| StoreError::io("reading", folder, &e))?;
        for found in listed {
            let path = found.map_err(|e| StoreError::io("reading", folder, &e))?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if let Some(number) = segment::number(&name) {
                names.segments.push((number, path));
            } else if let Some(segments) = archive::segments(&name) {
                names.archives.push((segments, path));
            } else if [SPARE, TAKEN, UNFINISHED, archive::UNFINISHED].contains(&name.as_str()) {
                names.leftovers.push(path);
            }
        }
        names.archives.sort_by_key(|((first, last), _)| (*first, Reverse(*last)));
        names.segments.sort();
        Ok(names)
    }
}
