//! Histories that once broke a law, shrunk.

use crate::history::{Histories, Step, Step::Rest, Step::Start};
use crate::machine::{Deed, Wish};
use crate::plan::{Kind, NodePlan};
use crate::trouble::{At, Trouble};
use escrr_engine::Verb;

fn node(kind: Kind) -> NodePlan {
    NodePlan {
        needs: Vec::new(),
        kind,
        parts: 1,
        lane: None,
        token: false,
        burns: false,
        marked: false,
        takes_ms: 0,
        hidden_ms: 0,
        goes_ms: 0,
        pauses: 0,
    }
}

/// What happens to a catalog of this one node, and then that faults stop.
fn history(node: NodePlan, steps: impl IntoIterator<Item = Step>) {
    Histories::replay(vec![node], steps);
}

fn trouble(at: At, what: Trouble) -> Step {
    Step::Trouble(0, at, what)
}

fn others(deed: Deed) -> Step {
    Step::Others((0, String::new()), deed)
}

#[test]
fn what_is_to_stay_stays_when_a_process_dies_right_after_announcing_its_undo() {
    let steps = [
        Start(Wish::Run),
        Rest,
        Start(Wish::Rollback),
        Step::CrashAfter(1),
        Start(Wish::Resume),
        Rest,
    ];
    history(node(Kind::Keep), steps);
}

#[test]
fn a_late_call_is_taken_back_although_the_node_ended_as_found() {
    let steps = [
        trouble(At::Make, Trouble::DieLate(6_000)),
        Start(Wish::Run),
        Rest,
        others(Deed::Make),
        Start(Wish::Run),
        Rest,
        Start(Wish::Rollback),
        Rest,
    ];
    history(NodePlan { token: true, marked: true, ..node(Kind::Undo) }, steps);
}

#[test]
fn a_late_call_is_taken_back_although_a_later_one_completed_the_node() {
    let steps = [
        trouble(At::Make, Trouble::DieLate(6_000)),
        Start(Wish::Run),
        Rest,
        Start(Wish::Run),
        Rest,
        Start(Wish::Rollback),
        Rest,
    ];
    history(node(Kind::Undo), steps);
}

#[test]
fn a_refused_look_does_not_make_a_second_thing_beside_one_that_does_not_show_yet() {
    let steps = [
        trouble(At::Make, Trouble::DieAfter),
        Start(Wish::Run),
        Rest,
        trouble(At::Look, Trouble::Refuse),
        Start(Wish::Run),
        Rest,
        Start(Wish::Resume),
        Rest,
    ];
    history(NodePlan { token: true, hidden_ms: 3_000, ..node(Kind::Undo) }, steps);
}

#[test]
fn a_refused_call_does_not_make_a_second_thing_beside_one_that_is_late() {
    let steps = [
        trouble(At::Make, Trouble::Late(6_000)),
        trouble(At::Make, Trouble::Refuse),
        Start(Wish::Run),
        Rest,
        Start(Wish::Resume),
        Rest,
    ];
    history(NodePlan { token: true, ..node(Kind::Undo) }, steps);
}

#[test]
fn calls_that_go_through_and_do_nothing_are_not_made_for_ever() {
    let steps = [
        trouble(At::Make, Trouble::DieAfter),
        Start(Wish::Run),
        Rest,
        others(Deed::Remove),
        Start(Wish::Run),
        Rest,
    ];
    history(NodePlan { token: true, burns: true, takes_ms: 7_000, ..node(Kind::Undo) }, steps);
}

#[test]
fn nothing_is_decided_over_a_saga_that_has_come_to_its_end() {
    let steps = [
        trouble(At::Look, Trouble::Refuse),
        Start(Wish::Run),
        Rest,
        Start(Wish::Rollback),
        Rest,
        Step::Decide(0, Verb::Retry),
    ];
    history(node(Kind::Undo), steps);
}
