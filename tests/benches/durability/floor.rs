//! The floors: what the disk allows, with nothing in the way.

use crate::Error;
use crate::measure::{median, micros, now, rate, timed};
use crate::table::{Figure, Table, Wanted};
use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::sync::mpsc;
use tokio::sync::oneshot;

/// A transition's bytes: a journal row of 200 and a head row of 80.
const ROW: usize = 280;
/// How much is filled with zeros ahead, in bytes.
const AHEAD: usize = 16 * 1024 * 1024;
/// Syncs of one measurement.
const SYNCS: usize = 150;
/// Writers of the group commit, and how often each writes.
const WRITERS: usize = 64;
const EACH: usize = 400;

/// What one measurement found. The disk is not the same from one second to the next: the floors
/// are measured anew right before each figure that is held against them, and for steps right
/// behind it as well.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Floors {
    /// p50 of one write and sync, in µs.
    pub(crate) sync_us: f64,
    /// p50 of two of them in a row, in µs.
    pub(crate) two_us: f64,
    /// Transitions in a second through a bare group commit.
    pub(crate) group: f64,
}

impl Floors {
    /// What lies between two measurements.
    pub(crate) fn mean(self, other: Self) -> Self {
        Self {
            sync_us: f64::midpoint(self.sync_us, other.sync_us),
            two_us: f64::midpoint(self.two_us, other.two_us),
            group: f64::midpoint(self.group, other.group),
        }
    }
}

/// Measures the floors in `folder`.
pub(crate) fn measure(folder: &Path, table: &mut Table) -> Result<Floors, Error> {
    let path = folder.join("floor");
    let file = zeroed(&path)?;
    let (one, two) = (syncs(&file, 1)?, syncs(&file, 2)?);
    std::fs::remove_file(&path)?;
    let group = group_commit(zeroed(&path)?)?;
    std::fs::remove_file(&path)?;
    let floors = Floors { sync_us: one, two_us: two, group };
    let mut add = |name: &str, unit, value| {
        let (part, name) = ("Floors", name.to_owned());
        table.add(Figure { part, name, unit, value, floor: None, wanted: Wanted::Nothing });
    };
    add("write 280 B, fdatasync: p50", "µs", floors.sync_us);
    add("two of them in a row: p50", "µs", floors.two_us);
    add("group commit, 64 writers", "transitions/s", floors.group);
    add("group commit, 64 writers, two a step", "steps/s", floors.group / 2.0);
    Ok(floors)
}

/// A file whose space is written, so that a sync has no metadata to write.
fn zeroed(path: &Path) -> Result<File, Error> {
    let mut file = OpenOptions::new().create(true).truncate(true).write(true).open(path)?;
    let zeros = vec![0; 1024 * 1024];
    for _ in 0..AHEAD / zeros.len() {
        file.write_all(&zeros)?;
    }
    file.sync_all()?;
    Ok(file)
}

/// p50 of `count` appends in a row, in µs.
fn syncs(file: &File, count: usize) -> Result<f64, Error> {
    let row = [7; ROW];
    let mut at = 0;
    let mut times = Vec::new();
    for _ in 0..SYNCS {
        let begun = now();
        for _ in 0..count {
            file.write_all_at(&row, at)?;
            file.sync_data()?;
            at += ROW as u64;
        }
        times.push(micros(begun.elapsed()));
    }
    Ok(median(times))
}

type Ask = (Vec<u8>, oneshot::Sender<()>);

/// Transitions in a second: tasks, a queue, one thread, one sync a batch, and nothing else.
fn group_commit(file: File) -> Result<f64, Error> {
    let (asks, queue) = mpsc::channel::<Ask>();
    let thread = std::thread::spawn(move || serve(&file, &queue));
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let (done, time) = timed(|| {
        runtime.block_on(async move {
            let mut tasks = tokio::task::JoinSet::new();
            for _ in 0..WRITERS {
                let asks = asks.clone();
                tasks.spawn(async move {
                    for _ in 0..EACH {
                        let (answer, answered) = oneshot::channel();
                        asks.send((vec![7; ROW], answer))?;
                        answered.await?;
                    }
                    Ok::<(), Error>(())
                });
            }
            drop(asks);
            tasks.join_all().await.into_iter().collect::<Result<Vec<()>, Error>>()
        })
    });
    done?;
    thread.join().map_err(|_| "the floor's thread gave up")??;
    Ok(rate(WRITERS * EACH, time))
}

fn serve(file: &File, queue: &mpsc::Receiver<Ask>) -> Result<(), std::io::Error> {
    let mut at = 0;
    while let Ok(first) = queue.recv() {
        let mut bytes = Vec::new();
        let mut answers = Vec::new();
        for (row, answer) in std::iter::once(first).chain(queue.try_iter()) {
            bytes.extend(ROW.to_le_bytes());
            bytes.extend(row);
            answers.push(answer);
        }
        bytes.extend(crc32fast::hash(&bytes).to_le_bytes());
        file.write_all_at(&bytes, at)?;
        file.sync_data()?;
        at += bytes.len() as u64;
        for answer in answers {
            // Who asked waits; if not, the round has failed there already.
            answer.send(()).ok();
        }
    }
    Ok(())
}
