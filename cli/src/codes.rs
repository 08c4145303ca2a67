//! The codes of errors, one line each, and the page of each.
//!
//! The page of `E0101` is `explain/pages/E0101.md`: a line here without a page does not compile.

use crate::exit::{Exit, Halt};
use crate::explain::Page;
use escrr_engine::Class;

/// A kind of error: what people look up, and what the process ends with. There are no others than
/// those of this file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Code {
    /// `E0101`; never reused.
    pub id: &'static str,
    /// What the process ends with.
    pub exit: Exit,
    /// What it is, in a few words.
    pub title: &'static str,
    page: Page,
}

impl Code {
    /// Other exit codes that a node which stopped with this error ends the process with: where it
    /// waits for a person, and where it could not be taken back.
    pub fn other_exits(&self) -> Vec<(Halt, Exit)> {
        let class = CLASSES.into_iter().find(|class| for_class(*class) == *self);
        let of = |halt| class.map(|class| (halt, Exit::of(class, halt)));
        let waits = matches!(class, Some(Class::Overdue | Class::Unreachable));
        let parked = of(Halt::Parked).filter(|_| waits);
        parked.into_iter().chain(of(Halt::GoingBack)).collect()
    }

    /// The exit codes in a sentence.
    pub fn ends(&self) -> String {
        let others = self.other_exits().into_iter().map(|(halt, exit)| match halt {
            Halt::Failed => format!("; {}, `{}`, where a node failed", exit.code(), exit.class()),
            Halt::Parked => format!("; {}, `{}`, where the node waits", exit.code(), exit.class()),
            Halt::GoingBack => format!("; {}, `{}`, in a rollback", exit.code(), exit.class()),
        });
        let own = format!("{}, `{}`", self.exit.code(), self.exit.class());
        std::iter::once(own).chain(others).collect()
    }

    /// What happened, what it means, what to do and who says so.
    pub const fn page(&self) -> Page {
        self.page
    }
}

/// The code that a text names: `E0101`, `e0101`, or what an error began with, `error[E0101]:`.
pub fn find(text: &str) -> Option<Code> {
    let text = text.to_ascii_uppercase();
    let mut words = text.split(|c: char| !c.is_ascii_alphanumeric());
    words.find_map(|word| ALL.iter().copied().find(|code| code.id == word))
}

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $id:literal, $exit:ident, $title:literal;)*) => {
        $($(#[$doc])* pub const $name: Code = Code {
            id: $id,
            exit: Exit::$exit,
            title: $title,
            page: Page::new(include_str!(concat!("explain/pages/", $id, ".md"))),
        };)*

        /// Every code there is, in order.
        pub const ALL: &[Code] = &[$($name),*];
    };
}

codes! {
    /// The command line asks for something that cannot be.
    USAGE = "E0001", Usage, "the command line is wrong";
    /// A question had to be asked, but there is nobody to answer.
    NOBODY_TO_ASK = "E0002", Usage, "nobody can be asked";
    /// A person said no.
    DECLINED = "E0003", Usage, "not confirmed";
    /// A file that was named cannot be read.
    UNREADABLE = "E0004", Usage, "a file cannot be read";
    /// A file cannot be written.
    UNWRITABLE = "E0005", Failed, "a file cannot be written";
    /// A file is there already and would be lost.
    IN_THE_WAY = "E0006", Usage, "a file is in the way";
    /// The system lets the process have too little.
    LIMITS = "E0007", Failed, "the system's limits are too low";
    /// The spec is wrong.
    SPEC = "E0101", Usage, "the spec is wrong";
    /// A file is not a plan file, is damaged, or is of another version.
    PLAN_FILE = "E0102", Usage, "the plan file cannot be used";
    /// A plan file was made for something else than what is to be run.
    PLAN_OTHER = "E0103", Usage, "the plan is for something else";
    /// A reference to a secret leads nowhere.
    SECRET = "E0201", Usage, "a secret cannot be had";
    /// There is no access key.
    NO_CREDENTIALS = "E0202", Permission, "no access key";
    /// There is no place for the state.
    NO_HOME = "E0301", Usage, "no place for the state";
    /// Another process writes to the store.
    STORE_IN_USE = "E0302", InUse, "the store is in use";
    /// What is in the store cannot be right.
    STORE_DAMAGED = "E0303", StoreDamaged, "the store is damaged";
    /// A newer version wrote the store.
    STORE_NEWER = "E0304", StoreDamaged, "the store is of a newer version";
    /// The disk is full.
    STORE_FULL = "E0305", Failed, "the disk is full";
    /// The system refused something to the store.
    STORE_IO = "E0306", Failed, "the store cannot be used";
    /// The store takes nothing more from this process.
    STORE_LOST = "E0307", Failed, "the store takes nothing more";
    /// A journal cannot be folded.
    JOURNAL = "E0308", StoreDamaged, "a journal cannot be read";
    /// A saga was begun with other steps than this version has.
    EDITION = "E0309", Failed, "begun with another version";
    /// A file does not hold sagas that fit in here.
    NOT_IMPORTED = "E0310", Usage, "the file cannot be imported";
    /// Entries of a saga were lost with a damaged store.
    HISTORY = "E0311", StoreDamaged, "the history is incomplete";
    /// No sandbox runs.
    NO_SANDBOX = "E0401", Failed, "no sandbox is running";
    /// A sandbox runs already.
    SANDBOX_RUNS = "E0402", InUse, "a sandbox is running";
    /// The sandbox cannot be started.
    SANDBOX_START = "E0403", Failed, "the sandbox cannot be started";
    /// The running sandbox did not do as asked.
    SANDBOX_CONTROL = "E0404", Failed, "the sandbox did not do as asked";
    /// The world file is wrong.
    WORLD_FILE = "E0405", Usage, "the world file is wrong";
    /// The link's saga has not ended.
    LIVE_SAGA = "E0501", Failed, "the link's saga is live";
    /// There is no such saga, or more than one that could be meant.
    NO_SAGA = "E0502", Usage, "which saga is not clear";
    /// There is no such node.
    NO_NODE = "E0503", Usage, "there is no such node";
    /// Nothing can be decided over the node.
    NOT_DECIDABLE = "E0504", Usage, "nothing to decide over the node";
    /// The link was set up with another spec.
    OTHER_SPEC = "E0505", Usage, "set up with another spec";
    /// The saga belongs to another cloud.
    OTHER_WORLD = "E0506", Usage, "begun in another cloud";
    /// What the link is made of is no longer as it was.
    CHANGED = "E0507", Failed, "the link has changed";
    /// Something is left that nobody takes back.
    LEFT_BEHIND = "E0508", LeftBehind, "something is left behind";
    /// The world is not as it was when the plan was made.
    PLAN_CHANGED = "E0509", Changes, "the world has changed since the plan";
    /// The credentials are those of another account.
    OTHER_ACCOUNT = "E0510", Permission, "credentials of another account";
    /// Killed on purpose, a run did not go on as it has to.
    SELFTEST = "E0601", Failed, "the self-test failed";
    /// The other side said no.
    REFUSED = "E1001", Failed, "refused";
    /// A prerequisite does not hold.
    PREREQUISITE = "E1002", Blocked, "a prerequisite does not hold";
    /// Credentials or permissions are missing, wrong or expired.
    PERMISSION = "E1003", Permission, "not permitted";
    /// A quota is used up, a service is not activated, an approval is missing.
    APPROVAL = "E1004", Parked, "a person has to act";
    /// The replicated data is not as it should be.
    VERIFICATION = "E1005", Verification, "verification failed";
    /// There, but not as the spec says.
    DRIFT = "E1006", Failed, "changed by somebody else";
    /// Nobody answers at the address.
    UNREACHABLE = "E1007", Failed, "nobody answers";
    /// It took longer than the node's patience.
    OVERDUE = "E1008", Failed, "overdue";
    /// Our own mistake.
    BUG = "E9001", Failed, "a mistake in escrr itself";
}

/// Every class of failure.
const CLASSES: [Class; 9] = [
    Class::Refused,
    Class::Prerequisite,
    Class::Permission,
    Class::Approval,
    Class::Verification,
    Class::Drift,
    Class::Unreachable,
    Class::Overdue,
    Class::Bug,
];

/// The code for a failure of the engine or of a step.
pub const fn for_class(class: Class) -> Code {
    match class {
        Class::Refused => REFUSED,
        Class::Prerequisite => PREREQUISITE,
        Class::Permission => PERMISSION,
        Class::Approval => APPROVAL,
        Class::Verification => VERIFICATION,
        Class::Drift => DRIFT,
        Class::Unreachable => UNREACHABLE,
        Class::Overdue => OVERDUE,
        Class::Bug => BUG,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_in_order_and_of_one_form() {
        assert!(ALL.is_sorted_by(|a, b| a.id < b.id));
        for code in ALL {
            assert!(code.id.len() == 5 && code.id.starts_with('E'), "{code:?}");
            assert!(code.id[1..].chars().all(|c| c.is_ascii_digit()), "{code:?}");
            assert_ne!(code.exit, Exit::Done);
        }
    }

    #[test]
    fn a_class_and_its_code_end_the_same_way() {
        for class in CLASSES {
            assert_eq!(for_class(class).exit, Exit::from(class));
        }
        let all = OVERDUE.other_exits();
        assert_eq!(all, [(Halt::Parked, Exit::Parked), (Halt::GoingBack, Exit::LeftBehind)]);
        assert_eq!(USAGE.other_exits(), []);
    }
}
