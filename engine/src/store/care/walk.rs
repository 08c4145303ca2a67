//! Goes through everything that a journal's folder holds, whatever it meets.

use super::finding::{Finding, Remark};
use crate::id::SagaId;
use crate::sealed::Sealed;
use crate::store::identity::HomeId;
use crate::store::journal::frame::{self, Header, Kind};
use crate::store::journal::names::Names;
use crate::store::journal::records::{self, Directory, ExtentV1, HeadError, SegmentHead};
use crate::store::journal::scan::{End, Part, scan};
use crate::store::journal::{archive, segment};
use crate::store::meta::Meta;
use crate::store::{Head, StoreError};
use std::fs;
use std::path::{Path, PathBuf};

/// Where something stands.
#[derive(Clone, Debug)]
pub(super) struct Spot {
    pub(super) file: PathBuf,
    /// In bytes.
    pub(super) at: u64,
    /// The frame's number.
    pub(super) frame: u64,
}

impl Spot {
    /// Something is wrong here.
    pub(super) fn finding(&self, what: impl Into<String>) -> Finding {
        Finding::new(&self.file, what).at(self.at).frame(Some(self.frame))
    }
}

/// Who is shown what a walk meets.
pub(super) trait Visit {
    /// An entry, in the order of the journal.
    fn entry(&mut self, spot: &Spot, saga: SagaId, entry: Sealed);
    /// What a directory says of a saga behind its entries there; false if those were unreadable.
    fn head(&mut self, spot: &Spot, head: Head, readable: bool);
    /// Something is wrong.
    fn finding(&mut self, finding: Finding);
}

/// What a walk knows by itself.
#[derive(Debug, Default)]
pub(super) struct Walk {
    /// What the store says of itself, if that can be read.
    meta: Option<Meta>,
    pub(super) files: u64,
    pub(super) frames: u64,
    pub(super) bytes: u64,
    pub(super) remarks: Vec<Remark>,
    /// The files at the end are missing.
    pub(super) lacks_end: bool,
    /// The last holder's number.
    pub(super) fence: u64,
    /// Files that no longer count, and may still be read.
    pub(super) leftovers: Vec<PathBuf>,
    /// The frame that comes next, where that is known.
    next: Option<u64>,
}

impl Walk {
    /// Goes through the journal in `folder`; only what the system refuses, or what a newer
    /// version wrote, ends it. What belongs to another home than `meta` names is not shown.
    pub(super) fn go(
        folder: &Path,
        meta: Option<&Meta>,
        visit: &mut dyn Visit,
    ) -> Result<Self, StoreError> {
        let names = Names::read(folder)?;
        let mut walk = Self { meta: meta.cloned(), next: Some(1), ..Self::default() };
        let mut covered = 0;
        for ((first, last), path) in names.archives {
            if last <= covered {
                walk.leftover(path);
                continue;
            }
            walk.gap(&path, covered + 1, first, visit);
            walk.archive(&path, (first, last), visit)?;
            covered = last;
        }
        let (old, kept): (Vec<_>, Vec<_>) =
            names.segments.into_iter().partition(|(number, _)| *number <= covered);
        for (_, path) in old {
            walk.leftover(path);
        }
        let newest = kept.last().map(|(number, _)| *number);
        for (number, path) in kept {
            walk.gap(&path, covered + 1, number, visit);
            walk.segment(&path, number, newest == Some(number), visit)?;
            covered = number;
        }
        if let Some((file, what)) = meta.and_then(|meta| meta.end(covered)) {
            walk.lacks_end = file != "meta";
            let above = folder.parent().unwrap_or(folder);
            let place = if file == "meta" { above.join(file) } else { folder.join(file) };
            visit.finding(Finding::new(&place, what));
        }
        walk.remarks.extend(names.leftovers.into_iter().map(|file| Remark::Leftover { file }));
        Ok(walk)
    }

    /// Reads files that no longer count: an interrupted change may have left good ones.
    pub(super) fn read_leftovers(&mut self, visit: &mut dyn Visit) -> Result<(), StoreError> {
        for path in std::mem::take(&mut self.leftovers) {
            let name = name(&path);
            if let Some(segments) = archive::segments(&name) {
                self.archive(&path, segments, visit)?;
            } else if let Some(number) = segment::number(&name) {
                self.segment(&path, number, false, visit)?;
            }
        }
        Ok(())
    }

    fn leftover(&mut self, file: PathBuf) {
        self.remarks.push(Remark::Leftover { file: file.clone() });
        self.leftovers.push(file);
    }

    fn gap(&mut self, path: &Path, expected: u64, found: u64, visit: &mut dyn Visit) {
        if found == expected {
            return;
        }
        let what = match found - 1 {
            last if last == expected => {
                format!("it, or the archive that holds it, is missing: {} follows", name(path))
            }
            last => {
                let (last, next) = (segment::name(last), name(path));
                format!("it and all up to {last}, or what holds them, are missing: {next} follows")
            }
        };
        visit.finding(Finding::new(&path.with_file_name(segment::name(expected)), what));
        self.next = None;
    }

    fn read(&mut self, path: &Path) -> Result<Vec<u8>, StoreError> {
        let bytes = fs::read(path).map_err(|e| StoreError::io("reading", path, &e))?;
        self.files += 1;
        self.bytes += bytes.len() as u64;
        Ok(bytes)
    }

    fn segment(
        &mut self,
        path: &Path,
        number: u64,
        last: bool,
        visit: &mut dyn Visit,
    ) -> Result<(), StoreError> {
        let bytes = self.read(path)?;
        let says = self.segment_head(path, number, &bytes, visit)?;
        if let Some((says, _)) = says
            && self.is_foreign(path, (says.home, number), visit)
        {
            return Ok(());
        }
        let begin = says.map_or(0, |(_, begin)| begin);
        let expected = says.map(|(says, _)| says.first);
        if let (Some(next), Some(first)) = (self.next, expected)
            && next != first
        {
            let what = format!(
                "it begins with frame {first}, and the one before it ends before \
                                frame {next}"
            );
            visit.finding(Finding::new(path, what).at(0));
        }
        let begin = if says.is_some() {
            begin
        } else {
            frame::next_whole(&bytes, 1).unwrap_or(bytes.len())
        };
        let (parts, end) = scan(&bytes, begin, expected);
        for part in parts {
            match part {
                Part::Frame(header, payload, at) => {
                    let spot = spot(path, at, header);
                    self.frame(&spot, header.kind, payload, visit);
                }
                Part::Damaged { at, frame, why, .. } => {
                    visit.finding(Finding::new(path, why).at(at as u64).frame(frame));
                }
            }
        }
        self.next = end.next;
        let made = says.map_or(0, |(says, _)| says.size);
        self.segment_end(path, &end, (bytes.len() as u64, made, last), visit);
        Ok(())
    }

    /// What a segment says of itself, and where its frames begin.
    fn segment_head(
        &mut self,
        path: &Path,
        number: u64,
        bytes: &[u8],
        visit: &mut dyn Visit,
    ) -> Result<Option<(SegmentHead, usize)>, StoreError> {
        let Some((header, payload)) =
            frame::whole_at(bytes, 0).filter(|(header, _)| header.kind == Kind::Segment)
        else {
            visit.finding(Finding::new(path, "it does not begin as a segment does").at(0));
            return Ok(None);
        };
        self.frames += 1;
        match SegmentHead::unpack(payload) {
            Ok(says) => {
                if says.number != number {
                    let what = format!("it says that it is segment {}", says.number);
                    visit.finding(Finding::new(path, what).at(0));
                }
                Ok(Some((says, header.size())))
            }
            Err(HeadError::Unreadable(e)) => {
                visit.finding(Finding::new(path, e.0).at(0));
                Ok(None)
            }
            Err(newer @ HeadError::Newer(_)) => Err(segment::unusable(path, newer)),
        }
    }

    /// Does a file belong to another home? Then nothing of it is taken.
    fn is_foreign(
        &mut self,
        path: &Path,
        (home, last): (Option<HomeId>, u64),
        visit: &mut dyn Visit,
    ) -> bool {
        let stranger = self.meta.as_ref().and_then(|meta| meta.stranger(home, last));
        let Some(what) = stranger else { return false };
        visit.finding(Finding::new(path, what).at(0));
        self.next = None;
        true
    }

    fn segment_end(
        &mut self,
        path: &Path,
        end: &End,
        (found, made, last): (u64, u64, bool),
        visit: &mut dyn Visit,
    ) {
        let (file, at) = (path.to_owned(), end.at as u64);
        if last && end.torn {
            self.remarks.push(Remark::Torn { file: file.clone(), at });
        }
        if last && found < made {
            self.remarks.push(Remark::Cut { file, found, made });
        }
        if !last && (end.torn || found < made) {
            let what = "entries are missing from here on";
            visit.finding(Finding::new(path, what).at(at).frame(end.next));
        }
    }

    fn frame(&mut self, spot: &Spot, kind: Kind, payload: &[u8], visit: &mut dyn Visit) {
        self.frames += 1;
        match kind {
            Kind::Batch => match records::read_batch(payload) {
                Ok(entries) => {
                    for (saga, entry) in entries {
                        visit.entry(spot, saga, entry);
                    }
                }
                Err(e) => visit.finding(spot.finding(e.0)),
            },
            Kind::Claim => match records::read_claim(payload) {
                Ok(fence) if fence > self.fence => self.fence = fence,
                Ok(fence) => {
                    let last = self.fence;
                    let what = format!("holder {fence} follows holder {last}");
                    visit.finding(spot.finding(what));
                }
                Err(e) => visit.finding(spot.finding(e.0)),
            },
            Kind::Segment | Kind::Directory | Kind::Extent => {
                visit.finding(spot.finding("a frame of another kind of file"));
            }
        }
    }

    fn archive(
        &mut self,
        path: &Path,
        segments: (u64, u64),
        visit: &mut dyn Visit,
    ) -> Result<(), StoreError> {
        let bytes = self.read(path)?;
        let says = self.directory(path, segments, &bytes, visit)?;
        if let Some((says, _)) = &says
            && self.is_foreign(path, (says.home, segments.1), visit)
        {
            return Ok(());
        }
        let begin = match &says {
            Some((_, begin)) => *begin,
            None => frame::next_whole(&bytes, 1).unwrap_or(bytes.len()),
        };
        let (parts, end) = scan(&bytes, begin, says.as_ref().map(|_| 1));
        let mut extents = says.iter().flat_map(|(says, _)| &says.extents).peekable();
        for part in parts {
            match part {
                Part::Frame(header, payload, at) => {
                    let spot = spot(path, at, header);
                    let offset = at.saturating_sub(begin) as u64;
                    let extent = extents.next_if(|extent| extent.offset == offset);
                    let frame = (header.kind, payload);
                    self.extent(&spot, frame, (extent, says.is_some()), visit);
                }
                Part::Damaged { at, to, frame, why } => {
                    let finding = Finding::new(path, why).at(at as u64).frame(frame);
                    let to = to.saturating_sub(begin) as u64;
                    let mut known = false;
                    while let Some(extent) = extents.next_if(|extent| extent.offset < to) {
                        known |= lost(&finding, extent, visit);
                    }
                    if !known {
                        visit.finding(finding);
                    }
                }
            }
        }
        let missing = Finding::new(path, "it is cut short").at(end.at as u64).frame(end.next);
        let mut whole = end.at == bytes.len() && !end.torn;
        for extent in extents {
            whole |= lost(&missing, extent, visit);
        }
        if !whole {
            visit.finding(missing);
        }
        self.next = says.as_ref().map(|(says, _)| says.next);
        self.fence = self.fence.max(says.map_or(0, |(says, _)| says.fence));
        Ok(())
    }

    /// What an archive says of itself, and where its extents begin.
    fn directory(
        &mut self,
        path: &Path,
        segments: (u64, u64),
        bytes: &[u8],
        visit: &mut dyn Visit,
    ) -> Result<Option<(Directory, usize)>, StoreError> {
        let finding = |what: &str| Finding::new(path, what).at(0).frame(Some(0));
        let Some((header, payload)) =
            frame::whole_at(bytes, 0).filter(|(header, _)| header.kind == Kind::Directory)
        else {
            visit.finding(finding("its directory is damaged"));
            return Ok(None);
        };
        self.frames += 1;
        let says = match Directory::unpack(payload) {
            Ok(says) => says,
            Err(HeadError::Unreadable(e)) => {
                visit.finding(finding(e.0));
                return Ok(None);
            }
            Err(newer @ HeadError::Newer(_)) => return Err(segment::unusable(path, newer)),
        };
        if says.segments != segments {
            let (first, last) = says.segments;
            visit.finding(finding(&format!("it says that it holds segments {first} to {last}")));
        }
        let made = says.behind + header.size() as u64;
        if bytes.len() as u64 > made {
            let what = format!("it is {} bytes long, and was made with {made}", bytes.len());
            visit.finding(finding(&what));
        }
        Ok(Some((says, header.size())))
    }

    /// One saga's part of an archive, held against what the directory says of it.
    fn extent(
        &mut self,
        spot: &Spot,
        (kind, payload): (Kind, &[u8]),
        (extent, directory): (Option<&ExtentV1>, bool),
        visit: &mut dyn Visit,
    ) {
        self.frames += 1;
        if kind != Kind::Extent {
            visit.finding(spot.finding("a frame of another kind of file"));
            return;
        }
        if directory && extent.is_none() {
            visit.finding(spot.finding("the directory does not name it"));
        }
        let head = extent.map(ExtentV1::head);
        let readable = match records::read_batch(payload) {
            Ok(entries) => {
                if let (Some(extent), Some(Ok(head))) = (extent, &head) {
                    let from = entries.first().map(|(_, entry)| entry.version);
                    let other = entries.iter().any(|(saga, _)| *saga != head.saga);
                    if other || from != Some(extent.from) {
                        let what = "the directory says something else of its entries";
                        visit.finding(spot.finding(what).entry(head.saga, extent.from));
                    }
                }
                for (saga, entry) in entries {
                    visit.entry(spot, saga, entry);
                }
                true
            }
            Err(e) => {
                visit.finding(spot.finding(e.0));
                false
            }
        };
        match head {
            Some(Ok(head)) => visit.head(spot, head, readable),
            Some(Err(e)) => visit.finding(spot.finding(e.0)),
            None => {}
        }
    }
}

fn name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// The entries of an extent cannot be read: says which; false if the directory cannot tell.
fn lost(finding: &Finding, extent: &ExtentV1, visit: &mut dyn Visit) -> bool {
    let Ok(head) = extent.head() else { return false };
    let mut finding = finding.clone().entry(head.saga, extent.from);
    finding.what = format!("{}: entries {} to {}", finding.what, extent.from, head.version);
    let (file, at) = (finding.file.clone(), finding.at.unwrap_or(0));
    let spot = Spot { file, at, frame: finding.frame.unwrap_or(0) };
    visit.finding(finding);
    visit.head(&spot, head, false);
    true
}

fn spot(path: &Path, at: usize, header: Header) -> Spot {
    Spot { file: path.to_owned(), at: at as u64, frame: header.sequence }
}
