//! What happened in detail, in a file beside the store; never on the terminal.

use crate::settings::{Home, Settings};
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
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
    let lines = tracing_subscriber::fmt::layer().with_ansi(false).with_writer(Mutex::new(file));
    tracing_subscriber::registry().with(ours).with(lines).try_init().map_err(io::Error::other)
}

fn open(home: &Home) -> io::Result<File> {
    let path = home.log_file();
    if let Some(parent) = path.parent() {
        Home::make(parent)?;
    }
    put_aside(&path)?;
    OpenOptions::new().append(true).create(true).mode(0o600).open(path)
}

fn put_aside(path: &Path) -> io::Result<()> {
    match fs::metadata(path) {
        Ok(about) if about.len() > MOST_BYTES => fs::rename(path, path.with_extension("log.1")),
        Ok(_) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

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
}
