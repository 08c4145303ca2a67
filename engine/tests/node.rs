//! The node machine under any order of events.

use escrr_engine::decide::{Move, UndoMove, decide, decide_undo};
use escrr_engine::{Class, Event, NodeState, Origin, Remains, Report, Seen, Verb};
use proptest::prelude::*;
use serde_json::Value;

fn event(kind: u8) -> Event {
    let (node, report) = ("a.b".to_owned(), Report::new("tried", "said"));
    let class = if kind > 12 { Class::Refused } else { Class::Permission };
    match kind % 10 {
        0 => Event::Intended {
            node,
            generation: 1,
            token: "t".into(),
            items: vec![kind.to_string()],
        },
        1 => Event::Completed { node, origin: Origin::Made, output: Value::Null, attempts: 1 },
        2 => Event::Completed { node, origin: Origin::Found, output: Value::Null, attempts: 0 },
        3 => Event::Failed { node, class, report, attempts: 1 },
        4 => Event::Parked { node, class, report },
        5 => Event::UndoIntended { node, items: vec![kind.to_string()] },
        6 => Event::Undone { node, kept: None, attempts: 1, account: Value::Null },
        7 => Event::Stuck { node, class, report },
        8 => Event::Resumed { by: "x".into(), actor: escrr_engine::Actor::default() },
        _ => Event::Decided {
            node,
            verb: Verb::Retry,
            reason: "r".into(),
            by: "x".into(),
            actor: escrr_engine::Actor::default(),
        },
    }
}

#[test]
fn a_definite_refusal_uses_up_the_token_and_nothing_else_does() {
    let intended = NodeState::default().apply(&event(0), 1).unwrap();
    let refused = intended.clone().apply(&event(13), 2).unwrap();
    let parked = intended.apply(&event(4), 2).unwrap();
    let resumed = Event::Resumed { by: "x".into(), actor: escrr_engine::Actor::default() };
    assert!(matches!(refused.apply(&resumed, 3), Ok(NodeState::Idle { earlier: Some(_) })));
    assert!(matches!(parked.apply(&resumed, 3), Ok(NodeState::Intended(i)) if i.at_ms == 3));
}

#[test]
fn what_an_undo_announced_is_remembered_when_it_got_stuck_and_goes_on() {
    let done = NodeState::default().apply(&event(0), 1).unwrap();
    let announced = |state: &NodeState| state.undo_items().cloned().unwrap_or_default();
    let undo = |items: &[&str]| Event::UndoIntended {
        node: "a.b".into(),
        items: items.iter().map(|item| (*item).to_owned()).collect(),
    };
    let undoing = done.apply(&undo(&[]), 2).unwrap();
    let undoing = undoing.apply(&undo(&["x"]), 3).unwrap().apply(&undo(&["y"]), 4).unwrap();
    assert!(matches!(undoing, NodeState::Undoing { since_ms: 2, .. }), "{undoing:?}");
    let stuck = undoing.apply(&event(7), 5).unwrap();
    assert_eq!(announced(&stuck).len(), 2);
    let again = stuck
        .apply(&Event::Resumed { by: "x".into(), actor: escrr_engine::Actor::default() }, 6)
        .unwrap();
    assert_eq!(announced(&again).into_iter().collect::<Vec<_>>(), ["x", "y"]);
    let settles = |settled| decide_undo(&Remains::Accounted(Value::from("a")), settled);
    assert_eq!(settles(false), UndoMove::Settle);
    assert_eq!(settles(true), UndoMove::Undone(Value::from("a")));
    let announce = Remains::Announce(vec!["z".into()]);
    assert_eq!(decide_undo(&announce, true), UndoMove::Announce(vec!["z".into()]));
}

proptest! {
    /// Whatever the order of events: what may have been made is never forgotten but by an undo
    /// or a person's word, and what was found before anything was announced is never undone.
    #[test]
    fn nothing_made_is_forgotten_and_nothing_found_undone(kinds in prop::collection::vec(0_u8..20, 0..40)) {
        let mut state = NodeState::default();
        for (at, kind) in (0..).zip(kinds) {
            let event = event(kind);
            let before = state.clone();
            let Ok(after) = state.clone().apply(&event, at) else { continue };
            if before.may_have_made() && !matches!(event, Event::Undone { .. }) {
                prop_assert!(after.may_have_made(), "{before:?} then {event:?} gives {after:?}");
            }
            if matches!(before, NodeState::Done { origin: Origin::Found, intent: None, .. }) {
                let undoing = matches!(after, NodeState::Undoing { .. });
                prop_assert!(!undoing);
            }
            if let (Some(had), Some(has)) = (before.intent(), after.intent()) {
                prop_assert!(had.items.is_subset(&has.items));
            }
            state = after;
        }
    }

    /// A call is only ever made for items that are announced.
    #[test]
    fn only_announced_items_are_acted_on(kinds in prop::collection::vec(0_u8..20, 0..12), items in prop::collection::vec("[a-c]|[0-9]", 1..4)) {
        let mut state = NodeState::default();
        for (at, kind) in (0..).zip(kinds) {
            if let Ok(next) = state.clone().apply(&event(kind), at) {
                state = next;
            }
            if let Move::Act(acted) = decide(&state, &Seen::Absent(items.clone()), true) {
                let NodeState::Intended(intent) = &state else { panic!("acts in {state:?}") };
                prop_assert!(acted.iter().all(|item| intent.items.contains(item)));
            }
        }
    }
}
