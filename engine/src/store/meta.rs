//! What a store says of itself in plain text, readable for ever: its format, its identity, and
//! how far the files of its journal go.

use super::identity::HomeId;
use super::journal::segment;
use super::{FORMAT, OLDEST, StoreError, system};
use std::ffi::OsStr;
use std::fs;
use std::io::{ErrorKind, Write as _};
use std::path::Path;

/// A file that is being written has this name until it is whole.
const UNFINISHED: &str = "meta.new";

/// What a store says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Meta {
    /// The program that made it.
    created_by: String,
    /// Its identity; absent in a store of format 2, until it is opened to write.
    home: Option<HomeId>,
    /// Files of the journal up to this segment may lack the identity: they are older than it.
    unnamed: u64,
    /// The journal has come to this segment: none up to it may be missing.
    last: u64,
}

impl Meta {
    /// Of a store that is being begun.
    pub(crate) fn fresh() -> Self {
        let created_by = format!("escrr {}", env!("CARGO_PKG_VERSION"));
        Self { created_by, home: Some(HomeId::fresh()), unnamed: 0, last: 0 }
    }

    /// The store's identity.
    pub(crate) const fn home(&self) -> Option<HomeId> {
        self.home
    }

    /// The journal has come to this segment at least.
    pub(crate) const fn last(&self) -> u64 {
        self.last
    }

    /// Reads what the store in a folder says of itself; none where nothing was begun yet.
    ///
    /// # Errors
    /// It cannot be read, makes no sense, is missing where something else is there, or a newer
    /// version wrote it.
    pub(crate) fn read(store: &Path) -> Result<Option<Self>, StoreError> {
        let path = store.join("meta");
        match fs::read_to_string(&path) {
            Ok(text) => Self::parse(store, &text).map(Some),
            Err(e) if e.kind() == ErrorKind::NotFound => missing(store).map(|()| None),
            Err(e) if e.kind() == ErrorKind::InvalidData => Self::parse(store, "").map(Some),
            Err(e) => Err(StoreError::io("reading", &path, &e)),
        }
    }

    fn parse(store: &Path, text: &str) -> Result<Self, StoreError> {
        let path = store.to_owned();
        let damaged =
            |what: &str| StoreError::Damaged { path: store.to_owned(), what: what.into() };
        let field = |name: &str| {
            let value = text.lines().find_map(|line| line.strip_prefix(name))?;
            value.trim().strip_prefix('=').map(str::trim)
        };
        let number = |name: &str| field(name).and_then(|value| value.parse::<u64>().ok());
        let format =
            number("format").ok_or_else(|| damaged("the file meta does not name a format"))?;
        let reader = number("smallest reader").unwrap_or(format);
        if reader > u64::from(FORMAT) {
            let found = u32::try_from(reader).unwrap_or(u32::MAX);
            return Err(StoreError::Newer { path, found, known: FORMAT });
        }
        if format < u64::from(OLDEST) {
            return Err(damaged(&format!(
                "it has format {format}, which was never released; this version reads {OLDEST} to \
                 {FORMAT}"
            )));
        }
        let created_by = field("created by").unwrap_or("unknown").to_owned();
        if format == u64::from(OLDEST) {
            return Ok(Self { created_by, home: None, unnamed: u64::MAX, last: 0 });
        }
        let home = field("home").and_then(HomeId::parse);
        let home = home.ok_or_else(|| damaged("the file meta does not name the home"))?;
        let last = number("last segment");
        let last = last.ok_or_else(|| damaged("the file meta does not name the last segment"))?;
        let unnamed = number("without identity up to segment").unwrap_or(0);
        Ok(Self { created_by, home: Some(home), unnamed, last })
    }

    /// Writes it into a store's folder, durably and as a whole.
    ///
    /// # Errors
    /// The system refuses; what was there is there still.
    pub(crate) fn write(&self, store: &Path) -> Result<(), StoreError> {
        let home = self.home.map(|home| home.to_string()).unwrap_or_default();
        let Self { created_by, unnamed, last, .. } = self;
        let older = match unnamed {
            0 => String::new(),
            older => format!("without identity up to segment = {older}\n"),
        };
        let text = format!(
            "format = {FORMAT}\nsmallest reader = {FORMAT}\ncreated by = {created_by}\n\
             home = {home}\nlast segment = {last}\n{older}"
        );
        let (fresh, meta) = (store.join(UNFINISHED), store.join("meta"));
        system::create(&fresh)
            .and_then(|mut file| {
                file.write_all(text.as_bytes())?;
                file.sync_all()
            })
            .and_then(|()| fs::rename(&fresh, &meta))
            .map_err(|e| StoreError::io("writing", &meta, &e))?;
        system::sync_folder(store)
    }

    /// Gives an identity to a store of an older version, whose journal has come to a segment, and
    /// notes a segment that was made when a process died before it could be noted.
    pub(crate) fn settle(&mut self, store: &Path, segment: u64) -> Result<(), StoreError> {
        let mut settled = self.clone();
        if settled.home.is_none() {
            (settled.home, settled.unnamed) = (Some(HomeId::fresh()), segment);
        }
        settled.last = settled.last.max(segment);
        if settled != *self {
            settled.write(store)?;
            *self = settled;
        }
        Ok(())
    }

    /// Notes that the journal has come to a segment, before anything is written into that.
    pub(crate) fn reach(&mut self, store: &Path, segment: u64) -> Result<(), StoreError> {
        if segment <= self.last {
            return Ok(());
        }
        let reached = Self { last: segment, ..self.clone() };
        reached.write(store)?;
        *self = reached;
        Ok(())
    }

    /// Why a file of the journal, whose last segment has this number and which names this home,
    /// does not belong here; none if it does.
    pub(crate) fn stranger(&self, home: Option<HomeId>, segment: u64) -> Option<String> {
        match (self.home, home) {
            (Some(own), Some(other)) if own == other => None,
            (_, Some(other)) => {
                let own =
                    self.home.map_or_else(|| "has none".to_owned(), |own| format!("is {own}"));
                Some(format!(
                    "it belongs to another home: it names the identity {other}, and the one of \
                     this home {own}"
                ))
            }
            (Some(_), None) if segment > self.unnamed => {
                Some("it belongs to another home: it names no identity".to_owned())
            }
            (_, None) => None,
        }
    }

    /// What is wrong with a journal whose files end with this segment: the file, and what.
    pub(crate) fn end(&self, segment: u64) -> Option<(String, String)> {
        if segment < self.last {
            let what = format!(
                "it is missing: the journal has come to segment {}, and no file holds what stood in \
                 segment {}",
                self.last,
                segment + 1
            );
            return Some((segment::name(segment + 1), what));
        }
        // A process may have died after it had made a segment, and before it had noted that.
        if self.home.is_some() && segment > self.last + 1 {
            let what = format!(
                "it is older than the journal: it names segment {} as the last, and there is \
                 segment {segment}",
                self.last
            );
            return Some(("meta".to_owned(), what));
        }
        None
    }
}

/// The file is written before anything else: without it, nothing else may be there.
fn missing(store: &Path) -> Result<(), StoreError> {
    let listed = match fs::read_dir(store) {
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(()),
        listed => listed.map_err(|e| StoreError::io("reading", store, &e))?,
    };
    for found in listed {
        let name = found.map_err(|e| StoreError::io("reading", store, &e))?.file_name();
        if name != OsStr::new(UNFINISHED) {
            let what = format!("the file meta is missing, and {} is there", name.to_string_lossy());
            return Err(StoreError::Damaged { path: store.to_owned(), what });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_and_older_ones_are_understood() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(Meta::read(folder.path()).unwrap(), None);
        assert_eq!(Meta::read(&folder.path().join("none")).unwrap(), None);
        let mut meta = Meta::fresh();
        meta.write(folder.path()).unwrap();
        meta.reach(folder.path(), 3).unwrap();
        assert_eq!(Meta::read(folder.path()).unwrap(), Some(meta));
        let old = "format = 2\nsmallest reader = 2\ncreated by = escrr 0.1.0\n";
        fs::write(folder.path().join("meta"), old).unwrap();
        let mut old = Meta::read(folder.path()).unwrap().unwrap();
        assert_eq!((old.home(), old.last(), old.stranger(None, 900)), (None, 0, None));
        old.settle(folder.path(), 7).unwrap();
        assert_eq!(Meta::read(folder.path()).unwrap(), Some(old.clone()));
        assert_eq!((old.stranger(None, 7), old.created_by.as_str()), (None, "escrr 0.1.0"));
        assert!(
            old.stranger(None, 8).is_some() && old.stranger(Some(HomeId::fresh()), 7).is_some()
        );
        assert_eq!((old.stranger(old.home(), 8), old.end(7), old.end(8)), (None, None, None));
        assert_eq!(old.end(5).unwrap().0, "0000000006.wal");
        assert_eq!(old.end(9).unwrap().0, "meta");
    }

    #[test]
    fn without_it_nothing_else_may_be_there() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(UNFINISHED), "half").unwrap();
        assert_eq!(Meta::read(folder.path()).unwrap(), None);
        fs::create_dir(folder.path().join("journal")).unwrap();
        let error = Meta::read(folder.path()).unwrap_err().to_string();
        assert!(error.contains("meta is missing") && error.contains("journal"), "{error}");
    }
}
