//! An entry with the bytes that are stored of it and the hash that the next one names.

use crate::event::Entry;
use crate::id::hex;
use crate::store::record;
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use std::ops::Deref;
use std::sync::Arc;

/// An entry with its event's JSON and its hash, each made once; clones share one allocation.
#[derive(Clone, Debug)]
pub struct Sealed(Arc<Inside>);

#[derive(Debug)]
struct Inside {
    entry: Entry,
    /// The entry as journals keep it; the event's JSON stands at its end.
    record: Vec<u8>,
    /// Where that begins.
    event_at: usize,
    digest: [u8; 32],
}

/// An entry as a line shows it: the event's fields stand beside the others.
#[derive(Serialize)]
struct Line<'a> {
    version: u64,
    at_ms: u64,
    previous: &'a str,
}

impl Sealed {
    /// Serialises and hashes an entry.
    pub fn new(entry: Entry) -> Self {
        // Events hold text, numbers and JSON: they always serialise.
        let event = serde_json::to_vec(&entry.event).unwrap_or_default();
        Self::over(entry, &event)
    }

    /// An entry of which a store has read the event's JSON. That is hashed as it is, so a field
    /// that a newer version added does not break the chain.
    pub fn read(
        version: u64,
        at_ms: u64,
        previous: String,
        event: &[u8],
    ) -> Result<Self, serde_json::Error> {
        let read = serde_json::from_slice(event)?;
        Ok(Self::over(Entry { version, at_ms, previous, event: read }, event))
    }

    fn over(entry: Entry, event: &[u8]) -> Self {
        let mut hash = Sha256::new();
        hash.update(entry.version.to_le_bytes());
        hash.update(entry.at_ms.to_le_bytes());
        hash.update(&entry.previous);
        hash.update(event);
        let digest = hash.finalize().into();
        let record = record(&entry, event);
        let event_at = record.len().saturating_sub(event.len());
        Self(Arc::new(Inside { entry, record, event_at, digest }))
    }

    /// The entry.
    pub fn entry(&self) -> &Entry {
        &self.0.entry
    }

    /// The event's JSON: what the hash covers and what a store keeps.
    pub fn event_json(&self) -> &[u8] {
        self.0.record.get(self.0.event_at..).unwrap_or_default()
    }

    /// The entry as journals keep it, without its saga. It is made once, by whoever makes the
    /// entry, and not in the one place through which all entries pass.
    pub(crate) fn record(&self) -> &[u8] {
        &self.0.record
    }

    /// SHA-256 over version and time (little-endian), the text of `previous`, and the event's JSON.
    pub fn digest(&self) -> &[u8; 32] {
        &self.0.digest
    }

    /// The digest in hexadecimal: what the next entry's `previous` says.
    pub fn hash(&self) -> String {
        hex(&self.0.digest)
    }

    /// The whole entry as one line of JSON, without a line end.
    pub fn line(&self) -> Vec<u8> {
        let Entry { version, at_ms, previous, .. } = self.entry();
        let front = Line { version: *version, at_ms: *at_ms, previous };
        let mut line = serde_json::to_vec(&front).unwrap_or_default();
        line.pop();
        line.push(b',');
        line.extend(self.event_json().get(1..).unwrap_or_default());
        line
    }
}

impl Deref for Sealed {
    type Target = Entry;

    fn deref(&self) -> &Entry {
        &self.0.entry
    }
}

impl From<Entry> for Sealed {
    fn from(entry: Entry) -> Self {
        Self::new(entry)
    }
}

impl PartialEq for Sealed {
    fn eq(&self, other: &Self) -> bool {
        self.0.digest == other.0.digest
    }
}

/// The hash that the next entry names as its predecessor.
pub fn chain(entry: &Entry) -> String {
    Sealed::new(entry.clone()).hash()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Event, Origin};

    fn sample() -> Entry {
        let output = serde_json::json!({"id": "cen-1", "no": 1});
        let (node, origin) = ("network.cen".into(), Origin::Made);
        let event = Event::Completed { node, origin, output, attempts: 2 };
        Entry { version: 7, at_ms: 1_700_000_000_000, previous: "ab".into(), event }
    }

    #[test]
    fn a_line_is_what_the_entry_serialises_to() {
        let line = Sealed::new(sample()).line();
        assert_eq!(line, serde_json::to_vec(&sample()).unwrap());
    }

    #[test]
    fn the_hash_is_of_what_was_read_and_not_of_what_was_understood() {
        let event = br#"{"type":"undo_intended","node":"a.b","added":"later"}"#.to_vec();
        let read = Sealed::read(1, 2, String::new(), &event).unwrap();
        assert_ne!(read.hash(), chain(read.entry()));
        assert_eq!(Sealed::new(sample()).hash(), chain(&sample()));
    }
}
