//! One frame of a journal's file: a header with a checksum of its own, a payload, a checksum.
//!
//! A frame is written into space that was filled with zeros and synced before, and nothing
//! follows it until its own sync has returned. So a frame that was torn by a power cut has a
//! sector in which nothing of it arrived, and no frame after it. Whatever else does not match
//! its checksum was damaged later: it had been acknowledged, and is never dropped in silence.

/// Length of a header in bytes.
pub(crate) const HEADER: usize = 32;
/// Checksum and end mark behind a payload.
const TRAILER: usize = 5;
/// Frames begin at multiples of this many bytes.
const ALIGN: usize = 8;
/// The smallest piece that a disk writes as a whole.
const SECTOR: usize = 512;
const MAGIC: [u8; 4] = *b"EJF1";
/// What ends a frame and fills it up: never zero, so that an unwritten end is seen.
const MARK: u8 = 0xEE;

/// What a frame holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Entries that were committed together.
    Batch,
    /// A holder claimed the store.
    Claim,
    /// What a segment says of itself; its number is the segment's.
    Segment,
    /// What an archive says of itself and of the sagas in it.
    Directory,
    /// The entries of one saga in an archive.
    Extent,
}

impl Kind {
    const fn number(self) -> u8 {
        match self {
            Self::Batch => 1,
            Self::Claim => 2,
            Self::Segment => 3,
            Self::Directory => 4,
            Self::Extent => 5,
        }
    }

    const fn of(number: u8) -> Option<Self> {
        match number {
            1 => Some(Self::Batch),
            2 => Some(Self::Claim),
            3 => Some(Self::Segment),
            4 => Some(Self::Directory),
            5 => Some(Self::Extent),
            _ => None,
        }
    }
}

/// The header of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) kind: Kind,
    /// The frame's number; in a journal they have no gaps.
    pub(crate) sequence: u64,
    /// Bytes of payload.
    pub(crate) length: usize,
}

impl Header {
    /// The header at the beginning of `bytes`, if there is one.
    pub(crate) fn read(bytes: &[u8]) -> Option<Self> {
        let header: &[u8; HEADER] = bytes.first_chunk()?;
        let (sealed, sum) = header.split_at(HEADER - 4);
        if header.get(..4)? != MAGIC || crc32fast::hash(sealed).to_le_bytes() != sum {
            return None;
        }
        let length = u32::from_le_bytes(*header.get(8..12)?.first_chunk()?);
        let sequence = u64::from_le_bytes(*header.get(12..20)?.first_chunk()?);
        let kind = Kind::of(*header.get(4)?)?;
        Some(Self { kind, sequence, length: usize::try_from(length).ok()? })
    }

    /// Bytes of the whole frame, filled up to its alignment.
    pub(crate) const fn size(self) -> usize {
        frame_size(self.length)
    }
}

/// Bytes of a frame with so many bytes of payload.
pub(crate) const fn frame_size(payload: usize) -> usize {
    (HEADER + payload + TRAILER).next_multiple_of(ALIGN)
}

/// Adds a frame to `out`; `None` if the payload is too long for a frame.
pub(crate) fn write(out: &mut Vec<u8>, kind: Kind, sequence: u64, payload: &[u8]) -> Option<()> {
    let length = u32::try_from(payload.len()).ok()?;
    let begin = out.len();
    out.extend(MAGIC);
    out.push(kind.number());
    out.extend([MARK; 3]);
    out.extend(length.to_le_bytes());
    out.extend(sequence.to_le_bytes());
    out.extend([MARK; 8]);
    let sum = crc32fast::hash(out.get(begin..)?);
    out.extend(sum.to_le_bytes());
    out.extend(payload);
    out.extend(crc32fast::hash(payload).to_le_bytes());
    out.push(MARK);
    out.resize(begin + frame_size(payload.len()), MARK);
    Some(())
}

/// What stands at a place where a frame may begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Found<'a> {
    /// A whole frame.
    Frame(Header, &'a [u8]),
    /// Nothing was written here yet.
    Nothing,
    /// A frame that did not arrive as a whole; it was never acknowledged.
    Torn,
    /// Something that was written and is no longer what it was.
    Damaged(&'static str),
}

/// Looks at offset `at` of a file's `bytes`, where frame number `expected` should begin.
pub(crate) fn look(bytes: &[u8], at: usize, expected: u64) -> Found<'_> {
    let rest = bytes.get(at..).unwrap_or_default();
    match whole(rest) {
        Ok((header, payload)) if header.sequence == expected => Found::Frame(header, payload),
        Ok(_) => Found::Damaged("a frame stands out of its order"),
        Err(_) if rest.iter().all(|byte| *byte == 0) => Found::Nothing,
        Err(_) if followed(rest, expected) => Found::Damaged("a frame between others is damaged"),
        Err(size) if unwritten(rest, at, size) => Found::Torn,
        Err(_) => Found::Damaged("a frame that was whole is damaged"),
    }
}

/// The whole frame that begins at offset `at`, whatever its number.
pub(crate) fn whole_at(bytes: &[u8], at: usize) -> Option<(Header, &[u8])> {
    whole(bytes.get(at..)?).ok()
}

/// Where the next whole frame begins, at offset `from` or behind it.
pub(crate) fn next_whole(bytes: &[u8], from: usize) -> Option<usize> {
    (from.next_multiple_of(ALIGN)..bytes.len()).step_by(ALIGN).find(|at| {
        bytes.get(*at..).is_some_and(|rest| rest.starts_with(&MAGIC))
            && whole_at(bytes, *at).is_some()
    })
}

/// The whole frame at the beginning of `rest`, or how many bytes of it there should be.
fn whole(rest: &[u8]) -> Result<(Header, &[u8]), usize> {
    let header = Header::read(rest).ok_or(HEADER)?;
    let frame = rest.get(..header.size()).ok_or(header.size())?;
    let body = frame.get(HEADER..).unwrap_or_default();
    let (payload, trailer) = body.split_at_checked(header.length).ok_or(header.size())?;
    let (sum, marks) = trailer.split_at_checked(4).ok_or(header.size())?;
    if crc32fast::hash(payload).to_le_bytes() == *sum && marks.iter().all(|mark| *mark == MARK) {
        Ok((header, payload))
    } else {
        Err(header.size())
    }
}

/// Is there a later frame? It was only written after this one had been acknowledged.
fn followed(rest: &[u8], expected: u64) -> bool {
    (ALIGN..rest.len()).step_by(ALIGN).any(|from| {
        let later = rest.get(from..).unwrap_or_default();
        later.starts_with(&MAGIC)
            && whole(later).is_ok_and(|(header, _)| header.sequence > expected)
    })
}

/// Is there a sector of the frame in which nothing of it arrived?
fn unwritten(rest: &[u8], at: usize, size: usize) -> bool {
    if size > rest.len() {
        return true;
    }
    let mut from = 0;
    while from < size {
        let to = size.min((at + from + 1).next_multiple_of(SECTOR) - at);
        if rest.get(from..to).is_some_and(|sector| sector.iter().all(|byte| *byte == 0)) {
            return true;
        }
        from = to;
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A file with three frames at `at`, and where they begin and end.
    fn file(at: usize) -> (Vec<u8>, Vec<usize>) {
        let mut bytes = vec![1; at];
        let mut places = vec![at];
        for (sequence, size) in [(7, 300), (8, 1500), (9, 40)] {
            write(&mut bytes, Kind::Batch, sequence, &vec![b'x'; size]).unwrap();
            places.push(bytes.len());
        }
        bytes.resize(bytes.len() + 4096, 0);
        (bytes, places)
    }

    #[test]
    fn frames_read_back_one_after_the_other() {
        let (bytes, places) = file(64);
        for (place, sequence) in places.iter().zip(7..10) {
            let Found::Frame(header, payload) = look(&bytes, *place, sequence) else { panic!() };
            assert!(payload.iter().all(|byte| *byte == b'x'));
            assert_eq!(place + header.size(), places[usize::try_from(sequence).unwrap() - 6]);
        }
        assert_eq!(look(&bytes, places[3], 10), Found::Nothing);
        assert!(matches!(look(&bytes, places[1], 7), Found::Damaged(_)));
    }

    #[test]
    fn every_flipped_bit_of_an_acknowledged_frame_is_damage() {
        let (bytes, places) = file(64);
        for (frame, sequence) in [(0, 7), (2, 9)] {
            for bit in places[frame] * 8..places[frame + 1] * 8 {
                let mut flipped = bytes.clone();
                flipped[bit / 8] ^= 1 << (bit % 8);
                let found = look(&flipped, places[frame], sequence);
                assert!(matches!(found, Found::Damaged(_)), "bit {bit}: {found:?}");
            }
        }
    }

    #[test]
    fn a_last_frame_without_one_of_its_sectors_is_torn_and_an_inner_one_is_damaged() {
        let (bytes, places) = file(64);
        // Drops the sector that begins at `from`, as far as it belongs to the frame.
        let without = |frame: usize, from: usize| {
            let mut torn = bytes.clone();
            let (begin, end) = (places[frame].max(from), places[frame + 1].min(from + SECTOR));
            torn[begin..end].fill(0);
            torn
        };
        for from in (0..places[2]).step_by(SECTOR) {
            let inner = without(1, from);
            if inner != bytes {
                assert!(matches!(look(&inner, places[1], 8), Found::Damaged(_)));
                let mut last = inner;
                last[places[2]..].fill(0);
                assert_eq!(look(&last, places[1], 8), Found::Torn, "sector at {from}");
            }
        }
    }

    #[test]
    fn a_file_that_ends_inside_its_last_frame_is_torn() {
        let (bytes, places) = file(64);
        for end in places[2] + 1..places[3] {
            assert_eq!(look(&bytes[..end], places[2], 9), Found::Torn, "cut at {end}");
        }
        assert_eq!(look(&bytes[..places[2]], places[2], 9), Found::Nothing);
    }

    #[test]
    fn an_absurd_length_is_no_reason_to_read_far() {
        let mut bytes = Vec::new();
        write(&mut bytes, Kind::Batch, 1, b"x").unwrap();
        bytes[8..12].copy_from_slice(&u32::MAX.to_le_bytes());
        let sum = crc32fast::hash(&bytes[..HEADER - 4]).to_le_bytes();
        bytes[HEADER - 4..HEADER].copy_from_slice(&sum);
        assert_eq!(look(&bytes, 0, 1), Found::Torn);
    }

    proptest! {
        #[test]
        fn any_bytes_are_judged_without_panic(
            bytes in prop::collection::vec(any::<u8>(), 0..3000), at in 0..3000_usize,
        ) {
            prop_assert!(!matches!(look(&bytes, at, 1), Found::Frame(..)));
        }

        #[test]
        fn sectors_that_arrived_in_any_order_never_make_a_frame_that_was_not_written(
            arrived in prop::collection::vec(any::<bool>(), 8), at in 0..64_usize, size in 1..3000_usize,
        ) {
            let at = at * ALIGN;
            let mut bytes = vec![0; at];
            write(&mut bytes, Kind::Batch, 1, &vec![b'x'; size]).unwrap();
            let end = bytes.len();
            bytes.resize(8 * SECTOR, 0);
            let written = bytes.clone();
            for (sector, arrived) in arrived.iter().enumerate() {
                let from = (sector * SECTOR).max(at).min(end);
                let to = ((sector + 1) * SECTOR).max(at).min(end);
                if !arrived {
                    bytes[from..to].fill(0);
                }
            }
            match look(&bytes, at, 1) {
                Found::Frame(..) => prop_assert_eq!(bytes, written),
                Found::Nothing => prop_assert!(bytes.iter().all(|byte| *byte == 0)),
                Found::Torn => prop_assert_ne!(bytes, written),
                Found::Damaged(why) => prop_assert!(false, "{}", why),
            }
        }
    }
}
