//! One life: a pretend cloud, a home, and the processes that work in them.

use super::child::{Binary, Ended};
use super::point::{Commits, Point, Way};
use super::verdict::{Verdict, compare, lost};
use super::workshop;
use crate::codes;
use crate::error::CommandError;
use crate::pretend::explain;
use crate::sandbox_control::Control;
use crate::session::catalog;
use crate::settings::Home;
use crate::store;
use crate::ui::document::event_line;
use escrr_engine::store::Moment;
use escrr_sandbox::{Options, Sandbox, Thing};
use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

/// The home's name in the directory of a life.
const HOME: &str = "home";
/// The name of the world there, where it is on the disk.
const WORLD: &str = "world";

/// A life that nobody disturbed: what others are held against.
#[derive(Clone, Debug)]
pub struct Clean {
    /// How many commits it made.
    pub commits: Commits,
    /// What existed at its beginning.
    pub begun: Vec<Thing>,
    /// What existed when the link was set up.
    pub set_up: Vec<Thing>,
    /// The journal until then.
    pub journal: Vec<String>,
    /// Home and world as they were then: lives that die on the way back begin here.
    pub kept: PathBuf,
}

/// A pretend cloud and a home on the disk.
struct Life<'a> {
    binary: &'a Binary,
    dir: PathBuf,
    sandbox: Sandbox,
    control: Control,
}

impl<'a> Life<'a> {
    /// A fresh world in memory, and a fresh home in a directory that is made.
    async fn fresh(dir: PathBuf, binary: &'a Binary) -> Result<Self, CommandError> {
        Self::start(dir, Options::default(), binary).await
    }

    /// The world and the home in a directory go on; what is not there is made.
    async fn on_disk(dir: PathBuf, binary: &'a Binary) -> Result<Self, CommandError> {
        // The world has to outlive its sandbox and no power cut: it is the other side.
        let options = Options { dir: Some(dir.join(WORLD)), lazy: true, ..Options::default() };
        Self::start(dir, options, binary).await
    }

    async fn start(
        dir: PathBuf,
        options: Options,
        binary: &'a Binary,
    ) -> Result<Self, CommandError> {
        Home::make(&dir.join(HOME)).map_err(|error| failed("cannot make", &dir, &error))?;
        let sandbox = Sandbox::start(options).await.map_err(|error| explain(&error))?;
        let control = Control::new(sandbox.addresses())?;
        let text = serde_json::to_string(sandbox.addresses())
            .map_err(|error| failed("cannot write", &dir, &error.into()))?;
        let life = Self { binary, dir, sandbox, control };
        fs::write(life.addresses(), text)
            .map_err(|error| failed("cannot write", &life.dir, &error))?;
        Ok(life)
    }

    fn addresses(&self) -> PathBuf {
        self.dir.join("sandbox.json")
    }

    fn home(&self) -> PathBuf {
        self.dir.join(HOME)
    }

    /// Runs a command that works in the pretend cloud.
    async fn escrr(&self, arguments: &[&str]) -> Result<Ended, CommandError> {
        let addresses = format!("--sandbox={}", self.addresses().display());
        let all: Vec<&str> = arguments.iter().copied().chain([addresses.as_str()]).collect();
        self.alone(&all).await
    }

    /// Runs a command, and notes what it said.
    async fn alone(&self, arguments: &[&str]) -> Result<Ended, CommandError> {
        let arguments: Vec<String> = arguments.iter().map(|one| (*one).to_owned()).collect();
        let ended = self.binary.run(&self.home(), &arguments).await?;
        let note = format!(
            "$ escrr {}\n{}\n{}{}\n",
            arguments.join(" "),
            ended.end,
            ended.stdout,
            ended.stderr
        );
        let path = self.dir.join("said.log");
        let file = OpenOptions::new().create(true).append(true).open(&path);
        file.and_then(|mut file| file.write_all(note.as_bytes()))
            .map_err(|error| failed("cannot write", &path, &error))?;
        Ok(ended)
    }

    /// Everything that exists.
    async fn inventory(&self) -> Result<Vec<Thing>, CommandError> {
        let answer = self.control.get("inventory").await?;
        serde_json::from_value(answer)
            .map_err(|error| CommandError::new(codes::SANDBOX_CONTROL, error.to_string()))
    }

    /// The journal as the store holds it right now, in lines. What is opened is a copy: the
    /// process that goes on has to find the store as the dead one left it.
    async fn journal(&self) -> Result<Vec<String>, CommandError> {
        let (home, copy) = (self.home(), self.dir.join("at-death"));
        let read = tokio::task::spawn_blocking(move || {
            workshop::copy(&home, &copy).map_err(|error| failed("cannot copy", &home, &error))?;
            entries(&Home::at(copy))
        });
        read.await.map_err(|error| CommandError::new(codes::BUG, error.to_string()))?
    }
}

fn failed(doing: &str, path: &Path, error: &io::Error) -> CommandError {
    CommandError::file(codes::UNWRITABLE, doing, path, error)
}

/// The journal of the only saga of a home, as `escrr events` prints it.
fn entries(home: &Home) -> Result<Vec<String>, CommandError> {
    let catalog = catalog()?;
    let reading = store::read(home)?;
    let Some(head) = reading.heads()?.into_iter().next() else { return Ok(Vec::new()) };
    let saga = head.saga.to_string();
    let line =
        |entry| serde_json::to_string(&event_line(&saga, &head.link, catalog.about(), entry));
    let lines: Result<Vec<String>, _> = reading.entries(head.saga, 1)?.iter().map(line).collect();
    lines.map_err(|error| CommandError::new(codes::BUG, error.to_string()))
}

/// Sets a link up and takes it back without a disturbance.
///
/// # Errors
/// It cannot be done at all, or leaves something already: then no kill can tell anything.
pub async fn undisturbed(dir: PathBuf, binary: &Binary) -> Result<Clean, CommandError> {
    let life = Life::on_disk(dir.clone(), binary).await?;
    let begun = life.inventory().await?;
    let ran = whole(&life, &["run", "--yes"]).await?;
    let set_up = life.inventory().await?;
    life.sandbox.stop().await;
    let kept = dir.join("set-up");
    put(&dir, &kept)?;

    let life = Life::on_disk(dir, binary).await?;
    let rolled_back = whole(&life, &["rollback", "--yes"]).await?;
    let left = compare(Way::Backward, &begun, &life.inventory().await?);
    let (mut there, back) = (lines(&ran), lines(&rolled_back));
    let commits = Commits { forward: there.len() as u64, backward: back.len() as u64 };
    let journal = there.clone();
    there.extend(back);
    let gone = lost(&there, &life.journal().await?);
    life.sandbox.stop().await;
    let what = Verdict { differences: left, lost: gone, ..Verdict::new(FIRST) }.evidence();
    if !what.is_empty() {
        let said = format!("an undisturbed run and rollback already differ\n{}", what.join("\n"));
        return Err(CommandError::new(codes::SELFTEST, said));
    }
    Ok(Clean { commits, begun, set_up, journal, kept })
}

/// Puts a home and the world that belongs to it somewhere else.
fn put(from: &Path, to: &Path) -> Result<(), CommandError> {
    let copied = [HOME, WORLD].map(|part| workshop::copy(&from.join(part), &to.join(part)));
    copied
        .into_iter()
        .collect::<io::Result<()>>()
        .map_err(|error| failed("cannot copy", from, &error))
}

fn lines(ended: &Ended) -> Vec<String> {
    ended.acknowledged().collect()
}

/// Where an undisturbed life would have been killed first.
const FIRST: Point = Point { way: Way::Forward, moment: Moment::Before(1) };

/// Runs a command that has to end well.
async fn whole(life: &Life<'_>, arguments: &[&str]) -> Result<Ended, CommandError> {
    let ended = life.escrr(arguments).await?;
    if ended.end.is_done() {
        return Ok(ended);
    }
    let damaged = ended.end.is_store_damaged();
    let code = if damaged { codes::STORE_DAMAGED } else { codes::SELFTEST };
    let said = format!("undisturbed, `escrr {}` {}", arguments.join(" "), ended.end);
    Err(CommandError::new(code, said).tried(ended.reason().to_owned()))
}

/// Lives until a point, dies there, goes on, and is held against the undisturbed life.
///
/// # Errors
/// The machine does not let it live: no process, no socket, no room.
pub async fn live(
    point: Point,
    clean: &Clean,
    dir: PathBuf,
    binary: &Binary,
) -> Result<Verdict, CommandError> {
    let (life, victim, mut acknowledged, wanted) = match point.way {
        Way::Forward => {
            let life = Life::fresh(dir, binary).await?;
            (life, "run", Vec::new(), &clean.set_up)
        }
        Way::Backward => {
            put(&clean.kept, &dir)?;
            let life = Life::on_disk(dir, binary).await?;
            (life, "rollback", clean.journal.clone(), &clean.begun)
        }
    };
    let mut verdict = Verdict::new(point);
    let moment = point.moment.to_string();
    let earlier = acknowledged.len();
    let killed = life.escrr(&[victim, "--yes", "--die", &moment]).await?;
    if !killed.end.is_killed() {
        let end = killed.end;
        verdict.trouble.push(format!("{victim} was to be killed, but {end}: {}", killed.reason()));
    }
    acknowledged.extend(killed.acknowledged());
    at_death(&life, earlier, &acknowledged, &mut verdict).await?;

    let went_on = match point {
        // Nothing was ever written: there is no saga yet, and the run begins anew.
        FIRST => life.escrr(&["run", "--yes"]).await?,
        Point { way: Way::Forward, .. } => life.escrr(&["resume"]).await?,
        Point { way: Way::Backward, .. } => life.escrr(&["rollback", "--yes"]).await?,
    };
    ended_well(&went_on, "going on", &mut verdict);
    acknowledged.extend(went_on.acknowledged());
    verdict.resumed = killed.end.is_killed() && went_on.end.is_done();

    let events = life.alone(&["events"]).await?;
    ended_well(&events, "events", &mut verdict);
    let journal: Vec<String> = events.acknowledged().collect();
    verdict.lost.extend(lost(&acknowledged, &journal));
    verdict.lost.sort();
    verdict.lost.dedup();
    verdict.differences = compare(point.way, wanted, &life.inventory().await?);
    let Life { sandbox, dir, .. } = life;
    sandbox.stop().await;
    if verdict.holds() {
        fs::remove_dir_all(&dir).map_err(|error| failed("cannot remove", &dir, &error))?;
    }
    Ok(verdict)
}

/// Looks at the store as the dead process left it: exactly the commits until the moment are
/// in it, and among them all that was acknowledged.
async fn at_death(
    life: &Life<'_>,
    earlier: usize,
    acknowledged: &[String],
    verdict: &mut Verdict,
) -> Result<(), CommandError> {
    let journal = match life.journal().await {
        Ok(journal) => journal,
        Err(error) if error.code.exit == codes::STORE_DAMAGED.exit => {
            verdict.unopened = true;
            verdict.trouble.push(format!("the store does not open after the kill: {error}"));
            return Ok(());
        }
        Err(error) => return Err(error),
    };
    verdict.lost.extend(lost(acknowledged, &journal));
    let committed = match verdict.point.moment {
        Moment::Before(commit) => commit.saturating_sub(1),
        Moment::After(commit) => commit,
    };
    // One process carries one saga, which writes one entry a commit.
    let due = usize::try_from(committed).unwrap_or(usize::MAX).saturating_add(earlier);
    if journal.len() < due {
        let kept = journal.len();
        verdict.lost.extend((kept + 1..=due).map(|seq| format!("{seq}, which was committed")));
    }
    if journal.len() > due {
        let kept = journal.len();
        verdict.trouble.push(format!("{due} entries were committed, and {kept} are there"));
    }
    Ok(())
}

/// Notes it if a command did not end well.
fn ended_well(ended: &Ended, name: &str, verdict: &mut Verdict) {
    if !ended.end.is_done() {
        verdict.trouble.push(format!("{name} {}: {}", ended.end, ended.reason()));
        verdict.unopened |= ended.end.is_store_damaged();
    }
}
