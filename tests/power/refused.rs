//! The disk gives up under a running process: it is full, or read-only, from one change on.
//!
//! A debug run tries few moments. `ESCRR_POWER_REFUSALS=100` tries more of them, and
//! `ESCRR_POWER_SEED` others; the seed of every run is printed.

use crate::acknowledged::{events, lines};
use crate::env::{Env, Output, shape};
use crate::random::{Random, wanted};
use crate::record::{Act, Recorder};
use rustix::io::Errno;
use serde_json::Value;

const LINK: &str = "shanghai-hangzhou";
/// Moments in a run for every day.
const REFUSALS: u64 = 6;
/// What the system says, and what of it a person has to read.
const WAYS: [(Errno, &str); 2] = [(Errno::NOSPC, "space"), (Errno::ROFS, "ead-only")];

/// What a disk that never refused anything led to.
struct Usual {
    /// What is there before, and what the link makes of it.
    before: Vec<String>,
    made: Vec<String>,
    /// Changes of the disk on the way there, and on the way back.
    there: usize,
    back: usize,
}

impl Usual {
    fn find() -> Option<Self> {
        let (env, recorder) = (Env::new(), crate::recorder()?);
        let before = shape(&env.inventory());
        let changes = || recorder.acts().iter().filter(|act| Act::changes(act)).count();
        recorder.run(&env, &["run", "--yes", "--output", "ndjson"]);
        let (made, there) = (shape(&env.inventory()), changes());
        recorder.run(&env, &["rollback", "--yes", "--output", "ndjson"]);
        Some(Self { before, made, there, back: changes() - there })
    }
}

/// One process on a disk that gives up, and what is known of it.
struct Refused<'a> {
    env: &'a Env,
    story: String,
}

impl Refused<'_> {
    /// It ended by itself, said why, and what it had told is there.
    fn ended_well(&self, ended: &Output, why: &str) {
        let story = format!("{}\n{}", self.story, ended.stderr);
        assert!(!ended.stderr.contains("panicked"), "{story}");
        // A change that nothing hangs on may be refused to a run that succeeds.
        assert!(matches!(ended.code, Some(0 | 1)), "{:?}: {story}", ended.code);
        assert!(ended.code == Some(0) || ended.stderr.contains(why), "{story}");
        let entries = ended.stdout.lines().filter_map(|line| serde_json::from_str(line).ok());
        let told = entries.filter_map(|entry: Value| entry["seq"].as_u64()).max().unwrap_or(0);
        let there = lines(&events(self.env.home.path(), LINK)).len();
        assert!(told <= there as u64, "{told} entries told, {there} there: {story}");
    }

    /// With room again everything goes on to its end.
    fn goes_on(&self, begin: &[&str]) {
        let resumed = self.env.escrr(&["resume"]);
        // 2: nothing was begun. What is not on its way back yet has nothing to be resumed.
        assert!(matches!(resumed.code, Some(0 | 2)), "{}\n{}", self.story, resumed.stderr);
        let again = self.env.escrr(begin);
        assert_eq!(again.code, Some(0), "{}\n{}", self.story, again.stderr);
    }
}

fn give_up(recorder: &Recorder, usual: &Usual, number: u64, seed: u64) {
    let mut random = Random::new(seed ^ (number << 32));
    let ((errno, why), back) = (random.of(&WAYS), random.eighths(3));
    let env = Env::new();
    let (begin, all): (&[&str], _) = if back {
        drop(env.escrr(&["run", "--yes"]).exits(0));
        (&["rollback", "--yes"], usual.back)
    } else {
        (&["run", "--yes"], usual.there)
    };
    let change = random.below(all) + 1;
    let story = format!("{begin:?}, {errno} from change {change} of {all} on, seed {seed}");
    let arguments: Vec<&str> = begin.iter().copied().chain(["--output", "ndjson"]).collect();
    let ended = recorder.refused(&env, &arguments, (change, errno.raw_os_error()));
    let refused = Refused { env: &env, story };
    refused.ended_well(&ended, why);
    refused.goes_on(begin);
    let wanted = if back { &usual.before } else { &usual.made };
    assert_eq!(&shape(&env.inventory()), wanted, "{}", refused.story);
}

#[test]
fn a_disk_that_gives_up_under_a_running_process_costs_nothing() {
    let (refusals, seed) =
        (wanted("ESCRR_POWER_REFUSALS", REFUSALS), wanted("ESCRR_POWER_SEED", 1));
    let Some(usual) = Usual::find() else { return };
    let Some(recorder) = crate::recorder() else { return };
    for number in 0..refusals {
        give_up(&recorder, &usual, number, seed);
    }
    println!(
        "{refusals} processes whose disk gave up: nothing lost, nothing twice, nothing left over \
         (seed {seed})"
    );
}
