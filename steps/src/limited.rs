//! Reading a file that a person named: no more, and no longer, than what is wanted can be.
//!
//! The name may be that of a device that never ends or of a pipe that nobody writes to.

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::fs::{File, OpenOptions};
use std::io::{self, Read as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::time::{Duration, Instant};

/// Whoever writes into a pipe for us has this long.
const LIMIT: Duration = Duration::from_secs(30);
/// Bytes that are read at once.
const CHUNK: usize = 64 * 1024;

/// The bytes of a file, a pipe or a device, if they are at most so many.
///
/// # Errors
/// The system refuses, there are more, or they do not come within half a minute.
pub fn read(path: &Path, most: usize) -> io::Result<Vec<u8>> {
    read_within(path, most, LIMIT)
}

/// The same as text.
///
/// # Errors
/// As [`read`], and when it is not UTF-8; the error does not repeat the content.
pub fn read_text(path: &Path, most: usize) -> io::Result<String> {
    String::from_utf8(read(path, most)?)
        .map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "it is not UTF-8 text"))
}

fn read_within(path: &Path, most: usize, limit: Duration) -> io::Result<Vec<u8>> {
    // Opening a pipe waits for its other end, unless it is opened in this way.
    let wait_not = i32::try_from(rustix::fs::OFlags::NONBLOCK.bits()).unwrap_or_default();
    let mut file = OpenOptions::new().read(true).custom_flags(wait_not).open(path)?;
    let about = file.metadata()?;
    if about.is_file() && about.len() > most as u64 {
        return Err(too_much(most));
    }
    let begun = now();
    let mut bytes = Vec::new();
    let mut chunk = vec![0; CHUNK];
    loop {
        if !about.is_file() {
            wait(&file, limit.saturating_sub(now().duration_since(begun)))?;
        }
        match file.read(&mut chunk) {
            Ok(0) => return Ok(bytes),
            Ok(length) => bytes.extend_from_slice(chunk.get(..length).unwrap_or_default()),
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::Interrupted | io::ErrorKind::WouldBlock
                ) => {}
            Err(error) => return Err(error),
        }
        if bytes.len() > most {
            return Err(too_much(most));
        }
    }
}

/// Waits until there is something to read, or the end.
fn wait(file: &File, left: Duration) -> io::Result<()> {
    let left = Timespec::try_from(left).unwrap_or_default();
    match poll(&mut [PollFd::new(file, PollFlags::IN)], Some(&left)) {
        Ok(0) => {
            Err(io::Error::new(io::ErrorKind::TimedOut, "it does not come to its end in time"))
        }
        Ok(_) | Err(rustix::io::Errno::INTR) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

fn too_much(most: usize) -> io::Error {
    io::Error::new(io::ErrorKind::FileTooLarge, format!("it has more than {most} bytes"))
}

#[expect(clippy::disallowed_methods, reason = "how long somebody is waited for is real time")]
fn now() -> Instant {
    Instant::now()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_up_to_the_limit_and_not_a_byte_further() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        std::fs::write(&path, "12345").unwrap();
        assert_eq!(read(&path, 5).unwrap(), b"12345");
        assert_eq!(read_text(&path, 5).unwrap(), "12345");
        assert_eq!(read(&path, 4).unwrap_err().kind(), io::ErrorKind::FileTooLarge);
        std::fs::write(&path, [0xff, b'h']).unwrap();
        assert!(!read_text(&path, 5).unwrap_err().to_string().contains('h'));
        assert_eq!(read(&folder.path().join("b"), 5).unwrap_err().kind(), io::ErrorKind::NotFound);
        assert!(read(folder.path(), 5).is_err());
    }

    #[test]
    fn what_never_ends_is_given_up() {
        let error = read(Path::new("/dev/zero"), 1 << 20).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::FileTooLarge);
        assert!(read(Path::new("/dev/null"), 1).unwrap().is_empty());
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe");
        let made = std::process::Command::new("mkfifo").arg(&pipe).status().unwrap();
        assert!(made.success());
        let error = read_within(&pipe, 10, Duration::from_millis(1)).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }

    #[test]
    fn a_pipe_is_read_to_its_end() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe");
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        let writer = pipe.clone();
        let wrote = std::thread::spawn(move || std::fs::write(writer, "from a pipe"));
        assert_eq!(read(&pipe, 100).unwrap(), b"from a pipe");
        wrote.join().unwrap().unwrap();
    }
}
