//! What the store asks of the system: whether something is there, files and folders that are
//! their owner's alone, and names that survive a power cut.
//!
//! Only what is not found is absent. What cannot be looked at is an error that names the path,
//! whose it is and who asks.

use super::StoreError;
use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{
    DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _,
};
use std::path::Path;

/// Files are their owner's alone: journals tell a network's layout.
const FILE: u32 = 0o600;
/// And so are folders.
const FOLDER: u32 = 0o700;
/// What lets somebody else write.
const OTHERS_WRITE: u32 = 0o022;

/// Is something there? A link that leads nowhere is not nothing.
pub(crate) fn is_there(path: &Path) -> Result<bool, StoreError> {
    let looked = fs::symlink_metadata(path);
    let looked = looked.and_then(|about| {
        if !about.is_symlink() {
            return Ok(());
        }
        fs::metadata(path).map(drop).map_err(io::Error::other)
    });
    match looked {
        Ok(()) => Ok(true),
        Err(e) if e.kind() == ErrorKind::NotFound => Ok(false),
        Err(e) => Err(StoreError::io("looking at", path, &e)),
    }
}

/// Is a folder there? What is there and is none is an error.
pub(crate) fn is_folder(path: &Path) -> Result<bool, StoreError> {
    if !is_there(path)? {
        return Ok(false);
    }
    let about = fs::metadata(path).map_err(|e| StoreError::io("looking at", path, &e))?;
    if about.file_type().is_dir() {
        return Ok(true);
    }
    Err(StoreError::io("looking at", path, &ErrorKind::NotADirectory.into()))
}

/// Makes a file that is empty, or empties one; a link is not followed.
pub(crate) fn create(path: &Path) -> io::Result<File> {
    own(path, OpenOptions::new().write(true).create(true).truncate(true))
}

/// Opens a file to read and write, and makes it if need be; a link is not followed.
pub(crate) fn open(path: &Path) -> io::Result<File> {
    own(path, OpenOptions::new().read(true).write(true).create(true).truncate(false))
}

/// Whatever mask the process has, and whatever mode an older version left, the file is its owner's
/// alone.
fn own(path: &Path, options: &mut OpenOptions) -> io::Result<File> {
    let nofollow = rustix::fs::OFlags::NOFOLLOW.bits().cast_signed();
    let file = options.mode(FILE).custom_flags(nofollow).open(path)?;
    if file.metadata()?.mode() & 0o777 != FILE {
        file.set_permissions(Permissions::from_mode(FILE))?;
    }
    Ok(file)
}

/// Makes a folder, and the ones above it, so that they are there after a power cut.
pub(crate) fn make_folder(path: &Path) -> Result<(), StoreError> {
    if is_folder(path)? {
        return Ok(());
    }
    let above = path.parent().filter(|above| !above.as_os_str().is_empty());
    if let Some(above) = above {
        make_folder(above)?;
    }
    let made = DirBuilder::new()
        .mode(FOLDER)
        .create(path)
        .and_then(|()| fs::set_permissions(path, Permissions::from_mode(FOLDER)));
    match made {
        Err(e) if e.kind() == ErrorKind::AlreadyExists && is_folder(path)? => Ok(()),
        Err(e) => Err(StoreError::io("making", path, &e)),
        Ok(()) => sync_folder(above.unwrap_or(Path::new("."))),
    }
}

/// Takes a folder of the store away from everybody but its owner.
pub(crate) fn tighten(path: &Path) -> Result<(), StoreError> {
    let io = |e| StoreError::io("looking at", path, &e);
    if fs::metadata(path).map_err(io)?.mode().trailing_zeros() >= 6 {
        return Ok(());
    }
    fs::set_permissions(path, Permissions::from_mode(FOLDER))
        .map_err(|e| StoreError::io("tightening", path, &e))
}

/// Refuses a folder into which somebody else may write: what stands there could be anybody's.
pub(crate) fn refuse_writable(path: &Path) -> Result<(), StoreError> {
    match fs::metadata(path) {
        Ok(about) if about.mode() & OTHERS_WRITE != 0 => {
            Err(StoreError::Writable { path: path.to_owned(), mode: about.mode() & 0o7777 })
        }
        Ok(_) => Ok(()),
        Err(e) if e.kind() == ErrorKind::NotFound => Ok(()),
        Err(e) => Err(StoreError::io("looking at", path, &e)),
    }
}

/// Makes what happened to a folder's names durable.
pub(crate) fn sync_folder(path: &Path) -> Result<(), StoreError> {
    let folder = File::open(path).map_err(|e| StoreError::io("opening", path, &e))?;
    folder.sync_all().map_err(|e| unable("synced", "syncing", path, &e))
}

/// What the system said to something that every file system but a few can do.
pub(crate) fn unable(
    cannot: &'static str,
    doing: &'static str,
    path: &Path,
    error: &io::Error,
) -> StoreError {
    let lacks = [rustix::io::Errno::NOLCK, rustix::io::Errno::NOSYS, rustix::io::Errno::NOTSUP];
    let lacks = lacks.map(rustix::io::Errno::raw_os_error);
    let is_lacking = error.raw_os_error().is_some_and(|number| lacks.contains(&number));
    if is_lacking || [ErrorKind::InvalidInput, ErrorKind::Unsupported].contains(&error.kind()) {
        let (system, error) = (file_system(path), error.to_string());
        return StoreError::Unfit { path: path.to_owned(), cannot, system, error };
    }
    StoreError::io(doing, path, error)
}

/// What the system said, and where somebody may not look whose it is.
pub(crate) fn told(path: &Path, error: &io::Error) -> String {
    if fs::symlink_metadata(path).is_ok_and(|about| about.is_symlink()) {
        return format!("{error}: it is a symbolic link, which is not followed");
    }
    if error.kind() != ErrorKind::PermissionDenied {
        return error.to_string();
    }
    let seen = path.ancestors().find_map(|path| Some((path, fs::metadata(path).ok()?)));
    let Some((seen, about)) = seen else { return error.to_string() };
    format!(
        "{error}: {} belongs to user {} and has mode {:04o}; this process is of user {}",
        seen.display(),
        about.uid(),
        about.mode() & 0o7777,
        rustix::process::geteuid().as_raw()
    )
}

/// The kind of file system that a path lies on, and where that begins.
fn file_system(path: &Path) -> String {
    let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let under = |line: &str| {
        let (front, back) = line.split_once(" - ")?;
        let at = front.split(' ').nth(4)?.to_owned();
        let kind = back.split(' ').next()?.to_owned();
        path.starts_with(&at).then_some((at, kind))
    };
    // Of two at one place the later one lies above.
    match mounts.lines().filter_map(under).max_by_key(|(at, _)| at.len()) {
        Some((at, kind)) => format!("{kind}, mounted at {at}"),
        None => "of a kind that cannot be told".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().mode() & 0o777
    }

    #[test]
    fn only_what_is_not_found_is_absent() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        assert!(!is_there(&at("none")).unwrap() && is_there(folder.path()).unwrap());
        symlink("around", at("around")).unwrap();
        symlink("nowhere", at("nowhere")).unwrap();
        fs::write(at("file"), "").unwrap();
        for path in [at("around"), at("nowhere"), at("file/below")] {
            assert!(is_there(&path).is_err(), "{}", path.display());
        }
        assert!(is_there(&at("file")).unwrap() && is_folder(&at("file")).is_err());
    }

    #[test]
    fn files_and_folders_are_their_owners_alone_and_links_are_not_followed() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        make_folder(&at("a/b")).unwrap();
        assert_eq!((mode(&at("a")), mode(&at("a/b"))), (0o700, 0o700));
        fs::write(at("wide"), "x").unwrap();
        fs::set_permissions(at("wide"), Permissions::from_mode(0o666)).unwrap();
        drop(open(&at("wide")).unwrap());
        assert_eq!((mode(&at("wide")), fs::read(at("wide")).unwrap()), (0o600, b"x".to_vec()));
        symlink("wide", at("link")).unwrap();
        assert!(create(&at("link")).is_err() && open(&at("link")).is_err());
        assert_eq!(fs::read(at("wide")).unwrap(), b"x");
        fs::set_permissions(at("a"), Permissions::from_mode(0o755)).unwrap();
        refuse_writable(&at("a")).unwrap();
        tighten(&at("a")).unwrap();
        assert_eq!(mode(&at("a")), 0o700);
        fs::set_permissions(at("a"), Permissions::from_mode(0o770)).unwrap();
        assert!(matches!(refuse_writable(&at("a")), Err(StoreError::Writable { mode: 0o770, .. })));
    }

    #[test]
    fn what_a_file_system_lacks_is_told_with_its_name() {
        let folder = tempfile::tempdir().unwrap();
        let said = |errno: rustix::io::Errno| {
            let error = io::Error::from_raw_os_error(errno.raw_os_error());
            unable("locked", "locking", folder.path(), &error)
        };
        for errno in [rustix::io::Errno::NOLCK, rustix::io::Errno::INVAL, rustix::io::Errno::NOTSUP]
        {
            let StoreError::Unfit { system, cannot, .. } = said(errno) else { panic!("{errno}") };
            assert!(system.contains(", mounted at /") && cannot == "locked", "{system}");
        }
        assert!(matches!(said(rustix::io::Errno::IO), StoreError::Io { .. }));
        assert!(matches!(said(rustix::io::Errno::FBIG), StoreError::Full { .. }));
    }
}
