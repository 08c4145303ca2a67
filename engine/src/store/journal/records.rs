//! What frames hold, as bytes: frozen structs in bincode; what grows travels inside as JSON.

use crate::event::Entry;
use crate::id::{SagaId, hex, unhex};
use crate::sealed::Sealed;
use crate::store::identity::HomeId;
use crate::store::{Head, Known, Place};
use bincode::Options as _;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// No payload is larger than this, in bytes: what says so is damaged.
pub(crate) const LARGEST: usize = 256 * 1024 * 1024;

/// The newest format of the journal's files. Files of format 1 do not say which home they
/// belong to.
pub(crate) const FORMAT: u16 = 2;

/// What a file says of itself cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum HeadError {
    /// It is not what was written.
    #[error(transparent)]
    Unreadable(#[from] Unreadable),
    /// A newer version wrote it.
    #[error("it has format {0}")]
    Newer(u16),
}

/// Payload bytes that are not what was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Unreadable(pub(crate) &'static str);

/// An entry as a frame holds it, schema 1.
#[derive(Serialize, Deserialize)]
struct RecordV1 {
    saga: [u8; 16],
    version: u64,
    at_ms: u64,
    /// The digest before it: 32 bytes, none for the first entry.
    previous: Vec<u8>,
    event: Vec<u8>,
}

/// What a segment says of itself, schema 1.
#[derive(Serialize, Deserialize)]
struct SegmentV1 {
    format: u16,
    number: u64,
    first: u64,
    size: u64,
}

/// What a segment says of itself, schema 2.
#[derive(Serialize, Deserialize)]
struct SegmentV2 {
    format: u16,
    number: u64,
    first: u64,
    size: u64,
    home: [u8; 16],
}

/// What a segment says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SegmentHead {
    /// Its number; segments have no gaps.
    pub(crate) number: u64,
    /// The number of its first frame.
    pub(crate) first: u64,
    /// Its length in bytes.
    pub(crate) size: u64,
    /// The home that it belongs to; unknown in files of format 1.
    pub(crate) home: Option<HomeId>,
}

/// What an archive says of itself and of the sagas in it, schema 1.
#[derive(Serialize, Deserialize)]
struct DirectoryV1 {
    format: u16,
    segments: (u64, u64),
    next: u64,
    fence: u64,
    behind: u64,
    extents: Vec<ExtentV1>,
}

/// What an archive says of itself and of the sagas in it, schema 2.
#[derive(Serialize, Deserialize)]
struct DirectoryV2 {
    format: u16,
    home: [u8; 16],
    segments: (u64, u64),
    next: u64,
    fence: u64,
    behind: u64,
    extents: Vec<ExtentV1>,
}

/// What an archive says of itself and of the sagas in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Directory {
    /// The home that it belongs to; unknown in files of format 1.
    pub(crate) home: Option<HomeId>,
    /// The first and the last segment that it was made of.
    pub(crate) segments: (u64, u64),
    /// The number of the frame that follows its last one in the journal.
    pub(crate) next: u64,
    /// The holder's number when its last frame was written.
    pub(crate) fence: u64,
    /// Bytes of the whole file behind the directory.
    pub(crate) behind: u64,
    /// Its extents, in the order of sagas.
    pub(crate) extents: Vec<ExtentV1>,
}

/// One saga's part of an archive, schema 1.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ExtentV1 {
    /// The saga's head after these entries, as JSON.
    head: Vec<u8>,
    /// The version of its first entry.
    pub(crate) from: u64,
    /// Where its frame begins, in bytes behind the directory.
    pub(crate) offset: u64,
}

/// What the index keeps of a saga, schema 1.
#[derive(Serialize, Deserialize)]
struct KnownV1 {
    head: Vec<u8>,
    places: Vec<(u64, u64, u64, u64)>,
}

fn options() -> impl bincode::Options {
    bincode::DefaultOptions::new().with_limit(LARGEST as u64)
}

fn pack<T: Serialize>(value: &T) -> Vec<u8> {
    // Our own structs always serialise; a payload above the limit is refused when it is framed.
    bincode::DefaultOptions::new().serialize(value).unwrap_or_default()
}

fn unpack<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Unreadable> {
    options().deserialize(bytes).map_err(|_| Unreadable("a frame's payload cannot be read"))
}

/// Entries to a payload.
pub(crate) fn batch<'a>(entries: impl Iterator<Item = (SagaId, &'a Sealed)>) -> Vec<u8> {
    let (mut count, mut records) = (0_u64, Vec::new());
    for (saga, entry) in entries {
        count += 1;
        records.extend_from_slice(saga.as_bytes());
        records.extend_from_slice(entry.record());
    }
    let mut payload = pack(&count);
    payload.append(&mut records);
    payload
}

/// All of an entry's [`RecordV1`] but its saga, which stands first there; the event's JSON is
/// at the end.
pub(crate) fn record(entry: &Entry, event: &[u8]) -> Vec<u8> {
    pack(&(entry.version, entry.at_ms, unhex(&entry.previous), event))
}

/// A payload to entries.
pub(crate) fn read_batch(payload: &[u8]) -> Result<Vec<(SagaId, Sealed)>, Unreadable> {
    let records: Vec<RecordV1> = unpack(payload)?;
    records
        .into_iter()
        .map(|r| {
            let entry = Sealed::read(r.version, r.at_ms, hex(&r.previous), &r.event);
            let entry = entry.map_err(|_| Unreadable("an event is not known to this version"))?;
            Ok((SagaId::from_bytes(r.saga), entry))
        })
        .collect()
}

/// A holder's number to a payload.
pub(crate) fn claim(fence: u64) -> Vec<u8> {
    pack(&fence)
}

/// A payload to a holder's number.
pub(crate) fn read_claim(payload: &[u8]) -> Result<u64, Unreadable> {
    unpack(payload)
}

/// The format that stands first in what a file says of itself.
fn format(payload: &[u8]) -> Result<u16, HeadError> {
    let read: Result<u16, _> = options().allow_trailing_bytes().deserialize(payload);
    match read {
        Ok(format @ 1..=FORMAT) => Ok(format),
        Ok(0) | Err(_) => Err(Unreadable("a frame's payload cannot be read").into()),
        Ok(newer) => Err(HeadError::Newer(newer)),
    }
}

impl SegmentHead {
    /// To a payload.
    pub(crate) fn pack(self) -> Vec<u8> {
        let Self { number, first, size, home } = self;
        match home {
            None => pack(&SegmentV1 { format: 1, number, first, size }),
            Some(home) => {
                let home = *home.as_bytes();
                pack(&SegmentV2 { format: 2, number, first, size, home })
            }
        }
    }

    /// From a payload.
    pub(crate) fn unpack(payload: &[u8]) -> Result<Self, HeadError> {
        if format(payload)? == 1 {
            let SegmentV1 { number, first, size, .. } = unpack(payload)?;
            return Ok(Self { number, first, size, home: None });
        }
        let SegmentV2 { number, first, size, home, .. } = unpack(payload)?;
        Ok(Self { number, first, size, home: Some(HomeId::from_bytes(home)) })
    }
}

impl Directory {
    /// To a payload.
    pub(crate) fn pack(&self) -> Vec<u8> {
        let Self { home, segments, next, fence, behind, extents } = self.clone();
        match home {
            None => pack(&DirectoryV1 { format: 1, segments, next, fence, behind, extents }),
            Some(home) => {
                let home = *home.as_bytes();
                pack(&DirectoryV2 { format: 2, home, segments, next, fence, behind, extents })
            }
        }
    }

    /// From a payload.
    pub(crate) fn unpack(payload: &[u8]) -> Result<Self, HeadError> {
        if format(payload)? == 1 {
            let DirectoryV1 { segments, next, fence, behind, extents, .. } = unpack(payload)?;
            return Ok(Self { home: None, segments, next, fence, behind, extents });
        }
        let DirectoryV2 { home, segments, next, fence, behind, extents, .. } = unpack(payload)?;
        let home = Some(HomeId::from_bytes(home));
        Ok(Self { home, segments, next, fence, behind, extents })
    }
}

impl ExtentV1 {
    /// The part of a saga with this head, from a version on.
    pub(crate) fn new(head: &Head, from: u64, offset: u64) -> Self {
        Self { head: serde_json::to_vec(head).unwrap_or_default(), from, offset }
    }

    /// The saga's head after these entries.
    pub(crate) fn head(&self) -> Result<Head, Unreadable> {
        serde_json::from_slice(&self.head).map_err(|_| Unreadable("a head cannot be read"))
    }
}

/// What is known of a saga to bytes.
pub(crate) fn known(known: &Known) -> Vec<u8> {
    let head = serde_json::to_vec(&known.head).unwrap_or_default();
    let places = known.places.iter().map(|p| (p.archive, p.offset, p.from, p.to)).collect();
    pack(&KnownV1 { head, places })
}

/// Bytes to what is known of a saga.
pub(crate) fn read_known(bytes: &[u8]) -> Result<Known, Unreadable> {
    let KnownV1 { head, places } = unpack(bytes)?;
    let head = serde_json::from_slice(&head).map_err(|_| Unreadable("a head cannot be read"))?;
    let place = |(archive, offset, from, to)| Place { archive, offset, from, to };
    Ok(Known { head, places: places.into_iter().map(place).collect() })
}
