//! Bytes that nobody wrote: cut, flipped, absurd, or garbage under a right checksum.
//!
//! Each decoder is a function from bytes to a result. None may panic, take what is not what was
//! written where a checksum stands over it, or ask for memory because a number says so.

use super::archive::{Archive, Contents};
use super::frame::{self, Found, HEADER, Kind};
use super::records::{self, Directory, ExtentV1, SegmentHead};
use crate::event::{Entry, Event, Origin};
use crate::id::SagaId;
use crate::sealed::Sealed;
use crate::store::identity::HomeId;
use crate::store::{Append, Head, Known, Place, advance};
use cap::Cap;
use proptest::prelude::*;
use std::alloc::System;
use std::fs::OpenOptions;
use std::os::unix::fs::FileExt as _;

/// More than all unit tests together need, and less than any absurd number asks for.
const MEMORY: usize = 192 * 1024 * 1024;

/// What is above the limit is not had, and the process says so and ends.
#[global_allocator]
static ALLOCATOR: Cap<System> = Cap::new(System, MEMORY);

/// Bytes that a decoder takes, and the decoder.
struct Decoder {
    name: &'static str,
    good: Vec<u8>,
    read: fn(&[u8]) -> Result<(), String>,
}

fn saga() -> SagaId {
    SagaId::new(1_700_000_000_000, [7; 10])
}

fn entries() -> Vec<Sealed> {
    let created = Event::Created {
        link: "link".into(),
        spec: "name = \"x\"".into(),
        spec_digest: "d".into(),
        edition: "e".into(),
        program: "p".into(),
        world: "cloud".into(),
        world_id: None,
        actor: crate::Actor::default(),
    };
    let output = serde_json::json!({"id": "cen-1", "zones": ["a", "b"]});
    let node = "network.cen".to_owned();
    let completed = Event::Completed { node, origin: Origin::Made, output, attempts: 2 };
    let mut previous = String::new();
    let seal = |(version, event)| {
        let entry = Entry { version, at_ms: 1_700_000_000_000, previous: previous.clone(), event };
        let entry = Sealed::new(entry);
        previous = entry.hash();
        entry
    };
    (1..).zip([created, completed]).map(seal).collect()
}

fn head() -> Head {
    let mut head = None;
    for entry in entries() {
        head = Some(advance(head.as_ref(), &Append::new(saga(), entry)).unwrap());
    }
    head.unwrap()
}

fn home() -> HomeId {
    HomeId::from_bytes([9; 16])
}

fn directory(home: Option<HomeId>) -> Directory {
    Directory {
        home,
        segments: (1, 3),
        next: 9,
        fence: 2,
        behind: 4096,
        extents: vec![ExtentV1::new(&head(), 1, 0), ExtentV1::new(&head(), 1, 512)],
    }
}

/// What frames hold, bare: no checksum stands over them.
fn payloads() -> Vec<Decoder> {
    fn said<T, E: ToString>(read: Result<T, E>) -> Result<(), String> {
        read.map(drop).map_err(|error| error.to_string())
    }
    fn directories(bytes: &[u8]) -> Result<(), String> {
        let read = Directory::unpack(bytes).map_err(|error| error.to_string())?;
        read.extents.iter().try_for_each(|extent| said(extent.head()))
    }
    let all = entries();
    let known =
        Known { head: head(), places: vec![Place { archive: 1, offset: 2, from: 1, to: 2 }] };
    let old = SegmentHead { number: 3, first: 70, size: 1 << 20, home: None };
    let segment = SegmentHead { home: Some(home()), ..old };
    vec![
        Decoder {
            name: "batch",
            good: records::batch(all.iter().map(|entry| (saga(), entry))),
            read: |bytes| said(records::read_batch(bytes)),
        },
        Decoder {
            name: "claim",
            good: records::claim(u64::MAX),
            read: |bytes| said(records::read_claim(bytes)),
        },
        Decoder { name: "segment", good: segment.pack(), read: |b| said(SegmentHead::unpack(b)) },
        Decoder { name: "segment 1", good: old.pack(), read: |b| said(SegmentHead::unpack(b)) },
        Decoder { name: "directory", good: directory(Some(home())).pack(), read: directories },
        Decoder { name: "directory 1", good: directory(None).pack(), read: directories },
        Decoder {
            name: "known",
            good: records::known(&known),
            read: |bytes| said(records::read_known(bytes)),
        },
    ]
}

fn framed(kind: Kind, payload: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    frame::write(&mut bytes, kind, 1, payload).unwrap();
    bytes
}

/// A whole archive of two sagas as a file.
fn archive() -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let sagas = [(saga(), (head(), entries()))].into();
    let home = Some(home());
    let contents = Contents { home, segments: (1, 3), next: 9, fence: 2, sagas };
    std::fs::read(Archive::write(folder.path(), &contents).unwrap().path).unwrap()
}

/// Opens bytes as an archive and reads everything in it.
fn read_archive(bytes: &[u8]) -> Result<(), String> {
    thread_local! {
        static FOLDER: tempfile::TempDir = tempfile::tempdir().unwrap();
    }
    let path = FOLDER.with(|folder| folder.path().join("a.arc"));
    // Not emptied before: a disk writes a file out when it is filled anew.
    let file = OpenOptions::new().write(true).create(true).truncate(false).open(&path).unwrap();
    file.write_all_at(bytes, 0).unwrap();
    file.set_len(bytes.len() as u64).unwrap();
    let archive = Archive::open(path).map_err(|error| error.to_string())?;
    for head in archive.heads() {
        let (_, extent) = head.map_err(|error| error.to_string())?;
        archive.entries(extent.offset).map_err(|error| error.to_string())?;
    }
    Ok(())
}

fn read_frame(bytes: &[u8]) -> Result<(), String> {
    match frame::look(bytes, 0, 1) {
        Found::Frame(_, payload) => {
            records::read_batch(payload).map(drop).map_err(|e| e.to_string())
        }
        other @ (Found::Nothing | Found::Torn | Found::Damaged(_)) => Err(format!("{other:?}")),
    }
}

/// What stands under checksums.
fn sealed() -> Vec<Decoder> {
    let all = entries();
    let batch = records::batch(all.iter().map(|entry| (saga(), entry)));
    vec![
        Decoder { name: "frame", good: framed(Kind::Batch, &batch), read: read_frame },
        Decoder { name: "archive", good: archive(), read: read_archive },
    ]
}

/// The forms in which a length may be absurd: as a varint of four and of eight bytes.
fn absurd_lengths() -> Vec<Vec<u8>> {
    let four = [1 << 16, 1 << 24, u32::MAX / 2, u32::MAX]
        .map(|length: u32| [&[252], length.to_le_bytes().as_slice()].concat());
    let eight = [1 << 32, 1 << 40, 1 << 60, u64::MAX]
        .map(|length: u64| [&[253], length.to_le_bytes().as_slice()].concat());
    four.into_iter().chain(eight).collect()
}

#[test]
fn the_limit_on_memory_holds() {
    let mut bytes = Vec::<u8>::new();
    assert!(bytes.try_reserve_exact(MEMORY).is_err());
    assert!(bytes.try_reserve_exact(MEMORY / 8).is_ok());
}

#[test]
fn every_cut_is_refused() {
    for Decoder { name, good, read } in payloads().into_iter().chain(sealed()) {
        read(&good).unwrap();
        for cut in 0..good.len() {
            assert!(read(&good[..cut]).is_err(), "{name} cut at {cut}");
        }
        let longer = [good.as_slice(), &[0]].concat();
        // A frame may be followed by what was not written yet; nothing else may be followed.
        assert_eq!(read(&longer).is_ok(), name == "frame", "{name} with a byte more");
    }
}

#[test]
fn every_flipped_bit_under_a_checksum_is_noticed() {
    for Decoder { name, good, read } in sealed() {
        for bit in 0..good.len() * 8 {
            let mut flipped = good.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert!(read(&flipped).is_err(), "{name}, bit {bit}");
        }
    }
}

#[test]
fn every_flipped_bit_without_one_is_borne() {
    for Decoder { good, read, .. } in payloads() {
        for bit in 0..good.len() * 8 {
            let mut flipped = good.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            drop(read(&flipped));
        }
    }
}

#[test]
fn an_absurd_length_anywhere_asks_for_no_memory() {
    for Decoder { good, read, .. } in payloads() {
        for (at, length) in
            (0..good.len()).flat_map(|at| absurd_lengths().into_iter().map(move |l| (at, l)))
        {
            let mut absurd = good.clone();
            absurd.splice(at..=at, length);
            drop(read(&absurd));
        }
    }
}

#[test]
fn an_absurd_length_of_a_frame_under_a_right_checksum_is_no_frame() {
    let Decoder { good, read, .. } = sealed().remove(0);
    let right = u32::from_le_bytes(*good[8..].first_chunk().unwrap());
    for length in [0, 1, right - 1, right + 1, right + 8, u32::MAX / 2, u32::MAX - 40, u32::MAX] {
        let mut absurd = good.clone();
        absurd[8..12].copy_from_slice(&length.to_le_bytes());
        let sum = crc32fast::hash(&absurd[..HEADER - 4]).to_le_bytes();
        absurd[HEADER - 4..HEADER].copy_from_slice(&sum);
        assert!(read(&absurd).is_err(), "length {length}");
    }
}

#[test]
fn a_directory_with_absurd_numbers_under_a_right_checksum_is_refused() {
    let good = archive();
    let size = frame::Header::read(&good).unwrap().size();
    let Found::Frame(_, payload) = frame::look(&good, 0, 0) else { panic!("no directory") };
    let says = Directory::unpack(payload).unwrap();
    let with = |says: &Directory| {
        let mut bytes = Vec::new();
        frame::write(&mut bytes, Kind::Directory, 0, &says.pack()).unwrap();
        bytes.extend(&good[size..]);
        read_archive(&bytes)
    };
    with(&says).unwrap();
    for absurd in [1, 1 << 40, u64::MAX - 7, u64::MAX] {
        assert!(with(&Directory { behind: absurd, ..says.clone() }).is_err());
        let mut moved = says.clone();
        moved.extents[0].offset = absurd;
        assert!(with(&moved).is_err(), "an extent at {absurd}");
    }
}

#[test]
fn json_in_json_to_any_depth_is_refused_and_not_followed() {
    for deep in ["[".repeat(1 << 20), "{\"type\":".repeat(1 << 18)] {
        assert!(Sealed::read(1, 1, String::new(), deep.as_bytes()).is_err());
    }
}

proptest! {
    /// Garbage in a frame whose checksums are right.
    #[test]
    fn any_payload_is_judged_without_panic(payload in prop::collection::vec(any::<u8>(), 0..400)) {
        for Decoder { read, .. } in payloads() {
            drop(read(&payload));
        }
        drop(read_frame(&framed(Kind::Batch, &payload)));
    }

    /// What was written, with a piece of it replaced by anything, under right checksums.
    #[test]
    fn any_piece_may_be_anything(
        from in any::<prop::sample::Index>(),
        length in 0..40_usize,
        piece in prop::collection::vec(any::<u8>(), 0..40),
    ) {
        for Decoder { good, read, .. } in payloads() {
            let from = from.index(good.len());
            let to = good.len().min(from + length);
            let mut spliced = good.clone();
            spliced.splice(from..to, piece.iter().copied());
            drop(read(&spliced));
        }
    }

    /// Anything at all.
    #[test]
    fn any_bytes_under_no_checksum_are_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        for Decoder { name, read, .. } in sealed() {
            prop_assert!(read(&bytes).is_err(), "{}", name);
        }
    }
}
