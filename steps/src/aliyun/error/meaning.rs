//! The vendor's codes in words, for whoever looks one up.

use super::table::{Verdict, find};
use escrr_engine::Class;

/// What one of the vendor's codes means here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Meaning {
    /// What it means, in a fragment of a sentence.
    pub means: &'static str,
    /// What is done about it, in a sentence.
    pub then: &'static str,
    /// The kind of failure that it can end in; none if it does not end in one by itself.
    pub class: Option<Class>,
}

/// What a code of the vendor's means; none if the table does not know it, and then the status of
/// the answer decides.
pub fn meaning(code: &str) -> Option<Meaning> {
    let rule = find(None, code)?;
    let (then, class) = match rule.verdict {
        Verdict::Again => {
            ("It is tried again by itself, as long as the node's patience lasts.", Class::Overdue)
        }
        Verdict::Busy => {
            ("It is waited for by itself, as long as the node's patience lasts.", Class::Overdue)
        }
        Verdict::Gone => (
            "A look takes the thing for absent; where it has to be there, the node fails.",
            Class::Refused,
        ),
        Verdict::Permission => (
            "Nothing is tried again before the credentials or permissions are mended.",
            Class::Permission,
        ),
        Verdict::Approval => ("The saga is parked until a person has acted.", Class::Approval),
        Verdict::Uncertain => (
            "A look finds out whether it happened; a change is never repeated blindly.",
            Class::Unreachable,
        ),
        Verdict::Clock => ("Set this machine's clock, then resume.", Class::Prerequisite),
        Verdict::Ours => ("The request was wrong: a mistake in escrr.", Class::Bug),
        Verdict::DryRun => {
            let then = "It is how the vendor says yes to a rehearsal.";
            return Some(Meaning { means: rule.why, then, class: None });
        }
    };
    Some(Meaning { means: rule.why, then, class: Some(class) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_says_what_is_done_about_it() {
        let told = meaning("Throttling.User").unwrap();
        assert_eq!(told.class, Some(Class::Overdue));
        assert!(told.then.contains("again"), "{told:?}");
        assert_eq!(meaning("SignatureDoesNotMatch").unwrap().class, Some(Class::Permission));
        assert_eq!(meaning("DryRunOperation").unwrap().class, None);
        assert_eq!(meaning("E0101"), None);
    }
}
