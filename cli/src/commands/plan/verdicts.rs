//! What a verdict comes to: one word, a count, what a person reads of it.

use super::VERIFY;
use crate::ui::words::ids;
use escrr_engine::About;
use escrr_engine::survey::Verdict;
use serde_json::Value;

/// A node of a plan.
#[derive(Clone, Copy, Debug)]
pub(super) struct Row<'a> {
    /// Its position in the catalog.
    pub(super) at: usize,
    pub(super) about: &'a About,
    pub(super) verdict: &'a Verdict,
    /// Did the link's own saga make what it stands for?
    pub(super) ours: bool,
}

impl Row<'_> {
    /// A verdict in one word.
    pub(super) fn word(&self) -> &'static str {
        match self.verdict {
            Verdict::Found(_) if self.ours => "made",
            Verdict::Make(_) => "make",
            Verdict::Found(_) => "found",
            Verdict::Checked(_) => "holds",
            Verdict::Unneeded(_) => "unneeded",
            Verdict::Differs(_) => "differs",
            Verdict::Waits(_) => "waits",
            // What only looks is not made; it is looked at when its time comes.
            Verdict::After(_) if self.about.acts() => "make",
            Verdict::After(_) => "later",
            Verdict::Blocked(..) => "blocked",
            Verdict::Unlooked => "again",
        }
    }

    /// Would a run make something for this node, now or once what it needs is there?
    pub(super) fn will_make(&self) -> bool {
        self.word() == "make"
    }

    /// Does the node take time in a run that makes something?
    pub(super) fn takes_time(&self) -> bool {
        match self.verdict {
            Verdict::Make(_) | Verdict::After(_) | Verdict::Waits(_) => true,
            Verdict::Unlooked => self.about.phase == VERIFY,
            Verdict::Found(_)
            | Verdict::Checked(_)
            | Verdict::Unneeded(_)
            | Verdict::Differs(_)
            | Verdict::Blocked(..) => false,
        }
    }

    /// What rollback does with it and leaves, or what was seen.
    pub(super) fn remark(&self) -> String {
        let about = self.about;
        let reverse = about.rollback().unwrap_or_else(|| about.title.to_owned());
        match self.verdict {
            Verdict::Make(_) | Verdict::After(_) => reverse,
            Verdict::Found(_) if self.ours => reverse,
            Verdict::Found(output) => {
                let what = ids(output);
                let named = if what.is_empty() { String::new() } else { format!(": {what}") };
                format!("stays, it was there before{named}")
            }
            Verdict::Checked(output) => {
                // A cluster says by which way it was asked.
                let access = output.get("access").and_then(Value::as_str).unwrap_or_default();
                let by = if access.is_empty() { String::new() } else { format!("; by {access}") };
                format!("{}{by}", about.title)
            }
            Verdict::Unneeded(_) => "this link does not need it".to_owned(),
            Verdict::Differs(report) | Verdict::Blocked(_, report) => report.to_string(),
            Verdict::Waits(why) => why.clone(),
            Verdict::Unlooked => format!("a run sees to it: {}", about.title),
        }
    }
}

/// How many nodes have which verdict.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    /// A run would make them.
    pub(super) make: usize,
    /// This link's own saga made them.
    pub(super) made: usize,
    /// They were there before.
    pub(super) found: usize,
    /// There, but not as the spec says.
    pub(super) differ: usize,
    /// They could not be looked at, or a prerequisite does not hold.
    pub(super) blocked: usize,
    /// On their way.
    pub(super) waits: usize,
    /// They only look, and they are satisfied, or this link does not need them.
    pub(super) hold: usize,
    /// A run looks at them in their turn.
    pub(super) later: usize,
}

impl Counts {
    /// Counts some nodes.
    pub(super) fn of<'a>(rows: impl Iterator<Item = Row<'a>>) -> Self {
        let mut counts = Self::default();
        for row in rows {
            let slot = match row.verdict {
                Verdict::Found(_) if row.ours => &mut counts.made,
                Verdict::Make(_) => &mut counts.make,
                Verdict::After(_) if row.about.acts() => &mut counts.make,
                Verdict::Found(_) => &mut counts.found,
                Verdict::Differs(_) => &mut counts.differ,
                Verdict::Blocked(..) => &mut counts.blocked,
                Verdict::Waits(_) => &mut counts.waits,
                Verdict::Checked(_) | Verdict::Unneeded(_) => &mut counts.hold,
                Verdict::After(_) | Verdict::Unlooked => &mut counts.later,
            };
            *slot += 1;
        }
        counts
    }

    /// Everything that is there as it should be.
    pub(super) const fn there(&self) -> usize {
        self.made + self.found + self.hold
    }

    /// `19 to make, 1 found, 0 differ`, and what else there is.
    pub(super) fn words(&self) -> String {
        self.said(|what| matches!(what, "to make" | "found" | "differ"))
    }

    /// The same without what there is none of.
    pub(super) fn brief(&self) -> String {
        self.said(|_| false)
    }

    fn said(&self, always: impl Fn(&str) -> bool) -> String {
        let all = [
            (self.make, "to make"),
            (self.made, "made"),
            (self.found, "found"),
            (self.differ, "differ"),
            (self.blocked, "in the way"),
            (self.waits, "on the way"),
            (self.hold, "hold"),
        ];
        let some = all.into_iter().filter(|(number, what)| *number > 0 || always(what));
        some.map(|(number, what)| format!("{number} {what}")).collect::<Vec<_>>().join(", ")
    }
}
