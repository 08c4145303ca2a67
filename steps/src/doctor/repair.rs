//! What `--fix` does: nothing but what is safe, each change after a look.

use super::facts::Facts;
use super::finding::Remedy;
use super::gather::Patient;
use crate::aliyun::elasticsearch::WhiteIpGroup;
use crate::marks::{group_name, group_prefix, older_group_name};
use crate::nodes::step1_network::put;
use escrr_engine::{Fault, Report};

/// Between two looks, in milliseconds.
const PAUSE_MS: u64 = 5_000;
/// The longest that one change is waited for, in milliseconds: an instance takes minutes to take
/// up an allow list.
const PATIENCE_MS: u64 = 30 * 60_000;

/// Carries out a remedy, and waits until it has taken effect.
///
/// # Errors
/// A call is refused, or the effect does not come in time.
pub async fn repair(patient: &Patient<'_>, facts: &Facts, remedy: &Remedy) -> Result<(), Fault> {
    match remedy {
        Remedy::Admit { blocks } => admit(patient, blocks).await,
        Remedy::SwapAddresses { group, add, remove } => {
            swap(patient, facts, group, (add, remove)).await
        }
        Remedy::ResumeFollowers { followers } => {
            let cluster = patient.world.cluster(crate::Which::Follower, &patient.instances.1)?;
            for (index, dead) in followers {
                // A dead task counts as active: it has to be paused before it can go on.
                if *dead {
                    cluster.pause_follow(index).await?;
                }
                cluster.resume_follow(index).await?;
            }
            Ok(())
        }
    }
}

/// The group that blocks go into: the saga's own, whose rollback then takes them back. Where no
/// saga is known: one that is there for this link, else a new one.
fn group(patient: &Patient<'_>, groups: &[WhiteIpGroup]) -> String {
    let link = &patient.world.spec.link;
    if let Some(saga) = patient.saga {
        return group_name(link, saga);
    }
    let prefix = group_prefix(link);
    let ours = |name: &String| name.starts_with(&prefix) || *name == older_group_name(link);
    let private = groups.iter().filter(|group| group.white_ip_type == "PRIVATE_ES");
    let there = private.map(|group| group.name.clone()).find(ours);
    there.unwrap_or_else(|| format!("{prefix}doctor"))
}

async fn admit(patient: &Patient<'_>, blocks: &[String]) -> Result<(), Fault> {
    let leads = &patient.instances.0;
    let client = patient.world.cloud.elasticsearch(&leads.region);
    let instance = client.describe_instance(&leads.instance).await?;
    let name = group(patient, &instance.white_ip_groups);
    let token = |mode: &str| format!("{}-admit-{mode}", patient.token);
    put(client, &instance, (&name, blocks), token).await?;
    until(patient, "the allow list to be taken up", async || {
        let instance = client.describe_instance(&leads.instance).await?;
        Ok(instance.status == "active")
    })
    .await
}

async fn swap(
    patient: &Patient<'_>,
    facts: &Facts,
    group: &str,
    (add, remove): (&[String], &[String]),
) -> Result<(), Fault> {
    let client = patient.world.cloud.nlb(&patient.instances.1.region);
    if !add.is_empty() {
        client.add_servers(group, add, &format!("{}-add", patient.token)).await?;
        until(patient, "the new addresses to be taken up", async || {
            let servers = client.list_servers(group).await?;
            let taken =
                |ip: &String| servers.iter().any(|s| s.server_ip == *ip && s.status == "Available");
            Ok(add.iter().all(taken))
        })
        .await?;
        let listeners = facts.balancer.iter().flat_map(|balancer| &balancer.listeners);
        let listener = listeners.filter(|l| l.server_group_id == group).map(|l| &l.listener_id);
        for id in listener {
            until(patient, "the new addresses to be healthy", async || {
                let health = client.get_listener_health(id).await?;
                let mut ill = health.iter().flat_map(|h| &h.non_normal);
                Ok(!ill.any(|server| add.contains(&server.server_ip)))
            })
            .await?;
        }
    }
    if remove.is_empty() {
        return Ok(());
    }
    let held = client.list_servers(group).await?;
    if held.iter().all(|server| remove.contains(&server.server_ip)) {
        let said = "no address would be left in it; nothing was done";
        return Err(Fault::refused(Report::new(format!("taking addresses out of {group}"), said)));
    }
    let old: Vec<_> = held.into_iter().filter(|s| remove.contains(&s.server_ip)).collect();
    client.remove_servers(group, &old, &format!("{}-remove", patient.token)).await?;
    until(patient, "the old addresses to be gone", async || {
        let servers = client.list_servers(group).await?;
        Ok(!servers.iter().any(|s| remove.contains(&s.server_ip)))
    })
    .await
}

/// Looks until something holds; what passes by itself is borne.
async fn until(
    patient: &Patient<'_>,
    what: &str,
    mut holds: impl AsyncFnMut() -> Result<bool, Fault>,
) -> Result<(), Fault> {
    let end_ms = patient.clock.now_ms() + PATIENCE_MS;
    loop {
        let passing = match holds().await {
            Ok(true) => return Ok(()),
            Ok(false) => None,
            Err(fault @ (Fault::Transient { .. } | Fault::Busy(_) | Fault::Unknown(_))) => {
                Some(fault)
            }
            Err(fault) => return Err(fault),
        };
        if patient.clock.now_ms() >= end_ms {
            let minutes = PATIENCE_MS / 60_000;
            let late = Report::new(format!("waiting for {what}"), format!("not in {minutes} min"));
            return Err(passing.unwrap_or_else(|| Fault::transient(late)));
        }
        drop(patient.clock.wait_until(patient.clock.now_ms() + PAUSE_MS).await);
    }
}
