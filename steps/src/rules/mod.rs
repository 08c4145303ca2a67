//! The rules of the prerequisites as data, and what collects what breaks them.
//!
//! Every gate judges all of its rules before it answers: people are to learn of all problems at
//! once. [`RULES`] is also what the manual's page of prerequisites is made from.

mod table;

pub use table::*;

use crate::side::Which;
use crate::world::Memory;
use escrr_engine::{Fault, NodeId, Report};
use serde::{Deserialize, Serialize};

/// What follows when a rule does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weight {
    /// The run stops before anything is made.
    Stops,
    /// It is said, and the run goes on.
    Warns,
}

/// One rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Its name: it stands in warnings and in the manual.
    pub id: &'static str,
    /// The node that judges it.
    pub gate: &'static str,
    /// What must hold.
    pub holds: &'static str,
    /// What is looked at: the calls.
    pub evidence: &'static str,
    /// What helps where it does not hold.
    pub remedy: &'static str,
    /// Who says so.
    pub source: &'static str,
    /// What follows when it does not hold.
    pub weight: Weight,
}

/// Something that a person has to know and that stops nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Warning {
    /// The rule's name.
    pub rule: String,
    /// What was seen.
    pub said: String,
    /// What helps.
    pub help: String,
}

/// One rule that does not hold, for programs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// The rule's name.
    pub rule: String,
    /// The gate that judged it.
    pub node: String,
    /// The side that it is about, if it is about one.
    pub side: Option<String>,
    /// What was seen.
    pub evidence: String,
    /// What helps.
    pub remedy: String,
    /// Does it stop a run?
    pub stops: bool,
}

/// What one gate found.
#[derive(Debug, Default)]
pub(crate) struct Problems<'m> {
    /// Where it is remembered, and for which gate.
    memory: Option<(&'m Memory, NodeId)>,
    found: Vec<(&'static Rule, Option<Which>, String)>,
}

impl<'m> Problems<'m> {
    /// What a gate finds, remembered for whoever shows it.
    pub(crate) fn of(memory: &'m Memory, gate: NodeId) -> Self {
        Self { memory: Some((memory, gate)), found: Vec::new() }
    }

    /// Notes that a rule does not hold, with what was seen.
    pub(crate) fn add(&mut self, rule: &'static Rule, said: impl Into<String>) {
        self.found.push((rule, None, said.into()));
    }

    /// Notes the same about one side, for a gate that judges both.
    pub(crate) fn add_on(&mut self, which: Which, rule: &'static Rule, said: &str) {
        self.found.push((rule, Some(which), format!("{which}: {said}")));
    }

    /// Is there a rule that stops and does not hold?
    pub(crate) fn any(&self) -> bool {
        self.found.iter().any(|(rule, ..)| rule.weight == Weight::Stops)
    }

    /// Notes the same for what may not have been seen.
    pub(crate) fn add_all(&mut self, rule: &'static Rule, said: impl IntoIterator<Item = String>) {
        said.into_iter().for_each(|said| self.add(rule, said));
    }

    /// Gives the warnings, or one fault that names every problem and what helps.
    ///
    /// # Errors
    /// The gate's refusal, when a rule that stops does not hold.
    pub(crate) fn judged(self, tried: impl Into<String>) -> Result<Vec<Warning>, Fault> {
        self.remember();
        let (stops, warns): (Vec<_>, Vec<_>) =
            self.found.into_iter().partition(|(rule, ..)| rule.weight == Weight::Stops);
        let warnings: Vec<Warning> = warns
            .into_iter()
            .map(|(rule, _, said)| Warning {
                rule: rule.id.to_owned(),
                said,
                help: rule.remedy.to_owned(),
            })
            .collect();
        if stops.is_empty() {
            return Ok(warnings);
        }
        let mut help: Vec<&str> = Vec::new();
        for (rule, ..) in &stops {
            if !help.contains(&rule.remedy) {
                help.push(rule.remedy);
            }
        }
        let said: Vec<String> = stops.iter().map(|(_, _, said)| said.clone()).collect();
        let mut report = Report::new(tried, said.join("; ")).help(help.join("; "));
        // There is no output for the warnings to stand in.
        if !warnings.is_empty() {
            let all = warnings.iter().map(|w| format!("{}; {}", w.said, w.help));
            let all = all.collect::<Vec<_>>().join("; ");
            report = report.meaning(format!("what stops nothing by itself: {all}"));
        }
        Err(Fault::prerequisite(report))
    }

    /// Refuses with a report of the gate's own words.
    pub(crate) fn refused_as(self, report: Report) -> Fault {
        self.remember();
        Fault::prerequisite(report)
    }

    fn remember(&self) {
        if let Some((memory, gate)) = self.memory {
            memory.remember_problems(gate, self.data(gate));
        }
    }

    fn data(&self, gate: NodeId) -> Vec<Problem> {
        let own = [Which::Leader, Which::Follower].into_iter().find(|w| w.name() == gate.area);
        let one = |(rule, side, said): &(&Rule, Option<Which>, String)| Problem {
            rule: rule.id.to_owned(),
            node: gate.to_string(),
            side: side.or(own).map(|which| which.name().to_owned()),
            evidence: said.clone(),
            remedy: rule.remedy.to_owned(),
            stops: rule.weight == Weight::Stops,
        };
        self.found.iter().map(one).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn all_problems_come_at_once_and_warnings_stop_nothing() {
        let mut all = Problems::default();
        all.add(&CROSS_BORDER, "a border");
        let warnings = all.judged("looking").unwrap();
        assert_eq!(
            (warnings[0].rule.as_str(), warnings[0].said.as_str()),
            ("cross_border", "a border")
        );
        let mut all = Problems::default();
        all.add(&CROSS_BORDER, "a border");
        all.add_all(&BLOCKS, ["one".to_owned(), "two".to_owned()]);
        all.add(&STATUS, "three");
        let fault = all.judged("looking").unwrap_err();
        assert_eq!(fault.report().said, "one; two; three");
        let meaning = fault.report().meaning.clone().unwrap();
        assert!(meaning.contains("a border") && meaning.contains(CROSS_BORDER.remedy));
        assert_eq!(fault.report().help, Some(format!("{}; {}", BLOCKS.remedy, STATUS.remedy)));
    }

    #[test]
    fn what_was_found_is_remembered_as_data_and_by_gate() {
        let memory = Memory::default();
        let mut of_side = Problems::of(&memory, NodeId::new("leader", "edition"));
        of_side.add(&VERSION, "old");
        assert!(of_side.judged("looking").is_err());
        let mut of_both = Problems::of(&memory, NodeId::new("network", "zones"));
        of_both.add_on(Which::Follower, &NETWORK_ACL, "an ACL");
        assert!(of_both.judged("looking").is_ok());
        let rows: Vec<_> = memory.problems();
        let row = |p: &Problem| (p.rule.clone(), p.node.clone(), p.side.clone(), p.stops);
        let text = |t: &str| t.to_owned();
        assert_eq!(
            rows.iter().map(row).collect::<Vec<_>>(),
            [
                (text("version"), text("leader.edition"), Some(text("leader")), true),
                (text("network_acl"), text("network.zones"), Some(text("follower")), false),
            ]
        );
        assert_eq!(
            (rows[1].evidence.as_str(), rows[1].remedy.as_str()),
            ("follower: an ACL", NETWORK_ACL.remedy)
        );
        // A later look replaces what an earlier one found.
        drop(Problems::of(&memory, NodeId::new("leader", "edition")).judged("looking"));
        assert_eq!(memory.problems().len(), 1);
    }

    #[test]
    fn every_rule_has_a_name_of_its_own_and_a_gate_of_the_list() {
        let names: BTreeSet<&str> = RULES.iter().map(|rule| rule.id).collect();
        assert_eq!(names.len(), RULES.len());
        let list = crate::catalog::catalog().unwrap();
        for rule in RULES {
            for gate in rule.gate.split(", ") {
                let about = &list.about()[list.find(gate).unwrap()];
                assert_eq!(about.phase, 0, "{}: {gate} is no prerequisite", rule.id);
            }
        }
    }
}
