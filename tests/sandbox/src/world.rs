//! The whole state of the pretend world.
//!
//! Each product owns one struct of it and may read the others. Handlers are plain
//! functions `fn(&mut World, &Call) -> Answer`; they never touch sockets, files or
//! the clock: `now_ms` is set before each call.

use crate::world_file::WorldFile;
use crate::{
    Durations, cbn, ecs, elastic, fault, idempotency, instances, kibana, nlb, privatelink, sts, vpc,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Everything that exists, and when "now" is.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct World {
    /// Which world it is: no two that were made have the same.
    #[serde(default)]
    pub id: String,
    /// Milliseconds since the Unix epoch, in the world's own time.
    pub now_ms: u64,
    /// Source of ids: they repeat from run to run of the same calls.
    pub next_id: u64,
    /// VPCs, vSwitches, VPC route tables.
    pub vpc: vpc::State,
    /// Elasticsearch instances as the control plane sees them.
    pub instances: instances::State,
    /// The clusters in those instances.
    pub elastic: elastic::State,
    /// Who is signed in to their Kibanas.
    #[serde(default)]
    pub kibana: kibana::State,
    /// How long things take.
    pub durations: Durations,
    /// Cloud enterprise networks and transit routers.
    pub cbn: cbn::State,
    /// Network load balancers.
    pub nlb: nlb::State,
    /// Endpoint services and endpoints.
    pub privatelink: privatelink::State,
    /// The file that the world was made from; a reset makes it from this again.
    pub file: WorldFile,
    /// Services opened since then: `Cbn`, `PrivateLink`.
    pub activated: BTreeSet<String>,
    /// ECS instances and commands run on them.
    pub ecs: ecs::State,
    /// Temporary keys.
    pub sts: sts::State,
    /// Client tokens that were answered.
    pub tokens: idempotency::State,
    /// Faults that were ordered.
    pub faults: fault::State,
    /// The request at hand.
    #[serde(skip)]
    pub request: Request,
}

/// What a handler may want to know of the request beside the call.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// The key that signed it.
    pub access_key_id: String,
    /// Real time, which signatures are dated by.
    pub wall_ms: u64,
}

impl World {
    /// A fresh id, `prefix` and a number: `cen-0000000042`.
    pub fn fresh_id(&mut self, prefix: &str) -> String {
        self.next_id += 1;
        format!("{prefix}-{:010x}", self.next_id.wrapping_mul(0x9e37_79b9) & 0xff_ffff_ffff)
    }

    /// Makes a world from its file.
    ///
    /// # Errors
    /// A text for people when the file names something that it does not define.
    pub fn from_file(file: &WorldFile, now_ms: u64) -> Result<Self, String> {
        check(file)?;
        let durations = Durations::with(&file.durations)
            .map_err(|name| format!("durations: {name} is unknown or negative"))?;
        let mut world = Self { now_ms, durations, file: file.clone(), ..Self::default() };
        vpc::seed(&mut world, file);
        ecs::seed(&mut world, file);
        for (id, instance) in &file.instances {
            instances::seed(&mut world, id, instance);
            elastic::seed(&mut world.elastic, id, instance, now_ms);
        }
        Ok(world)
    }

    /// The moment at which an operation that starts now ends.
    pub fn after(&self, operation: &str) -> u64 {
        self.now_ms + self.durations.ms(operation)
    }

    /// The account id, which several products write as a number.
    pub fn account_number(&self) -> u64 {
        self.file.account.id.parse().unwrap_or_default()
    }

    /// All regions: those listed, and those that a VPC lies in.
    pub fn region_ids(&self) -> BTreeSet<&str> {
        let used = self.vpc.vpcs.values().map(|vpc| vpc.region.as_str());
        self.file.regions.keys().map(String::as_str).chain(used).collect()
    }

    /// All zones of a region: those of any product, and those that a vSwitch lies in.
    pub fn zone_ids(&self, region: &str) -> BTreeSet<&str> {
        let listed = self.file.regions.get(region).into_iter().flat_map(|zones| {
            [&zones.transit_router_zones, &zones.nlb_zones, &zones.private_link_zones]
        });
        let used = self.vpc.vswitches.values().filter(|v| v.region == region).map(|v| &v.zone);
        listed.flatten().chain(used).map(String::as_str).collect()
    }
}

fn check(file: &WorldFile) -> Result<(), String> {
    let vswitch_region = |id: &str| {
        file.vpcs.values().find(|vpc| vpc.vswitches.contains_key(id)).map(|vpc| &vpc.region)
    };
    let placed = file
        .instances
        .iter()
        .map(|(id, i)| (format!("instances.{id}"), &i.region, &i.vswitch))
        .chain(file.servers.iter().map(|(id, s)| (format!("servers.{id}"), &s.region, &s.vswitch)));
    for (what, region, vswitch) in placed {
        match vswitch_region(vswitch) {
            None => return Err(format!("{what}: there is no vSwitch {vswitch}")),
            Some(found) if found != region => {
                return Err(format!("{what}: vSwitch {vswitch} lies in {found}, not in {region}"));
            }
            Some(_) => {}
        }
    }
    for (name, id) in [("leader", &file.leader), ("follower", &file.follower)] {
        if !file.instances.contains_key(id) {
            return Err(format!("{name}: there is no instance {id:?}"));
        }
    }
    for (id, vpc) in &file.vpcs {
        let blocks: Vec<_> = std::iter::once(&vpc.cidr).chain(&vpc.secondary).collect();
        for (vswitch, at) in &vpc.vswitches {
            if !blocks.iter().any(|block| block.contains(&at.cidr)) {
                return Err(format!("vpcs.{id}: {vswitch} ({}) lies outside the VPC", at.cidr));
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_file_makes_a_world() {
        let world = World::from_file(&WorldFile::default(), 5).unwrap();
        assert_eq!(world.vpc.vswitches.len(), 3);
        assert_eq!(world.ecs.servers.len(), 1);
        assert!(world.region_ids().contains("cn-shanghai"));
        assert!(world.zone_ids("cn-hangzhou").contains("cn-hangzhou-k"));
    }

    #[test]
    fn a_file_that_names_nothing_is_refused() {
        let file = WorldFile { leader: "es-none".into(), ..WorldFile::default() };
        assert!(World::from_file(&file, 0).unwrap_err().contains("es-none"));
        let mut file = WorldFile::default();
        file.durations.insert("Cbn.Nothing".into(), 1.0);
        assert!(World::from_file(&file, 0).unwrap_err().contains("Cbn.Nothing"));
        let mut file = WorldFile::default();
        file.servers.values_mut().for_each(|s| s.vswitch = "vsw-none".into());
        assert!(World::from_file(&file, 0).unwrap_err().contains("vsw-none"));
    }
}
