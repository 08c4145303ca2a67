//! The directory that the self-test works in: inside the home, so that it is on its disk.

use crate::clock::pause;
use crate::codes;
use crate::error::CommandError;
use crate::settings::Home;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A killed process ends when its last sync does.
const LAST_GASP: Duration = Duration::from_secs(2);
/// Between two tries.
const PAUSE: Duration = Duration::from_millis(50);

/// A directory that goes away with this, unless it is kept.
#[derive(Debug)]
pub struct Workshop {
    path: PathBuf,
    kept: bool,
}

impl Workshop {
    /// Makes a directory in the home that nobody else has.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn make(home: &Home) -> Result<Self, CommandError> {
        let name = format!("selftest-{}-{:08x}", std::process::id(), crate::session::random());
        let path = home.path().join(name);
        Home::make(&path).map_err(|error| {
            CommandError::file(codes::UNWRITABLE, "cannot make", &path, &error)
                .hint("the home has to be a directory that you may write to")
        })?;
        Ok(Self { path, kept: false })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Leaves it on the disk, for somebody to look into.
    pub fn keep(&mut self) {
        self.kept = true;
    }

    /// Removes it while processes that were killed may not be quite dead.
    ///
    /// # Errors
    /// Somebody still writes into it, or the system refuses.
    pub async fn remove(mut self) -> io::Result<()> {
        let mut waited = Duration::ZERO;
        loop {
            match fs::remove_dir_all(&self.path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound && waited < LAST_GASP => {
                    pause(PAUSE).await;
                    waited += PAUSE;
                }
                removed => {
                    self.kept = true;
                    return removed;
                }
            }
        }
    }
}

impl Drop for Workshop {
    fn drop(&mut self) {
        if !self.kept {
            fs::remove_dir_all(&self.path).ok();
        }
    }
}

/// Copies a directory with all that is in it.
///
/// # Errors
/// What the system said.
pub fn copy(from: &Path, to: &Path) -> io::Result<()> {
    Home::make(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_goes_away_unless_it_is_kept() {
        let dir = tempfile::tempdir().unwrap();
        let home = Home::at(dir.path().join("home"));
        let gone = Workshop::make(&home).unwrap().path().to_owned();
        assert!(gone.starts_with(home.path()) && !gone.exists());
        let mut kept = Workshop::make(&home).unwrap();
        kept.keep();
        let path = kept.path().to_owned();
        drop(kept);
        assert!(path.is_dir());
    }

    #[test]
    fn a_copy_has_all_that_is_in_it() {
        let dir = tempfile::tempdir().unwrap();
        let (from, to) = (dir.path().join("from"), dir.path().join("to"));
        fs::create_dir_all(from.join("a/b")).unwrap();
        fs::write(from.join("a/b/c"), "text").unwrap();
        copy(&from, &to).unwrap();
        assert_eq!(fs::read_to_string(to.join("a/b/c")).unwrap(), "text");
    }
}
