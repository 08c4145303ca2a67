//! The world on disk: `world.json`, replaced as a whole, and `log.ndjson`, appended to.

use crate::ledger::{LogLine, Thing};
use crate::{Error, World, ledger};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// The format that this version writes.
const FORMAT: u64 = 1;

/// The directory of one world, open for one sandbox.
#[derive(Debug)]
pub struct Shelf {
    dir: PathBuf,
    log: File,
    /// Locked as long as the sandbox runs; the system lets go of it when the process ends.
    lock: File,
}

#[derive(Serialize)]
struct Written<'a> {
    format: u64,
    world: &'a World,
}

#[derive(Deserialize)]
struct Read {
    world: World,
}

/// A world whose sandbox does not run, for reading.
#[derive(Debug)]
pub struct Offline {
    /// The world as it was left.
    pub world: World,
    /// All requests it answered.
    pub log: Vec<LogLine>,
}

impl Offline {
    /// Everything that exists.
    pub fn inventory(&self) -> Vec<Thing> {
        ledger::inventory(&self.world)
    }
}

/// Reads the world in `dir` without starting a sandbox; one that runs may be ahead of it.
///
/// # Errors
/// [`Error::NoWorld`] when there is none, [`Error::Newer`], [`Error::Damaged`].
pub fn offline(dir: &Path) -> Result<Offline, Error> {
    let world = load(dir)?.ok_or_else(|| Error::NoWorld { dir: dir.to_owned() })?;
    Ok(Offline { world, log: read_log(dir)? })
}

fn file_error(what: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Error {
    let path = path.to_owned();
    move |source| Error::File { what, path, source }
}

fn load(dir: &Path) -> Result<Option<World>, Error> {
    let path = dir.join("world.json");
    let text = match fs::read(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(file_error("read", &path)(error)),
    };
    let damaged = |source| Error::Damaged { path: path.clone(), source };
    // The format is looked at first: a newer world need not have our shape.
    let value: Value = serde_json::from_slice(&text).map_err(damaged)?;
    let found = value.get("format").and_then(Value::as_u64).unwrap_or_default();
    if found > FORMAT {
        return Err(Error::Newer { path, found, known: FORMAT });
    }
    let read: Read = serde_json::from_value(value).map_err(damaged)?;
    Ok(Some(read.world))
}

fn read_log(dir: &Path) -> Result<Vec<LogLine>, Error> {
    let path = dir.join("log.ndjson");
    match fs::read_to_string(&path) {
        // A line that a power cut tore in two is left out.
        Ok(text) => Ok(text.lines().filter_map(|l| serde_json::from_str(l).ok()).collect()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(file_error("read", &path)(error)),
    }
}

impl Shelf {
    /// Opens a directory, makes it if need be, and reads what is there.
    ///
    /// # Errors
    /// [`Error::InUse`] when another sandbox runs on it, and those of reading.
    pub fn open(dir: &Path) -> Result<(Self, Option<World>, Vec<LogLine>), Error> {
        fs::create_dir_all(dir).map_err(file_error("make", dir))?;
        let lock_path = dir.join("lock");
        let lock = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&lock_path)
            .map_err(file_error("open", &lock_path))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(fs::TryLockError::WouldBlock) => {
                return Err(Error::InUse { dir: dir.to_owned() });
            }
            Err(fs::TryLockError::Error(error)) => {
                return Err(file_error("lock", &lock_path)(error));
            }
        }
        let world = load(dir)?;
        let lines = read_log(dir)?;
        let log_path = dir.join("log.ndjson");
        let mut log = OpenOptions::new()
            .create(true)
            .append(true)
            .open(&log_path)
            .map_err(file_error("open", &log_path))?;
        let torn = fs::read(&log_path).is_ok_and(|t| t.last().is_some_and(|b| *b != b'\n'));
        if torn {
            log.write_all(b"\n").map_err(file_error("write", &log_path))?;
        }
        Ok((Self { dir: dir.to_owned(), log, lock }, world, lines))
    }

    /// Replaces the world on disk.
    ///
    /// # Errors
    /// [`Error::File`], [`Error::Write`].
    pub fn save(&self, world: &World) -> Result<(), Error> {
        let text = serde_json::to_vec(&Written { format: FORMAT, world }).map_err(Error::Write)?;
        let (path, next) = (self.dir.join("world.json"), self.dir.join("world.json.next"));
        fs::write(&next, text).map_err(file_error("write", &next))?;
        fs::rename(&next, &path).map_err(file_error("replace", &path))
    }

    /// Appends one line, its end included, to the log.
    ///
    /// # Errors
    /// [`Error::File`].
    pub fn append(&mut self, line: &[u8]) -> Result<(), Error> {
        let path = self.dir.join("log.ndjson");
        self.log.write_all(line).map_err(file_error("write", &path))
    }

    /// Empties the log, for a world that begins anew.
    ///
    /// # Errors
    /// [`Error::File`].
    pub fn forget_log(&mut self) -> Result<(), Error> {
        let path = self.dir.join("log.ndjson");
        self.log.set_len(0).map_err(file_error("empty", &path))
    }

    /// Lets another sandbox have the directory.
    pub fn release(&self) {
        if let Err(error) = self.lock.unlock() {
            tracing::warn!(%error, "could not release the lock");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::WorldFile;

    fn line(seq: u64) -> LogLine {
        LogLine {
            seq,
            at_ms: 1,
            product: "Cbn".into(),
            action: "CreateCen".into(),
            region: String::new(),
            mutating: true,
            token: Some("t".into()),
            outcome: "ok".into(),
            pid: None,
        }
    }

    fn text(line: &LogLine) -> Vec<u8> {
        format!("{}\n", serde_json::to_string(line).unwrap()).into_bytes()
    }

    #[test]
    fn a_world_comes_back_as_it_was_left() {
        let dir = tempfile::tempdir().unwrap();
        let world = World::from_file(&WorldFile::default(), 77).unwrap();
        {
            let (mut shelf, none, log) = Shelf::open(dir.path()).unwrap();
            assert!(none.is_none() && log.is_empty());
            shelf.save(&world).unwrap();
            shelf.append(&text(&line(1))).unwrap();
        }
        let back = offline(dir.path()).unwrap();
        assert_eq!(
            serde_json::to_value(&back.world).unwrap(),
            serde_json::to_value(&world).unwrap()
        );
        assert_eq!(back.log, [line(1)]);
        assert!(back.inventory().iter().any(|t| t.id == "vsw-leader-f"));
    }

    #[test]
    fn a_torn_line_is_left_out_and_the_next_one_is_whole() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("log.ndjson"), b"{\"seq\":1,\"at").unwrap();
        let (mut shelf, _, log) = Shelf::open(dir.path()).unwrap();
        assert!(log.is_empty());
        shelf.append(&text(&line(2))).unwrap();
        assert_eq!(read_log(dir.path()).unwrap(), [line(2)]);
    }

    #[test]
    fn a_newer_format_is_named() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("world.json"), br#"{"format": 9, "world": "?"}"#).unwrap();
        let error = offline(dir.path()).unwrap_err();
        assert!(matches!(error, Error::Newer { found: 9, known: FORMAT, .. }), "{error}");
    }

    #[test]
    fn only_one_sandbox_has_a_directory() {
        let dir = tempfile::tempdir().unwrap();
        let (shelf, ..) = Shelf::open(dir.path()).unwrap();
        assert!(matches!(Shelf::open(dir.path()), Err(Error::InUse { .. })));
        shelf.release();
        assert!(Shelf::open(dir.path()).is_ok());
    }

    #[test]
    fn a_directory_without_a_world_says_so() {
        let dir = tempfile::tempdir().unwrap();
        assert!(matches!(offline(dir.path()), Err(Error::NoWorld { .. })));
    }
}
