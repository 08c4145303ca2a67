//! An archive: what some segments held, grouped by saga. Written once, never changed.
//!
//! A directory stands in front, so that the heads of many sagas are one short read, and the
//! entries of one saga another.

use super::frame::{self, Found, HEADER, Header, Kind};
use super::records::{self, Directory, ExtentV1};
use super::segment::{damaged, unusable};
use crate::id::SagaId;
use crate::sealed::Sealed;
use crate::store::identity::HomeId;
use crate::store::system::{self, sync_folder};
use crate::store::truth::Grouped;
use crate::store::{Head, StoreError};
use std::fs::{self, File};
use std::io::Write as _;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

/// An archive that is being written has this name until it is whole.
pub(crate) const UNFINISHED: &str = "unfinished-archive";

/// What an archive is made of.
pub(crate) struct Contents {
    /// The home that it belongs to.
    pub(crate) home: Option<HomeId>,
    /// The first and the last segment.
    pub(crate) segments: (u64, u64),
    /// The number of the frame that follows in the journal.
    pub(crate) next: u64,
    /// The holder's number by then.
    pub(crate) fence: u64,
    /// Each saga's head after these entries, and the entries without gaps.
    pub(crate) sagas: Grouped,
}

/// The file name of the archive of some segments.
pub(crate) fn name((first, last): (u64, u64)) -> String {
    format!("{first:010}-{last:010}.arc")
}

/// The segments in an archive's file name.
pub(crate) fn segments(name: &str) -> Option<(u64, u64)> {
    let (first, last) = name.strip_suffix(".arc")?.split_once('-')?;
    Some((first.parse().ok()?, last.parse().ok()?))
}

/// An archive that grows in memory.
#[derive(Default)]
pub(crate) struct Fresh {
    behind: Vec<u8>,
    extents: Vec<ExtentV1>,
}

impl Fresh {
    /// Adds entries of a saga without gaps, and the head that it has after them; sagas come in
    /// their order.
    pub(crate) fn add(
        &mut self,
        saga: SagaId,
        head: &Head,
        entries: &[Sealed],
    ) -> Result<(), StoreError> {
        let from = entries.first().map_or(0, |entry| entry.version);
        self.extents.push(ExtentV1::new(head, from, self.behind.len() as u64));
        let payload = records::batch(entries.iter().map(|entry| (saga, entry)));
        let number = self.extents.len() as u64;
        frame::write(&mut self.behind, Kind::Extent, number, &payload).ok_or_else(too_long)
    }

    /// Writes the archive of these segments of a home; the frame that follows in the journal and
    /// the holder by then have the numbers `next` and `fence`.
    pub(crate) fn finish(
        self,
        folder: &Path,
        home: Option<HomeId>,
        segments: (u64, u64),
        (next, fence): (u64, u64),
    ) -> Result<Archive, StoreError> {
        let Self { behind, extents } = self;
        let path = folder.join(name(segments));
        let length = behind.len() as u64;
        let says = Directory { home, segments, next, fence, behind: length, extents };
        let mut front = Vec::new();
        frame::write(&mut front, Kind::Directory, 0, &says.pack()).ok_or_else(too_long)?;
        let fresh = folder.join(UNFINISHED);
        let write = || {
            let mut file = system::create(&fresh)?;
            file.write_all(&front)?;
            file.write_all(&behind)?;
            file.sync_all()?;
            fs::rename(&fresh, &path)
        };
        write().map_err(|e| {
            drop(fs::remove_file(&fresh));
            StoreError::io("writing", &path, &e)
        })?;
        sync_folder(folder)?;
        Archive::open(path)
    }
}

fn too_long() -> StoreError {
    StoreError::TooLarge { size: usize::MAX, limit: u32::MAX as usize }
}

/// An archive whose directory was read.
#[derive(Debug)]
pub(crate) struct Archive {
    pub(crate) path: PathBuf,
    pub(crate) says: Directory,
    file: File,
    /// Where the part behind the directory begins.
    behind: u64,
}

impl Archive {
    /// Writes an archive; it appears under its name only when it is whole on disk.
    pub(crate) fn write(folder: &Path, contents: &Contents) -> Result<Self, StoreError> {
        let mut fresh = Fresh::default();
        for (saga, (head, entries)) in &contents.sagas {
            fresh.add(*saga, head, entries)?;
        }
        fresh.finish(folder, contents.home, contents.segments, (contents.next, contents.fence))
    }

    /// Opens an archive and reads its directory.
    pub(crate) fn open(path: PathBuf) -> Result<Self, StoreError> {
        let io = |e| StoreError::io("reading", &path, &e);
        let file = File::open(&path).map_err(io)?;
        let length = file.metadata().map_err(io)?.len();
        let not = |why: &str| damaged(&path, 0, why);
        let mut head = [0; HEADER];
        file.read_exact_at(&mut head, 0).map_err(|_| not("it is cut short"))?;
        let header = Header::read(&head).filter(|header| header.kind == Kind::Directory);
        let header = header.ok_or_else(|| not("its directory is damaged"))?;
        if header.size() as u64 > length {
            return Err(not("it is cut short"));
        }
        let mut front = vec![0; header.size()];
        file.read_exact_at(&mut front, 0).map_err(io)?;
        let Found::Frame(_, payload) = frame::look(&front, 0, 0) else {
            return Err(not("its directory is damaged"));
        };
        let says = Directory::unpack(payload).map_err(|e| unusable(&path, e))?;
        let made = says.behind.saturating_add(front.len() as u64);
        if made != length {
            return Err(not(&format!("it is {length} bytes long, and was made with {made}")));
        }
        Ok(Self { path, says, file, behind: front.len() as u64 })
    }

    /// The number by which places name this archive: its first segment's.
    pub(crate) fn number(&self) -> u64 {
        self.says.segments.0
    }

    /// The entries of the extent at `offset` behind the directory.
    pub(crate) fn entries(&self, offset: u64) -> Result<Vec<(SagaId, Sealed)>, StoreError> {
        let at = self.behind.saturating_add(offset);
        let place = usize::try_from(at).unwrap_or(usize::MAX);
        let not = |why: &str| damaged(&self.path, place, why);
        let mut head = [0; HEADER];
        self.file.read_exact_at(&mut head, at).map_err(|_| not("nothing is there"))?;
        let header = Header::read(&head).filter(|header| header.kind == Kind::Extent);
        let header = header.ok_or_else(|| not("the entries of a saga are damaged"))?;
        if header.size() as u64 > self.says.behind {
            return Err(not("the entries of a saga are damaged"));
        }
        let mut bytes = vec![0; header.size()];
        self.file.read_exact_at(&mut bytes, at).map_err(|_| not("it is cut short"))?;
        match frame::look(&bytes, 0, header.sequence) {
            Found::Frame(_, payload) => records::read_batch(payload).map_err(|e| not(e.0)),
            Found::Nothing | Found::Torn | Found::Damaged(_) => {
                Err(not("the entries of a saga are damaged"))
            }
        }
    }

    /// The heads of its sagas after it, each with the extent.
    pub(crate) fn heads(&self) -> impl Iterator<Item = Result<(Head, &ExtentV1), StoreError>> {
        self.says.extents.iter().map(|extent| {
            let head = extent.head().map_err(|e| damaged(&self.path, 0, e.0))?;
            Ok((head, extent))
        })
    }
}
