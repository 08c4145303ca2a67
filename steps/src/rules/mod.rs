//! The rules of the prerequisites as data, and what collects what breaks them.
//!
//! Every gate judges all of its rules before it answers: people are to learn of all problems at
//! once. [`RULES`] is also what the manual's page of prerequisites is made from.

mod table;

pub use table::*;

use escrr_engine::{Fault, Report};
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

/// What one gate found.
#[derive(Debug, Default)]
pub(crate) struct Problems {
    said: Vec<String>,
    help: Vec<&'static str>,
    warnings: Vec<Warning>,
}

impl Problems {
    /// Notes that a rule does not hold, with what was seen.
    pub(crate) fn add(&mut self, rule: &Rule, said: impl Into<String>) {
        let said = said.into();
        match rule.weight {
            Weight::Warns => self.warnings.push(Warning {
                rule: rule.id.to_owned(),
                said,
                help: rule.remedy.to_owned(),
            }),
            Weight::Stops => {
                self.said.push(said);
                if !self.help.contains(&rule.remedy) {
                    self.help.push(rule.remedy);
                }
            }
        }
    }

    /// Is there a rule that stops and does not hold?
    pub(crate) fn any(&self) -> bool {
        !self.said.is_empty()
    }

    /// Notes the same for what may not have been seen.
    pub(crate) fn add_all(&mut self, rule: &Rule, said: impl IntoIterator<Item = String>) {
        said.into_iter().for_each(|said| self.add(rule, said));
    }

    /// Gives the warnings, or one fault that names every problem and what helps.
    ///
    /// # Errors
    /// The gate's refusal, when a rule that stops does not hold.
    pub(crate) fn judged(self, tried: impl Into<String>) -> Result<Vec<Warning>, Fault> {
        if self.said.is_empty() {
            return Ok(self.warnings);
        }
        let mut report = Report::new(tried, self.said.join("; ")).help(self.help.join("; "));
        // There is no output for the warnings to stand in.
        if !self.warnings.is_empty() {
            let all = self.warnings.iter().map(|w| format!("{}; {}", w.said, w.help));
            let all = all.collect::<Vec<_>>().join("; ");
            report = report.meaning(format!("what stops nothing by itself: {all}"));
        }
        Err(Fault::prerequisite(report))
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
