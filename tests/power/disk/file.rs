//! One file after a cut: sectors and a length, each as it was at some moment since the sync.

/// The smallest part of a disk that is written whole, in bytes.
const SECTOR: usize = 512;

/// What was done to a file since it was synced.
#[derive(Clone, Debug)]
pub(super) enum Change {
    /// These bytes were written at this offset.
    Write(usize, Vec<u8>),
    /// It was made so long.
    Resize(usize),
}

fn change(bytes: &mut Vec<u8>, change: &Change) {
    match change {
        Change::Write(offset, data) => {
            let end = offset + data.len();
            if bytes.len() < end {
                bytes.resize(end, 0);
            }
            bytes[*offset..end].copy_from_slice(data);
        }
        Change::Resize(size) => bytes.resize(*size, 0),
    }
}

/// A file with all changes.
pub(super) fn current(synced: &[u8], changes: &[Change]) -> Vec<u8> {
    let mut bytes = synced.to_vec();
    for one in changes {
        change(&mut bytes, one);
    }
    bytes
}

/// A file after a cut: after each change the disk may or may not take over what it touched.
pub(super) fn settle(
    synced: &[u8],
    changes: &[Change],
    pick: &mut dyn FnMut(usize) -> usize,
) -> (Vec<u8>, bool) {
    let (mut memory, mut disk) = (synced.to_vec(), synced.to_vec());
    // The length since the last one that the disk has, at its least: what is beyond is gone.
    let (mut length, mut least) = (synced.len(), synced.len());
    let mut torn = false;
    for one in changes {
        change(&mut memory, one);
        least = least.min(memory.len());
        if pick(1) == 1 {
            if least < length {
                disk.truncate(least);
            }
            (length, least) = (memory.len(), memory.len());
        }
        let Change::Write(offset, data) = one else { continue };
        let (mut arrived, mut left_out) = (false, false);
        let end = (offset + data.len()).div_ceil(SECTOR);
        for sector in offset / SECTOR..end {
            if pick(1) == 0 {
                left_out = true;
                continue;
            }
            arrived = true;
            let (from, to) = (sector * SECTOR, ((sector + 1) * SECTOR).min(memory.len()));
            disk.resize(disk.len().max(to), 0);
            disk[from..to].copy_from_slice(&memory[from..to]);
        }
        torn |= arrived && left_out;
    }
    disk.resize(length, 0);
    (disk, torn)
}
