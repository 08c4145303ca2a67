//! The world on disk: `world.ndjson`, whose last whole line counts, and `log.ndjson`.
//!
//! Both are appended to. A file that is replaced by renaming makes the file system wait
//! for the disk, which costs milliseconds a request; an appended line costs microseconds,
//! and a line that a power cut tore in two is known by its missing end.

use crate::ledger::{LogLine, Thing};
use crate::{Error, World, ledger};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// The format that this version writes.
const FORMAT: u64 = 1;

/// A file of worlds longer than this begins anew with the next one.
const RENEW_AT: u64 = 8 << 20;

/// The directory of one world, open for one sandbox.
#[derive(Debug)]
pub struct Shelf {
    dir: PathBuf,
    worlds: File,
    /// Bytes in it.
    length: u64,
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
    let (text, _) = read_worlds(dir)?;
    let world = last_world(dir, &text)?.ok_or_else(|| Error::NoWorld { dir: dir.to_owned() })?;
    Ok(Offline { world, log: read_log(dir)? })
}

fn file_error(what: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Error {
    let path = path.to_owned();
    move |source| Error::File { what, path, source }
}

/// The file of worlds, and how long its whole lines are; a torn end is left out.
fn read_worlds(dir: &Path) -> Result<(Vec<u8>, u64), Error> {
    let path = dir.join("world.ndjson");
    let mut text = match fs::read(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Vec::new(),
        Err(error) => return Err(file_error("read", &path)(error)),
    };
    let whole = text.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    text.truncate(whole);
    Ok((text, whole as u64))
}

/// The world of the last line.
fn last_world(dir: &Path, text: &[u8]) -> Result<Option<World>, Error> {
    let Some(line) = text.split(|byte| *byte == b'\n').rfind(|line| !line.is_empty()) else {
        return Ok(None);
    };
    let path = dir.join("world.ndjson");
    let damaged = |source| Error::Damaged { path: path.clone(), source };
    // The format is looked at first: a newer world need not have our shape.
    let value: Value = serde_json::from_slice(line).map_err(damaged)?;
    let found = value.get("format").and_then(Value::as_u64).unwrap_or_default();
    if found > FORMAT {
        return Err(Error::Newer { path, found, known: FORMAT });
    }
    let read: Read = serde_json::from_value(value).map_err(damaged)?;
    Ok(Some(read.world))
}

fn append_to(path: &Path) -> Result<File, Error> {
    OpenOptions::new().create(true).append(true).open(path).map_err(file_error("open", path))
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
        let (text, length) = read_worlds(dir)?;
        let world = last_world(dir, &text)?;
        let path = dir.join("world.ndjson");
        let worlds = append_to(&path)?;
        worlds.set_len(length).map_err(file_error("cut", &path))?;
        let lines = read_log(dir)?;
        let log_path = dir.join("log.ndjson");
        let mut log = append_to(&log_path)?;
        let torn = fs::read(&log_path).is_ok_and(|t| t.last().is_some_and(|b| *b != b'\n'));
        if torn {
            log.write_all(b"\n").map_err(file_error("write", &log_path))?;
        }
        Ok((Self { dir: dir.to_owned(), worlds, length, log, lock }, world, lines))
    }

    /// Writes the world as it is now.
    ///
    /// # Errors
    /// [`Error::File`], [`Error::Write`].
    pub fn save(&mut self, world: &World) -> Result<(), Error> {
        let mut text =
            serde_json::to_vec(&Written { format: FORMAT, world }).map_err(Error::Write)?;
        text.push(b'\n');
        let path = self.dir.join("world.ndjson");
        if self.length > RENEW_AT {
            let next = self.dir.join("world.ndjson.next");
            fs::write(&next, &text).map_err(file_error("write", &next))?;
            fs::rename(&next, &path).map_err(file_error("replace", &path))?;
            self.worlds = append_to(&path)?;
            self.length = text.len() as u64;
            return Ok(());
        }
        match self.worlds.write_all(&text) {
            Ok(()) => {
                self.length += text.len() as u64;
                Ok(())
            }
            Err(error) => {
                // Half a line must not stand before the next one.
                self.worlds.set_len(self.length).map_err(file_error("cut", &path))?;
                Err(file_error("write", &path)(error))
            }
        }
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
            shelf.append(&text(&LogLine::sample(1))).unwrap();
        }
        let back = offline(dir.path()).unwrap();
        assert_eq!(
            serde_json::to_value(&back.world).unwrap(),
            serde_json::to_value(&world).unwrap()
        );
        assert_eq!(back.log, [LogLine::sample(1)]);
        assert!(back.inventory().iter().any(|t| t.id == "vsw-leader-f"));
    }

    #[test]
    fn a_torn_line_is_left_out_and_the_next_one_is_whole() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("log.ndjson"), b"{\"seq\":1,\"at").unwrap();
        let (mut shelf, _, log) = Shelf::open(dir.path()).unwrap();
        assert!(log.is_empty());
        shelf.append(&text(&LogLine::sample(2))).unwrap();
        assert_eq!(read_log(dir.path()).unwrap(), [LogLine::sample(2)]);
    }

    #[test]
    fn the_last_whole_world_counts() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("world.ndjson");
        let at = |now_ms: u64| World { now_ms, ..World::default() };
        {
            let (mut shelf, ..) = Shelf::open(dir.path()).unwrap();
            shelf.save(&at(1)).unwrap();
            shelf.save(&at(2)).unwrap();
            shelf.save(&at(3)).unwrap();
        }
        let text = fs::read(&file).unwrap();
        fs::write(&file, &text[..text.len() - 9]).unwrap();
        assert_eq!(offline(dir.path()).unwrap().world.now_ms, 2);
        let (mut shelf, world, _) = Shelf::open(dir.path()).unwrap();
        assert_eq!(world.unwrap().now_ms, 2);
        shelf.save(&at(4)).unwrap();
        assert_eq!(offline(dir.path()).unwrap().world.now_ms, 4);
        assert_eq!(fs::read_to_string(&file).unwrap().lines().count(), 3);
    }

    #[test]
    fn a_long_file_begins_anew() {
        let dir = tempfile::tempdir().unwrap();
        let (mut shelf, ..) = Shelf::open(dir.path()).unwrap();
        shelf.save(&World::default()).unwrap();
        shelf.length = RENEW_AT + 1;
        let world = World { now_ms: 5, ..World::default() };
        shelf.save(&world).unwrap();
        let lines = || fs::read_to_string(dir.path().join("world.ndjson")).unwrap().lines().count();
        assert_eq!(lines(), 1);
        shelf.save(&world).unwrap();
        assert_eq!((lines(), offline(dir.path()).unwrap().world.now_ms), (2, 5));
    }

    #[test]
    fn a_newer_format_is_named() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("world.ndjson"), b"{\"format\": 9, \"world\": 0}\n").unwrap();
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
