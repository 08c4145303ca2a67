//! What goes wrong with a look or a call.

use escrr_engine::{Class, Fault, Report};
use proptest::prelude::*;

/// The longest that a call is on its way, in milliseconds. With the longest that looks do not
/// show it, this is shorter than the time after which the engine believes in an absence: it
/// promises nothing for calls that take longer.
const LATEST_MS: u64 = 6_000;

/// Which of a node's doings is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum At {
    Look,
    Make,
    Unmake,
}

/// What goes wrong, once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// No, for good.
    Refuse,
    /// No, because of something that has to be there first.
    Prerequisite,
    /// A person has to act.
    Block,
    /// Nothing happened.
    Transient,
    /// Nothing happened, and a hint when to come again.
    Throttle(u64),
    /// It is being changed right now.
    Busy,
    /// It happened, and the answer cannot be read.
    Unreadable,
    /// It happened, and the answer is lost.
    Lose,
    /// It did not happen, and nobody knows.
    Vanish,
    /// It happens after so many milliseconds, and nobody knows.
    Late(u64),
    /// The process dies before it happens.
    DieBefore,
    /// The process dies after it happened.
    DieAfter,
    /// The process dies, and it happens after so many milliseconds.
    DieLate(u64),
}

impl Trouble {
    /// Does the call take effect at once?
    pub(crate) fn applies(self) -> bool {
        matches!(self, Self::Unreadable | Self::Lose | Self::DieAfter)
    }

    /// After how many milliseconds does it take effect, if it does so later?
    pub(crate) fn late_ms(self) -> Option<u64> {
        match self {
            Self::Late(late_ms) | Self::DieLate(late_ms) => Some(late_ms),
            _ => None,
        }
    }

    /// Does the process die of it?
    pub(crate) fn kills(self) -> bool {
        matches!(self, Self::DieBefore | Self::DieAfter | Self::DieLate(_))
    }

    /// Is it a definite no?
    pub(crate) fn refuses(self) -> bool {
        matches!(self, Self::Refuse | Self::Prerequisite)
    }

    /// What the engine is told.
    pub(crate) fn fault(self) -> Fault {
        let report = Report::new("a pretended call", format!("{self:?}"));
        match self {
            Self::Refuse => Fault::refused(report),
            Self::Prerequisite => Fault::prerequisite(report),
            Self::Block => Fault::Blocked { class: Class::Permission, report },
            Self::Transient => Fault::transient(report),
            Self::Throttle(hint_ms) => Fault::Transient { retry_after_ms: Some(hint_ms), report },
            Self::Busy => Fault::Busy(report),
            Self::Unreadable => Fault::Bug(report),
            _ => Fault::Unknown(report),
        }
    }
}

/// Which doing of a node goes wrong next, and how.
pub(crate) fn troubles() -> impl Strategy<Value = (At, Trouble)> {
    let late_ms = || prop_oneof![Just(100_u64), Just(1_500), Just(LATEST_MS)];
    let what = prop_oneof![
        2 => Just(Trouble::Refuse),
        1 => Just(Trouble::Prerequisite),
        1 => Just(Trouble::Block),
        1 => Just(Trouble::Transient),
        1 => prop_oneof![Just(10_u64), Just(90_000)].prop_map(Trouble::Throttle),
        1 => Just(Trouble::Busy),
        1 => Just(Trouble::Unreadable),
        2 => Just(Trouble::Lose),
        1 => Just(Trouble::Vanish),
        4 => late_ms().prop_map(Trouble::Late),
        1 => Just(Trouble::DieBefore),
        1 => Just(Trouble::DieAfter),
        1 => late_ms().prop_map(Trouble::DieLate),
    ];
    (prop_oneof![1 => Just(At::Look), 3 => Just(At::Make), 2 => Just(At::Unmake)], what)
}
