//! Files that a command writes for people.

use crate::codes;
use crate::error::CommandError;
use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

/// Writes a file that its owner alone may read: it tells a network's layout.
///
/// The file is there when it is whole, and not before. One that is there stays, unless `force`
/// says that it may go.
///
/// # Errors
/// A file is in the way, or the system refuses.
pub fn write(path: &Path, bytes: &[u8], force: bool) -> Result<(), CommandError> {
    let mut beside = path.to_owned().into_os_string();
    beside.push(format!(".{}.new", std::process::id()));
    let beside = PathBuf::from(beside);
    let done = make(&beside, bytes).and_then(|()| put(&beside, path, force));
    if done.is_err() {
        // What is half written is of no use; if it cannot be removed, the error says enough.
        drop(fs::remove_file(&beside));
    }
    done.map_err(|error| {
        if error.kind() == io::ErrorKind::AlreadyExists {
            let said = format!("{} is there already", path.display());
            CommandError::new(codes::IN_THE_WAY, said)
                .hint("name another file, or write over it with --force")
        } else {
            CommandError::file(codes::UNWRITABLE, "cannot write", path, &error)
        }
    })
}

fn make(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// A link refuses where a name is taken; a rename does not.
fn put(beside: &Path, path: &Path, force: bool) -> io::Result<()> {
    if force {
        return fs::rename(beside, path);
    }
    fs::hard_link(beside, path)?;
    fs::remove_file(beside)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exit::Exit;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn a_file_is_its_owners_alone_and_never_written_over_unasked() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("report.html");
        write(&path, b"one", false).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let error = write(&path, b"two", false).unwrap_err();
        assert_eq!((error.exit(), fs::read(&path).unwrap()), (Exit::Usage, b"one".to_vec()));
        write(&path, b"two", true).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"two");
        // Nothing is left beside it.
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        let nowhere = folder.path().join("none/report.html");
        assert!(write(&nowhere, b"", false).unwrap_err().said.contains("none/report.html"));
    }
}
