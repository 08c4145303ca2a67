//! The two instances and their VPCs can be linked with each other.

use super::instance::describe;
use super::{Identity, Instance, InstanceFacts};
use crate::aliyun::vpc::VpcAttribute;
use crate::aliyun::{Action, Product};
use crate::calls::{Calls, Declares};
use crate::rules::{self, Problems, Warning};
use crate::version::Version;
use crate::zones::overlap;
use crate::{Follower, Leader, Which, World};
use escrr_engine::{Cx, Fault, NodeId, Patience, Report, Seen, Step};
use ipnet::Ipv4Net;
use serde::{Deserialize, Serialize};

/// Compares versions, address blocks and CEN memberships.
pub struct Compatible;

/// The two networks.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Networks {
    /// Blocks of the leader's VPC, primary first.
    pub leader: Vec<Ipv4Net>,
    /// Blocks of the follower's VPC, primary first.
    pub follower: Vec<Ipv4Net>,
    /// The CEN that a VPC hangs on already.
    pub cen: Option<String>,
    /// Both instances are in one VPC: no connection of networks is needed.
    pub same_vpc: bool,
    /// What a person has to know.
    #[serde(default)]
    pub warnings: Vec<Warning>,
}

impl Declares for Compatible {
    const CALLS: Calls = Calls::looking(&[
        Action::new(Product::Elasticsearch, "DescribeInstance"),
        Action::new(Product::Vpc, "DescribeVpcAttribute"),
    ]);
}

impl Step for Compatible {
    type World = World;
    type Needs = (Identity, Instance<Leader>, Instance<Follower>);
    type Output = Networks;
    const ID: NodeId = NodeId::new("link", "compatible");
    const PHASE: u8 = 0;
    const TITLE: &'static str = "versions, address blocks and CENs of the two sides fit";
    const PATIENCE: Patience = Patience::new(1, 60);

    async fn observe(&self, cx: &Cx<'_, Self>) -> Result<Seen<Networks>, Fault> {
        let (caller, leader, follower) = &cx.needs;
        let cloud = &cx.world.cloud;
        let leader_vpc = cloud.vpc(&leader.region).describe_vpc_attribute(&leader.vpc).await?;
        let follower_vpc =
            cloud.vpc(&follower.region).describe_vpc_attribute(&follower.vpc).await?;
        let asked = cx.world.spec.network.cen_id.as_deref();
        // Read again: an instance may have been upgraded since a run stopped here.
        let (leader, follower) =
            (now(cx.world, Which::Leader, leader), now(cx.world, Which::Follower, follower));
        let (leader, follower) = (leader.await?, follower.await?);
        let (leader, follower) = ((&leader, &leader_vpc), (&follower, &follower_vpc));
        let problems = Problems::of(&cx.world.memory, Self::ID);
        judge(leader, follower, (&caller.account, asked), problems).map(Seen::Ready)
    }
}

/// The facts of an instance with its version of now; 0.0.0 where that is no version.
async fn now(world: &World, which: Which, facts: &InstanceFacts) -> Result<InstanceFacts, Fault> {
    let found = describe(world, which).await?;
    let version = Version::parse(&found.es_version).unwrap_or_default();
    Ok(InstanceFacts { version, ..facts.clone() })
}

type SideOf<'a> = (&'a InstanceFacts, &'a VpcAttribute);

fn judge(
    leader: SideOf<'_>,
    follower: SideOf<'_>,
    (account, asked_cen): (&str, Option<&str>),
    mut problems: Problems<'_>,
) -> Result<Networks, Fault> {
    for vpc in [leader.1, follower.1] {
        if !["", account].contains(&vpc.owner_id.as_str()) {
            let said = format!("{} belongs to the account {}", vpc.vpc_id, vpc.owner_id);
            problems.add(&rules::OWNER, format!("{said}, not to {account}"));
        }
    }
    // Without a version there is nothing to compare: the edition's gate says that.
    let known = ![leader.0.version, follower.0.version].contains(&Version::default());
    if known && let Err(why) = follower.0.version.can_follow(leader.0.version) {
        problems.add(&rules::PAIR, why);
    }
    let same_vpc = leader.0.vpc == follower.0.vpc;
    let (leader_nets, follower_nets) =
        (blocks(leader.1, Which::Leader)?, blocks(follower.1, Which::Follower)?);
    if !same_vpc {
        for (a, b) in overlaps(&leader_nets, &follower_nets) {
            let said = format!("{a} of {} and {b} of {} overlap", leader.0.vpc, follower.0.vpc);
            problems.add(&rules::BLOCKS, said);
        }
    }
    let cen = cen_of(leader, follower, asked_cen).unwrap_or_else(|why| {
        problems.add(&rules::CEN, why);
        None
    });
    if mainland(&leader.0.region) != mainland(&follower.0.region) {
        let said = format!(
            "the traffic between {} and {} crosses the border of mainland China",
            leader.0.region, follower.0.region
        );
        problems.add(&rules::CROSS_BORDER, said);
    }
    let warnings = problems.judged("comparing the two sides")?;
    Ok(Networks {
        leader: own(&leader_nets),
        follower: own(&follower_nets),
        cen,
        same_vpc,
        warnings,
    })
}

/// Is it a region of mainland China?
fn mainland(region: &str) -> bool {
    region.starts_with("cn-") && !region.starts_with("cn-hongkong")
}

/// The VPC's blocks; those that only the user's own routing knows are marked false.
fn blocks(vpc: &VpcAttribute, which: Which) -> Result<Vec<(Ipv4Net, bool)>, Fault> {
    let own = std::iter::once(&vpc.cidr_block).chain(&vpc.secondary_cidr_blocks).map(|b| (b, true));
    let all = own.chain(vpc.user_cidrs.iter().map(|b| (b, false)));
    all.map(|(block, own)| {
        block.parse().map(|net| (net, own)).map_err(|_| {
            let tried = format!("reading the address blocks of the {which}'s VPC {}", vpc.vpc_id);
            Fault::Bug(Report::new(tried, format!("{block:?} is not a block")))
        })
    })
    .collect()
}

fn own(all: &[(Ipv4Net, bool)]) -> Vec<Ipv4Net> {
    all.iter().filter(|(_, own)| *own).map(|(net, _)| *net).collect()
}

/// The blocks that vSwitches can be made in.
pub(super) fn own_blocks(vpc: &VpcAttribute, which: Which) -> Result<Vec<Ipv4Net>, Fault> {
    blocks(vpc, which).map(|all| own(&all))
}

fn overlaps(a: &[(Ipv4Net, bool)], b: &[(Ipv4Net, bool)]) -> Vec<(Ipv4Net, Ipv4Net)> {
    let pairs = a.iter().flat_map(|(x, _)| b.iter().map(move |(y, _)| (*x, *y)));
    pairs.filter(|(x, y)| overlap(x, y)).collect()
}

/// The CEN to use because a VPC is in it already; a VPC can be in one only.
fn cen_of(
    leader: SideOf<'_>,
    follower: SideOf<'_>,
    asked: Option<&str>,
) -> Result<Option<String>, String> {
    let of = |side: SideOf<'_>| side.1.associated_cens.first().map(|c| c.cen_id.clone());
    let (one, two) = (of(leader), of(follower));
    if let (Some(one), Some(two)) = (&one, &two)
        && one != two
    {
        return Err(format!("{} hangs on {one}, {} on {two}", leader.0.vpc, follower.0.vpc));
    }
    let cen = one.or(two);
    match (&cen, asked) {
        (Some(cen), Some(asked)) if cen != asked => {
            Err(format!("the spec names {asked}, but a VPC hangs on {cen} already"))
        }
        _ => Ok(cen),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aliyun::vpc::AssociatedCen;

    fn side(
        vpc: &str,
        version: &str,
        blocks: &[&str],
        cen: Option<&str>,
    ) -> (InstanceFacts, VpcAttribute) {
        let facts = InstanceFacts {
            instance: "es-cn-1".into(),
            region: "r".into(),
            version: Version::parse(version).unwrap(),
            vpc: vpc.into(),
            vswitch: "v".into(),
            zone: "z".into(),
            domain: "d".into(),
            port: 9200,
            protocol: "HTTP".into(),
            kibanas: Vec::new(),
        };
        let cens = cen.map(|c| AssociatedCen {
            cen_id: c.into(),
            owner_id: "1".into(),
            status: "Active".into(),
        });
        let vpc = VpcAttribute {
            vpc_id: vpc.into(),
            cidr_block: blocks[0].into(),
            secondary_cidr_blocks: blocks[1..].iter().map(|b| (*b).to_owned()).collect(),
            user_cidrs: vec![],
            status: "Available".into(),
            owner_id: "1".into(),
            associated_cens: cens.into_iter().collect(),
        };
        (facts, vpc)
    }

    fn said(
        leader: &(InstanceFacts, VpcAttribute),
        follower: &(InstanceFacts, VpcAttribute),
        asked: Option<&str>,
    ) -> String {
        match judge(
            (&leader.0, &leader.1),
            (&follower.0, &follower.1),
            ("1", asked),
            Problems::default(),
        ) {
            Ok(networks) => format!("ok {:?}", networks.cen),
            Err(fault) => fault.report().said.clone(),
        }
    }

    #[test]
    fn every_obstacle_is_named_and_all_at_once() {
        let leader = side("vpc-1", "7.16.2", &["10.1.0.0/16"], Some("cen-1"));
        assert_eq!(
            said(&leader, &side("vpc-2", "7.16.2", &["10.2.0.0/16"], None), None),
            "ok Some(\"cen-1\")"
        );
        let all = said(
            &leader,
            &side("vpc-2", "7.10.0", &["10.9.0.0/16", "10.1.8.0/24"], Some("cen-2")),
            None,
        );
        for part in
            ["is older", "10.1.0.0/16 of vpc-1 and 10.1.8.0/24 of vpc-2 overlap", "cen-1", "cen-2"]
        {
            assert!(all.contains(part), "{part} is missing in {all}");
        }
        let asked = said(&leader, &side("vpc-2", "7.16.2", &["10.2.0.0/16"], None), Some("cen-9"));
        assert!(asked.contains("cen-9"), "{asked}");
    }

    #[test]
    fn a_vpc_of_another_account_is_named_and_one_without_an_owner_passes() {
        let leader = side("vpc-1", "7.16.2", &["10.1.0.0/16"], None);
        let mut follower = side("vpc-2", "7.16.2", &["10.2.0.0/16"], None);
        follower.1.owner_id = "2".into();
        let all = said(&leader, &follower, None);
        assert!(all.contains("vpc-2 belongs to the account 2, not to 1"), "{all}");
        follower.1.owner_id.clear();
        assert_eq!(said(&leader, &follower, None), "ok None");
    }

    #[test]
    fn the_border_of_mainland_china_warns_and_stops_nothing() {
        let mut leader = side("vpc-1", "7.16.2", &["10.1.0.0/16"], None);
        let mut follower = side("vpc-2", "7.16.2", &["10.2.0.0/16"], None);
        for (one, two, crosses) in [
            ("cn-shanghai", "cn-hangzhou", false),
            ("cn-shanghai", "cn-hongkong", true),
            ("ap-southeast-1", "cn-hangzhou", true),
            ("ap-southeast-1", "cn-hongkong", false),
        ] {
            one.clone_into(&mut leader.0.region);
            two.clone_into(&mut follower.0.region);
            let found = judge(
                (&leader.0, &leader.1),
                (&follower.0, &follower.1),
                ("1", None),
                Problems::default(),
            )
            .unwrap();
            assert_eq!(!found.warnings.is_empty(), crosses, "{one} to {two}");
        }
    }

    #[test]
    fn one_vpc_for_both_needs_no_disjoint_blocks() {
        let both = side("vpc-1", "8.9.1", &["10.1.0.0/16"], None);
        assert_eq!(said(&both, &both, None), "ok None");
    }
}
