//! What the doctor makes of facts: those of a link that a run has built, each time changed in one
//! way that a world can change.

use escrr_engine::Phase;
use escrr_steps::doctor::{Check, Diagnosis, Facts, Finding, Patient, Remedy, gather, judge};
use escrr_steps::lag::{self, Kind};
use escrr_tests::bench::{Bench, Error};
use std::net::Ipv4Addr;
use tokio::sync::OnceCell;

/// The facts of a healthy link.
async fn healthy() -> Result<Facts, Error> {
    static FACTS: OnceCell<Facts> = OnceCell::const_new();
    let gathered = async || {
        let mut bench = Bench::new().await?;
        let ending = bench.run().await?;
        assert_eq!(ending.saga.phase(), Phase::Succeeded);
        let (world, engine) = (bench.world()?, bench.engine().await?);
        let patient = Patient::meet(&world, &*engine.clock, "doctor".to_owned()).await?;
        Ok::<_, Error>(gather(&patient).await?)
    };
    Ok(FACTS.get_or_try_init(gathered).await?.clone())
}

/// The checks that found a cause.
fn causes(diagnosis: &Diagnosis) -> Vec<Check> {
    diagnosis.findings.iter().map(|finding| finding.check).collect()
}

/// The only finding.
fn only(facts: &Facts) -> Finding {
    let mut diagnosis = judge(facts);
    assert_eq!(diagnosis.findings.len(), 1, "{:?}", diagnosis.findings);
    diagnosis.findings.remove(0)
}

/// The follower says that it is not connected, and why.
fn disconnected(facts: &mut Facts, why: &str) {
    if let Ok(remote) = &mut facts.remote {
        remote.connected = false;
        remote.cause = Some(why.to_owned());
    }
}

/// Something is wrong with the follower of one index.
fn ails(facts: &mut Facts, kind: Kind) {
    let finding = lag::Finding {
        kind,
        leader: Some("logs-1".to_owned()),
        follower: Some("logs-1".to_owned()),
        evidence: "GET /_ccr/stats".to_owned(),
        meaning: "it stands still".to_owned(),
        next: "by hand".to_owned(),
    };
    facts.followers.iter_mut().for_each(|all| all.push(finding.clone()));
}

fn admit_only(facts: &mut Facts, entries: &[&str]) {
    facts.leader.private_white_list.clear();
    for group in &mut facts.leader.white_ip_groups {
        group.ips = entries.iter().map(|entry| (*entry).to_owned()).collect();
    }
}

#[tokio::test]
async fn an_allow_list_is_judged_by_what_it_admits() -> Result<(), Error> {
    let facts = healthy().await?;
    assert_eq!(causes(&judge(&facts)), []);
    let with = |entries: &[&str]| {
        let mut facts = facts.clone();
        admit_only(&mut facts, entries);
        causes(&judge(&facts))
    };
    assert_eq!(with(&["10.2.0.0/16"]), [], "one entry for all");
    let halves = ["10.2.1.0/25", "10.2.1.128/25", "10.2.2.0/24"];
    assert_eq!(with(&halves), [], "entries that together are the block");
    assert_eq!(with(&halves[1..]), [Check::F1], "half of a block");
    let zones = &facts.balancer.as_ref().unwrap().nlb.zones;
    let local: Vec<&str> =
        zones.iter().flat_map(|zone| &zone.local_ips).map(String::as_str).collect();
    assert!(local.len() >= 2, "{zones:?}");
    assert_eq!(with(&local), [], "every address of the load balancer");
    assert_eq!(with(&local[1..]), [Check::F1], "all but one");
    Ok(())
}

#[tokio::test]
async fn a_way_that_carries_is_no_alarm() -> Result<(), Error> {
    let facts = healthy().await?;
    let mut peered = facts.clone();
    peered.networks.clear();
    assert_eq!(causes(&judge(&peered)), [], "joined by other means than a CEN");
    let mut cut_off = peered.clone();
    cut_off.balancer.as_mut().unwrap().health = None;
    assert_eq!(causes(&judge(&cut_off)), [Check::F2]);
    let mut unprobed = peered;
    let group = unprobed.balancer.as_mut().unwrap().group.as_mut().unwrap();
    group.health_check.enabled = false;
    assert!(causes(&judge(&unprobed)).contains(&Check::F2), "nobody knows whether it carries");

    let mut broken = facts.networks[0].clone();
    broken.peer = None;
    let mut two = facts.clone();
    two.networks = vec![broken.clone(), facts.networks[0].clone()];
    assert_eq!(causes(&judge(&two)), [], "one of two ways is whole");
    two.networks = vec![broken];
    assert_eq!(causes(&judge(&two)), [Check::F2]);
    Ok(())
}

#[tokio::test]
async fn a_listener_is_judged_by_protocol_and_the_ports_of_the_spec() -> Result<(), Error> {
    let facts = healthy().await?;
    let with = |change: &dyn Fn(&mut Facts)| {
        let mut facts = facts.clone();
        change(&mut facts);
        causes(&judge(&facts))
    };
    let listener = |facts: &mut Facts, change: &dyn Fn(&mut escrr_steps::aliyun::nlb::Listener)| {
        facts.balancer.as_mut().unwrap().listeners.iter_mut().for_each(change);
    };
    assert_eq!(with(&|f| listener(f, &|l| l.protocol = "TCPSSL".into())), [Check::F3]);
    assert_eq!(with(&|f| f.ports = (9200, 9400, 9300)), [Check::F3], "the spec asks for more");
    assert_eq!(with(&|f| f.ports = (9300, 9300, 9300)), [], "the spec asks for less");
    let single = |l: &mut escrr_steps::aliyun::nlb::Listener| {
        (l.port, l.start_port, l.end_port) = (9300, None, None);
    };
    assert_eq!(with(&|f| listener(f, &single)), [], "the follower gets through it");
    let refused = |f: &mut Facts| {
        listener(f, &single);
        disconnected(f, "connect_timeout[30s]");
    };
    assert_eq!(with(&refused), [Check::F3]);
    assert_eq!(with(&|f| f.ports.2 = 9200), [Check::F5], "another port is to be probed");
    let mut probed = facts.clone();
    probed.ports.2 = 9200;
    assert!(only(&probed).next.contains("9200"), "{}", only(&probed).next);
    Ok(())
}

#[tokio::test]
async fn an_address_is_swapped_only_where_nobody_else_is_served() -> Result<(), Error> {
    let mut facts = healthy().await?;
    let now: Ipv4Addr = "10.1.1.77".parse()?;
    facts.named = facts.addresses.clone()?;
    facts.addresses = Ok([now].into());
    let found = only(&facts);
    assert!(
        matches!(&found.remedy, Some(Remedy::SwapAddresses { add, .. }) if *add == ["10.1.1.77"])
    );
    assert!(found.next.contains("leader_address.addresses"), "the spec is old too: {}", found.next);
    // Where nobody can tell, the spec's word is no evidence, and nothing is swapped for it.
    let mut deaf = facts.clone();
    deaf.addresses = Err("no name server answers".to_owned());
    assert_eq!(causes(&judge(&deaf)), [], "the group holds what the spec names");
    deaf.named = [now].into();
    let found = only(&deaf);
    assert_eq!((found.check, found.remedy), (Check::F4, None));
    assert!(
        found.evidence.iter().any(|seen| seen.contains("not resolved")),
        "{:?}",
        found.evidence
    );
    let group = facts.balancer.as_mut().unwrap().group.as_mut().unwrap();
    group.load_balancer_ids.push("nlb-of-others".to_owned());
    let found = only(&facts);
    assert_eq!((found.check, found.remedy), (Check::F4, None));
    assert!(found.evidence.iter().any(|seen| seen.contains("nlb-of-others")));
    Ok(())
}

#[tokio::test]
async fn an_instance_that_sleeps_need_not_be_upgraded() -> Result<(), Error> {
    let mut facts = healthy().await?;
    facts.follower.status = "inactive".to_owned();
    let found = only(&facts);
    assert!(found.check == Check::F7 && !found.next.contains("upgrade"), "{found:?}");
    // What helps both sides is said once, whatever else is wrong between.
    facts.leader.status = "inactive".to_owned();
    facts.leader.arch_type = "exclusive".to_owned();
    let found = only(&facts);
    assert_eq!((found.evidence.len(), found.next.matches("console").count()), (3, 1), "{found:?}");
    facts.leader.status = "active".to_owned();
    facts.leader.arch_type = "public".to_owned();
    facts.follower.status = "active".to_owned();
    facts.remote.as_mut().unwrap().versions = Some(("8.9.0".to_owned(), "7.10.0".to_owned()));
    assert!(only(&facts).next.contains("upgrade"));
    Ok(())
}

#[tokio::test]
async fn what_a_cluster_refuses_itself_is_a_cause_beside_others() -> Result<(), Error> {
    let mut facts = healthy().await?;
    facts.ports.2 = 9200;
    disconnected(&mut facts, "PKIX path building failed: unable to find valid certification path");
    assert_eq!(causes(&judge(&facts)), [Check::F5, Check::F9]);
    let version = "received message from unsupported version: [6.8.0]";
    disconnected(&mut facts, version);
    assert_eq!(causes(&judge(&facts)), [Check::F5, Check::F9], "two clusters spoke");
    disconnected(&mut facts, "[][10.2.1.5:9300] connect_timeout[30s]");
    assert_eq!(causes(&judge(&facts)), [Check::F5], "a silent way explains that");
    facts.leader.es_version = "6.8.0".to_owned();
    disconnected(&mut facts, version);
    assert_eq!(
        causes(&judge(&facts)),
        [Check::F7, Check::F5],
        "the instance's version explains it"
    );
    Ok(())
}

#[tokio::test]
async fn what_a_broken_connection_left_behind_is_no_alarm_once_it_connects() -> Result<(), Error> {
    let mut facts = healthy().await?;
    ails(&mut facts, Kind::AutoFollowError);
    assert_eq!(causes(&judge(&facts)), [Check::F8], "it says nothing of a connection");
    for finding in facts.followers.iter_mut().flatten() {
        finding.evidence = "[][10.2.1.5:9300] connect_timeout[30s]".to_owned();
    }
    assert_eq!(causes(&judge(&facts)), []);
    disconnected(&mut facts, "[][10.2.1.5:9300] connect_timeout[30s]");
    assert_eq!(causes(&judge(&facts)), [Check::F9]);
    Ok(())
}

#[tokio::test]
async fn a_follower_is_resumed_only_where_that_can_help() -> Result<(), Error> {
    let facts = healthy().await?;
    for (kind, resumed) in [(Kind::Paused, true), (Kind::Dead, true), (Kind::HistoryLost, false)] {
        let mut facts = facts.clone();
        ails(&mut facts, kind);
        let found = only(&facts);
        assert_eq!((found.check, found.remedy.is_some()), (Check::F8, resumed), "{kind:?}");
        assert_eq!(found.next == "by hand", !resumed, "{kind:?}");
        disconnected(&mut facts, "[][10.2.1.5:9300] connect_timeout[30s]");
        let diagnosis = judge(&facts);
        assert_eq!(causes(&diagnosis), [Check::F9, Check::F8], "{kind:?}");
        assert!(diagnosis.findings.iter().all(|f| f.remedy.is_none()), "it would stop again");
    }
    Ok(())
}
