//! The power is cut: no image of the disk has lost what was promised, and each one opens.
//!
//! A debug run looks at few images. `ESCRR_POWER_IMAGES=2000` looks at more of them, and
//! `ESCRR_POWER_SEED` at others; the seed of every run is printed.

use crate::acknowledged::{Journals, Promise, Promised, events, lines};
use crate::disk::{Disk, Luck, Tree};
use crate::env::{Cloud, Env, bare, output};
use crate::random::{Random, wanted};
use crate::record::{Act, Recorder, line, tree};
use std::path::Path;
use std::sync::Mutex;

/// Images of each record in a run for every day.
const IMAGES: u64 = 20;
/// How many images are looked at side by side.
const SIDE_BY_SIDE: usize = 4;
/// Lines of a long spec: some 200 KB, which is more than a file of the journal likes to hold.
const REMARKS: usize = 5000;
/// Of so many images one is carried on to the end.
const RESUMED: usize = 8;

/// A recorded run, the journals it left, and the cloud as it left it.
pub(crate) struct Recorded {
    pub(crate) env: Env,
    pub(crate) acts: Vec<Act>,
    pub(crate) journals: Journals,
    pub(crate) promises: Vec<Promise>,
}

/// One link, made and taken back, by two processes.
pub(crate) fn there_and_back(recorder: &Recorder) -> Recorded {
    let env = Env::new();
    recorder.run(&env, &["run", "--yes", "--output", "ndjson"]);
    recorder.run(&env, &["rollback", "--yes", "--output", "ndjson"]);
    recorded(env, recorder, &["shanghai-hangzhou"])
}

/// Two links, made side by side by one process, with specs that fill files.
pub(crate) fn two_links(recorder: &Recorder) -> Recorded {
    let world = concat!(env!("CARGO_MANIFEST_DIR"), "/sandbox/worlds/two-links.toml");
    let env = Env::over(Cloud::start(&["--world", world]));
    let spec = |link: &str, number: usize| {
        let text = format!(
            "link = \"{link}\"\n\
             [leader]\nregion = \"cn-shanghai\"\ninstance = \"es-cn-leader00000{number}\"\n\
             [follower]\nregion = \"cn-hangzhou\"\ninstance = \"es-cn-follower000{number}\"\n\
             [replication]\npatterns = [\"logs-*\"]\n\
             {}",
            "# A remark that is kept with the spec.\n".repeat(REMARKS)
        );
        let file = env.cloud.file().with_file_name(format!("{link}.toml"));
        std::fs::write(&file, text).unwrap();
        file.display().to_string()
    };
    recorder.run(&env, &["run", &spec("one", 1), &spec("two", 2), "--yes", "--output", "ndjson"]);
    recorded(env, recorder, &["one", "two"])
}

/// The record, compared with what is on the disk: nothing went unseen.
fn recorded(env: Env, recorder: &Recorder, links: &[&str]) -> Recorded {
    let acts = recorder.acts();
    let there: Tree = tree(env.home.path()).into_iter().collect();
    let replayed = Disk::after(&acts).now();
    let differs = |path: &&String| there.get(*path) != replayed.get(*path);
    let paths: Vec<&String> = there.keys().chain(replayed.keys()).filter(differs).collect();
    assert!(paths.is_empty(), "the record does not lead to what is on the disk: {paths:?}");
    let journals = Journals::of(&env, links);
    let promises = journals.promises(&acts);
    Recorded { env, acts, journals, promises }
}

/// What was counted over many images.
#[derive(Debug, Default)]
pub(crate) struct Figures {
    images: usize,
    torn: usize,
    promised: usize,
    pub(crate) lost: usize,
    pub(crate) closed: usize,
    resumed: usize,
    /// What went wrong, image by image.
    wrong: Vec<String>,
}

impl Figures {
    fn add(&mut self, other: Self) {
        self.images += other.images;
        self.torn += other.torn;
        self.promised += other.promised;
        self.lost += other.lost;
        self.closed += other.closed;
        self.resumed += other.resumed;
        self.wrong.extend(other.wrong);
    }

    fn say(&self, what: &str, seed: u64) {
        println!(
            "{what}: {} images, {} with torn writes, {} carried on, {} acknowledged entries \
             checked, {} lost, {} images that do not open (seed {seed})",
            self.images, self.torn, self.resumed, self.promised, self.lost, self.closed
        );
    }
}

/// One cut of a record.
struct Cut<'a> {
    recorded: &'a Recorded,
    /// So many acts were done before.
    at: usize,
    promised: Promised,
}

impl Cut<'_> {
    /// Opens an image and compares it with what was promised and with what was written at all.
    fn judge(&self, home: &Path, disk: &Disk) -> Figures {
        let mut figures = Figures { images: 1, ..Figures::default() };
        for (link, written) in &self.recorded.journals.0 {
            let promised = self.promised.get(link).copied().unwrap_or(0);
            figures.promised += promised;
            let read = events(home, link);
            let found = lines(&read);
            // Code 2: there is no such saga, and that may be.
            let opens = matches!(read.code, Some(0 | 2));
            figures.closed += usize::from(!opens);
            let lost = promised.saturating_sub(found.len());
            figures.lost += lost;
            if !opens || lost > 0 || !written.starts_with(&found) {
                figures.wrong.push(self.report(link, promised, &read, disk));
            }
        }
        figures
    }

    fn report(
        &self,
        link: &str,
        promised: usize,
        read: &crate::env::Output,
        disk: &Disk,
    ) -> String {
        let before = self.recorded.acts[..self.at].iter().rev().take(8).rev().map(line);
        format!(
            "cut after act {}: {link}: {promised} entries promised, {} read, exit code {:?}\n    \
             {}\n  not certain at the cut:\n    {}\n  the last acts:\n    {}",
            self.at,
            lines(read).len(),
            read.code,
            read.stderr.trim().replace('\n', "\n    "),
            disk.uncertain().join("\n    "),
            before.collect::<Vec<_>>().join("\n    ")
        )
    }

    /// Carries an image on against a cloud that is further on, and looks at the journal again.
    fn carry_on(&self, home: &Path, figures: &mut Figures) {
        for (link, promised) in self.promised.iter().filter(|(_, promised)| **promised > 0) {
            let sandbox = format!("--sandbox={}", self.recorded.env.cloud.file().display());
            let resume = || output(bare(home).args(["resume", link, &sandbox]));
            let mut resumed = resume();
            if resumed.code == Some(6) {
                // The cloud's time has gone on without it: what was waited for is overdue.
                resumed = resume();
            }
            let written = &self.recorded.journals.0[link][..*promised];
            let kept = lines(&events(home, link)).starts_with(written);
            if resumed.code != Some(0) || !kept {
                figures.wrong.push(format!("cut after act {}, resumed: {resumed:?}", self.at));
            }
            figures.resumed += 1;
        }
    }
}

/// Where to cut: most often between a write and its sync, or around a change of names.
fn moment(acts: &[Act], random: &mut Random) -> usize {
    let wanted: fn(&Act) -> bool = match random.below(6) {
        0 | 1 => |act| matches!(act, Act::Write { path, .. } if path.contains("/store/")),
        2 => |act| matches!(act, Act::Write { data, .. } if data.len() > 512),
        3 => |act| matches!(act, Act::Say { .. } | Act::Send { .. }),
        4 => |act| matches!(act, Act::Sync { .. }),
        _ => |act| !matches!(act, Act::Send { .. } | Act::Say { .. } | Act::Write { .. }),
    };
    let all = (1..).zip(acts).filter(|(_, act)| wanted(act)).map(|(at, _)| at);
    let all: Vec<usize> = all.collect();
    all[random.below(all.len())]
}

/// Looks at images of a record, from `from` on; `resume` says whether the cloud is further on.
pub(crate) fn look(recorded: &Recorded, images: u64, seed: u64, resume_from: usize) -> Figures {
    let queue = Mutex::new(0..images);
    let (all, one_at_a_time) = (Mutex::new(Figures::default()), Mutex::new(()));
    std::thread::scope(|scope| {
        for _ in 0..SIDE_BY_SIDE {
            scope.spawn(|| {
                loop {
                    let Some(number) = queue.lock().unwrap().next() else { break };
                    let mut random = Random::new(seed ^ (number << 32));
                    let at = moment(&recorded.acts, &mut random);
                    let disk = Disk::after(&recorded.acts[..at]);
                    let luck = Luck::any(&mut random);
                    let image = disk.image(&mut random, luck);
                    let home = tempfile::tempdir().unwrap();
                    lay_out(&image.tree, home.path());
                    let promised = recorded.journals.promised(&recorded.promises, at);
                    let cut = Cut { recorded, at, promised };
                    let mut figures = cut.judge(home.path(), &disk);
                    figures.torn = usize::from(image.torn);
                    if at >= resume_from && figures.wrong.is_empty() && random.below(RESUMED) == 0 {
                        let _alone = one_at_a_time.lock().unwrap();
                        cut.carry_on(home.path(), &mut figures);
                    }
                    all.lock().unwrap().add(figures);
                }
            });
        }
    });
    all.into_inner().unwrap()
}

fn lay_out(tree: &Tree, home: &Path) {
    for (path, content) in tree {
        let path = home.join(path.trim_start_matches('/'));
        match content {
            None => std::fs::create_dir(path).unwrap(),
            Some(bytes) => std::fs::write(path, bytes).unwrap(),
        }
    }
}

fn hold(figures: &Figures, what: &str, seed: u64) {
    figures.say(what, seed);
    let wrong: Vec<&str> = figures.wrong.iter().map(String::as_str).take(5).collect();
    assert!(
        wrong.is_empty(),
        "{} images are wrong, seed {seed}:\n{}",
        figures.wrong.len(),
        wrong.join("\n\n")
    );
}

#[test]
fn a_power_cut_loses_nothing_that_was_acknowledged() {
    let (images, seed) = (wanted("ESCRR_POWER_IMAGES", IMAGES), wanted("ESCRR_POWER_SEED", 1));
    let Some(recorder) = crate::recorder() else { return };
    let one = there_and_back(&recorder);
    // The cloud is empty in the end: further on than every moment of the rollback.
    let begun = (1..).zip(&one.acts).find(|(_, act)| {
        matches!(act, Act::Say { data } if String::from_utf8_lossy(data).contains("rollback_begun"))
    });
    let begun = begun.map(|(at, _)| at).unwrap();
    hold(&look(&one, images, seed, begun), "one link, made and taken back", seed);
    let Some(recorder) = crate::recorder() else { return };
    let two = two_links(&recorder);
    hold(&look(&two, images, seed, 0), "two links, made side by side", seed);
}

#[test]
fn without_syncs_what_was_acknowledged_is_lost() {
    let Some(recorder) = crate::recorder() else { return };
    let whole = there_and_back(&recorder);
    let folder = |path: &str| {
        whole
            .acts
            .iter()
            .any(|act| matches!(act, Act::MakeFolder { path: made, .. } if made == path))
            || path.is_empty()
    };
    for (what, gone) in [("files", false), ("folders", true)] {
        let kept = |act: &&Act| !matches!(act, Act::Sync { path, .. } if folder(path) == gone);
        let acts: Vec<Act> = whole.acts.iter().filter(kept).cloned().collect();
        assert!(acts.len() < whole.acts.len(), "nothing synced {what}");
        // The same process, but for the syncs.
        let env = Env::over(Cloud::start(&[]));
        let (journals, promises) = (whole.journals.clone(), whole.journals.promises(&acts));
        let without = Recorded { env, acts, journals, promises };
        let figures = look(&without, 20, 3, usize::MAX);
        figures.say(&format!("without syncs of {what}"), 3);
        assert!(figures.lost > 0 || figures.closed > 0, "{what}: nothing was lost");
    }
}
