//! What a process did to its files and what it sent, in one order.

use crate::env::{Env, Output, output, path};
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

/// One thing that a process did. Paths begin below the folder that is recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Act {
    Create {
        path: String,
        inode: u64,
    },
    MakeFolder {
        path: String,
        inode: u64,
    },
    Write {
        path: String,
        inode: u64,
        offset: usize,
        data: Vec<u8>,
    },
    Resize {
        inode: u64,
        size: usize,
    },
    Allocate {
        inode: u64,
        offset: usize,
        size: usize,
        mode: u64,
    },
    Sync {
        path: String,
        inode: u64,
    },
    Rename {
        from: String,
        to: String,
    },
    Remove {
        path: String,
    },
    Send {
        data: Vec<u8>,
    },
    Say {
        data: Vec<u8>,
    },
    /// Something that a recorder in user space cannot follow.
    Unseen {
        path: String,
    },
}

/// The recorder, compiled, and what it has recorded.
pub(crate) struct Recorder {
    folder: TempDir,
}

impl Recorder {
    /// Compiles it; without a C compiler or another system than Linux it says so.
    pub(crate) fn new() -> Result<Self, String> {
        if !cfg!(all(target_os = "linux", target_pointer_width = "64")) {
            return Err("only 64-bit Linux can be recorded".to_owned());
        }
        let folder = tempfile::tempdir().unwrap();
        let source = concat!(env!("CARGO_MANIFEST_DIR"), "/power/recorder.c");
        let compiled = Command::new("cc")
            .args(["-shared", "-fPIC", "-O2", "-Wall", "-Wextra", "-Werror", "-pthread", source])
            .arg("-o")
            .arg(folder.path().join("recorder.so"))
            .output()
            .map_err(|error| format!("there is no C compiler: {error}"))?;
        let said = String::from_utf8_lossy(&compiled.stderr);
        assert!(compiled.status.success(), "the recorder does not compile:\n{said}");
        Ok(Self { folder })
    }

    fn log(&self) -> PathBuf {
        self.folder.path().join("log")
    }

    /// Runs the binary against the sandbox and adds what it did to the record.
    pub(crate) fn run(&self, env: &Env, arguments: &[&str]) {
        let ended = output(&mut self.command(env, arguments));
        assert!(ended.code == Some(0), "{arguments:?} recorded:\n{}", ended.stderr);
    }

    /// The same, on a disk that refuses all changes from the `change`-th on, with an error of
    /// the system's.
    pub(crate) fn refused(
        &self,
        env: &Env,
        arguments: &[&str],
        (change, error): (usize, i32),
    ) -> Output {
        let refuse = format!("{change}:{error}");
        output(self.command(env, arguments).env("ESCRR_RECORD_REFUSE", refuse))
    }

    fn command(&self, env: &Env, arguments: &[&str]) -> Command {
        let mut command = env.command(arguments);
        command
            .env("LD_PRELOAD", self.folder.path().join("recorder.so"))
            .env("ESCRR_RECORD_BELOW", env.home.path())
            .env("ESCRR_RECORD_LOG", self.log())
            .env("PATH", path());
        command
    }

    /// The record so far.
    pub(crate) fn acts(&self) -> Vec<Act> {
        read(&std::fs::read(self.log()).unwrap_or_default())
    }
}

/// A record as `recorder.c` writes it.
fn read(mut bytes: &[u8]) -> Vec<Act> {
    let mut acts = Vec::new();
    while !bytes.is_empty() {
        let (head, rest) = bytes.split_at(64);
        let word = |at: usize| u64::from_ne_bytes(head[8 * at..8 * at + 8].try_into().unwrap());
        let length = |at: usize| usize::try_from(word(at)).unwrap();
        let (path, rest) = rest.split_at(length(5));
        let (data, rest) = rest.split_at(length(6));
        bytes = rest;
        let (inode, path) = (word(1), String::from_utf8(path.to_vec()).unwrap());
        let data = data.to_vec();
        acts.push(match word(0) {
            1 => Act::Create { path, inode },
            2 => Act::MakeFolder { path, inode },
            3 => Act::Write { path, inode, offset: length(2), data },
            4 => Act::Resize { inode, size: length(3) },
            5 => Act::Allocate { inode, offset: length(2), size: length(3), mode: word(4) },
            6 => Act::Sync { path, inode },
            7 => Act::Rename { from: path, to: String::from_utf8(data).unwrap() },
            8 | 9 => Act::Remove { path },
            10 => Act::Send { data },
            11 => Act::Say { data },
            _ => Act::Unseen { path },
        });
    }
    acts
}

/// The files below a folder with their contents; folders with none.
pub(crate) fn tree(folder: &Path) -> Vec<(String, Option<Vec<u8>>)> {
    fn walk(folder: &Path, prefix: &str, found: &mut Vec<(String, Option<Vec<u8>>)>) {
        for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
            let path = format!("{prefix}/{}", entry.file_name().to_string_lossy());
            if entry.file_type().unwrap().is_dir() {
                found.push((path.clone(), None));
                walk(&entry.path(), &path, found);
            } else {
                found.push((path, Some(std::fs::read(entry.path()).unwrap())));
            }
        }
    }
    let mut found = Vec::new();
    walk(folder, "", &mut found);
    found.sort();
    found
}

impl Act {
    /// Does it change what is on the disk?
    pub(crate) fn changes(&self) -> bool {
        !matches!(self, Self::Sync { .. } | Self::Send { .. } | Self::Say { .. })
    }
}

/// What tells one act from another, without the data.
pub(crate) fn line(act: &Act) -> String {
    match act {
        Act::Create { path, inode } => format!("create {path} (inode {inode})"),
        Act::MakeFolder { path, inode } => format!("make folder {path} (inode {inode})"),
        Act::Write { path, offset, data, .. } => {
            format!("write {path} {offset}..{}", offset + data.len())
        }
        Act::Resize { inode, size } => format!("resize inode {inode} to {size}"),
        Act::Allocate { inode, offset, size, mode } => {
            format!("allocate inode {inode} {offset}..{} mode {mode}", offset + size)
        }
        Act::Sync { path, .. } => format!("sync {path}"),
        Act::Rename { from, to } => format!("rename {from} to {to}"),
        Act::Remove { path } => format!("remove {path}"),
        Act::Send { data } => format!("send {}", first_line(data)),
        Act::Say { data } => format!("say {}", first_line(data)),
        Act::Unseen { path } => format!("something unseen with {path}"),
    }
}

fn first_line(data: &[u8]) -> String {
    String::from_utf8_lossy(data).lines().next().unwrap_or_default().chars().take(160).collect()
}
