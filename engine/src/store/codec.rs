//! Entries and heads to bytes and back; the only file that names bincode.
//!
//! Every value stands in an envelope: magic, kind, schema number, length, payload,
//! CRC-32. The payload is a frozen struct of that schema in bincode with fixed options;
//! what grows over time (the event, the outputs in it) travels inside as JSON.

use super::Head;
use crate::event::{Entry, Event};
use crate::id::hex;
use bincode::Options as _;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// The newest format of the store that this version reads and the one it writes.
pub const FORMAT: u32 = 1;
/// The largest entry that is read or written, in bytes.
pub(crate) const LARGEST: usize = 16 * 1024 * 1024;

const MAGIC: [u8; 2] = *b"ES";
const KIND_ENTRY: u8 = 1;
const KIND_HEAD: u8 = 2;
const SCHEMA: u16 = 1;
const HEADER: usize = 9;

/// An entry, schema 1.
#[derive(Serialize, Deserialize)]
struct EntryV1 {
    version: u64,
    at_ms: u64,
    previous: String,
    event: Vec<u8>,
}

/// A head, schema 1.
#[derive(Serialize, Deserialize)]
struct HeadV1 {
    json: Vec<u8>,
}

/// Bytes that are not what was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum CodecError {
    #[error("{0}")]
    Damaged(&'static str),
    #[error("schema {0} is newer than this version reads")]
    Newer(u16),
}

fn options() -> impl bincode::Options {
    bincode::DefaultOptions::new().with_fixint_encoding().with_limit(LARGEST as u64)
}

fn seal<T: Serialize>(kind: u8, value: &T) -> Result<Vec<u8>, CodecError> {
    let payload = options().serialize(value).map_err(|_| CodecError::Damaged("too large"))?;
    let length = u32::try_from(payload.len()).map_err(|_| CodecError::Damaged("too large"))?;
    let mut bytes = Vec::with_capacity(HEADER + payload.len() + 4);
    bytes.extend(MAGIC);
    bytes.push(kind);
    bytes.extend(SCHEMA.to_le_bytes());
    bytes.extend(length.to_le_bytes());
    bytes.extend(payload);
    let sum = crc32fast::hash(&bytes);
    bytes.extend(sum.to_le_bytes());
    Ok(bytes)
}

fn open<T: DeserializeOwned>(kind: u8, bytes: &[u8]) -> Result<T, CodecError> {
    let body = bytes.len().checked_sub(4).ok_or(CodecError::Damaged("cut short"))?;
    let (sealed, sum) = bytes.split_at_checked(body).ok_or(CodecError::Damaged("cut short"))?;
    if crc32fast::hash(sealed).to_le_bytes() != sum {
        return Err(CodecError::Damaged("the checksum does not match"));
    }
    let (header, payload) =
        sealed.split_at_checked(HEADER).ok_or(CodecError::Damaged("cut short"))?;
    let [m0, m1, found_kind, s0, s1, l0, l1, l2, l3] =
        <[u8; HEADER]>::try_from(header).map_err(|_| CodecError::Damaged("cut short"))?;
    if [m0, m1] != MAGIC || found_kind != kind {
        return Err(CodecError::Damaged("it is not of the kind expected"));
    }
    let schema = u16::from_le_bytes([s0, s1]);
    if schema > SCHEMA {
        return Err(CodecError::Newer(schema));
    }
    if u32::from_le_bytes([l0, l1, l2, l3]) as usize != payload.len() {
        return Err(CodecError::Damaged("the length does not match"));
    }
    options().deserialize(payload).map_err(|_| CodecError::Damaged("the payload cannot be read"))
}

/// Entry to bytes.
pub(crate) fn write_entry(entry: &Entry) -> Result<Vec<u8>, CodecError> {
    let event = serde_json::to_vec(&entry.event).map_err(|_| CodecError::Damaged("not JSON"))?;
    let frozen = EntryV1 {
        version: entry.version,
        at_ms: entry.at_ms,
        previous: entry.previous.clone(),
        event,
    };
    seal(KIND_ENTRY, &frozen)
}

/// Bytes to entry.
pub(crate) fn read_entry(bytes: &[u8]) -> Result<Entry, CodecError> {
    let frozen: EntryV1 = open(KIND_ENTRY, bytes)?;
    let event: Event = serde_json::from_slice(&frozen.event)
        .map_err(|_| CodecError::Damaged("the event is of a kind this version does not know"))?;
    Ok(Entry { version: frozen.version, at_ms: frozen.at_ms, previous: frozen.previous, event })
}

/// Head to bytes.
pub(crate) fn write_head(head: &Head) -> Result<Vec<u8>, CodecError> {
    let json = serde_json::to_vec(head).map_err(|_| CodecError::Damaged("not JSON"))?;
    seal(KIND_HEAD, &HeadV1 { json })
}

/// Bytes to head.
pub(crate) fn read_head(bytes: &[u8]) -> Result<Head, CodecError> {
    let frozen: HeadV1 = open(KIND_HEAD, bytes)?;
    serde_json::from_slice(&frozen.json).map_err(|_| CodecError::Damaged("the head cannot be read"))
}

/// The hash that the next entry names as its predecessor.
pub fn chain(entry: &Entry) -> String {
    let mut hash = Sha256::new();
    hash.update(entry.version.to_le_bytes());
    hash.update(entry.at_ms.to_le_bytes());
    hash.update(&entry.previous);
    hash.update(serde_json::to_vec(&entry.event).unwrap_or_default());
    hex(&hash.finalize())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Origin;
    use proptest::prelude::*;

    fn sample() -> Entry {
        Entry {
            version: 7,
            at_ms: 1_700_000_000_000,
            previous: "ab".into(),
            event: Event::Completed {
                node: "network.cen".into(),
                origin: Origin::Made,
                output: serde_json::json!({"id": "cen-1"}),
                attempts: 2,
            },
        }
    }

    #[test]
    fn an_entry_reads_back() {
        let bytes = write_entry(&sample()).unwrap();
        assert_eq!(read_entry(&bytes).unwrap(), sample());
        assert!(read_head(&bytes).is_err());
    }

    #[test]
    fn every_cut_and_every_flipped_bit_is_noticed() {
        let bytes = write_entry(&sample()).unwrap();
        for cut in 0..bytes.len() {
            assert!(read_entry(&bytes[..cut]).is_err(), "cut at {cut}");
        }
        for bit in 0..bytes.len() * 8 {
            let mut flipped = bytes.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert!(read_entry(&flipped).is_err(), "bit {bit}");
        }
    }

    #[test]
    fn a_newer_schema_is_named() {
        let mut bytes = write_entry(&sample()).unwrap();
        bytes[3] = 9;
        let body = bytes.len() - 4;
        let sum = crc32fast::hash(&bytes[..body]).to_le_bytes();
        bytes[body..].copy_from_slice(&sum);
        assert_eq!(read_entry(&bytes), Err(CodecError::Newer(9)));
    }

    proptest! {
        #[test]
        fn any_bytes_are_refused_without_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            prop_assert!(read_entry(&bytes).is_err());
        }
    }
}
