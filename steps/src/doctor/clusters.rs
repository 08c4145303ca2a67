//! F6, F7, F9: the endpoint, the versions, the alias.

use super::facts::{Facts, Remote};
use super::finding::{Check, Finding};
use crate::aliyun::elasticsearch::Instance;
use crate::elastic::cause::{self, Lies};
use crate::version::Version;

/// The port that the alias has to name.
const TRANSPORT: &str = ":9300";

/// F6: an endpoint is active and connected to a service that serves the load balancer.
pub(super) fn endpoint(facts: &Facts) -> Option<Finding> {
    let follower = &facts.follower.instance_id;
    let Some(endpoint) = &facts.endpoint else {
        let finding =
            Finding::new(Check::F6, "the follower has no private connection for the link");
        return Some(
            finding
                .seen(format!("ListVpcEndpoints {follower}: none that the alias or the spec names"))
                .means("the follower has no way out to the load balancer")
                .next("`escrr plan` shows what is missing"),
        );
    };
    let (id, status) = (&endpoint.endpoint_id, &endpoint.endpoint_status);
    let connection = &endpoint.connection_status;
    if status != "Active" || connection != "Connected" {
        return Some(
            Finding::new(Check::F6, format!("the endpoint {id} is not connected"))
                .seen(format!("ListVpcEndpoints {follower}: {id} is {status}, {connection}"))
                .means("the endpoint service lets nothing of it through")
                .next("allow the connection of this endpoint in the PrivateLink console"),
        );
    }
    let Some((service, resources)) = &facts.service else {
        let finding = Finding::new(Check::F6, "the endpoint's service is gone");
        return Some(
            finding
                .seen(format!("GetVpcEndpointServiceAttribute {}: none", endpoint.service_id))
                .means("the endpoint leads nowhere")
                .next("`escrr plan` shows what is missing"),
        );
    };
    let (id, status) = (&service.service_id, &service.status);
    if status != "Active" || resources.is_empty() {
        let said = if resources.is_empty() { "no resource" } else { status };
        return Some(
            Finding::new(Check::F6, format!("the endpoint service {id} serves nothing"))
                .seen(format!("GetVpcEndpointServiceAttribute {id}: {said}"))
                .means("the endpoint leads nowhere")
                .next("see the service in the PrivateLink console"),
        );
    }
    None
}

/// F7: both instances are active, of the control plane v3, and their versions fit.
pub(super) fn versions(facts: &Facts) -> Option<Finding> {
    let mut unfits = Vec::new();
    for (which, instance) in [("leader", &facts.leader), ("follower", &facts.follower)] {
        unfits.extend(unfit(which, instance));
    }
    // What the clusters say themselves goes before what the control plane remembers.
    let said = facts.remote.as_ref().ok().and_then(|remote| remote.versions.clone());
    let (leads, follows) = said
        .unwrap_or_else(|| (facts.leader.es_version.clone(), facts.follower.es_version.clone()));
    if let (Some(leader), Some(follower)) = (Version::parse(&leads), Version::parse(&follows)) {
        unfits.extend(follower.can_follow(leader).err().map(|why| (why, UPGRADE)));
    }
    let mut next: Vec<&str> = Vec::new();
    for (_, helps) in &unfits {
        if !next.contains(helps) {
            next.push(helps);
        }
    }
    let problem = match next.as_slice() {
        [] => return None,
        [AWAKEN] => "an instance is not active",
        _ => "versions or control planes do not fit",
    };
    let mut finding = Finding::new(Check::F7, problem)
        .means("the document's prerequisites do not hold any more")
        .next(next.join("; "));
    finding.evidence = unfits.into_iter().map(|(evidence, _)| evidence).collect();
    Some(finding)
}

const UPGRADE: &str = "upgrade the instance that is named; the follower first";
const AWAKEN: &str =
    "see why in the Elasticsearch console: it may have been stopped, or its payment has run out";
const REPLACE: &str = "replace the instance by one of the cloud-native control plane (v3)";

/// What does not fit about an instance, each with what helps.
fn unfit(which: &str, instance: &Instance) -> Vec<(String, &'static str)> {
    let id = &instance.instance_id;
    let mut all = Vec::new();
    let mut add = |said: String, next| all.push((format!("DescribeInstance {id}: {said}"), next));
    if !["active", "activating"].contains(&instance.status.as_str()) {
        add(format!("the {which} is {}", instance.status), AWAKEN);
    }
    if instance.arch_type != "public" {
        add(format!("the {which}'s control plane is not v3 ({})", instance.arch_type), REPLACE);
    }
    if !Version::parse(&instance.es_version).is_some_and(|v| v.at_least(7, 10)) {
        add(format!("the {which} is {}, older than 7.10.0", instance.es_version), UPGRADE);
    }
    all
}

/// F9: the alias is there, leads to the endpoint, and is connected; with where the reason lies.
pub(super) fn remote(facts: &Facts) -> Option<(Finding, Lies)> {
    let Ok(remote) = &facts.remote else { return None };
    let alias = &facts.alias;
    if let Some(finding) = setting(facts, remote) {
        return Some((finding, Lies::InTheClusters));
    }
    if remote.connected {
        return None;
    }
    let (said, by) = reason(facts, remote);
    let known = cause::of(said);
    let problem = format!("the remote cluster {alias} is not connected");
    let finding = Finding::new(Check::F9, problem)
        .seen(format!("GET /_remote/info: {alias} is not connected"))
        .seen(format!("{by}{said}"))
        .means(known.meaning)
        .next(known.next);
    Some((finding, known.lies))
}

/// Why it does not connect, and who says so. A search that passes over clusters that are away
/// does not say; then replication, which does not pass over them, knows.
fn reason<'a>(facts: &'a Facts, remote: &'a Remote) -> (&'a str, &'static str) {
    const SEARCH: &str = "a search by the alias: ";
    let own = remote.cause.as_deref();
    if let Some(said) = own.filter(|said| cause::is_known(said)) {
        return (said, SEARCH);
    }
    let mut told = facts.followers.iter().flatten().map(|finding| finding.evidence.as_str());
    match told.find(|said| cause::is_known(said)) {
        Some(said) => (said, ""),
        None => (own.unwrap_or("no reason is given"), SEARCH),
    }
}

/// The alias itself, as it is set.
fn setting(facts: &Facts, remote: &Remote) -> Option<Finding> {
    let (alias, settings) = (&facts.alias, &remote.settings);
    if settings.is_empty() {
        return Some(
            Finding::new(Check::F9, format!("the follower knows no remote cluster {alias}"))
                .seen("GET /_cluster/settings: nothing under cluster.remote of that name")
                .means("nothing can be replicated: followers name the leader by this alias")
                .next("`escrr plan` shows what is missing"),
        );
    }
    let mode = settings.get("mode").unwrap_or("sniff");
    let address = settings.get("proxy_address").unwrap_or_default();
    let seen =
        format!("GET /_cluster/settings: {alias} is in mode {mode}, proxy_address {address:?}");
    if mode != "proxy" {
        return Some(
            Finding::new(Check::F9, format!("{alias} is not in proxy mode"))
                .seen(seen)
                .means("in sniff mode the follower asks for the leader's nodes by addresses that it cannot reach")
                .next("set mode to proxy and proxy_address to the endpoint's domain, port 9300"),
        );
    }
    let endpoint = facts.endpoint.as_ref()?;
    let wanted = format!("{}{TRANSPORT}", endpoint.endpoint_domain);
    (address != wanted).then(|| {
        Finding::new(Check::F9, format!("{alias} leads somewhere else than to the endpoint"))
            .seen(seen)
            .seen(format!("ListVpcEndpoints: the domain is {}", endpoint.endpoint_domain))
            .means("the follower connects to another address or port")
            .next(format!("set proxy_address of {alias} to {wanted}"))
    })
}
