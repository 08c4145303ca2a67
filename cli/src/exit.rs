//! Exit codes: a contract with scripts; a change is a breaking change.

use escrr_engine::Class;
use std::process::ExitCode;

/// What the process says when it ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Exit {
    /// Done, or there was nothing to do.
    Done = 0,
    /// Failed; what was done is kept and `escrr resume` goes on.
    Failed = 1,
    /// The command line or the spec is wrong; nothing was begun.
    Usage = 2,
    /// There is something to make (`escrr plan --detailed-exitcode`), or the world is not as it was
    /// when the plan was made (`escrr run --plan`); nothing was done.
    Changes = 3,
    /// Credentials or permissions are missing, wrong or expired.
    Permission = 4,
    /// A prerequisite or a check blocks.
    Blocked = 5,
    /// Parked: a person has to act first.
    Parked = 6,
    /// Another process is at work on it.
    InUse = 7,
    /// A rollback is incomplete, or something is left behind.
    LeftBehind = 8,
    /// The replicated data is not as it should be, or lags too far behind.
    Verification = 9,
    /// The store is damaged.
    StoreDamaged = 10,
    /// Interrupted (SIGINT); the state is saved and `escrr resume` goes on.
    Interrupted = 130,
    /// Interrupted (SIGTERM, SIGHUP); the state is saved and `escrr resume` goes on.
    Terminated = 143,
}

impl Exit {
    /// Every code there is, in order.
    pub const ALL: [Self; 13] = [
        Self::Done,
        Self::Failed,
        Self::Usage,
        Self::Changes,
        Self::Permission,
        Self::Blocked,
        Self::Parked,
        Self::InUse,
        Self::LeftBehind,
        Self::Verification,
        Self::StoreDamaged,
        Self::Interrupted,
        Self::Terminated,
    ];

    /// The number.
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// The name in JSON (`class`).
    pub const fn class(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Usage => "usage",
            Self::Changes => "changes",
            Self::Permission => "permission",
            Self::Blocked => "blocked",
            Self::Parked => "parked",
            Self::InUse => "in_use",
            Self::LeftBehind => "left_behind",
            Self::Verification => "verification",
            Self::StoreDamaged => "store_damaged",
            Self::Interrupted | Self::Terminated => "interrupted",
        }
    }

    /// Does `escrr resume` go on from here?
    pub const fn resumable(self) -> bool {
        match self {
            Self::Failed
            | Self::Permission
            | Self::Blocked
            | Self::Parked
            | Self::LeftBehind
            | Self::Verification
            | Self::Interrupted
            | Self::Terminated => true,
            Self::Done | Self::Usage | Self::Changes | Self::InUse | Self::StoreDamaged => false,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

/// How a node stopped; with its class it decides what the process ends with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Halt {
    /// It failed on the way there.
    Failed,
    /// It waits for a person on the way there.
    Parked,
    /// It could not be taken back.
    GoingBack,
}

impl Exit {
    /// The one table of what a node that stopped ends the process with; the pages of the errors
    /// are made from it.
    pub const fn of(class: Class, halt: Halt) -> Self {
        match (halt, class) {
            (Halt::GoingBack, _) => Self::LeftBehind,
            (Halt::Failed | Halt::Parked, Class::Prerequisite) => Self::Blocked,
            (Halt::Failed | Halt::Parked, Class::Permission) => Self::Permission,
            (Halt::Failed | Halt::Parked, Class::Verification) => Self::Verification,
            (
                Halt::Failed,
                Class::Refused | Class::Drift | Class::Unreachable | Class::Overdue | Class::Bug,
            ) => Self::Failed,
            (Halt::Failed, Class::Approval) | (Halt::Parked, _) => Self::Parked,
        }
    }
}

impl From<Class> for Exit {
    fn from(class: Class) -> Self {
        Self::of(class, Halt::Failed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn the_codes_are_the_contracts() {
        let codes: Vec<u8> = Exit::ALL.iter().map(|exit| exit.code()).collect();
        assert_eq!(codes, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 130, 143]);
        let names: BTreeSet<&str> = Exit::ALL.iter().map(|exit| exit.class()).collect();
        // Two signals interrupt, and that is one class.
        assert_eq!(names.len(), Exit::ALL.len() - 1);
    }

    #[test]
    fn a_failures_class_gives_the_code() {
        assert_eq!(Exit::from(Class::Permission), Exit::Permission);
        assert_eq!(Exit::from(Class::Prerequisite), Exit::Blocked);
        assert_eq!(Exit::from(Class::Approval), Exit::Parked);
        assert_eq!(Exit::from(Class::Verification), Exit::Verification);
        assert_eq!(Exit::from(Class::Bug), Exit::Failed);
    }

    #[test]
    fn what_is_done_or_mistyped_is_not_resumed() {
        assert!(Exit::Interrupted.resumable() && Exit::Parked.resumable());
        assert!(!Exit::Done.resumable() && !Exit::Usage.resumable());
    }
}
