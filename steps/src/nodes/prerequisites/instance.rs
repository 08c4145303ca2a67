//! One Elasticsearch instance is there, active, in its VPC: what others find out needs that.
//!
//! Whether it is of the kind that can be linked is judged by [`Edition`](super::Edition), so that
//! a wrong kind hides nothing else.

use super::edition;
use crate::aliyun::elasticsearch::Instance as Described;
use crate::aliyun::{Action, Product};
use crate::calls::{Calls, Declares};
use crate::nodes::absent::if_there;
use crate::rules::{self, Problems};
use crate::version::Version;
use crate::{Side, Which, World};
use escrr_engine::{Cx, Fault, NodeId, Patience, Report, Seen, Step};
use serde::{Deserialize, Serialize};

/// Describes the instance on one side.
#[derive(Default)]
pub struct Instance<S>(pub S);

/// What others need to know of an instance.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct InstanceFacts {
    /// Its id.
    pub instance: String,
    /// Region id.
    pub region: String,
    /// Version, as the control plane says it; 0.0.0 where that is no version.
    pub version: Version,
    /// The user's VPC that it belongs to.
    pub vpc: String,
    /// Its vSwitch.
    pub vswitch: String,
    /// Its zone.
    pub zone: String,
    /// Its private domain.
    pub domain: String,
    /// The port of its HTTP interface.
    pub port: u64,
    /// `HTTP` or `HTTPS`.
    pub protocol: String,
    /// Addresses of its Kibana whose network access is on, the private one first.
    #[serde(default)]
    pub kibanas: Vec<String>,
}

/// Kibana's own default.
const KIBANA_PORT: u64 = 5601;

impl<S: Side> Declares for Instance<S> {
    const CALLS: Calls = Calls::looking(&[Action::new(Product::Elasticsearch, "DescribeInstance")]);
}

impl<S: Side> Step for Instance<S> {
    type World = World;
    type Needs = ();
    type Output = InstanceFacts;
    const ID: NodeId = NodeId::new(S::WHICH.name(), "instance");
    const PHASE: u8 = 0;
    const TITLE: &'static str = "the instance is there, active, in its VPC";
    const PATIENCE: Patience = Patience::new(1, 3600);

    async fn observe(&self, cx: &Cx<'_, Self>) -> Result<Seen<InstanceFacts>, Fault> {
        let side = cx.world.spec.side(S::WHICH);
        let mut problems = Problems::of(&cx.world.memory, Self::ID);
        let Some(found) = find(cx.world, S::WHICH).await? else {
            problems.add(&rules::EXISTS, NONE);
            return Err(problems.refused_as(missing(S::WHICH, &side.instance, &side.region)));
        };
        if found.status == "activating" {
            return Ok(Seen::Pending(format!("{} is being changed (activating)", side.instance)));
        }
        judge(S::WHICH, &found, &side.region, problems).map(Seen::Ready)
    }
}

/// The instance as it is now.
///
/// # Errors
/// There is none, or nobody answers.
pub(super) async fn describe(world: &World, which: Which) -> Result<Described, Fault> {
    let side = world.spec.side(which);
    let gone = || Fault::prerequisite(missing(which, &side.instance, &side.region));
    find(world, which).await?.ok_or_else(gone)
}

async fn find(world: &World, which: Which) -> Result<Option<Described>, Fault> {
    let side = world.spec.side(which);
    let client = world.cloud.elasticsearch(&side.region);
    if_there(client.describe_instance(&side.instance).await)
}

/// What is said of an instance that is not there.
const NONE: &str = "there is no such instance";

fn missing(which: Which, instance: &str, region: &str) -> Report {
    Report::new(format!("looking for the {which} {instance} in {region}"), NONE)
        .help(format!("check `region` and `instance` under [{which}] in the spec"))
}

fn judge(
    which: Which,
    found: &Described,
    region: &str,
    mut problems: Problems<'_>,
) -> Result<InstanceFacts, Fault> {
    // Zones are named after their region; an answer may come from another region's gateway.
    if !found.zone_id.is_empty() && !found.zone_id.starts_with(region) {
        let said = format!("it lies in the zone {}, which is not in {region}", found.zone_id);
        problems.add(&rules::EXISTS, said);
    }
    if found.status != "active" {
        problems.add(&rules::STATUS, format!("its status is {}, not active", found.status));
    }
    if found.vpc_id.is_empty() || found.domain.is_empty() {
        problems.add(&rules::NETWORK, "it shows no VPC or no private domain");
    }
    if problems.any() {
        // The gate that judges the edition waits for this one, and a person for all there is.
        edition::judge(found, &mut problems);
    }
    problems.judged(format!("checking the {which} {}", found.instance_id))?;
    let version = Version::parse(&found.es_version).unwrap_or_default();
    Ok(facts(found, region, version))
}

/// What others need to know of an instance, whatever is wrong with it.
pub(crate) fn facts(found: &Described, region: &str, version: Version) -> InstanceFacts {
    InstanceFacts {
        instance: found.instance_id.clone(),
        region: region.to_owned(),
        version,
        vpc: found.vpc_id.clone(),
        vswitch: found.vswitch_id.clone(),
        zone: found.zone_id.clone(),
        domain: found.domain.clone(),
        port: found.port.filter(|p| *p > 0).unwrap_or(9200),
        protocol: if found.protocol.is_empty() {
            "HTTP".to_owned()
        } else {
            found.protocol.clone()
        },
        kibanas: kibanas(found),
    }
}

/// The instance's Kibanas speak HTTPS, whatever the protocol of the cluster.
fn kibanas(found: &Described) -> Vec<String> {
    let private = (found.kibana_private, &found.kibana_private_domain, found.kibana_private_port);
    let public = (found.kibana_public, &found.kibana_domain, found.kibana_port);
    let on = [private, public].into_iter().filter(|(on, domain, _)| *on && !domain.is_empty());
    on.map(|(_, domain, port)| format!("https://{domain}:{}", port.unwrap_or(KIBANA_PORT)))
        .collect()
}
