//! Killed with SIGKILL at every change, before and after it takes effect, forward and back:
//! nothing twice, nothing left.

use crate::env::{Env, shape};
use std::sync::Mutex;

/// How many scenarios run side by side.
const SIDE_BY_SIDE: usize = 4;

struct Undisturbed {
    forward: usize,
    backward: usize,
    between: Vec<String>,
}

fn undisturbed() -> Undisturbed {
    let env = Env::new();
    drop(env.escrr(&["run", "--yes"]).exits(0));
    let forward = env.changes().len();
    let between = shape(&env.inventory());
    drop(env.escrr(&["rollback", "--yes"]).exits(0));
    Undisturbed { forward, backward: env.changes().len() - forward, between }
}

/// One life: killed once on the way there and once on the way back; how often it was killed.
fn scenario(clean: &Undisturbed, at: usize, when: &str) -> usize {
    let env = Env::new();
    let before = env.inventory();
    let nth = at.to_string();
    let kill = ["--mutating", "--nth", &nth, "--kill", when];
    let mut killed = 0;
    if at <= clean.forward {
        env.fault(&kill);
        env.escrr(&["run", "--yes"]).dies_by_kill(&format!("{when} change {at}"));
        drop(env.escrr(&["resume"]).exits(0));
        killed += 1;
    } else {
        drop(env.escrr(&["run", "--yes"]).exits(0));
    }
    assert_eq!(shape(&env.inventory()), clean.between, "killed {when} change {at}");
    if at <= clean.backward {
        env.fault(&kill);
        env.escrr(&["rollback", "--yes"]).dies_by_kill(&format!("{when} undo {at}"));
        killed += 1;
    }
    drop(env.escrr(&["rollback", "--yes"]).exits(0));
    assert_eq!(env.inventory(), before, "killed {when} undo {at}");
    killed
}

#[test]
fn a_kill_at_any_change_loses_nothing_and_doubles_nothing() {
    let clean = undisturbed();
    let last = clean.forward.max(clean.backward);
    let points: Vec<(usize, &str)> =
        (1..=last).flat_map(|at| [(at, "before"), (at, "after")]).collect();
    let (queue, killed) = (Mutex::new(points.into_iter()), Mutex::new(0));
    std::thread::scope(|scope| {
        for _ in 0..SIDE_BY_SIDE {
            scope.spawn(|| {
                loop {
                    let Some((at, when)) = queue.lock().unwrap().next() else { break };
                    let times = scenario(&clean, at, when);
                    *killed.lock().unwrap() += times;
                }
            });
        }
    });
    let killed = killed.into_inner().unwrap();
    println!(
        "killed at {killed} points: {} changes forward and {} backward, before and after each",
        clean.forward, clean.backward
    );
    assert_eq!(killed, 2 * (clean.forward + clean.backward));
}
