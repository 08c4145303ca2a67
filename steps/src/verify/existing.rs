//! Every index of a link: how it stands, how far it is, what is in it.

use super::contents::{Contents, Documents, contents};
use super::probe::is_probe;
use crate::lag::{
    Finding, IndexLag, Kind, Limits, Link, Said, State, ask, auto_follow, catch_up, judge, measure,
    patiently,
};
use crate::nodes::step5_replication::Pair;
use escrr_engine::Fault;
use serde::Serialize;
use std::collections::BTreeMap;

/// Auto-follow takes up a new index within about two seconds, in milliseconds.
const TAKEN_UP_MS: u64 = 5_000;
/// Between two looks at indices that are on their way, in milliseconds.
const SETTLE_MS: u64 = 2_500;

/// How thoroughly a link is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// Which documents are compared; none for lag alone.
    pub documents: Option<Documents>,
    /// What the link is held against.
    pub limits: Limits,
}

/// What was found of a link.
#[derive(Clone, Debug, Default)]
pub struct Verified {
    /// One row an index.
    pub indices: Vec<Index>,
    /// Leader indices that the patterns match and that cannot be replicated: index and reason.
    pub left_out: BTreeMap<String, String>,
    /// Probes on the leader that are not of this verification: of one that goes on, or was killed.
    pub probes: Vec<String>,
    /// Everything that is not as it should be.
    pub findings: Vec<Finding>,
}

/// What was found of one index.
#[derive(Clone, Debug, Serialize)]
pub struct Index {
    /// How it stands and how far it is.
    #[serde(flatten)]
    pub lag: IndexLag,
    /// What was compared, where it could be.
    pub contents: Option<Contents>,
}

impl Verified {
    /// Does new data have a way to the follower at all?
    pub fn follows_new_indices(&self) -> bool {
        let stops = |kind| matches!(kind, Kind::AutoFollowMissing | Kind::AutoFollowPaused);
        !self.findings.iter().any(|finding| stops(finding.kind))
    }
}

/// Looks at every index of a link, changes nothing, and gives everything that is wrong at once.
///
/// # Errors
/// A cluster does not answer, or refuses.
pub async fn existing(link: &Link<'_>, options: &Options) -> Result<Verified, Fault> {
    let (said, mut lags) = settled(link, options.limits.ms()).await?;
    catch_up(link, &said, &mut lags, options.limits.ms()).await?;
    let mut verified = Verified::default();
    let name = link.spec.auto_follow_name();
    verified.findings = auto_follow(&said, &name, said.auto_follow.as_ref());
    verified.findings.extend(said.not_there.iter().map(|index| {
        let mut finding = Finding::of_link(
            Kind::LeaderMissing,
            format!("the spec names {index}, and the leader does not have it"),
            (
                "nothing can be replicated of it",
                "correct replication.indices in the spec, or make the index",
            ),
        );
        finding.leader = Some(index.clone());
        finding
    }));
    for lag in lags {
        if gone(link, &lag).await? {
            continue;
        }
        verified.findings.extend(judge(&lag, &options.limits));
        let pair = Pair { leader: lag.leader.clone(), follower: lag.follower.clone() };
        let comparable = lag.state == State::Following && lag.lag_at_most_ms.is_some();
        let found = match options.documents.filter(|_| comparable) {
            None => None,
            Some(documents) => {
                let found = contents(link, &pair, (documents, options.limits.ms())).await;
                let found = match found {
                    Err(fault) if there(link, &pair.leader).await? => return Err(fault),
                    // Deleted while it was compared.
                    Err(_) => continue,
                    Ok(found) => found,
                };
                if found.different > 0 && !there(link, &pair.leader).await? {
                    continue;
                }
                verified.findings.extend(of_contents(&lag, &found));
                Some(found)
            }
        };
        verified.indices.push(Index { lag, contents: found });
    }
    let probes = said.leader_indices.into_keys().filter(|name| is_probe(name));
    verified.probes = probes.collect();
    verified.left_out = said.left_out;
    Ok(verified)
}

async fn there(link: &Link<'_>, index: &str) -> Result<bool, Fault> {
    patiently(link.clock, async || link.leader.exists(index).await).await
}

/// Was a leader index that a pattern matches deleted while both sides were asked?
async fn gone(link: &Link<'_>, lag: &IndexLag) -> Result<bool, Fault> {
    let named = link.spec.replication.indices.contains(&lag.leader);
    let doubtful = lag.state == State::Missing && !named;
    Ok(doubtful && !there(link, &lag.leader).await?)
}

/// What both clusters say once what is on its way has arrived: an index that was made a moment ago
/// gets the time that auto-follow takes, and one that is being copied as long as a lag may last.
async fn settled(link: &Link<'_>, limit_ms: u64) -> Result<(Said, Vec<IndexLag>), Fault> {
    let since_ms = link.clock.now_ms();
    loop {
        let said = ask(link).await?;
        let lags = measure(&said);
        let passed_ms = link.clock.now_ms().saturating_sub(since_ms);
        let taken_up = said.auto_follow.as_ref().is_some_and(|pattern| pattern.active);
        let comes = |lag: &IndexLag| match lag.state {
            State::Missing => taken_up && passed_ms < TAKEN_UP_MS,
            State::Copying => passed_ms < limit_ms,
            State::Following
            | State::Paused
            | State::Dead(_)
            | State::Ordinary
            | State::Another(_)
            | State::LeaderMissing => false,
        };
        if !lags.iter().any(comes) {
            return Ok((said, lags));
        }
        drop(link.clock.wait_until(link.clock.now_ms() + SETTLE_MS).await);
    }
}

/// What is wrong with what an index holds.
fn of_contents(lag: &IndexLag, found: &Contents) -> Vec<Finding> {
    let pair = (lag.leader.as_str(), lag.follower.as_str());
    let next = format!(
        "see which side is right; if the leader is, {}",
        crate::lag::anew(&lag.alias, pair.0, pair.1)
    );
    let meaning = "replication repeats operations and compares nothing: a copy that was changed \
                   otherwise stays so";
    let mut findings = Vec::new();
    if let Some((theirs, own)) = found.counts.filter(|(theirs, own)| theirs != own) {
        findings.push(Finding::of_pair(
            Kind::CountDiffers,
            pair,
            format!("the leader has {theirs} documents, the follower {own}, at equal checkpoints"),
            (meaning, next.clone()),
        ));
    }
    if found.different > 0 {
        let named: Vec<String> =
            found.named.iter().map(|(id, how)| format!("{id}: {how}")).collect();
        findings.push(Finding::of_pair(
            Kind::DocumentsDiffer,
            pair,
            format!(
                "{} of {} compared documents differ: {}",
                found.different,
                found.compared,
                named.join("; ")
            ),
            (meaning, next),
        ));
    }
    findings
}
