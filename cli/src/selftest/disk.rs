//! What a sync of this disk costs, and whether it can be believed.

use super::mount::Mount;
use serde::Serialize;
use serde_json::{Value, json};
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::Path;
use std::time::Duration;

/// A journal's entry is about as large as one sector.
const BLOCK: usize = 512;
/// Enough for a 99th percentile that is no single outlier.
const ROUNDS: usize = 200;
/// A slow disk is not measured longer than this, once [`LEAST`] are done.
const LIMIT: Duration = Duration::from_secs(1);
/// Fewer say nothing.
const LEAST: usize = 20;
/// The quickest devices with power-loss protection need longer than this to take a block
/// over their bus and say so; whatever answers sooner has not asked the device.
const TOO_QUICK: Duration = Duration::from_micros(20);
/// File systems that are made of memory.
const IN_MEMORY: [&str; 3] = ["tmpfs", "ramfs", "devtmpfs"];
/// Mount options under which a sync does not reach the medium: of ext4, XFS and Btrfs the
/// first two, of overlay file systems the third.
const WITHOUT_SYNC: [&str; 3] = ["nobarrier", "barrier=0", "volatile"];

/// What one operation costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cost {
    /// Half of them took no longer.
    pub p50: Duration,
    /// 99 of 100 took no longer.
    pub p99: Duration,
}

impl Cost {
    /// From what each one took, by nearest rank; nothing for none.
    pub fn of(mut each: Vec<Duration>) -> Option<Self> {
        each.sort_unstable();
        let rank = |percent: usize| {
            let at = (each.len() * percent).div_ceil(100);
            each.get(at.checked_sub(1)?).copied()
        };
        Some(Self { p50: rank(50)?, p99: rank(99)? })
    }

    fn document(self) -> Value {
        let micros = |time: Duration| u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        json!({ "p50_us": micros(self.p50), "p99_us": micros(self.p99) })
    }
}

/// What was measured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Probe {
    /// Writing a block, without a sync.
    pub written: Cost,
    /// Writing a block and waiting for `fdatasync`.
    pub synced: Cost,
    /// The file system, where the system tells.
    pub mount: Option<Mount>,
}

/// Whether a sync of this disk can be believed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Judgement {
    /// Every sync is waited for.
    Waits,
    /// The file system is made of memory: its type.
    InMemory(String),
    /// It is mounted with an option that turns syncs off.
    TurnedOff(String),
    /// A sync costs next to nothing.
    TooQuick,
}

impl Judgement {
    /// Its name in JSON.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Waits => "waits",
            Self::InMemory(_) => "in_memory",
            Self::TurnedOff(_) => "turned_off",
            Self::TooQuick => "too_quick",
        }
    }

    /// It in plain words.
    pub fn words(&self) -> String {
        match self {
            Self::Waits => "every sync is waited for".to_owned(),
            Self::InMemory(kind) => format!(
                "{kind} is made of memory and does not survive a restart: \
                 put the home on a disk with --home DIR"
            ),
            Self::TurnedOff(option) => format!(
                "it is mounted with `{option}`: a sync is not waited for, \
                 and what was acknowledged can be lost with the power"
            ),
            Self::TooQuick => "it answers a sync faster than any disk can: the device or the \
                               hypervisor may keep it in a cache; only a power cut can prove it"
                .to_owned(),
        }
    }

    /// Should somebody be warned?
    pub fn warns(&self) -> bool {
        *self != Self::Waits
    }
}

impl Probe {
    /// Measures in a directory, with a watch that shows the time since some moment.
    ///
    /// # Errors
    /// What the system said; a file system that refuses to sync is such a case.
    pub fn take(directory: &Path, watch: &dyn Fn() -> Duration) -> io::Result<Self> {
        let path = directory.join("probe");
        let file =
            OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(&path)?;
        // The blocks are there before: no sync pays for a change of the file's size.
        file.write_all_at(&vec![0; BLOCK * ROUNDS], 0)?;
        file.sync_all()?;
        let written = rounds(&file, watch, |_| Ok(()));
        let synced = written.and_then(|written| {
            // What was only written so far is not to be paid for by the first sync.
            file.sync_all()?;
            Ok((written, rounds(&file, watch, File::sync_data)?))
        });
        fs::remove_file(&path)?;
        let (written, synced) = synced?;
        Ok(Self { written, synced, mount: Mount::of(directory) })
    }

    /// What is to be thought of it.
    pub fn judgement(&self) -> Judgement {
        if let Some(mount) = &self.mount {
            if IN_MEMORY.contains(&mount.kind.as_str()) {
                return Judgement::InMemory(mount.kind.clone());
            }
            if let Some(option) = WITHOUT_SYNC.iter().find(|option| mount.has(option)) {
                return Judgement::TurnedOff((*option).to_owned());
            }
        }
        if self.synced.p50.saturating_sub(self.written.p50) < TOO_QUICK {
            return Judgement::TooQuick;
        }
        Judgement::Waits
    }

    /// The file system, in a few words.
    pub fn place(&self) -> String {
        self.mount.as_ref().map_or_else(
            || "the system does not tell which file system it is".to_owned(),
            |mount| {
                format!("{} on {}, mounted at {}", mount.kind, mount.device, mount.at.display())
            },
        )
    }

    /// What a sync costs, in a few words.
    pub fn cost(&self) -> String {
        let said = |cost: Cost| format!("{} (p50), {} (p99)", fine(cost.p50), fine(cost.p99));
        format!(
            "{BLOCK} bytes written and synced: {}; only written: {}",
            said(self.synced),
            said(self.written)
        )
    }

    /// It as JSON.
    pub fn document(&self) -> Value {
        let judgement = self.judgement();
        json!({
            "mount": self.mount,
            "block_bytes": BLOCK,
            "written": self.written.document(),
            "synced": self.synced.document(),
            "judgement": judgement.name(),
            "meaning": judgement.words(),
        })
    }
}

/// Writes block after block, each followed by something, and says what each took.
fn rounds(
    file: &File,
    watch: &dyn Fn() -> Duration,
    after: impl Fn(&File) -> io::Result<()>,
) -> io::Result<Cost> {
    let begun = watch();
    let mut each = Vec::new();
    for offset in (0..).step_by(BLOCK).take(ROUNDS) {
        let before = watch();
        file.write_all_at(&[0x5a; BLOCK], offset)?;
        after(file)?;
        let now = watch();
        each.push(now.saturating_sub(before));
        if each.len() >= LEAST && now.saturating_sub(begun) > LIMIT {
            break;
        }
    }
    Cost::of(each).ok_or_else(|| io::Error::other("nothing was measured"))
}

/// A short time with its unit: `4 µs`, `1.2 ms`, `38 ms`.
fn fine(time: Duration) -> String {
    let micros = time.as_micros();
    match micros {
        0 => "under 1 µs".to_owned(),
        1..1_000 => format!("{micros} µs"),
        1_000..10_000 => format!("{}.{} ms", micros / 1_000, micros % 1_000 / 100),
        _ => format!("{} ms", micros / 1_000),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;

    fn probe(kind: &str, options: &str, written_us: u64, synced_us: u64) -> Probe {
        let cost = |us| Cost { p50: Duration::from_micros(us), p99: Duration::from_micros(us * 3) };
        let line = format!("1 1 1:1 / / {options} - {kind} /dev/vda1 rw");
        let mount = Mount::find(&line, Path::new("/x"));
        Probe { written: cost(written_us), synced: cost(synced_us), mount }
    }

    #[test]
    fn percentiles_are_by_nearest_rank() {
        let each: Vec<Duration> = (1..=200).rev().map(Duration::from_micros).collect();
        let cost = Cost::of(each).unwrap();
        assert_eq!((cost.p50.as_micros(), cost.p99.as_micros()), (100, 198));
        let one = Cost::of(vec![Duration::from_micros(7)]).unwrap();
        assert_eq!(one.p50, one.p99);
        assert_eq!(Cost::of(Vec::new()), None);
    }

    #[test]
    fn a_disk_is_judged_by_what_it_is_and_by_what_a_sync_costs() {
        let of = |kind, options, synced_us| probe(kind, options, 3, synced_us).judgement();
        assert_eq!(of("ext4", "rw", 800), Judgement::Waits);
        assert_eq!(of("ext4", "rw", 23), Judgement::Waits);
        assert_eq!(of("ext4", "rw", 22), Judgement::TooQuick);
        assert_eq!(of("ext4", "rw", 1), Judgement::TooQuick);
        // Memory is memory, however long it takes.
        assert_eq!(of("tmpfs", "rw", 800), Judgement::InMemory("tmpfs".into()));
        assert_eq!(of("xfs", "rw,nobarrier", 800), Judgement::TurnedOff("nobarrier".into()));
        assert_eq!(of("overlay", "rw,volatile", 800), Judgement::TurnedOff("volatile".into()));
        let unknown = Probe { mount: None, ..probe("", "", 3, 800) };
        assert_eq!(unknown.judgement(), Judgement::Waits);
    }

    #[test]
    fn judgements_are_said_in_plain_words() {
        assert!(!Judgement::Waits.warns());
        let words = |kind, synced_us| probe(kind, "rw", 3, synced_us).judgement().words();
        assert_eq!(words("ext4", 900), "every sync is waited for");
        assert_eq!(
            words("ramfs", 900),
            "ramfs is made of memory and does not survive a restart: put the home on a disk \
             with --home DIR"
        );
        assert_eq!(
            words("ext4", 4),
            "it answers a sync faster than any disk can: the device or the hypervisor may keep \
             it in a cache; only a power cut can prove it"
        );
        assert!(Judgement::TurnedOff("barrier=0".into()).words().contains("`barrier=0`"));
    }

    #[test]
    fn what_was_measured_is_said_with_units() {
        let probe = probe("ext4", "rw", 4, 1_234);
        assert_eq!(probe.place(), "ext4 on /dev/vda1, mounted at /");
        assert_eq!(
            probe.cost(),
            "512 bytes written and synced: 1.2 ms (p50), 3.7 ms (p99); \
             only written: 4 µs (p50), 12 µs (p99)"
        );
        assert_eq!(fine(Duration::from_millis(38)), "38 ms");
        assert_eq!(fine(Duration::from_nanos(400)), "under 1 µs");
        assert_eq!(probe.document()["synced"]["p99_us"], 3_702);
    }

    #[test]
    fn a_probe_measures_both_and_leaves_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let ticks = Cell::new(0);
        let watch = || {
            ticks.set(ticks.get() + 1);
            Duration::from_micros(ticks.get())
        };
        let probe = Probe::take(dir.path(), &watch).unwrap();
        // Two looks at the watch a block: each operation takes one tick of it.
        assert_eq!(probe.written.p99, Duration::from_micros(1));
        assert_eq!(probe.synced, probe.written);
        assert_eq!(ticks.get(), 2 * (1 + 2 * ROUNDS as u64));
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_slow_disk_is_not_measured_for_long() {
        let dir = tempfile::tempdir().unwrap();
        let ticks = Cell::new(0);
        let watch = || {
            ticks.set(ticks.get() + 1);
            Duration::from_millis(100 * ticks.get())
        };
        Probe::take(dir.path(), &watch).unwrap();
        assert_eq!(ticks.get(), 2 * (1 + 2 * LEAST as u64));
    }
}
