//! One process at a time, and it says who it is.

use super::{StoreError, system};
use serde::{Deserialize, Serialize};
use std::fs::{self, File, TryLockError};
use std::io::{ErrorKind, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

/// Who holds the store.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// Process id, as its own machine or container counts.
    pub pid: u32,
    /// What it does, for example `run`.
    pub doing: String,
    /// The links at work.
    pub links: Vec<String>,
    /// Since when, in milliseconds since the Unix epoch.
    pub since_ms: u64,
    /// Where it runs; nothing is known of a holder that an older version wrote down.
    #[serde(default, flatten)]
    pub place: Place,
}

/// Where a process runs: only in the same place its number means anything.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Place {
    /// The name of its machine or container.
    pub host: String,
    /// The id of the machine's start.
    pub boot_id: String,
    /// The namespace in which processes are counted.
    pub pid_namespace: String,
}

impl Place {
    /// Where this process runs; what the system does not tell is empty.
    pub fn here() -> Self {
        let read = |path: &str| fs::read_to_string(path).unwrap_or_default().trim().to_owned();
        let namespace = fs::read_link("/proc/self/ns/pid");
        Self {
            host: read("/proc/sys/kernel/hostname"),
            boot_id: read("/proc/sys/kernel/random/boot_id"),
            pid_namespace: namespace.unwrap_or_default().to_string_lossy().into_owned(),
        }
    }
}

impl Holder {
    /// Does its process id mean a process that this one could see?
    pub fn is_here(&self) -> bool {
        self.place == Place::here() || self.place == Place::default()
    }
}

/// Who writes to a home, as far as its lock tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Writer {
    /// Nobody.
    Nobody,
    /// This process.
    Held(Holder),
    /// The lock cannot be asked: why.
    Unknown(String),
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
        let file = system::open(&path).map_err(|e| StoreError::io("opening", &path, &e))?;
        let mut lock = Self { file, path };
        match lock.file.try_lock() {
            Ok(()) => {
                lock.say(holder)?;
                Ok(lock)
            }
            // Who only looks shares it for a moment; who holds it does not share it.
            Err(TryLockError::WouldBlock) if lock.file.try_lock_shared().is_ok() => {
                Err(StoreError::LookedAt { path: home.to_owned() })
            }
            Err(TryLockError::WouldBlock) => {
                let holder = Box::new(lock.read());
                Err(StoreError::InUse { path: home.to_owned(), holder })
            }
            Err(TryLockError::Error(e)) => Err(system::unable("locked", "locking", &lock.path, &e)),
        }
    }

    /// Who has the lock now.
    ///
    /// To find out, it is shared for a moment: who takes it just then has to try again.
    pub fn writer(home: &Path) -> Writer {
        let path = home.join("lock");
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(e) if e.kind() == ErrorKind::NotFound => return Writer::Nobody,
            Err(e) => return Writer::Unknown(StoreError::io("opening", &path, &e).to_string()),
        };
        match file.try_lock_shared() {
            Ok(()) => Writer::Nobody,
            Err(TryLockError::WouldBlock) => Writer::Held(Self { file, path }.read()),
            Err(TryLockError::Error(e)) => {
                Writer::Unknown(system::unable("locked", "locking", &path, &e).to_string())
            }
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
        let place = Place { host: "elsewhere".into(), ..Place::here() };
        let links = vec!["a".into()];
        let holder = Holder { pid: 42, doing: "run".into(), links, since_ms: 1, place };
        assert_eq!(Lock::writer(home.path()), Writer::Nobody);
        let first = Lock::take(home.path(), &holder).unwrap();
        let Err(StoreError::InUse { holder: found, .. }) =
            Lock::take(home.path(), &Holder::default())
        else {
            panic!("two holders")
        };
        assert_eq!((&*found, found.is_here()), (&holder, false));
        assert_eq!(Lock::writer(home.path()), Writer::Held(holder));
        drop(first);
        assert_eq!(Lock::writer(home.path()), Writer::Nobody);
        assert!(Lock::take(home.path(), &Holder::default()).is_ok());
    }

    #[test]
    fn a_holder_of_an_older_version_is_read_and_counts_as_here() {
        let old = r#"{"pid":7,"doing":"run","links":["a"],"since_ms":1}"#;
        let holder: Holder = serde_json::from_str(old).unwrap();
        assert!(holder.pid == 7 && holder.is_here());
    }

    #[test]
    fn who_only_looks_holds_nothing_and_a_lock_that_cannot_be_asked_is_no_freedom() {
        let home = tempfile::tempdir().unwrap();
        drop(Lock::take(home.path(), &Holder::default()).unwrap());
        let looking = File::open(home.path().join("lock")).unwrap();
        looking.lock_shared().unwrap();
        let taken = Lock::take(home.path(), &Holder::default());
        assert!(matches!(taken, Err(StoreError::LookedAt { .. })), "{taken:?}");
        assert_eq!(Lock::writer(home.path()), Writer::Nobody);
        let path = home.path().join("lock");
        fs::remove_file(&path).unwrap();
        std::os::unix::fs::symlink("lock", &path).unwrap();
        assert!(matches!(Lock::writer(home.path()), Writer::Unknown(_)));
        assert!(Lock::take(home.path(), &Holder::default()).is_err());
    }
}
