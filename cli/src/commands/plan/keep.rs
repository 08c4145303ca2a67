//! Writing a plan file.

use super::file::{FAMILY, PlanFile, schema_of};
use crate::codes;
use crate::error::CommandError;
use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

impl PlanFile {
    /// Writes it for its owner alone; a plan file that is there is replaced, anything else kept.
    ///
    /// # Errors
    /// Something else is in the way, or it cannot be written.
    pub(super) fn write(&self, path: &Path) -> Result<(), CommandError> {
        may_be_replaced(path)?;
        let mut text = serde_json::to_vec_pretty(self)
            .map_err(|error| CommandError::new(codes::BUG, error.to_string()))?;
        text.push(b'\n');
        let mut beside = path.as_os_str().to_owned();
        beside.push(format!(".{}.new", std::process::id()));
        let beside = PathBuf::from(beside);
        let written = put(&beside, &text).and_then(|()| fs::rename(&beside, path));
        written.map_err(|error| {
            // Half a file is of no use; if it cannot be removed, the error says enough.
            drop(fs::remove_file(&beside));
            CommandError::file(codes::UNWRITABLE, "cannot write", path, &error)
        })
    }
}

fn may_be_replaced(path: &Path) -> Result<(), CommandError> {
    let is_plan = |bytes: &[u8]| {
        schema_of(bytes).is_some_and(|schema| schema.starts_with(FAMILY)) || bytes.is_empty()
    };
    match fs::read(path) {
        Ok(bytes) if is_plan(&bytes) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Ok(_) => {
            let said = format!("{} is there already, and it is not a plan file", path.display());
            Err(CommandError::new(codes::IN_THE_WAY, said).hint("name another file"))
        }
        Err(error) => Err(CommandError::file(codes::UNWRITABLE, "cannot write", path, &error)),
    }
}

/// It tells a network's layout: it is its owner's alone.
fn put(path: &Path, text: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(text)?;
    file.sync_all()
}
