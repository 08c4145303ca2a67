//! A store to lines of JSON.

use super::lines::{Maker, TransferError};
use crate::store::Reading;
use std::io::Write;

/// What was written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Exported {
    /// Sagas.
    pub sagas: u64,
    /// Their entries.
    pub entries: u64,
    /// Bytes of all lines.
    pub bytes: u64,
}

/// Writes all sagas, or those of one link, as lines of JSON: what [`super::import`] reads.
///
/// # Errors
/// The store is damaged, or the other side cannot be written.
pub fn export(
    reading: &Reading,
    link: Option<&str>,
    out: &mut dyn Write,
) -> Result<Exported, TransferError> {
    let (mut maker, mut bytes) = (Maker::default(), 0);
    let mut put = |line: Vec<u8>| {
        bytes += line.len() as u64;
        out.write_all(&line)
    };
    put(maker.first())?;
    for head in reading.heads()? {
        if link.is_some_and(|link| link != head.link) {
            continue;
        }
        maker.sagas += 1;
        for entry in reading.sealed(head.saga, 1)? {
            put(maker.entry(head.saga, &entry))?;
        }
    }
    let (sagas, entries) = (maker.sagas, maker.entries);
    put(maker.last())?;
    out.flush()?;
    Ok(Exported { sagas, entries, bytes })
}
