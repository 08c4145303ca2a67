//! The store's format in plain text, readable for ever.

use super::{FORMAT, StoreError, paths, sync_folder};
use std::fs::{self, File};
use std::io::{ErrorKind, Write as _};
use std::path::Path;

/// Refuses a format that this version does not read; writes the file where there is none.
pub(crate) fn check_or_write(path: &Path) -> Result<(), StoreError> {
    if check(path)? {
        return Ok(());
    }
    let meta = path.join("meta");
    let text = format!(
        "format = {FORMAT}\nsmallest reader = {FORMAT}\ncreated by = escrr {}\n",
        env!("CARGO_PKG_VERSION")
    );
    let fresh = path.join("meta.new");
    File::create(&fresh)
        .and_then(|mut file| {
            file.write_all(text.as_bytes())?;
            file.sync_all()
        })
        .and_then(|()| fs::rename(&fresh, &meta))
        .map_err(|e| StoreError::io("writing", &meta, &e))?;
    sync_folder(path)
}

/// Refuses a format that this version does not read; false where nothing was begun yet.
pub(crate) fn check(path: &Path) -> Result<bool, StoreError> {
    let meta = path.join("meta");
    let damaged = |what: &str| StoreError::Damaged { path: path.to_owned(), what: what.into() };
    let text = match fs::read_to_string(&meta) {
        Ok(text) => text,
        // It is written before the journal is begun.
        Err(e) if e.kind() == ErrorKind::NotFound && paths::journal(path).exists() => {
            return Err(damaged("there is a journal, but the file meta is missing"));
        }
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(false),
        Err(e) if e.kind() == ErrorKind::InvalidData => String::new(),
        Err(e) => return Err(StoreError::io("reading", &meta, &e)),
    };
    let field = |name: &str| {
        let value = text.lines().find_map(|line| line.strip_prefix(name))?;
        value.trim().strip_prefix('=')?.trim().parse::<u32>().ok()
    };
    match (field("format"), field("smallest reader")) {
        (Some(_), Some(reader)) if reader > FORMAT => {
            Err(StoreError::Newer { path: path.to_owned(), found: reader, known: FORMAT })
        }
        (Some(found), None) if found > FORMAT => {
            Err(StoreError::Newer { path: path.to_owned(), found, known: FORMAT })
        }
        (Some(found), _) if found < FORMAT => Err(damaged(&format!(
            "it has format {found}, which was never released; this version reads {FORMAT}"
        ))),
        (Some(_), _) => Ok(true),
        (None, _) => Err(damaged("the file meta does not name a format")),
    }
}
