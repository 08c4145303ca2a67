//! Blocks that links of one home have chosen for vSwitches that may not be there yet.
//!
//! Two runs side by side, or one beside a run that has stopped, look at the same VPC before
//! either has made anything: without this both would choose the same free block.

use crate::nodes::prerequisites::{Instance, InstanceFacts, ZonePlan, Zones};
use crate::zones::Choice;
use crate::{Follower, Leader};
use escrr_engine::Step as _;
use escrr_engine::survey::Known;
use ipnet::Ipv4Net;
use serde::Deserialize as _;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// By link and VPC.
type Blocks = BTreeMap<(String, String), Vec<Ipv4Net>>;

/// Clones share what they know.
#[derive(Clone, Debug, Default)]
pub struct Reserved(Arc<Mutex<Blocks>>);

impl Reserved {
    /// Remembers what the journal of a link's saga says that it chose.
    pub fn remember(&self, link: &str, known: &Known) {
        let facts = |node| InstanceFacts::deserialize(known.output(node)?).ok();
        let Some(plan) = known.output(Zones::ID).and_then(|plan| ZonePlan::deserialize(plan).ok())
        else {
            return;
        };
        let sides = [
            (facts(Instance::<Leader>::ID), &plan.leader),
            (facts(Instance::<Follower>::ID), &plan.follower),
        ];
        for (facts, chosen) in sides {
            if let Some(facts) = facts {
                self.choose(link, &facts.vpc, |_| chosen.clone());
            }
        }
    }

    /// Chooses beside what other links have chosen in the same VPC, and remembers the choice.
    pub(crate) fn choose(
        &self,
        link: &str,
        vpc: &str,
        choose: impl FnOnce(&[Ipv4Net]) -> Vec<Choice>,
    ) -> Vec<Choice> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let chosen = choose(&others(&all, link, vpc));
        let new = chosen.iter().filter(|c| c.vswitch.is_none()).map(|c| c.cidr).collect();
        all.insert((link.to_owned(), vpc.to_owned()), new);
        chosen
    }

    /// What other links have chosen in a VPC.
    pub(crate) fn of_others(&self, link: &str, vpc: &str) -> Vec<Ipv4Net> {
        others(&self.0.lock().unwrap_or_else(PoisonError::into_inner), link, vpc)
    }
}

fn others(all: &Blocks, link: &str, vpc: &str) -> Vec<Ipv4Net> {
    let others = all.iter().filter(|((other, place), _)| other != link && place == vpc);
    others.flat_map(|(_, blocks)| blocks.iter().copied()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn choice(cidr: &str, vswitch: Option<&str>) -> Choice {
        let vswitch = vswitch.map(str::to_owned);
        Choice { zone: "z".to_owned(), vswitch, cidr: cidr.parse().unwrap() }
    }

    #[test]
    fn what_others_chose_in_the_same_vpc_is_taken_and_ones_own_is_not() {
        let reserved = Reserved::default();
        let mine = |_: &[Ipv4Net]| {
            vec![choice("10.1.255.240/28", None), choice("10.1.1.0/24", Some("vsw-1"))]
        };
        drop(reserved.clone().choose("one", "vpc-1", mine));
        let block: Vec<Ipv4Net> = vec!["10.1.255.240/28".parse().unwrap()];
        assert_eq!(reserved.of_others("two", "vpc-1"), block);
        assert_eq!(reserved.of_others("one", "vpc-1"), []);
        assert_eq!(reserved.of_others("two", "vpc-2"), []);
        drop(reserved.choose("one", "vpc-1", |_| Vec::new()));
        assert_eq!(reserved.of_others("two", "vpc-1"), []);
    }
}
