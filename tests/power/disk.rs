//! What may be on a disk after the power was cut at any moment of a record.
//!
//! - A file is durable as it was when it was last synced. What was written since may be there
//!   or not, sector by sector; a sector holds some state that it had since that sync, never a
//!   mixture of two.
//! - Its length is one that it had since the sync; where the length is there and the data is
//!   not, it reads as zeros.
//! - A folder is durable as it was when it was last synced itself, or as it was at some moment
//!   since: a rename inside a folder is there or not, never half. Folders are independent of
//!   each other, and syncing a file says nothing about its name.

mod file;

use crate::random::Random;
use crate::record::Act;
use file::{Change, current, settle};
use std::collections::BTreeMap;

/// `fallocate`: the length stays.
const KEEP_SIZE: u64 = 1;
/// `fallocate`: what was there reads as zeros.
const ZEROING: u64 = 2 | 16;

/// Files with their contents and folders with none, by path.
pub(crate) type Tree = BTreeMap<String, Option<Vec<u8>>>;
type Names = BTreeMap<String, usize>;

#[derive(Clone, Debug)]
enum Node {
    File { synced: Vec<u8>, changes: Vec<Change> },
    Folder { states: Vec<Names> },
}

/// A disk below one folder, with everything that is not certain yet.
#[derive(Clone, Debug)]
pub(crate) struct Disk {
    nodes: Vec<Node>,
    inodes: BTreeMap<u64, usize>,
}

/// One possible outcome of a cut.
#[derive(Clone, Debug)]
pub(crate) struct Image {
    /// What is there.
    pub(crate) tree: Tree,
    /// Some write is there in part.
    pub(crate) torn: bool,
}

/// Which of the things that are not certain are there, in eighths.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Luck(pub(crate) usize);

impl Luck {
    /// Nothing, everything, or any share between.
    pub(crate) fn any(random: &mut Random) -> Self {
        Self(random.of(&[0, 1, 4, 4, 7, 8]))
    }
}

impl Disk {
    /// An empty folder, and what was done below it.
    pub(crate) fn after(acts: &[Act]) -> Self {
        let root = Node::Folder { states: vec![Names::new()] };
        let mut disk = Self { nodes: vec![root], inodes: BTreeMap::new() };
        for act in acts {
            disk.apply(act);
        }
        disk
    }

    fn apply(&mut self, act: &Act) {
        match act {
            Act::Create { path, inode } => {
                let fresh = Node::File { synced: Vec::new(), changes: Vec::new() };
                self.add(path, *inode, fresh);
            }
            Act::MakeFolder { path, inode } => {
                self.add(path, *inode, Node::Folder { states: vec![Names::new()] });
            }
            Act::Write { inode, offset, data, .. } => {
                self.change(*inode, Change::Write(*offset, data.clone()));
            }
            Act::Resize { inode, size } => self.change(*inode, Change::Resize(*size)),
            Act::Allocate { inode, offset, size, mode } => {
                self.allocate(*inode, *offset, *size, *mode);
            }
            Act::Sync { path, inode } => self.sync(path, *inode),
            Act::Rename { from, to } => self.rename(from, to),
            Act::Remove { path } => {
                let (folder, name) = self.place(path);
                self.rename_in(folder, |names| _ = names.remove(&name));
            }
            Act::Send { .. } | Act::Say { .. } => {}
            Act::Unseen { path } => panic!("what happens to {path} cannot be recorded"),
        }
    }

    fn add(&mut self, path: &str, inode: u64, node: Node) {
        let at = self.nodes.len();
        self.nodes.push(node);
        self.inodes.insert(inode, at);
        let (folder, name) = self.place(path);
        self.rename_in(folder, |names| _ = names.insert(name, at));
    }

    fn rename(&mut self, from: &str, to: &str) {
        let ((folder, old), (other, new)) = (self.place(from), self.place(to));
        let at = self.names(folder)[&old];
        if folder == other {
            self.rename_in(folder, |names| {
                names.remove(&old);
                names.insert(new, at);
            });
        } else {
            self.rename_in(other, |names| _ = names.insert(new, at));
            self.rename_in(folder, |names| _ = names.remove(&old));
        }
    }

    /// The folder that a path stands in, and its name there.
    fn place(&self, path: &str) -> (usize, String) {
        let mut parts: Vec<&str> = path.split('/').skip(1).collect();
        let name = parts.pop().unwrap().to_owned();
        let folder = parts.into_iter().fold(0, |folder, part| self.names(folder)[part]);
        (folder, name)
    }

    fn names(&self, folder: usize) -> &Names {
        match &self.nodes[folder] {
            Node::Folder { states } => states.last().unwrap(),
            Node::File { .. } => panic!("a file is no folder"),
        }
    }

    fn rename_in(&mut self, folder: usize, change: impl FnOnce(&mut Names)) {
        let mut names = self.names(folder).clone();
        change(&mut names);
        if let Node::Folder { states } = &mut self.nodes[folder] {
            states.push(names);
        }
    }

    fn change(&mut self, inode: u64, change: Change) {
        let at = self.inodes[&inode];
        if let Node::File { changes, .. } = &mut self.nodes[at] {
            changes.push(change);
        }
    }

    fn allocate(&mut self, inode: u64, offset: usize, size: usize, mode: u64) {
        let length = self.length(inode);
        let end = offset + size;
        if mode & ZEROING != 0 {
            let within = if mode & KEEP_SIZE == 0 { end } else { end.min(length) };
            self.change(inode, Change::Write(offset, vec![0; within.saturating_sub(offset)]));
        } else if mode & KEEP_SIZE == 0 && end > length {
            self.change(inode, Change::Resize(end));
        }
    }

    fn length(&self, inode: u64) -> usize {
        match &self.nodes[self.inodes[&inode]] {
            Node::File { synced, changes } => current(synced, changes).len(),
            Node::Folder { .. } => 0,
        }
    }

    fn sync(&mut self, path: &str, inode: u64) {
        let at = if path.is_empty() { 0 } else { self.inodes[&inode] };
        match &mut self.nodes[at] {
            Node::File { synced, changes } => {
                *synced = current(synced, changes);
                changes.clear();
            }
            Node::Folder { states } => drop(states.drain(..states.len() - 1)),
        }
    }

    /// What a process sees that goes on without a cut.
    pub(crate) fn now(&self) -> Tree {
        self.image(&mut Random::new(0), Luck(8)).tree
    }

    /// One of the things that may be on the disk if the power is cut now.
    pub(crate) fn image(&self, random: &mut Random, luck: Luck) -> Image {
        let mut image = Image { tree: Tree::new(), torn: false };
        self.lay_out(0, "", &mut image, &mut |most| pick(random, luck, most));
        image
    }

    /// Every inode and folder decides on its own; `pick` chooses among states, oldest first.
    fn lay_out(
        &self,
        at: usize,
        path: &str,
        image: &mut Image,
        pick: &mut dyn FnMut(usize) -> usize,
    ) {
        match &self.nodes[at] {
            Node::Folder { states } => {
                if !path.is_empty() {
                    image.tree.insert(path.to_owned(), None);
                }
                for (name, node) in &states[pick(states.len() - 1)] {
                    self.lay_out(*node, &format!("{path}/{name}"), image, pick);
                }
            }
            Node::File { synced, changes } => {
                let (bytes, torn) = settle(synced, changes, pick);
                image.torn |= torn;
                image.tree.insert(path.to_owned(), Some(bytes));
            }
        }
    }

    /// What is not certain, for whoever has to find out what went wrong.
    pub(crate) fn uncertain(&self) -> Vec<String> {
        let mut said = Vec::new();
        self.doubt(0, "", &mut said);
        said
    }

    fn doubt(&self, at: usize, path: &str, said: &mut Vec<String>) {
        match &self.nodes[at] {
            Node::File { changes, .. } if !changes.is_empty() => {
                said.push(format!("{path}: {} changes since it was synced", changes.len()));
            }
            Node::File { .. } => {}
            Node::Folder { states } => {
                if states.len() > 1 {
                    let were: Vec<&String> = states[0].keys().collect();
                    said.push(format!("{path}/: when it was synced it had {were:?}"));
                }
                for (name, node) in self.names(at) {
                    self.doubt(*node, &format!("{path}/{name}"), said);
                }
            }
        }
    }
}

/// A state between the oldest, 0, and the newest.
fn pick(random: &mut Random, luck: Luck, most: usize) -> usize {
    match luck.0 {
        0 => 0,
        8 => most,
        _ => (0..most).filter(|_| random.eighths(luck.0)).count(),
    }
}

#[cfg(test)]
mod tests;
