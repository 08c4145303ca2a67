//! One process at a time, and it says who it is.

use super::StoreError;
use serde::{Deserialize, Serialize};
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

/// Who holds the store.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// Process id.
    pub pid: u32,
    /// What it does, for example `run`.
    pub doing: String,
    /// The links at work.
    pub links: Vec<String>,
    /// Since when, in milliseconds since the Unix epoch.
    pub since_ms: u64,
}

/// The lock on a home; released when dropped or when the process ends, however it ends.
#[derive(Debug)]
pub struct Lock {
    file: File,
    path: PathBuf,
}

impl Lock {
    /// Takes the lock, or says who has it.
    pub fn take(home: &Path, holder: &Holder) -> Result<Self, StoreError> {
        let path = home.join("lock");
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(|e| StoreError::io("opening", &path, &e))?;
        let mut lock = Self { file, path };
        match lock.file.try_lock() {
            Ok(()) => {
                lock.say(holder)?;
                Ok(lock)
            }
            Err(TryLockError::WouldBlock) => {
                Err(StoreError::InUse { path: home.to_owned(), holder: lock.read() })
            }
            Err(TryLockError::Error(e)) => Err(StoreError::io("locking", &lock.path, &e)),
        }
    }

    /// Who has the lock now, if somebody has.
    ///
    /// To find out, it is shared for a moment: who takes it just then has to try again.
    pub fn holder(home: &Path) -> Result<Option<Holder>, StoreError> {
        let path = home.join("lock");
        let Ok(file) = File::open(&path) else { return Ok(None) };
        match file.try_lock_shared() {
            Ok(()) => Ok(None),
            Err(TryLockError::WouldBlock) => Ok(Some(Self { file, path }.read())),
            Err(TryLockError::Error(e)) => Err(StoreError::io("locking", &path, &e)),
        }
    }

    /// Says what this process does now.
    pub fn say(&mut self, holder: &Holder) -> Result<(), StoreError> {
        let text = serde_json::to_string(holder).unwrap_or_default();
        let write = |file: &mut File| {
            file.seek(SeekFrom::Start(0))?;
            file.write_all(text.as_bytes())?;
            file.set_len(text.len() as u64)
        };
        write(&mut self.file).map_err(|e| StoreError::io("writing", &self.path, &e))
    }

    fn read(&mut self) -> Holder {
        let mut text = String::new();
        let read =
            self.file.seek(SeekFrom::Start(0)).and_then(|_| self.file.read_to_string(&mut text));
        read.ok().and_then(|_| serde_json::from_str(&text).ok()).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_is_told_who_the_first_is() {
        let home = tempfile::tempdir().unwrap();
        let holder = Holder { pid: 42, doing: "run".into(), links: vec!["a".into()], since_ms: 1 };
        let first = Lock::take(home.path(), &holder).unwrap();
        let Err(StoreError::InUse { holder: found, .. }) =
            Lock::take(home.path(), &Holder::default())
        else {
            panic!("two holders")
        };
        assert_eq!(found, holder);
        drop(first);
        assert!(Lock::take(home.path(), &Holder::default()).is_ok());
    }
}
