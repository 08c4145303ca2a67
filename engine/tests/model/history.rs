//! What can happen, in which order it makes sense, and what has to hold after each of it.

use crate::machine::{Deed, Machine, Wish};
use crate::plan::{Kind, Plan, plans};
use crate::things::Key;
use crate::trouble::{At, Trouble, troubles};
use escrr_engine::clock::Clock as _;
use escrr_engine::{NodeState, Outcome, Phase, Verb};
use proptest::prelude::*;
use proptest_state_machine::{ReferenceStateMachine, StateMachineTest};

/// Longer than any call is on its way, in milliseconds.
const QUIET_MS: u64 = 30_000;
/// A person may have to say "go on" so many times once nothing goes wrong any more: a node that
/// fails again fails for what it left undone before.
const MOST_RESUMES: usize = 4;

/// One thing that happens.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    Start(Wish),
    /// The process goes on for so many entries.
    Tick(usize),
    /// The process goes on to its end.
    Rest,
    /// The process dies now; what it was just writing may reach the disk.
    Crash {
        lands: bool,
    },
    /// The process goes on, and dies at the commit after so many.
    CrashAfter(u64),
    Interrupt,
    Decide(usize, Verb),
    Trouble(usize, At, Trouble),
    Others(Key, Deed),
    Pass(u64),
}

/// What the generator knows: enough to make sense.
#[derive(Clone)]
pub(crate) struct Reference {
    plan: Plan,
    /// A process may be alive.
    alive: bool,
}

/// A line a node: what is shown of a case that fails.
impl std::fmt::Debug for Reference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.plan.iter().try_for_each(|node| writeln!(f, "{node:?}"))
    }
}

pub(crate) struct Histories;

fn keys(plan: &Plan) -> Vec<Key> {
    let all = (0..).zip(plan);
    all.flat_map(|(at, node)| node.items().into_iter().map(move |item| (at, item))).collect()
}

impl ReferenceStateMachine for Histories {
    type State = Reference;
    type Transition = Step;

    fn init_state() -> BoxedStrategy<Reference> {
        plans().prop_map(|plan| Reference { plan, alive: false }).boxed()
    }

    fn transitions(state: &Reference) -> BoxedStrategy<Step> {
        let node = 0..state.plan.len();
        let trouble =
            (node.clone(), troubles()).prop_map(|(node, (at, what))| Step::Trouble(node, at, what));
        let deed = prop_oneof![
            Just(Deed::Make),
            Just(Deed::Remove),
            Just(Deed::Change),
            Just(Deed::Restore),
        ];
        let others = (prop::sample::select(keys(&state.plan)), deed)
            .prop_map(|(key, deed)| Step::Others(key, deed));
        if state.alive {
            return prop_oneof![
                5 => (1..6_usize).prop_map(Step::Tick),
                3 => Just(Step::Rest),
                1 => any::<bool>().prop_map(|lands| Step::Crash { lands }),
                1 => (0..8_u64).prop_map(Step::CrashAfter),
                1 => Just(Step::Interrupt),
                3 => trouble,
                2 => others,
            ]
            .boxed();
        }
        let wish =
            prop_oneof![2 => Just(Wish::Run), 3 => Just(Wish::Resume), 2 => Just(Wish::Rollback)];
        let verb = prop_oneof![Just(Verb::Retry), Just(Verb::Skip), Just(Verb::MarkDone)];
        let ms = prop_oneof![Just(500_u64), Just(5_000), Just(60_000)];
        prop_oneof![
            6 => wish.prop_map(Step::Start),
            2 => (node, verb).prop_map(|(node, verb)| Step::Decide(node, verb)),
            3 => trouble,
            2 => others,
            1 => ms.prop_map(Step::Pass),
        ]
        .boxed()
    }

    fn preconditions(state: &Reference, step: &Step) -> bool {
        match step {
            Step::Start(_) | Step::Decide(..) | Step::Pass(_) => !state.alive,
            Step::Tick(_)
            | Step::Rest
            | Step::Crash { .. }
            | Step::CrashAfter(_)
            | Step::Interrupt => state.alive,
            Step::Trouble(node, ..) | Step::Others((node, _), _) => *node < state.plan.len(),
        }
    }

    fn apply(mut state: Reference, step: &Step) -> Reference {
        state.alive = match step {
            Step::Start(_) => true,
            Step::Rest | Step::Crash { .. } | Step::CrashAfter(_) | Step::Interrupt => false,
            Step::Tick(_)
            | Step::Decide(..)
            | Step::Trouble(..)
            | Step::Others(..)
            | Step::Pass(_) => state.alive,
        };
        state
    }
}

impl StateMachineTest for Histories {
    type SystemUnderTest = Machine;
    type Reference = Self;

    fn init_test(state: &Reference) -> Machine {
        Machine::new(state.plan.clone())
    }

    fn apply(mut machine: Machine, _: &Reference, step: Step) -> Machine {
        match step {
            Step::Start(wish) => machine.start(wish),
            Step::Tick(entries) => machine.go_on(entries),
            Step::Rest => machine.go_on(usize::MAX),
            Step::Crash { lands } => machine.close(lands),
            Step::CrashAfter(commits) => {
                machine.store.die_after(Some(commits));
                machine.go_on(usize::MAX);
                machine.store.die_after(None);
            }
            Step::Interrupt => machine.interrupt(),
            Step::Decide(at, verb) => decide(&mut machine, at, verb),
            Step::Trouble(node, at, trouble) => {
                machine.world.inside().orders.push((node, at, trouble));
            }
            Step::Others(key, deed) => machine.others(&key, deed),
            Step::Pass(ms) => machine.pass(ms),
        }
        machine
    }

    fn check_invariants(machine: &Machine, _: &Reference) {
        check(machine);
    }

    fn teardown(mut machine: Machine, _: Reference) {
        come_to_rest(&mut machine);
        machine.start(Wish::Rollback);
        machine.go_on(usize::MAX);
        check(&machine);
        come_to_rest(&mut machine);
        assert_eq!(machine.folded().unwrap().phase(), Phase::RolledBack);
        machine.pass(QUIET_MS);
        nothing_is_left(&machine);
    }
}

impl Histories {
    /// One history by hand.
    pub(crate) fn replay(plan: Plan, steps: impl IntoIterator<Item = Step>) {
        let mut state = Reference { plan, alive: false };
        let mut machine = Self::init_test(&state);
        for step in steps {
            assert!(<Self as ReferenceStateMachine>::preconditions(&state, &step), "{step:?}");
            state = <Self as ReferenceStateMachine>::apply(state, &step);
            machine = <Self as StateMachineTest>::apply(machine, &state, step);
            check(&machine);
        }
        Self::teardown(machine, state);
    }
}

/// The engine takes a decision exactly when there is something to decide.
fn decide(machine: &mut Machine, at: usize, verb: Verb) {
    let before = machine.world.ledger().unwrap();
    let taken = machine.decide(at, verb);
    let open = before.outcome.is_none() && before.pages[at].stopped();
    assert_eq!(taken, open, "deciding {verb:?} over {at}");
}

/// What holds at every moment.
fn check(machine: &Machine) {
    let breaches = machine.world.inside().things.breaches.clone();
    assert!(breaches.is_empty(), "{breaches:#?}");
    let ledger = machine.world.ledger().unwrap();
    let Some(saga) = machine.folded() else { return };
    assert_eq!(saga.phase(), ledger.phase());
    assert_eq!(saga.stopped(), ledger.stopped());
    let refusals = machine.world.inside().refusals.clone();
    for (at, (page, state)) in (0..).zip(ledger.pages.iter().zip(&saga.nodes)) {
        let told = refusals.get(&at).copied().unwrap_or(0);
        assert!(page.refusals <= told, "{at} was refused {told} times: {page:?}");
        assert_eq!(page.stopped(), state.stop().is_some(), "{page:?} {state:?}");
        assert_eq!(page.holds(), state.may_have_made(), "{page:?} {state:?}");
        let idle = matches!(state, NodeState::Idle { .. });
        assert_eq!(page.word == crate::ledger::Word::Idle, idle, "{page:?} {state:?}");
    }
    if ledger.outcome == Some(Outcome::RolledBack) {
        nothing_is_left(machine);
    }
}

/// After a rollback nothing made is left but what stays by design or by a person's word.
fn nothing_is_left(machine: &Machine) {
    let ledger = machine.world.ledger().unwrap();
    let ours = machine.world.inside().things.ours(machine.clock.now_ms());
    let left: Vec<_> = ours.iter().filter(|key| !ledger.pages[key.0].released).collect();
    assert!(left.is_empty(), "left after the rollback: {left:?}");
}

/// Nothing goes wrong any more, and a person goes on until there is an end.
fn come_to_rest(machine: &mut Machine) {
    {
        let mut inside = machine.world.inside();
        inside.orders.clear();
        inside.closed.clear();
        inside.bent.clear();
        inside.things.restore();
        inside.things.forget();
    }
    machine.go_on(usize::MAX);
    for _ in 0..MOST_RESUMES {
        check(machine);
        if machine.folded().is_some_and(|saga| saga.outcome.is_some()) {
            break;
        }
        // What was late and came changed nothing that anybody has to restore.
        machine.start(Wish::Resume);
        machine.go_on(usize::MAX);
    }
    check(machine);
    let saga = machine.folded().unwrap();
    assert!(saga.outcome.is_some(), "it comes to no end: {:?}", saga.nodes);
    if saga.outcome == Some(Outcome::Succeeded) {
        everything_is_there(machine);
    }
}

/// What a node that is done has made is there, unless somebody took it away since.
fn everything_is_there(machine: &Machine) {
    let ledger = machine.world.ledger().unwrap();
    let now_ms = machine.clock.now_ms();
    let inside = machine.world.inside();
    for key in keys(&machine.plan) {
        let made = ledger.pages[key.0].word == crate::ledger::Word::Made;
        let removed = inside.things.removed.contains(&key);
        let there = inside.things.living(&key, now_ms).next().is_some();
        let gate = machine.plan[key.0].kind == Kind::Gate;
        assert!(there || !made || removed || gate, "{key:?} is done and is not there");
    }
}
