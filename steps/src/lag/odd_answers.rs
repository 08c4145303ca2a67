//! The judgement and its arithmetic over answers of every kind, also those that cannot be.

use super::Kind;
use super::ask::Said;
use super::judge::{Limits, auto_follow, judge};
use super::measure::{IndexLag, State, behind, measure, operations};
use crate::elastic::{
    AutoFollow, AutoFollowError, CcrStats, FollowerInfo, FollowerStats, Index, Lease, ShardLeases,
    ShardSeq, ShardStats,
};
use crate::nodes::step5_replication::Pair;
use proptest::prelude::*;
use std::collections::BTreeMap;

const HOUR_MS: u64 = 3_600_000;
const NOW_MS: u64 = 1_800_000_000_000;
const LIMITS: Limits = Limits { operations: Some(100), seconds: 60 };
const LEASE: &str = "es-f/logs/uuid-logs-following-up/logs/uuid-logs";

fn index(name: &str, is_follower: bool) -> Index {
    Index {
        name: name.into(),
        uuid: format!("uuid-{name}"),
        primaries: 1,
        soft_deletes: true,
        is_follower,
        hidden: false,
        system: false,
        data_stream: None,
        closed: false,
        searchable_snapshot: false,
        lease_period_ms: 12 * HOUR_MS,
        lifecycle: None,
        rollover_alias: None,
        analysis: serde_json::Map::new(),
    }
}

fn seq(shard: u64, global_checkpoint: i64) -> ShardSeq {
    ShardSeq { shard, max_seq_no: global_checkpoint, global_checkpoint, history_uuid: "h".into() }
}

fn task(shard_id: u64) -> ShardStats {
    ShardStats {
        shard_id,
        remote_cluster: "up".into(),
        leader_index: "logs".into(),
        leader_global_checkpoint: 9,
        follower_global_checkpoint: 9,
        time_since_last_read_ms: Some(20_000),
        read_exceptions: Vec::new(),
        fatal_exception: None,
    }
}

fn pattern() -> AutoFollow {
    AutoFollow {
        name: "p".into(),
        active: true,
        remote_cluster: "up".into(),
        leader_index_patterns: vec!["l*".into()],
        leader_index_exclusion_patterns: Vec::new(),
        follow_index_pattern: String::new(),
    }
}

/// One index of one shard that is as it should be.
fn healthy() -> Said {
    let name = || "logs".to_owned();
    let lease = Lease { id: LEASE.into(), retaining_seq_no: 10, renewed_ms: NOW_MS - 20_000 };
    Said {
        alias: "up".into(),
        at_ms: NOW_MS,
        leader_at_ms: NOW_MS,
        pairs: vec![Pair { leader: name(), follower: name() }],
        leader_indices: BTreeMap::from([(name(), index("logs", false))]),
        follower_indices: BTreeMap::from([(name(), index("logs", true))]),
        leader_shards: BTreeMap::from([(name(), vec![seq(0, 9)])]),
        follower_shards: BTreeMap::from([(name(), vec![seq(0, 9)])]),
        leases: BTreeMap::from([(name(), vec![ShardLeases { shard: 0, leases: vec![lease] }])]),
        infos: vec![FollowerInfo {
            follower_index: name(),
            remote_cluster: "up".into(),
            leader_index: name(),
            active: true,
        }],
        stats: CcrStats {
            followers: vec![FollowerStats { index: name(), shards: vec![task(0)] }],
            ..CcrStats::default()
        },
        ..Said::default()
    }
}

/// The kinds that are found after a change of what is healthy.
fn kinds(change: impl FnOnce(&mut Said)) -> Vec<Kind> {
    let mut said = healthy();
    change(&mut said);
    measure(&said).iter().flat_map(|lag| judge(lag, &LIMITS)).map(|found| found.kind).collect()
}

fn tasks(said: &mut Said) -> &mut Vec<ShardStats> {
    &mut said.stats.followers[0].shards
}

#[test]
fn what_is_healthy_is_called_so() {
    assert_eq!(kinds(|_| ()), []);
    let lag = &measure(&healthy())[0];
    assert_eq!((lag.lag_operations, lag.lease_age_ms), (Some(0), Some(20_000)));
}

#[test]
fn each_trouble_has_its_own_name_and_no_other() {
    assert_eq!(kinds(|s| s.infos[0].active = false), [Kind::Paused]);
    assert_eq!(kinds(|s| tasks(s)[0].fatal_exception = Some("x: y".into())), [Kind::Dead]);
    assert_eq!(kinds(|s| tasks(s).clear()), [Kind::TaskMissing]);
    assert_eq!(kinds(|s| s.stats.followers.clear()), [Kind::TaskMissing]);
    assert_eq!(kinds(|s| tasks(s)[0].read_exceptions.push("no".into())), [Kind::ReadsFail]);
    let silent = |ms| move |s: &mut Said| tasks(s)[0].time_since_last_read_ms = ms;
    assert_eq!(kinds(silent(Some(130_000))), [Kind::Unheard]);
    assert_eq!(kinds(silent(Some(119_000))), []);
    assert_eq!(kinds(silent(None)), []);
    let far = |s: &mut Said| drop(s.leader_shards.insert("logs".into(), vec![seq(0, 110)]));
    assert_eq!(kinds(far), [Kind::LagOperations]);
    let near = |s: &mut Said| drop(s.leader_shards.insert("logs".into(), vec![seq(0, 109)]));
    assert_eq!(kinds(near), []);
    assert_eq!(kinds(|s| s.infos[0].leader_index = "other".into()), [Kind::FollowsAnother]);
    assert_eq!(kinds(|s| s.leader_indices.clear()), [Kind::LeaderMissing]);
    let gone = |s: &mut Said| {
        s.infos.clear();
        s.follower_indices.clear();
    };
    assert_eq!(kinds(gone), [Kind::FollowerMissing]);
    let ordinary = |s: &mut Said| {
        s.infos.clear();
        s.follower_indices.insert("logs".into(), index("logs", false));
    };
    assert_eq!(kinds(ordinary), [Kind::NotAFollower]);
    let copying = |s: &mut Said| {
        s.infos[0].active = false;
        s.follower_shards.insert("logs".into(), Vec::new());
    };
    assert_eq!(kinds(copying), [Kind::Copying]);
}

#[test]
fn an_exception_without_a_reason_is_evidence_too() {
    for fatal in [true, false] {
        let mut said = healthy();
        let task = &mut tasks(&mut said)[0];
        if fatal {
            task.fatal_exception = Some(String::new());
        } else {
            task.read_exceptions.push(String::new());
        }
        let found = judge(&measure(&said)[0], &LIMITS);
        assert!(found.len() == 1 && found[0].evidence.contains("exception"), "{found:?}");
    }
}

#[test]
fn a_lease_is_at_risk_before_it_is_gone() {
    let aged = |age_ms: u64| {
        move |s: &mut Said| {
            s.leases.get_mut("logs").unwrap()[0].leases[0].renewed_ms = NOW_MS - age_ms;
        }
    };
    assert_eq!(kinds(aged(5 * HOUR_MS)), []);
    assert_eq!(kinds(aged(7 * HOUR_MS)), [Kind::LeaseAtRisk]);
    let none = |s: &mut Said| s.leases.get_mut("logs").unwrap()[0].leases.clear();
    // Who reads takes a new lease by itself.
    assert_eq!(kinds(none), []);
    let paused = |s: &mut Said| {
        none(s);
        s.infos[0].active = false;
    };
    assert_eq!(kinds(paused), [Kind::Paused, Kind::LeaseGone]);
    // A lease of an earlier follower of the same name is not this one's.
    let other = |s: &mut Said| {
        let lease = &mut s.leases.get_mut("logs").unwrap()[0].leases[0];
        lease.id = lease.id.replace("uuid-logs-following", "uuid-old-following");
        s.infos[0].active = false;
    };
    assert_eq!(kinds(other), [Kind::Paused, Kind::LeaseGone]);
    // A leader that says nothing of leases is not judged by them.
    let silent = |s: &mut Said| {
        s.leases.clear();
        s.infos[0].active = false;
    };
    assert_eq!(kinds(silent), [Kind::Paused]);
}

#[test]
fn a_lag_in_time_counts_from_the_limit_on() {
    let mut lag = measure(&healthy()).remove(0);
    let found = |lag: &IndexLag| judge(lag, &LIMITS).first().map(|found| found.kind);
    lag.lag_at_least_ms = Some(59_999);
    assert_eq!(found(&lag), None);
    lag.lag_at_least_ms = Some(60_000);
    assert_eq!(found(&lag), Some(Kind::LagTime));
    lag.state = State::Paused;
    assert_eq!(found(&lag), Some(Kind::Paused));
}

#[test]
fn errors_of_a_pattern_count_while_they_say_something_about_now() {
    let error = |what: &str, age_ms: u64| AutoFollowError {
        leader_index: what.into(),
        timestamp_ms: NOW_MS - age_ms,
        reason: "why".into(),
    };
    let found = |errors: Vec<AutoFollowError>| {
        let mut said = healthy();
        said.leader_indices.insert("lost".into(), index("lost", false));
        said.stats.recent_auto_follow_errors = errors;
        auto_follow(&said, "p", Some(&pattern())).len()
    };
    assert_eq!(found(vec![error("p", 60_000)]), 1);
    assert_eq!(found(vec![error("p", HOUR_MS)]), 0);
    // Followers have read since: what a broken connection left behind is over, a refusal is not.
    let heard = |reason: &str, ago_ms: u64, exceptions: &[&str]| {
        let mut said = healthy();
        for task in tasks(&mut said) {
            task.time_since_last_read_ms = Some(ago_ms);
            task.read_exceptions = exceptions.iter().map(|e| (*e).to_owned()).collect();
        }
        said.stats.recent_auto_follow_errors =
            vec![AutoFollowError { reason: reason.into(), ..error("p", 60_000) }];
        auto_follow(&said, "p", Some(&pattern())).len()
    };
    let away = "[][10.2.1.5:9300] connect_timeout[30s]";
    assert_eq!(heard(away, 1_000, &[]), 0);
    assert_eq!(heard(away, 61_000, &[]), 1, "nobody has read since");
    assert_eq!(heard(away, 1_000, &[away]), 1, "reads fail");
    assert_eq!(heard("action is unauthorized for user [x]", 1_000, &[]), 1);
    assert_eq!(found(vec![error("p:lost", HOUR_MS)]), 1);
    assert_eq!(found(vec![error("p:logs", 0), error("p:deleted", 0), error("pp", 0)]), 0);
    let said = healthy();
    assert_eq!(auto_follow(&said, "p", None)[0].kind, Kind::AutoFollowMissing);
    let paused = AutoFollow { active: false, ..pattern() };
    assert_eq!(auto_follow(&said, "p", Some(&paused))[0].kind, Kind::AutoFollowPaused);
}

fn checkpoint() -> impl Strategy<Value = i64> {
    prop_oneof![Just(-1), Just(-2), Just(i64::MIN), Just(i64::MAX), -5..200_i64, any::<i64>()]
}

fn shards() -> impl Strategy<Value = Vec<ShardSeq>> {
    prop::collection::vec((0..4_u64, checkpoint()).prop_map(|(n, at)| seq(n, at)), 0..6)
}

fn a_task() -> impl Strategy<Value = ShardStats> {
    let texts = || prop::option::of("[a-z]{0,6}");
    (0..4_u64, checkpoint(), checkpoint(), prop::option::of(any::<u64>()), texts(), texts())
        .prop_map(|(shard_id, theirs, own, since, read, fatal)| ShardStats {
            leader_global_checkpoint: theirs,
            follower_global_checkpoint: own,
            time_since_last_read_ms: since,
            read_exceptions: read.into_iter().collect(),
            fatal_exception: fatal,
            ..task(shard_id)
        })
}

proptest! {
    #[test]
    fn odd_checkpoints_give_a_number_and_no_panic(theirs in shards(), own in shards()) {
        let lacks = behind(&theirs, &own);
        prop_assert!(lacks <= operations(&theirs));
        prop_assert_eq!(behind(&theirs, &[]), operations(&theirs));
    }

    #[test]
    fn a_follower_with_equal_shards_lacks_nothing(
        theirs in prop::collection::btree_map(0..6_u64, checkpoint(), 0..6)
    ) {
        let all: Vec<ShardSeq> = theirs.into_iter().map(|(n, at)| seq(n, at)).collect();
        prop_assert_eq!(behind(&all, &all), 0);
    }

    #[test]
    fn odd_answers_are_judged_without_a_panic(
        theirs in prop::option::of(shards()),
        own in prop::option::of(shards()),
        tasks in prop::collection::vec(a_task(), 0..5),
        (active, follows, there, seconds) in any::<(bool, bool, bool, u64)>(),
        (renewed_ms, at_ms, period_ms) in any::<(u64, u64, u64)>(),
    ) {
        let mut said = healthy();
        said.at_ms = at_ms;
        said.leader_shards = theirs.map(|all| ("logs".into(), all)).into_iter().collect();
        said.follower_shards = own.map(|all| ("logs".into(), all)).into_iter().collect();
        said.stats.followers[0].shards = tasks;
        said.infos[0].active = active;
        said.leader_indices.get_mut("logs").unwrap().lease_period_ms = period_ms;
        said.leases.get_mut("logs").unwrap()[0].leases[0].renewed_ms = renewed_ms;
        if !follows {
            said.infos.clear();
        }
        if !there {
            said.follower_indices.clear();
        }
        for task in said.stats.followers.iter().flat_map(|told| &told.shards) {
            task.lag();
        }
        let limits = Limits { operations: Some(0), seconds };
        for mut lag in measure(&said) {
            lag.lag_at_least_ms = Some(renewed_ms);
            for found in judge(&lag, &limits) {
                prop_assert!(!found.evidence.is_empty() && !found.next.is_empty());
            }
        }
    }
}
