//! Opening and reading a home in which many sagas have ended.
//!
//! What is asked of a process is asked of a fresh one, with and without the disk's pages in
//! memory where dropping them is permitted.

use crate::measure::{complain, say, timed};
use crate::table::{Figure, Table, Wanted};
use crate::{CHILD, Error};
use escrr_engine::store::{Append, Holder, Home, Store as _};
use escrr_engine::{Entry, Event, Origin, Outcome, SagaId};
use escrr_steps::spec::defaults;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};

/// The argument that makes this program open a home and end.
pub(crate) const OPEN: &str = "--open-home";
/// The spec's size, in bytes.
const SPEC: usize = 2_500;
/// Sagas whose entries go to disk in one batch.
const BATCH: usize = 8;

/// Bytes of all entries, in the two forms in which they exist anyway.
#[derive(Clone, Copy, Debug, Default)]
struct Logical {
    /// As exported: a line of JSON each.
    json: usize,
    /// As the journal's frames hold it: id, version, time, the digest before it, and the event
    /// as JSON, in bincode.
    payload: usize,
}

/// Fills a home in `folder` and measures what opening and reading it takes.
pub(crate) fn measure(
    folder: &Path,
    sagas: usize,
    rounds: usize,
    table: &mut Table,
) -> Result<(), Error> {
    let home = folder.join("finished");
    let (filled, time) = timed(|| fill(&home, sagas));
    let (logical, entries) = filled?;
    complain(&format!("{sagas} sagas, {entries} entries, in {:.1} s", time.as_secs_f64()));
    let part = "Reading finished sagas";
    let mut add = |name: &str, unit, value, wanted| {
        table.add(Figure { part, name: name.to_owned(), unit, value, floor: None, wanted });
    };
    for _ in 0..rounds {
        if drop_pages() {
            add("open, cold", "s", open(&home)?.0, Wanted::AtMost(0.5));
        }
        let (time, peak) = open(&home)?;
        add("open, warm", "s", time, Wanted::Nothing);
        add("open: peak memory", "MiB", peak, Wanted::Nothing);
        let link = link(sagas / 2);
        let asks: [(&str, &[&str], Wanted); 2] = [
            ("status LINK", &["status", &link], Wanted::AtMost(0.15)),
            ("list", &["list"], Wanted::Nothing),
        ];
        for (name, words, wanted) in asks {
            if drop_pages() {
                add(&format!("{name}, cold"), "s", process(&home, words)?, Wanted::Nothing);
            }
            add(&format!("{name}, warm"), "s", process(&home, words)?, wanted);
            let name = format!("{name}: peak memory");
            add(&name, "MiB", peak_of(&home, words)?, Wanted::AtMost(64.0));
        }
    }
    let (allocated, apparent) = size(&home)?;
    add("on disk, allocated", "MiB", mebi(allocated), Wanted::Nothing);
    add("on disk, by length", "MiB", mebi(apparent), Wanted::Nothing);
    let mut against = |name: &str, bytes: usize, wanted| {
        let (name, unit, value) = (name.to_owned(), "MiB", mebi(allocated));
        table.add(Figure { part, name, unit, value, floor: Some(mebi(bytes as u64)), wanted });
    };
    against("… against exported lines", logical.json, Wanted::RatioAtMost(3.0));
    against("… against the payload of frames", logical.payload, Wanted::Nothing);
    Ok(())
}

#[expect(clippy::cast_precision_loss, reason = "sizes stay far below 2^52")]
fn mebi(bytes: u64) -> f64 {
    bytes as f64 / (1024.0 * 1024.0)
}

fn link(number: usize) -> String {
    format!("link-{number:05}")
}

/// Makes sagas that have ended; their bytes and how many entries there are.
fn fill(home: &Path, sagas: usize) -> Result<(Logical, usize), Error> {
    let nodes: Vec<String> =
        escrr_steps::catalog::catalog()?.about().iter().map(|about| about.id.to_string()).collect();
    let edition = escrr_steps::catalog::catalog()?.edition();
    let mut store = Home::open(home, &Holder::default())?;
    let fence = store.claim()?;
    let (mut logical, mut count) = (Logical::default(), 0);
    let numbers: Vec<usize> = (0..sagas).collect();
    for some in numbers.chunks(BATCH) {
        let mut batch = Vec::new();
        for number in some {
            batch.append(&mut journal(*number, &nodes, &edition));
        }
        for append in &batch {
            logical.json += append.entry.line().len() + 1;
            // The id, the version, the time, two lengths; then the digest and the event.
            let previous = append.entry.previous.len() / 2;
            let (event, least) = (append.entry.event_json().len(), 16 + 1 + 9 + 1 + 3);
            logical.payload += least + previous + event;
        }
        count += batch.len();
        store.commit(fence, &batch)?;
    }
    Ok((logical, count))
}

/// A whole journal: begun, every node announced and made, ended.
fn journal(number: usize, nodes: &[String], edition: &str) -> Vec<Append> {
    let begun_ms = 1_700_000_000_000 + number as u64 * 60_000;
    let saga = SagaId::new(begun_ms, [6; 10]);
    let mut spec = defaults::SANDBOX.replace("shanghai-hangzhou", &link(number));
    while spec.len() < SPEC {
        spec.push_str(
            "# Which indices are followed, and why these, was agreed with their owners.\n",
        );
    }
    let mut events = vec![Event::Created {
        link: link(number),
        spec,
        spec_digest: "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08".into(),
        edition: edition.to_owned(),
        program: env!("CARGO_PKG_VERSION").into(),
        world: "cloud".into(),
        world_id: None,
        actor: escrr_engine::Actor::default(),
    }];
    for (at, node) in nodes.iter().enumerate() {
        let thing = format!("{at:02}-bp1{number:08}{at:04}9yu0l");
        events.push(Event::Intended {
            node: node.clone(),
            generation: 1,
            token: format!("escrr-{number:016x}{at:016x}"),
            items: vec![String::new()],
        });
        let output = serde_json::json!({
            "id": format!("vpc-{thing}"), "region": "cn-shanghai", "status": "Available",
            "zones": ["cn-shanghai-e", "cn-shanghai-f"], "address": format!("10.1.{at}.7"),
        });
        let origin = Origin::Made;
        events.push(Event::Completed { node: node.clone(), origin, output, attempts: 1 });
    }
    events.push(Event::Finished { outcome: Outcome::Succeeded });
    let mut previous = String::new();
    let mut all = Vec::new();
    for (version, event) in (1_u64..).zip(events) {
        let at_ms = begun_ms + version * 900;
        let append = Append::new(saga, Entry { version, at_ms, previous, event });
        previous = append.entry.hash();
        all.push(append);
    }
    all
}

/// Empties the page cache; false where that is not permitted.
fn drop_pages() -> bool {
    let synced = Command::new("sync").status().is_ok_and(|status| status.success());
    synced && std::fs::write("/proc/sys/vm/drop_caches", "3").is_ok()
}

/// What a fresh process says of opening the home: seconds, and peak memory in MiB.
fn open(home: &Path) -> Result<(f64, f64), Error> {
    let output = Command::new(std::env::current_exe()?).arg(OPEN).arg(home).output()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let mut words = text.split_whitespace().map(str::parse);
    match (words.next(), words.next()) {
        (Some(time), Some(peak)) => Ok((time?, peak?)),
        _ => Err(String::from_utf8_lossy(&output.stderr).into_owned().into()),
    }
}

/// This process is the fresh one.
pub(crate) fn as_opener(home: &Path) -> Result<(), Error> {
    let (opened, time) = timed(|| Home::open(home, &Holder::default()));
    drop(opened?);
    say(&format!("{} {}", time.as_secs_f64(), peak_mib()?));
    Ok(())
}

fn escrr(program: &Path, home: &Path, words: &[&str]) -> Command {
    let mut command = Command::new(program);
    command.arg("--home").arg(home).args(words).stdout(Stdio::null()).env("NO_COLOR", "1");
    command
}

/// The binary as a process, in seconds.
fn process(home: &Path, words: &[&str]) -> Result<f64, Error> {
    let program = Path::new(env!("CARGO_BIN_EXE_escrr_under_test"));
    let (status, time) = timed(|| escrr(program, home, words).status());
    if !status?.success() {
        return Err(format!("escrr {} failed", words.join(" ")).into());
    }
    Ok(time.as_secs_f64())
}

/// The same within a child of this program, which can say at its end what it took, in MiB.
fn peak_of(home: &Path, words: &[&str]) -> Result<f64, Error> {
    let program = std::env::current_exe()?;
    let output = escrr(&program, home, words).env(CHILD, "1").output()?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let last = said.lines().last().ok_or("the child said nothing")?;
    Ok(last.parse().map_err(|_| said.clone())?)
}

/// This process is `escrr`.
pub(crate) fn as_escrr() -> ExitCode {
    let code = escrr::main();
    match peak_mib() {
        Ok(peak) => complain(&peak.to_string()),
        Err(error) => complain(&error.to_string()),
    }
    code
}

/// The most memory that this process ever had resident, in MiB.
fn peak_mib() -> Result<f64, Error> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kibi: f64 = line.and_then(|l| l.split_whitespace().next()).ok_or("no VmHWM")?.parse()?;
    Ok(kibi / 1024.0)
}

/// Bytes of all files under a folder: allocated, and by length.
fn size(folder: &Path) -> Result<(u64, u64), Error> {
    let (mut allocated, mut apparent) = (0, 0);
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let meta = entry.metadata()?;
        if meta.is_dir() {
            let (a, b) = size(&entry.path())?;
            allocated += a;
            apparent += b;
        } else {
            allocated += meta.blocks() * 512;
            apparent += meta.len();
        }
    }
    Ok((allocated, apparent))
}
