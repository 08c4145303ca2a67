//! One Elasticsearch instance is of the kind that the document asks for.

use super::instance::{describe, facts};
use super::{Instance, InstanceFacts};
use crate::aliyun::elasticsearch::Instance as Described;
use crate::aliyun::{Action, Product};
use crate::calls::{Calls, Declares};
use crate::rules::{self, Problems};
use crate::version::Version;
use crate::{Side, World};
use escrr_engine::{Cx, Fault, NodeId, Patience, Seen, Step};

/// Judges the control plane, the edition and the version of the instance on one side.
#[derive(Default)]
pub struct Edition<S>(pub S);

impl<S: Side> Declares for Edition<S> {
    const CALLS: Calls = Calls::looking(&[Action::new(Product::Elasticsearch, "DescribeInstance")]);
}

impl<S: Side> Step for Edition<S> {
    type World = World;
    type Needs = (Instance<S>,);
    type Output = InstanceFacts;
    const ID: NodeId = NodeId::new(S::WHICH.name(), "edition");
    const PHASE: u8 = 0;
    const TITLE: &'static str = "the instance is cloud-native, commercial, 7.10 or later";
    const PATIENCE: Patience = Patience::new(1, 3600);

    async fn observe(&self, cx: &Cx<'_, Self>) -> Result<Seen<InstanceFacts>, Fault> {
        // Read again: it may have been upgraded since a run stopped here.
        let found = describe(cx.world, S::WHICH).await?;
        // What shows no status that is known may be changing just now.
        if !["active", "inactive", "invalid"].contains(&found.status.as_str()) {
            let status = if found.status.is_empty() { "not shown" } else { &found.status };
            let why = format!("{} is being changed ({status})", found.instance_id);
            return Ok(Seen::Pending(why));
        }
        let mut problems = Problems::of(&cx.world.memory, Self::ID);
        let version = judge(&found, &mut problems);
        problems.judged(format!("checking the {} {}", S::WHICH, found.instance_id))?;
        let region = &cx.world.spec.side(S::WHICH).region;
        Ok(Seen::Ready(facts(&found, region, version.unwrap_or_default())))
    }
}

/// Notes what of the instance is of the wrong kind, and gives its version if it has one.
pub(super) fn judge(found: &Described, problems: &mut Problems<'_>) -> Option<Version> {
    if found.arch_type != "public" {
        let said = format!(
            "its control plane is v1 or v2 (archType {}), not cloud-native v3",
            found.arch_type
        );
        problems.add(&rules::ARCHITECTURE, said);
    }
    // Where the category is missing, the version may still say it: `7.10.0_with_X-Pack`.
    let by_version = found.category.is_empty() && found.es_version.contains("with_X-Pack");
    if found.category != "x-pack" && !by_version {
        let category = if found.category.is_empty() { "not shown" } else { &found.category };
        let said = format!(
            "its category is {category}, and replication needs the commercial edition (x-pack)"
        );
        problems.add(&rules::CATEGORY, said);
    }
    let version = Version::parse(&found.es_version);
    if !version.is_some_and(|v| v.at_least(7, 10)) {
        let said = format!("its version is {}, and 7.10.0 or later is needed", found.es_version);
        problems.add(&rules::VERSION, said);
    }
    version
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_category_that_is_not_shown_is_no_pass_by_itself() {
        for (category, version, passes) in [
            ("x-pack", "7.10.0", true),
            ("", "7.10.0_with_X-Pack", true),
            ("", "7.10.0", false),
            ("advanced", "7.10.0_with_X-Pack", false),
        ] {
            let found = Described {
                category: category.to_owned(),
                es_version: version.to_owned(),
                arch_type: "public".to_owned(),
                ..Described::default()
            };
            let mut problems = Problems::default();
            assert!(judge(&found, &mut problems).is_some());
            assert_eq!(problems.any(), !passes, "{category:?} {version}");
        }
    }
}
