//! Reads a file of the journal to its end, whatever it meets on the way.

use super::frame::{self, Found, Header};

/// A piece of a file.
pub(crate) enum Part<'a> {
    /// A whole frame, and where it begins.
    Frame(Header, &'a [u8], usize),
    /// Something that is not what was written.
    Damaged {
        /// Where it begins.
        at: usize,
        /// Where the next whole frame begins, or the file ends.
        to: usize,
        /// The number of the frame that should begin here, if that is known.
        frame: Option<u64>,
        /// What is wrong.
        why: &'static str,
    },
}

/// How a file ends.
pub(crate) struct End {
    /// Where nothing was written any more.
    pub(crate) at: usize,
    /// The number of the frame that would come next, if that is known.
    pub(crate) next: Option<u64>,
    /// Something of a frame that never arrived as a whole stands here.
    pub(crate) torn: bool,
}

/// The pieces of a file from an offset on, where frame number `expected` should begin.
pub(crate) fn scan(bytes: &[u8], mut at: usize, mut expected: Option<u64>) -> (Vec<Part<'_>>, End) {
    let mut parts = Vec::new();
    loop {
        if let Some((header, payload)) = frame::whole_at(bytes, at) {
            if expected.is_some_and(|expected| expected != header.sequence) {
                let why = "a frame stands out of its order";
                parts.push(Part::Damaged { at, to: at, frame: expected, why });
            }
            parts.push(Part::Frame(header, payload, at));
            expected = Some(header.sequence + 1);
            at += header.size();
            continue;
        }
        let why = match frame::look(bytes, at, expected.unwrap_or(0)) {
            Found::Frame(..) | Found::Nothing => {
                return (parts, End { at, next: expected, torn: false });
            }
            Found::Torn => return (parts, End { at, next: expected, torn: true }),
            Found::Damaged(why) => why,
        };
        let to = frame::next_whole(bytes, at + 1).unwrap_or(bytes.len());
        parts.push(Part::Damaged { at, to, frame: expected, why });
        // The next whole frame says its number itself.
        (at, expected) = (to, None);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::journal::frame::Kind;

    fn file() -> (Vec<u8>, Vec<usize>) {
        let (mut bytes, mut places) = (Vec::new(), Vec::new());
        for sequence in 4..9 {
            places.push(bytes.len());
            frame::write(&mut bytes, Kind::Batch, sequence, &[b'x'; 700]).unwrap();
        }
        places.push(bytes.len());
        bytes.resize(bytes.len() + 1024, 0);
        (bytes, places)
    }

    fn told(bytes: &[u8]) -> Vec<(char, usize, Option<u64>)> {
        let (parts, end) = scan(bytes, 0, Some(4));
        let mut told: Vec<_> = parts
            .iter()
            .map(|part| match part {
                Part::Frame(header, _, at) => ('f', *at, Some(header.sequence)),
                Part::Damaged { at, frame, .. } => ('d', *at, *frame),
            })
            .collect();
        told.push((if end.torn { 't' } else { 'e' }, end.at, end.next));
        told
    }

    #[test]
    fn everything_behind_a_damaged_frame_is_still_read() {
        let (mut bytes, at) = file();
        bytes[at[1] + 100] ^= 1;
        bytes[at[2] + 3] ^= 1;
        assert_eq!(
            told(&bytes),
            [
                ('f', at[0], Some(4)),
                ('d', at[1], Some(5)),
                ('f', at[3], Some(7)),
                ('f', at[4], Some(8)),
                ('e', at[5], Some(9)),
            ]
        );
    }

    #[test]
    fn a_torn_end_and_a_frame_out_of_order_are_told_apart() {
        let (bytes, at) = file();
        let mut torn = bytes.clone();
        torn[at[4]..at[4] + 600].fill(0);
        assert_eq!(told(&torn).last(), Some(&('t', at[4], Some(8))));
        let order = [&bytes[..at[1]], &bytes[at[2]..]].concat();
        assert_eq!(told(&order)[1], ('d', at[1], Some(5)));
        assert_eq!(told(&order)[2], ('f', at[1], Some(6)));
    }
}
