//! A segment: one file of the journal, filled with zeros ahead of what is written.
//!
//! It appears under its name only when it is whole on disk, so it never has another length
//! than the one that it says of itself, unless somebody cut it.

use super::frame::{self, Found, Header, Kind};
use super::records::{self, HeadError, SegmentHead};
use crate::store::StoreError;
use crate::store::system::{self, sync_folder};
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

/// The file that is filled with zeros already and waits to become a segment.
pub(crate) const SPARE: &str = "spare";
/// A spare file has this name until it is whole.
pub(crate) const UNFINISHED: &str = "unfinished";
/// What is becoming a segment has this name.
pub(crate) const TAKEN: &str = "unfinished-segment";
static ZEROS: [u8; 64 * 1024] = [0; 64 * 1024];

/// The file's name of segment `number`.
pub(crate) fn name(number: u64) -> String {
    format!("{number:010}.wal")
}

/// The number in a segment's file name.
pub(crate) fn number(name: &str) -> Option<u64> {
    name.strip_suffix(".wal")?.parse().ok()
}

/// Makes the spare file: `size` zeros that are on disk when it has its name. What `old` holds
/// is no longer wanted: its blocks are used again.
pub(crate) fn prepare(folder: &Path, size: u64, old: Option<&Path>) -> Result<(), StoreError> {
    let (spare, fresh) = (folder.join(SPARE), folder.join(UNFINISHED));
    let renamed = old.map_or(Ok(()), |old| fs::rename(old, &fresh));
    renamed.and_then(|()| fill(&fresh, size)).and_then(|_| fs::rename(&fresh, &spare)).map_err(
        |e| {
            // Half a file is of no use, and its room is wanted.
            drop(fs::remove_file(&fresh));
            StoreError::io("making", &spare, &e)
        },
    )
}

/// Makes the spare file of what is no longer wanted, unless there is one of the same size.
pub(crate) fn recycle(folder: &Path, size: u64, old: &Path) -> Result<(), StoreError> {
    let spare = fs::metadata(folder.join(SPARE));
    if spare.is_ok_and(|spare| spare.len() == size) {
        return fs::remove_file(old).map_err(|e| StoreError::io("removing", old, &e));
    }
    prepare(folder, size, Some(old))
}

/// Makes a file of `size` zeros, and syncs it.
fn fill(path: &Path, size: u64) -> io::Result<File> {
    let mut file = system::open(path)?;
    file.set_len(size)?;
    let mut left = size;
    while left > 0 {
        let piece = left.min(ZEROS.len() as u64);
        file.write_all(ZEROS.get(..usize::try_from(piece).unwrap_or(0)).unwrap_or(&ZEROS))?;
        left -= piece;
    }
    file.sync_all()?;
    Ok(file)
}

/// Makes a segment appear under its name, out of the spare file if it has the right size.
///
/// The spare file is first given a name that nobody else uses: another one may be made at any
/// moment, and must not come between what is written here and its name.
pub(crate) fn create(folder: &Path, says: SegmentHead) -> Result<File, StoreError> {
    let (taken, path) = (folder.join(TAKEN), folder.join(name(says.number)));
    let make = || {
        // Without a spare file there is nothing to take.
        let spare = fs::rename(folder.join(SPARE), &taken).is_ok();
        let file = if spare && fs::metadata(&taken)?.len() == says.size {
            system::open(&taken)?
        } else {
            fill(&taken, says.size)?
        };
        let mut head = Vec::new();
        frame::write(&mut head, Kind::Segment, says.number, &says.pack());
        file.write_all_at(&head, 0)?;
        file.sync_all()?;
        fs::rename(&taken, &path)?;
        Ok(file)
    };
    let file = make().map_err(|e| {
        drop(fs::remove_file(&taken));
        StoreError::io("making", &path, &e)
    })?;
    sync_folder(folder)?;
    Ok(file)
}

/// A segment that was read.
pub(crate) struct Segment {
    pub(crate) path: PathBuf,
    pub(crate) says: SegmentHead,
    /// Where the frames begin.
    pub(crate) begin: usize,
    pub(crate) bytes: Vec<u8>,
}

impl Segment {
    /// Reads the segment in `path`.
    pub(crate) fn read(path: PathBuf) -> Result<Self, StoreError> {
        let bytes = fs::read(&path).map_err(|e| StoreError::io("reading", &path, &e))?;
        let header = Header::read(&bytes).map_or(0, |header| header.sequence);
        let (says, begin) = match frame::look(&bytes, 0, header) {
            Found::Frame(head, payload) if head.kind == Kind::Segment => {
                let says = SegmentHead::unpack(payload).map_err(|e| unusable(&path, e))?;
                (says, head.size())
            }
            Found::Frame(..) | Found::Nothing | Found::Torn | Found::Damaged(_) => {
                return Err(damaged(&path, 0, "it does not begin as a segment does"));
            }
        };
        Ok(Self { path, says, begin, bytes })
    }

    /// The frames from the beginning on; the last item says how the segment ends.
    pub(crate) fn frames(&self) -> Frames<'_> {
        Frames { segment: self, at: self.begin, sequence: self.says.first, over: false }
    }

    /// Is the file shorter than it was made?
    pub(crate) fn is_cut(&self) -> bool {
        (self.bytes.len() as u64) < self.says.size
    }

    /// What is damaged at an offset of this segment.
    pub(crate) fn damaged(&self, at: usize, why: &str) -> StoreError {
        damaged(&self.path, at, why)
    }
}

/// What a file says of itself cannot be used.
pub(crate) fn unusable(path: &Path, error: HeadError) -> StoreError {
    match error {
        HeadError::Unreadable(why) => damaged(path, 0, why.0),
        HeadError::Newer(found) => {
            let (found, known) = (u32::from(found), u32::from(records::FORMAT));
            StoreError::Newer { path: path.to_owned(), found, known }
        }
    }
}

/// What is damaged, and where.
pub(crate) fn damaged(path: &Path, at: usize, why: &str) -> StoreError {
    let file = path.file_name().unwrap_or_default().to_string_lossy();
    let folder = path.parent().and_then(Path::parent).unwrap_or(path);
    let what = format!("{file}, byte {at}: {why}");
    StoreError::Damaged { path: folder.to_owned(), what }
}

/// What comes next in a segment.
pub(crate) enum Next<'a> {
    /// A whole frame, and where it begins.
    Frame(Header, &'a [u8], usize),
    /// Nothing more was written; the next frame goes here and has this number.
    End {
        /// Where.
        at: usize,
        /// Its number.
        sequence: u64,
        /// Something of a frame that never arrived as a whole stands here.
        torn: bool,
    },
}

/// Goes through the frames of a segment.
pub(crate) struct Frames<'a> {
    segment: &'a Segment,
    at: usize,
    sequence: u64,
    over: bool,
}

impl<'a> Iterator for Frames<'a> {
    type Item = Result<Next<'a>, StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.over {
            return None;
        }
        let (at, sequence) = (self.at, self.sequence);
        let end = |torn| Some(Ok(Next::End { at, sequence, torn }));
        match frame::look(&self.segment.bytes, at, sequence) {
            Found::Frame(header, payload) => {
                self.at += header.size();
                self.sequence += 1;
                Some(Ok(Next::Frame(header, payload, at)))
            }
            Found::Nothing => {
                self.over = true;
                end(false)
            }
            Found::Torn => {
                self.over = true;
                end(true)
            }
            Found::Damaged(why) => {
                self.over = true;
                Some(Err(self.segment.damaged(at, &format!("{why} (number {sequence})"))))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::identity::HomeId;
    use std::os::unix::fs::MetadataExt as _;

    #[test]
    fn a_segment_is_never_another_file_than_the_one_that_is_written_to() {
        const SIZE: u64 = 8 * 1024;
        let folder = tempfile::tempdir().unwrap();
        std::thread::scope(|scope| {
            // The follower makes spare files while the committer takes them.
            let follower =
                scope.spawn(|| (0..150).try_for_each(|_| prepare(folder.path(), SIZE, None)));
            for number in 1..=100 {
                let home = Some(HomeId::fresh());
                let says = SegmentHead { number, first: number, size: SIZE, home };
                let file = create(folder.path(), says).unwrap();
                let path = folder.path().join(name(number));
                let (held, named) = (file.metadata().unwrap(), fs::metadata(&path).unwrap());
                assert_eq!((held.ino(), held.len()), (named.ino(), named.len()), "{number}");
                assert_eq!(Segment::read(path).unwrap().says, says);
            }
            follower.join().unwrap().unwrap();
        });
    }
}
