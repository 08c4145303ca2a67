//! What is wrong with a store, and exactly where.

use crate::id::SagaId;
use std::fmt;
use std::path::{Path, PathBuf};

/// Something that cannot be right.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Finding {
    /// The file or folder.
    pub file: PathBuf,
    /// Where in the file, in bytes.
    pub at: Option<u64>,
    /// The frame's number.
    pub frame: Option<u64>,
    /// The saga.
    pub saga: Option<SagaId>,
    /// The entry's version.
    pub version: Option<u64>,
    /// What is wrong.
    pub what: String,
}

impl Finding {
    /// Something is wrong with a file.
    pub(crate) fn new(file: &Path, what: impl Into<String>) -> Self {
        Self { file: file.to_owned(), what: what.into(), ..Self::default() }
    }

    /// At this byte.
    pub(crate) fn at(mut self, at: u64) -> Self {
        self.at = Some(at);
        self
    }

    /// With the frame of this number, if that is known.
    pub(crate) fn frame(mut self, frame: Option<u64>) -> Self {
        self.frame = frame;
        self
    }

    /// With an entry of a saga.
    pub(crate) fn entry(mut self, saga: SagaId, version: u64) -> Self {
        (self.saga, self.version) = (Some(saga), Some(version));
        self
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file.file_name().unwrap_or_default().to_string_lossy())?;
        if let Some(at) = self.at {
            write!(f, ", byte {at}")?;
        }
        if let Some(frame) = self.frame {
            write!(f, ", frame {frame}")?;
        }
        if let Some(saga) = self.saga {
            write!(f, ", saga {saga}")?;
        }
        if let Some(version) = self.version {
            write!(f, ", entry {version}")?;
        }
        write!(f, ": {}", self.what)
    }
}

/// Something that a person may want to know, and that is in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Remark {
    /// The journal ends in a frame that never arrived as a whole: nobody was told that it had.
    Torn {
        /// The file.
        file: PathBuf,
        /// Where the frame begins, in bytes.
        at: u64,
    },
    /// The journal's last file is shorter than it was made; what stands in it is whole.
    Cut {
        /// The file.
        file: PathBuf,
        /// Its length in bytes.
        found: u64,
        /// The length that it was made with, in bytes.
        made: u64,
    },
    /// A file of which nothing is wanted any more; the next writer removes it.
    Leftover {
        /// The file.
        file: PathBuf,
    },
}
