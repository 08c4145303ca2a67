//! Has the world changed since a plan was made? If so: where, node by node.

use super::Plan;
use super::file::{PlanFile, Planned};
use crate::codes;
use crate::error::CommandError;
use std::collections::BTreeMap;

/// A verdict's word in a sentence, for what was and for what is.
fn words(verdict: &str) -> &str {
    match verdict {
        "make" => "to be made",
        "found" => "there, made by somebody else",
        "made" => "there, made by this link",
        "holds" => "as it has to be",
        "unneeded" => "not needed",
        "differs" => "not as the spec says",
        "waits" => "on its way",
        "later" => "to be looked at later",
        "blocked" => "in the way",
        other => other,
    }
}

/// What was and what is, as a sentence.
fn change(was: &Planned, now: &Planned) -> String {
    let with = |planned: &Planned| match planned.what.as_str() {
        "" => String::new(),
        what => format!(" ({what})"),
    };
    if was.verdict != now.verdict {
        let (before, after) = (words(&was.verdict), words(&now.verdict));
        return format!("was {before}{}, is {after}{}", with(was), with(now));
    }
    match (&was.items, &now.items) {
        (Some(before), Some(after)) if before != after => {
            format!("{} is to be made now, and not {}", after.join(", "), before.join(", "))
        }
        _ if was.what.is_empty() && !now.what.is_empty() => format!("has {} now", now.what),
        _ if now.what.is_empty() && !was.what.is_empty() => format!("no longer has {}", was.what),
        _ if was.what != now.what => format!("has {} now, and had {}", now.what, was.what),
        _ => "is not as it was: `escrr plan --output json` shows it".to_owned(),
    }
}

/// Could it not be looked at then, or can it not be now, and is the same to be done?
fn follows(was: &Planned, now: &Planned) -> bool {
    let open = |planned: &Planned| {
        planned.verdict == "later" || (planned.verdict == "make" && planned.items.is_none())
    };
    let quiet = |planned: &Planned| matches!(planned.verdict.as_str(), "make" | "later" | "holds");
    (open(was) || open(now)) && quiet(was) && quiet(now)
}

impl Plan {
    /// Refuses a plan file when what it was made over is no longer there as it was.
    ///
    /// # Errors
    /// What has changed, node by node.
    pub(in crate::commands) fn is_still(&self, file: &PlanFile) -> Result<(), CommandError> {
        if self.world_digest() == file.world_digest() {
            return Ok(());
        }
        let said = format!(
            "the world is not as it was when the plan of {} was made\n{}",
            self.spec.link,
            self.changes_since(file).join("\n")
        );
        Err(CommandError::new(codes::PLAN_CHANGED, said)
            .meaning("a plan is carried out as it was made, or not at all; nothing was done")
            .hint("plan again, look at it, and run what you have seen"))
    }

    fn changes_since(&self, file: &PlanFile) -> Vec<String> {
        let was: BTreeMap<&str, &Planned> =
            file.nodes.iter().map(|planned| (planned.node.as_str(), planned)).collect();
        let mut lines = Vec::new();
        let mut following = 0;
        for (row, now) in self.rows().zip(self.planned()) {
            let before = was.get(now.node.as_str());
            match before {
                _ if row.about.phase == super::VERIFY => {}
                Some(before) if before.digest == now.digest => {}
                Some(before) if follows(before, &now) => following += 1,
                Some(before) => lines.push(format!("  {}: {}", now.node, change(before, &now))),
                None => lines.push(format!("  {}: is not in the plan", now.node)),
            }
        }
        if following > 0 {
            let nodes =
                if following == 1 { "1 node".to_owned() } else { format!("{following} nodes") };
            lines.push(format!("  and, with that, what can be looked at of {nodes}"));
        }
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn planned(verdict: &str, items: Option<&[&str]>, what: &str) -> Planned {
        Planned {
            node: "network.cen".into(),
            verdict: verdict.into(),
            items: items.map(|items| items.iter().map(|&item| item.to_owned()).collect()),
            what: what.into(),
            digest: String::new(),
        }
    }

    #[test]
    fn a_change_is_told_as_what_was_and_what_is() {
        let make = planned("make", Some(&[""]), "");
        let found = planned("found", None, "cen-1");
        assert_eq!(
            change(&make, &found),
            "was to be made, is there, made by somebody else (cen-1)"
        );
        let other = planned("found", None, "cen-2");
        assert_eq!(change(&found, &other), "has cen-2 now, and had cen-1");
        assert_eq!(change(&planned("holds", None, ""), &planned("holds", None, "a")), "has a now");
        let (one, two) = (planned("make", Some(&["a"]), ""), planned("make", Some(&["b"]), ""));
        assert_eq!(change(&one, &two), "b is to be made now, and not a");
    }

    #[test]
    fn what_only_follows_from_another_change_is_told_from_what_is_one() {
        let (open, seen) = (planned("make", None, ""), planned("make", Some(&[""]), ""));
        assert!(follows(&open, &seen) && follows(&seen, &open));
        assert!(follows(&planned("later", None, ""), &planned("holds", None, "x")));
        assert!(!follows(&open, &planned("found", None, "tr-1")));
        assert!(!follows(&seen, &planned("make", Some(&["b"]), "")));
    }
}
