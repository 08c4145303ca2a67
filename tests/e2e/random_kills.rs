//! Killed with SIGKILL at random moments, again and again: nothing that was said is lost, nothing
//! is made twice, nothing is left.
//!
//! A debug run kills some forty times. `ESCRR_KILLS=500` kills more often, `ESCRR_KILL_SEED`
//! at other moments; the seed is printed. The moments are counted in lines that were read, bytes
//! beyond them and turns of an empty loop, never in time.

use crate::env::{Env, Output, output, shape};
use crate::random::{Random, wanted};
use serde_json::Value;
use std::io::{BufRead as _, BufReader, Read as _};
use std::os::unix::process::ExitStatusExt as _;
use std::process::Stdio;
use std::sync::Mutex;

/// Kills in a run for every day.
const KILLS: u64 = 40;
/// How many lives are lived side by side.
const SIDE_BY_SIDE: usize = 4;
/// At most so many kills on the way there, and so many on the way back.
const KILLS_A_WAY: usize = 6;

/// What was counted.
#[derive(Clone, Copy, Debug, Default)]
struct Figures {
    lives: usize,
    at_random: usize,
    at_requests: usize,
    backward: usize,
    /// Entries that were said before a kill, and looked for afterwards.
    said: usize,
}

impl Figures {
    const fn kills(&self) -> usize {
        self.at_random + self.at_requests
    }

    const fn add(&mut self, other: Self) {
        self.lives += other.lives;
        self.at_random += other.at_random;
        self.at_requests += other.at_requests;
        self.backward += other.backward;
        self.said += other.said;
    }
}

/// One home and one cloud, and the journal as it was last read.
struct Life {
    env: Env,
    random: Random,
    journal: Vec<String>,
    figures: Figures,
    backward: bool,
}

/// How a process is killed.
enum Moment {
    /// After so many lines, so many bytes and so many turns.
    Read { lines: usize, bytes: usize, turns: usize },
    /// By the sandbox, at a request.
    Request,
}

impl Life {
    fn new(seed: u64) -> Self {
        let figures = Figures { lives: 1, ..Figures::default() };
        let random = Random::new(seed);
        Self { env: Env::new(), random, journal: Vec::new(), figures, backward: false }
    }

    /// There and back, killed on both ways.
    fn live(mut self, between: &[String]) -> Figures {
        let before = self.env.inventory();
        self.way();
        assert_eq!(shape(&self.env.inventory()), between, "{}", self.story());
        self.backward = true;
        self.way();
        assert_eq!(self.env.inventory(), before, "{}", self.story());
        self.figures
    }

    /// One way, to its end.
    fn way(&mut self) {
        for _ in 0..=self.random.below(KILLS_A_WAY) {
            self.process();
        }
        drop(self.env.escrr(&self.arguments()).exits(0));
        let journal = self.read();
        let last: Value = serde_json::from_str(journal.last().unwrap()).unwrap();
        assert_eq!(last["type"], "finished", "{}", self.story());
    }

    /// The command that goes on from where the last process was killed.
    fn arguments(&self) -> Vec<&'static str> {
        let begun = |kind: &str| self.journal.iter().any(|line| line.contains(kind));
        let mut all = match (self.backward, self.journal.is_empty()) {
            (false, true) => vec!["run", "--yes"],
            (false, false) => vec!["resume"],
            (true, _) if begun("\"rollback_begun\"") => vec!["resume"],
            (true, _) => vec!["rollback", "--yes"],
        };
        all.extend(["--output", "ndjson"]);
        all
    }

    fn moment(&mut self) -> Moment {
        if self.random.eighths(3) {
            let nth = (1 + self.random.below(150)).to_string();
            let when = if self.random.eighths(4) { "before" } else { "after" };
            self.env.fault(&["--nth", &nth, "--kill", when]);
            return Moment::Request;
        }
        let most = self.random.of(&[1, 6, 20, 60]);
        let lines = self.random.below(most);
        let most = self.random.of(&[1, 300]);
        let bytes = self.random.below(most);
        let most = self.random.of(&[1, 30_000, 1_000_000]);
        let turns = self.random.below(most);
        Moment::Read { lines, bytes, turns }
    }

    /// One process that is killed, if it has not ended before.
    fn process(&mut self) {
        let moment = self.moment();
        let mut command = self.env.command(&self.arguments());
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut said = Vec::new();
        if let Moment::Read { lines, bytes, turns } = moment {
            for _ in 0..lines {
                stdout.read_until(b'\n', &mut said).unwrap();
            }
            stdout.by_ref().take(bytes as u64).read_to_end(&mut said).unwrap();
            (0..turns).for_each(|_| std::hint::spin_loop());
            child.kill().unwrap();
        }
        stdout.read_to_end(&mut said).unwrap();
        let ended = child.wait().unwrap();
        if ended.signal() == Some(9) {
            match moment {
                Moment::Read { .. } => self.figures.at_random += 1,
                Moment::Request => self.figures.at_requests += 1,
            }
            self.figures.backward += usize::from(self.backward);
        } else {
            assert_eq!(ended.code(), Some(0), "{}", self.story());
        }
        self.env.fault(&["--clear"]);
        self.look_for(&said);
    }

    /// Everything that was said is in the journal, and the journal has only grown.
    fn look_for(&mut self, said: &[u8]) {
        let whole = said.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        let said = String::from_utf8(said[..whole].to_vec()).unwrap();
        let journal = self.read();
        assert!(journal.starts_with(&self.journal), "entries are gone\n{}", self.story());
        for line in said.lines().skip(1) {
            let entry: Value = serde_json::from_str(line).unwrap();
            let seq = usize::try_from(entry["seq"].as_u64().unwrap()).unwrap();
            let kept = journal.get(seq - 1).map(String::as_str);
            assert_eq!(kept, Some(line), "said before the kill\n{}", self.story());
            self.figures.said += 1;
        }
        self.journal = journal;
    }

    /// The journal as another process reads it.
    fn read(&self) -> Vec<String> {
        let read = self.env.alone(&["events", "--output", "ndjson"]);
        // Code 2: killed before there was a saga.
        let none = self.journal.is_empty() && read.code == Some(2);
        let read = if none { Output { stdout: String::new(), ..read } } else { read.exits(0) };
        read.stdout.lines().skip(1).map(str::to_owned).collect()
    }

    fn story(&self) -> String {
        format!("{:?}, backward: {}\n{}", self.figures, self.backward, self.journal.join("\n"))
    }
}

/// What exists after an undisturbed run.
fn undisturbed() -> Vec<String> {
    let env = Env::new();
    drop(output(&mut env.command(&["run", "--yes"])).exits(0));
    shape(&env.inventory())
}

#[test]
fn kills_at_random_moments_lose_nothing_and_double_nothing() {
    let (kills, seed) = (wanted("ESCRR_KILLS", KILLS), wanted("ESCRR_KILL_SEED", 1));
    let between = undisturbed();
    let (lives, all) = (Mutex::new(0_u64), Mutex::new(Figures::default()));
    std::thread::scope(|scope| {
        for _ in 0..SIDE_BY_SIDE {
            scope.spawn(|| {
                while (all.lock().unwrap().kills() as u64) < kills {
                    let life = {
                        let mut lives = lives.lock().unwrap();
                        *lives += 1;
                        *lives
                    };
                    let figures = Life::new(seed ^ (life << 32)).live(&between);
                    all.lock().unwrap().add(figures);
                }
            });
        }
    });
    let all = all.into_inner().unwrap();
    println!(
        "{} kills in {} lives: {} at random, {} at requests, {} of all on the way back; \
         {} entries said before a kill, 0 lost, 0 duplicates, 0 leaks (seed {seed})",
        all.kills(),
        all.lives,
        all.at_random,
        all.at_requests,
        all.backward,
        all.said
    );
    assert!(all.at_random > 0 && all.at_requests > 0 && all.backward > 0, "{all:?}");
}
