//! All checks, and which finding is only a consequence of another.

use super::facts::Facts;
use super::finding::{Check, Diagnosis, Finding, Remedy};
use super::{balancer, clusters, network};
use crate::elastic::cause::{self, Lies};
use crate::lag::{self, Kind};

/// What is wrong with a link: causes, what follows from them, and what could not be judged.
pub fn judge(facts: &Facts) -> Diagnosis {
    let mut all = Diagnosis::default();
    all.findings.extend(clusters::versions(facts));
    all.findings.extend(network::allow_list(facts));
    all.findings.extend(network::way(facts));
    all.findings.extend(balancer::listener(facts));
    all.findings.extend(balancer::address(facts));
    all.findings.extend(balancer::health_check(facts));
    all.findings.extend(clusters::endpoint(facts));
    if let (Err(why), true) = (&facts.addresses, facts.named.is_empty()) {
        all.unlooked.push((Check::F4, why.clone()));
    }
    if let (None, None) = (&facts.balancer, &facts.service) {
        for check in [Check::F1, Check::F2, Check::F3, Check::F4, Check::F5] {
            all.unlooked.push((check, "no load balancer is known without the endpoint".into()));
        }
    }
    health(facts, &mut all);
    remote(facts, &mut all);
    followers(facts, &mut all);
    all.findings.sort_by_key(|finding| depth(finding.check));
    all.unlooked.sort();
    all.unlooked.dedup();
    all
}

/// How far inside a cause is: the instances, the network, the load balancer, the endpoint, and
/// only then what hangs on all of them.
const fn depth(check: Check) -> usize {
    match check {
        Check::F7 => 0,
        Check::F1 => 1,
        Check::F2 => 2,
        Check::F4 => 3,
        Check::F3 => 4,
        Check::F5 => 5,
        Check::F6 => 6,
        Check::F9 => 7,
        Check::F8 => 8,
    }
}

/// F5 by what the load balancer sees: a cause only where nothing before it explains it.
fn health(facts: &Facts, all: &mut Diagnosis) {
    let Some(finding) = balancer::health(facts) else { return };
    let inner = [Check::F7, Check::F1, Check::F2, Check::F3, Check::F4, Check::F5];
    match first(all, &inner) {
        None => all.findings.push(finding),
        Some(Check::F5) => {}
        Some(_) => all.consequences.push((Check::F5, finding.evidence.join("; "))),
    }
}

/// F9: what the alias says of itself is a cause; that it does not connect may follow from others.
fn remote(facts: &Facts, all: &mut Diagnosis) {
    if let Err(why) = &facts.remote {
        all.unlooked.push((Check::F9, why.clone()));
    }
    let Some((finding, lies)) = clusters::remote(facts) else { return };
    let explained = match lies {
        Lies::OnTheWay => !all.findings.is_empty(),
        Lies::InVersions => first(all, &[Check::F7]).is_some(),
        Lies::BehindTheBalancer => first(all, &[Check::F4]).is_some(),
        Lies::InTheClusters => false,
    };
    if explained {
        all.consequences.push((Check::F9, finding.evidence.join("; ")));
    } else {
        all.findings.push(finding);
    }
}

/// Does it say something of its own while the remote cluster is away?
const fn stands_alone(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::Paused
            | Kind::Dead
            | Kind::HistoryLost
            | Kind::LeaderMissing
            | Kind::NotAFollower
            | Kind::FollowsAnother
            | Kind::AutoFollowMissing
            | Kind::AutoFollowPaused
    )
}

/// F8: one finding for all followers that are not as they should be.
fn followers(facts: &Facts, all: &mut Diagnosis) {
    let found = match &facts.followers {
        Ok(found) => found,
        Err(why) => {
            if all.findings.is_empty() {
                all.unlooked.push((Check::F8, why.clone()));
            } else {
                all.consequences.push((Check::F8, why.clone()));
            }
            return;
        }
    };
    let connects = facts.remote.as_ref().is_ok_and(|remote| remote.connected);
    // Here it is known that it connects again, whether anybody has read since or not.
    let history = |finding: &&lag::Finding| {
        connects && finding.kind == Kind::AutoFollowError && cause::is_known(&finding.evidence)
    };
    let found = found.iter().filter(|finding| !history(finding));
    let (own, others): (Vec<&lag::Finding>, Vec<&lag::Finding>) =
        found.partition(|finding| all.findings.is_empty() || stands_alone(finding.kind));
    if !others.is_empty() {
        all.consequences.push((Check::F8, lines(&others).join("; ")));
    }
    let Some(first) = own.first() else { return };
    let name = |finding: &lag::Finding| {
        finding.follower.clone().or_else(|| finding.leader.clone()).unwrap_or_default()
    };
    let problem = match own.len() {
        1 => format!("{} {}", name(first), first.kind.title()).trim().to_owned(),
        many => format!("{many} things are wrong with followers"),
    };
    let mut finding =
        Finding::new(Check::F8, problem).means(first.meaning.clone()).next(first.next.clone());
    finding.evidence = lines(&own);
    // Without a connection it would stop again at once.
    let resumable: Vec<(String, bool)> = own
        .iter()
        .filter(|f| connects && matches!(f.kind, Kind::Paused | Kind::Dead))
        .filter_map(|f| Some((f.follower.clone()?, f.kind == Kind::Dead)))
        .collect();
    if !resumable.is_empty() {
        finding = finding
            .next("`escrr doctor --fix` resumes it; see the reason first, or it stops again")
            .remedy(Remedy::ResumeFollowers { followers: resumable });
    }
    all.findings.push(finding);
}

/// One line for each, with the index where the evidence does not name it.
fn lines(findings: &[&lag::Finding]) -> Vec<String> {
    let line = |f: &&lag::Finding| {
        let about = f.follower.iter().find(|name| !f.evidence.contains(*name));
        let about = about.map(|name| format!("{name}: ")).unwrap_or_default();
        format!("{about}{}: {}", f.kind.title(), f.evidence)
    };
    findings.iter().map(line).collect()
}

fn first(all: &Diagnosis, checks: &[Check]) -> Option<Check> {
    all.findings.iter().map(|finding| finding.check).find(|check| checks.contains(check))
}
