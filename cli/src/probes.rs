//! Probes of verifications: their names stand in the home before they are created.
//!
//! One file a probe, in `probes/`. Whoever writes the probe holds the file's lock for as long; a
//! file that nobody holds is of a verification that was killed, and its probe may still be there.

use crate::codes;
use crate::error::CommandError;
use escrr_steps::verify::{Probe, is_probe};
use serde::{Deserialize, Serialize};
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

/// No file of ours is longer than this, in bytes.
const MOST: u64 = 65_536;

/// What is kept of a probe.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// The link.
    pub link: String,
    /// The kind of world, as journals name it.
    pub world: String,
    /// The index on the leader.
    pub leader: String,
    /// The index on the follower.
    pub follower: String,
}

impl Record {
    /// The probe's names.
    pub fn probe(&self) -> Probe {
        Probe { leader: self.leader.clone(), follower: self.follower.clone(), latency_ms: 0 }
    }
}

/// A record that this process holds.
#[derive(Debug)]
pub struct Held {
    /// What is kept.
    pub record: Record,
    path: PathBuf,
    /// Holds the lock.
    _file: File,
}

impl Held {
    /// Removes the record: its probe is gone.
    ///
    /// # Errors
    /// The system refuses.
    pub fn forget(self) -> Result<(), CommandError> {
        fs::remove_file(&self.path).map_err(|error| refused("removing", &self.path, &error))
    }
}

fn refused(doing: &str, path: &Path, error: &io::Error) -> CommandError {
    CommandError::new(codes::STORE_IO, format!("{doing} {}: {error}", path.display()))
        .meaning("the names of probes are kept there, so that none is left behind")
}

fn folder(home: &Path) -> PathBuf {
    home.join("probes")
}

/// Writes a record and holds it; when this returns it is durable.
///
/// # Errors
/// The system refuses.
pub fn write(home: &Path, record: Record) -> Result<Held, CommandError> {
    let folder = folder(home);
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(&folder)
        .map_err(|error| refused("creating", &folder, &error))?;
    let path = folder.join(format!("{}.json", record.leader));
    let beside = folder.join(format!(".{}.{}.new", record.leader, std::process::id()));
    let text = serde_json::to_vec(&record).unwrap_or_default();
    // It has its name only when it is whole and held.
    let put = || {
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&beside)?;
        file.write_all(&text)?;
        file.sync_all()?;
        file.try_lock()?;
        fs::rename(&beside, &path)?;
        File::open(&folder)?.sync_all()?;
        Ok::<_, io::Error>(file)
    };
    let file = put().map_err(|error| refused("writing", &path, &error))?;
    Ok(Held { record, path, _file: file })
}

/// The records of a link that nobody holds: their verification was killed.
///
/// # Errors
/// The folder, or a record in it, cannot be read.
pub fn left(home: &Path, link: &str, world: &str) -> Result<Vec<Held>, CommandError> {
    let folder = folder(home);
    let rows = match fs::read_dir(&folder) {
        Ok(rows) => rows,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(refused("reading", &folder, &error)),
    };
    let mut all = Vec::new();
    for row in rows {
        let path = row.map_err(|error| refused("reading", &folder, &error))?.path();
        let is_record = path.extension().is_some_and(|extension| extension == "json");
        if !is_record {
            continue;
        }
        let held = take(&path).map_err(|error| refused("reading", &path, &error))?;
        all.extend(held.filter(|held| held.record.link == link && held.record.world == world));
    }
    all.sort_by(|one, other| one.path.cmp(&other.path));
    Ok(all)
}

/// Takes a record that nobody holds; none where somebody does, or removed it meanwhile.
fn take(path: &Path) -> io::Result<Option<Held>> {
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    match file.try_lock() {
        Ok(()) => {}
        Err(fs::TryLockError::WouldBlock) => return Ok(None),
        Err(fs::TryLockError::Error(error)) => return Err(error),
    }
    let mut text = Vec::new();
    io::Read::by_ref(&mut file).take(MOST).read_to_end(&mut text)?;
    let record: Record = serde_json::from_slice(&text)?;
    // Nothing else is ever deleted by what a file says.
    if !is_probe(&record.leader) || !is_probe(&record.follower) {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "it names no probe"));
    }
    Ok(Some(Held { record, path: path.to_owned(), _file: file }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    fn record(name: &str) -> Record {
        let (link, world) = ("a".to_owned(), "sandbox".to_owned());
        Record { link, world, leader: name.to_owned(), follower: name.to_owned() }
    }

    #[test]
    fn a_record_is_left_when_nobody_holds_it_any_more() {
        let home = tempfile::tempdir().unwrap();
        assert!(left(home.path(), "a", "sandbox").unwrap().is_empty());
        let held = write(home.path(), record("logs-escrr_probe_1")).unwrap();
        let mode = fs::metadata(&held.path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600);
        assert!(left(home.path(), "a", "sandbox").unwrap().is_empty());
        drop(held);
        assert!(left(home.path(), "b", "sandbox").unwrap().is_empty());
        assert!(left(home.path(), "a", "cloud").unwrap().is_empty());
        let one = left(home.path(), "a", "sandbox").unwrap().remove(0);
        assert_eq!(one.record, record("logs-escrr_probe_1"));
        one.forget().unwrap();
        assert_eq!(fs::read_dir(folder(home.path())).unwrap().count(), 0);
    }

    #[test]
    fn a_record_that_names_no_probe_is_refused() {
        let home = tempfile::tempdir().unwrap();
        drop(write(home.path(), record("logs-2026-10")).unwrap());
        let error = left(home.path(), "a", "sandbox").unwrap_err();
        assert!(error.said.contains("it names no probe"), "{error}");
    }
}
