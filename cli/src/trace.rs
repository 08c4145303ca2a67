//! What happened in detail, in a file beside the store; never on the terminal.

use crate::settings::{Home, Settings};
use crate::ui::printable::Lines;
use rustix::fs::OFlags;
use std::fs::{self, File, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;
use std::sync::Mutex;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

/// A file above this many bytes is put aside, and the one put aside before is lost.
const MOST_BYTES: u64 = 16 * 1024 * 1024;

/// Begins to write to the log file.
///
/// # Errors
/// The file cannot be written; the command may go on without it.
pub fn start(settings: &Settings) -> io::Result<()> {
    let file = open(&settings.home)?;
    let level = match settings.verbose {
        0 => LevelFilter::INFO,
        1 => LevelFilter::DEBUG,
        _ => LevelFilter::TRACE,
    };
    // Only our own crates: the libraries below log headers, and headers hold credentials.
    let ours = tracing_subscriber::filter::Targets::new()
        .with_target("escrr", level)
        .with_target("escrr_engine", level)
        .with_target("escrr_steps", level)
        .with_target("escrr_sandbox", level);
    let lines =
        tracing_subscriber::fmt::layer().with_ansi(false).with_writer(Mutex::new(Lines(file)));
    tracing_subscriber::registry().with(ours).with(lines).try_init().map_err(io::Error::other)
}

fn open(home: &Home) -> io::Result<File> {
    let path = home.log_file();
    if let Some(parent) = path.parent() {
        Home::make(parent)?;
    }
    put_aside(&path)?;
    // What others have put there as a link leads to a file of theirs.
    let nofollow = OFlags::NOFOLLOW.bits().cast_signed();
    let mut options = OpenOptions::new();
    let file = options.append(true).create(true).mode(0o600).custom_flags(nofollow).open(path)?;
    if file.metadata()?.mode() & 0o777 != 0o600 {
        file.set_permissions(Permissions::from_mode(0o600))?;
    }
    Ok(file)
}

fn put_aside(path: &Path) -> io::Result<()> {
    match fs::symlink_metadata(path) {
        Ok(about) if about.len() > MOST_BYTES => fs::rename(path, path.with_extension("log.1")),
        Ok(_) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_is_the_owners_and_is_put_aside_when_large() {
        let dir = tempfile::tempdir().unwrap();
        let home = Home::at(dir.path());
        let file = open(&home).unwrap();
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        file.set_len(MOST_BYTES + 1).unwrap();
        drop(file);
        assert_eq!(open(&home).unwrap().metadata().unwrap().len(), 0);
        assert!(home.log_file().with_extension("log.1").exists());
    }

    #[test]
    fn a_link_in_its_place_is_not_followed_and_a_wide_mode_does_not_stay() {
        let dir = tempfile::tempdir().unwrap();
        let home = Home::at(dir.path());
        drop(open(&home).unwrap());
        fs::set_permissions(home.log_file(), Permissions::from_mode(0o666)).unwrap();
        let mode = open(&home).unwrap().metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let other = dir.path().join("other");
        fs::write(&other, "theirs").unwrap();
        fs::remove_file(home.log_file()).unwrap();
        std::os::unix::fs::symlink(&other, home.log_file()).unwrap();
        assert!(open(&home).is_err());
    }
}
