//! A list may come back empty, cut short or old: an id that we were told outranks it.

use crate::some;
use escrr_engine::{Event, News, Phase};
use escrr_tests::bench::{Bench, Error};
use escrr_tests::cases::all;
use escrr_tests::tape::{Clean, stops};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// How long lists lag behind, in milliseconds.
const LAG_MS: u64 = 20_000;

/// Does this action list resources of the cloud?
fn lists(product: &str, action: &str) -> bool {
    let named = ["DescribeCens", "DescribeVSwitches", "DescribeRouteEntryList"];
    let facts = ["ListTransitRouterAvailableResource"];
    product != "Es"
        && (action.starts_with("List") || named.contains(&action))
        && !facts.contains(&action)
}

/// Every list that a run and its rollback ask for, with how often.
fn asked(clean: &Clean) -> BTreeMap<(String, String), usize> {
    let mut all = BTreeMap::new();
    for line in clean.log.iter().filter(|line| lists(&line.product, &line.action)) {
        *all.entry((line.product.clone(), line.action.clone())).or_insert(0) += 1;
    }
    all
}

/// From the end of a run, one list of the rollback comes back wrong, once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rollback_believes_no_single_list() -> Result<(), Error> {
    let clean = Clean::recorded().await?;
    let jobs = asked(clean).into_keys().flat_map(|(product, action)| {
        let nths = if action.starts_with("ListTransitRouter") { 1..=4 } else { 1..=2 };
        nths.flat_map(move |nth| {
            let (product, action) = (product.clone(), action.clone());
            ["empty", "partial"].map(|effect| (product.clone(), action.clone(), nth, effect))
        })
    });
    let cases = all(some(jobs, 3), |(product, action, nth, effect)| async move {
        let case = format!("{effect} answer {nth} of {product} {action}");
        let mut bench = Bench::after(clean.end()?).await?;
        let fault = json!({"product": product, "action": action, "nth": nth, "effect": effect});
        bench.post("fault", &fault).await?;
        let ending = bench.rollback().await?;
        bench.as_before(clean, &ending, &case).await
    });
    println!("lists on the way back: {} cases", cases.await?);
    Ok(())
}

/// The same on the way forward: nothing is created twice, and all of it is ours.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_believes_no_single_list() -> Result<(), Error> {
    let clean = Clean::recorded().await?;
    let jobs = asked(clean).into_iter().flat_map(|((product, action), count)| {
        (1..=count.min(6)).map(move |nth| (product.clone(), action.clone(), nth))
    });
    let cases = all(some(jobs, 5), |(product, action, nth)| async move {
        let case = format!("empty answer {nth} of {product} {action}");
        let mut bench = Bench::new().await?;
        let before = bench.inventory().await?;
        let fault = json!({"product": product, "action": action, "nth": nth, "effect": "empty"});
        bench.post("fault", &fault).await?;
        let ending = bench.run().await?;
        bench.ended_as(clean, &ending, &case).await?;
        bench.clear_faults().await?;
        let ending = bench.rollback().await?;
        if bench.inventory().await? != before {
            return Err(format!("{case}: not as before: {:?}", stops(&ending)).into());
        }
        Ok(())
    });
    println!("lists on the way forward: {} cases", cases.await?);
    Ok(())
}

/// Every list of the cloud lags behind, for as long as the bench lives.
async fn lagging() -> Result<Bench, Error> {
    let bench = Bench::new().await?;
    let clean = Clean::recorded().await?;
    for (product, action) in asked(clean).into_keys() {
        let fault = json!({"product": product, "action": action, "effect": {"lag_ms": LAG_MS}});
        bench.post("fault", &fault).await?;
    }
    Ok(bench)
}

/// With lists that lag, what was acknowledged is waited for and not called for again and again.
#[tokio::test]
async fn an_acknowledged_create_is_not_repeated_while_lists_lag() -> Result<(), Error> {
    let clean = Clean::recorded().await?;
    let mut bench = lagging().await?;
    let before = bench.inventory().await?;
    let ending = bench.run().await?;
    bench.ended_as(clean, &ending, "lagging lists").await?;
    let mut calls: BTreeMap<String, usize> = BTreeMap::new();
    for line in bench.log().await?.iter().filter(|line| line.action.starts_with("Create")) {
        let token = line.token.clone().unwrap_or_default();
        *calls.entry(format!("{} {token}", line.action)).or_insert(0) += 1;
    }
    let most = calls.iter().max_by_key(|(_, count)| **count);
    assert!(most.is_some_and(|(_, count)| *count == 1), "called for again: {most:?}");
    let ending = bench.rollback().await?;
    assert_eq!(bench.inventory().await?, before, "{:?}", stops(&ending));
    Ok(())
}

/// Killed right behind an acknowledged create, and rolled back while no list shows it yet.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acknowledged_is_rolled_back_though_no_list_shows_it() -> Result<(), Error> {
    let clean = Clean::recorded().await?;
    let nodes: BTreeSet<String> = clean
        .forward
        .iter()
        .filter(|cut| matches!(cut.event, Event::Acknowledged { .. }))
        .filter_map(|cut| cut.event.node().map(str::to_owned))
        .collect();
    assert!(nodes.len() >= 10, "the nodes that create resources: {nodes:?}");
    let cases = all(nodes, |node| async move {
        let case = format!("killed after {node} was acknowledged");
        let mut bench = lagging().await?;
        let before = bench.inventory().await?;
        let at = node.clone();
        let killed = bench.killed_at(move |news| {
            let News::Entry(entry) = news else { return false };
            matches!(&entry.event, Event::Acknowledged { node, .. } if *node == at)
        });
        if !killed.await? {
            return Err(format!("{case}: it was not").into());
        }
        let ending = bench.rollback().await?;
        let left = bench.inventory().await?;
        if ending.saga.phase() != Phase::RolledBack || left != before {
            return Err(format!("{case}: {:?}: {:?}", ending.saga.phase(), stops(&ending)).into());
        }
        Ok(())
    });
    println!("killed after an acknowledged create, with lists that lag: {}", cases.await?);
    Ok(())
}

/// The product, resource type and region by which a kind of the inventory is tagged.
pub(crate) fn tagged_by(kind: &str) -> Option<(&'static str, &'static str)> {
    Some(match kind {
        "cen" => ("Cbn", "Cen"),
        "transit_router" => ("Cbn", "TransitRouter"),
        "vpc_attachment" => ("Cbn", "TransitRouterVpcAttachment"),
        "peer_attachment" => ("Cbn", "TransitRouterPeerAttachment"),
        "vswitch" => ("Vpc", "VSWITCH"),
        "server_group" => ("Nlb", "servergroup"),
        "load_balancer" => ("Nlb", "loadbalancer"),
        "listener" => ("Nlb", "listener"),
        "endpoint_service" => ("PrivateLink", "vpcendpointservice"),
        _ => return None,
    })
}

/// A tag that somebody removed does not make a resource invisible: the rollback stops there, and
/// says its id.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_resource_without_its_tags_is_told_by_its_id() -> Result<(), Error> {
    let clean = Clean::recorded().await?;
    let bench = Bench::after(clean.end()?).await?;
    let rows = bench.inventory().await?;
    let ours: Vec<Value> = rows
        .as_array()
        .into_iter()
        .flatten()
        .filter(|row| row["owner"].as_str().is_some_and(|owner| !owner.is_empty()))
        .cloned()
        .collect();
    let kinds: BTreeSet<&str> = ours.iter().filter_map(|row| row["kind"].as_str()).collect();
    assert!(kinds.len() >= 9, "kinds that carry tags: {kinds:?}");
    let cases = all(ours, |row| async move {
        let text = |name: &str| row[name].as_str().unwrap_or_default().to_owned();
        let (kind, id, region) = (text("kind"), text("id"), text("region"));
        let (product, kind_name) =
            tagged_by(&kind).ok_or_else(|| format!("no way to tag a {kind}"))?;
        let mut bench = Bench::after(clean.end()?).await?;
        let untag = if product == "Vpc" { "UnTagResources" } else { "UntagResources" };
        let all = json!({"RegionId": region, "ResourceType": kind_name, "ResourceId.1": id,
            "All": "true"});
        bench.meddle(product, untag, all).await?;
        let ending = bench.rollback().await?;
        let said = stops(&ending);
        if ending.saga.phase() != Phase::RollbackStuck || !said.iter().any(|s| s.contains(&id)) {
            return Err(
                format!("{kind} {id} lost its tags: {:?}: {said:?}", ending.saga.phase()).into()
            );
        }
        let left = bench.inventory().await?;
        let still = left.as_array().into_iter().flatten().any(|row| row["id"] == id.as_str());
        if still { Ok(()) } else { Err(format!("{kind} {id} was deleted").into()) }
    });
    println!("tags removed: {} resources", cases.await?);
    Ok(())
}

/// How a resource is deleted by hand: product, action and parameters.
fn deletion(kind: &str, id: &str, region: &str) -> Option<(&'static str, &'static str, Value)> {
    let (product, action, name) = match kind {
        "cen" => ("Cbn", "DeleteCen", "CenId"),
        "transit_router" => ("Cbn", "DeleteTransitRouter", "TransitRouterId"),
        "vpc_attachment" => {
            ("Cbn", "DeleteTransitRouterVpcAttachment", "TransitRouterAttachmentId")
        }
        "peer_attachment" => {
            ("Cbn", "DeleteTransitRouterPeerAttachment", "TransitRouterAttachmentId")
        }
        "vswitch" => ("Vpc", "DeleteVSwitch", "VSwitchId"),
        "server_group" => ("Nlb", "DeleteServerGroup", "ServerGroupId"),
        "load_balancer" => ("Nlb", "DeleteLoadBalancer", "LoadBalancerId"),
        "listener" => ("Nlb", "DeleteListener", "ListenerId"),
        // An endpoint service keeps its resources until they are detached one by one.
        _ => return None,
    };
    let mut params = json!({"RegionId": region, "Force": "true"});
    if product != "Cbn" {
        params = json!({"RegionId": region});
    }
    params[name] = json!(id);
    Some((product, action, params))
}

/// Killed behind an acknowledged create, and the resource is deleted by hand: its token would be
/// answered with the id that is gone for ever, so the next create has a new one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_deleted_by_hand_behind_its_create_is_created_anew() -> Result<(), Error> {
    let clean = Clean::recorded().await?;
    let acknowledged = clean
        .forward
        .iter()
        .filter(|cut| cut.written && matches!(cut.event, Event::Acknowledged { .. }));
    let cases = all(some(acknowledged, 2), |cut| async move {
        let Event::Acknowledged { id, .. } = &cut.event else { return Ok(()) };
        let case = format!("{id} deleted {}", cut.place());
        let mut bench = Bench::after(cut).await?;
        // What is in motion cannot be deleted.
        bench.pass(1_200_000).await?;
        let rows = bench.inventory().await?;
        let row = rows.as_array().into_iter().flatten().find(|row| row["id"] == id.as_str());
        let text = |name: &str| row.and_then(|row| row[name].as_str()).unwrap_or_default();
        let Some((product, action, params)) = deletion(text("kind"), id, text("region")) else {
            return Ok(());
        };
        bench.meddle(product, action, params).await?;
        let ending = bench.run().await?;
        bench.ended_as(clean, &ending, &case).await?;
        let ending = bench.rollback().await?;
        bench.as_before(clean, &ending, &case).await
    });
    println!("deleted by hand behind an acknowledged create: {}", cases.await?);
    Ok(())
}
