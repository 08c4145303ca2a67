//! A home on disk: the lock, the store in sled and the mirrors that others may read.

use super::mirror::Mirror;
use super::{Append, Fence, Head, Holder, Lock, SledStore, Store, StoreError, advance};
use crate::event::Entry;
use crate::id::SagaId;
use std::collections::BTreeMap;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::Path;

/// The store of a home, held by this process.
#[derive(Debug)]
pub struct Home {
    store: SledStore,
    mirror: Mirror,
    /// Declared last: released after everything else is closed.
    _lock: Lock,
}

impl Home {
    /// Locks and opens the home in `path`, making it if need be.
    pub fn open(path: &Path, holder: &Holder) -> Result<Self, StoreError> {
        // Journals tell a network's layout: they are their owner's alone.
        std::fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(path)
            .map_err(|e| StoreError::io("making", path, &e))?;
        let lock = Lock::take(path, holder)?;
        let store = SledStore::open(&path.join("store"))?;
        let mirror = Mirror::open(path.join("mirror"))?;
        for head in store.heads()? {
            mirror.mend(head.saga, head.version, || store.entries(head.saga, 1))?;
        }
        Ok(Self { store, mirror, _lock: lock })
    }
}

impl Store for Home {
    fn claim(&mut self) -> Result<Fence, StoreError> {
        self.store.claim()
    }

    fn commit(&mut self, fence: Fence, batch: &[Append]) -> Result<(), StoreError> {
        self.store.commit(fence, batch)?;
        let mut by_saga: BTreeMap<SagaId, Vec<&Entry>> = BTreeMap::new();
        for append in batch {
            by_saga.entry(append.saga).or_default().push(&append.entry);
        }
        for (saga, entries) in by_saga {
            // The entries are durable; a mirror that lags is mended at the next opening.
            if let Err(error) = self.mirror.add(saga, &entries) {
                tracing::warn!(%saga, %error, "mirror not written");
            }
        }
        Ok(())
    }

    fn entries(&self, saga: SagaId, from: u64) -> Result<Vec<Entry>, StoreError> {
        self.store.entries(saga, from)
    }

    fn heads(&self) -> Result<Vec<Head>, StoreError> {
        self.store.heads()
    }
}

/// Reads a home: from the store if nobody holds it, else from the mirrors.
#[derive(Debug)]
pub enum Reading {
    /// This process holds the store for the moment.
    Store(Box<Home>),
    /// Another process holds it, or nothing can be written: the mirrors are read.
    Mirror(MirrorReader),
    /// There is no home yet.
    Nothing,
}

/// Reads the mirrors of a home that another process holds.
#[derive(Debug)]
pub struct MirrorReader {
    mirror: Mirror,
    /// The process that holds the home; process 0 where nobody does and nothing can be written.
    pub holder: Holder,
}

impl Reading {
    /// Opens the home in `path` for reading; it is not made if it is not there.
    pub fn open(path: &Path, holder: &Holder) -> Result<Self, StoreError> {
        if !path.join("store").exists() {
            return Ok(Self::Nothing);
        }
        match Home::open(path, holder) {
            Ok(home) => Ok(Self::Store(Box::new(home))),
            Err(StoreError::InUse { holder, .. }) => {
                Ok(Self::Mirror(MirrorReader { mirror: Mirror::at(path.join("mirror")), holder }))
            }
            // Nothing can be written here, and that is no reason not to read.
            Err(StoreError::Full { .. } | StoreError::Io { .. })
                if std::fs::read_dir(path.join("mirror")).is_ok() =>
            {
                let mirror = Mirror::at(path.join("mirror"));
                Ok(Self::Mirror(MirrorReader { mirror, holder: Holder::default() }))
            }
            Err(error) => Err(error),
        }
    }

    /// The entries of a saga from a version on.
    pub fn entries(&self, saga: SagaId, from: u64) -> Result<Vec<Entry>, StoreError> {
        match self {
            Self::Store(home) => home.entries(saga, from),
            Self::Mirror(reader) => {
                let entries = reader.mirror.read(saga).unwrap_or_default();
                Ok(entries.into_iter().filter(|e| e.version >= from).collect())
            }
            Self::Nothing => Ok(Vec::new()),
        }
    }

    /// All heads, oldest saga first.
    pub fn heads(&self) -> Result<Vec<Head>, StoreError> {
        match self {
            Self::Store(home) => home.heads(),
            Self::Mirror(reader) => {
                let sagas = reader.mirror.sagas().into_iter();
                Ok(sagas.filter_map(|saga| head_of(saga, reader.mirror.read(saga)?)).collect())
            }
            Self::Nothing => Ok(Vec::new()),
        }
    }
}

fn head_of(saga: SagaId, entries: Vec<Entry>) -> Option<Head> {
    entries
        .into_iter()
        .try_fold(None, |head: Option<Head>, entry| {
            advance(head.as_ref(), &Append { saga, entry }).map(Some)
        })
        .ok()
        .flatten()
}
