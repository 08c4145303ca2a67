//! Journals as text files, for other processes to read while one holds the store.
//!
//! A mirror follows the store and is never read by its holder; a line is one entry.

use super::StoreError;
use crate::event::Entry;
use crate::id::SagaId;
use std::fs::{self, File, OpenOptions};
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};

/// The folder of mirrors.
#[derive(Clone, Debug)]
pub(crate) struct Mirror(PathBuf);

impl Mirror {
    pub(crate) fn open(folder: PathBuf) -> Result<Self, StoreError> {
        fs::create_dir_all(&folder).map_err(|e| StoreError::io("making", &folder, &e))?;
        Ok(Self(folder))
    }

    pub(crate) fn at(folder: PathBuf) -> Self {
        Self(folder)
    }

    fn path(&self, saga: SagaId) -> PathBuf {
        self.0.join(format!("{saga}.ndjson"))
    }

    /// Adds entries that the store has acknowledged.
    pub(crate) fn add(&self, saga: SagaId, entries: &[&Entry]) -> Result<(), StoreError> {
        let path = self.path(saga);
        let mut text = String::new();
        for entry in entries {
            text.push_str(&serde_json::to_string(entry).unwrap_or_default());
            text.push('\n');
        }
        let file = OpenOptions::new().append(true).create(true).open(&path);
        file.and_then(|mut f| f.write_all(text.as_bytes()))
            .map_err(|e| StoreError::io("writing", &path, &e))
    }

    /// Makes a saga's mirror anew unless it has exactly `version` whole lines.
    pub(crate) fn mend(
        &self,
        saga: SagaId,
        version: u64,
        entries: impl FnOnce() -> Result<Vec<Entry>, StoreError>,
    ) -> Result<(), StoreError> {
        if self.read(saga).is_some_and(|found| found.len() as u64 == version) {
            return Ok(());
        }
        let path = self.path(saga);
        let fresh = path.with_extension("new");
        let mut text = String::new();
        for entry in entries()? {
            text.push_str(&serde_json::to_string(&entry).unwrap_or_default());
            text.push('\n');
        }
        File::create(&fresh)
            .and_then(|mut f| f.write_all(text.as_bytes()))
            .and_then(|()| fs::rename(&fresh, &path))
            .map_err(|e| StoreError::io("writing", &path, &e))
    }

    /// The whole lines of a saga's mirror; a last line that is being written is left out.
    pub(crate) fn read(&self, saga: SagaId) -> Option<Vec<Entry>> {
        let file = File::open(self.path(saga)).ok()?;
        let lines = BufReader::new(file).lines().map_while(Result::ok);
        Some(lines.map_while(|line| serde_json::from_str(&line).ok()).collect())
    }

    /// The sagas that have a mirror, oldest first.
    pub(crate) fn sagas(&self) -> Vec<SagaId> {
        let names = fs::read_dir(&self.0).into_iter().flatten().filter_map(Result::ok);
        let mut found: Vec<SagaId> = names
            .filter_map(|entry| {
                let path = entry.path();
                let stem = Path::new(path.file_name()?).file_stem()?.to_str()?.to_owned();
                path.extension().is_some_and(|e| e == "ndjson").then(|| SagaId::parse(&stem))?
            })
            .collect();
        found.sort();
        found
    }
}
