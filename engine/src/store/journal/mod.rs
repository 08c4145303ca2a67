//! The write-ahead journal: the truth. Everything else can be made of it.
//!
//! Entries go into *segments* in the order of their commits, many sagas side by side, one
//! frame and one data sync a batch. A full segment is later turned into an *archive*, where
//! the entries of each saga stand together, and its file is used again.

pub(crate) mod archive;
pub(crate) mod frame;
#[cfg(test)]
mod hostile;
pub(crate) mod layout;
pub(crate) mod names;
pub(crate) mod records;
pub(crate) mod scan;
pub(crate) mod segment;

use self::frame::{Kind, frame_size};
use self::layout::Layout;
use self::records::SegmentHead;
use self::segment::{Next, Segment};
use super::meta::Meta;
use super::{Notice, StoreError, system};
use crate::id::SagaId;
use crate::sealed::Sealed;
use std::fs::{self, File};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

/// A journal's first segment is this long, in bytes; each further one twice as long as the last,
const SMALLEST: u64 = 256 * 1024;
/// up to this.
const LARGEST: u64 = 4 * 1024 * 1024;

/// The journal of a home, to write.
#[derive(Debug)]
pub(crate) struct Journal {
    folder: PathBuf,
    file: File,
    says: SegmentHead,
    /// What the store says of itself.
    meta: Meta,
    /// Where the next frame goes.
    at: u64,
    /// Its number.
    sequence: u64,
    buffer: Vec<u8>,
}

/// Entries that were committed together, and the number of their frame.
pub(crate) type Batch = (u64, Vec<(SagaId, Sealed)>);

/// What a journal says when it is opened.
#[derive(Debug, Default)]
pub(crate) struct Replay {
    /// The files.
    pub(crate) layout: Layout,
    /// What stands in segments, in order.
    pub(crate) batches: Vec<Batch>,
    /// The last holder's number.
    pub(crate) fence: u64,
    /// Segments that are full, and the number of the first frame behind each.
    pub(crate) full: Vec<Full>,
    /// What the user should be told.
    pub(crate) notices: Vec<Notice>,
}

/// A segment to which nothing is added any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Full {
    /// The segment.
    pub(crate) number: u64,
    /// The number of the first frame behind it.
    pub(crate) next: u64,
    /// Its length in bytes.
    pub(crate) size: u64,
}

/// How the frames of a segment end.
pub(crate) struct Tail {
    pub(crate) says: SegmentHead,
    pub(crate) at: usize,
    pub(crate) sequence: u64,
    pub(crate) torn: bool,
    pub(crate) cut: bool,
}

impl Journal {
    /// Goes on with a journal that was read, or begins it. Only now anything is changed.
    pub(crate) fn open(
        folder: &Path,
        tail: Option<&Tail>,
        layout: &Layout,
        meta: Meta,
    ) -> Result<Self, StoreError> {
        for path in &layout.leftovers {
            fs::remove_file(path).map_err(|e| StoreError::io("removing", path, &e))?;
        }
        match tail {
            Some(tail) => Self::go_on(folder, tail, meta),
            None => Self::begin(folder, layout, meta),
        }
    }

    /// A new segment behind the archives, or the very first.
    fn begin(folder: &Path, layout: &Layout, mut meta: Meta) -> Result<Self, StoreError> {
        let (number, first) = (layout.archived() + 1, layout.next());
        let says = SegmentHead { number, first, size: SMALLEST, home: meta.home() };
        let file = segment::create(folder, says)?;
        meta.reach(above(folder), number)?;
        Ok(Self::at(folder, file, says, meta, (head_size(says), first)))
    }

    fn go_on(folder: &Path, tail: &Tail, meta: Meta) -> Result<Self, StoreError> {
        let path = folder.join(segment::name(tail.says.number));
        let file = system::open(&path).map_err(|e| StoreError::io("opening", &path, &e))?;
        if tail.torn || tail.cut {
            // A half frame must not stand behind the ones to come.
            let size = usize::try_from(tail.says.size).unwrap_or(0);
            let zeros = vec![0; size.saturating_sub(tail.at)];
            file.write_all_at(&zeros, tail.at as u64)
                .and_then(|()| file.sync_all())
                .map_err(|e| StoreError::io("writing", &path, &e))?;
        }
        Ok(Self::at(folder, file, tail.says, meta, (tail.at as u64, tail.sequence)))
    }

    fn at(
        folder: &Path,
        file: File,
        says: SegmentHead,
        meta: Meta,
        (at, sequence): (u64, u64),
    ) -> Self {
        Self { folder: folder.to_owned(), file, says, meta, at, sequence, buffer: Vec::new() }
    }

    /// What the store says of itself.
    pub(crate) const fn meta(&self) -> &Meta {
        &self.meta
    }

    /// Adds a frame; it is durable when this returns. Gives its number, and the segment that
    /// was filled by it, if one was.
    pub(crate) fn append(
        &mut self,
        kind: Kind,
        payload: &[u8],
    ) -> Result<(u64, Option<Full>), StoreError> {
        let size = frame_size(payload.len()) as u64;
        let full = if self.at + size > self.says.size { Some(self.rotate(size)?) } else { None };
        let sequence = self.sequence;
        self.buffer.clear();
        frame::write(&mut self.buffer, kind, sequence, payload)
            .ok_or(StoreError::TooLarge { size: payload.len(), limit: u32::MAX as usize })?;
        self.file
            .write_all_at(&self.buffer, self.at)
            .and_then(|()| self.file.sync_data())
            .map_err(|e| StoreError::io("writing", &self.path(), &e))?;
        self.at += size;
        self.sequence += 1;
        Ok((sequence, full))
    }

    /// Goes on in a new segment that has room for a frame of `size` bytes.
    pub(crate) fn rotate(&mut self, size: u64) -> Result<Full, StoreError> {
        let number = self.says.number + 1;
        let home = self.meta.home();
        let mut says = SegmentHead { number, first: self.sequence, home, ..self.says };
        let room = head_size(says) + size;
        says.size = self.following_size().max(room.next_multiple_of(SMALLEST));
        let file = segment::create(&self.folder, says)?;
        // From here on nobody takes the journal for whole without this file.
        self.meta.reach(above(&self.folder), number)?;
        self.file = file;
        let full = Full { number: self.says.number, next: self.sequence, size: self.says.size };
        (self.at, self.says) = (head_size(says), says);
        Ok(full)
    }

    /// The number of the segment that is written to.
    pub(crate) fn segment(&self) -> u64 {
        self.says.number
    }

    /// How long the next segment will usually be.
    pub(crate) fn following_size(&self) -> u64 {
        (self.says.size * 2).clamp(SMALLEST, LARGEST)
    }

    fn path(&self) -> PathBuf {
        self.folder.join(segment::name(self.says.number))
    }
}

/// The number of a journal's last frame; 0 for none.
pub(crate) fn last(tail: Option<&Tail>, layout: &Layout) -> u64 {
    tail.map_or(layout.next(), |tail| tail.sequence) - 1
}

/// Where the frames of a segment begin.
fn head_size(says: SegmentHead) -> u64 {
    frame_size(says.pack().len()) as u64
}

/// The store that a journal belongs to.
fn above(folder: &Path) -> &Path {
    folder.parent().unwrap_or(folder)
}

/// Reads a journal without changing it: how it ends, and what it says. None of the files that
/// `meta` speaks of may be missing, and none may be of another home.
pub(crate) fn replay(folder: &Path, meta: &Meta) -> Result<(Option<Tail>, Replay), StoreError> {
    if meta.last() == 0 && !system::is_folder(folder)? {
        return Ok((None, Replay::default()));
    }
    let layout = Layout::read(folder, meta)?;
    let (mut next, fence) = (layout.next(), layout.fence());
    let mut replay = Replay { fence, ..Replay::default() };
    let (last, mut tail) = (layout.segments.last().map(|(number, _)| *number), None);
    for (number, path) in &layout.segments {
        let segment = Segment::read(path.clone())?;
        if (segment.says.number, segment.says.first) != (*number, next) {
            return Err(segment.damaged(0, "it does not follow the segment before it"));
        }
        if let Some(what) = meta.stranger(segment.says.home, *number) {
            return Err(segment.damaged(0, &what));
        }
        let end = read_segment(&segment, &mut replay)?;
        next = end.sequence;
        if Some(*number) == last {
            tail = Some(end);
        } else if end.torn || end.cut {
            return Err(segment.damaged(end.at, "entries are missing from here on"));
        } else {
            replay.full.push(Full { number: *number, next, size: segment.says.size });
        }
    }
    replay.layout = layout;
    Ok((tail, replay))
}

/// Reads the frames of one segment.
pub(crate) fn read_segment(segment: &Segment, replay: &mut Replay) -> Result<Tail, StoreError> {
    let mut tail = None;
    for next in segment.frames() {
        match next? {
            Next::Frame(header, payload, at) => {
                let unreadable = |e: records::Unreadable| segment.damaged(at, e.0);
                match header.kind {
                    Kind::Batch => {
                        let batch = records::read_batch(payload).map_err(unreadable)?;
                        replay.batches.push((header.sequence, batch));
                    }
                    Kind::Claim => {
                        replay.fence = records::read_claim(payload).map_err(unreadable)?;
                    }
                    Kind::Segment | Kind::Directory | Kind::Extent => {
                        return Err(segment.damaged(at, "a frame of another kind of file"));
                    }
                }
            }
            Next::End { at, sequence, torn } => {
                let (says, cut) = (segment.says, segment.is_cut());
                if cut {
                    let (found, made) = (segment.bytes.len() as u64, says.size);
                    let path = segment.path.clone();
                    replay.notices.push(Notice::Cut { path, found, made });
                }
                tail = Some(Tail { says, at, sequence, torn, cut });
            }
        }
    }
    tail.ok_or_else(|| segment.damaged(segment.bytes.len(), "it has no end"))
}
