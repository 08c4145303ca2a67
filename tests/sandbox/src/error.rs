//! What can go wrong around the world, not in it.

use std::path::PathBuf;

/// Why a sandbox cannot start, or its directory cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file or directory of the world.
    #[error("cannot {what} {}", path.display())]
    File {
        /// What was tried: `read`, `write`, …
        what: &'static str,
        /// On which path.
        path: PathBuf,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// The world's file is not what was written.
    #[error("{} is damaged", path.display())]
    Damaged {
        /// Which file.
        path: PathBuf,
        /// What the reader says.
        #[source]
        source: serde_json::Error,
    },
    /// The world cannot be written as JSON.
    #[error("the world cannot be written as JSON")]
    Write(#[source] serde_json::Error),
    /// The world's file was written by a newer version.
    #[error("{} has format {found}, this version knows formats up to {known}", path.display())]
    Newer {
        /// Which file.
        path: PathBuf,
        /// Its format.
        found: u64,
        /// The newest one known here.
        known: u64,
    },
    /// Another sandbox runs on the directory.
    #[error("another sandbox is running on {}", dir.display())]
    InUse {
        /// The directory.
        dir: PathBuf,
    },
    /// There is no world in the directory.
    #[error("there is no sandbox world in {}", dir.display())]
    NoWorld {
        /// The directory.
        dir: PathBuf,
    },
    /// The world file asks for something that cannot be.
    #[error("the world file is wrong: {0}")]
    World(String),
    /// No port on loopback.
    #[error("cannot listen on 127.0.0.1")]
    Listen(#[source] std::io::Error),
}
